/*
 * test_gegl.c - the plug-in's shared files without GIMP: GEGL buffers in, answers out
 *
 * Built and run where GEGL is installed, under AddressSanitizer too.
 */
#include "../support.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../gimp-plugin/host.h"
#include "../../gimp-plugin/worker.h"
#include "../pictures.h"

enum { W = 96, H = 72 };

static GeglBuffer *buffer_of(const char *name, int width, int height, const char *format)
{
    uint8_t *rgb = picture_make(name, width, height);
    GeglBuffer *b = gegl_buffer_new(GEGL_RECTANGLE(0, 0, width, height), babl_format(format));

    gegl_buffer_set(b, NULL, 0, babl_format("R'G'B' u8"), rgb, GEGL_AUTO_ROWSTRIDE);
    free(rgb);
    return b;
}

/* Two layers, and what becomes of them. */
typedef struct Case {
    LpipsSource a, b;
    LpipsMask mask;
    int background, sizes;
    char why[256];
    LpipsPair pair;
    LpipsAnswer answer;
} Case;

static Case make_case(const char *format)
{
    Case c = {0};

    c.a.buffer = buffer_of("scene.1", W, H, format);
    c.b.buffer = buffer_of("scene.1+blur.1", W, H, format);
    return c;
}

static gboolean read_case(Case *c)
{
    lpips_pair_clear(&c->pair);
    return lpips_pair_read(&c->pair, &c->a, &c->b, &c->mask, c->background, c->sizes, c->why,
                           sizeof c->why);
}

static double distance_of(Case *c, gboolean taps)
{
    LpipsQuestion q = {.taps = taps};
    double d;

    lpips_answer_clear(&c->answer);
    assert_true(read_case(c));
    q.weights = lpips_answer_weights(LPIPS_NET_ALEX, NULL, c->why, sizeof c->why);
    assert_non_null(q.weights);
    assert_true(lpips_answer_compute(&c->answer, &c->pair, &q, c->why, sizeof c->why));
    d = c->answer.distance;
    lpips_weights_unref(q.weights);
    return d;
}

static void end_case(Case *c)
{
    g_object_unref(c->a.buffer);
    g_object_unref(c->b.buffer);
    g_clear_object(&c->mask.buffer);
    lpips_pair_clear(&c->pair);
    lpips_answer_clear(&c->answer);
}

static double library_says(void)
{
    uint8_t *a = picture_make("scene.1", W, H), *b = picture_make("scene.1+blur.1", W, H);
    lpips_image ia, ib;
    lpips_weights *w;
    lpips_context *c;
    lpips_result r;

    lpips_image_packed(&ia, LPIPS_U8, a, W, H, 3, 3 * W);
    lpips_image_packed(&ib, LPIPS_U8, b, W, H, 3, 3 * W);
    assert_int_equal(lpips_weights_find(&w, LPIPS_NET_ALEX, NULL, NULL, 0), 0);
    assert_int_equal(lpips_context_create(&c, w, W, H, NULL), 0);
    assert_int_equal(lpips_compare(c, &ia, &ib, &r), 0);
    lpips_context_free(c);
    lpips_weights_unref(w);
    free(a);
    free(b);
    return r.distance;
}

static void test_number(void **state)
{
    const double want = library_says();
    Case c = make_case("R'G'B' u8"), alpha = make_case("R'G'B'A u8");
    GeglBuffer *a;

    (void)state;
    assert_true(distance_of(&c, FALSE) == want);
    assert_int_equal(c.pair.a.format, LPIPS_U8);
    assert_true(distance_of(&alpha, FALSE) == want);
    a = c.a.buffer;
    c.a.buffer = c.b.buffer;
    c.b.buffer = a;
    assert_true(distance_of(&c, FALSE) == want);
    end_case(&c);
    end_case(&alpha);
}

/* Another precision rounds the samples anew: float steps of 2^-24, enlarged by a net whose
 * score changes by less than the samples do. */
