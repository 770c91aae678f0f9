/*
 * test_api.c - arguments that are refused, limits, progress and cancelling, descriptions,
 * and that nothing process-wide changes.
 */
#include "support.h"

#include <fenv.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { W = 33, H = 35, N = W * H * 3 };

static lpips_weights *small(void)
{
    return test_random_weights(LPIPS_NET_SQUEEZE, "0.1");
}

/* ---- names and sizes of nets -------------------------------------------- */

static void nets(void **state)
{
    static const char *const names[] = {"alex", "vgg", "squeeze"};
    static const int layers[] = {5, 5, 7}, smallest[] = {31, 16, 17};

    (void)state;
    for (int i = 0; i < TEST_NETS; i++) {
        assert_string_equal(lpips_net_name((lpips_net)i), names[i]);
        assert_int_equal(lpips_net_from_name(names[i]), i);
        assert_int_equal(lpips_net_layers((lpips_net)i), layers[i]);
        assert_int_equal(lpips_net_min_size((lpips_net)i), smallest[i]);
        assert_int_equal(lpips_weights_net(test_random_weights((lpips_net)i, "0.1")), i);
    }
    assert_null(lpips_net_name((lpips_net)3));
    assert_null(lpips_net_name((lpips_net)-1));
    assert_int_equal(lpips_net_layers((lpips_net)3), 0);
    assert_int_equal(lpips_net_min_size((lpips_net)-1), 0);
    assert_true(lpips_net_from_name("Alex") < 0 && lpips_net_from_name("") < 0);
    assert_true(lpips_net_from_name(NULL) < 0 && lpips_net_from_name("vgg ") < 0);
    assert_int_equal(lpips_version() >> 16, LPIPS_VERSION_MAJOR);
}

static void sentences(void **state)
{
    const char *seen[11];

    (void)state;
    for (int i = 0; i <= 10; i++) {
        seen[i] = lpips_strerror(-i);
        assert_true(seen[i] && *seen[i]);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(seen[i], seen[k]);
    }
    assert_string_equal(lpips_strerror(INT_MAX), lpips_strerror(INT_MIN));
}

/* ---- creating ----------------------------------------------------------- */

static int create(lpips_weights *w, int width, int height, const lpips_options *o)
{
    lpips_context *c = (lpips_context *)&c; /* must be overwritten */
    int status = lpips_context_create(&c, w, width, height, o);

    if (status ? c != NULL : c == NULL || c == (lpips_context *)&c)
        fail_msg("status %d, context %p", status, (void *)c);
    lpips_context_free(status ? NULL : c);
    return status;
}

static void sizes(void **state)
{
    (void)state;
    for (int net = 0; net < TEST_NETS; net++) {
        lpips_weights *w = test_random_weights((lpips_net)net, "0.1");
        int n = lpips_net_min_size((lpips_net)net);

        assert_int_equal(create(w, n, n, NULL), LPIPS_OK);
        assert_int_equal(create(w, n - 1, n, NULL), LPIPS_ERR_SIZE);
        assert_int_equal(create(w, n, n - 1, NULL), LPIPS_ERR_SIZE);
        assert_int_equal(create(w, n - 1, 4000, NULL), LPIPS_ERR_SIZE);
        assert_int_equal(create(w, 0, 0, NULL), LPIPS_ERR_SIZE);
        assert_int_equal(create(w, -n, n, NULL), LPIPS_ERR_SIZE);
        assert_int_equal(create(w, n, INT_MIN, NULL), LPIPS_ERR_SIZE);
        assert_int_equal(lpips_context_memory(w, n - 1, n, NULL), 0);
    }
}

static void refused_size(lpips_weights *w, int width, int height, const lpips_options *o)
{
    int status = create(w, width, height, o);

    if (status != LPIPS_ERR_SIZE && status != LPIPS_ERR_MEMORY)
        fail_msg("%dx%d, %d pictures: status %d", width, height, o->pictures, status);
}

