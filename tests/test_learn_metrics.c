/*
 * test_learn_metrics.c - the metrics that LPIPS is judged beside: against the tables of
 * well-kept packages (golden/make_metrics.py), values known by hand, promises, errors.
 */
#include "pictures.h"
#include "support.h"

#include "metrics/room.h"

#include <fftw3.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char why[LEARN_WHY];

static learn_picture view(const uint8_t *rgb, int width, int height)
{
    return (learn_picture){rgb, width, height, 3 * (ptrdiff_t)width};
}

static double distance(learn_metric_room *room, const char *name, const uint8_t *a,
                       const uint8_t *b, int width, int height)
{
    learn_picture p = view(a, width, height), q = view(b, width, height);
    double d = NAN;

    if (learn_metric_distance(learn_metric_find(name), room, &p, &q, &d, why) < 0)
        fail_msg("%s", why);
    return d;
}

/* ---- against other packages ------------------------------------------------ */

typedef struct row {
    char metric[16], a[32], b[32];
    int width, height;
    double value;
} row;

/* Both sides compute in double, in different orders, numbers that come from values around 1:
 * each of a picture's sums is good to some 1e-14 of that, and what is left after 1 - x keeps
 * the absolute error.  Values of L2, which nothing is subtracted from, agree in proportion.
 */
static int agrees(double got, double expected)
{
    return fabs(got - expected) <= 1e-12 + 1e-12 * fabs(expected);
}

static row parse(const char *line)
{
    row r;

    assert_int_equal(sscanf(line, "%15s %d %d %31s %31s %lf", r.metric, &r.width, &r.height,
                            r.a, r.b, &r.value),
                     6);
    return r;
}

static void test_golden(void **state)
{
    learn_metric_room *room = learn_metric_room_make();
    FILE *f = fopen("tests/golden/metrics.tsv", "r");
    row last = {.width = 0};
    test_pair p = {.width = 0};
    int done = 0, skipped = 0;
    double worst = 0;
    char line[256];

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        row r;
        double d;

        if (*line == '#')
            continue;
        r = parse(line);
        if (r.width != last.width || r.height != last.height || strcmp(r.a, last.a) ||
            strcmp(r.b, last.b)) {
            test_pair_free(&p);
            p = test_pair_make(r.a, r.b, r.width, r.height);
            last = r;
        }
        if (!p.rgb[0] || !p.rgb[1]) {
            skipped++;
            continue;
        }
        d = distance(room, r.metric, p.rgb[0], p.rgb[1], r.width, r.height);
        worst = fmax(worst, fabs(d - r.value));
        if (!agrees(d, r.value))
            fail_msg("%s is %.16g", line, d);
        done++;
    }
    fclose(f);
    test_pair_free(&p);
    learn_metric_room_free(room);
    print_message("%d distances, largest deviation %.2g\n", done, worst);
    if (skipped)
        print_message("skipped: %d distances of pictures of ../shared/data/pairs\n", skipped);
    assert_true(done > 600);
}

/* sRGB under D65 is defined to four to seven digits; these are scikit-image's. */
static void test_lab(void **state)
{
    learn_metric_room *room = learn_metric_room_make();
    FILE *f = fopen("tests/golden/lab.tsv", "r");
    char line[256];
    int done = 0;

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        unsigned v[3];
        double expected[3], got[3];
        uint8_t rgb[3];
        learn_picture p = view(rgb, 1, 1);

        if (*line == '#')
            continue;
        assert_int_equal(sscanf(line, "%u %u %u %lf %lf %lf", &v[0], &v[1], &v[2],
                                &expected[0], &expected[1], &expected[2]),
                         6);
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)v[c];
        learn_planes_lab(room->light, &p, got);
        for (int c = 0; c < 3; c++)
            if (fabs(got[c] - expected[c]) > 1e-12 * 100)
                fail_msg("%s: number %d is %.16g", line, c, got[c]);
        done++;
    }
    fclose(f);
    learn_metric_room_free(room);
    assert_int_equal(done, 79);
}

/* ---- known by hand --------------------------------------------------------- */

static double similar(double x, double y, double t)
{
    return (2 * x * y + t) / (x * x + y * y + t);
}

