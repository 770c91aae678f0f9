/*
 * test_png.c - PNG files of every kind and of strangers, and files that are no pictures.
 */
#include "media_support.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <libavutil/pixdesc.h>

/* ---- files ------------------------------------------------------------------ */

static const char *put(const char *name, const void *data, size_t size)
{
    const char *path = in_folder(name);
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* ---- PNG by hand --------------------------------------------------------------- */

typedef struct bytes {
    uint8_t data[1 << 16];
    size_t n;
} bytes;

static void add(bytes *b, const void *data, size_t n)
{
    assert_true(n <= sizeof b->data - b->n);
    memcpy(b->data + b->n, data, n);
    b->n += n;
}

static void add32(bytes *b, uint32_t v)
{
    const uint8_t big[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
                            (uint8_t)v};

    add(b, big, 4);
}

static void add_chunk(bytes *b, const char *kind, const void *data, size_t n)
{
    const size_t start = b->n + 4;

    add32(b, (uint32_t)n);
    add(b, kind, 4);
    add(b, data, n);
    add32(b, (uint32_t)crc32(0, b->data + start, (uInt)(n + 4)));
}

typedef struct shape {
    uint32_t width, height;
    uint8_t depth, colour, interlace;
} shape;

static void begin_png(bytes *b, const shape *s)
{
    bytes header = {.n = 0};
    const uint8_t rest[5] = {s->depth, s->colour, 0, 0, s->interlace};

    b->n = 0;
    add(b, "\x89PNG\r\n\x1a\n", 8);
    add32(&header, s->width);
    add32(&header, s->height);
    add(&header, rest, 5);
    add_chunk(b, "IHDR", header.data, header.n);
}

static void end_png(bytes *b, const uint8_t *lines, size_t n)
{
    uint8_t packed[1 << 14];
    uLongf size = sizeof packed;

    assert_int_equal(compress(packed, &size, lines, n), Z_OK);
    add_chunk(b, "IDAT", packed, size);
    add_chunk(b, "IEND", "", 0);
}

enum { W = 40, H = 35 };

/* 40x35 pixels of `size` bytes, each line behind its filter byte 0. */
static size_t fill_lines(uint8_t *lines, size_t row)
{
    for (size_t y = 0; y < H; y++) {
        lines[y * (row + 1)] = 0;
        for (size_t i = 0; i < row; i++)
            lines[y * (row + 1) + 1 + i] = (uint8_t)(37 * i + 11 * y + i * y / 7);
    }
    return H * (row + 1);
}

/* ---- kinds ------------------------------------------------------------------ */

static void expect_kind(uint8_t depth, uint8_t colour, size_t row, enum AVPixelFormat format)
{
    const shape s = {W, H, depth, colour, 0};
    static uint8_t lines[1 << 14];
    const size_t n = fill_lines(lines, row);
    static bytes b;
    AVFrame *frame;

    begin_png(&b, &s);
    end_png(&b, lines, n);
    frame = read_frame(put("kind.png", b.data, b.n));
    assert_non_null(frame);
    assert_string_equal(av_get_pix_fmt_name(frame->format), av_get_pix_fmt_name(format));
    assert_int_equal(frame->width, W);
    assert_int_equal(frame->height, H);
    assert_int_equal(frame->color_range, AVCOL_RANGE_JPEG);
    for (size_t y = 0; y < H; y++) {
        const uint8_t *got = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];
        const uint8_t *want = lines + y * (row + 1) + 1;

        for (size_t i = 0; i < row; i++)
            if (depth == 16)
                assert_int_equal(((const uint16_t *)(const void *)got)[i / 2],
                                 want[i & ~1U] << 8 | want[i | 1]);
            else
                assert_int_equal(got[i], want[i]);
    }
    av_frame_free(&frame);
}

