/*
 * st_writer.c - makes safetensors files in memory; see st_writer.h.
 */
#include "st_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t count_of(const int *shape, int dims)
{
    size_t n = 1;

    for (int i = 0; i < dims; i++)
        n *= (size_t)shape[i];
    return n;
}

static void put_le(unsigned char *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (unsigned char)(v >> 8 * i);
}

static size_t write_header(char *text, size_t room, const st_item *items, int n,
                           const char *metadata)
{
    size_t at = 0, offset = 0;

    at += (size_t)snprintf(text + at, room - at, "{");
    if (metadata)
        at += (size_t)snprintf(text + at, room - at, "\"__metadata__\":%s%s", metadata,
                               n ? "," : "");
    for (int i = 0; i < n; i++) {
        size_t end = offset + 4 * count_of(items[i].shape, items[i].dims);

        at += (size_t)snprintf(text + at, room - at, "\"%s\":{\"dtype\":\"F32\",\"shape\":[",
                               items[i].name);
        for (int d = 0; d < items[i].dims; d++)
            at += (size_t)snprintf(text + at, room - at, "%s%d", d ? "," : "",
                                   items[i].shape[d]);
        at += (size_t)snprintf(text + at, room - at, "],\"data_offsets\":[%zu,%zu]}%s",
                               offset, end, i + 1 < n ? "," : "");
        offset = end;
    }
    at += (size_t)snprintf(text + at, room - at, "}");
    while ((8 + at) % 64)
        text[at++] = ' ';
    return at;
}

unsigned char *st_write(const st_item *items, int n, const char *metadata, size_t *size)
{
    size_t room = 4096 + 256 * (size_t)n, data = 0, header;
    unsigned char *file, *p;

    for (int i = 0; i < n; i++)
        data += 4 * count_of(items[i].shape, items[i].dims);
    file = calloc(1, 8 + room + 64 + data);
    if (!file)
        return NULL;
    header = write_header((char *)file + 8, room, items, n, metadata);
    put_le(file, header, 8);
    memset(file + 8 + header, 0, room + 64 - header);
    p = file + 8 + header;
    for (int i = 0; i < n; i++) {
        size_t count = count_of(items[i].shape, items[i].dims);

        for (size_t k = 0; items[i].floats && k < count; k++) {
            uint32_t bits;

            memcpy(&bits, items[i].floats + k, 4);
            put_le(p + 4 * k, bits, 4);
        }
        p += 4 * count;
    }
    *size = 8 + header + data;
    return file;
}

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
    size_t n = count_of(spec->shape, spec->dims);
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

int st_random_items(lpips_net net, uint64_t seed, st_item items[LPIPS_MAX_TENSORS],
                    lpips_tensor_spec names[LPIPS_MAX_TENSORS], float **floats)
{
    int n = lpips_net_tensors(lpips_netdef_of(net), names);
    size_t total = 0;
    float *at;

    for (int i = 0; i < n; i++)
        total += count_of(names[i].shape, names[i].dims);
    at = *floats = malloc(total * sizeof(float));
    if (!at)
        return 0;
    for (int i = 0; i < n; i++) {
        st_item *item = &items[(i + n - 2) % n];

        fill(at, &names[i], &seed);
        item->name = names[i].name;
        item->dims = names[i].dims;
        memcpy(item->shape, names[i].shape, sizeof item->shape);
        item->floats = at;
        at += count_of(names[i].shape, names[i].dims);
    }
    return n;
}

unsigned char *st_random_weights(lpips_net net, const char *version, uint64_t seed,
                                 size_t *size)
{
    st_item items[LPIPS_MAX_TENSORS];
    lpips_tensor_spec names[LPIPS_MAX_TENSORS];
    unsigned char *file = NULL;
    char metadata[64];
    float *floats;
    int n = st_random_items(net, seed, items, names, &floats);

    if (n) {
        snprintf(metadata, sizeof metadata, "{\"net\":\"%s\",\"version\":\"%s\"}",
                 lpips_net_name(net), version);
        file = st_write(items, n, metadata, size);
    }
    free(floats);
    return file;
}
