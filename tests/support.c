/*
 * support.c - what several tests need; see support.h.
 */
#include "support.h"

#include "../core/context.h"
#include "pictures.h"
#include "st_writer.h"

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef TEST_WEIGHTS_DIR
#define TEST_WEIGHTS_DIR "build/weights"
#endif
#define SHARED_WEIGHTS "../shared/weights"
#define MADE_WEIGHTS   "build/tests/weights" /* tests.mk converts some there */
#define SHARED_PAIRS   "../shared/data/pairs"

enum { RANDOM, REAL, REFERENCE, KINDS };

static lpips_weights *loaded[KINDS][TEST_NETS][2]; /* by version */

int test_all_computed;

int test_quick(void)
{
    const char *quick = getenv("QUICK");

    return quick && *quick && strcmp(quick, "0");
}

int test_kernel_sets(test_kernels sets[4])
{
    static const test_kernels all[] = {
        {"default", 0},
        {"AVX2", LPIPS_CPU_AVX512},
        {"OpenBLAS", LPIPS_CPU_AVX2 | LPIPS_CPU_AVX512 | LPIPS_CPU_NEON},
        {"plain C", LPIPS_CPU_AVX2 | LPIPS_CPU_AVX512 | LPIPS_CPU_NEON | LPIPS_CPU_BLAS},
    };
    unsigned own = LPIPS_CPU_AVX2 | LPIPS_CPU_AVX512 | LPIPS_CPU_NEON;
    unsigned used[4], features = lpips_cpu_features();
    int n = 0;

    for (size_t i = 0; i < COUNT(all); i++) {
        unsigned left = features & ~all[i].disable;
        int known = 0;

        /* with kernels of our own, BLAS is not looked at */
        if (left & own)
            left &= own;
        if (test_quick() && left & LPIPS_CPU_BLAS)
            continue;
        for (int k = 0; k < n; k++)
            known |= used[k] == left;
        if (known)
            continue;
        used[n] = left;
        sets[n++] = all[i];
    }
    return n;
}

/* ---- weights ------------------------------------------------------------ */

static lpips_weights **slot(int kind, lpips_net net, const char *version)
{
    return &loaded[kind][net][!strcmp(version, "0.0")];
}

static lpips_weights *load_random(int kind, lpips_net net, const char *version)
{
    lpips_weights **w = slot(kind, net, version);
    unsigned char *file;
    char why[256];
    size_t size;

    if (*w)
        return *w;
    file = st_random_weights(net, version, TEST_SEED, &size);
    assert_non_null(file);
    if (lpips_weights_load_memory(w, file, size, why, sizeof why) != LPIPS_OK)
        fail_msg("random weights of %s: %s", lpips_net_name(net), why);
    free(file);
    return *w;
}

lpips_weights *test_random_weights(lpips_net net, const char *version)
{
    return load_random(RANDOM, net, version);
}

lpips_weights *test_reference_weights(lpips_net net, const char *version)
{
    return load_random(REFERENCE, net, version);
}

lpips_weights *test_real_weights(lpips_net net, const char *version)
{
    static const char *const folders[] = {TEST_WEIGHTS_DIR, SHARED_WEIGHTS, MADE_WEIGHTS};
    lpips_weights **w = slot(REAL, net, version);

    for (size_t i = 0; i < COUNT(folders) && !*w; i++) {
        char path[512], why[256];
        int status;

        snprintf(path, sizeof path, "%s/lpips-%s-v%s.safetensors", folders[i],
                 lpips_net_name(net), version);
        status = lpips_weights_load(w, path, why, sizeof why);
        if (status != LPIPS_OK && status != LPIPS_ERR_IO)
            fail_msg("%s: %s", path, why);
    }
    if (!*w)
        print_message("skipped: no weights lpips-%s-v%s.safetensors in %s, %s or %s\n",
                      lpips_net_name(net), version, folders[0], folders[1], folders[2]);
    return *w;
}

void test_free_weights(void)
{
    for (int kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < 2 * TEST_NETS; i++) {
            lpips_weights_unref(loaded[kind][i / 2][i % 2]);
            loaded[kind][i / 2][i % 2] = NULL;
        }
}

/* ---- pictures ----------------------------------------------------------- */

