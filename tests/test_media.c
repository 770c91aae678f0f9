/*
 * test_media.c - frames beside frames, maps, and pictures that are written.
 */
#include "media_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/pixdesc.h>

/* ---- scoring ---------------------------------------------------------------- */

static AVFrame *made_frame(enum AVPixelFormat format, int width, int height, int seed)
{
    AVFrame *frame = av_frame_alloc();

    frame->format = format;
    frame->width = width;
    frame->height = height;
    assert_int_equal(av_frame_get_buffer(frame, 0), 0);
    for (int p = 0; p < 4 && frame->data[p]; p++) {
        const int lines =
            p && av_pix_fmt_desc_get(format)->log2_chroma_h ? (height + 1) / 2 : height;

        for (int i = 0; i < lines * frame->linesize[p]; i++)
            frame->data[p][i] = (uint8_t)(16 + (i * (seed + 3) + i / 97 * seed) % 200);
    }
    return frame;
}

static media_score *made_score(unsigned flags)
{
    const media_score_options options = {.flags = flags, .threads = 2};
    media_score *score;

    if (media_score_open(&score, &options, why) < 0)
        fail_msg("%s", why);
    return score;
}

enum { N = 5 };

/* One by one, against one reference, in pairs, in any order of sizes: the same numbers. */
static void ways_agree(void **state)
{
    static const int sizes[3][2] = {{64, 48}, {33, 64}, {48, 48}};
    media_score *score = made_score(0);

    (void)state;
    for (int round = 0; round < 6; round++) {
        const int w = sizes[round % 3][0], h = sizes[round % 3][1];
        const AVFrame *others[N], *references[N];
        AVFrame *frame[N], *reference = made_frame(AV_PIX_FMT_YUV420P, w, h, 40);
        lpips_result many[N], pairs[N], one;

        for (int i = 0; i < N; i++) {
            others[i] = frame[i] =
                made_frame(i % 2 ? AV_PIX_FMT_YUV420P : AV_PIX_FMT_RGB24, w, h, i);
            references[i] = reference;
        }
        assert_int_equal(media_score_many(score, reference, others, N, many, NULL, why), 0);
        assert_non_null(strstr(media_score_read_as(score, 0), "rgb 8 bit"));
        assert_non_null(strstr(media_score_read_as(score, 1), "yuv 4:2:0"));
        assert_non_null(strstr(media_score_reference_read_as(score), "yuv 4:2:0"));
        assert_int_equal(media_score_pairs(score, references, others, N, pairs, why), 0);
        assert_non_null(strstr(media_score_read_as(score, 2), "rgb 8 bit"));
        assert_non_null(
            strstr(media_score_pair_reference_read_as(score, N - 1), "yuv 4:2:0"));
        for (int i = 0; i < N; i++) {
            assert_int_equal(media_score_many(score, reference, &others[i], 1, &one, NULL,
                                              why),
                             0);
            assert_true(one.distance > 0.001);
            assert_memory_equal(&one, &many[i], sizeof one);
            assert_memory_equal(&one, &pairs[i], sizeof one);
            av_frame_free(&frame[i]);
        }
        av_frame_free(&reference);
    }
    media_score_close(score);
}

static void refusals(void **state)
{
    media_score *score = made_score(0);
    AVFrame *a = made_frame(AV_PIX_FMT_RGB24, 64, 48, 1);
    AVFrame *b = made_frame(AV_PIX_FMT_RGB24, 48, 64, 1);
    AVFrame *small = made_frame(AV_PIX_FMT_RGB24, 30, 64, 1);
    AVFrame *odd = made_frame(AV_PIX_FMT_YUV420P, 64, 48, 1);
    const AVFrame *left[2] = {a, b}, *right[2] = {a, b}, *other = b;
    lpips_result results[2];

    (void)state;
    assert_int_equal(media_score_many(score, a, &other, 1, results, NULL, why), -1);
    assert_non_null(strstr(why, "64x48"));
    assert_non_null(strstr(why, "48x64"));
    assert_int_equal(media_score_pairs(score, left, right, 2, results, why), -1);
    other = small;
    assert_int_equal(media_score_many(score, small, &other, 1, results, NULL, why), -1);
    assert_non_null(strstr(why, "30x64 is too small for net alex, which needs 31x31"));
    other = odd;
    odd->colorspace = AVCOL_SPC_ICTCP;
    assert_int_equal(media_score_many(score, a, &other, 1, results, NULL, why), -1);
    assert_non_null(strstr(why, "ictcp"));
    other = a;
    assert_int_equal(media_score_many(score, a, &other, 1, results, NULL, why), 0);
    assert_true(results[0].distance == 0);
    av_frame_free(&a);
    av_frame_free(&b);
    av_frame_free(&small);
    av_frame_free(&odd);
    media_score_close(score);
}

static void no_weights(void **state)
{
    const media_score_options wrong[] = {
        {.version = "0.9"},
        {.net = 77},
        {.model = "/nowhere/x.safetensors"},
    };
    media_score *score;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        why[0] = 0;
        assert_int_equal(media_score_open(&score, &wrong[i], why), -1);
        assert_null(score);
        assert_true(strlen(why) > 5);
    }
}

