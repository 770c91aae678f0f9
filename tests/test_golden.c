/*
 * test_golden.c - distances, layer terms and maps against tables of numbers that an
 * independent implementation produced (golden/make_goldens.py), by every set of kernels.
 *
 * formula.tsv needs nothing but this repository.  Rows with published weights or with
 * pictures of ../shared are skipped, and said to be, where those are absent.
 */
#include "ref.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/golden/"

typedef struct golden {
    char weights[16], net[16], version[8], flags[32], a[32], b[32];
    int width, height, fields;
    char *rest; /* what follows the columns above */
} golden;

typedef struct tally {
    int done, skipped;
    double worst; /* deviation of a distance */
} tally;

static int parse(char *line, golden *g)
{
    int at = 0;

    memset(g, 0, sizeof *g);
    if (*line == '#' || *line == '\n')
        return 0;
    if (sscanf(line, "%15s %15s %7s %31s %d %d %31s %31s %n", g->weights, g->net, g->version,
               g->flags, &g->width, &g->height, g->a, g->b, &at) != 8)
        fail_msg("not a row of a golden table: %s", line);
    g->rest = line + at;
    return 1;
}

static unsigned flags_of(const golden *g)
{
    return (strstr(g->flags, "no-lin") ? LPIPS_NO_LIN : 0) |
           (strstr(g->flags, "range01") ? LPIPS_RANGE_0_1 : 0);
}

static void print_case(const golden *g, const char *kernels)
{
    print_message("%s %s v%s %s %dx%d %s %s, kernels %s\n", g->weights, g->net, g->version,
                  g->flags, g->width, g->height, g->a, g->b, kernels);
}

static lpips_weights *weights_of(const golden *g)
{
    lpips_net net = (lpips_net)lpips_net_from_name(g->net);

    if (!strcmp(g->weights, "real"))
        return test_real_weights(net, g->version);
    assert_string_equal(g->weights, "random.1");
    return test_random_weights(net, g->version);
}

static test_pair pictures_of(const golden *g)
{
    test_pair p = test_pair_make(g->a, g->b, g->width, g->height);

    if (!p.rgb[0] || !p.rgb[1])
        print_message("skipped: no picture %s or %s in ../shared/data/pairs\n", g->a, g->b);
    return p;
}

static void check_terms(const golden *g, const lpips_result *r, const char *kernels, tally *t)
{
    char *at = g->rest, *end;
    double distance = strtod(at, &end), slack = 1e-3 * distance;
    int layers = 0, bad = !test_near(r->distance, distance);

    t->worst = fmax(t->worst, fabs(r->distance - distance));
    slack = distance < 1e-5 || slack > 1e-6 ? 1e-6 : slack;
    for (at = end;; at = end, layers++) {
        double term = strtod(at, &end);

        if (end == at)
            break;
        assert_true(layers < r->layers);
        bad |= !(fabs(r->layer[layers] - term) <= slack);
    }
    assert_int_equal(layers, r->layers);
    if (!bad)
        return;
    print_case(g, kernels);
    print_message("expected %s", g->rest);
    print_message("got      %.16g", r->distance);
    for (int i = 0; i < r->layers; i++)
        print_message(" %.16g", r->layer[i]);
    fail_msg("off by %g", r->distance - distance);
}

static void check_row(const golden *g, tally *t)
{
    lpips_weights *w = weights_of(g);
    test_pair p = pictures_of(g);
    test_kernels sets[4];
    int n = test_kernel_sets(sets);

    if (!w || !p.rgb[0] || !p.rgb[1]) {
        t->skipped++;
        test_pair_free(&p);
        return;
    }
    for (int i = 0; i < n; i++) {
        lpips_options o = LPIPS_OPTIONS_DEFAULT;
        lpips_result r;

        o.flags = flags_of(g);
        o.cpu_disable = sets[i].disable;
        r = test_compare(w, &p, &o);
        check_terms(g, &r, sets[i].name, t);
    }
    t->done++;
    test_pair_free(&p);
}

