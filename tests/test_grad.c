/*
 * test_grad.c - lpips_gradient() by every set of kernels: against differences of ref.c in
 * double, and against PyTorch's autograd (golden/make_gradients.py).
 */
#include "grad_support.h"
#include "pictures.h"
#include "ref.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static ref_picture exact(const floats *f)
{
    ref_picture p = {f->width, f->height, malloc(3 * f->n * sizeof *p.rgb)};

    assert_non_null(p.rgb);
    for (size_t i = 0; i < 3 * f->n; i++)
        p.rgb[i] = (double)f->v[i];
    return p;
}

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
        double got = 0, most = floats_largest(&s->g[k]);

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
    lpips_image a = floats_image(&s->a), b = floats_image(&s->b);
    lpips_weights *w = test_random_weights(s->net, s->version);

    s->sets = test_kernel_sets(s->set);
    for (int k = 0; k < s->sets; k++) {
        lpips_options o = LPIPS_OPTIONS_DEFAULT;
        lpips_context *c;
        lpips_result r[2];

        o.flags = s->flags;
        o.cpu_disable = s->set[k].disable;
        s->g[k] = floats_make(s->a.width, s->a.height);
        r[0] = floats_gradient(w, &o, &a, &b, &s->g[k]);
        c = test_context(w, s->a.width, s->a.height, &o);
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

    s->a = floats_picture(name[0], width, height, 2 * seed);
    s->b = floats_picture(name[1], width, height, 2 * seed + 1);
    compute(s);
    for (int kind = 0; kind < DIRECTIONS && !again; kind++)
        again = check_direction(s, kind);
    for (int k = 0; k < s->sets; k++)
        floats_free(&s->g[k]);
    floats_free(&s->a);
    floats_free(&s->b);
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
}

static void say_worst(void)
{
    print_message("largest deviation %.2g of the largest |g|\n", worst);
    worst = 0;
}

static void differences(lpips_net net, const int (*size)[2], size_t sizes)
{
    for (size_t i = 0; i < sizes; i++)
        check_pair(net, i % 3 == 1 ? "0.0" : "0.1",
                   (i % 4 == 3 ? LPIPS_NO_LIN : 0u) | (i % 4 == 2 ? LPIPS_RANGE_0_1 : 0u),
                   size[i][0], size[i][1]);
    say_worst();
}

static void differences_alex(void **state)
{
    static const int sizes[][2] = {{31, 31}, {32, 31}, {33, 35}, {34, 47},
                                   {47, 34}, {63, 63}, {41, 70}, {70, 70}};

    (void)state;
    differences(LPIPS_NET_ALEX, sizes, test_quick() ? 2 : COUNT(sizes));
}

static void differences_squeeze(void **state)
{
    static const int sizes[][2] = {{17, 17}, {18, 17}, {19, 20}, {21, 34},
                                   {34, 22}, {62, 62}, {23, 70}, {70, 69}};

    (void)state;
    differences(LPIPS_NET_SQUEEZE, sizes, test_quick() ? 2 : COUNT(sizes));
}

static void differences_vgg(void **state)
{
    static const int sizes[][2] = {{16, 16}, {17, 16}, {18, 33}, {47, 19}, {70, 70}};

    (void)state;
    differences(LPIPS_NET_VGG, sizes, test_quick() ? 1 : COUNT(sizes));
}

/* ---- autograd ----------------------------------------------------------- */

typedef struct golden {
    char weights[16], net[16], version[8], flags[32], a[32], b[32];
    int width, height;
    double largest, mean;
    char *rest; /* sample:value ..., then patches */
} golden;

static double off(double got, double expected, const golden *g, const char *what)
{
    double deviation = fabs(got - expected) / g->largest;

    if (!(deviation <= 1e-4))
        fail_msg("%s %s v%s %s %dx%d %s, %s: %.9g, expected %.9g; largest %.9g", g->weights,
                 g->net, g->version, g->flags, g->width, g->height, g->a, what, got, expected,
                 g->largest);
    worst = fmax(worst, deviation);
    return deviation;
}

/* Along the signs of patch k of make_gradients.py. */
static double patch(const floats *g, int k)
{
    int c = k % 3, x0 = (7 + 31 * k) % (g->width - 6), y0 = (5 + 17 * k) % (g->height - 5);
    double sum = 0;

    for (int i = 0; i < 30; i++) {
        size_t at = (size_t)((c * g->height + y0 + i / 6) * g->width + x0 + i % 6);

        sum += (i * i + k) % 3 ? (double)g->v[at] : -(double)g->v[at];
    }
    return sum / 30;
}

static void check_golden(const golden *g, const floats *got)
{
    double mean = 0, value;
    int patches = 0, samples = 0, length;
    size_t at;

    for (size_t i = 0; i < 3 * got->n; i++)
        mean += fabs((double)got->v[i]) / (double)(3 * got->n);
    off(mean, g->mean, g, "mean");
    off(floats_largest(got), g->largest, g, "largest");
    for (char *p = g->rest; *p && *p != '\n'; p += length)
        if (sscanf(p, "%zu:%lf %n", &at, &value, &length) == 2) {
            off((double)got->v[at], value, g, "sample");
            samples++;
        } else {
            assert_int_equal(sscanf(p, "%lf %n", &value, &length), 1);
            off(patch(got, patches++), value, g, "patch");
        }
    assert_true(samples > 9 && patches > 3);
}

/* 0: the weights are not there. */
static int check_row(const golden *g)
{
    lpips_net net = (lpips_net)lpips_net_from_name(g->net);
    lpips_weights *w = strcmp(g->weights, "real") ? test_random_weights(net, g->version)
                                                  : test_real_weights(net, g->version);
    test_pair p = test_pair_make(g->a, g->b, g->width, g->height);
    floats got = floats_make(g->width, g->height);
    test_kernels set[4];
    int sets = test_kernel_sets(set);

    for (int k = 0; k < sets && w; k++) {
        lpips_options o = LPIPS_OPTIONS_DEFAULT;

        o.flags = (strstr(g->flags, "no-lin") ? LPIPS_NO_LIN : 0u) |
                  (strstr(g->flags, "range01") ? LPIPS_RANGE_0_1 : 0u);
        o.cpu_disable = set[k].disable;
        floats_gradient(w, &o, &p.image[0], &p.image[1], &got);
        check_golden(g, &got);
    }
    floats_free(&got);
    test_pair_free(&p);
    return w != NULL;
}

static void autograd(void **state)
{
    FILE *f = fopen("tests/golden/gradients.tsv", "r");
    int done = 0, skipped = 0, at;
    char line[2048];

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        golden g;

        if (*line == '#')
            continue;
        assert_int_equal(sscanf(line, "%15s %15s %7s %31s %d %d %31s %31s %*f %lf %lf %n",
                                g.weights, g.net, g.version, g.flags, &g.width, &g.height,
                                g.a, g.b, &g.largest, &g.mean, &at),
                         10);
        g.rest = line + at;
        if (check_row(&g))
            done++;
        else
            skipped++;
    }
    fclose(f);
    print_message("%d rows, %d skipped, largest deviation %.2g of the largest |g|\n", done,
                  skipped, worst);
    assert_true(done >= 3); /* those of random weights */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(autograd),
        cmocka_unit_test(differences_alex),
        cmocka_unit_test(differences_squeeze),
        cmocka_unit_test(differences_vgg),
    };
    int failed = cmocka_run_group_tests_name("gradients", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
