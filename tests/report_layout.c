/*
 * report_layout.c - what lpips report makes of the folders of data sets; the mean of frames.
 */
#include "batch.h"
#include "blend.h"
#include "report_files.h"

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

/* ---- layouts ----------------------------------------------------------------- */

static void expect_item(const report_plan *p, size_t i, const char *method,
                        const char *subset, const char *clip, const char *reference,
                        const char *output)
{
    const report_item *item = &p->items[i];

    assert_true(i < p->n);
    assert_string_equal(item->method, method);
    assert_string_equal(item->subset, subset);
    assert_string_equal(item->clip, clip);
    assert_string_equal(item->reference, below_root(reference));
    assert_string_equal(item->output,
                        strncmp(output, "baseline:", 9) ? below_root(output) : output);
}

static void expect_neighbours(const report_plan *p, size_t i, const char *first,
                              const char *last)
{
    assert_string_equal(p->items[i].first, below_root(first));
    assert_string_equal(p->items[i].last, below_root(last));
}

static int lay_out(report_plan *p, const char *layout, const char *at, char why[REPORT_WHY])
{
    const report_method methods[] = {{"m", below_root("m")}, {"blend", NULL}};

    memset(p, 0, sizeof *p);
    return report_layout(p, layout, below_root(at), methods, 2, why) ||
                   report_plan_finish(p, why)
               ? -1
               : 0;
}

static void layout_vimeo(void **state)
{
    report_plan p;
    char why[REPORT_WHY] = "";

    (void)state;
    put_text("v/tri_testlist.txt", "00001/0001\r\n00001/0010\n\n00002/0003");
    put_text("v/sequences/00001/0001/im2.png", "x");
    put_text("m/00001/0001/im2.png", "x");
    put_text("m/sequences/00001/0010/im2.png", "x");
    assert_int_equal(lay_out(&p, "vimeo90k", "v/", why), 0);
    assert_int_equal(p.n, 6);
    expect_item(&p, 0, "m", "", "00001/0001", "v/sequences/00001/0001/im2.png",
                "m/00001/0001/im2.png");
    expect_neighbours(&p, 0, "v/sequences/00001/0001/im1.png",
                      "v/sequences/00001/0001/im3.png");
    expect_item(&p, 1, "blend", "", "00001/0001", "v/sequences/00001/0001/im2.png",
                "baseline:blend");
    expect_item(&p, 2, "m", "", "00001/0010", "v/sequences/00001/0010/im2.png",
                "m/sequences/00001/0010/im2.png");
    /* What is nowhere is planned under the first name, so that the report misses it. */
    expect_item(&p, 4, "m", "", "00002/0003", "v/sequences/00002/0003/im2.png",
                "m/00002/0003/im2.png");
    report_plan_free(&p);
}

static void layout_snu(void **state)
{
    report_plan p;
    char why[REPORT_WHY] = "";

    (void)state;
    put_text("s/eval_modes/test-easy.txt",
             "data/SNU-FILM/test/GOPRO_test/GOPR1/000001.png "
             "data/SNU-FILM/test/GOPRO_test/GOPR1/000002.png "
             "data/SNU-FILM/test/GOPRO_test/GOPR1/000003.png\n");
    put_text("s/test-extreme.txt", "YouTube_test/0000/01.png YouTube_test/0000/09.png "
                                   "YouTube_test/0000/17.png\n");
    for (int i = 1; i <= 3; i++) {
        char name[64];

        snprintf(name, sizeof name, "s/test/GOPRO_test/GOPR1/%06d.png", i);
        put_text(name, "x");
    }
    put_text("m/easy/GOPR1/000002.png", "x");
    assert_int_equal(lay_out(&p, "snu-film", "s", why), 0);
    assert_int_equal(p.n, 4);
    expect_item(&p, 0, "m", "easy", "GOPRO_test/GOPR1/000002",
                "s/test/GOPRO_test/GOPR1/000002.png", "m/easy/GOPR1/000002.png");
    expect_neighbours(&p, 0, "s/test/GOPRO_test/GOPR1/000001.png",
                      "s/test/GOPRO_test/GOPR1/000003.png");
    expect_item(&p, 2, "m", "extreme", "YouTube_test/0000/09", "s/YouTube_test/0000/09.png",
                "m/extreme/YouTube_test/0000/09.png");
    report_plan_free(&p);
    put_text("s/eval_modes/test-easy.txt", "a b c\na b\n");
    assert_int_equal(lay_out(&p, "snu-film", "s", why), -1);
    assert_non_null(strstr(why, "eval_modes/test-easy.txt, line 2: three paths"));
    report_plan_free(&p);
}

