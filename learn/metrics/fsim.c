/*
 * fsim.c - feature similarity, of luma (FSIM) and with chroma (FSIMc).
 *
 * L. Zhang, L. Zhang, X. Mou, D. Zhang: "FSIM: a feature similarity index for image quality
 * assessment", IEEE Trans. Image Processing 20 (2011), eq. 4 to 11: with s(x, y, T) =
 * (2 x y + T) / (x^2 + y^2 + T), PC phase congruency, G gradient magnitude, I and Q chroma,
 *
 *     FSIM = sum(w s(PC, .85) s(G, 160)) / sum(w),  w = the larger PC of the two,
 *     FSIMc: each term times (s(I, 200) s(Q, 200))^0.03.
 *
 * Pictures are reduced first so that the shorter side is near 256.  What piq 0.8.0
 * (piq/fsim.py) computes; besides phase.c it departs from the authors' FeatureSIM.m in that a
 * negative product of chroma loses its sign before the power is taken.
 */
#include "metrics/phase.h"

#include <math.h>
#include <string.h>

/* A picture's planes: Y, I, Q, and what comes out of Y. */
typedef struct features {
    double *yiq[3], *congruency, *gradient;
} features;

static double similar(double x, double y, double t)
{
    return (2 * (x * y) + t) / (x * x + y * y + t);
}

/* By Scharr's operator (3, 10, 3) / 16; all is 0 outside.  framed: room for a plane with a
 * frame of one sample. */
static void gradients(const double *plane, int width, int height, double *framed, double *out)
{
    size_t w = (size_t)width, row = w + 2;

    memset(framed, 0, row * ((size_t)height + 2) * sizeof *framed);
    for (size_t y = 0; y < (size_t)height; y++)
        memcpy(framed + (y + 1) * row + 1, plane + y * w, w * sizeof *framed);
    for (size_t y = 0; y < (size_t)height; y++)
        for (size_t x = 0; x < w; x++) {
            const double *a = framed + y * row + x, *b = a + row, *c = b + row;
            double across = 3 * (a[2] - a[0]) + 10 * (b[2] - b[0]) + 3 * (c[2] - c[0]);
            double down = 3 * (c[0] - a[0]) + 10 * (c[1] - a[1]) + 3 * (c[2] - a[2]);

            *out++ = sqrt(across * across + down * down) / 16;
        }
}

/* The mean of similarities, weighted by phase congruency; where nothing has any, each sample
 * counts alike. */
static double index_of(const features *f, size_t n, int chroma)
{
    double sum = 0, weights = 0, plain = 0;

    for (size_t i = 0; i < n; i++) {
        double p = f[0].congruency[i], q = f[1].congruency[i], weight = p > q ? p : q;
        double s = similar(f[0].gradient[i], f[1].gradient[i], 160) * similar(p, q, 0.85);

        if (chroma)
            s *= pow(fabs(similar(f[0].yiq[1][i], f[1].yiq[1][i], 200) *
                          similar(f[0].yiq[2][i], f[1].yiq[2][i], 200)),
                     0.03);
        sum += s * weight;
        weights += weight;
        plain += s;
    }
    return weights > 0 ? sum / weights : plain / (double)n;
}

/* planes: 5 of n samples for a picture, and one with its frame at the end. */
static int distance(learn_metric_room *room, const learn_picture *a, const learn_picture *b,
                    int chroma, double *out)
{
    size_t n = (size_t)a->width * (size_t)a->height;
    size_t framed = ((size_t)a->width + 2) * ((size_t)a->height + 2);
    double *planes = learn_room_doubles(room, 10 * n + framed);
    int block = learn_planes_block(a->width, a->height), width = 0, height = 0;
    features f[2];
    learn_phase *phase;

    if (!planes)
        return -1;
    for (int i = 0; i < 2; i++) {
        double *p = planes + (size_t)i * 5 * n;

        f[i] = (features){{p, p + n, p + 2 * n}, p + 3 * n, p + 4 * n};
        learn_planes_yiq(i ? b : a, p);
        for (int c = 0; c < 3; c++) {
            width = a->width;
            height = a->height;
            learn_planes_pool(f[i].yiq[c], &width, &height, block, 0);
        }
    }
    phase = learn_phase_for(room, width, height);
    if (!phase)
        return -1;
    for (int i = 0; i < 2; i++) {
        learn_phase_congruency(phase, f[i].yiq[0], f[i].congruency);
        gradients(f[i].yiq[0], width, height, planes + 10 * n, f[i].gradient);
    }
    *out = 1 - index_of(f, (size_t)width * (size_t)height, chroma);
    return 0;
}

LEARN_METRIC(fsim)
{
    return distance(room, a, b, 0, out);
}

LEARN_METRIC(fsimc)
{
    return distance(room, a, b, 1, out);
}
