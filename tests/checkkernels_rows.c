/*
 * checkkernels_rows.c - the kernels that work on a row of pixels: loading, pooling, the
 * distance of features.
 */
#include "checkkernels.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- pooling ------------------------------------------------------------ */

static void check_pool(const lpips_kernels *k, int size, int n, int ch, int turn)
{
    enum side side = (enum side)(turn % SIDES);
    size_t wide = (size_t)((2 * n + size - 2) * ch);
    const float **rows = guard_pointers((size_t)size, side);
    float *dst = guard_out(OUT, (size_t)(n * ch), side);

    for (int y = 0; y < size; y++)
        rows[y] = guard_input(IN + y, wide, side, (enum style)(turn % STYLES));
    NOW("size %d, %d pixels of %d, side %d", size, n, ch, (int)side);
    k->pool_row(dst, rows, size, n, ch);
    for (int i = 0; i < n * ch; i++) {
        float want = -INFINITY, got = guard_take(dst + i);

        for (int j = 0; j < size * size; j++)
            want = fmaxf(want, rows[j / size][(2 * (i / ch) + j % size) * ch + i % ch]);
        if (got != want)
            fail_msg("%s: %.9g, expected %.9g", guard_now, (double)got, (double)want);
    }
    guard_untouched(OUT);
}

void check_pool_row(const lpips_kernels *k)
{
    int turn = 0;

    for (int size = 2; size <= 3; size++)
        for (int n = 1; n <= GUARD_MOST; n += test_quick() ? 9 : 1)
            for (int ch = 16; ch <= 80; ch += 16, turn++)
                check_pool(k, size, n, ch, turn);
}

/* ---- head --------------------------------------------------------------- */

static double length(const float *x, int ch)
{
    double sum = 0;

    for (int c = 0; c < ch; c++)
        sum += (double)x[c] * x[c];
    return sqrt(sum) + 1e-10;
}

/* With x = a / |a| and y = b / |b| each off by e (|x| + |y|), a term d^2 is off by
 * 2 e |d| (|x| + |y|) + e^2 (|x| + |y|)^2 and by its own roundings. */
static void check_pixel(float got, const float *a, const float *b, const float *lin, int ch)
{
    const double e = 2 * FLT_EPSILON, la = length(a, ch), lb = length(b, ch);
    double sum = 0, terms = 0;

    for (int c = 0; c < ch; c++) {
        double d = a[c] / la - b[c] / lb, both = fabs(a[c] / la) + fabs(b[c] / lb);

        sum += lin[c] * d * d;
        terms += lin[c] * (2 * fabs(d) * both + e * both * both) + (double)FLT_MIN;
    }
    guard_near(got, sum, e * terms);
}

static void check_head(const lpips_kernels *k, int n, int ch, int turn)
{
    enum side side = (enum side)(turn % SIDES);
    enum style style = (enum style)(turn % STYLES);
    ptrdiff_t px = ch + turn % 3 * 16;
    size_t floats = (size_t)((n - 1) * px + ch);
    const float *a = guard_input(IN, floats, side, style);
    float *b = guard_input(IN + 1, floats, side, style),
          *lin = guard_input(WEIGHTS, (size_t)ch, side, POSITIVE);
    float *ab = guard_out(OUT, (size_t)n, side), *ba = guard_out(OUT + 1, (size_t)n, side), x;

    NOW("%d pixels of %d, %d apart, side %d, style %d", n, ch, (int)px, (int)side,
        (int)style);
    if (turn % 2) /* nearly equal */
        for (size_t i = 0; i < floats; i++)
            b[i] = i % 17 ? a[i] : a[i] * 1.0001f;
    k->head_row(ab, a, b, px, n, lin, ch);
    k->head_row(ba, b, a, px, n, lin, ch);
    for (int i = 0; i < n; i++) {
        x = guard_take(ab + i);
        check_pixel(x, a + i * px, b + i * px, lin, ch);
        assert_true(guard_same(x, guard_take(ba + i)));
    }
    memcpy(b, a, floats * sizeof *b);
    k->head_row(ab, a, b, px, n, lin, ch);
    for (int i = 0; i < n; i++)
        if (!guard_same(guard_take(ab + i), 0))
            fail_msg("%s: equal pixels differ", guard_now);
    guard_untouched(OUT);
    guard_untouched(OUT + 1);
}