/* All rows of a table for one net. */
static void table(const char *name, lpips_net net)
{
    char path[64], line[1024];
    tally t = {0, 0, 0};
    FILE *f;

    snprintf(path, sizeof path, FOLDER "%s", name);
    f = fopen(path, "r");
    if (!f)
        fail_msg("%s: cannot be read; run the tests from the top folder", path);
    while (fgets(line, sizeof line, f)) {
        golden g;

        if (!parse(line, &g) || strcmp(g.net, lpips_net_name(net)))
            continue;
        /* vgg takes long where every instruction is checked */
        if (test_quick() && net == LPIPS_NET_VGG && g.width * g.height > 20 * 20) {
            t.skipped++;
            continue;
        }
        check_row(&g, &t);
    }
    fclose(f);
    print_message("%s, %s: %d rows, %d skipped, largest deviation %.2g\n", name,
                  lpips_net_name(net), t.done, t.skipped, t.worst);
    if (!t.done && t.skipped)
        skip();
    assert_true(t.done > 0);
}

/* tests/ref.c, which other tests rely on, by the same numbers. */
static void reference(lpips_net net)
{
    char line[1024];
    FILE *f = fopen(FOLDER "formula.tsv", "r");
    int done = 0;

    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        ref_picture side[2];
        ref_result r;
        test_pair p;
        golden g;

        if (!parse(line, &g) || strcmp(g.net, lpips_net_name(net)))
            continue;
        p = pictures_of(&g);
        for (int i = 0; i < 2; i++)
            side[i] = ref_picture_u8(p.rgb[i], g.width, g.height);
        ref_lpips(test_reference_weights(net, g.version), &side[0], &side[1], flags_of(&g),
                  &r);
        if (!(fabs(r.distance - strtod(g.rest, NULL)) <= 1e-11)) {
            print_case(&g, "ref.c");
            fail_msg("%.15g, expected %s", r.distance, g.rest);
        }
        ref_picture_free(&side[0]);
        ref_picture_free(&side[1]);
        ref_result_free(&r);
        test_pair_free(&p);
        if (++done == 12 && test_quick())
            break;
    }
    fclose(f);
    assert_true(done >= 12);
}

/* ---- maps --------------------------------------------------------------- */

typedef struct cached {
    char key[160];
    test_maps maps;
    lpips_result result;
    int usable;
} cached;

/* Rows of one case follow each other: its maps are made once. */
static int maps_of(const golden *g, const test_kernels *k, cached *c)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    lpips_weights *w;
    test_pair p;
    char key[160];

    snprintf(key, sizeof key, "%s %s %s %s %d %d %s %s", g->weights, g->net, g->version,
             g->flags, g->width, g->height, g->a, g->b);
    if (!strcmp(key, c->key))
        return c->usable;
    strcpy(c->key, key);
    test_maps_free(&c->maps);
    w = weights_of(g);
    p = pictures_of(g);
    c->usable = w && p.rgb[0] && p.rgb[1];
    if (c->usable) {
        o.flags = flags_of(g);
        o.cpu_disable = k->disable;
        c->maps = test_maps_make(lpips_net_layers(lpips_weights_net(w)), g->width, g->height);
        c->result = test_compare_map(w, &p, &o, &c->maps);
    }
    test_pair_free(&p);
    return c->usable;
}

static void check_sample(const golden *g, const test_kernels *k, cached *c, tally *t)
{
    const float *map = c->maps.map.total;
    char layer[8];
    double value;
    int x, y;

    if (sscanf(g->rest, "%7s %d %d %lf", layer, &x, &y, &value) != 4)
        fail_msg("not a sample of a map: %s", g->rest);
    if (strcmp(layer, "total"))
        map = c->maps.map.layer[atoi(layer)];
    t->worst = fmax(t->worst, fabs(map[y * g->width + x] - value));
    if (!(fabs(map[y * g->width + x] - value) <= 1e-6)) {
        print_case(g, k->name);
        fail_msg("map %s at %d,%d: %.9g, expected %.9g", layer, x, y,
                 (double)map[y * g->width + x], value);
    }
    t->done++;
}

