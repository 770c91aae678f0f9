/*
 * adam.c - see adam.h.
 */
#include "adam.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double epsilon = 1e-8;

int learn_adam_start(learn_adam *a, size_t n, double rate, double beta1, double beta2)
{
    *a = (learn_adam){n, rate, beta1, beta2, 1, 1, NULL, NULL};
    a->mean = calloc(n + 1, sizeof *a->mean);
    a->square = calloc(n + 1, sizeof *a->square);
    return a->mean && a->square ? 0 : -1;
}

void learn_adam_free(learn_adam *a)
{
    free(a->mean);
    free(a->square);
    memset(a, 0, sizeof *a);
}

void learn_adam_step(learn_adam *a, float *x, const float *g)
{
    /* of its own, so that compilers see that nothing else changes them */
    const double rate = a->rate, beta1 = a->beta1, beta2 = a->beta2;
    float *restrict mean = a->mean, *restrict square = a->square, *restrict value = x;
    const float *restrict slope = g;
    double rest1, rest2;

    a->power1 *= beta1;
    a->power2 *= beta2;
    rest1 = 1 - a->power1;
    rest2 = 1 - a->power2;
    for (size_t i = 0, n = a->n; i < n; i++) {
        const double d = (double)slope[i];
        const double m = beta1 * (double)mean[i] + (1 - beta1) * d;
        const double v = beta2 * (double)square[i] + (1 - beta2) * d * d;

        mean[i] = (float)m;
        square[i] = (float)v;
        value[i] -= (float)(rate * (m / rest1) / (sqrt(v / rest2) + epsilon));
    }
}