void check_head_row(const lpips_kernels *k)
{
    static const int ch[] = {64, 128, 192, 256, 384, 512};
    int turn = 0;

    for (int i = 0; i < (int)COUNT(ch); i++)
        for (int n = 1; n <= GUARD_MOST; n += test_quick() ? 9 : 1)
            check_head(k, n, ch[i], turn++);
}

/* Pixels of zeros have length 1e-10: no NaN, and a fixed distance to others; one that is
 * itself 1e-10 long becomes 1 / 2. */
void check_head_zero(const lpips_kernels *k)
{
    static const float lin[64] = {[3] = .75f}, length_of[2] = {5, 1e-10f},
                       want[2] = {1, .25f};
    static float zero[64], one[64], d;

    for (int i = 0; i < 2; i++) {
        NOW("zeros and %g", (double)length_of[i]);
        one[3] = length_of[i];
        k->head_row(&d, zero, one, 64, 1, lin, 64);
        guard_near(d, .75 * want[i], 4 * FLT_EPSILON * .75 * want[i]);
    }
    k->head_row(&d, zero, zero, 64, 1, lin, 64);
    assert_true(guard_same(d, 0));
}

/* ---- pixels ------------------------------------------------------------- */

static const int sample_size[3] = {1, 2, 4};
static const float mul[3] = {1 / 127.5f, .25f, -3}, add[3] = {-1, .125f, 7};

/* Where the samples lie: in units of the sample, the step and the three first ones; planes
 * when `step` is 1. */
static const struct {
    int step, at[3];
} layouts[] = {
    {3, {0, 1, 2}}, {3, {2, 1, 0}}, {4, {0, 1, 2}}, {4, {3, 2, 1}}, {1, {0, 0, 0}}};

/* Fills `src` with n pixels; odd: at an odd address; back: from the last pixel to the first.
 */
static ptrdiff_t make_pixels(const void *src[3], int layout, int format, int n, int odd,
                             int back)
{
    int size = sample_size[format], step = layouts[layout].step, high = 0, low = 3;

    for (int c = 0; c < 3; c++) {
        high = layouts[layout].at[c] > high ? layouts[layout].at[c] : high;
        low = layouts[layout].at[c] < low ? layouts[layout].at[c] : low;
    }
    for (int c = 0; c < 3; c++) {
        int area = IN + (step == 1 ? c : 0), count = (n - 1) * step + high - low + 1;
        char *p = guard_place(area, (size_t)(count * size + odd),
                              odd     ? AFTER
                              : n % 2 ? BEFORE
                                      : AFTER);

        for (int i = 0; i < count * size && (c == 0 || step == 1); i++)
            p[i] = (char)guard_draw();
        for (int i = 0; i < count && format == 2 && (c == 0 || step == 1); i++) {
            float x = guard_value((enum style)(n % WIDE));

            memcpy(p + i * size, &x, sizeof x);
        }
        src[c] = p + (layouts[layout].at[c] - low + (back ? (n - 1) * step : 0)) * size;
    }
    return (back ? -step : step) * size;
}

static double sample(const void *p, int format)
{
    uint16_t u16;
    float f;

    if (format == 0)
        return *(const uint8_t *)p;
    if (format == 1)
        return memcpy(&u16, p, sizeof u16), u16;
    return memcpy(&f, p, sizeof f), (double)f;
}

void check_load_row(const lpips_kernels *k)
{
    const void *src[3];

    for (int i = 0; i < 3 * (int)COUNT(layouts) * 4; i++)
        for (int n = 1; n <= GUARD_MOST; n++) {
            int format = i % 3, layout = i / 3 % (int)COUNT(layouts),
                way = i / 3 / (int)COUNT(layouts);
            ptrdiff_t step = make_pixels(src, layout, format, n, way % 2, way / 2);
            float *d = guard_out(OUT, (size_t)(3 * n), (enum side)(i % SIDES));

            NOW("format %d, layout %d, way %d, %d pixels", format, layout, way, n);
            assert_int_equal(k->load_row[format](d, src, step, n, mul, add), 0);
            for (int j = 0; j < 3 * n; j++) {
                double x = sample((const char *)src[j % 3] + j / 3 * step, format);

                guard_near(guard_take(d + j), x * mul[j % 3] + add[j % 3],
                           FLT_EPSILON *
                               (guard_term(mul[j % 3], x) + guard_term(1, add[j % 3])));
            }
            guard_untouched(OUT);
        }
}

