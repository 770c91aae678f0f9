/*
 * test_frame.c - video frames to RGB: against the formulas of H.273 in double, written
 * down here once more, for every depth, subsampling, chroma location and layout, on odd
 * sizes and around the tile's edges; the rules for what is unknown; the refusals.
 */
#include "support.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A frame with its memory: samples in words of `bytes`, rows padded, maybe upside down. */
struct made {
    lpips_frame f;
    int bytes;
    uint8_t *memory[3];
};

static unsigned seed;

static unsigned next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static void *get(size_t size)
{
    void *p = malloc(size);

    assert_non_null(p);
    return p;
}

static int plane_width(const lpips_frame *f, int p)
{
    return p ? (f->width + (1 << f->chroma_x) - 1) >> f->chroma_x : f->width;
}

static int plane_height(const lpips_frame *f, int p)
{
    return p ? (f->height + (1 << f->chroma_y) - 1) >> f->chroma_y : f->height;
}

/* Random samples, exactly as many bytes as the layout needs, so that a read beyond them
 * is one that AddressSanitizer sees. */
static void make(struct made *m, lpips_frame f, int step_samples, bool flip)
{
    m->f = f;
    m->bytes = f.bits == 8 ? 1 : 2;
    for (int p = 0; p < 3; p++) {
        const int w = plane_width(&f, p), h = plane_height(&f, p);
        const ptrdiff_t step = (ptrdiff_t)m->bytes * step_samples;
        const ptrdiff_t row = w * step + 2 * m->bytes;
        const size_t size = (size_t)((h - 1) * row + (w - 1) * step + m->bytes);

        m->memory[p] = get(size);
        memset(m->memory[p], 0xa5, size);
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w; x++) {
                const unsigned v = (next_random() & ((1u << f.bits) - 1)) << f.shift;
                const uint8_t byte = (uint8_t)v;
                const uint16_t word = (uint16_t)v;

                memcpy(m->memory[p] + y * row + x * step,
                       m->bytes == 1 ? (const void *)&byte : (const void *)&word,
                       (size_t)m->bytes);
            }
        }
        m->f.plane[p] = m->memory[p] + (flip ? (h - 1) * row : 0);
        m->f.row_stride[p] = flip ? -row : row;
        m->f.step[p] = step;
    }
}

static void unmake(struct made *m)
{
    for (int p = 0; p < 3; p++)
        free(m->memory[p]);
}

static double sample(const struct made *m, int p, int x, int y)
{
    const int w = plane_width(&m->f, p), h = plane_height(&m->f, p);
    const uint8_t *at;
    uint16_t word;

    x = x < 0 ? 0 : x >= w ? w - 1 : x;
    y = y < 0 ? 0 : y >= h ? h - 1 : y;
    at = (const uint8_t *)m->f.plane[p] + y * m->f.row_stride[p] + x * m->f.step[p];
    if (m->bytes == 1)
        return *at;
    memcpy(&word, at, 2);
    return word >> m->f.shift;
}

/* The chroma of luma position (x, y), bilinear between the samples around it. */
static double chroma(const struct made *m, int p, int x, int y)
{
    const double sx = 1 << m->f.chroma_x, sy = 1 << m->f.chroma_y;
    const int l = m->f.chroma_location;
    const double dx =
        l == LPIPS_CHROMA_CENTER || l == LPIPS_CHROMA_TOP || l == LPIPS_CHROMA_BOTTOM
            ? (sx - 1) / 2
            : 0;
    const double dy = l == LPIPS_CHROMA_TOPLEFT || l == LPIPS_CHROMA_TOP ? 0
                      : l == LPIPS_CHROMA_BOTTOMLEFT || l == LPIPS_CHROMA_BOTTOM
                          ? sy - 1
                          : (sy - 1) / 2;
    const double px = (x - dx) / sx, py = (y - dy) / sy;
    const int i = (int)floor(px), j = (int)floor(py);
    const double u = px - i, v = py - j;

    return (1 - v) * ((1 - u) * sample(m, p, i, j) + u * sample(m, p, i + 1, j)) +
           v * ((1 - u) * sample(m, p, i, j + 1) + u * sample(m, p, i + 1, j + 1));
}

