/*
 * test_colors.c - maps to colours: table entries as matplotlib prints them, the
 * rounding to the nearest entry, the out-of-scale colour and the refusals.
 */
#include "lpips.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const uint8_t over[3] = {1, 2, 3};

static uint32_t color_of(lpips_colormap colors, float d, float full_scale)
{
    uint8_t rgb[3];

    assert_int_equal(lpips_colorize(rgb, &d, 1, colors, full_scale, over), LPIPS_OK);
    return (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
}

static void expect(lpips_colormap colors, float d, float full_scale, uint32_t color)
{
    uint32_t got = color_of(colors, d, full_scale);

    if (got != color)
        fail_msg("%s of %g / %g: %06x, expected %06x", lpips_colormap_name(colors), d,
                 full_scale, got, color);
}

/* matplotlib.colors.to_hex(matplotlib.colormaps[name](i)), i = 0, 100, 128, 255 */
static void table_entries(void **state)
{
    static const uint32_t entry[4][4] = {
        {0x440154, 0x2a768e, 0x21918c, 0xfde725},
        {0x000004, 0x892881, 0xb73779, 0xfcfdbf},
        {0x000004, 0x902568, 0xbc3754, 0xfcffa4},
        {0x00224e, 0x656870, 0x7d7c78, 0xfee838},
    };

    (void)state;
    for (int c = 0; c < 4; c++) {
        expect((lpips_colormap)c, 0, 255, entry[c][0]);
        expect((lpips_colormap)c, 100, 255, entry[c][1]);
        expect((lpips_colormap)c, 128, 255, entry[c][2]);
        expect((lpips_colormap)c, 255, 255, entry[c][3]);
    }
}

static void nearest_entry(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++)
        expect(LPIPS_COLORS_GRAY, (float)i, 255, (uint32_t)i * 0x010101);
    expect(LPIPS_COLORS_GRAY, 0.49f, 255, 0x000000);
    expect(LPIPS_COLORS_GRAY, 0.5f, 255, 0x010101);
    expect(LPIPS_COLORS_GRAY, 1.5f, 255, 0x020202);
    expect(LPIPS_COLORS_GRAY, 254.5f, 255, 0xffffff);
    expect(LPIPS_COLORS_GRAY, 0.5f, 1, 0x808080); /* 127.5 */
    expect(LPIPS_COLORS_GRAY, 0.25f, 0.75f, 0x555555);
    expect(LPIPS_COLORS_GRAY, -1, 1, 0);
    expect(LPIPS_COLORS_GRAY, -INFINITY, 1, 0);
}

static void out_of_scale(void **state)
{
    static const float scales[] = {0.1f, 0.3f, 1, 1e-38f, 3e38f};

    (void)state;
    for (size_t i = 0; i < COUNT(scales); i++) {
        expect(LPIPS_COLORS_MAGMA, scales[i], scales[i], 0xfcfdbf);
        expect(LPIPS_COLORS_MAGMA, nextafterf(scales[i], INFINITY), scales[i], 0x010203);
        expect(LPIPS_COLORS_MAGMA, INFINITY, scales[i], 0x010203);
    }
}

/* Lightness rises (up to the rounding to 8 bits): 0.2126 R + 0.7152 G + 0.0722 B. */
static void lightness_rises(void **state)
{
    (void)state;
    for (int c = 0; c < 5; c++) {
        double last = -1;

        for (int i = 0; i < 256; i++) {
            uint32_t rgb = color_of((lpips_colormap)c, (float)i, 255);
            double y = 0.2126 * pow(rgb >> 16, 2.2) + 0.7152 * pow(rgb >> 8 & 255, 2.2) +
                       0.0722 * pow(rgb & 255, 2.2);

            if (!(y > last * 0.99))
                fail_msg("%s: entry %d is darker than the one before",
                         lpips_colormap_name((lpips_colormap)c), i);
            last = y;
        }
    }
}

static void over_is_far(void **state)
{
    (void)state;
    for (int c = 0; c < 5; c++) {
        const uint8_t *far = lpips_colormap_over((lpips_colormap)c);

        assert_non_null(far);
        for (int i = 0; i < 256; i++) {
            uint32_t rgb = color_of((lpips_colormap)c, (float)i, 255);
            int r = (int)(rgb >> 16) - far[0], g = (int)(rgb >> 8 & 255) - far[1],
                b = (int)(rgb & 255) - far[2];

            if (r * r + g * g + b * b < 120 * 120)
                fail_msg("%s: entry %d is near the out-of-scale colour",
                         lpips_colormap_name((lpips_colormap)c), i);
        }
    }
    assert_null(lpips_colormap_over((lpips_colormap)5));
}

static void names(void **state)
{
    (void)state;
    for (int c = 0; c < 5; c++)
        assert_int_equal(lpips_colormap_from_name(lpips_colormap_name((lpips_colormap)c)), c);
    assert_string_equal(lpips_colormap_name(LPIPS_COLORS_CIVIDIS), "cividis");
    assert_string_equal(lpips_colormap_name(LPIPS_COLORS_GRAY), "gray");
    assert_null(lpips_colormap_name((lpips_colormap)5));
    assert_null(lpips_colormap_name((lpips_colormap)-1));
    assert_true(lpips_colormap_from_name("jet") < 0);
    assert_true(lpips_colormap_from_name("") < 0);
    assert_true(lpips_colormap_from_name(NULL) < 0);
}

static void refusals(void **state)
{
    static const float scales[] = {0, -1, NAN, INFINITY};
    const float d[2] = {0, NAN};
    uint8_t rgb[6];

    (void)state;
    assert_int_equal(lpips_colorize(rgb, d, 2, LPIPS_COLORS_GRAY, 1, over),
                     LPIPS_ERR_NOT_FINITE);
    for (size_t i = 0; i < COUNT(scales); i++)
        assert_int_equal(lpips_colorize(rgb, d, 1, LPIPS_COLORS_GRAY, scales[i], over),
                         LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_colorize(rgb, d, 1, (lpips_colormap)5, 1, over),
                     LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_colorize(rgb, d, 1, LPIPS_COLORS_GRAY, 1, NULL),
                     LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_colorize(NULL, d, 1, LPIPS_COLORS_GRAY, 1, over),
                     LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_colorize(rgb, NULL, 1, LPIPS_COLORS_GRAY, 1, over),
                     LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_colorize(NULL, NULL, 0, LPIPS_COLORS_GRAY, 1, over), LPIPS_OK);
}

/* n pixels fill 3 n bytes and not one more. */
static void packed_pixels(void **state)
{
    static const float d[3] = {0, 2, 1};
    uint8_t rgb[10];

    (void)state;
    memset(rgb, 0x5a, sizeof rgb);
    assert_int_equal(lpips_colorize(rgb, d, 3, LPIPS_COLORS_VIRIDIS, 1, over), LPIPS_OK);
    assert_memory_equal(rgb, "\x44\x01\x54\x01\x02\x03\xfd\xe7\x25\x5a", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_entries), cmocka_unit_test(nearest_entry),
        cmocka_unit_test(out_of_scale),  cmocka_unit_test(lightness_rises),
        cmocka_unit_test(over_is_far),   cmocka_unit_test(names),
        cmocka_unit_test(refusals),      cmocka_unit_test(packed_pixels),
    };

    return cmocka_run_group_tests_name("colors", tests, NULL, NULL);
}
