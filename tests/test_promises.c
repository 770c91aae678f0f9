/*
 * test_promises.c - what holds bit for bit: equal pictures give 0, a change is seen only
 * where it can be, order, threads, layout, bands and place in a batch do not matter.
 */
#include "pictures.h"
#include "support.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Odd, portrait, smallest and wider than a band of any layer. */
static const int sizes[][2] = {{31, 31}, {47, 61}, {130, 45}, {70, 133}};

typedef struct config {
    lpips_weights *w;
    lpips_net net;
    test_kernels kernels;
} config;

/* Calls fn for each net by each set of kernels. */
static void for_each(void (*fn)(const config *))
{
    test_kernels sets[4];
    int n = test_kernel_sets(sets);

    for (int net = 0; net < TEST_NETS; net++)
        for (int i = 0; i < (test_quick() && net == LPIPS_NET_VGG ? 1 : n); i++) {
            config c = {test_random_weights((lpips_net)net, "0.1"), (lpips_net)net, sets[i]};

            fn(&c);
        }
}

static lpips_options options_of(const config *c)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;

    o.cpu_disable = c->kernels.disable;
    return o;
}

static int sizes_to_try(const config *c)
{
    return test_quick() ? 1 : c->net == LPIPS_NET_VGG ? 2 : (int)COUNT(sizes);
}

/* Size s for a net; vgg takes long where every instruction is checked. */
static void size_of(const config *c, int s, int *width, int *height)
{
    int small = test_quick() && c->net == LPIPS_NET_VGG;

    *width = small ? 19 : sizes[s][0];
    *height = small ? 17 : sizes[s][1];
}

static const char *about(const config *c, const char *what, int number)
{
    static char text[128];

    snprintf(text, sizeof text, "%s, %s, %s %d", lpips_net_name(c->net), c->kernels.name,
             what, number);
    return text;
}

/* ---- equal pictures ----------------------------------------------------- */

static void zero_for(const config *c)
{
    static const char *const names[] = {"scene.1", "noise.4", "black.0", "white.0"};
    lpips_options o = options_of(c);

    for (int s = 0; s < sizes_to_try(c); s++)
        for (size_t i = 0; i < COUNT(names); i++) {
            test_pair p;
            test_maps m;
            lpips_result r;
            int width, height;

            size_of(c, s, &width, &height);
            p = test_pair_make(names[i], names[i], width, height);
            m = test_maps_make(lpips_net_layers(c->net), width, height);
            o.flags = i % 2 ? LPIPS_NO_LIN : 0;
            o.threads = (int)i;
            r = test_compare_map(c->w, &p, &o, &m);
            if (r.distance != 0)
                fail_msg("%s: %g", about(c, names[i], s), r.distance);
            for (int l = 0; l < r.layers; l++)
                assert_true(r.layer[l] == 0);
            for (size_t k = 0; k < m.floats; k++)
                if (m.block[k] != 0)
                    fail_msg("%s: map value %zu is %g", about(c, names[i], s), k,
                             (double)m.block[k]);
            test_maps_free(&m);
            test_pair_free(&p);
        }
}

static void equal_pictures_give_zero(void **state)
{
    (void)state;
    for_each(zero_for);
}

/* Not because they were found to be equal: their features are computed alike. */
static void equal_pictures_are_computed(void **state)
{
    (void)state;
    test_all_computed = 1;
    for_each(zero_for);
    test_all_computed = 0;
}

/* ---- symmetry ----------------------------------------------------------- */

static void symmetric_for(const config *c)
{
    lpips_options o = options_of(c);

    for (int s = 0; s < sizes_to_try(c); s++) {
        int width, height, layers = lpips_net_layers(c->net);
        test_pair p;
        test_maps m[2];
        lpips_result r[2];

        size_of(c, s, &width, &height);
        p = test_pair_make("scene.2", "noise.2", width, height);
        for (int i = 0; i < 2; i++) {
            lpips_image first = p.image[0];

            m[i] = test_maps_make(layers, width, height);
            r[i] = test_compare_map(c->w, &p, &o, &m[i]);
            p.image[0] = p.image[1];
            p.image[1] = first;
        }
        assert_true(r[0].distance > 0);
        test_same_result(&r[0], &r[1], about(c, "swapped, size", s));
        assert_memory_equal(m[0].block, m[1].block, m[0].floats * sizeof(float));
        test_maps_free(&m[0]);
        test_maps_free(&m[1]);
        test_pair_free(&p);
    }
}