static double clipped(double v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static void expect_rgb(const struct made *m, int x, int y, double rgb[3])
{
    static const double weights[10][2] = {
        [1] = {.2126, .0722}, [4] = {.30, .11},   [5] = {.299, .114},
        [6] = {.299, .114},   [7] = {.212, .087}, [9] = {.2627, .0593}};
    const double k = pow(2, m->f.bits - 8), top = pow(2, m->f.bits) - 1;
    const bool full = m->f.levels == LPIPS_LEVELS_FULL;
    const double luma =
        full ? sample(m, 0, x, y) / top : (sample(m, 0, x, y) - 16 * k) / (219 * k);
    const bool ycgco = m->f.matrix == LPIPS_MATRIX_YCGCO;
    const double scale = full ? top : (ycgco ? 219 : 224) * k;
    const double cb = (chroma(m, 1, x, y) - 128 * k) / scale;
    const double cr = (chroma(m, 2, x, y) - 128 * k) / scale;
    const double kr = weights[m->f.matrix][0], kb = weights[m->f.matrix][1];

    if (ycgco) {
        rgb[0] = luma - cb + cr;
        rgb[1] = luma + cb;
        rgb[2] = luma - cb - cr;
    } else {
        rgb[0] = luma + 2 * (1 - kr) * cr;
        rgb[2] = luma + 2 * (1 - kb) * cb;
        rgb[1] = (luma - kr * rgb[0] - kb * rgb[2]) / (1 - kr - kb);
    }
    for (int c = 0; c < 3; c++)
        rgb[c] = clipped(rgb[c]);
}

/* Converted in two parts, into rows of just the width. */
static float *convert(const lpips_frame *f)
{
    const size_t plane = (size_t)f->width * (size_t)f->height;
    float *out = get(3 * plane * sizeof *out);
    float *const rgb[3] = {out, out + plane, out + 2 * plane};
    const ptrdiff_t stride = f->width * (ptrdiff_t)sizeof *out;
    const int half = f->height / 2;

    assert_int_equal(lpips_frame_to_rgb(f, rgb, stride, half, f->height - half), LPIPS_OK);
    assert_int_equal(lpips_frame_to_rgb(f, rgb, stride, 0, half), LPIPS_OK);
    return out;
}

static void check_yuv(lpips_frame f, int step, bool flip)
{
    struct made m;
    float *got;
    double want[3];

    make(&m, f, step, flip);
    got = convert(&m.f);
    for (int y = 0; y < f.height; y++) {
        for (int x = 0; x < f.width; x++) {
            expect_rgb(&m, x, y, want);
            for (int c = 0; c < 3; c++) {
                const double v = got[(c * f.height + y) * f.width + x];

                if (!(fabs(v - want[c]) < 4e-7))
                    fail_msg(
                        "%dx%d, %d bit, subsampled %d %d, location %d, matrix %d, levels "
                        "%d, step %d: channel %d at %d,%d is %.9g, not %.9g",
                        f.width, f.height, f.bits, f.chroma_x, f.chroma_y, f.chroma_location,
                        f.matrix, f.levels, step, c, x, y, v, want[c]);
            }
        }
    }
    free(got);
    unmake(&m);
}

static lpips_frame yuv(int width, int height, int bits)
{
    lpips_frame f;

    memset(&f, 0, sizeof f);
    f.width = width;
    f.height = height;
    f.bits = bits;
    f.matrix = LPIPS_MATRIX_BT709;
    f.levels = LPIPS_LEVELS_LIMITED;
    f.chroma_location = LPIPS_CHROMA_LEFT;
    return f;
}

static void subsampling(void **state)
{
    static const int widths[] = {1, 2, 3, 4, 5, 7, 8, 9, 509, 511, 512, 513, 514, 1027};

    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int height = 1; height < (widths[i] < 10 ? 10 : 4); height++)
            for (int sub = 0; sub < 9; sub++)
                for (int location = LPIPS_CHROMA_LEFT; location <= LPIPS_CHROMA_BOTTOM;
                     location++) {
                    lpips_frame f = yuv(widths[i], height, 8);

                    f.chroma_x = sub % 3;
                    f.chroma_y = sub / 3;
                    f.chroma_location = location;
                    check_yuv(f, 1, false);
                }
}

