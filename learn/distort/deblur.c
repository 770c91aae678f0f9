/*
 * deblur.c - blurred pictures, sharpened again by libavfilter.
 */
#include "internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint8_t *blurred(const distort_job *job, char why[LEARN_WHY])
{
    distort_job blur = *job;

    blur.out = malloc(3 * distort_pixels(job));
    if (!blur.out) {
        learn_no_memory(why);
        return NULL;
    }
    if (distort_gaussian_blur(&blur, why) < 0) {
        free(blur.out);
        blur.out = NULL;
    }
    return blur.out;
}

/* A mask as wide as the blur, as far as the filter goes: 13 (its sums have 26 bits). */
int distort_unsharp(distort_job *job, char why[LEARN_WHY])
{
    const int side = 2 * (int)fmin(ceil(2 * job->amount), 6) + 1;
    uint8_t *soft = blurred(job, why);
    char text[100];
    distort_graph g = {.text = text, .planar = true, .inputs = 1};
    int status;

    if (!soft)
        return -1;
    snprintf(text, sizeof text, "[in0]unsharp=lx=%d:ly=%d:la=2:cx=%d:cy=%d:ca=2[out]", side,
             side, side, side);
    g.input[0] = (distort_input){job->width, job->height, 1, {soft}};
    status = distort_filter(&g, job->out, job->width, job->height, why);
    free(soft);
    return status;
}

/* The blur as a picture whose middle is at width / 2, height / 2. */
static uint8_t *impulse(const distort_job *job, char why[LEARN_WHY])
{
    const double sigma = job->amount;
    uint8_t *rgb = calloc(distort_pixels(job), 3);

    for (int y = 0; rgb && y < job->height; y++)
        for (int x = 0; x < 3 * job->width; x++) {
            const double u = x / 3 - job->width / 2, v = y - job->height / 2;

            rgb[(size_t)y * 3 * (size_t)job->width + (size_t)x] =
                distort_round(255 * exp(-(u * u + v * v) / (2 * sigma * sigma)));
        }
    if (!rgb)
        learn_no_memory(why);
    return rgb;
}

int distort_deconvolution(distort_job *job, char why[LEARN_WHY])
{
    uint8_t *soft = blurred(job, why), *point = soft ? impulse(job, why) : NULL;
    distort_graph g = {.text = "[in0][in1]deconvolve=planes=7:noise=0.01[out]",
                       .planar = true,
                       .inputs = 2};
    int status = -1;

    if (point) {
        g.input[0] = (distort_input){job->width, job->height, 1, {soft}};
        g.input[1] = (distort_input){job->width, job->height, 1, {point}};
        status = distort_filter(&g, job->out, job->width, job->height, why);
    }
    free(point);
    free(soft);
    return status;
}
