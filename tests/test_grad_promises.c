/*
 * test_grad_promises.c - what lpips.h promises of gradients: they depend on the pictures and
 * the weights alone, are 0 where nothing can be said, and what is refused.
 */
#include "grad_support.h"
#include "st_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pair of floats and its gradient by one thread. */
typedef struct example {
    lpips_weights *w;
    floats a, b, g;
    lpips_image ia, ib;
    lpips_result r;
} example;

static example example_make(lpips_net net, int width, int height)
{
    example e = {.w = test_random_weights(net, "0.1"),
                 .a = floats_picture("scene.1", width, height, 1),
                 .b = floats_picture("scene.1+blur.2", width, height, 2),
                 .g = floats_make(width, height)};

    e.ia = floats_image(&e.a);
    e.ib = floats_image(&e.b);
    e.r = floats_gradient(e.w, NULL, &e.ia, &e.ib, &e.g);
    return e;
}

static void example_free(example *e)
{
    floats_free(&e->a);
    floats_free(&e->b);
    floats_free(&e->g);
}

static const struct {
    lpips_net net;
    int width, height;
} cases[] = {{LPIPS_NET_ALEX, 67, 94}, {LPIPS_NET_SQUEEZE, 97, 62}, {LPIPS_NET_VGG, 33, 50}};

/* ---- it depends on nothing else ----------------------------------------- */

/* A host's threads: from the last job to the first. */
static void backwards(void *opaque, void (*job)(void *arg, int i), void *arg, int jobs)
{
    (void)opaque;
    while (jobs--)
        job(arg, jobs);
}

static void threads_and_bands(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        example e = example_make(cases[i].net, cases[i].width, cases[i].height);

        for (int k = 0; k < 5; k++) {
            lpips_options o = LPIPS_OPTIONS_DEFAULT;
            floats g = floats_make(e.a.width, e.a.height);
            lpips_result r;

            o.threads = (const int[]){2, 3, 7, 2, 1}[k];
            o.parallel = k == 3 ? backwards : NULL;
            o.band_rows = k % 2;
            o.strip_columns = k > 2 ? 32 : 0;
            o.pictures = k == 1 ? 6 : 0;
            r = floats_gradient(e.w, &o, &e.ia, &e.ib, &g);
            test_same_result(&r, &e.r, "threads");
            floats_same(&g, &e.g, "threads");
            floats_free(&g);
        }
        example_free(&e);
    }
}

/* The same numbers packed, upside down and with gaps, in and out. */
static void layouts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        example e = example_make(cases[i].net, cases[i].width, cases[i].height);
        int w = e.a.width, h = e.a.height;
        ptrdiff_t step = 5, row = step * w + 7;
        float *in = calloc((size_t)(row * h), sizeof *in),
              *out = calloc((size_t)(row * h), 4);
        floats g = floats_make(w, h);
        lpips_options o = LPIPS_OPTIONS_DEFAULT;
        lpips_image img = e.ia;
        lpips_planes to;
        lpips_context *c;
        lpips_result r;

        assert_true(in && out);
        for (size_t k = 0; k < 3 * e.a.n; k++)
            in[(ptrdiff_t)(k % e.a.n) / w * row + (ptrdiff_t)(k % e.a.n) % w * step +
               (ptrdiff_t)(k / e.a.n)] = e.a.v[k];
        for (int p = 0; p < 3; p++) {
            img.plane[p] = in + p;
            img.row_stride[p] = 4 * row;
            to.plane[p] = out + (h - 1) * row + 2 - p; /* BGR, from the last row up */
            to.row_stride[p] = -4 * row;
        }
        img.pixel_stride = to.pixel_stride = 4 * step;
        o.flags = LPIPS_WANT_GRADIENT;
        c = test_context(e.w, w, h, &o);
        assert_int_equal(lpips_gradient(c, &img, &e.ib, &r, &to), LPIPS_OK);
        lpips_context_free(c);
        test_same_result(&r, &e.r, "layouts");
        for (size_t k = 0; k < 3 * e.a.n; k++) {
            float *at = out + (h - 1 - (ptrdiff_t)(k % e.a.n) / w) * row +
                        (ptrdiff_t)(k % e.a.n) % w * step + 2 - (ptrdiff_t)(k / e.a.n);

            g.v[k] = *at;
            *at = 0;
        }
        floats_same(&g, &e.g, "layouts");
        for (ptrdiff_t k = 0; k < row * h; k++)
            assert_true(out[k] == 0); /* nothing between the samples */
        free(in);
        free(out);
        floats_free(&g);
        example_free(&e);
    }
}