/* The upper left part of a PNG as packed RGB; NULL when there is no such file. */
static uint8_t *read_png(const char *name, int width, int height)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    uint8_t *all, *part;
    char path[512];

    snprintf(path, sizeof path, SHARED_PAIRS "/%s.png", name);
    if (!png_image_begin_read_from_file(&png, path))
        return NULL;
    png.format = PNG_FORMAT_RGB;
    assert_true(png.width >= (unsigned)width && png.height >= (unsigned)height);
    all = malloc(PNG_IMAGE_SIZE(png));
    part = malloc((size_t)width * (size_t)height * 3);
    assert_true(all && part && png_image_finish_read(&png, NULL, all, 0, NULL));
    for (int y = 0; y < height; y++)
        memcpy(part + (size_t)y * (size_t)width * 3, all + (size_t)y * png.width * 3,
               (size_t)width * 3);
    free(all);
    return part;
}

lpips_image test_packed(const uint8_t *rgb, int width, int height)
{
    lpips_image img;

    assert_int_equal(lpips_image_packed(&img, LPIPS_U8, rgb, width, height, 3, 3L * width),
                     LPIPS_OK);
    return img;
}

test_pair test_pair_make(const char *a, const char *b, int width, int height)
{
    const char *const name[2] = {a, b};
    test_pair p = {.width = width, .height = height};

    for (int i = 0; i < 2; i++) {
        if (strncmp(name[i], "ex_", 3))
            p.rgb[i] = picture_make(name[i], width, height);
        else
            p.rgb[i] = read_png(name[i], width, height);
        if (p.rgb[i])
            p.image[i] = test_packed(p.rgb[i], width, height);
    }
    return p;
}

void test_pair_free(test_pair *p)
{
    free(p->rgb[0]);
    free(p->rgb[1]);
    p->rgb[0] = p->rgb[1] = NULL;
}

/* ---- comparing ---------------------------------------------------------- */

lpips_context *test_context(lpips_weights *w, int width, int height,
                            const lpips_options *options)
{
    lpips_context *c;
    int status = lpips_context_create(&c, w, width, height, options);

    if (status != LPIPS_OK)
        fail_msg("context for %s %dx%d: %s", lpips_net_name(lpips_weights_net(w)), width,
                 height, lpips_strerror(status));
    c->no_reach = test_all_computed;
    return c;
}

lpips_result test_compare(lpips_weights *w, const test_pair *p, const lpips_options *options)
{
    lpips_context *c = test_context(w, p->width, p->height, options);
    lpips_result r;
    int status = lpips_compare(c, &p->image[0], &p->image[1], &r);

    lpips_context_free(c);
    assert_int_equal(status, LPIPS_OK);
    return r;
}

test_maps test_maps_make(int layers, int width, int height)
{
    size_t n = (size_t)width * (size_t)height;
    test_maps m = {.floats = n * (size_t)(layers + 1)};

    m.block = malloc(m.floats * sizeof *m.block);
    assert_non_null(m.block);
    memset(m.block, 0xff, m.floats * sizeof *m.block); /* NaN: unwritten places show */
    m.map.total = m.block;
    m.map.stride = (ptrdiff_t)sizeof(float) * width;
    for (int i = 0; i < layers; i++)
        m.map.layer[i] = m.block + n * (size_t)(i + 1);
    return m;
}

void test_maps_free(test_maps *m)
{
    free(m->block);
    m->block = NULL;
}

lpips_result test_compare_map(lpips_weights *w, const test_pair *p,
                              const lpips_options *options, test_maps *maps)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    lpips_context *c;
    lpips_result r;
    int status;

    if (options)
        o = *options;
    o.flags |= LPIPS_WANT_MAP;
    c = test_context(w, p->width, p->height, &o);
    status = lpips_compare_map(c, &p->image[0], &p->image[1], &r, &maps->map);
    lpips_context_free(c);
    assert_int_equal(status, LPIPS_OK);
    return r;
}

void test_same_result(const lpips_result *a, const lpips_result *b, const char *what)
{
    int same = a->layers == b->layers && a->distance == b->distance;

    for (int i = 0; i < LPIPS_MAX_LAYERS; i++)
        same = same && a->layer[i] == b->layer[i];
    if (!same)
        fail_msg("%s: %.17g differs from %.17g, or a layer does", what, a->distance,
                 b->distance);
}

int test_near(double got, double expected)
{
    double off = fabs(got - expected);

    return off <= 1e-6 && (expected < 1e-5 || off <= 1e-3 * expected);
}