static void test_precisions(void **state)
{
    static const struct {
        const char *format;
        lpips_format read;
    } formats[] = {{"R'G'B' u16", LPIPS_U16},
                   {"R'G'B' float", LPIPS_F32},
                   {"RGB float", LPIPS_F32},
                   {"RGBA float", LPIPS_F32},
                   {"R'G'B'A u16", LPIPS_U16}};
    const double want = library_says();

    (void)state;
    for (size_t i = 0; i < COUNT(formats); i++) {
        Case c = make_case(formats[i].format);

        assert_true(fabs(distance_of(&c, FALSE) - want) < 1e-6);
        assert_int_equal(c.pair.a.format, formats[i].read);
        end_case(&c);
    }
}

static void test_equal_layers(void **state)
{
    static const char *const formats[] = {"R'G'B' u8", "RGBA float", "Y' u16", "YA half"};

    (void)state;
    for (size_t i = 0; i < COUNT(formats); i++) {
        Case c = {0};

        c.a.buffer = buffer_of("noise.1", W, H, formats[i]);
        c.b.buffer = buffer_of("noise.1", W, H, formats[i]);
        assert_true(distance_of(&c, FALSE) == 0);
        for (int k = 0; k < W * H; k++)
            assert_true(c.answer.map[k] == 0);
        end_case(&c);
    }
}

static void test_alpha(void **state)
{
    Case c = {0};

    (void)state;
    c.a.buffer = gegl_buffer_new(GEGL_RECTANGLE(0, 0, W, H), babl_format("R'G'B'A u8"));
    c.b.buffer = buffer_of("white.0", W, H, "R'G'B' u8");
    assert_true(distance_of(&c, FALSE) == 0);
    c.background = 1;
    assert_true(distance_of(&c, FALSE) > 0.1);
    end_case(&c);
}

static void set_mask(Case *c, int x, int y, int width, int height, float value)
{
    float *ones = g_new(float, (size_t)width *height);

    for (int i = 0; i < width * height; i++)
        ones[i] = value;
    g_clear_object(&c->mask.buffer);
    c->mask.buffer = gegl_buffer_new(GEGL_RECTANGLE(0, 0, 400, 400), babl_format("Y float"));
    c->mask.bounds = *GEGL_RECTANGLE(x, y, width, height);
    gegl_buffer_set(c->mask.buffer, &c->mask.bounds, 0, babl_format("Y float"), ones,
                    GEGL_AUTO_ROWSTRIDE);
    g_free(ones);
}

static void test_places(void **state)
{
    Case c = make_case("R'G'B' u8");

    (void)state;
    c.b.x = 5;
    c.b.y = -3;
    distance_of(&c, FALSE);
    assert_true(gegl_rectangle_equal(&c.answer.box, GEGL_RECTANGLE(5, 0, W - 5, H - 3)));
    set_mask(&c, 10, 20, 7, 1, 0.5F);
    distance_of(&c, FALSE);
    assert_true(gegl_rectangle_equal(&c.answer.box, GEGL_RECTANGLE(10, 20, 7, 1)));
    assert_true(gegl_rectangle_equal(&c.answer.context, GEGL_RECTANGLE(5, 0, W - 5, H - 3)));
    assert_true(c.pair.weight[3] == 0.5F);
    c.b.x = W;
    assert_false(read_case(&c));
    assert_non_null(strstr(c.why, "do not overlap"));
    c.b.x = 0;
    set_mask(&c, 300, 300, 10, 10, 1);
    assert_false(read_case(&c));
    assert_non_null(strstr(c.why, "nothing is selected"));
    set_mask(&c, 10, 10, 10, 10, 0);
    assert_false(read_case(&c));
    end_case(&c);
}

static void test_context_box(void **state)
{
    const GeglRectangle overlap = {7, 3, 2000, 1000};
    const GeglRectangle r = lpips_context_of(GEGL_RECTANGLE(507, 503, 10, 10), &overlap);
    const GeglRectangle corner = lpips_context_of(GEGL_RECTANGLE(7, 3, 1, 1), &overlap);

    (void)state;
    assert_int_equal((r.x - overlap.x) % LPIPS_GRID, 0);
    assert_int_equal((r.y - overlap.y) % LPIPS_GRID, 0);
    assert_true(507 - r.x >= LPIPS_MARGIN && 507 - r.x < LPIPS_MARGIN + LPIPS_GRID);
    assert_int_equal(r.x + r.width, 517 + LPIPS_MARGIN);
    assert_true(gegl_rectangle_equal(&corner, GEGL_RECTANGLE(7, 3, 129, 129)));
}