/* Sizes whose products overflow are refused before anything is allocated for them. */
static void huge_sizes(void **state)
{
    static const int big[] = {INT_MAX, INT_MAX - 1, INT_MAX / 2,
                              1 << 30, 0x55555556,  1 << 24};
    lpips_options o = LPIPS_OPTIONS_DEFAULT;

    (void)state;
    for (int net = 0; net < TEST_NETS; net++)
        for (size_t i = 0; i < COUNT(big); i++)
            for (int map = 0; map < 2; map++) {
                lpips_weights *w = test_random_weights((lpips_net)net, "0.1");
                const int sides[][2] = {{big[i], big[i]}, {big[i], 64}, {64, big[i]}};

                o.flags = map ? LPIPS_WANT_MAP : 0;
                o.pictures = map ? 1000 : 0;
                for (size_t k = 0; k < COUNT(sides); k++)
                    refused_size(w, sides[k][0], sides[k][1], &o);
                lpips_context_memory(w, big[i], big[i], &o);
            }
}

/* Largest accepted sides with all maps of very many pictures: terabytes. */
static void more_than_there_is(void **state)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;

    (void)state;
    o.flags = LPIPS_WANT_MAP;
    o.pictures = 1000;
    refused_size(small(), 1 << 20, 1 << 20, &o);
}

static void wrong_options(void **state)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT, good = o;
    lpips_context *c;

    (void)state;
    assert_int_equal(lpips_context_create(NULL, small(), W, H, NULL), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_context_create(&c, NULL, W, H, NULL), LPIPS_ERR_ARGUMENT);
    assert_null(c);
    assert_int_equal(lpips_context_memory(NULL, W, H, NULL), 0);
    o.struct_size = 0;
    assert_int_equal(create(small(), W, H, &o), LPIPS_ERR_ARGUMENT);
    o = good;
    o.flags = 1u << 31;
    assert_int_equal(create(small(), W, H, &o), LPIPS_ERR_ARGUMENT);
    o = good;
    o.threads = -1;
    assert_int_equal(create(small(), W, H, &o), LPIPS_ERR_ARGUMENT);
    o.threads = INT_MAX;
    assert_int_equal(create(small(), W, H, &o), LPIPS_ERR_ARGUMENT);
    o = good;
    o.pictures = 1;
    assert_int_equal(create(small(), W, H, &o), LPIPS_ERR_ARGUMENT);
    o.pictures = -2;
    assert_int_equal(create(small(), W, H, &o), LPIPS_ERR_ARGUMENT);
    o.pictures = INT_MAX;
    assert_int_equal(create(small(), W, H, &o), LPIPS_ERR_ARGUMENT);
    o = good;
    o.band_rows = -1;
    assert_int_equal(create(small(), W, H, &o), LPIPS_ERR_ARGUMENT);
    o.band_rows = INT_MAX;
    assert_int_equal(create(small(), W, H, &o), LPIPS_OK);
    assert_int_equal(create(small(), W, H, &good), LPIPS_OK);
    lpips_context_free(NULL);
    lpips_weights_unref(NULL);
    assert_null(lpips_weights_ref(NULL));
}

/* A caller built against an older header passes a shorter struct. */
static void older_options(void **state)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    lpips_context *c;
    char text[128];

    (void)state;
    memset((char *)&o + offsetof(lpips_options, threads), 0xff,
           sizeof o - offsetof(lpips_options, threads));
    o.struct_size = offsetof(lpips_options, threads);
    o.flags = LPIPS_NO_LIN;
    c = test_context(small(), W, H, &o);
    lpips_describe(c, text, sizeof text);
    assert_non_null(strstr(text, "no-lin"));
    lpips_context_free(c);
}

static void memory_limits(void **state)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    size_t need = lpips_context_memory(small(), 200, 300, &o), map;

    (void)state;
    assert_true(need > 1000);
    o.memory_limit = need;
    assert_int_equal(create(small(), 200, 300, &o), LPIPS_OK);
    o.memory_limit = need * 3 / 4;
    assert_int_equal(create(small(), 200, 300, &o), LPIPS_ERR_MEMORY);
    o.memory_limit = 1;
    assert_int_equal(create(small(), 200, 300, &o), LPIPS_ERR_MEMORY);
    o.memory_limit = 0;
    o.flags = LPIPS_WANT_MAP;
    map = lpips_context_memory(small(), 200, 300, &o);
    assert_true(map > need);
}