static void layout_ucf(void **state)
{
    report_plan p;
    char why[REPORT_WHY] = "";

    (void)state;
    put_text("u/1/frame_01_gt.png", "x");
    put_text("u/10/frame_01_gt.png", "x");
    put_text("u/2/frame_01_gt.png", "x");
    put_text("u/2/frame_01_m.png", "x");
    put_text("u/readme.txt", "x");
    put_text("m/1/frame_01_m.png", "x");
    put_text("m/10.png", "x");
    assert_int_equal(lay_out(&p, "ucf101", "u", why), 0);
    assert_int_equal(p.n, 6);
    expect_item(&p, 0, "m", "", "1", "u/1/frame_01_gt.png", "m/1/frame_01_m.png");
    expect_neighbours(&p, 0, "u/1/frame_00.png", "u/1/frame_02.png");
    expect_item(&p, 2, "m", "", "2", "u/2/frame_01_gt.png", "m/2/frame_01_m.png");
    expect_item(&p, 4, "m", "", "10", "u/10/frame_01_gt.png", "m/10.png");
    report_plan_free(&p);
}

/* Outputs beside the truth: the truth is never taken for one. */
static void layout_beside_the_truth(void **state)
{
    report_plan p = {0};
    char why[REPORT_WHY] = "";
    const report_method methods[] = {{"m", below_root("b")}, {"n", below_root("b")}};

    (void)state;
    put_text("b/1/frame_01_gt.png", "x");
    put_text("b/1/frame_01_m.png", "x");
    assert_int_equal(report_layout(&p, "ucf101", below_root("b"), methods, 2, why), 0);
    assert_int_equal(p.n, 2);
    expect_item(&p, 0, "m", "", "1", "b/1/frame_01_gt.png", "b/1/frame_01_m.png");
    expect_item(&p, 1, "n", "", "1", "b/1/frame_01_gt.png", "b/1/frame_01_n.png");
    report_plan_free(&p);
}

static void layout_middlebury(void **state)
{
    report_plan p;
    char why[REPORT_WHY] = "";

    (void)state;
    put_text("o/other-gt-interp/Beanbags/frame10i11.png", "x");
    put_text("o/other-data/Beanbags/frame10.png", "x");
    put_text("o/other-data/Army/frame10.png", "x"); /* without a truth */
    put_text("m/Beanbags/frame10i11.png", "x");
    assert_int_equal(lay_out(&p, "middlebury", "o", why), 0);
    assert_int_equal(p.n, 2);
    expect_item(&p, 0, "m", "", "Beanbags", "o/other-gt-interp/Beanbags/frame10i11.png",
                "m/Beanbags/frame10i11.png");
    expect_neighbours(&p, 0, "o/other-data/Beanbags/frame10.png",
                      "o/other-data/Beanbags/frame11.png");
    report_plan_free(&p);
}

static void layout_xiph(void **state)
{
    report_plan p;
    char why[REPORT_WHY] = "";

    (void)state;
    put_text("x/2K/Tango.y4m", "x");
    put_text("x/2K/notes.txt", "x");
    put_text("x/4K/Tango/0001.png", "x");
    put_text("m/2K/Tango.mp4", "x");
    put_text("m/2K/Tango2.mp4", "x");
    put_text("m/4K/Tango.mkv", "x");
    assert_int_equal(lay_out(&p, "xiph", "x", why), 0);
    assert_int_equal(p.n, 4);
    expect_item(&p, 0, "m", "2K", "Tango", "x/2K/Tango.y4m", "m/2K/Tango.mp4");
    assert_int_equal(p.items[0].every, 2);
    expect_item(&p, 2, "m", "4K", "Tango", "x/4K/Tango", "m/4K/Tango.mkv");
    expect_item(&p, 3, "blend", "4K", "Tango", "x/4K/Tango", "baseline:blend");
    report_plan_free(&p);
    put_text("m/2K/Tango.webm", "x");
    assert_int_equal(lay_out(&p, "xiph", "x", why), -1);
    assert_non_null(
        strstr(why, "Tango.mp4 and Tango.webm could be the output of clip Tango"));
    report_plan_free(&p);
}

