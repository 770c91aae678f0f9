/*
 * st_writer.c - makes seeded weights; see st_writer.h.
 */
#include "st_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void fill(float *out, const lpips_tensor_spec *spec, uint64_t *state)
{
    static const float shift[3] = {-.030f, -.088f, -.188f};
    static const float scale[3] = {.458f, .448f, .450f};
    size_t n = learn_tensor_count(spec->shape, spec->dims);
    double a = spec->dims == 1
                   ? 0.1
                   : sqrt(6.0 / (spec->shape[1] * spec->shape[2] * spec->shape[3]));

    if (!strcmp(spec->name, "scaling_layer.shift")) {
        memcpy(out, shift, sizeof shift);
        return;
    }
    if (!strcmp(spec->name, "scaling_layer.scale")) {
        memcpy(out, scale, sizeof scale);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        int k = (int)(splitmix64(state) >> 40);

        if (!strncmp(spec->name, "lin", 3))
            out[i] = (float)(k / 16777216.0);
        else
            out[i] = (float)((k - 8388608) / 8388608.0 * a);
    }
}

int st_random_items(lpips_net net, uint64_t seed, learn_tensor items[LPIPS_MAX_TENSORS],
                    lpips_tensor_spec names[LPIPS_MAX_TENSORS], float **floats)
{
    int n = lpips_net_tensors(lpips_netdef_of(net), names);
    size_t total = 0;
    float *at;

    for (int i = 0; i < n; i++)
        total += learn_tensor_count(names[i].shape, names[i].dims);
    at = *floats = malloc(total * sizeof(float));
    if (!at)
        return 0;
    for (int i = 0; i < n; i++) {
        learn_tensor *item = &items[(i + n - 2) % n];

        fill(at, &names[i], &seed);
        item->name = names[i].name;
        item->dims = names[i].dims;
        memcpy(item->shape, names[i].shape, sizeof item->shape);
        item->floats = at;
        at += learn_tensor_count(names[i].shape, names[i].dims);
    }
    return n;
}

unsigned char *st_random_weights(lpips_net net, const char *version, uint64_t seed,
                                 size_t *size)
{
    learn_tensor items[LPIPS_MAX_TENSORS];
    lpips_tensor_spec names[LPIPS_MAX_TENSORS];
    unsigned char *file = NULL;
    char metadata[64];
    float *floats;
    int n = st_random_items(net, seed, items, names, &floats);

    if (n) {
        snprintf(metadata, sizeof metadata, "{\"net\":\"%s\",\"version\":\"%s\"}",
                 lpips_net_name(net), version);
        file = learn_checkpoint(items, n, metadata, size);
    }
    free(floats);
    return file;
}