static void depths_and_layouts(void **state)
{
    (void)state;
    for (int bits = 8; bits <= 16; bits++)
        for (int levels = LPIPS_LEVELS_LIMITED; levels <= LPIPS_LEVELS_FULL; levels++)
            for (int step = 1; step <= 4; step++) {
                lpips_frame f = yuv(21, 6, bits);

                f.levels = levels;
                f.chroma_x = step & 1;
                check_yuv(f, step, step == 3);
                if (bits == 8)
                    continue;
                f.shift = 16 - bits;
                check_yuv(f, step, step == 2);
            }
}

static void matrices(void **state)
{
    static const int known[] = {1, 4, 5, 6, 7, 8, 9}, unknown[] = {-1, 3, 10, 11, 14, 99};
    float out[3 * 64];
    float *const rgb[3] = {out, out + 64, out + 128};
    struct made m;

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        lpips_frame f = yuv(16, 16, 10);

        f.matrix = known[i];
        check_yuv(f, 1, false);
    }
    make(&m, yuv(8, 8, 8), 1, false);
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        m.f.matrix = unknown[i];
        assert_int_equal(lpips_frame_to_rgb(&m.f, rgb, 32, 0, 8), LPIPS_ERR_UNSUPPORTED);
        assert_int_equal(lpips_frame_to_rgb(&m.f, rgb, 32, 0, 0), LPIPS_ERR_UNSUPPORTED);
    }
    unmake(&m);
}

/* Neutral chroma is grey without a trace of colour; white is 1, but for the last bit, and
 * black is 0. */
static void neutral(void **state)
{
    (void)state;
    for (int bits = 8; bits <= 16; bits++) {
        uint16_t y16[256], c16[256];
        uint8_t y8[256], c8[256];
        lpips_frame f = yuv(256, 1, bits);
        float *out;

        for (int i = 0; i < 256; i++) {
            y8[i] = (uint8_t)i;
            c8[i] = 128;
            y16[i] = (uint16_t)(i << (bits - 8));
            c16[i] = (uint16_t)(1 << (bits - 1));
        }
        for (int p = 0; p < 3; p++) {
            f.plane[p] =
                bits == 8 ? (p ? (void *)c8 : (void *)y8) : (p ? (void *)c16 : (void *)y16);
            f.step[p] = bits == 8 ? 1 : 2;
        }
        out = convert(&f);
        for (int i = 0; i < 256; i++) {
            assert_true(out[i] == out[256 + i] && out[i] == out[512 + i]);
            if (i <= 16 || i >= 235)
                assert_true(fabsf(out[i] - (i <= 16 ? 0 : 1)) < 1e-7F);
        }
        free(out);
    }
}

/* RGB and grey: the code over the largest code, wherever the components lie; float as is. */
static void plain(void **state)
{
    static const uint8_t packed[2 * 4] = {10, 20, 30, 99, 255, 0, 128, 99};
    static const float grey[2] = {0.25f, 1.5f};
    lpips_frame f;
    float *out;

    (void)state;
    memset(&f, 0, sizeof f);
    f.width = 2;
    f.height = 1;
    f.bits = 8;
    f.matrix = LPIPS_MATRIX_RGB;
    f.levels = LPIPS_LEVELS_LIMITED; /* of no consequence */
    for (int p = 0; p < 3; p++) {
        f.plane[p] = packed + 2 - p;
        f.step[p] = 4;
    }
    out = convert(&f);
    for (int p = 0; p < 3; p++)
        for (int x = 0; x < 2; x++)
            assert_true(fabs(out[2 * p + x] - packed[4 * x + 2 - p] / 255.0) < 1e-7);
    free(out);

    memset(&f, 0, sizeof f);
    f.width = 2;
    f.height = 1;
    f.bits = 32;
    f.plane[0] = grey;
    f.step[0] = 4;
    out = convert(&f);
    for (int p = 0; p < 3; p++)
        assert_memory_equal(out + 2 * p, grey, sizeof grey);
    free(out);
}

/* Settle frames of matrices a, b and levels la, lb, and return what a becomes. */
static lpips_frame settled(lpips_frame a, lpips_frame b)
{
    static const uint8_t byte;

    a.plane[0] = a.plane[1] = a.plane[2] = b.plane[0] = b.plane[1] = b.plane[2] = &byte;
    lpips_frame_settle(&a, &b);
    return a;
}