/* One context: other pairs and comparisons before it leave no trace. */
static void one_after_the_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        example e = example_make(cases[i].net, cases[i].width, cases[i].height);
        floats g = floats_make(e.a.width, e.a.height);
        lpips_planes to = floats_planes(&g);
        lpips_options o = LPIPS_OPTIONS_DEFAULT;
        lpips_context *c;
        lpips_result r;

        o.flags = LPIPS_WANT_GRADIENT;
        c = test_context(e.w, e.a.width, e.a.height, &o);
        assert_int_equal(lpips_gradient(c, &e.ib, &e.ia, &r, &to), LPIPS_OK);
        assert_true(r.distance == e.r.distance);
        assert_int_equal(lpips_compare(c, &e.ib, &e.ib, &r), LPIPS_OK);
        assert_int_equal(lpips_gradient(c, &e.ia, &e.ib, &r, &to), LPIPS_OK);
        floats_same(&g, &e.g, "a used context");
        assert_int_equal(lpips_compare(c, &e.ia, &e.ib, &r), LPIPS_OK);
        test_same_result(&r, &e.r, "compared after a gradient");
        lpips_context_free(c);
        floats_free(&g);
        example_free(&e);
    }
}

/* Pairs worked on together in a context that keeps everything are those of single calls: each
 * finds its own pictures. */
static void several_pairs(void **state)
{
    enum { PAIRS = 3 };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        example e = example_make(cases[i].net, cases[i].width, cases[i].height);
        lpips_image a[PAIRS] = {e.ia, e.ib, e.ib}, b[PAIRS] = {e.ib, e.ib, e.ia};
        lpips_options o = LPIPS_OPTIONS_DEFAULT;
        lpips_result r[PAIRS];
        lpips_context *c;

        o.flags = LPIPS_WANT_GRADIENT;
        o.pictures = 2 * PAIRS;
        c = test_context(e.w, e.a.width, e.a.height, &o);
        assert_int_equal(lpips_compare_pairs(c, a, b, PAIRS, r, NULL), LPIPS_OK);
        test_same_result(&r[0], &e.r, "the first pair");
        assert_true(r[1].distance == 0);
        test_same_result(&r[2], &e.r, "the last pair, the other way round");
        lpips_context_free(c);
        example_free(&e);
    }
}

/* vgg's large filters are given back as they came once a context has transformed them: what
 * leads back must not depend on which context came first. */
static void whichever_context_was_first(void **state)
{
    example e = example_make(LPIPS_NET_VGG, 17, 16);

    (void)state;
    for (int compared = 0; compared < 2; compared++) {
        size_t size;
        unsigned char *file = st_random_weights(LPIPS_NET_VGG, "0.1", TEST_SEED, &size);
        floats g = floats_make(e.a.width, e.a.height);
        lpips_weights *w;

        assert_int_equal(lpips_weights_load_memory(&w, file, size, NULL, 0), LPIPS_OK);
        if (compared)
            lpips_context_free(test_context(w, 40, 40, NULL));
        floats_gradient(w, NULL, &e.ia, &e.ib, &g);
        floats_same(&g, &e.g, compared ? "after a comparison" : "fresh weights");
        floats_free(&g);
        lpips_weights_unref(w);
        free(file);
    }
    example_free(&e);
}

/* ---- units -------------------------------------------------------------- */

/* The gradient by the codes of a picture is that by 0..1 over the code of white. */
static void units(void **state)
{
    enum { W = 45, H = 38 };
    static uint8_t u8[3 * W * H];
    static uint16_t u16[3 * W * H];
    static float f32[3 * W * H];
    lpips_frame frame = {.plane = {u8, u8 + 1, u8 + 2},
                         .row_stride = {3 * W, 3 * W, 3 * W},
                         .step = {3, 3, 3},
                         .width = W,
                         .height = H,
                         .bits = 8,
                         .matrix = LPIPS_MATRIX_RGB,
                         .levels = LPIPS_LEVELS_FULL};
    test_pair p = test_pair_make("noise.4", "scene.2", W, H);
    floats g[4];
    lpips_image img[4];
    double most;

    (void)state;
    for (int i = 0; i < 3 * W * H; i++) {
        u8[i] = p.rgb[0][i];
        u16[i] = (uint16_t)(4 * u8[i]);
        f32[i] = (float)(u8[i] / 255.);
    }
    lpips_image_packed(&img[0], LPIPS_F32, f32, W, H, 3, 12 * W);
    lpips_image_packed(&img[1], LPIPS_U8, u8, W, H, 3, 3 * W);
    lpips_image_packed(&img[2], LPIPS_U16, u16, W, H, 3, 6 * W);
    img[2].white = 1020;
    assert_int_equal(lpips_image_frame(&img[3], &frame), LPIPS_OK);
    for (int i = 0; i < 4; i++) {
        g[i] = floats_make(W, H);
        floats_gradient(test_random_weights(LPIPS_NET_SQUEEZE, "0.1"), NULL, &img[i],
                        &p.image[1], &g[i]);
    }
    most = floats_largest(&g[0]);
    for (int i = 1; i < 4; i++)
        for (int k = 0; k < 3 * W * H; k++) {
            double unit = i == 1 ? 255 : i == 2 ? 1020 : 1;

            if (!(fabs((double)g[i].v[k] * unit - (double)g[0].v[k]) <= 1e-4 * most))
                fail_msg("format %d, sample %d: %.9g times %g, of floats %.9g", i, k,
                         (double)g[i].v[k], unit, (double)g[0].v[k]);
        }
    for (int i = 0; i < 4; i++)
        floats_free(&g[i]);
    test_pair_free(&p);
}

