/*
 * cnn.c - a picture through one of the networks.
 */
#include "cnn.h"

#include "internal.h"

#include <math.h>
#include <stdlib.h>

enum { PIXELS_MOST = 1 << 22 };

/* ---- what is corrupted ----------------------------------------------------------------- */

static int add_noise(const generator_design *d, double *planes, int width, int height,
                     learn_random *random, char why[LEARN_WHY])
{
    const size_t n = (size_t)width * (size_t)height;
    const double deviation = 10 + 50 * d->value[GENERATOR_AMOUNT]; /* levels */
    const double slope = d->value[GENERATOR_CORRUPTION] == GENERATOR_PINK ? 1 : 0;
    double *noise = calloc(n, sizeof *noise);
    int status = noise ? 0 : learn_no_memory(why);

    for (size_t c = 0; c < 3 && !status; c++) {
        status = distort_spectrum(noise, width, height, slope, random, why);
        for (size_t i = 0; i < n && !status; i++)
            planes[c * n + i] = fmin(fmax(planes[c * n + i] + deviation * noise[i], 0), 255);
    }
    free(noise);
    return status;
}

/* The luma of BT.601 in all three. */
static void remove_colour(double *planes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double luma =
            0.299 * planes[i] + 0.587 * planes[n + i] + 0.114 * planes[2 * n + i];

        planes[i] = planes[n + i] = planes[2 * n + i] = luma;
    }
}

/* The mean of the block that holds x, y, or what is there of it. */
static double block_mean(const double *plane, int width, int height, int x, int y, int size)
{
    double sum = 0;
    int n = 0;

    for (int v = y / size * size; v < height && v < (y / size + 1) * size; v++)
        for (int u = x / size * size; u < width && u < (x / size + 1) * size; u++, n++)
            sum += plane[(size_t)v * (size_t)width + (size_t)u];
    return sum / n;
}

static int reduce(const generator_design *d, double *planes, int width, int height,
                  char why[LEARN_WHY])
{
    const size_t n = (size_t)width * (size_t)height;
    const int size = d->value[GENERATOR_AMOUNT] < 0.5 ? 2 : 4;
    double *small = calloc(n, sizeof *small);

    if (!small)
        return learn_no_memory(why);
    for (size_t c = 0; c < 3; c++) {
        double *plane = planes + c * n;

        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                small[(size_t)y * (size_t)width + (size_t)x] =
                    block_mean(plane, width, height, x, y, size);
        for (size_t i = 0; i < n; i++)
            plane[i] = small[i];
    }
    free(small);
    return 0;
}

int distort_cnn_corrupt(const generator_design *d, double *planes, int width, int height,
                        learn_random *random, char why[LEARN_WHY])
{
    switch ((generator_corruption)d->value[GENERATOR_CORRUPTION]) {
    case GENERATOR_PINK:
    case GENERATOR_WHITE:
        return add_noise(d, planes, width, height, random, why);
    case GENERATOR_GREY:
        remove_colour(planes, (size_t)width * (size_t)height);
        return 0;
    case GENERATOR_SMALL:
        return reduce(d, planes, width, height, why);
    default:
        return 0;
    }
}

/* ---- applying ----------------------------------------------------------------------------
 */

static int up_to(int n, int unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Planes into the pass's input, which goes on as their mirror image. */
static void put(generator_pass *p, const double *planes, int width, int height)
{
    float *to = p->value[0];

    for (int c = 0; c < 3; c++)
        for (int y = 0; y < p->height[0]; y++)
            for (int x = 0; x < p->width[0]; x++, to++) {
                const int v = distort_mirror(y, height), u = distort_mirror(x, width);

                generator_from_levels(to,
                                      planes +
                                          ((size_t)c * (size_t)height + (size_t)v) *
                                              (size_t)width +
                                          (size_t)u,
                                      1);
            }
}

/* So much of the way from the picture to what the network made. */
static void mix(distort_job *job, const generator_pass *p)
{
    const float *made = p->value[p->net->nodes - 1];
    const size_t plane = (size_t)p->height[0] * (size_t)p->width[0];

    for (int y = 0; y < job->height; y++)
        for (int x = 0; x < job->width; x++)
            for (size_t c = 0; c < 3; c++) {
                const size_t at = 3 * ((size_t)y * (size_t)job->width + (size_t)x) + c;
                double v;

                generator_to_levels(
                    &v, made + c * plane + (size_t)y * (size_t)p->width[0] + (size_t)x, 1);
                job->out[at] = distort_round(job->in[at] + job->amount * (v - job->in[at]));
            }
}

int distort_cnn_apply(distort_job *job, char why[LEARN_WHY])
{
    const generator_fitted *f = &((const distort_cnn *)job->kind->with)->fitted;
    const int unit = generator_unit(&f->design);
    const int height = up_to(job->height, unit), width = up_to(job->width, unit);
    generator_pass pass = {0};
    double *planes;
    int status = -1;

    if ((size_t)height * (size_t)width > PIXELS_MOST)
        return learn_fail(
            why,
            "%s is for pictures of up to %d million pixels, sides rounded up to "
            "multiples of %d: crop this one",
            job->kind->name, PIXELS_MOST >> 20, unit);
    planes = distort_planes(job, why);
    if (planes)
        status = distort_cnn_corrupt(&f->design, planes, job->width, job->height,
                                     &job->random, why);
    if (!status && generator_pass_make(&pass, &f->net, 1, height, width, false))
        status = learn_no_memory(why);
    if (!status) {
        put(&pass, planes, job->width, job->height);
        generator_forward(&pass, f->parameters, NULL);
        mix(job, &pass);
    }
    generator_pass_free(&pass);
    free(planes);
    return status;
}