static void unknown_colours(void **state)
{
    lpips_frame none = yuv(8, 576, 8), tagged = yuv(8, 576, 8), tall = yuv(8, 577, 8), a, b;
    char text[64];

    (void)state;
    none.matrix = tall.matrix = LPIPS_MATRIX_UNKNOWN;
    none.levels = tall.levels = LPIPS_LEVELS_UNKNOWN;
    none.chroma_location = tall.chroma_location = LPIPS_CHROMA_UNKNOWN;
    none.chroma_x = none.chroma_y = 1;
    tagged.matrix = LPIPS_MATRIX_BT2020;
    tagged.levels = LPIPS_LEVELS_FULL;
    tagged.chroma_location = LPIPS_CHROMA_TOPLEFT;

    a = settled(none, none);
    assert_int_equal(lpips_frame_describe(&a, text, sizeof text), 34);
    assert_string_equal(text, "yuv 4:2:0 8 bit bt601 limited left");
    assert_int_equal(settled(tall, tall).matrix, LPIPS_MATRIX_BT709);
    a = settled(none, tagged);
    lpips_frame_describe(&a, text, sizeof text);
    assert_string_equal(text, "yuv 4:2:0 8 bit bt2020 full topleft");
    a = settled(tagged, none);
    assert_true(a.matrix == LPIPS_MATRIX_BT2020 && a.levels == LPIPS_LEVELS_FULL);

    /* RGB says nothing about YUV, and is full whatever its tag. */
    b = tagged;
    b.matrix = LPIPS_MATRIX_RGB;
    b.levels = LPIPS_LEVELS_LIMITED;
    a = settled(none, b);
    assert_true(a.matrix == LPIPS_MATRIX_SMPTE170M && a.levels == LPIPS_LEVELS_LIMITED);
    assert_int_equal(settled(b, none).levels, LPIPS_LEVELS_FULL);

    /* Grey is full, unless both are and one says otherwise. */
    a = none;
    b = tagged;
    lpips_frame_settle(&a, &b);
    assert_int_equal(a.levels, LPIPS_LEVELS_FULL);
    a = none;
    b.levels = LPIPS_LEVELS_LIMITED;
    lpips_frame_settle(&a, &b);
    assert_int_equal(a.levels, LPIPS_LEVELS_LIMITED);
}

static void refusals(void **state)
{
    float out[3 * 64];
    float *const rgb[3] = {out, out + 64, out + 128}, *const missing[3] = {out, NULL, out};
    struct made m;
    lpips_frame f;

    (void)state;
    make(&m, yuv(8, 8, 8), 1, false);
    assert_int_equal(lpips_frame_to_rgb(&m.f, rgb, 32, 0, 8), LPIPS_OK);
    assert_int_equal(lpips_frame_to_rgb(NULL, rgb, 32, 0, 8), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_frame_to_rgb(&m.f, missing, 32, 0, 8), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_frame_to_rgb(&m.f, rgb, 32, 1, 8), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_frame_to_rgb(&m.f, rgb, 32, -1, 2), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_frame_to_rgb(&m.f, rgb, 32, 2147483647, 2), LPIPS_ERR_ARGUMENT);
#define REFUSED(field, value) \
    f = m.f;                  \
    f.field = value;          \
    assert_int_equal(lpips_frame_to_rgb(&f, rgb, 32, 0, 8), LPIPS_ERR_ARGUMENT)
    REFUSED(plane[0], NULL);
    REFUSED(plane[2], NULL);
    REFUSED(width, 0);
    REFUSED(bits, 7);
    REFUSED(bits, 17);
    REFUSED(bits, 32);
    REFUSED(shift, -1);
    REFUSED(chroma_x, 3);
    REFUSED(chroma_y, -1);
    REFUSED(levels, 3);
    REFUSED(chroma_location, 7);
    unmake(&m);
}

