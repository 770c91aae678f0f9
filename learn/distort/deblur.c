/*
 * deblur.c - blurred pictures, sharpened again by libavfilter.
 */
#include "internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    snprintf(text, sizeof text, "[in0]unsharp=lx=%d:ly=%d:la=2:cx=%d:cy=%d:ca=2", side, side,
             side, side);
    g.input[0] = (distort_input){job->width, job->height, 1, {soft}};
    status = distort_filter(&g, job->out, job->width, job->height, why);
    free(soft);
    return status;
}

/* The blur as a picture whose middle is at width / 2, height / 2. */
static void impulse(uint8_t *rgb, int width, int height, double sigma)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < 3 * width; x++) {
            const double u = x / 3 - width / 2, v = y - height / 2;

            rgb[(size_t)y * 3 * (size_t)width + (size_t)x] =
                distort_round(255 * exp(-(u * u + v * v) / (2 * sigma * sigma)));
        }
}

/* The picture goes on for `margin` pixels on all sides. */
static void surround(uint8_t *out, const uint8_t *rgb, int width, int height, int margin)
{
    for (int y = -margin; y < height + margin; y++)
        for (int x = -margin; x < width + margin; x++, out += 3)
            memcpy(out,
                   rgb + 3 * ((size_t)distort_mirror(y, height) * (size_t)width +
                              (size_t)distort_mirror(x, width)),
                   3);
}

/* The filter takes what lies beyond a picture for something else than the blur did, and rings
 * there: it gets a picture that goes on as the blur saw it. Of the noise levels from 1e-5 to
 * 0.05 by tens 1e-3 brought pictures of 8 bits back best. */
int distort_deconvolution(distort_job *job, char why[LEARN_WHY])
{
    const int margin = (int)ceil(8 * job->amount);
    const int width = job->width + 2 * margin, height = job->height + 2 * margin;
    const size_t bytes = 3 * (size_t)width * (size_t)height;
    uint8_t *soft = blurred(job, why), *room = soft ? malloc(3 * bytes) : NULL;
    distort_graph g = {.text = "[in0][in1]deconvolve=planes=7:noise=0.001",
                       .planar = true,
                       .inputs = 2};
    int status = -1;

    if (soft && !room)
        learn_no_memory(why);
    if (room) {
        surround(room, soft, job->width, job->height, margin);
        impulse(room + bytes, width, height, job->amount);
        g.input[0] = (distort_input){width, height, 1, {room}};
        g.input[1] = (distort_input){width, height, 1, {room + bytes}};
        status = distort_filter(&g, room + 2 * bytes, width, height, why);
    }
    if (!status)
        distort_crop(job->out, room + 2 * bytes, width, margin, margin, job->width,
                     job->height);
    free(room);
    free(soft);
    return status;
}
