/*
 * test_net.c - whole nets: the fast path, by every set of kernels, against plain loops in
 * double (ref.c), at every small size around tile edges and in long strips; whole 4K
 * pictures against plain C at other bands and strips.
 */
#include "ref.h"
#include "support.h"

#include "../learn/data/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pixels of a map are not averaged: their rounding errors are larger than a distance's.  A
 * misplaced tile or edge shows as 1e-3 and more. */
static const double map_slack = 5e-5;

static double worst, worst_map;

static const char *const pairs[][2] = {
    {"scene.1", "scene.1+blur.1"},
    {"scene.2", "scene.2+grain.6"},
    {"noise.3", "scene.3"},
    {"scene.4", "scene.4+shift.1"},
};

static void check_map(const ref_result *ref, const test_maps *maps, int width, int height,
                      const char *where)
{
    size_t n = (size_t)width * (size_t)height;

    for (int l = -1; l < ref->layers; l++) {
        const double *expected = l < 0 ? ref->total : ref->map[l];
        const float *got = l < 0 ? maps->map.total : maps->map.layer[l];

        for (size_t i = 0; i < n; i++) {
            double off = fabs((double)got[i] - expected[i]);

            worst_map = fmax(worst_map, off);
            if (!(off <= map_slack))
                fail_msg("%s: map %d at %zu,%zu: %.9g, expected %.9g", where, l,
                         i % (size_t)width, i / (size_t)width, (double)got[i], expected[i]);
        }
    }
}

static void check_result(const ref_result *ref, const lpips_result *r, const char *where)
{
    int bad = !test_near(r->distance, ref->distance) || r->layers != ref->layers;

    worst = fmax(worst, fabs(r->distance - ref->distance));
    for (int i = 0; i < r->layers; i++)
        bad |= !(fabs(r->layer[i] - ref->layer[i]) <= 1e-6);
    if (!bad)
        return;
    for (int i = 0; i < r->layers; i++)
        print_message("layer %d: %.12g, expected %.12g\n", i, r->layer[i], ref->layer[i]);
    fail_msg("%s: %.12g, expected %.12g", where, r->distance, ref->distance);
}

/* One size by all sets of kernels; maps only where asked for, they take long. */
static void check_size(lpips_net net, int width, int height, int maps_too)
{
    lpips_weights *w = test_random_weights(net, "0.1");
    const char *const *names = pairs[(width + 3 * height) % (int)COUNT(pairs)];
    test_pair p = test_pair_make(names[0], names[1], width, height);
    test_maps maps = test_maps_make(lpips_net_layers(net), width, height);
    ref_picture a = ref_picture_u8(p.rgb[0], width, height);
    ref_picture b = ref_picture_u8(p.rgb[1], width, height);
    ref_result ref;
    test_kernels sets[4];
    int n = test_kernel_sets(sets);

    ref_lpips(test_reference_weights(net, "0.1"), &a, &b, maps_too ? LPIPS_WANT_MAP : 0,
              &ref);
    for (int i = 0; i < n; i++) {
        lpips_options o = LPIPS_OPTIONS_DEFAULT;
        lpips_result r;
        char where[128];

        o.cpu_disable = sets[i].disable;
        o.threads = 2;
        snprintf(where, sizeof where, "%s %dx%d %s %s, %s", lpips_net_name(net), width,
                 height, names[0], names[1], sets[i].name);
        r = maps_too ? test_compare_map(w, &p, &o, &maps) : test_compare(w, &p, &o);
        check_result(&ref, &r, where);
        if (maps_too)
            check_map(&ref, &maps, width, height, where);
    }
    ref_result_free(&ref);
    ref_picture_free(&a);
    ref_picture_free(&b);
    test_maps_free(&maps);
    test_pair_free(&p);
}

static void say_worst(void)
{
    print_message("largest deviation %.2g, of a map's pixel %.2g\n", worst, worst_map);
    worst = worst_map = 0;
}

/* ---- sizes -------------------------------------------------------------- */

enum { LARGEST = 70 };

