/*
 * blur.c - Gaussian and bilateral.
 */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int reach(double sigma)
{
    return (int)ceil(4 * sigma);
}

/* weights: 2 * r + 1 of them. */
static void gaussian_weights(double *weights, int r, double sigma)
{
    double sum = 0;

    for (int i = -r; i <= r; i++)
        sum += weights[i + r] = exp(-i * i / (2 * sigma * sigma));
    for (int i = 0; i <= 2 * r; i++)
        weights[i] /= sum;
}

/* One row or column: n samples, `step` apart. */
static void blur_line(double *line, int n, size_t step, const double *weights, int r,
                      double *copy)
{
    for (int i = 0; i < n; i++)
        copy[i] = line[(size_t)i * step];
    for (int i = 0; i < n; i++) {
        double sum = 0;

        for (int k = -r; k <= r; k++)
            sum += weights[k + r] * copy[distort_mirror(i + k, n)];
        line[(size_t)i * step] = sum;
    }
}

int distort_gaussian(double *planes, size_t n, int width, int height, double sigma,
                     char why[LEARN_WHY])
{
    const int r = reach(sigma), longest = width > height ? width : height;
    const size_t pixels = (size_t)width * (size_t)height;
    double *weights, *copy;

    if (!(sigma > 0))
        return 0;
    weights = malloc((2 * (size_t)r + 1) * sizeof *weights);
    copy = malloc((size_t)longest * sizeof *copy);
    if (!weights || !copy) {
        free(weights);
        free(copy);
        return learn_no_memory(why);
    }
    gaussian_weights(weights, r, sigma);
    for (double *p = planes; p < planes + n * pixels; p += pixels) {
        for (int y = 0; y < height; y++)
            blur_line(p + (size_t)y * (size_t)width, width, 1, weights, r, copy);
        for (int x = 0; x < width; x++)
            blur_line(p + x, height, (size_t)width, weights, r, copy);
    }
    free(weights);
    free(copy);
    return 0;
}

int distort_gaussian_blur(distort_job *job, char why[LEARN_WHY])
{
    double *planes = distort_planes(job, why);
    int status = planes ? 0 : -1;

    if (!status)
        status = distort_gaussian(planes, 3, job->width, job->height, job->amount, why);
    if (!status)
        distort_store(job, planes);
    free(planes);
    return status;
}

/* ---- bilateral -------------------------------------------------------------------- */

/* C. Tomasi and R. Manduchi (1998): nearness in the plane times nearness in CIE Lab. */
static const double nearness = 3;

static void smooth(const distort_job *job, const double *lab, const double *weights, int r,
                   int x, int y, double out[3])
{
    const size_t w = (size_t)job->width;
    const double *here = lab + 3 * ((size_t)y * w + (size_t)x);
    double sum[3] = {0}, total = 0;

    for (int v = -r; v <= r; v++)
        for (int u = -r; u <= r; u++) {
            const size_t row = (size_t)distort_mirror(y + v, job->height);
            const double *there =
                lab + 3 * (row * w + (size_t)distort_mirror(x + u, job->width));
            double square = 0, weight;

            for (int c = 0; c < 3; c++)
                square += (there[c] - here[c]) * (there[c] - here[c]);
            weight = weights[u + r] * weights[v + r] *
                     exp(-square / (2 * job->amount * job->amount));
            for (int c = 0; c < 3; c++)
                sum[c] += weight * there[c];
            total += weight;
        }
    for (int c = 0; c < 3; c++)
        out[c] = sum[c] / total;
}

int distort_bilateral(distort_job *job, char why[LEARN_WHY])
{
    enum { R = 6 }; /* 2 sigma: beyond it a weight is below 0.14 of the middle's */
    const size_t n = distort_pixels(job);
    double weights[2 * R + 1], *lab = distort_room(job, 3, why);

    if (!lab)
        return -1;
    memcpy(job->out, job->in, 3 * n);
    gaussian_weights(weights, R, nearness);
    for (size_t i = 0; i < n; i++) {
        const double rgb[3] = {job->in[3 * i], job->in[3 * i + 1], job->in[3 * i + 2]};

        distort_to_lab(rgb, lab + 3 * i);
    }
    for (int y = 0; y < job->height && job->amount > 0; y++)
        for (int x = 0; x < job->width; x++) {
            uint8_t *out = job->out + 3 * ((size_t)y * (size_t)job->width + (size_t)x);
            double mean[3], rgb[3];

            smooth(job, lab, weights, R, x, y, mean);
            distort_from_lab(mean, rgb);
            for (int c = 0; c < 3; c++)
                out[c] = distort_round(rgb[c]);
        }
    free(lab);
    return 0;
}
