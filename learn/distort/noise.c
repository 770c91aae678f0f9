/*
 * noise.c - noise by its spectrum, and a checkerboard.
 *
 * Amounts are deviations in samples of 0..255. The three channels have noise of their own.
 */
#include "internal.h"

#include "transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- spectra -------------------------------------------------------------------- */

/* The frequency of wave i of n in cycles a sample, -1/2 .. 1/2. */
static double frequency(int i, int n)
{
    return (double)(2 * i > n ? i - n : i) / n;
}

/* Amplitudes are roots of powers. The mean is taken out. */
static void tilt(learn_transform *t, double slope)
{
    const int across = t->width / 2 + 1;

    for (int y = 0; y < t->height; y++)
        for (int x = 0; x < across; x++) {
            const double f = hypot(frequency(x, t->width), frequency(y, t->height));
            const double gain = f > 0 ? pow(f, -slope / 2) : 0;
            fftw_complex *wave = &t->waves[(size_t)y * (size_t)across + (size_t)x];

            (*wave)[0] *= gain;
            (*wave)[1] *= gain;
        }
}

int distort_spectrum(double *plane, int width, int height, double slope, learn_random *random,
                     char why[LEARN_WHY])
{
    const size_t n = (size_t)width * (size_t)height;
    learn_transform t;
    double squares = 0;

    if (learn_transform_make(&t, width, height, why) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        t.samples[i] = learn_random_normal(random);
    fftw_execute(t.forth);
    tilt(&t, slope);
    fftw_execute(t.back);
    for (size_t i = 0; i < n; i++)
        squares += t.samples[i] * t.samples[i];
    for (size_t i = 0; i < n; i++)
        plane[i] = squares > 0 ? t.samples[i] / sqrt(squares / (double)n) : 0;
    learn_transform_free(&t);
    return 0;
}

static int add_spectrum(distort_job *job, double slope, char why[LEARN_WHY])
{
    const size_t n = distort_pixels(job);
    double *planes = distort_planes(job, why), *noise = distort_room(job, 1, why);
    int status = planes && noise ? 0 : -1;

    for (size_t c = 0; c < 3 && !status; c++) {
        status = distort_spectrum(noise, job->width, job->height, slope, &job->random, why);
        for (size_t i = 0; i < n && !status; i++)
            planes[c * n + i] += job->amount * noise[i];
    }
    if (!status)
        distort_store(job, planes);
    free(noise);
    free(planes);
    return status;
}

int distort_pink_noise(distort_job *job, char why[LEARN_WHY])
{
    return add_spectrum(job, 1, why);
}

int distort_blue_noise(distort_job *job, char why[LEARN_WHY])
{
    return add_spectrum(job, -1, why);
}

int distort_coloured_noise(distort_job *job, char why[LEARN_WHY])
{
    return add_spectrum(job, learn_random_between(&job->random, -2, 2), why);
}

/* ---- white ------------------------------------------------------------------------ */

int distort_uniform_noise(distort_job *job, char why[LEARN_WHY])
{
    /* uniform in -w..w: the deviation is w / sqrt(3) */
    const double w = job->amount * sqrt(3);

    (void)why;
    for (size_t i = 0; i < 3 * distort_pixels(job); i++)
        job->out[i] = distort_round(job->in[i] + learn_random_between(&job->random, -w, w));
    return 0;
}

int distort_white_noise(distort_job *job, char why[LEARN_WHY])
{
    (void)why;
    for (size_t i = 0; i < 3 * distort_pixels(job); i++)
        job->out[i] =
            distort_round(job->in[i] + job->amount * learn_random_normal(&job->random));
    return 0;
}

/* ---- checkerboard ------------------------------------------------------------------- */

/* What upsampling by transposed convolution leaves: squares of 1, 2 or 4 pixels, one up and
 * the next down. */
int distort_checkerboard(distort_job *job, char why[LEARN_WHY])
{
    const int size = 1 << learn_random_below(&job->random, 3);

    (void)why;
    for (int y = 0; y < job->height; y++)
        for (int x = 0; x < 3 * job->width; x++) {
            const size_t i = (size_t)y * 3 * (size_t)job->width + (size_t)x;
            const int odd = (x / 3 / size + y / size) & 1;

            job->out[i] = distort_round(job->in[i] + (odd ? -job->amount : job->amount));
        }
    return 0;
}