/* Two flat greys: no structure, so SSIM is its first factor, L2 and PSNR the difference. */
static void test_flat(void **state)
{
    enum { W = 48, H = 45, P = 200, Q = 170 };
    static uint8_t p[W * H * 3], q[W * H * 3];
    learn_metric_room *room = learn_metric_room_make();
    double means = similar(P, Q, 2.55 * 2.55), power;

    (void)state;
    memset(p, P, sizeof p);
    memset(q, Q, sizeof q);
    power = 0.3001 / (0.0448 + 0.2856 + 0.3001); /* of the third of three scales */
    assert_true(agrees(distance(room, "l2-rgb", p, q, W, H), 30 * 30 / 127.5 / 127.5));
    assert_true(agrees(distance(room, "psnr", p, q, W, H), 20 * log10(30 / 255.0)));
    assert_true(agrees(distance(room, "ssim-rgb", p, q, W, H), (1 - means) / 2));
    assert_true(agrees(distance(room, "ssim", p, q, W, H), 1 - means));
    assert_true(agrees(distance(room, "ms-ssim", p, q, W, H), 1 - pow(means, power)));
    learn_metric_room_free(room);
}

/* FSIM of two flat greys: no phases, so all samples count alike, and gradients at the border
 * alone, against the 0 outside: Scharr's operator gives 16 / 16 along a side and 13 / 16 in
 * both directions at a corner. */
static void test_flat_fsim(void **state)
{
    enum { P = 200, Q = 170 };
    static const int sizes[][2] = {{48, 45}, {31, 37}, {53, 47}, {64, 61}};
    learn_metric_room *room = learn_metric_room_make();
    double side = similar(P, Q, 160), corner = 13 * sqrt(2) / 16;

    (void)state;
    corner = similar(corner * P, corner * Q, 160);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        int w = sizes[i][0], h = sizes[i][1], n = w * h, sides = 2 * (w - 2) + 2 * (h - 2);
        uint8_t *p = picture_make("black.0", w, h), *q = picture_make("black.0", w, h);
        double expected = 1 - (n - sides - 4 + sides * side + 4 * corner) / n;

        memset(p, P, 3 * (size_t)n);
        memset(q, Q, 3 * (size_t)n);
        assert_true(agrees(distance(room, "fsim", p, q, w, h), expected));
        assert_true(agrees(distance(room, "fsimc", p, q, w, h), expected));
        free(p);
        free(q);
    }
    learn_metric_room_free(room);
}

static void test_black_white(void **state)
{
    uint8_t black[12 * 12 * 3], white[sizeof black];
    learn_metric_room *room = learn_metric_room_make();

    (void)state;
    memset(black, 0, sizeof black);
    memset(white, 255, sizeof white);
    assert_true(distance(room, "l2-rgb", black, white, 12, 12) == 4);
    assert_true(distance(room, "psnr", black, white, 12, 12) == 0);
    /* L* goes from 0 to 100; a* and b* of scikit-image's white are 0.005 and 0.01 off. */
    assert_true(fabs(distance(room, "l2-lab", black, white, 12, 12) - 1 / 6.0) < 1e-8);
    learn_metric_room_free(room);
}

/* A picture and its negative: structures are opposed, which MS-SSIM counts as none. */
static void test_negative(void **state)
{
    uint8_t *a = picture_make("noise.1", 50, 50), *b = picture_make("noise.1", 50, 50);
    learn_metric_room *room = learn_metric_room_make();

    (void)state;
    for (int i = 0; i < 50 * 50 * 3; i++)
        b[i] = (uint8_t)(255 - b[i]);
    assert_true(distance(room, "ssim", a, b, 50, 50) > 1);
    assert_true(distance(room, "ms-ssim", a, b, 50, 50) == 1);
    free(a);
    free(b);
    learn_metric_room_free(room);
}

/* ---- promises -------------------------------------------------------------- */

static const char *const changes[] = {"scene.1+blur.2",    "scene.1+grain.9",
                                      "scene.1+step.4999", "noise.3",
                                      "black.0",           "white.0"};

/* The same one way and the other, in reach, equal pictures as the table in metrics.h says. */
static void test_promises(void **state)
{
    enum { W = 61, H = 53 };
    uint8_t *a = picture_make("scene.1", W, H), *copy = malloc(W * H * 3);
    learn_metric_room *room = learn_metric_room_make();

    (void)state;
    assert_non_null(copy);
    memcpy(copy, a, W * H * 3);
    for (const learn_metric *m = learn_metrics; m->name; m++) {
        double equal = distance(room, m->name, a, copy, W, H);

        assert_true(equal == (strcmp(m->name, "psnr") ? 0 : -200));
        for (size_t i = 0; i < COUNT(changes); i++) {
            uint8_t *b = picture_make(changes[i], W, H);
            double d = distance(room, m->name, a, b, W, H);

            assert_true(isfinite(d) && d > equal);
            assert_true(d <= (strcmp(m->name, "l2-rgb") ? 2 : 4));
            assert_true(d == distance(room, m->name, b, a, W, H));
            free(b);
        }
    }
    free(a);
    free(copy);
    learn_metric_room_free(room);
}