static double scaled_distance(const char *format)
{
    Case c = {.sizes = LPIPS_SIZES_SCALE};
    double d;

    c.a.buffer = buffer_of("scene.1", W, H, format);
    c.b.buffer = buffer_of("scene.1", 80, 60, format);
    d = distance_of(&c, FALSE);
    end_case(&c);
    return d;
}

/* An alpha channel without transparent pixels changes nothing, at the edges neither; samples
 * between two of 255 levels may fall to the other one. */
static void test_scaled_alpha(void **state)
{
    (void)state;
    assert_true(fabs(scaled_distance("R'G'B'A u8") - scaled_distance("R'G'B' u8")) < 1e-5);
}

static void test_sizes(void **state)
{
    Case c = make_case("R'G'B' u8");

    (void)state;
    g_object_unref(c.b.buffer);
    c.b.buffer = buffer_of("scene.1", 80, 60, "R'G'B' u8");
    assert_false(read_case(&c));
    assert_non_null(strstr(c.why, "96 x 72 and 80 x 60"));
    c.sizes = LPIPS_SIZES_OVERLAP;
    distance_of(&c, FALSE);
    assert_int_equal(c.answer.box.width, 80);
    c.sizes = LPIPS_SIZES_SCALE;
    distance_of(&c, FALSE);
    assert_int_equal(c.answer.box.width, W);
    end_case(&c);
    /* White is white at any size. */
    c.a.buffer = buffer_of("white.0", W, H, "R'G'B' u8");
    c.b.buffer = buffer_of("white.0", 50, 90, "R'G'B' u8");
    assert_true(distance_of(&c, FALSE) == 0);
    assert_int_equal(c.answer.box.height, H);
    end_case(&c);
}

/* 1 x 1, and a side that is one too short for the net. */
static void test_too_small(void **state)
{
    static const int sides[] = {1, 30};
    lpips_weights *w = lpips_answer_weights(LPIPS_NET_ALEX, NULL, NULL, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(sides); i++) {
        Case c = {0};
        const LpipsQuestion q = {.weights = w};

        c.a.buffer = buffer_of("noise.1", sides[i], 50, "R'G'B' u8");
        c.b.buffer = buffer_of("noise.2", sides[i], 50, "R'G'B' u8");
        assert_true(read_case(&c));
        assert_false(lpips_answer_compute(&c.answer, &c.pair, &q, c.why, sizeof c.why));
        assert_non_null(strstr(c.why, "needs at least 31 x 31"));
        end_case(&c);
    }
    lpips_weights_unref(w);
}