static void symmetric(void **state)
{
    (void)state;
    for_each(symmetric_for);
}

/* ---- threads, bands, strips --------------------------------------------- */

/* Runs the jobs backwards on the calling thread. */
static void backwards(void *opaque, void (*job)(void *arg, int i), void *arg, int jobs)
{
    (void)opaque;
    while (jobs--)
        job(arg, jobs);
}

typedef struct share {
    void (*job)(void *arg, int i);
    void *arg;
    int from, to;
} share;

static void *work(void *p)
{
    const share *s = p;

    for (int i = s->from; i < s->to; i++)
        s->job(s->arg, i);
    return NULL;
}

/* Three threads, made anew for each call, with shares of their own. */
static void three_threads(void *opaque, void (*job)(void *arg, int i), void *arg, int jobs)
{
    share s[3];
    pthread_t thread[3];
    int made[3];

    (void)opaque;
    for (int i = 0; i < 3; i++) {
        s[i] = (share){job, arg, jobs * i / 3, jobs * (i + 1) / 3};
        made[i] = s[i].from < s[i].to && !pthread_create(&thread[i], NULL, work, &s[i]);
        if (!made[i])
            work(&s[i]);
    }
    for (int i = 0; i < 3; i++)
        if (made[i])
            pthread_join(thread[i], NULL);
}

static void same_with(const config *c, const test_pair *p, const lpips_options *o,
                      const test_maps *maps, const lpips_result *expected, const char *what)
{
    test_maps m = test_maps_make(lpips_net_layers(c->net), p->width, p->height);
    lpips_result r = test_compare_map(c->w, p, o, &m);

    test_same_result(&r, expected, what);
    if (memcmp(m.block, maps->block, m.floats * sizeof(float)))
        fail_msg("%s: the maps differ", what);
    test_maps_free(&m);
    r = test_compare(c->w, p, o);
    test_same_result(&r, expected, what);
}

static void scheduling_for(const config *c)
{
    static const int threads[] = {2, 3, 7}, bands[] = {1, 2, 3, 5}, columns[] = {16, 50};

    for (int s = 0; s < sizes_to_try(c); s++) {
        int width, height;
        lpips_options o = options_of(c);
        lpips_result r;
        test_pair p;
        test_maps m;

        size_of(c, s, &width, &height);
        p = test_pair_make("scene.3", "scene.3+grain.9", width, height);
        m = test_maps_make(lpips_net_layers(c->net), width, height);
        r = test_compare_map(c->w, &p, &o, &m);
        for (size_t i = 0; i < COUNT(threads); i++) {
            o.threads = threads[i];
            same_with(c, &p, &o, &m, &r, about(c, "threads", threads[i]));
        }
        o.threads = 3;
        o.parallel = backwards;
        same_with(c, &p, &o, &m, &r, about(c, "backwards, size", s));
        o.parallel = three_threads;
        same_with(c, &p, &o, &m, &r, about(c, "caller's threads, size", s));
        o.parallel = NULL;
        for (size_t i = 0; i < COUNT(bands); i++) {
            o = options_of(c);
            o.band_rows = bands[i];
            o.threads = 1 + (int)i % 2;
            same_with(c, &p, &o, &m, &r, about(c, "band rows", bands[i]));
            o.strip_columns = columns[i % COUNT(columns)];
            same_with(c, &p, &o, &m, &r, about(c, "strips and band rows", bands[i]));
        }
        test_maps_free(&m);
        test_pair_free(&p);
    }
}

static void threads_bands_and_strips(void **state)
{
    (void)state;
    for_each(scheduling_for);
}

/* ---- layouts ------------------------------------------------------------ */

enum { MARGIN = 64 };

/* A layout of one picture: where sample c of pixel x, y lies, in samples from `origin`. */
typedef struct layout {
    const char *name;
    int planar, channels, pad, flip, mirror, bgr, offset;
} layout;

