/*
 * patches.c - what a filter sees.
 */
#include "layer.h"

#include <string.h>

void learn_patch(float *out, size_t step, const learn_map *m, const learn_conv *c, int y,
                 int x)
{
    int top = y * c->stride - c->pad, left = x * c->stride - c->pad;

    for (int i = 0; i < c->in; i++) {
        const float *plane = m->values + (size_t)i * (size_t)m->height * (size_t)m->width;

        for (int dy = 0; dy < c->kernel; dy++)
            for (int dx = 0; dx < c->kernel; dx++, out += step) {
                int row = top + dy, column = left + dx;
                int inside = row >= 0 && row < m->height && column >= 0 && column < m->width;

                *out = inside ? plane[(size_t)row * (size_t)m->width + (size_t)column] : 0.f;
            }
    }
}

void learn_gather(float *patches, size_t count, const learn_map *maps, int pictures,
                  const learn_conv *c, uint64_t key, const learn_init_options *o)
{
    size_t size = (size_t)learn_patch_size(c);

    for (int i = 0; i < pictures; i++) {
        size_t from = count * (size_t)i / (size_t)pictures;
        size_t to = count * ((size_t)i + 1) / (size_t)pictures;
        int height = learn_conv_size(c, maps[i].height);
        int width = learn_conv_size(c, maps[i].width);
        learn_random random;

        learn_random_start(&random, o->seed, key + (uint64_t)i);
        for (size_t at = from; at < to; at++) {
            int y = (int)learn_random_below(&random, (uint64_t)height);
            int x = (int)learn_random_below(&random, (uint64_t)width);

            learn_patch(patches + at * size, 1, &maps[i], c, y, x);
        }
    }
}
