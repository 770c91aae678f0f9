/*
 * test_grad.c - lpips_gradient(): against differences of ref.c in double, against itself by
 * other threads, strides and layouts, and where the distance has kinks.
 */
#include "pictures.h"
#include "ref.h"
#include "st_writer.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- pictures and gradients --------------------------------------------- */

/* Planes of floats, and a gradient of that size. */
typedef struct floats {
    int width, height;
    size_t n; /* samples of a plane */
    float *v; /* three planes */
} floats;

static floats floats_make(int width, int height)
{
    floats f = {width, height, (size_t)width * (size_t)height, NULL};

    f.v = malloc(3 * f.n * sizeof *f.v);
    assert_non_null(f.v);
    memset(f.v, 0xff, 3 * f.n * sizeof *f.v); /* NaN: unwritten places show */
    return f;
}

static lpips_image image_of(const floats *f)
{
    lpips_image img;

    assert_int_equal(
        lpips_image_planar(&img, LPIPS_F32,
                           (const void *const[3]){f->v, f->v + f->n, f->v + 2 * f->n},
                           (const ptrdiff_t[3]){4L * f->width, 4L * f->width, 4L * f->width},
                           f->width, f->height),
        LPIPS_OK);
    return img;
}

static lpips_planes planes_of(const floats *f)
{
    ptrdiff_t row = 4L * f->width;

    return (lpips_planes){{f->v, f->v + f->n, f->v + 2 * f->n}, {row, row, row}, 4};
}

/* A picture of pictures.h with some noise: none of its samples are equal, so that no maximum
 * is shared. */
static floats picture(const char *name, int width, int height, uint32_t seed)
{
    floats f = floats_make(width, height);
    uint8_t *rgb = picture_make(name, width, height);

    for (size_t i = 0; i < 3 * f.n; i++) {
        float noise = (float)(picture_hash((uint32_t)i + seed * 7919u) >> 8) * 0x1p-24f;

        f.v[i] = (float)rgb[i % f.n * 3 + i / f.n] / 255.f * .9f + .05f * noise;
    }
    free(rgb);
    return f;
}

static ref_picture exact(const floats *f)
{
    ref_picture p = {f->width, f->height, malloc(3 * f->n * sizeof *p.rgb)};

    assert_non_null(p.rgb);
    for (size_t i = 0; i < 3 * f->n; i++)
        p.rgb[i] = (double)f->v[i];
    return p;
}

static lpips_options with(unsigned flags)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;

    o.flags = flags | LPIPS_WANT_GRADIENT;
    return o;
}

static lpips_result gradient(lpips_weights *w, const lpips_options *o, const floats *a,
                             const floats *b, floats *g)
{
    lpips_context *c = test_context(w, a->width, a->height, o);
    lpips_image ia = image_of(a), ib = image_of(b);
    lpips_planes out = planes_of(g);
    lpips_result r;

    assert_int_equal(lpips_gradient(c, &ia, &ib, &r, &out), LPIPS_OK);
    lpips_context_free(c);
    return r;
}

static double largest(const floats *g)
{
    double most = 0;

    for (size_t i = 0; i < 3 * g->n; i++) {
        assert_true(isfinite(g->v[i]));
        most = fmax(most, fabs((double)g->v[i]));
    }
    return most;
}

static void same(const floats *a, const floats *b, const char *what)
{
    for (size_t i = 0; i < 3 * a->n; i++)
        if (memcmp(&a->v[i], &b->v[i], sizeof *a->v))
            fail_msg("%s: sample %zu is %.9g, not %.9g", what, i, (double)a->v[i],
                     (double)b->v[i]);
}

/* ---- differences in double ---------------------------------------------- */

/* What is compared: a pair by some weights. */
typedef struct setting {
    lpips_net net;
    const char *version;
    unsigned flags;
    floats a, b;
    floats g[4]; /* by set of kernels */
    int sets;
    test_kernels set[4];
} setting;

static double worst;

/* The rounding of a feature in float. */
#define MARGIN 5e-7

/* d(a + h v) - d(a - h v) over 2 h.  0 where some ReLU or maximum chooses otherwise on one
 * side, or, of those that v reaches, is nearer to it than `margin`: in float it may. */