/* One pair by frames, and by the planes that those are converted to. */
static void check_images(lpips_weights *w, lpips_frame shape, int step, unsigned flags,
                         int strip_columns)
{
    const size_t size = (size_t)shape.width * (size_t)shape.height;
    const ptrdiff_t stride = shape.width * (ptrdiff_t)sizeof(float);
    lpips_options options = LPIPS_OPTIONS_DEFAULT;
    lpips_image image[2], planes[2];
    lpips_result by_frame, by_planes;
    float *rgb = get(6 * size * sizeof *rgb);
    struct made m[2];
    lpips_context *c;

    options.flags = flags;
    options.strip_columns = strip_columns;
    options.threads = 2;
    c = test_context(w, shape.width, shape.height, &options);
    for (int i = 0; i < 2; i++) {
        float *at = rgb + (size_t)i * 3 * size;
        float *const to[3] = {at, at + size, at + 2 * size};

        make(&m[i], shape, step, i == 1);
        assert_int_equal(lpips_frame_to_rgb(&m[i].f, to, stride, 0, shape.height), 0);
        assert_int_equal(lpips_image_planar(&planes[i], LPIPS_F32,
                                            (const void *[3]){to[0], to[1], to[2]},
                                            (ptrdiff_t[3]){stride, stride, stride},
                                            shape.width, shape.height),
                         0);
        assert_int_equal(lpips_image_frame(&image[i], &m[i].f), 0);
    }
    assert_int_equal(lpips_compare(c, &image[0], &image[1], &by_frame), 0);
    assert_int_equal(lpips_compare(c, &planes[0], &planes[1], &by_planes), 0);
    assert_memory_equal(&by_frame, &by_planes, sizeof by_frame);
    assert_true(by_frame.distance > 0);
    assert_int_equal(lpips_compare(c, &image[0], &planes[0], &by_frame), 0);
    assert_true(by_frame.distance == 0);
    lpips_context_free(c);
    free(rgb);
    unmake(&m[0]);
    unmake(&m[1]);
}

static void images(void **state)
{
    static const int widths[] = {31, 509, 513, 1030};
    lpips_weights *alex = test_random_weights(LPIPS_NET_ALEX, "0.1");
    lpips_weights *vgg = test_random_weights(LPIPS_NET_VGG, "0.1");
    lpips_frame strips = yuv(1211, 32, 8);

    (void)state;
    for (int i = 0; i < 4; i++)
        for (int sub = 0; sub < 3; sub++) {
            lpips_frame f = yuv(widths[i], 33, i % 2 ? 10 : 8);

            f.chroma_x = sub;
            f.chroma_y = sub % 2;
            check_images(alex, f, 1 + sub, sub == 2 ? LPIPS_RANGE_0_1 : 0, 0);
        }
    /* strips that begin between two chroma samples */
    strips.chroma_x = 2;
    check_images(vgg, strips, 1, 0, 64);
}

static void refused_images(void **state)
{
    lpips_weights *w = test_random_weights(LPIPS_NET_ALEX, "0.1");
    lpips_context *c = test_context(w, 64, 48, NULL);
    struct made right, wrong;
    lpips_image a, b;
    lpips_result r;

    (void)state;
    make(&right, yuv(64, 48, 8), 1, false);
    make(&wrong, yuv(64, 47, 8), 1, false);
    assert_int_equal(lpips_image_frame(&a, NULL), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_image_frame(NULL, &right.f), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_image_frame(&a, &right.f), LPIPS_OK);
    assert_int_equal(lpips_image_frame(&b, &wrong.f), LPIPS_OK);
    assert_int_equal(lpips_compare(c, &a, &b, &r), LPIPS_ERR_SIZE);
    wrong.f.matrix = 14;
    assert_int_equal(lpips_image_frame(&b, &wrong.f), LPIPS_ERR_UNSUPPORTED);
    b.format = LPIPS_FRAME + 1;
    assert_int_equal(lpips_compare(c, &a, &b, &r), LPIPS_ERR_ARGUMENT);
    /* a frame that went wrong after it was wrapped */
    b = a;
    b.plane[0] = &wrong.f;
    assert_int_equal(lpips_compare(c, &a, &b, &r), LPIPS_ERR_UNSUPPORTED);
    lpips_context_free(c);
    unmake(&right);
    unmake(&wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subsampling),    cmocka_unit_test(depths_and_layouts),
        cmocka_unit_test(matrices),       cmocka_unit_test(neutral),
        cmocka_unit_test(plain),          cmocka_unit_test(unknown_colours),
        cmocka_unit_test(refusals),       cmocka_unit_test(images),
        cmocka_unit_test(refused_images),
    };

    int failed = cmocka_run_group_tests_name("frame", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
