/*
 * test_learn_warp.c - pictures moved and bent, checked by where each pixel comes from;
 * scaled, sharpened and interpolated ones by what the algorithms must and must not do.
 */
#include "distort_support.h"

#include "pictures.h"

#include <stdio.h>

#include <libavutil/log.h>

enum { W = 65, H = 65, CELL = 16 };

/* Red says how far right, green how far down, in thirds of a pixel. */
static double place(int x, int y, int c)
{
    return c == 0 ? 3 * x : c == 1 ? 3 * y : 120;
}

/* Where the pixel x, y of a distorted `place` came from. */
static void origin(const uint8_t *rgb, int x, int y, double from[2])
{
    from[0] = rgb[3 * (y * W + x)] / 3.0;
    from[1] = rgb[3 * (y * W + x) + 1] / 3.0;
}

/* Slow waves: 100 levels in 64 pixels. */
static double waves(int x, int y, int c)
{
    return 128 + 50 * sin(x * DISTORT_TURN / 64 + c) + 50 * cos(y * DISTORT_TURN / 64 - c);
}

static int largest_inside(const uint8_t *a, const uint8_t *b, int border)
{
    int most = 0;

    for (int y = border; y < H - border; y++)
        for (int i = 3 * (y * W + border); i < 3 * (y * W + W - border); i++)
            most = abs(a[i] - b[i]) > most ? abs(a[i] - b[i]) : most;
    return most;
}

/* ---- sampling
 * -------------------------------------------------------------------------------- */

static void test_mirror(void **state)
{
    (void)state;
    for (int n = 1; n < 9; n++)
        for (int i = 0; i < n; i++) {
            assert_int_equal(distort_mirror(i, n), i);
            assert_int_equal(distort_mirror(-1 - i, n), i);
            assert_int_equal(distort_mirror(2 * n - 1 - i, n), i);
            assert_int_equal(distort_mirror(i + 6 * n, n), i);
            assert_int_equal(distort_mirror(i - 6 * n, n), i);
        }
}

/* Degree 2 and below comes out exact: red x^2 / 32 would not be whole, so x is halved: 15 of
 * them at most. */
static double parabola(int x, int y, int c)
{
    return c == 0 ? x * x : c == 1 ? x * y : (15 - y) * (15 - y);
}

static void test_exact_for_parabolas(void **state)
{
    const double m[9] = {0.9, 0.13, 0.4, -0.11, 0.85, 1.7, 0.001, -0.002, 1};
    enum { n = 16 };
    uint8_t *in = picture_by(parabola, n, n), out[3 * n * n];
    distort_job job = {.in = in, .out = out, .width = n, .height = n};
    int seen = 0;

    (void)state;
    distort_warp(&job, distort_by_matrix, m);
    for (int i = 0; i < n * n; i++) {
        double p[2], x, y;

        distort_by_matrix(m, i % n, i / n, p);
        x = p[0];
        y = p[1];
        if (x < 1 || y < 1 || x > n - 3 || y > n - 3)
            continue; /* some of the 4x4 samples are mirrored */
        seen++;
        assert_true(fabs(out[3 * i] - x * x) <= 0.5 + 1e-9);
        assert_true(fabs(out[3 * i + 1] - x * y) <= 0.5 + 1e-9);
        assert_true(fabs(out[3 * i + 2] - (15 - y) * (15 - y)) <= 0.5 + 1e-9);
    }
    assert_true(seen > 100);
    free(in);
}

/* ---- moving
 * ----------------------------------------------------------------------------------- */

/* Whole pixels of about the length asked for, and back by as many. */
static void test_shift(void **state)
{
    uint8_t *in = picture_by(place, W, H);

    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        uint8_t *out = by_amount("shift", 9, seed, in, W, H);
        double from[2];
        int dx, dy;

        origin(out, 32, 32, from);
        dx = 32 - (int)lrint(from[0]);
        dy = 32 - (int)lrint(from[1]);
        assert_true(fabs(hypot(dx, dy) - 9) <= sqrt(0.5));
        for (int y = 10; y < H - 10; y++)
            for (int x = 10; x < W - 10; x++)
                assert_memory_equal(out + 3 * (y * W + x), in + 3 * ((y - dy) * W + x - dx),
                                    3);
        free(out);
    }
    free(in);
}