/* ---- where nothing can be said ------------------------------------------ */

static void equal_pictures(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        example e = example_make(cases[i].net, cases[i].width, cases[i].height);
        lpips_result r = floats_gradient(e.w, NULL, &e.ia, &e.ia, &e.g);

        assert_true(r.distance == 0);
        assert_true(floats_largest(&e.g) == 0);
        example_free(&e);
    }
}

/* Far from all differences. */
static void out_of_reach(void **state)
{
    floats a = floats_picture("scene.2", 700, 31, 1),
           b = floats_picture("scene.2", 700, 31, 1);
    floats g = floats_make(700, 31);
    lpips_image ia = floats_image(&a), ib = floats_image(&b);
    int near = 0;

    (void)state;
    b.v[15 * 700 + 20] += .1f;
    floats_gradient(test_random_weights(LPIPS_NET_ALEX, "0.1"), NULL, &ia, &ib, &g);
    floats_largest(&g); /* all of them finite */
    for (int i = 0; i < 3 * 31 * 700; i++) {
        near += i % 700 < 100 && g.v[i] != 0;
        if (i % 700 >= 500)
            assert_true(g.v[i] == 0);
    }
    assert_true(near > 1000);
    floats_free(&a);
    floats_free(&b);
    floats_free(&g);
}

/* Biases below 0 and a black picture of version 0.0 in 0..1: all of its features are 0,
 * though the other's are not.  The reference code gives NaN. */
static void no_features(lpips_net net)
{
    learn_tensor items[LPIPS_MAX_TENSORS];
    lpips_tensor_spec names[LPIPS_MAX_TENSORS];
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    floats black = floats_make(40, 33), b = floats_picture("noise.1", 40, 33, 1);
    floats g = floats_make(40, 33);
    lpips_image ia = floats_image(&black), ib = floats_image(&b);
    float *values;
    int n = st_random_items(net, TEST_SEED, items, names, &values);
    unsigned char *file;
    lpips_weights *w;
    lpips_result r;
    size_t size;

    for (int i = 0; i < n; i++)
        for (int k = 0; items[i].dims == 1 && k < items[i].shape[0]; k++)
            ((float *)(uintptr_t)items[i].floats)[k] = -.01f;
    file = learn_checkpoint(items, n, "{\"version\":\"0.0\"}", &size);
    assert_int_equal(lpips_weights_load_memory(&w, file, size, NULL, 0), LPIPS_OK);
    memset(black.v, 0, 3 * black.n * sizeof *black.v);
    o.flags = LPIPS_RANGE_0_1;
    r = floats_gradient(w, &o, &ia, &ib, &g);
    assert_true(r.distance > .01);
    assert_true(floats_largest(&g) == 0);
    r = floats_gradient(w, &o, &ib, &ia, &g); /* the other way there is one */
    assert_true(floats_largest(&g) > 0);
    lpips_weights_unref(w);
    free(file);
    free(values);
    floats_free(&black);
    floats_free(&b);
    floats_free(&g);
}

static void zeros_give_zero(void **state)
{
    (void)state;
    no_features(LPIPS_NET_ALEX);
    no_features(LPIPS_NET_SQUEEZE);
    no_features(LPIPS_NET_VGG);
}

/* ---- refusals ----------------------------------------------------------- */

