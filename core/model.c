/*
 * model.c - from the bytes of a safetensors file to checked weights.
 */
#include "model.h"
#include "sha256_fast.h"

#include "../weights/safetensors.h"
#include "../weights/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

typedef struct loader {
    lpips_safetensors *st;
    lpips_weights *w;
    lpips_tensor_spec spec[LPIPS_MAX_TENSORS];
    const lpips_st_tensor *found[LPIPS_MAX_TENSORS]; /* NULL: left to version 0.0 */
    int specs;
    char *detail;
    size_t detail_size;
} loader;

#define REFUSE(l, status, ...) \
    lpips_refuse(status, (l)->detail, (l)->detail_size, __VA_ARGS__)

/* ---- which net, which version --------------------------------------------- */

static int same_shape(const lpips_tensor_spec *spec, const lpips_st_tensor *t)
{
    if (spec->dims != t->dims)
        return 0;
    for (int i = 0; i < t->dims; i++)
        if ((uint64_t)spec->shape[i] != t->shape[i])
            return 0;
    return 1;
}

/* How well the file fits a net: names and shapes of its own that are there. */
static int score(const loader *l, lpips_net net)
{
    lpips_tensor_spec spec[LPIPS_MAX_TENSORS];
    int n = lpips_net_tensors(lpips_netdef_of(net), spec), points = 0;

    for (int i = 0; i < n; i++) {
        const lpips_st_tensor *t = lpips_st_find(l->st, spec[i].name);

        if (t && strncmp(spec[i].name, "scaling_layer.", 14))
            points += 1 + same_shape(&spec[i], t);
    }
    return points;
}

static int recognise_net(loader *l)
{
    const char *said = lpips_st_metadata(l->st, "net");
    int best = 0, net = LPIPS_NET_ALEX;

    for (int i = 0; lpips_netdef_of((lpips_net)i); i++) {
        int points = score(l, (lpips_net)i);

        if (points > best) {
            best = points;
            net = i;
        }
    }
    if (!best)
        return REFUSE(l, LPIPS_ERR_TENSOR,
                      "no tensor of alex, vgg or squeeze by its official name "
                      "(net.slice1.0.weight ...); weights/convert.py renames torchvision's");
    l->w->net = (lpips_net)net;
    l->w->def = lpips_netdef_of(l->w->net);
    l->specs = lpips_net_tensors(l->w->def, l->spec);
    if (said && strcmp(said, l->w->def->name))
        return REFUSE(l, LPIPS_ERR_WEIGHTS, "metadata says net %s, but the tensors are %s's",
                      lpips_show(said).text, l->w->def->name);
    return LPIPS_OK;
}

int lpips_version_known(const char *version)
{
    return !strcmp(version, "0.1") || !strcmp(version, "0.0");
}

static int take_version(loader *l)
{
    const char *version = lpips_st_metadata(l->st, "version");

    if (!version)
        version = "0.1";
    if (!lpips_version_known(version))
        return REFUSE(l, LPIPS_ERR_UNSUPPORTED,
                      "metadata says version %s, known are 0.1, 0.0",
                      lpips_show(version).text);
    strcpy(l->w->version, version);
    return LPIPS_OK;
}

/* ---- the tensors ---------------------------------------------------------- */

static void print_shape(char text[128], const lpips_st_tensor *t)
{
    int at = snprintf(text, 128, "[");

    for (int i = 0; i < t->dims && at < 100; i++)
        at += snprintf(text + at, (size_t)(128 - at), "%s%llu", i ? "," : "",
                       (unsigned long long)t->shape[i]);
    snprintf(text + at, (size_t)(128 - at), "]");
}

static int check_shape(loader *l, const lpips_tensor_spec *spec, const lpips_st_tensor *t)
{
    lpips_st_tensor wanted = {.dims = spec->dims};
    char is[128], should[128];

    if (strcmp(t->dtype, "F32"))
        return REFUSE(l, LPIPS_ERR_TENSOR,
                      "%s: dtype %s, only F32 is read; save it as float32", spec->name,
                      t->dtype);
    if (same_shape(spec, t))
        return LPIPS_OK;
    for (int i = 0; i < spec->dims; i++)
        wanted.shape[i] = (uint64_t)spec->shape[i];
    print_shape(is, t);
    print_shape(should, &wanted);
    return REFUSE(l, LPIPS_ERR_TENSOR, "%s: shape %s, expected %s", spec->name, is, should);
}

/* The bytes need not be aligned, nor this machine little-endian. */
static uint32_t load_bits(const unsigned char *p)
{
    uint32_t bits;

    memcpy(&bits, p, sizeof bits);
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? bits : __builtin_bswap32(bits);
}

/* Without a way out of the loop, which lets the compiler make vectors of it. */
static int is_finite(const lpips_st_tensor *t)
{
    const unsigned char *p = t->data;
    uint32_t found = 0;

    for (size_t i = 0; i < t->size / 4; i++)
        found |= (load_bits(p + 4 * i) & 0x7f800000) == 0x7f800000;
    return !found;
}

