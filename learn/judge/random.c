/*
 * random.c - nets nobody trained.
 */
#include "judge.h"

#include "data/checkpoint.h"
#include "data/scaling.h"
#include "random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS_MAX = 128 };

/* The scaling layer is version 0.1's, as in the released code. */
static void fill(float *out, const lpips_tensor_spec *t, uint64_t seed)
{
    const size_t n = learn_tensor_count(t->shape, t->dims);
    learn_random r;

    learn_random_start(&r, seed, learn_random_key(0, t->name));
    if (!strcmp(t->name, "scaling_layer.shift")) {
        memcpy(out, learn_shift, sizeof learn_shift);
    } else if (!strcmp(t->name, "scaling_layer.scale")) {
        memcpy(out, learn_scale, sizeof learn_scale);
    } else if (t->dims == 1) {
        memset(out, 0, n * sizeof *out);
    } else if (!strncmp(t->name, "lin", 3)) {
        for (size_t i = 0; i < n; i++)
            out[i] = 1;
    } else {
        const double deviation = sqrt(2.0 / (t->shape[1] * t->shape[2] * t->shape[3]));

        for (size_t i = 0; i < n; i++)
            out[i] = (float)(deviation * learn_random_normal(&r));
    }
}

int learn_random_weights(lpips_weights **out, lpips_net net, uint64_t seed,
                         char why[LEARN_WHY])
{
    lpips_tensor_spec spec[TENSORS_MAX];
    learn_tensor tensors[TENSORS_MAX];
    char metadata[64];
    size_t total = 0, at = 0, size;
    float *floats;
    unsigned char *file = NULL;
    int n = 0, status = -1;

    *out = NULL;
    for (; n < TENSORS_MAX && lpips_net_tensor(net, n, &spec[n]) == LPIPS_OK; n++)
        total += learn_tensor_count(spec[n].shape, spec[n].dims);
    if (!(floats = malloc((total + 1) * sizeof *floats)))
        return learn_no_memory(why);
    for (int i = 0; i < n; i++) {
        fill(floats + at, &spec[i], seed);
        tensors[i] =
            (learn_tensor){.name = spec[i].name, .dims = spec[i].dims, .floats = floats + at};
        memcpy(tensors[i].shape, spec[i].shape, sizeof spec[i].shape);
        at += learn_tensor_count(spec[i].shape, spec[i].dims);
    }
    snprintf(metadata, sizeof metadata, "{\"net\":\"%s\",\"version\":\"0.1\"}",
             lpips_net_name(net));
    file = learn_checkpoint(tensors, n, metadata, &size);
    if (!file)
        learn_no_memory(why);
    else
        status = lpips_weights_load_memory(out, file, size, why, LEARN_WHY);
    free(file);
    free(floats);
    return status < 0 ? -1 : 0;
}