static void test_painting(void **state)
{
    Case c = make_case("R'G'B' u8");
    LpipsSettings s = lpips_settings_default;
    GeglBuffer *heat =
        gegl_buffer_new(GEGL_RECTANGLE(0, 0, 20, 10), babl_format("R'G'B'A u8"));
    GeglBuffer *raw = gegl_buffer_new(GEGL_RECTANGLE(0, 0, 20, 10), babl_format("Y' float"));
    GeglBuffer *bar = gegl_buffer_new(GEGL_RECTANGLE(0, 0, LPIPS_BAR_WIDTH, LPIPS_BAR_HEIGHT),
                                      babl_format("R'G'B'A u8"));
    uint8_t got[4 * 20], want[3 * 20];
    float row[20];

    (void)state;
    set_mask(&c, 30, 40, 20, 10, 0.5F);
    distance_of(&c, TRUE);
    lpips_paint_map(heat, &c.answer, c.answer.taps[4], c.pair.weight, &s);
    lpips_paint_raw(raw, &c.answer);
    lpips_paint_bar(bar, &s);
    gegl_buffer_get(raw, GEGL_RECTANGLE(0, 3, 20, 1), 1, babl_format("Y' float"), row,
                    GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    assert_memory_equal(row, c.answer.map + 43 * W + 30, sizeof row);
    gegl_buffer_get(heat, GEGL_RECTANGLE(0, 3, 20, 1), 1, babl_format("R'G'B'A u8"), got,
                    GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    lpips_colorize(want, c.answer.taps[4] + 43 * W + 30, 20, LPIPS_COLORS_VIRIDIS, 0.5F,
                   lpips_over_color(&s));
    for (int x = 0; x < 20; x++) {
        assert_memory_equal(got + 4 * x, want + 3 * x, 3);
        assert_int_equal(got[4 * x + 3], 128);
    }
    g_object_unref(heat);
    g_object_unref(raw);
    g_object_unref(bar);
    end_case(&c);
}

static void test_names(void **state)
{
    Case c = make_case("R'G'B' u8");
    char *name, *text, *want;

    (void)state;
    distance_of(&c, FALSE);
    want = g_strdup_printf("LPIPS %.6f (alex v0.1)", c.answer.distance);
    name = lpips_answer_name(&c.answer);
    text = lpips_answer_parasite(&c.answer, &lpips_settings_default, 2);
    assert_string_equal(name, want);
    assert_non_null(strstr(text, "net=alex\nversion=0.1\n"));
    assert_non_null(strstr(text, "tap=2\n"));
    g_free(name);
    g_free(text);
    g_free(want);
    end_case(&c);
}

static void test_choice_of_layers(void **state)
{
    LpipsHost *h = lpips_host_new(1, "/x/lpips");
    const gint selected[2] = {12, 11};
    char why[256];

    (void)state;
    lpips_host_add(h, 10, 1, 5, 5, "i", "top");
    lpips_host_add(h, 11, 1, 5, 5, "i", "middle");
    lpips_host_add(h, 12, 1, 5, 5, "i", "bottom");
    lpips_host_add(h, 20, 2, 9, 9, "k", "other size");
    assert_true(lpips_host_choose(h, NULL, 0, why, sizeof why));
    assert_true(h->a == 10 && h->b == 11);
    h->a = h->b = 0;
    assert_true(lpips_host_choose(h, selected, 1, why, sizeof why));
    assert_true(h->a == 12 && h->b == 11);
    h->a = h->b = 0;
    assert_true(lpips_host_choose(h, selected, 2, why, sizeof why));
    assert_true(h->a == 12 && h->b == 11);
    h->a = 20;
    h->b = 0;
    assert_true(lpips_host_choose(h, NULL, 0, why, sizeof why));
    assert_true(h->a == 20 && h->b > 0 && h->b != 20);
    lpips_host_free(h);
    h = lpips_host_new(1, "lpips");
    lpips_host_add(h, 10, 1, 5, 5, "i", "only");
    assert_false(lpips_host_choose(h, NULL, 0, why, sizeof why));
    assert_non_null(strstr(why, "two layers are needed"));
    lpips_host_free(h);
}

static void test_settings(void **state)
{
    LpipsSettings s = lpips_settings_default;
    char why[256];

    (void)state;
    assert_true(lpips_settings_check(&s, why, sizeof why));
    s.full_scale = NAN;
    assert_false(lpips_settings_check(&s, why, sizeof why));
    s = lpips_settings_default;
    s.colors = 5;
    assert_false(lpips_settings_check(&s, why, sizeof why));
    assert_string_equal(why, "colors is 5; there are 0 to 4");
}

static int stop_at_once(void *opaque, double fraction)
{
    (void)opaque;
    (void)fraction;
    return 1;
}

/* Cancelled: no answer, no complaint; and the worker forgets what it was stopped in. */
static void test_cancel(void **state)
{
    Case c = make_case("R'G'B' u8");
    LpipsWorker w = {0};
    LpipsQuestion q = {.progress = stop_at_once};

    (void)state;
    q.weights = lpips_answer_weights(LPIPS_NET_ALEX, NULL, c.why, sizeof c.why);
    assert_true(read_case(&c));
    assert_false(lpips_answer_compute(&c.answer, &c.pair, &q, c.why, sizeof c.why));
    assert_string_equal(c.why, "");
    assert_null(c.answer.map);
    lpips_worker_start(&w, &c.pair, q.weights, GEGL_RECTANGLE(8, 8, 16, 16), TRUE, TRUE);
    lpips_worker_stop(&w);
    assert_int_equal(lpips_worker_state(&w), LPIPS_WORK_NONE);
    lpips_worker_start(&w, &c.pair, q.weights, GEGL_RECTANGLE(8, 8, 16, 16), TRUE, TRUE);
    while (lpips_worker_state(&w) != LPIPS_WORK_DONE)
        g_usleep(1000);
    assert_true(w.crop_ok && w.whole_ok && w.seconds > 0);
    assert_true(w.whole.distance == library_says());
    lpips_worker_stop(&w);
    lpips_weights_unref(q.weights);
    end_case(&c);
}

static void test_space(void **state)
{
    const Babl *wide = babl_space("Adobish");
    Case c = make_case("R'G'B' u8"), d = make_case("R'G'B' u8");
    const double plain = distance_of(&c, FALSE);

    (void)state;
    d.a.buffer = lpips_in_space(d.a.buffer, wide);
    d.b.buffer = lpips_in_space(d.b.buffer, wide);
    assert_true(fabs(distance_of(&d, FALSE) - plain) > 1e-4);
    assert_int_equal(d.pair.a.format, LPIPS_F32);
    d.a.buffer = lpips_in_space(d.a.buffer, NULL);
    end_case(&c);
    end_case(&d);
}

/* 64 colours of a wide space, once as they are and once as a palette's. */
static GeglBuffer *few_colors(const char *name, int width, int height, gboolean indexed)
{
    const Babl *rgb = babl_format_with_space("R'G'B' u8", babl_space("Adobish"));
    const GeglRectangle all = {0, 0, width, height};
    uint8_t *pixels = picture_make(name, width, height), colors[3 * 64];
    const Babl *palette, *with_alpha;
    GeglBuffer *b;

    babl_new_palette_with_space("few", babl_space("Adobish"), &palette, &with_alpha);
    for (int i = 0; i < 64; i++)
        for (int c = 0; c < 3; c++)
            colors[3 * i + c] = (uint8_t)((i >> (2 * c) & 3) * 80);
    babl_palette_set_palette(palette, rgb, colors, 64);
    b = gegl_buffer_new(&all, indexed ? palette : rgb);
    for (int i = 0; i < width * height; i++) {
        const int index =
            pixels[3 * i] / 64 + pixels[3 * i + 1] / 64 * 4 + pixels[3 * i + 2] / 64 * 16;

        if (indexed)
            pixels[i] = (uint8_t)index;
        else
            memcpy(pixels + 3 * i, colors + 3 * index, 3);
    }
    gegl_buffer_set(b, &all, 0, indexed ? palette : rgb, pixels, GEGL_AUTO_ROWSTRIDE);
    free(pixels);
    return b;
}

/* Read and scaled as the same colours in RGB; tables of doubles against ones of floats. */
static void test_palette(void **state)
{
    static const struct {
        int width, height, sizes;
    } cases[] = {{W, H, LPIPS_SIZES_REFUSE}, {80, 60, LPIPS_SIZES_SCALE}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        double d[2];

        for (int indexed = 0; indexed < 2; indexed++) {
            Case c = {.sizes = cases[i].sizes};

            c.a.buffer = few_colors("scene.1", W, H, indexed);
            c.b.buffer =
                few_colors("scene.1+blur.2", cases[i].width, cases[i].height, indexed);
            d[indexed] = distance_of(&c, FALSE);
            end_case(&c);
        }
        assert_true(d[0] > 0.01 && fabs(d[1] - d[0]) < 1e-6);
    }
}

/* GEGL unloads modules that it has looked at; what they hold would then seem to be lost. */
static void keep_modules(const char *folder)
{
    GDir *dir = folder ? g_dir_open(folder, 0, NULL) : NULL;
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        char *path = g_build_filename(folder, name, NULL);

        dlopen(path, RTLD_LAZY | RTLD_NODELETE);
        g_free(path);
    }
    if (dir)
        g_dir_close(dir);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number),       cmocka_unit_test(test_precisions),
        cmocka_unit_test(test_equal_layers), cmocka_unit_test(test_alpha),
        cmocka_unit_test(test_places),       cmocka_unit_test(test_context_box),
        cmocka_unit_test(test_sizes),        cmocka_unit_test(test_scaled_alpha),
        cmocka_unit_test(test_too_small),    cmocka_unit_test(test_painting),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_choice_of_layers),
        cmocka_unit_test(test_settings),     cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_space),        cmocka_unit_test(test_palette),
    };

    g_setenv("GEGL_USE_OPENCL", "no", TRUE);
    keep_modules(g_getenv("GEGL_PATH"));
    gegl_init(&argc, &argv);
    /* No gegl_exit(), for the same reason. */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