/* Flat pictures: exactly 0 by FSIM too, though nothing in them has a phase. */
static void test_flat_equal(void **state)
{
    uint8_t *a = picture_make("white.0", 20, 30), *b = picture_make("white.0", 20, 30);
    learn_metric_room *room = learn_metric_room_make();

    (void)state;
    for (const learn_metric *m = learn_metrics; m->name; m++)
        assert_true(distance(room, m->name, a, b, 20, 30) ==
                    (strcmp(m->name, "psnr") ? 0 : -200));
    free(a);
    free(b);
    learn_metric_room_free(room);
}

/* Part of a larger picture, and upside down, at an odd address. */
static void test_strides(void **state)
{
    enum { W = 50, H = 40, PART = 33, LEFT = 5 };
    uint8_t *a = picture_make("scene.1", W, H), *b = picture_make("scene.2", W, H);
    uint8_t part[2][PART * PART * 3], flipped[2][PART * PART * 3];
    learn_metric_room *room = learn_metric_room_make();

    (void)state;
    for (int y = 0; y < PART; y++)
        for (int i = 0; i < 2; i++) {
            const uint8_t *from = (i ? b : a) + 3 * (y * W + LEFT);

            memcpy(part[i] + 3 * y * PART, from, 3 * PART);
            memcpy(flipped[i] + 3 * (PART - 1 - y) * PART, from, 3 * PART);
        }
    for (const learn_metric *m = learn_metrics; m->name; m++) {
        learn_picture whole[2], back[2];
        double packed = distance(room, m->name, part[0], part[1], PART, PART), d, e;

        for (int i = 0; i < 2; i++) {
            whole[i] = (learn_picture){(i ? b : a) + 3 * LEFT, PART, PART, 3 * W};
            back[i] = view(flipped[i] + sizeof flipped[i] - 3 * PART, PART, PART);
            back[i].stride = -back[i].stride;
        }
        assert_int_equal(learn_metric_distance(m, room, &whole[0], &whole[1], &d, why), 0);
        assert_int_equal(learn_metric_distance(m, room, &back[0], &whole[1], &e, why), 0);
        assert_true(d == packed);
        assert_true(e == packed);
    }
    free(a);
    free(b);
    learn_metric_room_free(room);
}

/* What a room keeps for pictures of one size does not reach those of another. */
static void test_room(void **state)
{
    static const int sizes[][2] = {{47, 51}, {64, 64}, {64, 51},
                                   {47, 51}, {64, 51}, {33, 90}};
    learn_metric_room *room = learn_metric_room_make();

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        int w = sizes[i][0], h = sizes[i][1];
        uint8_t *a = picture_make("scene.1", w, h), *b = picture_make("scene.1+blur.1", w, h);

        for (const learn_metric *m = learn_metrics; m->name; m++) {
            learn_metric_room *fresh = learn_metric_room_make();

            assert_true(distance(room, m->name, a, b, w, h) ==
                        distance(fresh, m->name, a, b, w, h));
            learn_metric_room_free(fresh);
        }
        free(a);
        free(b);
    }
    learn_metric_room_free(room);
}

enum { THREADS = 4, ROUNDS = 6 };

/* Every metric at two sizes by turns, so that what room keeps is made anew. */
static void *all_metrics(void *out)
{
    learn_metric_room *room = learn_metric_room_make();
    double *d = out;

    for (int i = 0; i < ROUNDS; i++) {
        int w = i % 2 ? 64 : 47, h = i % 2 ? 64 : 51;
        uint8_t *a = picture_make("scene.1", w, h), *b = picture_make("scene.1+blur.1", w, h);
        learn_picture p = view(a, w, h), q = view(b, w, h);

        for (const learn_metric *m = learn_metrics; m->name; m++)
            if (learn_metric_distance(m, room, &p, &q, d++, why) < 0)
                abort();
        free(a);
        free(b);
    }
    learn_metric_room_free(room);
    return NULL;
}