static int check_values(loader *l, const lpips_tensor_spec *spec, const lpips_st_tensor *t)
{
    int lin = !strncmp(spec->name, "lin", 3);
    int scale = !strcmp(spec->name, "scaling_layer.scale") && strcmp(l->w->version, "0.0");
    const unsigned char *p = t->data;

    if (!lin && !scale && is_finite(t))
        return LPIPS_OK;
    for (size_t i = 0; i < t->size / 4; i++, p += 4) {
        uint32_t bits = load_bits(p);
        uint32_t exponent = bits & 0x7f800000;
        const char *what = NULL;

        if (exponent == 0x7f800000)
            what = "not finite";
        else if (lin && bits > 0x80000000)
            what = "negative, a weight of a distance cannot be";
        else if (scale && (bits >> 31 || !exponent))
            what = "not above 0";
        if (what)
            return REFUSE(l, LPIPS_ERR_TENSOR, "%s: value %zu is %s", spec->name, i, what);
    }
    return LPIPS_OK;
}

/* The official state_dict lists each lin layer twice, as linN. and as lins.N. */
static int check_copy(loader *l, const lpips_st_tensor *t)
{
    for (int i = 0; i < l->specs; i++) {
        char name[80];

        if (strncmp(l->spec[i].name, "lin", 3))
            continue;
        snprintf(name, sizeof name, "lins.%s", l->spec[i].name + 3);
        if (strcmp(t->name, name))
            continue;
        if (strcmp(t->dtype, "F32") || t->size != l->found[i]->size ||
            memcmp(t->data, l->found[i]->data, t->size))
            return REFUSE(l, LPIPS_ERR_TENSOR, "%s: differs from %s, of which it is a copy",
                          name, l->spec[i].name);
        return LPIPS_OK;
    }
    return REFUSE(l, LPIPS_ERR_TENSOR, "%s: not a tensor of %s", lpips_show(t->name).text,
                  l->w->def->name);
}

static int check_tensors(loader *l)
{
    int status;

    for (int i = 0; i < l->specs; i++) {
        const lpips_tensor_spec *spec = &l->spec[i];
        const lpips_st_tensor *t = lpips_st_find(l->st, spec->name);

        l->found[i] = t;
        if (!t && i < 2 && !strcmp(l->w->version, "0.0"))
            continue;
        if (!t)
            return REFUSE(l, LPIPS_ERR_TENSOR, "%s: missing from these weights of %s",
                          spec->name, l->w->def->name);
        if ((status = check_shape(l, spec, t)) || (status = check_values(l, spec, t)))
            return status;
    }
    for (int i = 0; i < lpips_st_count(l->st); i++) {
        const lpips_st_tensor *t = lpips_st_at(l->st, i);
        int known = 0;

        for (int k = 0; k < l->specs && !known; k++)
            known = l->found[k] == t;
        if (!known && (status = check_copy(l, t)))
            return status;
    }
    return LPIPS_OK;
}

/* Version 0.0 has no scaling layer, though its files hold one. */
static void drop_scaling(loader *l)
{
    static const _Alignas(float) unsigned char zeros[12];
    static const _Alignas(float) unsigned char ones[12] = {0,   0,  128, 63, 0,   0,
                                                           128, 63, 0,   0,  128, 63};
    static const lpips_st_tensor shift = {.shape = {1, 3, 1, 1}, .data = zeros, .size = 12};
    static const lpips_st_tensor scale = {.shape = {1, 3, 1, 1}, .data = ones, .size = 12};

    if (!strcmp(l->w->version, "0.0")) {
        l->found[0] = &shift;
        l->found[1] = &scale;
    }
}

/* The order and form are described in weights/README.md; convert.py does the same. */
static void hash_tensors(loader *l)
{
    lpips_sha256 sum;

    lpips_sha256_init(&sum, lpips_sha256_fast());
    lpips_sha256_add(&sum, l->w->def->name, strlen(l->w->def->name) + 1);
    lpips_sha256_add(&sum, l->w->version, strlen(l->w->version) + 1);
    for (int i = 0; i < l->specs; i++) {
        const lpips_tensor_spec *spec = &l->spec[i];
        unsigned char le[4 * 5] = {(unsigned char)spec->dims};

        for (int d = 0; d < spec->dims; d++)
            for (int b = 0; b < 4; b++)
                le[4 + 4 * d + b] = (unsigned char)((uint32_t)spec->shape[d] >> 8 * b);
        lpips_sha256_add(&sum, spec->name, strlen(spec->name) + 1);
        lpips_sha256_add(&sum, le, 4 + 4 * (size_t)spec->dims);
        lpips_sha256_add(&sum, l->found[i]->data, l->found[i]->size);
    }
    lpips_sha256_hex(&sum, l->w->hash);
}