static void wrong_arguments(void **state)
{
    example e = example_make(LPIPS_NET_SQUEEZE, 40, 33);
    lpips_planes good = floats_planes(&e.g), bad;
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    lpips_context *plain = test_context(e.w, 40, 33, &o), *c;
    lpips_image small = e.ia;
    lpips_result r;

    (void)state;
    o.flags = LPIPS_WANT_GRADIENT;
    c = test_context(e.w, 40, 33, &o);
    assert_int_equal(lpips_gradient(plain, &e.ia, &e.ib, &r, &good), LPIPS_ERR_UNSUPPORTED);
    assert_int_equal(lpips_gradient(NULL, &e.ia, &e.ib, &r, &good), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_gradient(c, NULL, &e.ib, &r, &good), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_gradient(c, &e.ia, NULL, &r, &good), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_gradient(c, &e.ia, &e.ib, NULL, &good), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_gradient(c, &e.ia, &e.ib, &r, NULL), LPIPS_ERR_ARGUMENT);
    small.height--;
    assert_int_equal(lpips_gradient(c, &small, &e.ib, &r, &good), LPIPS_ERR_SIZE);
    for (int i = 0; i < 6; i++) {
        bad = good;
        if (i == 0)
            bad.plane[1] = NULL;
        else if (i == 1)
            bad.plane[2] = bad.plane[0];
        else if (i == 2)
            bad.pixel_stride = 0;
        else if (i == 3)
            bad.pixel_stride = 6;
        else if (i == 4)
            bad.row_stride[1] = 4 * 39;
        else
            bad.row_stride[2] = 4 * 40 + 1;
        if (lpips_gradient(c, &e.ia, &e.ib, &r, &bad) != LPIPS_ERR_ARGUMENT)
            fail_msg("planes %d are accepted", i);
    }
    e.a.v[700] = NAN;
    assert_int_equal(lpips_gradient(c, &e.ia, &e.ib, &r, &good), LPIPS_ERR_NOT_FINITE);
    assert_int_equal(lpips_gradient(c, &e.ib, &e.ia, &r, &good), LPIPS_ERR_NOT_FINITE);
    lpips_context_free(plain);
    lpips_context_free(c);
    example_free(&e);
}

/* What lpips_context_memory() says is enough, and no less. */
static void memory(void **state)
{
    lpips_weights *w = test_random_weights(LPIPS_NET_ALEX, "0.1");
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    size_t plain = lpips_context_memory(w, 640, 480, &o), bytes;
    lpips_context *c;

    (void)state;
    o.flags = LPIPS_WANT_GRADIENT;
    bytes = lpips_context_memory(w, 640, 480, &o);
    assert_true(bytes > plain);
    o.memory_limit = bytes;
    lpips_context_free(test_context(w, 640, 480, &o));
    o.memory_limit = bytes / 2;
    assert_int_equal(lpips_context_create(&c, w, 640, 480, &o), LPIPS_ERR_MEMORY);
    assert_null(c);
    assert_int_equal(lpips_context_create(&c, w, 1 << 20, 1 << 20, &o), LPIPS_ERR_MEMORY);
}

typedef struct listener {
    int calls, stop_at;
    double last;
} listener;

static int listen(void *opaque, double fraction)
{
    listener *l = opaque;

    assert_true(fraction >= l->last && fraction <= 1.000001);
    l->last = fraction;
    return ++l->calls == l->stop_at;
}

static void progress(void **state)
{
    example e = example_make(LPIPS_NET_SQUEEZE, 40, 33);
    lpips_planes out = floats_planes(&e.g);
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    listener l = {0, 0, 0};
    lpips_context *c;
    lpips_result r;
    int all;

    (void)state;
    o.flags = LPIPS_WANT_GRADIENT;
    o.progress = listen;
    o.progress_opaque = &l;
    c = test_context(e.w, 40, 33, &o);
    assert_int_equal(lpips_gradient(c, &e.ia, &e.ib, &r, &out), LPIPS_OK);
    assert_true(l.last > .999999);
    all = l.calls;
    assert_true(all > 10);
    for (int i = 1; i <= all; i++) {
        l = (listener){0, i, 0};
        assert_int_equal(lpips_gradient(c, &e.ia, &e.ib, &r, &out), LPIPS_ERR_ABORTED);
        assert_int_equal(l.calls, i);
    }
    lpips_context_free(c);
    example_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_bands),
        cmocka_unit_test(layouts),
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(several_pairs),
        cmocka_unit_test(whichever_context_was_first),
        cmocka_unit_test(units),
        cmocka_unit_test(equal_pictures),
        cmocka_unit_test(out_of_reach),
        cmocka_unit_test(zeros_give_zero),
        cmocka_unit_test(wrong_arguments),
        cmocka_unit_test(memory),
        cmocka_unit_test(progress),
    };
    int failed = cmocka_run_group_tests_name("gradients: promises", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