static const layout layouts[] = {
    {"packed RGB", 0, 3, 0, 0, 0, 0, 0},     {"offset by one", 0, 3, 0, 0, 0, 0, 1},
    {"rows padded", 0, 3, 5, 0, 0, 0, 3},    {"RGBx", 0, 4, 0, 0, 0, 0, 0},
    {"BGRx, offset", 0, 4, 7, 0, 0, 1, 5},   {"upside down", 0, 3, 2, 1, 0, 0, 0},
    {"right to left", 0, 3, 1, 0, 1, 0, 2},  {"planar", 1, 1, 0, 0, 0, 0, 0},
    {"planar, padded", 1, 1, 9, 0, 0, 0, 7}, {"planar, upside down", 1, 1, 3, 1, 0, 0, 1},
};

/* Sample i of a block that need not be aligned. */
static void put(char *at, ptrdiff_t i, lpips_format format, int v)
{
    uint8_t byte = (uint8_t)v;
    uint16_t word = (uint16_t)v;
    float real = (float)v / 255.f;

    if (format == LPIPS_U8)
        memcpy(at + i, &byte, sizeof byte);
    else if (format == LPIPS_U16)
        memcpy(at + i * 2, &word, sizeof word);
    else
        memcpy(at + i * 4, &real, sizeof real);
}

static const int sample_size[] = {1, 2, 4};

/* Lays rgb out in a block of its own; everything beside the samples is filled with 0xff,
 * NaN for floats, which must not be read as a sample.  Planes differ in stride, and with
 * an offset all lies at odd addresses. */
static lpips_image lay_out(const layout *l, lpips_format format, const uint8_t *rgb,
                           int width, int height, void **block)
{
    ptrdiff_t size = sample_size[format], line = (ptrdiff_t)width * l->channels + l->pad;
    size_t plane = (size_t)((line + 3 * 8) * (height + 1) + MARGIN);
    lpips_image img = {.width = width, .height = height, .format = format};
    char *at = malloc(3 * plane * (size_t)size + 1);

    assert_non_null(at);
    memset(*block = at, 0xff, 3 * plane * (size_t)size + 1);
    at += l->offset & 1;
    img.white = format == LPIPS_U16 ? 255 : 0;
    img.pixel_stride = (l->mirror ? -1 : 1) * l->channels * size;
    for (int c = 0; c < 3; c++) {
        ptrdiff_t step = l->planar ? line + 8 * c : line;
        ptrdiff_t first = l->offset + (l->planar ? (ptrdiff_t)plane * c : l->bgr ? 2 - c : c);

        first += l->flip ? step * (height - 1) : 0;
        first += l->mirror ? (ptrdiff_t)(width - 1) * l->channels : 0;
        step = l->flip ? -step : step;
        img.plane[c] = at + first * size;
        img.row_stride[c] = step * size;
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                put(at, first + y * step + x * (img.pixel_stride / size), format,
                    rgb[(y * width + x) * 3 + c]);
    }
    return img;
}

static void layouts_for(const config *c)
{
    int width, height;
    lpips_options o = options_of(c);
    lpips_result expected, r;
    lpips_context *ctx;
    test_pair p;

    size_of(c, test_quick() ? 0 : 1, &width, &height);
    p = test_pair_make("scene.4", "scene.4+shift.3", width, height);
    ctx = test_context(c->w, width, height, &o);
    assert_int_equal(lpips_compare(ctx, &p.image[0], &p.image[1], &expected), LPIPS_OK);
    for (int f = LPIPS_U8; f <= LPIPS_F32; f++)
        for (size_t i = 0; i < COUNT(layouts); i++) {
            const layout *other = &layouts[(i + 3) % COUNT(layouts)];
            void *block[2];
            lpips_image a =
                lay_out(&layouts[i], (lpips_format)f, p.rgb[0], width, height, block);
            lpips_image b =
                lay_out(other, (lpips_format)f, p.rgb[1], width, height, block + 1);

            assert_int_equal(lpips_compare(ctx, &a, &b, &r), LPIPS_OK);
            /* v / 255 is rounded once more than v on its way: floats differ a little */
            if (f == LPIPS_F32 && i == 0) {
                assert_true(test_near(r.distance, expected.distance));
                expected = r;
            }
            test_same_result(&r, &expected, about(c, layouts[i].name, f));
            free(block[0]);
            free(block[1]);
        }
    lpips_context_free(ctx);
    test_pair_free(&p);
}