/* Squares up to LARGEST, every `step`-th. */
static void squares(lpips_net net, int step)
{
    int from = lpips_net_min_size(net);

    for (int n = from; n <= LARGEST; n += test_quick() ? 17 : step)
        check_size(net, n, n, n % 4 == from % 4);
    check_size(net, LARGEST, LARGEST, 0);
    say_worst();
}

/* Oblong pictures: smallest sides, odd sides, and a spread over all remainders. */
static void oblongs(lpips_net net, int count)
{
    int from = lpips_net_min_size(net), room = LARGEST - from + 1;

    check_size(net, from, LARGEST, 1);
    check_size(net, LARGEST - 1, from, 1);
    check_size(net, from + 1, from, 1);
    for (int i = 1; i <= (test_quick() ? 2 : count); i++)
        check_size(net, from + i * 13 % room, from + i * 29 % room, i % 3 == 0);
    say_worst();
}

static void squares_alex(void **state)
{
    (void)state;
    squares(LPIPS_NET_ALEX, 1);
}

static void squares_squeeze(void **state)
{
    (void)state;
    squares(LPIPS_NET_SQUEEZE, 1);
}

static void squares_vgg(void **state)
{
    (void)state;
    squares(LPIPS_NET_VGG, 1);
}

static void oblongs_alex(void **state)
{
    (void)state;
    oblongs(LPIPS_NET_ALEX, 40);
}

static void oblongs_squeeze(void **state)
{
    (void)state;
    oblongs(LPIPS_NET_SQUEEZE, 40);
}

static void oblongs_vgg(void **state)
{
    (void)state;
    oblongs(LPIPS_NET_VGG, 20);
}

/* ---- strips ------------------------------------------------------------- */

static void strips(lpips_net net, int wide, int low, int narrow, int high)
{
    if (test_quick()) {
        print_message("skipped: strips, in a quick run\n");
        skip();
    }
    check_size(net, wide, low, 1);
    check_size(net, narrow, high, 1);
    say_worst();
}

static void strips_alex(void **state)
{
    (void)state;
    strips(LPIPS_NET_ALEX, 3840, 64, 64, 2160);
}

static void strips_squeeze(void **state)
{
    (void)state;
    strips(LPIPS_NET_SQUEEZE, 3840, 64, 64, 2160);
}

static void strips_vgg(void **state)
{
    (void)state;
    strips(LPIPS_NET_VGG, 1923, 17, 16, 2160);
}

/* ---- 4K ----------------------------------------------------------------- */

/* The default path against plain C with other bands and strips. */
static void large(lpips_net net, int width, int height)
{
    lpips_options fast = LPIPS_OPTIONS_DEFAULT, plain = LPIPS_OPTIONS_DEFAULT;
    lpips_weights *w = test_random_weights(net, "0.1");
    test_maps maps[2];
    lpips_result r[2];
    test_pair p;

    if (test_quick()) {
        print_message("skipped: 4K, in a quick run\n");
        skip();
    }
    p = test_pair_make("scene.5", "scene.5+grain.9", width, height);
    fast.threads = plain.threads = 2;
    plain.cpu_disable = ~0u;
    plain.band_rows = 3;
    plain.strip_columns = 1000;
    for (int i = 0; i < 2; i++) {
        maps[i] = test_maps_make(lpips_net_layers(net), width, height);
        r[i] = test_compare_map(w, &p, i ? &plain : &fast, &maps[i]);
    }
    if (!(fabs(r[0].distance - r[1].distance) <= 1e-6))
        fail_msg("%.12g, plain C %.12g", r[0].distance, r[1].distance);
    for (int i = 0; i < r[0].layers; i++)
        assert_true(fabs(r[0].layer[i] - r[1].layer[i]) <= 1e-6);
    for (size_t i = 0; i < maps[0].floats; i++) {
        worst_map = fmax(worst_map, fabs((double)maps[0].block[i] - maps[1].block[i]));
        if (!(fabsf(maps[0].block[i] - maps[1].block[i]) <= (float)map_slack))
            fail_msg("value %zu of the maps: %.9g, plain C %.9g", i, (double)maps[0].block[i],
                     (double)maps[1].block[i]);
    }
    worst = fabs(r[0].distance - r[1].distance);
    say_worst();
    test_maps_free(&maps[0]);
    test_maps_free(&maps[1]);
    test_pair_free(&p);
}