static int slope(const setting *s, const double *v, double margin, double *result)
{
    const double h = 1e-7;
    lpips_weights *w = test_reference_weights(s->net, s->version);
    ref_picture b = exact(&s->b);
    ref_result r[2];
    int ok = 1;

    for (int side = 0; side < 2; side++) {
        ref_picture a = exact(&s->a);

        for (size_t i = 0; i < 3 * s->a.n; i++)
            a.rgb[i] += (side ? -h : h) * v[i];
        ref_lpips(w, &a, &b, s->flags | REF_WANT_CHOICES, &r[side]);
        ref_picture_free(&a);
    }
    for (size_t i = 0; i < r[0].choices && ok; i++) {
        const ref_choice *p = &r[0].choice[i], *q = &r[1].choice[i];

        ok = p->taken == q->taken && (p->margin == q->margin || p->margin > margin);
    }
    *result = (r[0].distance - r[1].distance) / (2 * h);
    ref_result_free(&r[0]);
    ref_result_free(&r[1]);
    ref_picture_free(&b);
    return ok;
}

enum { STEEPEST, SOME, PATCH, ALL, DIRECTIONS };

/* A direction whose absolute values have the sum 1: what it gives is at most the largest
 * |g|. */
static void direct(const setting *s, int kind, int try, double *v)
{
    const floats *g = &s->g[0];
    uint32_t draw = picture_hash((uint32_t)(kind * 64 + try + s->a.width * 4096));
    size_t n = 3 * g->n, at = draw % n;
    double sum = 0;

    memset(v, 0, n * sizeof *v);
    for (size_t i = 0; kind == STEEPEST && i < n; i++)
        if (fabsf(g->v[i]) > fabsf(g->v[at]) && (try < 1 || i % (size_t)(try + 1)))
            at = i;
    if (kind == STEEPEST || kind == SOME)
        v[at] = 1;
    for (size_t i = 0; i < n; i++) {
        size_t x = i % g->n % (size_t)g->width, y = i % g->n / (size_t)g->width;
        size_t x0 = at % g->n % (size_t)g->width, y0 = at % g->n / (size_t)g->width;

        if (kind == ALL || (kind == PATCH && x - x0 < 3 && y - y0 < 2))
            v[i] = g->v[i] < 0 ? -1 : 1;
        sum += fabs(v[i]);
    }
    for (size_t i = 0; i < n; i++)
        v[i] /= sum;
}

/* Not 0: another pair has to be drawn. */
static int check_direction(const setting *s, int kind)
{
    size_t n = 3 * s->a.n;
    double *v = malloc(n * sizeof *v), expected;
    int usable = 0;

    assert_non_null(v);
    for (int try = 0; try < 3 && !usable; try++) {
        direct(s, kind, try, v);
        usable = slope(s, v, kind == ALL ? 0 : MARGIN, &expected);
    }
    for (int k = 0; k < s->sets && usable; k++) {
        double got = 0, most = largest(&s->g[k]);

        for (size_t i = 0; i < n; i++)
            got += v[i] * (double)s->g[k].v[i];
        worst = fmax(worst, fabs(got - expected) / most);
        if (!(fabs(got - expected) <= 1e-4 * most))
            fail_msg("%s v%s %dx%d flags %u, %s, direction %d: %.9g, expected %.9g; largest "
                     "%.9g",
                     lpips_net_name(s->net), s->version, s->a.width, s->a.height, s->flags,
                     s->set[k].name, kind, got, expected, most);
    }
    free(v);
    return !usable;
}

