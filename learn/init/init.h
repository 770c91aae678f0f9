/*
 * init.h - features without labels: a net whose filters are the stacked k-means of its own
 * inputs, the paper's row "K-means" (Zhang et al. 2018, section 3).
 *
 * The recipe is that of Kraehenbuehl, Doersch, Donahue and Darrell, "Data-dependent
 * Initializations of Convolutional Neural Networks" (ICLR 2016), with the choices of its
 * authors' program.  Layer after layer, on pictures passed through the layers made before:
 * patches of the layer's input, less their mean; whitened along as many principal directions
 * as the layer has outputs; cut to length 1; k-means with as many centres; the centres, taken
 * back to the space of patches, are the filters.  Filters and biases are then scaled so that
 * each output channel has deviation 1 and mean 0.1 before the ReLU.
 *
 * Patches are rows of floats.  The same input and seed give the same bits whatever the number
 * of threads: work is cut by sizes alone, and sums are put together in one order.
 */
#ifndef LEARN_INIT_H
#define LEARN_INIT_H

#include <stddef.h>

#include "../../core/net.h"
#include "../../core/thread.h"
#include "../random.h"

/* Who does the work: a pool and how many it has. */
typedef struct learn_crew {
    lpips_pool *pool;
    int workers;
} learn_crew;

/*
 * Principal directions of n patches of d values whose means are 0, n >= 1: row i of basis
 * (keep * d) is the i-th direction over the root of its sum of squares, the largest first;
 * directions without any variation are rows of zeros.  Returns 0, or -1: no memory, or
 * LAPACK did not converge.
 */
int learn_whiten(float *basis, int keep, const float *patches, size_t n, int d,
                 const learn_crew *crew);

/* The patches along the directions of a basis, rows of `keep` values cut to length 1; what
 * has no length stays 0. */
void learn_project(float *rows, const float *basis, int keep, const float *patches, size_t n,
                   int d, const learn_crew *crew);

/*
 * Lloyd's k-means of n rows of d values of length 1 (or 0), n >= k, begun with k-means++
 * (Arthur and Vassilvitskii 2007), until no row changes its centre, `rounds` at most.
 * Returns the rounds it took, or -1 without memory.
 */
int learn_kmeans(float *centres, int k, const float *rows, size_t n, int d, int rounds,
                 learn_random *random, const learn_crew *crew);

/* One picture, or what a layer made of it: channels * height * width floats. */
typedef struct learn_map {
    int channels, height, width;
    float *values; /* malloc()ed */
} learn_map;

/* Called before each convolution with how many of how many are made; not 0: stop. */
typedef int learn_init_tell(void *opaque, const char *layer, int done, int total);

typedef struct learn_init_options {
    const lpips_netdef *net;
    uint64_t seed;
    size_t patch_bytes;    /* most memory for patches of a layer */
    learn_init_tell *tell; /* or NULL */
    void *opaque;
} learn_init_options;

/*
 * All convolutions of a net from `count` pictures as the net's first layer reads them (three
 * channels, scaling applied), which are used up: their values are replaced by those of the
 * layers.  tensor[i] is that of lpips_net_tensors(), room for all its values; scaling and
 * lin layers are left alone.  Returns 0, or -1 and why.
 */
int learn_init_net(float *const tensor[LPIPS_MAX_TENSORS], learn_map *pictures, int count,
                   const learn_init_options *options, const learn_crew *crew, char *why);

#endif