/* Rolling bands: what a picture needs hardly depends on its height. */
static void constant_in_height(void **state)
{
    (void)state;
    for (int net = 0; net < TEST_NETS; net++) {
        lpips_weights *w = test_random_weights((lpips_net)net, "0.1");
        size_t low = lpips_context_memory(w, 1920, 1080, NULL);
        size_t high = lpips_context_memory(w, 1920, 50 * 1080, NULL);
        size_t large = lpips_context_memory(w, 3840, 2160, NULL);

        assert_true(low > 0 && high > 0 && large > 0);
        /* other tiles may be chosen, and a few sums are kept of each row */
        if (high > low + low / 4 + 50 * 1080 * 8 * 4)
            fail_msg("%s: %zu bytes at 1080 rows, %zu at 54000",
                     lpips_net_name((lpips_net)net), low, high);
        if (large > (net == LPIPS_NET_VGG ? 400u : 200u) * 1000000)
            fail_msg("%s: %zu bytes for 3840x2160", lpips_net_name((lpips_net)net), large);
    }
}

/* ---- pictures ----------------------------------------------------------- */

static float samples[2][N];

static lpips_image floats(int i)
{
    lpips_image img;

    assert_int_equal(lpips_image_packed(&img, LPIPS_F32, samples[i], W, H, 3, 3 * W * 4),
                     LPIPS_OK);
    return img;
}

static void fill_floats(void)
{
    for (int i = 0; i < N; i++) {
        samples[0][i] = (float)(i % 101) / 100;
        samples[1][i] = (float)(i % 97) / 96;
    }
}

static void wrong_pictures(void **state)
{
    lpips_context *c = test_context(small(), W, H, NULL);
    lpips_image good, bad;
    lpips_result r;

    (void)state;
    fill_floats();
    good = floats(0);
    assert_int_equal(lpips_compare(c, &good, &good, &r), LPIPS_OK);
    assert_int_equal(lpips_compare(NULL, &good, &good, &r), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_compare(c, NULL, &good, &r), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_compare(c, &good, NULL, &r), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_compare(c, &good, &good, NULL), LPIPS_ERR_ARGUMENT);
#define REFUSED(change, status)                                      \
    do {                                                             \
        bad = good;                                                  \
        change;                                                      \
        assert_int_equal(lpips_compare(c, &good, &bad, &r), status); \
        assert_int_equal(lpips_compare(c, &bad, &good, &r), status); \
    } while (0)
    REFUSED(bad.width = W - 1, LPIPS_ERR_SIZE);
    REFUSED(bad.height = H + 1, LPIPS_ERR_SIZE);
    REFUSED((bad.width = H, bad.height = W), LPIPS_ERR_SIZE);
    REFUSED(bad.plane[1] = NULL, LPIPS_ERR_ARGUMENT);
    REFUSED(bad.format = (lpips_format)3, LPIPS_ERR_ARGUMENT);
    REFUSED(bad.format = (lpips_format)-1, LPIPS_ERR_ARGUMENT);
    REFUSED(bad.pixel_stride = 0, LPIPS_ERR_ARGUMENT);
    REFUSED(bad.pixel_stride = 3, LPIPS_ERR_ARGUMENT);
    REFUSED(bad.row_stride[0] = 0, LPIPS_ERR_ARGUMENT);
    REFUSED(bad.row_stride[2] = 3 * W * 4 - 12, LPIPS_ERR_ARGUMENT);
    REFUSED(bad.row_stride[1] = -(3 * W * 4 - 12), LPIPS_ERR_ARGUMENT);
    REFUSED((bad.format = LPIPS_U16, bad.white = 65536), LPIPS_ERR_ARGUMENT);
#undef REFUSED
    /* as good as before */
    assert_int_equal(lpips_compare(c, &good, &good, &r), LPIPS_OK);
    assert_true(r.distance == 0);
    lpips_context_free(c);
}

static void describing_pictures(void **state)
{
    const void *const planes[3] = {samples, samples, samples}, *const gap[3] = {samples,
                                                                                NULL};
    const ptrdiff_t strides[3] = {W, W + 1, -W};
    lpips_image img;

    (void)state;
    assert_int_equal(lpips_image_packed(&img, LPIPS_U8, samples, W, H, 1, W), LPIPS_OK);
    assert_true(img.plane[0] == img.plane[1] && img.plane[1] == img.plane[2]);
    assert_int_equal(lpips_image_packed(&img, LPIPS_U16, samples, W, H, 4, 8 * W), LPIPS_OK);
    assert_int_equal(img.pixel_stride, 8);
    assert_ptr_equal(img.plane[2], (const char *)samples + 4);
    assert_int_equal(lpips_image_packed(&img, LPIPS_U8, samples, W, H, 2, W),
                     LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_image_packed(&img, LPIPS_U8, NULL, W, H, 3, 3 * W),
                     LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_image_packed(NULL, LPIPS_U8, samples, W, H, 3, 3 * W),
                     LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_image_packed(&img, (lpips_format)7, samples, W, H, 3, 3 * W),
                     LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_image_packed(&img, LPIPS_U8, samples, 0, H, 3, 3 * W),
                     LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_image_planar(&img, LPIPS_U8, planes, strides, W, H), LPIPS_OK);
    assert_int_equal(img.row_stride[1], W + 1);
    assert_int_equal(lpips_image_planar(&img, LPIPS_U8, gap, strides, W, H),
                     LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_image_planar(&img, LPIPS_U8, planes, NULL, W, H),
                     LPIPS_ERR_ARGUMENT);
}

