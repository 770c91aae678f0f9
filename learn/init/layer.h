/*
 * layer.h - one convolution of a net that is being made: its filters, and what it makes of
 * the pictures.
 */
#ifndef LEARN_INIT_LAYER_H
#define LEARN_INIT_LAYER_H

#include <stdint.h>

#include "init.h"

typedef struct learn_conv {
    int in, out, kernel, stride, pad;
    float *weight; /* out * in * kernel * kernel */
    float *bias;   /* out */
} learn_conv;

/* Values of a patch. */
static inline int learn_patch_size(const learn_conv *c)
{
    return c->in * c->kernel * c->kernel;
}

static inline int learn_conv_size(const learn_conv *c, int n)
{
    return (n + 2 * c->pad - c->kernel) / c->stride + 1;
}

/* The patch under output (y, x), channel by channel, zeros outside the picture; value i goes
 * to out[i * step]. */
void learn_patch(float *out, size_t step, const learn_map *m, const learn_conv *c, int y,
                 int x);

/* patches.c: so many patches of all pictures in rows of learn_patch_size(), each picture
 * giving as many, from random places of its own. */
void learn_gather(float *patches, size_t count, const learn_map *maps, int pictures,
                  const learn_conv *c, uint64_t key, const learn_init_options *o);

/* fit.c: filters by whitening and k-means, of length as they come.  Returns 0, or -1 and
 * why. */
int learn_filters(const learn_conv *c, const learn_map *maps, int pictures, const char *name,
                  const learn_init_options *o, const learn_crew *crew, char *why);

/*
 * forward.c: each picture's output into out[i], whose channels begin at `channel` of
 * channels_out; where channel is 0, out[i] is made.  Filters and biases are scaled first so
 * that every output channel has mean 0.1 and deviation 1 over all pictures; then ReLU.
 * Returns 0, or -1 without memory.
 */
int learn_conv_apply(learn_map *out, int channel, int channels_out, const learn_map *maps,
                     int pictures, const learn_conv *c, const learn_crew *crew);

/* Maximum pooling, in place. */
void learn_max_pool(learn_map *maps, int pictures, const lpips_step *s,
                    const learn_crew *crew);

#endif