/* Big-endian and palette frames mean the same as what they were made from. */
static void foreign_formats(void **state)
{
    media_score *score = made_score(0);
    AVFrame *native = made_frame(AV_PIX_FMT_YUV420P10, 64, 48, 2);
    AVFrame *foreign = av_frame_alloc();
    const AVFrame *other = foreign;
    lpips_result result;

    (void)state;
    foreign->format = av_pix_fmt_swap_endianness(AV_PIX_FMT_YUV420P10);
    foreign->width = 64;
    foreign->height = 48;
    assert_int_equal(av_frame_get_buffer(foreign, 0), 0);
    for (int p = 0; p < 3; p++)
        for (int i = 0; i < (p ? 24 : 48) * native->linesize[p]; i += 2) {
            native->data[p][i + 1] &= 3;
            foreign->data[p][i] = native->data[p][i + 1];
            foreign->data[p][i + 1] = native->data[p][i];
        }
    assert_int_equal(media_score_many(score, native, &other, 1, &result, NULL, why), 0);
    assert_true(result.distance == 0);
    assert_non_null(strstr(media_score_read_as(score, 0), "10 bit"));
    foreign->data[0][99] ^= 1; /* the low byte of one sample */
    assert_int_equal(media_score_many(score, native, &other, 1, &result, NULL, why), 0);
    assert_true(result.distance > 0 && result.distance < 1e-3);
    av_frame_free(&native);
    av_frame_free(&foreign);
    media_score_close(score);
}

static void maps(void **state)
{
    media_score *score = made_score(LPIPS_WANT_MAP);
    AVFrame *a = made_frame(AV_PIX_FMT_RGB24, 64, 48, 1);
    AVFrame *b = made_frame(AV_PIX_FMT_RGB24, 64, 48, 2);
    const AVFrame *others[2] = {a, b};
    static float total[2][64 * 48];
    const lpips_map map[2] = {{.total = total[0], .stride = 64 * sizeof(float)},
                              {.total = total[1], .stride = 64 * sizeof(float)}};
    lpips_result results[2];
    double sum = 0;

    (void)state;
    total[0][7] = 1;
    assert_int_equal(media_score_many(score, a, others, 2, results, map, why), 0);
    for (int i = 0; i < 64 * 48; i++) {
        assert_true(total[0][i] == 0);
        sum += total[1][i];
    }
    assert_true(fabs(sum / (64 * 48) - results[1].distance) < 0.25 * results[1].distance);
    av_frame_free(&a);
    av_frame_free(&b);
    media_score_close(score);
}

/* ---- pictures out ---------------------------------------------------------------- */

static void written_and_read(void **state)
{
    AVFrame *frame = made_frame(AV_PIX_FMT_RGB24, 37, 29, 3), *back;
    uint8_t *rgb = media_rgb(frame, why);

    (void)state;
    assert_non_null(rgb);
    for (int y = 0; y < 29; y++)
        assert_memory_equal(rgb + 3 * 37 * y, frame->data[0] + y * frame->linesize[0],
                            3 * 37);
    assert_int_equal(media_png_write(in_folder("out.png"), rgb, 37, 29, why), 0);
    back = read_frame(in_folder("out.png"));
    assert_non_null(back);
    for (int y = 0; y < 29; y++)
        assert_memory_equal(rgb + 3 * 37 * y, back->data[0] + y * back->linesize[0], 3 * 37);
    assert_int_equal(media_png_write("/nowhere/out.png", rgb, 37, 29, why), -1);
    assert_non_null(strstr(why, "/nowhere/out.png"));
    assert_int_equal(media_write_file("/dev/full", rgb, 99, why), -1);
    free(rgb);
    av_frame_free(&frame);
    av_frame_free(&back);
}

/* Flat colours stay what they are, sizes fit, proportions stay. */
static void thumbnails(void **state)
{
    static const int sizes[][4] = {/* of the picture, of the thumbnail */
                                   {640, 360, 160, 90}, {90, 300, 30, 100},
                                   {1, 1, 100, 100},    {999, 2, 160, 1},
                                   {7, 7, 100, 100},    {160, 100, 160, 100}};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t n = (size_t)sizes[i][0] * (size_t)sizes[i][1];
        uint8_t *rgb = malloc(3 * n), *small;
        int w, h;

        for (size_t k = 0; k < n; k++)
            memcpy(rgb + 3 * k, (const uint8_t[3]){250, 3, 128}, 3);
        small = media_thumbnail(rgb, sizes[i][0], sizes[i][1], 160, 100, &w, &h);
        assert_non_null(small);
        assert_int_equal(w, sizes[i][2]);
        assert_int_equal(h, sizes[i][3]);
        for (int k = 0; k < w * h; k++) {
            assert_in_range(small[3 * k], 249, 251);
            assert_in_range(small[3 * k + 1], 2, 4);
            assert_in_range(small[3 * k + 2], 127, 129);
        }
        free(small);
        free(rgb);
    }
}

/* ---- the whole -------------------------------------------------------------- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_agree), cmocka_unit_test(refusals),
        cmocka_unit_test(no_weights), cmocka_unit_test(foreign_formats),
        cmocka_unit_test(maps),       cmocka_unit_test(written_and_read),
        cmocka_unit_test(thumbnails),
    };

    return cmocka_run_group_tests_name("media", tests, make_folder, remove_folder);
}