static void test_ghosting(void **state)
{
    uint8_t *in = picture_by(place, W, H);

    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        uint8_t *out = by_amount("ghosting", 0.4, seed, in, W, H);
        double from[2];

        origin(out, 32, 32, from);
        /* 0.4 of the way to a pixel that is 8 away, and rounded twice */
        assert_true(fabs(hypot(from[0] - 32, from[1] - 32) - 0.4 * 8) <
                    0.4 * sqrt(0.5) + sqrt(0.5) / 3);
        for (int y = 10; y < H - 10; y++)
            for (int x = 10; x < W - 10; x++) {
                double other[2];

                origin(out, x, y, other);
                assert_true(fabs(other[0] - from[0] - x + 32) < 0.34 &&
                            fabs(other[1] - from[1] - y + 32) < 0.34);
            }
        free(out);
    }
    free(in);
}

static void invert(const double m[9], double out[9])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            const int a = (j + 1) % 3, b = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;

            out[3 * i + j] = m[3 * a + c] * m[3 * b + d] - m[3 * a + d] * m[3 * b + c];
        }
}

/* There and back by the inverse: the first rounding, times the 1.57 that Keys' weights add up
 * to without their signs, and the second stay below 1.3 levels, and the waves' own error is
 * 0.1 at most. */
static void test_there_and_back(void **state)
{
    static const double corners[][4][2] = {{{3, -2}, {60, 1}, {68, 62}, {-3, 66}},
                                           {{0, 0}, {64, 0}, {64, 64}, {0, 64}},
                                           {{5, 5}, {66, 2}, {61, 58}, {1, 61}}};
    uint8_t *in = picture_by(waves, W, H), out[3 * W * H], back[3 * W * H];

    (void)state;
    for (size_t i = 0; i < COUNT(corners); i++) {
        distort_job job = {.in = in, .out = out, .width = W, .height = H};
        double m[9], inverse[9];

        distort_corners_matrix(m, W, H, corners[i]);
        invert(m, inverse);
        for (int k = 0; k < 4; k++) {
            double to[2];

            distort_by_matrix(m, k == 1 || k == 2 ? W - 1 : 0, k > 1 ? H - 1 : 0, to);
            assert_true(fabs(to[0] - corners[i][k][0]) < 1e-9 &&
                        fabs(to[1] - corners[i][k][1]) < 1e-9);
        }
        distort_warp(&job, distort_by_matrix, m);
        job.in = out;
        job.out = back;
        distort_warp(&job, distort_by_matrix, inverse);
        assert_in_range(largest_inside(in, back, 10), 0, i != 1);
        assert_true((largest_inside(in, out, 10) > 5) == (i != 1));
    }
    free(in);
}

/* An affine map has one matrix everywhere, I + G with |G| as asked, and keeps the middle; a
 * homography keeps lines straight, which the first does too. */
static void test_affine(void **state)
{
    uint8_t *in = picture_by(place, W, H);

    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        uint8_t *out = by_amount("affine", 20, seed, in, W, H);
        double middle[2], right[2], low[2], square;

        origin(out, 32, 32, middle);
        origin(out, 48, 32, right);
        origin(out, 32, 48, low);
        assert_true(middle[0] == 32 && middle[1] == 32);
        square = pow((right[0] - 48) / 16, 2) + pow((right[1] - 32) / 16, 2) +
                 pow((low[0] - 32) / 16, 2) + pow((low[1] - 48) / 16, 2);
        /* four places, each off by up to a sixth of a pixel in 16 */
        assert_true(fabs(sqrt(square) - 0.2) < 2 / 6.0 / 16);
        free(out);
    }
    free(in);
}

/* Points that lay on a line lie on one, within a sixth of a pixel each way and end. */
static void test_homography(void **state)
{
    uint8_t *in = picture_by(place, W, H);
    int bent = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        uint8_t *out = by_amount("homography", 10, seed, in, W, H);
        double a[2], b[2], first[2], middle[2], last[2];

        origin(out, 16, 20, a);
        origin(out, 48, 44, b);
        for (int k = 1; k < 8; k++) {
            double p[2], off;

            origin(out, 16 + 4 * k, 20 + 3 * k, p);
            off = (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]);
            assert_true(fabs(off) / hypot(b[0] - a[0], b[1] - a[1]) < 2 * sqrt(2) / 6);
        }
        /* but what was halfway need not be */
        origin(out, 12, 32, first);
        origin(out, 32, 32, middle);
        origin(out, 52, 32, last);
        bent += fabs(first[0] + last[0] - 2 * middle[0]) > 1;
        free(out);
    }
    assert_true(bent > 2);
    free(in);
}

/* The inner knots went as far as they were asked to; halfway between two of them a linear
 * warp is their mean, a cubic one is not. */