static void layouts_and_formats(void **state)
{
    (void)state;
    for_each(layouts_for);
}

/* Codes of 10 and 16 bits and floats of the same values as 8 bits give its distance; equal
 * pictures in different formats give 0, or nearly so for floats. */
static void formats_agree(void **state)
{
    enum { W = 45, H = 38, N = W * H * 3 };
    static uint16_t wide[2][N];
    static float real[2][N];
    lpips_weights *w = test_random_weights(LPIPS_NET_SQUEEZE, "0.1");
    test_pair p = test_pair_make("scene.5", "scene.5+blur.1", W, H);
    lpips_result expected = test_compare(w, &p, NULL), r;
    test_pair q = p;

    (void)state;
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < N; i++) {
            wide[s][i] = (uint16_t)(p.rgb[s][i] * 257);
            real[s][i] = (float)(p.rgb[s][i] / 255.);
        }
    for (int s = 0; s < 2; s++)
        lpips_image_packed(&q.image[s], LPIPS_U16, wide[s], W, H, 3, 3 * W * 2);
    r = test_compare(w, &q, NULL); /* white 0: 65535 = 255 * 257 */
    assert_true(fabs(r.distance - expected.distance) <= 1e-7);
    for (int s = 0; s < 2; s++)
        lpips_image_packed(&q.image[s], LPIPS_F32, real[s], W, H, 3, 3 * W * 4);
    r = test_compare(w, &q, NULL);
    assert_true(fabs(r.distance - expected.distance) <= 1e-7);
    q.image[0] = p.image[1];
    r = test_compare(w, &q, NULL);
    assert_true(r.distance <= 1e-10);
    for (int i = 0; i < N; i++)
        wide[0][i] = (uint16_t)(p.rgb[1][i] * 4);
    lpips_image_packed(&q.image[1], LPIPS_U16, wide[0], W, H, 3, 3 * W * 2);
    q.image[1].white = 255 * 4;
    r = test_compare(w, &q, NULL);
    assert_true(r.distance <= 1e-10);
    test_pair_free(&p);
}

/* ---- batches ------------------------------------------------------------ */

enum { BATCH = 5 };

static void batches_for(const config *c)
{
    static const char *const names[BATCH] = {"scene.6", "scene.6+blur.1", "noise.6",
                                             "scene.7", "scene.6+step.9"};
    int width, height, layers = lpips_net_layers(c->net);
    lpips_image a[BATCH], b[BATCH];
    lpips_result single[BATCH], many[BATCH], got[BATCH];
    test_maps m[BATCH], n[BATCH];
    lpips_map maps[BATCH];
    uint8_t *rgb[BATCH];

    size_of(c, test_quick() ? 0 : 1, &width, &height);
    for (int i = 0; i < BATCH; i++) {
        rgb[i] = picture_make(names[i], width, height);
        m[i] = test_maps_make(layers, width, height);
        n[i] = test_maps_make(layers, width, height);
        maps[i] = n[i].map;
    }
    for (int i = 0; i < BATCH; i++) {
        test_pair p = {.width = width, .height = height};
        lpips_options o = options_of(c);

        a[i] = p.image[0] = test_packed(rgb[i], width, height);
        b[i] = p.image[1] = test_packed(rgb[(i + 1) % BATCH], width, height);
        single[i] = test_compare_map(c->w, &p, &o, &m[i]);
        p.image[0] = test_packed(rgb[0], width, height);
        p.image[1] = a[i];
        many[i] = test_compare(c->w, &p, &o);
    }
    for (int pictures = 2; pictures <= 2 * BATCH + 1; pictures += test_quick() ? 3 : 1) {
        lpips_options o = options_of(c);
        lpips_context *ctx;

        o.pictures = pictures;
        o.threads = 1 + pictures % 3;
        o.flags = pictures % 2 ? LPIPS_WANT_MAP : 0;
        ctx = test_context(c->w, width, height, &o);
        assert_int_equal(lpips_compare_pairs(ctx, a, b, BATCH, got, o.flags ? maps : NULL),
                         LPIPS_OK);
        for (int i = 0; i < BATCH; i++) {
            test_same_result(&got[i], &single[i], about(c, "pairs, pictures", pictures));
            if (o.flags)
                assert_memory_equal(m[i].block, n[i].block, m[i].floats * sizeof(float));
        }
        assert_int_equal(lpips_compare_many(ctx, &a[0], a, BATCH, got, NULL), LPIPS_OK);
        for (int i = 0; i < BATCH; i++)
            test_same_result(&got[i], &many[i], about(c, "many, pictures", pictures));
        assert_true(got[0].distance == 0);
        lpips_context_free(ctx);
    }
    for (int i = 0; i < BATCH; i++) {
        free(rgb[i]);
        test_maps_free(&m[i]);
        test_maps_free(&n[i]);
    }
}