static void png_samples(void **state)
{
    (void)state;
    expect_kind(8, 0, W, AV_PIX_FMT_GRAY8);
    expect_kind(8, 4, 2 * W, AV_PIX_FMT_YA8);
    expect_kind(8, 2, 3 * W, AV_PIX_FMT_RGB24);
    expect_kind(8, 6, 4 * W, AV_PIX_FMT_RGBA);
    expect_kind(16, 0, 2 * W, AV_PIX_FMT_GRAY16);
    expect_kind(16, 4, 4 * W, AV_PIX_FMT_YA16);
    expect_kind(16, 2, 6 * W, AV_PIX_FMT_RGB48);
    expect_kind(16, 6, 8 * W, AV_PIX_FMT_RGBA64);
}

/* A palette of three colours, of which one may be clear; entry 3 does not exist. */
static void png_palettes(void **state)
{
    static const uint8_t table[9] = {1, 2, 3, 100, 110, 120, 255, 0, 7};
    const shape s = {W, H, 2, 3, 0};
    uint8_t lines[H * (W / 4 + 1)];
    static bytes b;

    (void)state;
    for (int clear = 0; clear < 2; clear++) {
        AVFrame *frame;

        memset(lines, 0x24, sizeof lines); /* 0, 2, 1, 0 */
        for (int y = 0; y < H; y++)
            lines[y * (W / 4 + 1)] = 0;
        begin_png(&b, &s);
        add_chunk(&b, "PLTE", table, 9);
        if (clear)
            add_chunk(&b, "tRNS", "\x80", 1);
        end_png(&b, lines, sizeof lines);
        frame = read_frame(put("palette.png", b.data, b.n));
        assert_non_null(frame);
        assert_int_equal(frame->format, clear ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24);
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(frame->data[0][(3 + clear) * x + c],
                                 table[3 * (0x24 >> (6 - 2 * (x % 4)) & 3) + c]);
        av_frame_free(&frame);
    }
}

/* ---- hostile files ------------------------------------------------------------ */

static size_t whole_png(bytes *b)
{
    const shape s = {W, H, 8, 2, 0};
    static uint8_t lines[1 << 14];
    const size_t n = fill_lines(lines, 3 * W);

    begin_png(b, &s);
    end_png(b, lines, n);
    return b->n;
}

/* Wherever a file ends, it is refused with a sentence. */
static void png_truncated(void **state)
{
    static bytes b;
    const size_t n = whole_png(&b);

    (void)state;
    for (size_t k = 0; k < n; k += k < 64 || k + 32 > n ? 1 : 61) {
        AVFrame *frame = read_frame(put("cut.png", b.data, k));

        if (frame)
            fail_msg("%zu of %zu bytes were a picture", k, n);
        assert_non_null(strstr(why, "cut.png"));
    }
}

/* One bit anywhere: refused, or no harm where libpng can do without (ancillary). */
static void png_damaged(void **state)
{
    static bytes b;
    const size_t n = whole_png(&b);
    int refused = 0, tried = 0;

    (void)state;
    for (size_t k = 8; k < n; k += k < 60 ? 1 : 37) {
        AVFrame *frame;

        b.data[k] ^= 1U << k % 8;
        frame = read_frame(put("bit.png", b.data, b.n));
        tried++;
        refused += !frame;
        av_frame_free(&frame);
        b.data[k] ^= 1U << k % 8;
    }
    assert_int_equal(refused, tried);
}

/* Dimensions that would need gigabytes, for a file of some bytes. */
static void png_huge(void **state)
{
    static const shape shapes[] = {
        {0x7fffffff, 0x7fffffff, 16, 6, 0},
        {0x7fffffff, 1, 8, 2, 0},
        {1, 0x7fffffff, 8, 0, 0},
        {30000, 30000, 8, 2, 1},
        {16000, 16000, 16, 6, 0},
        {0, 5, 8, 2, 0},
        {5, 0, 8, 2, 0},
        {0x80000000, 5, 8, 2, 0},
        {5, 5, 3, 2, 0},
        {5, 5, 16, 3, 0},
        {5, 5, 8, 7, 0},
        {5, 5, 8, 2, 7},
    };
    static bytes b;

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        begin_png(&b, &shapes[i]);
        end_png(&b, (const uint8_t *)"\0\0\0\0", 4);
        if (read_frame(put("huge.png", b.data, b.n)))
            fail_msg("shape %zu was a picture", i);
        assert_non_null(strstr(why, "huge.png"));
    }
}