static void test_warps(void **state)
{
    static const char *const names[] = {"linear-warp", "cubic-warp"};
    uint8_t *in = picture_by(place, W, H);

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        double most = 0;

        for (uint64_t seed = 0; seed < 6; seed++) {
            uint8_t *out = by_amount(names[kind], 8, seed, in, W, H);

            for (int y = CELL; y < H - 1; y += CELL)
                for (int x = CELL; x < W - 1 - CELL; x += CELL) {
                    double a[2], b[2], between[2];

                    origin(out, x, y, a);
                    origin(out, x + CELL, y, b);
                    origin(out, x + CELL / 2, y, between);
                    assert_true(fabs(hypot(a[0] - x, a[1] - y) - 0.08 * H) < sqrt(2) / 6);
                    most = fmax(most, fabs(a[0] + b[0] - 2 * between[0]));
                }
            free(out);
        }
        if (kind)
            assert_true(most > 1);
        else
            assert_true(most < 4 / 6.0 + 1e-9);
    }
    free(in);
}

/* Red and blue grow and shrink about the middle by as much, green stays. */
static double ramp(int x, int y, int c)
{
    (void)y;
    (void)c;
    return 3 * x;
}

static void test_aberration(void **state)
{
    uint8_t *in = picture_by(ramp, W, H);
    int sides = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        uint8_t *out = by_amount("chromatic-aberration", 10, seed, in, W, H);
        const double grow = out[3 * (32 * W + 52)] > in[3 * (32 * W + 52)] ? 0.1 : -0.1;

        sides += grow > 0;
        for (int y = 0; y < H; y++)
            for (int x = 8; x < W - 8; x++) {
                const uint8_t *p = out + 3 * (y * W + x);

                assert_true(fabs(p[0] - 3 * (32 + (x - 32) * (1 + grow))) <= 0.5 + 1e-9);
                assert_int_equal(p[1], 3 * x);
                assert_true(fabs(p[2] - 3 * (32 + (x - 32) * (1 - grow))) <= 0.5 + 1e-9);
            }
        free(out);
    }
    assert_in_range(sides, 1, 7);
    free(in);
}

/* ---- libavfilter's
 * ------------------------------------------------------------------------------ */

enum { OW = 61, OH = 47 }; /* no factor divides it */

static double flat(int x, int y, int c)
{
    (void)x;
    (void)y;
    return 60 + 70 * c;
}

/* Colours go through unchanged, which those of YUV would not; larger factors harm more; and
 * no scaler is another one. */
static void test_superres(void **state)
{
    static const char *const names[] = {"bicubic", "lanczos", "hqx", "xbr", "super2xsai"};
    uint8_t *even = picture_by(flat, OW, OH), *in = picture_make("scene.2", OW, OH), *made[5];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        double harm[3] = {0};

        for (int factor = 2; factor <= 4; factor++) {
            uint8_t *out;

            if (factor == 3 && i == 4)
                continue;
            out = by_amount(names[i], factor, 0, even, OW, OH);
            assert_memory_equal(out, even, 3 * OW * OH);
            free(out);
            out = by_amount(names[i], factor, 0, in, OW, OH);
            harm[factor - 2] = squares(in, out, OW, OH);
            if (factor == 4)
                made[i] = out;
            else
                free(out);
        }
        assert_true(harm[0] > 10 && harm[2] > harm[0] && harm[2] > harm[1]);
    }
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < i; k++)
            assert_true(squares(made[i], made[k], OW, OH) > 0.5);
    for (int i = 0; i < 5; i++)
        free(made[i]);
    free(even);
    free(in);
}

/* Clearly nearer to the picture than the blurred one, whose blur is that of gaussian-blur. */
static void test_deblur(void **state)
{
    static const char *const names[] = {"unsharp", "deconvolution"};
    uint8_t *in = picture_make("scene.4", OW, OH);

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        for (int sigma = 1; sigma <= 3; sigma++) {
            uint8_t *soft = by_amount("gaussian-blur", sigma, 0, in, OW, OH);
            uint8_t *sharp = by_amount(names[i], sigma, 0, in, OW, OH);

            assert_true(squares(in, sharp, OW, OH) < 0.8 * squares(in, soft, OW, OH));
            free(soft);
            free(sharp);
        }
    free(in);
}

static void test_missing_filter(void **state)
{
    const uint8_t in[3 * 8 * 8] = {0};
    uint8_t out[3 * 8 * 8];
    distort_graph g = {.text = "[in0]null,nosuchfilter=n=2",
                       .inputs = 1,
                       .input = {{8, 8, 1, {in}}}};

    (void)state;
    assert_int_equal(distort_filter(&g, out, 8, 8, why), -1);
    assert_non_null(strstr(why, "no filter \"nosuchfilter\""));
    g.text = "[in0]scale=w=nonsense";
    assert_int_equal(distort_filter(&g, out, 8, 8, why), -1);
    assert_non_null(strstr(why, "8x8"));
    g.text = "[in0]scale=w=4:h=8"; /* less than what is kept */
    assert_int_equal(distort_filter(&g, out, 8, 8, why), -1);
}