/* Gradients by all sets of kernels; the distance beside them is that of lpips_compare(). */
static void compute(setting *s)
{
    lpips_image a = image_of(&s->a), b = image_of(&s->b);
    lpips_weights *w = test_random_weights(s->net, s->version);

    s->sets = test_kernel_sets(s->set);
    for (int k = 0; k < s->sets; k++) {
        lpips_options o = with(s->flags), plain = LPIPS_OPTIONS_DEFAULT;
        lpips_context *c;
        lpips_result r[2];

        plain.flags = s->flags;
        o.cpu_disable = plain.cpu_disable = s->set[k].disable;
        s->g[k] = floats_make(s->a.width, s->a.height);
        r[0] = gradient(w, &o, &s->a, &s->b, &s->g[k]);
        c = test_context(w, s->a.width, s->a.height, &plain);
        assert_int_equal(lpips_compare(c, &a, &b, &r[1]), LPIPS_OK);
        lpips_context_free(c);
        test_same_result(&r[0], &r[1], "the distance beside a gradient");
    }
}

static int check_drawn(setting *s, uint32_t seed, int width, int height)
{
    static const char *const names[][2] = {{"scene.1", "scene.1+blur.1"},
                                           {"scene.2", "scene.2+grain.9"},
                                           {"noise.3", "scene.3"}};
    const char *const *name = names[(width + height) % 3];
    int again = 0;

    s->a = picture(name[0], width, height, 2 * seed);
    s->b = picture(name[1], width, height, 2 * seed + 1);
    compute(s);
    for (int kind = 0; kind < DIRECTIONS && !again; kind++)
        again = check_direction(s, kind);
    for (int k = 0; k < s->sets; k++)
        free(s->g[k].v);
    free(s->a.v);
    free(s->b.v);
    return again;
}

static void check_pair(lpips_net net, const char *version, unsigned flags, int width,
                       int height)
{
    setting s = {.net = net, .version = version, .flags = flags};
    uint32_t seed = 1;

    for (; check_drawn(&s, seed, width, height); seed++)
        if (seed == 40)
            fail_msg("%s %dx%d: no pair far enough from a change of choice",
                     lpips_net_name(net), width, height);
    if (getenv("VERB"))
        print_message("%s %dx%d seed %u worst %g\n", lpips_net_name(net), width, height, seed,
                      worst);
}

static void say_worst(void)
{
    print_message("largest deviation %.2g of the largest |g|\n", worst);
    worst = 0;
}

static void differences_alex(void **state)
{
    static const int sizes[][2] = {{31, 31}, {32, 31}, {33, 35}, {34, 47},
                                   {47, 34}, {63, 63}, {41, 70}, {70, 70}};

    (void)state;
    for (size_t i = 0; i < (test_quick() ? 2 : COUNT(sizes)); i++)
        check_pair(LPIPS_NET_ALEX, i % 3 == 1 ? "0.0" : "0.1",
                   (i % 4 == 3 ? LPIPS_NO_LIN : 0u) | (i % 4 == 2 ? LPIPS_RANGE_0_1 : 0u),
                   sizes[i][0], sizes[i][1]);
    say_worst();
}

static void differences_squeeze(void **state)
{
    static const int sizes[][2] = {{17, 17}, {18, 17}, {19, 20}, {21, 34},
                                   {34, 22}, {62, 62}, {23, 70}, {70, 69}};

    (void)state;
    for (size_t i = 0; i < (test_quick() ? 2 : COUNT(sizes)); i++)
        check_pair(LPIPS_NET_SQUEEZE, i % 3 == 1 ? "0.0" : "0.1",
                   (i % 4 == 3 ? LPIPS_NO_LIN : 0u) | (i % 4 == 2 ? LPIPS_RANGE_0_1 : 0u),
                   sizes[i][0], sizes[i][1]);
    say_worst();
}

static void differences_vgg(void **state)
{
    static const int sizes[][2] = {{16, 16}, {17, 16}, {18, 33}, {47, 19}, {70, 70}};

    (void)state;
    for (size_t i = 0; i < (test_quick() ? 1 : COUNT(sizes)); i++)
        check_pair(LPIPS_NET_VGG, i % 3 == 1 ? "0.0" : "0.1",
                   (i % 4 == 3 ? LPIPS_NO_LIN : 0u) | (i % 4 == 2 ? LPIPS_RANGE_0_1 : 0u),
                   sizes[i][0], sizes[i][1]);
    say_worst();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_alex),
        cmocka_unit_test(differences_squeeze),
        cmocka_unit_test(differences_vgg),
    };
    int failed = cmocka_run_group_tests_name("gradients", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