static void png_odd_chunks(void **state)
{
    const shape s = {W, H, 8, 3, 0};
    static uint8_t lines[1 << 14];
    const size_t n = fill_lines(lines, W);
    static bytes b;
    AVFrame *frame;

    (void)state;
    begin_png(&b, &s); /* a palette picture without a palette */
    end_png(&b, lines, n);
    assert_null(read_frame(put("odd.png", b.data, b.n)));
    begin_png(&b, &s); /* a palette of no whole entries */
    add_chunk(&b, "PLTE", "abcd", 4);
    end_png(&b, lines, n);
    assert_null(read_frame(put("odd.png", b.data, b.n)));
    begin_png(&b, &s); /* no picture */
    add_chunk(&b, "PLTE", "abc", 3);
    add_chunk(&b, "IEND", "", 0);
    assert_null(read_frame(put("odd.png", b.data, b.n)));
    whole_png(&b); /* more behind the end is no harm */
    add(&b, "more", 4);
    frame = read_frame(put("odd.png", b.data, b.n));
    assert_non_null(frame);
    av_frame_free(&frame);
}

/* ---- other files --------------------------------------------------------------- */

static void no_pictures(void **state)
{
    media_source *source;

    (void)state;
    assert_int_equal(media_open(&source, in_folder("none.png"), 0, why), -1);
    assert_non_null(strstr(why, "No such file"));
    assert_int_equal(media_open(&source, folder, 0, why), -1);
    assert_non_null(strstr(why, "is a folder"));
    assert_null(read_frame(put("empty.mp4", "", 0)));
    assert_non_null(strstr(why, "empty"));
    assert_null(read_frame(put("notes.txt", "lines\nof text\n", 14)));
    assert_non_null(strstr(why, "no picture or video"));
}

/* A playlist cannot make libavformat call anybody. */
static void no_calls(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    char list[256];

    (void)state;
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    snprintf(list, sizeof list,
             "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n"
             "http://127.0.0.1:%d/x.ts\n#EXT-X-ENDLIST\n",
             ntohs(at.sin_port));
    assert_null(read_frame(put("list.m3u8", list, strlen(list))));
    assert_int_equal(accept(listener, NULL, NULL), -1);
    close(listener);
}

/* What libavcodec reads, by whatever name. */
static void ppm_and_others(void **state)
{
    uint8_t ppm[15 + 3 * W * H] = "P6 40 35 255\n";
    AVFrame *frame;

    (void)state;
    memset(ppm + 13, 77, 3 * W * H);
    frame = read_frame(put("a.ppm", ppm, 13 + 3 * W * H));
    assert_non_null(frame);
    assert_int_equal(frame->width, W);
    assert_int_equal(frame->data[0][5], 77);
    av_frame_free(&frame);
    /* A name that looks like a pattern or a protocol is a name. */
    frame = read_frame(put("http:a%d*.ppm", ppm, 13 + 3 * W * H));
    assert_non_null(frame);
    av_frame_free(&frame);
}

/* ---- the whole -------------------------------------------------------------- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_samples),    cmocka_unit_test(png_palettes),
        cmocka_unit_test(png_truncated),  cmocka_unit_test(png_damaged),
        cmocka_unit_test(png_huge),       cmocka_unit_test(png_odd_chunks),
        cmocka_unit_test(no_pictures),    cmocka_unit_test(no_calls),
        cmocka_unit_test(ppm_and_others),
    };

    return cmocka_run_group_tests_name("png", tests, make_folder, remove_folder);
}