/* Every place of a picture is looked at, by every set of kernels. */
static void not_finite(void **state)
{
    static const int places[] = {0, 1, 2, 3 * W - 1, 3 * W * (H / 2) + 50, N - 3, N - 1};
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY, 65537, -70000, 3e38f, -1e30f};
    test_kernels sets[4];
    int n = test_kernel_sets(sets);

    (void)state;
    for (int net = 0; net < TEST_NETS; net += 2)
        for (int i = 0; i < n; i++) {
            lpips_options o = LPIPS_OPTIONS_DEFAULT;
            lpips_context *c;
            lpips_image a, b;
            lpips_result before, r;

            o.cpu_disable = sets[i].disable;
            o.threads = 1 + i;
            c = test_context(test_random_weights((lpips_net)net, "0.1"), W, H, &o);
            fill_floats();
            a = floats(0);
            b = floats(1);
            assert_int_equal(lpips_compare(c, &a, &b, &before), LPIPS_OK);
            for (size_t p = 0; p < COUNT(places); p++)
                for (size_t k = 0; k < COUNT(bad); k++) {
                    float *at = &samples[k % 2][places[p]], old = *at;

                    *at = bad[k];
                    if (lpips_compare(c, &a, &b, &r) != LPIPS_ERR_NOT_FINITE)
                        fail_msg("%g at sample %d, %s: not refused", (double)bad[k],
                                 places[p], sets[i].name);
                    *at = old;
                }
            assert_int_equal(lpips_compare(c, &a, &b, &r), LPIPS_OK);
            test_same_result(&r, &before, "after pictures that were refused");
            samples[0][7] = 65536; /* far outside, but used as it is */
            samples[1][8] = -65536;
            assert_int_equal(lpips_compare(c, &a, &b, &r), LPIPS_OK);
            assert_true(isfinite(r.distance) && r.distance > 0);
            lpips_context_free(c);
        }
}

/* ---- maps --------------------------------------------------------------- */

static void wrong_maps(void **state)
{
    static float plane[W * H];
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    lpips_map map = {.total = plane, .stride = W * 4};
    lpips_context *without = test_context(small(), W, H, NULL), *with;
    lpips_image a, b;
    lpips_result r, plain;

    (void)state;
    fill_floats();
    a = floats(0);
    b = floats(1);
    o.flags = LPIPS_WANT_MAP;
    with = test_context(small(), W, H, &o);
    assert_int_equal(lpips_compare_map(without, &a, &b, &r, &map), LPIPS_ERR_UNSUPPORTED);
    assert_int_equal(lpips_compare_map(without, &a, &b, &plain, NULL), LPIPS_OK);
    assert_int_equal(lpips_compare_map(with, &a, &b, &r, &map), LPIPS_OK);
    test_same_result(&r, &plain, "with a map");
    assert_int_equal(lpips_compare_map(with, &a, &b, &r, NULL), LPIPS_OK);
    map.stride = W * 4 - 4;
    assert_int_equal(lpips_compare_map(with, &a, &b, &r, &map), LPIPS_ERR_ARGUMENT);
    map.stride = W * 4 + 2;
    assert_int_equal(lpips_compare_map(with, &a, &b, &r, &map), LPIPS_ERR_ARGUMENT);
    map.total = NULL;
    map.stride = W * 4;
    assert_int_equal(lpips_compare_map(with, &a, &b, &r, &map), LPIPS_OK);
    lpips_context_free(with);
    lpips_context_free(without);
}