static int may_point(const loader *l, const lpips_source *from)
{
    if (!from->keep || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return 0;
    for (int i = 0; i < l->specs; i++)
        if ((uintptr_t)l->found[i]->data % _Alignof(float))
            return 0;
    return 1;
}

static size_t room_for(const lpips_st_tensor *t)
{
    return (t->size + ALIGN - 1) / ALIGN * ALIGN;
}

static int place_tensors(loader *l, lpips_source *from)
{
    size_t total = 0;
    char *at;

    if (may_point(l, from)) {
        l->w->storage = from->block;
        from->block = NULL;
        for (int i = 0; i < l->specs; i++)
            l->w->tensor[i] = (const float *)(const void *)l->found[i]->data;
        return LPIPS_OK;
    }
    for (int i = 0; i < l->specs; i++)
        total += room_for(l->found[i]);
    at = l->w->storage = aligned_alloc(ALIGN, total);
    if (!at)
        return REFUSE(l, LPIPS_ERR_MEMORY, "no memory for %zu bytes of weights", total);
    for (int i = 0; i < l->specs; i++) {
        float *to = (float *)(void *)at;

        lpips_st_floats(l->found[i], to);
        l->w->tensor[i] = to;
        at += room_for(l->found[i]);
    }
    return LPIPS_OK;
}

static lpips_weights *new_weights(void)
{
    lpips_weights *w = calloc(1, sizeof *w);

    if (w && pthread_mutex_init(&w->lock, NULL)) {
        free(w);
        return NULL;
    }
    if (w)
        atomic_init(&w->refs, 1);
    return w;
}

lpips_weights *lpips_weights_copy(const lpips_weights *from)
{
    lpips_tensor_spec spec[LPIPS_MAX_TENSORS];
    size_t bytes[LPIPS_MAX_TENSORS], total = 0;
    int n = lpips_net_tensors(from->def, spec);
    lpips_weights *w = new_weights();
    char *at;

    for (int i = 0; i < n; i++) {
        bytes[i] = sizeof(float);
        for (int d = 0; d < spec[i].dims; d++)
            bytes[i] *= (size_t)spec[i].shape[d];
        total += (bytes[i] + ALIGN - 1) / ALIGN * ALIGN;
    }
    at = w ? aligned_alloc(ALIGN, total) : NULL;
    if (!at) {
        lpips_weights_unref(w);
        return NULL;
    }
    w->net = from->net;
    w->def = from->def;
    memcpy(w->version, from->version, sizeof w->version);
    w->storage = at;
    w->changes = 1;
    for (int i = 0; i < n; i++) {
        w->tensor[i] = memcpy(at, from->tensor[i], bytes[i]);
        at += (bytes[i] + ALIGN - 1) / ALIGN * ALIGN;
    }
    return w;
}

static int fill(loader *l, lpips_source *from)
{
    int status = lpips_st_open(&l->st, from->bytes, from->size, l->detail, l->detail_size);

    if (status || (status = recognise_net(l)) || (status = take_version(l)) ||
        (status = check_tensors(l)))
        return status;
    drop_scaling(l);
    hash_tensors(l);
    return place_tensors(l, from);
}

int lpips_weights_build(lpips_weights **out, lpips_source *from, char *detail,
                        size_t detail_size)
{
    loader l = {.w = new_weights(), .detail = detail, .detail_size = detail_size};
    int status;

    if (!l.w)
        status = REFUSE(&l, LPIPS_ERR_MEMORY, "no memory to load weights");
    else
        status = fill(&l, from);
    lpips_st_close(l.st);
    free(from->block);
    if (status)
        lpips_weights_unref(l.w);
    else
        *out = l.w;
    return status;
}

int lpips_weights_load_memory(lpips_weights **out, const void *data, size_t size,
                              char *detail, size_t detail_size)
{
    lpips_source from = {.bytes = data, .size = size};

    if (out)
        *out = NULL;
    if (!out || !data)
        return lpips_refuse(LPIPS_ERR_ARGUMENT, detail, detail_size,
                            "no place for the weights, or no data");
    return lpips_weights_build(out, &from, detail, detail_size);
}

/* ---- life and questions --------------------------------------------------- */

lpips_weights *lpips_weights_ref(lpips_weights *w)
{
    if (w)
        atomic_fetch_add_explicit(&w->refs, 1, memory_order_relaxed);
    return w;
}

void lpips_weights_unref(lpips_weights *w)
{
    if (!w || atomic_fetch_sub_explicit(&w->refs, 1, memory_order_acq_rel) > 1)
        return;
    lpips_packed_free(w->packed);
    pthread_mutex_destroy(&w->lock);
    free(w->storage);
    free(w);
}

lpips_net lpips_weights_net(const lpips_weights *w)
{
    return w->net;
}

const char *lpips_weights_version(const lpips_weights *w)
{
    return w->version;
}

const char *lpips_weights_hash(const lpips_weights *w)
{
    return w->hash;
}

const float *lpips_weights_tensor(const lpips_weights *w, const char *name, const char *part)
{
    lpips_tensor_spec spec[LPIPS_MAX_TENSORS];
    int n = lpips_net_tensors(w->def, spec);
    size_t length = strlen(name);

    for (int i = 0; i < n; i++)
        if (!strncmp(spec[i].name, name, length) && spec[i].name[length] == '.' &&
            !strcmp(spec[i].name + length + 1, part))
            return w->tensor[i];
    return NULL;
}