/* Wherever they stand. */
void check_load_refuses(const lpips_kernels *k)
{
    const float bad[] = {NAN,
                         -NAN,
                         INFINITY,
                         -INFINITY,
                         nextafterf(65536, INFINITY),
                         nextafterf(-65536, -INFINITY),
                         FLT_MAX};
    const float good[] = {65536, -65536, 0.f, -0.f, FLT_TRUE_MIN};

    for (int n = 1; n <= GUARD_MOST; n += test_quick() ? 9 : 1)
        for (int at = 0; at < 3 * n; at++)
            for (int i = 0; i < (int)(COUNT(bad) + COUNT(good)); i++) {
                int fine = i >= (int)COUNT(bad);
                float *p = guard_floats(IN, (size_t)(3 * n), AFTER),
                      *d = guard_out(OUT, 3 * GUARD_MOST, AFTER);

                memset(p, 0, sizeof *p * (size_t)(3 * n));
                p[at] = fine ? good[i - (int)COUNT(bad)] : bad[i];
                NOW("%g at %d of %d", (double)p[at], at, 3 * n);
                if (k->load_row[2](d, (const void *[3]){p, p + 1, p + 2}, 12, n, mul, add) !=
                    (fine ? 0 : -1))
                    fail_msg("%s: %s", guard_now, fine ? "refused" : "accepted");
            }
}

/* ---- frames ------------------------------------------------------------- */

/* A frame of n columns and two rows of random samples, that end where nothing may be read. */
static lpips_frame make_frame(int i, int n)
{
    lpips_frame f = {.width = n, .height = 2, .bits = i % 3 == 0 ? 8 : i % 3 == 1 ? 10 : 16};
    int bytes = f.bits == 8 ? 1 : 2;

    f.matrix = i % 7 == 6 ? LPIPS_MATRIX_RGB : LPIPS_MATRIX_BT709;
    f.chroma_x = f.matrix == LPIPS_MATRIX_RGB ? 0 : i / 3 % 3;
    f.chroma_y = f.matrix == LPIPS_MATRIX_RGB ? 0 : i / 9 % 2;
    f.chroma_location = 1 + i % 6;
    f.levels = 1 + i % 2;
    for (int p = 0; p < 3; p++) {
        int width = p ? (n + (1 << f.chroma_x) - 1) >> f.chroma_x : n;
        int rows = p ? (2 + f.chroma_y) >> f.chroma_y : 2;
        uint8_t *at = guard_place(IN + p, (size_t)(width * rows * bytes), AFTER);

        for (int j = 0; j < width * rows * bytes; j++)
            at[j] = (uint8_t)guard_draw();
        f.plane[p] = at;
        f.step[p] = bytes;
        f.row_stride[p] = width * bytes;
    }
    return f;
}

/* The conversion itself is held against the formulas in test_frame.c. */
void check_frame_columns(const lpips_kernels *k)
{
    static float want[3][LPIPS_FRAME_TILE];
    lpips_kernels c;

    lpips_kernels_init(&c, 0);
    for (int i = 0; i < 126; i++)
        for (int n = 1; n <= GUARD_MOST; n += test_quick() ? 5 : 1) {
            lpips_frame f = make_frame(i, n);
            lpips_frame_rows r;
            float *got[3];

            NOW("frame %d, %d columns", i, n);
            assert_int_equal(lpips_frame_prepare(&r, &f), LPIPS_OK);
            for (int y = 0; y < 2; y++)
                for (int x = 0; x < n; x += 27) {
                    int many = n - x < 31 ? n - x : 31;

                    for (int p = 0; p < 3; p++)
                        got[p] = guard_out(OUT + p, (size_t)many, (enum side)(i % SIDES));
                    k->frame_columns(&r, got, y, x, many);
                    c.frame_columns(&r, (float *[3]){want[0], want[1], want[2]}, y, x, many);
                    for (int p = 0; p < 3; p++) {
                        for (int j = 0; j < many; j++)
                            assert_true(guard_same(guard_take(got[p] + j), want[p][j]));
                        guard_untouched(OUT + p);
                    }
                }
        }
}