/* Rows may be padded or run upwards; nothing between them is written. */
static void map_strides(void **state)
{
    enum { LINE = W + 6 };
    static float plain[W * H], padded[LINE * H], upward[LINE * H];
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    lpips_map map = {.total = plain, .stride = W * 4};
    lpips_context *c;
    lpips_image a, b;
    lpips_result r;

    (void)state;
    fill_floats();
    a = floats(0);
    b = floats(1);
    o.flags = LPIPS_WANT_MAP;
    c = test_context(small(), W, H, &o);
    assert_int_equal(lpips_compare_map(c, &a, &b, &r, &map), LPIPS_OK);
    for (int i = 0; i < LINE * H; i++)
        padded[i] = upward[i] = -1;
    map = (lpips_map){.total = padded, .stride = LINE * 4};
    assert_int_equal(lpips_compare_map(c, &a, &b, &r, &map), LPIPS_OK);
    map = (lpips_map){.total = upward + LINE * (H - 1), .stride = -LINE * 4};
    assert_int_equal(lpips_compare_map(c, &a, &b, &r, &map), LPIPS_OK);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < LINE; x++) {
            float expected = x < W ? plain[y * W + x] : -1;

            assert_true(padded[y * LINE + x] == expected);
            assert_true(upward[(H - 1 - y) * LINE + x] == expected);
        }
    lpips_context_free(c);
}

static void wrong_batches(void **state)
{
    lpips_context *c = test_context(small(), W, H, NULL);
    lpips_image img[2], bad[2];
    lpips_result r[2];

    (void)state;
    fill_floats();
    img[0] = bad[0] = floats(0);
    img[1] = bad[1] = floats(1);
    bad[1].height = H - 1;
    assert_int_equal(lpips_compare_pairs(c, img, img, 2, r, NULL), LPIPS_OK);
    assert_int_equal(lpips_compare_pairs(c, img, img, 0, r, NULL), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_compare_pairs(c, img, img, -1, r, NULL), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_compare_pairs(c, img, bad, 2, r, NULL), LPIPS_ERR_SIZE);
    assert_int_equal(lpips_compare_pairs(c, bad, img, 2, r, NULL), LPIPS_ERR_SIZE);
    assert_int_equal(lpips_compare_pairs(c, NULL, img, 2, r, NULL), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_compare_many(c, img, img, 2, r, NULL), LPIPS_OK);
    assert_int_equal(lpips_compare_many(c, img, bad, 2, r, NULL), LPIPS_ERR_SIZE);
    assert_int_equal(lpips_compare_many(c, &bad[1], img, 2, r, NULL), LPIPS_ERR_SIZE);
    assert_int_equal(lpips_compare_many(c, img, img, 0, r, NULL), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_compare_many(c, img, img, 2, NULL, NULL), LPIPS_ERR_ARGUMENT);
    lpips_context_free(c);
}

/* ---- progress ----------------------------------------------------------- */

typedef struct watch {
    int calls, stop_after; /* 0: never */
    double last;
    int fell;
} watch;

static int note(void *opaque, double fraction)
{
    watch *w = opaque;

    w->fell |= !(fraction >= w->last && fraction >= 0 && fraction <= 1);
    w->last = fraction;
    return ++w->calls == w->stop_after;
}

static void progress(void **state)
{
    test_pair p = test_pair_make("scene.1", "noise.1", 96, 3000);
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    watch w = {0, 0, 0, 0};
    lpips_context *c;
    lpips_result r, expected;
    lpips_image a[3] = {p.image[0], p.image[1], p.image[0]};
    lpips_result many[3];

    (void)state;
    o.progress = note;
    o.progress_opaque = &w;
    o.threads = 2;
    c = test_context(small(), p.width, p.height, &o);
    assert_int_equal(w.calls, 0);
    assert_int_equal(lpips_compare(c, &p.image[0], &p.image[1], &expected), LPIPS_OK);
    if (w.calls < 3 || w.fell || w.last < .9)
        fail_msg("%d calls%s, the last at %g", w.calls, w.fell ? ", falling" : "", w.last);
    for (int stop = 1; stop <= 3; stop++) {
        w = (watch){0, stop, 0, 0};
        assert_int_equal(lpips_compare(c, &p.image[0], &p.image[1], &r), LPIPS_ERR_ABORTED);
        assert_int_equal(w.calls, stop); /* not asked again */
    }
    w = (watch){0, 0, 0, 0};
    assert_int_equal(lpips_compare(c, &p.image[0], &p.image[1], &r), LPIPS_OK);
    test_same_result(&r, &expected, "after being stopped");
    w = (watch){0, 0, 0, 0};
    assert_int_equal(lpips_compare_pairs(c, a, p.image, 2, many, NULL), LPIPS_OK);
    assert_true(!w.fell && w.last > .9);
    w = (watch){0, 0, 0, 0};
    assert_int_equal(lpips_compare_many(c, a, a, 3, many, NULL), LPIPS_OK);
    assert_true(!w.fell && w.last > .9);
    lpips_context_free(c);
    test_pair_free(&p);
}

