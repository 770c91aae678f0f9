/*
 * fit.c - filters of a convolution out of its inputs.
 */
#include "layer.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "../learn.h"

enum {
    ROUNDS = 50,     /* of k-means; it hardly moves after that */
    PER_VALUE = 10,  /* patches wanted for each value of a patch: a covariance is then known
                        to a third of its standard deviation */
    PER_CENTRE = 100 /* and for each centre */
};

static int subtract_mean(float *patches, size_t n, int d)
{
    double *mean = calloc((size_t)d, sizeof *mean);

    if (!mean)
        return -1;
    for (size_t i = 0; i < n; i++)
        for (int j = 0; j < d; j++)
            mean[j] += patches[i * (size_t)d + (size_t)j];
    for (size_t i = 0; i < n; i++)
        for (int j = 0; j < d; j++)
            patches[i * (size_t)d + (size_t)j] -= (float)(mean[j] / (double)n);
    free(mean);
    return 0;
}

/* weight = centres * basis: from whitened space back to that of patches. */
static int fit(const learn_conv *c, float *patches, size_t n, learn_random *random,
               const learn_crew *crew)
{
    int d = learn_patch_size(c), keep = c->out, status = -1;
    float *basis = malloc(sizeof *basis * (size_t)keep * (size_t)d);
    float *rows = malloc(sizeof *rows * n * (size_t)keep);
    float *centres = malloc(sizeof *centres * (size_t)keep * (size_t)keep);

    if (basis && rows && centres && !subtract_mean(patches, n, d) &&
        !learn_whiten(basis, keep, patches, n, d, crew)) {
        learn_project(rows, basis, keep, patches, n, d, crew);
        if (learn_kmeans(centres, keep, rows, n, keep, ROUNDS, random, crew) >= 0) {
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, keep, d, keep, 1.f,
                        centres, keep, basis, d, 0.f, c->weight, d);
            status = 0;
        }
    }
    free(basis);
    free(rows);
    free(centres);
    return status;
}

/* How many patches: as many as are wanted, there are, and fit into memory. */
static size_t patch_count(const learn_conv *c, const learn_map *maps, int pictures,
                          const learn_init_options *o)
{
    size_t d = (size_t)learn_patch_size(c), there = 0;
    size_t wanted = PER_VALUE * d, fit_in = o->patch_bytes / (d * sizeof(float));

    if (wanted < PER_CENTRE * (size_t)c->out)
        wanted = PER_CENTRE * (size_t)c->out;
    for (int i = 0; i < pictures; i++)
        there += (size_t)learn_conv_size(c, maps[i].height) *
                 (size_t)learn_conv_size(c, maps[i].width);
    if (wanted > there)
        wanted = there;
    return wanted < fit_in ? wanted : fit_in;
}

int learn_filters(const learn_conv *c, const learn_map *maps, int pictures, const char *name,
                  const learn_init_options *o, const learn_crew *crew, char *why)
{
    size_t n = patch_count(c, maps, pictures, o), d = (size_t)learn_patch_size(c);
    learn_random random;
    float *patches;
    int status;

    if (n < (size_t)c->out)
        return learn_fail(why,
                          "%s: %zu patches for %d filters are too few: give more or larger "
                          "pictures",
                          name, n, c->out);
    patches = malloc(sizeof *patches * n * d);
    if (patches)
        learn_gather(patches, n, maps, pictures, c, learn_random_key(1, name), o);
    learn_random_start(&random, o->seed, learn_random_key(0, name));
    status = patches ? fit(c, patches, n, &random, crew) : -1;
    if (status)
        learn_fail(why, "%s: not enough memory for %zu patches", name, n);
    free(patches);
    return status;
}