static void map_table(lpips_net net, const char *weights)
{
    test_kernels sets[4];
    int n = test_kernel_sets(sets);
    tally t = {0, 0, 0};

    for (int i = 0; i < n; i++) {
        cached c = {.usable = 0};
        char line[1024];
        FILE *f = fopen(FOLDER "maps.tsv", "r");

        assert_non_null(f);
        while (fgets(line, sizeof line, f)) {
            golden g;

            if (!parse(line, &g) || strcmp(g.net, lpips_net_name(net)) ||
                strncmp(g.weights, weights, 4))
                continue;
            if (maps_of(&g, &sets[i], &c))
                check_sample(&g, &sets[i], &c, &t);
            else
                t.skipped++;
        }
        test_maps_free(&c.maps);
        fclose(f);
    }
    print_message("maps.tsv, %s %s: %d samples, %d skipped, largest deviation %.2g\n",
                  weights, lpips_net_name(net), t.done, t.skipped, t.worst);
    if (!t.done && t.skipped)
        skip();
    assert_true(t.done > 0);
}

/* A two-dimensional numpy array of little-endian floats; NULL when there is no file. */
static float *read_npy(const char *path, int height, int width)
{
    size_t n = (size_t)height * (size_t)width;
    unsigned char head[10];
    char text[512] = "", shape[32];
    float *v = malloc(n * sizeof *v);
    FILE *f = fopen(path, "rb");
    size_t length;

    if (!f || !v) {
        free(v);
        return NULL;
    }
    assert_int_equal(fread(head, 1, 10, f), 10);
    assert_memory_equal(head, "\x93NUMPY\1", 7);
    length = head[8] + 256u * head[9];
    assert_true(length < sizeof text);
    assert_int_equal(fread(text, 1, length, f), length);
    snprintf(shape, sizeof shape, "(%d, %d)", height, width);
    assert_true(strstr(text, "'<f4'") && strstr(text, "False") && strstr(text, shape));
    assert_int_equal(fread(v, sizeof *v, n, f), n);
    fclose(f);
    return v;
}

/* Every pixel of the maps that lie beside the pictures. */
static void whole_map(lpips_net net)
{
    lpips_weights *w = test_real_weights(net, "0.1");
    test_pair p = test_pair_make("ex_ref", "ex_p0", 64, 64);
    test_maps maps = test_maps_make(lpips_net_layers(net), 64, 64);
    char path[128];
    float *expected;

    snprintf(path, sizeof path, "../shared/data/pairs/map_ex_ref_p0_%s.npy",
             lpips_net_name(net));
    expected = read_npy(path, 64, 64);
    if (!w || !p.rgb[0] || !p.rgb[1] || !expected) {
        print_message("skipped: needs weights, pictures and %s\n", path);
        free(expected);
        test_maps_free(&maps);
        test_pair_free(&p);
        skip();
    }
    test_compare_map(w, &p, NULL, &maps);
    for (int i = 0; i < 64 * 64; i++)
        if (!(fabs((double)maps.map.total[i] - expected[i]) <= 1e-6))
            fail_msg("map of %s at %d,%d: %.9g, expected %.9g", lpips_net_name(net), i % 64,
                     i / 64, (double)maps.map.total[i], (double)expected[i]);
    free(expected);
    test_maps_free(&maps);
    test_pair_free(&p);
}

#define FOR_EACH_NET(name, call)                 \
    static void name##_alex(void **s)            \
    {                                            \
        const lpips_net net = LPIPS_NET_ALEX;    \
        (void)s;                                 \
        call;                                    \
    }                                            \
    static void name##_vgg(void **s)             \
    {                                            \
        const lpips_net net = LPIPS_NET_VGG;     \
        (void)s;                                 \
        call;                                    \
    }                                            \
    static void name##_squeeze(void **s)         \
    {                                            \
        const lpips_net net = LPIPS_NET_SQUEEZE; \
        (void)s;                                 \
        call;                                    \
    }

FOR_EACH_NET(formula, table("formula.tsv", net))
FOR_EACH_NET(ref, reference(net))
FOR_EACH_NET(published, table("real.tsv", net))
FOR_EACH_NET(map, map_table(net, "rand"))
FOR_EACH_NET(published_map, map_table(net, "real"))
FOR_EACH_NET(published_whole_map, whole_map(net))

#define EACH_NET(name)                                           \
    cmocka_unit_test(name##_alex), cmocka_unit_test(name##_vgg), \
        cmocka_unit_test(name##_squeeze)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_NET(ref), EACH_NET(formula),       EACH_NET(published),
        EACH_NET(map), EACH_NET(published_map), EACH_NET(published_whole_map),
    };
    int failed = cmocka_run_group_tests_name("golden", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
