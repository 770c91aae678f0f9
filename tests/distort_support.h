/*
 * distort_support.h - what the tests of distortions share: a job on a picture by formula.
 */
#ifndef TESTS_DISTORT_SUPPORT_H
#define TESTS_DISTORT_SUPPORT_H

#include "support.h"

#include "distort/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the last call that failed. */
static char why[LEARN_WHY];

typedef double formula(int x, int y, int channel);

static uint8_t *picture_by(formula *f, int width, int height)
{
    uint8_t *rgb = malloc(3 * (size_t)width * (size_t)height);

    assert_non_null(rgb);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                rgb[3 * (y * width + x) + c] = (uint8_t)lrint(f(x, y, c));
    return rgb;
}

/* One distortion by the strength, as users ask for it. */
static inline uint8_t *distorted(const char *spec_text, uint64_t seed, const uint8_t *in,
                                 int width, int height)
{
    uint8_t *out = malloc(3 * (size_t)width * (size_t)height);
    distort_spec spec;

    assert_non_null(out);
    if (distort_parse(&spec, distort_kinds, spec_text, why) ||
        distort_apply(&spec, out, in, width, height, NULL, seed, why))
        fail_msg("%s: %s", spec_text, why);
    return out;
}

/* One by its amount. */
static inline uint8_t *by_amount(const char *name, double amount, uint64_t seed,
                                 const uint8_t *in, int width, int height)
{
    const distort_kind *k = distort_find(distort_kinds, name);
    distort_job job = {.in = in,
                       .out = malloc(3 * (size_t)width * (size_t)height),
                       .width = width,
                       .height = height,
                       .amount = amount};

    assert_non_null(k);
    assert_non_null(job.out);
    learn_random_start(&job.random, seed, learn_random_key(0, name));
    if (k->apply(&job, why))
        fail_msg("%s: %s", name, why);
    return job.out;
}

static inline double squares(const uint8_t *a, const uint8_t *b, int width, int height)
{
    double sum = 0;

    for (int i = 0; i < 3 * width * height; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum / (3.0 * width * height);
}

#endif