/* ---- descriptions ------------------------------------------------------- */

static void check_description(lpips_net net, const char *version, unsigned flags)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    lpips_weights *w = test_random_weights(net, version);
    int side = lpips_net_min_size(net);
    char text[128], expected[128], cut[12];
    lpips_context *c;

    o.flags = flags;
    c = test_context(w, side, side, &o);
    snprintf(expected, sizeof expected, "lpips %d.%d.%d %s v%s weights %.8s%s%s",
             LPIPS_VERSION_MAJOR, LPIPS_VERSION_MINOR, LPIPS_VERSION_PATCH,
             lpips_net_name(net), version, lpips_weights_hash(w),
             flags & LPIPS_NO_LIN ? " no-lin" : "",
             flags & LPIPS_RANGE_0_1 ? " range 0..1" : "");
    assert_int_equal(lpips_describe(c, text, sizeof text), (int)strlen(expected));
    assert_string_equal(text, expected);
    assert_int_equal(lpips_describe(c, NULL, 0), (int)strlen(expected));
    assert_true(lpips_weights_describe(w, flags, text, 128) == (int)strlen(expected));
    assert_string_equal(text, expected);
    assert_int_equal(lpips_describe(c, cut, sizeof cut), (int)strlen(expected));
    assert_true(strlen(cut) == sizeof cut - 1 && !strncmp(cut, expected, sizeof cut - 1));
    lpips_context_free(c);
}

static void descriptions(void **state)
{
    (void)state;
    for (int net = 0; net < TEST_NETS; net++)
        for (unsigned flags = 0; flags < 8; flags += 2)
            check_description((lpips_net)net, "0.1", flags);
    check_description(LPIPS_NET_SQUEEZE, "0.0", LPIPS_RANGE_0_1);
    assert_string_not_equal(lpips_weights_hash(test_random_weights(LPIPS_NET_SQUEEZE, "0.1")),
                            lpips_weights_hash(
                                test_random_weights(LPIPS_NET_SQUEEZE, "0.0")));
    assert_int_equal(strlen(lpips_weights_hash(small())), 64);
}

/* ---- the process -------------------------------------------------------- */

static void nothing_process_wide(void **state)
{
    test_pair p = test_pair_make("scene.1", "noise.1", 80, 60);
    test_kernels sets[4];
    int n = test_kernel_sets(sets), rounding;
    char before[256];

    (void)state;
    snprintf(before, sizeof before, "%s", setlocale(LC_ALL, NULL));
    fesetround(FE_TOWARDZERO);
    for (int i = 0; i < n; i++) {
        lpips_options o = LPIPS_OPTIONS_DEFAULT;

        o.cpu_disable = sets[i].disable;
        o.threads = 2;
        test_compare(small(), &p, &o);
    }
    rounding = fegetround();
    fesetround(FE_TONEAREST);
    assert_int_equal(rounding, FE_TOWARDZERO);
    assert_string_equal(setlocale(LC_ALL, NULL), before);
    test_pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nets),
        cmocka_unit_test(sentences),
        cmocka_unit_test(sizes),
        cmocka_unit_test(huge_sizes),
        cmocka_unit_test(more_than_there_is),
        cmocka_unit_test(wrong_options),
        cmocka_unit_test(older_options),
        cmocka_unit_test(memory_limits),
        cmocka_unit_test(constant_in_height),
        cmocka_unit_test(wrong_pictures),
        cmocka_unit_test(describing_pictures),
        cmocka_unit_test(not_finite),
        cmocka_unit_test(wrong_maps),
        cmocka_unit_test(map_strides),
        cmocka_unit_test(wrong_batches),
        cmocka_unit_test(progress),
        cmocka_unit_test(descriptions),
        cmocka_unit_test(nothing_process_wide),
    };
    int failed = cmocka_run_group_tests_name("public functions", tests, NULL, NULL);
    test_free_weights();
    return failed;
}