/* As the published benchmark's script extracts them: CLIP-001.png beside one another. */
static void layout_xiph_flat(void **state)
{
    static const char *const names[] = {"Tango-001.png", "Tango-002.png", "Tango-003.png",
                                        "Cross%d9.png",  "Cross%d10.png", "readme.txt",
                                        "no_number.png"};
    report_plan p;
    char why[REPORT_WHY] = "", path[64];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof path, "f/100%%/4K/%s", names[i]);
        put_text(path, "x");
    }
    put_text("m/4K/Tango.mkv", "x");
    assert_int_equal(lay_out(&p, "xiph", "f/100%", why), -1);
    assert_non_null(strstr(why, "Cross%d9.png: number them from 1"));
    report_plan_free(&p);
    snprintf(path, sizeof path, "%s", below_root("f/100%/4K/Cross%d9.png"));
    unlink(path);
    snprintf(path, sizeof path, "%s", below_root("f/100%/4K/Cross%d10.png"));
    unlink(path);
    put_text("f/100%/4K/Cross%d1.png", "x");
    put_text("f/100%/4K/Cross%d2.png", "x");
    assert_int_equal(lay_out(&p, "xiph", "f/100%", why), 0);
    assert_int_equal(p.n, 4);
    expect_item(&p, 0, "m", "4K", "Cross%d", "f/100%%/4K/Cross%%d%01d.png",
                "m/4K/Cross%%d%01d.png");
    expect_item(&p, 2, "m", "4K", "Tango", "f/100%%/4K/Tango-%03d.png", "m/4K/Tango.mkv");
    report_plan_free(&p);
    for (int i = 1; i < 12; i++) {
        snprintf(path, sizeof path, "g/2K/x_%d.png", i);
        put_text(path, "x");
        snprintf(path, sizeof path, "m/2K/x-%04d.png", i);
        put_text(path, "x");
    }
    assert_int_equal(lay_out(&p, "xiph", "g", why), 0);
    expect_item(&p, 0, "m", "2K", "x", "g/2K/x_%d.png", "m/2K/x-%04d.png");
    report_plan_free(&p);
    put_text("g/2K/x_13.png", "x");
    assert_int_equal(lay_out(&p, "xiph", "g", why), -1);
    assert_non_null(strstr(why, "x_13.png follows number 11 of its clip"));
    report_plan_free(&p);
}

static void layout_errors(void **state)
{
    report_plan p;
    char why[REPORT_WHY] = "";

    (void)state;
    put_text("e/file", "x");
    put_text("m/file", "x");
    assert_int_equal(lay_out(&p, "vimeo", "e", why), -1);
    assert_non_null(strstr(why, "no layout is called \"vimeo\""));
    report_plan_free(&p);
    assert_int_equal(lay_out(&p, "vimeo90k", "e", why), -1);
    assert_non_null(strstr(why, "tri_testlist.txt"));
    report_plan_free(&p);
    assert_int_equal(lay_out(&p, "snu-film", "e", why), -1);
    report_plan_free(&p);
    assert_int_equal(lay_out(&p, "ucf101", "e", why), -1);
    assert_non_null(strstr(why, "no clips"));
    report_plan_free(&p);
    assert_int_equal(lay_out(&p, "ucf101", "nowhere", why), -1);
    report_plan_free(&p);
    remove_root(NULL);
    assert_int_equal(mkdir(root, 0777), 0);
    put_text("e/1/frame_01_gt.png", "x");
    assert_int_equal(lay_out(&p, "ucf101", "e", why), -1);
    assert_non_null(strstr(why, "method m: "));
    report_plan_free(&p);
}

