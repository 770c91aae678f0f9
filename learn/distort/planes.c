/*
 * planes.c - pictures as planes of doubles, and back.
 */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double *distort_room(const distort_job *job, size_t n, char why[LEARN_WHY])
{
    double *room = calloc(distort_pixels(job), n * sizeof *room);

    if (!room)
        learn_fail(why, "not enough memory for a picture of %dx%d", job->width, job->height);
    return room;
}

double *distort_planes(const distort_job *job, char why[LEARN_WHY])
{
    const size_t n = distort_pixels(job);
    double *planes = distort_room(job, 3, why);

    for (size_t i = 0; planes && i < n; i++)
        for (size_t c = 0; c < 3; c++)
            planes[c * n + i] = job->in[3 * i + c];
    return planes;
}

uint8_t distort_round(double sample)
{
    return (uint8_t)lrint(fmin(fmax(sample, 0), 255));
}

void distort_store(distort_job *job, const double *planes)
{
    const size_t n = distort_pixels(job);

    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++)
            job->out[3 * i + c] = distort_round(planes[c * n + i]);
}

int distort_mirror(int i, int n)
{
    const int period = 2 * n;

    i %= period;
    if (i < 0)
        i += period;
    return i < n ? i : period - 1 - i;
}

void distort_crop(uint8_t *out, const uint8_t *rgb, int stride, int x, int y, int width,
                  int height)
{
    const size_t bytes = 3 * (size_t)width;

    for (int i = 0; i < height; i++)
        memcpy(out + (size_t)i * bytes,
               rgb + 3 * ((size_t)(y + i) * (size_t)stride + (size_t)x), bytes);
}
