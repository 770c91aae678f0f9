/*
 * superres.c - a picture made small, and large again by libavfilter's scalers.
 *
 * Small are means of squares of factor x factor pixels, over a picture that is mirrored at
 * its right and lower edge where the factor does not divide it.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t *reduce(const distort_job *job, int factor, int *width, int *height,
                       char why[LEARN_WHY])
{
    const int w = (job->width + factor - 1) / factor, h = (job->height + factor - 1) / factor;
    uint8_t *small = malloc(3 * (size_t)w * (size_t)h);

    for (int y = 0; small && y < h; y++)
        for (int x = 0; x < 3 * w; x++) {
            int sum = 0;

            for (int j = 0; j < factor; j++)
                for (int i = 0; i < factor; i++) {
                    const int column = distort_mirror(x / 3 * factor + i, job->width);
                    const int row = distort_mirror(y * factor + j, job->height);

                    sum += job->in[3 * ((size_t)row * (size_t)job->width + (size_t)column) +
                                   (size_t)(x % 3)];
                }
            small[(size_t)y * 3 * (size_t)w + (size_t)x] =
                distort_round((double)sum / (factor * factor));
        }
    *width = w;
    *height = h;
    if (!small)
        learn_no_memory(why);
    return small;
}

static int enlarge(distort_job *job, int factor, bool planar, const char *filters,
                   char why[LEARN_WHY])
{
    distort_graph g = {.planar = planar, .inputs = 1};
    char text[200];
    int width, height, status;
    uint8_t *small = reduce(job, factor, &width, &height, why);

    if (!small)
        return -1;
    snprintf(text, sizeof text, "[in0]%s", filters);
    g.text = text;
    g.input[0] = (distort_input){width, height, 1, {small}};
    status = distort_filter(&g, job->out, job->width, job->height, why);
    free(small);
    return status;
}

static int scale(distort_job *job, const char *kernel, char why[LEARN_WHY])
{
    const int factor = (int)job->amount;
    char text[128];

    snprintf(text, sizeof text,
             "scale=w=%d*iw:h=%d*ih:flags=%s+accurate_rnd+full_chroma_inp+full_chroma_int+"
             "bitexact",
             factor, factor, kernel);
    return enlarge(job, factor, true, text, why);
}

int distort_bicubic(distort_job *job, char why[LEARN_WHY])
{
    return scale(job, "bicubic", why);
}

int distort_lanczos(distort_job *job, char why[LEARN_WHY])
{
    return scale(job, "lanczos", why);
}

static int pixel_art(distort_job *job, const char *name, char why[LEARN_WHY])
{
    char text[32];

    snprintf(text, sizeof text, "%s=n=%d", name, (int)job->amount);
    return enlarge(job, (int)job->amount, false, text, why);
}

int distort_hqx(distort_job *job, char why[LEARN_WHY])
{
    return pixel_art(job, "hqx", why);
}

int distort_xbr(distort_job *job, char why[LEARN_WHY])
{
    return pixel_art(job, "xbr", why);
}

int distort_super2xsai(distort_job *job, char why[LEARN_WHY])
{
    const int factor = (int)job->amount;

    return enlarge(job, factor, false, factor == 4 ? "super2xsai,super2xsai" : "super2xsai",
                   why);
}