static void test_threads(void **state)
{
    static double result[THREADS + 1][ROUNDS * 16];
    pthread_t thread[THREADS];

    (void)state;
    all_metrics(result[THREADS]);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, all_metrics, result[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_memory_equal(result[i], result[THREADS], sizeof *result);
    }
}

/* ---- errors ---------------------------------------------------------------- */

static void refuse(const char *name, int w, int h, int other_w, int other_h,
                   const char *expected)
{
    static uint8_t pixels[64 * 64 * 3];
    learn_metric_room *room = learn_metric_room_make();
    learn_picture a = view(pixels, w, h), b = view(pixels, other_w, other_h);
    double d;

    assert_int_equal(learn_metric_distance(learn_metric_find(name), room, &a, &b, &d, why),
                     -1);
    assert_string_equal(why, expected);
    learn_metric_room_free(room);
}

static void test_errors(void **state)
{
    (void)state;
    assert_null(learn_metric_find("hdr-vdp"));
    assert_null(learn_metric_find(""));
    refuse("ssim", 20, 20, 20, 21,
           "SSIM compares pictures of one size, not 20x20 with 20x21");
    refuse("l2-rgb", 20, 20, 19, 20,
           "L2 (RGB) compares pictures of one size, not 20x20 with 19x20");
    refuse("ms-ssim", 30, 10, 30, 10, "MS-SSIM needs pictures of 11x11 at least, not 30x10");
    refuse("ssim-lab", 6, 30, 6, 30, "SSIM (Lab) needs pictures of 7x7 at least, not 6x30");
    refuse("fsimc", 1, 30, 1, 30, "FSIMc needs pictures of 2x2 at least, not 1x30");
    refuse("psnr", 3, 0, 3, 0, "PSNR needs pictures of 1x1 at least, not 3x0");
    refuse("psnr", 65536, 1, 65536, 1,
           "PSNR takes pictures of up to 65535 a side, not 65536x1");
}

static int calls, refused; /* allocations so far; the one to refuse, from 1 */

void *__real_calloc(size_t n, size_t size);
double *__real_fftw_alloc_real(size_t n);
fftw_complex *__real_fftw_alloc_complex(size_t n);
void *__wrap_calloc(size_t n, size_t size);
double *__wrap_fftw_alloc_real(size_t n);
fftw_complex *__wrap_fftw_alloc_complex(size_t n);

void *__wrap_calloc(size_t n, size_t size)
{
    return ++calls == refused ? NULL : __real_calloc(n, size);
}

double *__wrap_fftw_alloc_real(size_t n)
{
    return ++calls == refused ? NULL : __real_fftw_alloc_real(n);
}

fftw_complex *__wrap_fftw_alloc_complex(size_t n)
{
    return ++calls == refused ? NULL : __real_fftw_alloc_complex(n);
}

/* The first, the second, ... allocation refused: said so, nothing lost, and the room serves
 * the next pair. */
static void test_memory(void **state)
{
    enum { W = 21, H = 19 };
    uint8_t *a = picture_make("scene.1", W, H), *b = picture_make("scene.2", W, H);
    learn_picture p = view(a, W, H), q = view(b, W, H);

    (void)state;
    for (const learn_metric *m = learn_metrics; m->name; m++) {
        int failures = 0, status = -1;

        while (status < 0) {
            learn_metric_room *room = learn_metric_room_make();
            double d, again;

            calls = 0;
            refused = failures + 1;
            status = learn_metric_distance(m, room, &p, &q, &d, why);
            refused = 0;
            if (status < 0) {
                failures++;
                assert_non_null(strstr(why, "no memory for "));
            }
            assert_int_equal(learn_metric_distance(m, room, &p, &q, &again, why), 0);
            assert_true(status < 0 || d == again);
            learn_metric_room_free(room);
        }
        print_message("%s: %d allocations\n", m->name, failures);
    }
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),     cmocka_unit_test(test_lab),
        cmocka_unit_test(test_flat),       cmocka_unit_test(test_black_white),
        cmocka_unit_test(test_negative),   cmocka_unit_test(test_flat_fsim),
        cmocka_unit_test(test_room),       cmocka_unit_test(test_promises),
        cmocka_unit_test(test_flat_equal), cmocka_unit_test(test_strides),
        cmocka_unit_test(test_threads),    cmocka_unit_test(test_errors),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
