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
    a->power1 *= a->beta1;
    a->power2 *= a->beta2;
    for (size_t i = 0; i < a->n; i++) {
        const double d = (double)g[i];
        const double m = a->beta1 * (double)a->mean[i] + (1 - a->beta1) * d;
        const double v = a->beta2 * (double)a->square[i] + (1 - a->beta2) * d * d;

        a->mean[i] = (float)m;
        a->square[i] = (float)v;
        x[i] -=
            (float)(a->rate * (m / (1 - a->power1)) / (sqrt(v / (1 - a->power2)) + epsilon));
    }
}