/* ---- frames between
 * ------------------------------------------------------------------------------- */

enum { FW = 128, FH = 96, STEP = 3 };

/* A texture without repetition, soft enough to follow, which moves right by STEP a frame. */
static double texture(int x, int y, int c, int frame)
{
    double v = 128;

    x += 2000 - STEP * frame;
    for (int k = 0; k < 6; k++) {
        const double angle = 1.1 * k + c, f = 0.09 + 0.05 * k;

        v += 18 * sin(f * (x * cos(angle) + y * sin(angle)) + k * k);
    }
    return v;
}

static uint8_t *texture_of(int frame)
{
    uint8_t *rgb = malloc(3 * FW * FH);

    assert_non_null(rgb);
    for (int i = 0; i < 3 * FW * FH; i++)
        rgb[i] = (uint8_t)lrint(texture(i / 3 % FW, i / 3 / FW, i % 3, frame));
    return rgb;
}

static void between(const char *spec_text, const distort_neighbours *near, uint8_t *out)
{
    uint8_t in[3 * 64 * 48] = {0}; /* they do not look at it */
    distort_spec spec;

    assert_int_equal(distort_parse(&spec, distort_kinds, spec_text, why), 0);
    if (distort_apply(&spec, out, in, 64, 48, near, 0, why))
        fail_msg("%s: %s", spec_text, why);
}

static void test_frames_between(void **state)
{
    enum { frames = 2 * DISTORT_REACH + 1, x = 30, y = 24 };
    uint8_t *clip[frames], *middle = malloc(3 * 64 * 48), *out = malloc(3 * 64 * 48);
    distort_neighbours near = {.width = FW, .height = FH, .x = x, .y = y};

    (void)state;
    for (int i = 0; i < frames; i++)
        clip[i] = texture_of(i);
    for (int i = 0; i < DISTORT_REACH; i++) {
        near.before[i] = clip[DISTORT_REACH - 1 - i];
        near.after[i] = clip[DISTORT_REACH + 1 + i];
    }
    distort_crop(middle, clip[DISTORT_REACH], FW, x, y, 64, 48);
    for (int reach = 1; reach <= 3; reach++) {
        char text[40];
        double harm[3];

        snprintf(text, sizeof text, "repeat:%.4f", (reach - 1) / 3.0);
        between(text, &near, out);
        harm[2] = squares(out, middle, 64, 48);
        for (int i = 0; i < 3 * 64 * 48; i++)
            assert_int_equal(
                out[i], near.before[reach - 1][3 * ((y + i / 3 / 64) * FW + x) + i % 192]);
        snprintf(text, sizeof text, "blend:%.4f", (reach - 1) / 3.0);
        between(text, &near, out);
        harm[1] = squares(out, middle, 64, 48);
        for (int i = 0; i < 3 * 64 * 48; i++) {
            const int at = 3 * ((y + i / 3 / 64) * FW + x) + i % 192;

            assert_int_equal(out[i],
                             (near.before[reach - 1][at] + near.after[reach - 1][at] + 1) /
                                 2);
        }
        snprintf(text, sizeof text, "minterpolate:%.4f", (reach - 1) / 3.0);
        between(text, &near, out);
        harm[0] = squares(out, middle, 64, 48);
        /* all moves alike: it is found, and what is between is right to a level or so */
        assert_true(harm[0] < 1 && harm[1] > 20 && harm[2] > harm[1]);
    }
    near.after[3] = NULL;
    assert_int_equal(
        distort_find(distort_kinds, "blend")
            ->apply(&(distort_job){.in = middle, .out = out, .near = &near, .amount = 4},
                    why),
        -1);
    assert_non_null(strstr(why, "needs 4 frames before and after"));
    for (int i = 0; i < frames; i++)
        free(clip[i]);
    free(middle);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mirror),         cmocka_unit_test(test_exact_for_parabolas),
        cmocka_unit_test(test_shift),          cmocka_unit_test(test_ghosting),
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_affine),
        cmocka_unit_test(test_homography),     cmocka_unit_test(test_warps),
        cmocka_unit_test(test_aberration),     cmocka_unit_test(test_superres),
        cmocka_unit_test(test_deblur),         cmocka_unit_test(test_missing_filter),
        cmocka_unit_test(test_frames_between),
    };

    av_log_set_level(AV_LOG_QUIET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