/* ---- the mean of two frames -------------------------------------------------- */

static AVFrame *frame_of(enum AVPixelFormat format, int width, int height)
{
    AVFrame *f = av_frame_alloc();

    assert_non_null(f);
    f->format = format;
    f->width = width;
    f->height = height;
    assert_int_equal(av_frame_get_buffer(f, 0), 0);
    return f;
}

/* The last sample of each plane, so that no row and no column is left out. */
static void blend_halves_go_up(void **state)
{
    AVFrame *a = frame_of(AV_PIX_FMT_YUV420P, 5, 3), *b = frame_of(AV_PIX_FMT_YUV420P, 5, 3),
            *m;
    char why[REPORT_WHY];

    (void)state;
    for (int p = 0; p < 3; p++) {
        memset(a->data[p], 10, (size_t)(a->linesize[p] * (p ? 2 : 3)));
        memset(b->data[p], 13 + p, (size_t)(b->linesize[p] * (p ? 2 : 3)));
    }
    a->data[0][2 * a->linesize[0] + 4] = 255;
    b->data[0][2 * b->linesize[0] + 4] = 254;
    a->colorspace = AVCOL_SPC_BT709;
    assert_int_equal(report_blend(&m, a, b, why), 0);
    assert_int_equal(m->colorspace, AVCOL_SPC_BT709);
    assert_int_equal(m->data[0][0], 12);
    assert_int_equal(m->data[0][2 * m->linesize[0] + 4], 255);
    assert_int_equal(m->data[1][m->linesize[1] + 2], 12);
    assert_int_equal(m->data[2][m->linesize[2] + 2], 13);
    av_frame_free(&a);
    av_frame_free(&b);
    av_frame_free(&m);
}

static void blend_words(void **state)
{
    static const struct {
        enum AVPixelFormat format;
        uint16_t a, b, mean;
    } cases[] = {{AV_PIX_FMT_GRAY16, 65535, 65534, 65535},
                 {AV_PIX_FMT_YUV420P10, 1023, 1020, 1022},
                 {AV_PIX_FMT_P010, 1 << 6, 2 << 6, 2 << 6},
                 {AV_PIX_FMT_RGB48, 256, 259, 258}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        AVFrame *a = frame_of(cases[i].format, 2, 2), *b = frame_of(cases[i].format, 2, 2),
                *m;
        char why[REPORT_WHY];

        for (int k = 0; k < 2; k++) {
            memcpy(a->data[0] + 2 * k, &cases[i].a, 2);
            memcpy(b->data[0] + 2 * k, &cases[i].b, 2);
        }
        assert_int_equal(report_blend(&m, a, b, why), 0);
        assert_memory_equal(m->data[0] + 2, &cases[i].mean, 2);
        av_frame_free(&a);
        av_frame_free(&b);
        av_frame_free(&m);
    }
}

static void blend_refused(void **state)
{
    static const enum AVPixelFormat formats[] = {AV_PIX_FMT_PAL8, AV_PIX_FMT_RGB565,
                                                 AV_PIX_FMT_MONOBLACK, AV_PIX_FMT_GBRPF32};
    AVFrame *a, *b, *m;
    char why[REPORT_WHY];

    (void)state;
    for (size_t i = 0; i < COUNT(formats); i++) {
        a = frame_of(formats[i], 8, 8);
        assert_int_equal(report_blend(&m, a, a, why), -1);
        assert_non_null(strstr(why, "in the pixel format"));
        av_frame_free(&a);
    }
    a = frame_of(AV_PIX_FMT_GRAY8, 8, 8);
    b = frame_of(AV_PIX_FMT_GRAY8, 8, 9);
    assert_int_equal(report_blend(&m, a, b, why), -1);
    assert_non_null(strstr(why, "differ in size"));
    av_frame_free(&a);
    av_frame_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(layout_vimeo),       TEST(layout_snu),
        TEST(layout_ucf),         TEST(layout_beside_the_truth),
        TEST(layout_middlebury),  TEST(layout_xiph),
        TEST(layout_xiph_flat),   TEST(layout_errors),
        TEST(blend_halves_go_up), TEST(blend_words),
        TEST(blend_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