static void place_in_a_batch(void **state)
{
    (void)state;
    for_each(batches_for);
}

/* A context used again gives what a fresh one gives, whatever came before. */
static void reuse_for(const config *c)
{
    int width = test_quick() ? 31 : 52, height = 41;
    test_pair p = test_pair_make("scene.8", "scene.8+grain.3", width, height);
    test_pair q = test_pair_make("white.0", "noise.8", width, height);
    lpips_options o = options_of(c);
    lpips_context *ctx;
    lpips_result fresh, r;

    o.strip_columns = 32;
    ctx = test_context(c->w, width, height, &o);
    fresh = test_compare(c->w, &p, &o);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(lpips_compare(ctx, &q.image[i % 2], &q.image[1], &r), LPIPS_OK);
        assert_int_equal(lpips_compare(ctx, &p.image[0], &p.image[1], &r), LPIPS_OK);
        test_same_result(&r, &fresh, about(c, "used again", i));
    }
    lpips_context_free(ctx);
    test_pair_free(&p);
    test_pair_free(&q);
}

static void contexts_used_again(void **state)
{
    (void)state;
    for_each(reuse_for);
}

/* ---- contexts beside each other ----------------------------------------- */

typedef struct beside {
    lpips_weights *w;
    const test_pair *p;
    lpips_options o;
    lpips_result r;
    int status;
} beside;

static void *compare_thread(void *arg)
{
    beside *b = arg;
    lpips_context *c = NULL;

    b->status = lpips_context_create(&c, b->w, b->p->width, b->p->height, &b->o);
    for (int i = 0; i < 3 && !b->status; i++)
        b->status = lpips_compare(c, &b->p->image[0], &b->p->image[1], &b->r);
    lpips_context_free(c);
    return NULL;
}

static void different_contexts_at_once(void **state)
{
    enum { N = 6 };
    test_pair p = test_pair_make("scene.9", "scene.9+coarse.24", 75, 66);
    test_kernels sets[4];
    int n = test_kernel_sets(sets);
    pthread_t thread[N];
    beside b[N];

    (void)state;
    for (int i = 0; i < N; i++) {
        b[i] = (beside){.w = test_random_weights(LPIPS_NET_SQUEEZE, "0.1"), .p = &p};
        b[i].o = (lpips_options)LPIPS_OPTIONS_DEFAULT;
        b[i].o.cpu_disable = sets[i % n].disable;
        b[i].o.flags = i & 1 ? LPIPS_NO_LIN : 0;
        b[i].o.threads = 1 + i % 3;
        b[i].o.band_rows = i % 4;
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, compare_thread, &b[i]), 0);
    for (int i = 0; i < N; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < N; i++) {
        lpips_result alone = test_compare(b[i].w, &p, &b[i].o);

        assert_int_equal(b[i].status, LPIPS_OK);
        test_same_result(&b[i].r, &alone, "beside other contexts");
    }
    test_pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_pictures_give_zero),
        cmocka_unit_test(equal_pictures_are_computed),
        cmocka_unit_test(symmetric),
        cmocka_unit_test(threads_bands_and_strips),
        cmocka_unit_test(layouts_and_formats),
        cmocka_unit_test(formats_agree),
        cmocka_unit_test(place_in_a_batch),
        cmocka_unit_test(contexts_used_again),
        cmocka_unit_test(different_contexts_at_once),
    };
    int failed = cmocka_run_group_tests_name("promises", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