static void large_alex(void **state)
{
    (void)state;
    large(LPIPS_NET_ALEX, 3840, 2160);
}

static void large_squeeze(void **state)
{
    (void)state;
    large(LPIPS_NET_SQUEEZE, 3840, 2160);
}

static void large_vgg(void **state)
{
    (void)state;
    large(LPIPS_NET_VGG, 1280, 270);
}

static void kernels_have_names(void **state)
{
    static const struct {
        unsigned feature;
        const char *name;
    } best_first[] = {{LPIPS_CPU_AVX512, "avx512"},
                      {LPIPS_CPU_AVX2, "avx2"},
                      {LPIPS_CPU_BLAS, "openblas"},
                      {0, "c"}};
    lpips_options o = LPIPS_OPTIONS_DEFAULT;

    (void)state;
    for (size_t i = 0; i < 4; o.cpu_disable |= best_first[i++].feature) {
        lpips_context *c;

        if (best_first[i].feature & ~lpips_cpu_features())
            continue;
        c = test_context(test_random_weights(LPIPS_NET_ALEX, "0.1"), 64, 64, &o);
        assert_string_equal(lpips_context_cpu(c), best_first[i].name);
        lpips_context_free(c);
    }
    assert_null(lpips_context_cpu(NULL));
}

/* What a file of weights must hold: spot checks by the definition of the nets, and as many
 * numbers as torchvision counts in its features. */
static void tensors(void **state)
{
    static const struct {
        int at, tensors;
        size_t floats;
        const char *name;
        int shape[4], dims;
    } known[TEST_NETS] = {
        {3, 17, 2469696 + 1152 + 6, "net.slice1.0.bias", {64}, 1},
        {4, 33, 14714688 + 1472 + 6, "net.slice1.2.weight", {64, 64, 3, 3}, 4},
        {4, 59, 722496 + 2240 + 6, "net.slice2.3.squeeze.weight", {16, 64, 1, 1}, 4},
    };
    lpips_tensor_spec t;

    (void)state;
    for (int net = 0; net < TEST_NETS; net++) {
        size_t floats = 0;
        int n = 0;

        for (; lpips_net_tensor((lpips_net)net, n, &t) == LPIPS_OK; n++)
            floats += learn_tensor_count(t.shape, t.dims);
        assert_int_equal(n, known[net].tensors);
        assert_int_equal(floats, known[net].floats);
        assert_int_equal(lpips_net_tensor((lpips_net)net, known[net].at, &t), LPIPS_OK);
        assert_string_equal(t.name, known[net].name);
        assert_int_equal(t.dims, known[net].dims);
        assert_memory_equal(t.shape, known[net].shape, (size_t)t.dims * sizeof *t.shape);
    }
    assert_int_equal(lpips_net_tensor(LPIPS_NET_ALEX, -1, &t), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_net_tensor((lpips_net)3, 0, &t), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_net_tensor(LPIPS_NET_ALEX, 0, NULL), LPIPS_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squares_alex),       cmocka_unit_test(squares_squeeze),
        cmocka_unit_test(squares_vgg),        cmocka_unit_test(oblongs_alex),
        cmocka_unit_test(oblongs_squeeze),    cmocka_unit_test(oblongs_vgg),
        cmocka_unit_test(strips_alex),        cmocka_unit_test(strips_squeeze),
        cmocka_unit_test(strips_vgg),         cmocka_unit_test(large_alex),
        cmocka_unit_test(large_squeeze),      cmocka_unit_test(large_vgg),
        cmocka_unit_test(kernels_have_names), cmocka_unit_test(tensors),
    };
    int failed = cmocka_run_group_tests_name("nets", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
