/*
 * png.c - PNG pictures, through libpng: samples as they are stored, no gamma, no profile.
 */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <libavutil/bswap.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/log.h>
#include <png.h>

/* ---- errors ----------------------------------------------------------------- */

typedef struct report {
    const char *path;
    char *why;
} report;

static void on_error(png_structp png, const char *text)
{
    const report *r = png_get_error_ptr(png);

    media_fail(r->why, "%s: not a whole PNG picture: %s", r->path, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, const char *text)
{
    const report *r = png_get_error_ptr(png);

    av_log(&media_log, AV_LOG_VERBOSE, "%s: %s\n", r->path, text);
}

/* ---- which files ------------------------------------------------------------ */

/* An animation says so before its first picture. */
static bool is_still(FILE *f)
{
    uint8_t head[8];

    while (fread(head, 1, 8, f) == 8 && memcmp(head + 4, "IDAT", 4)) {
        if (!memcmp(head + 4, "acTL", 4))
            return false;
        if (AV_RB32(head) > INT32_MAX || fseek(f, (long)AV_RB32(head) + 4, SEEK_CUR))
            break;
    }
    return true;
}

FILE *media_png_open(const char *path, int64_t *bytes)
{
    static const uint8_t signature[8] = {137, 'P', 'N', 'G', '\r', '\n', 26, '\n'};
    uint8_t head[8];
    struct stat st;
    FILE *f = !stat(path, &st) && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;

    if (!f)
        return NULL;
    if (fread(head, 1, 8, f) == 8 && !memcmp(head, signature, 8) && is_still(f) &&
        !fseek(f, 0, SEEK_SET)) {
        *bytes = st.st_size;
        return f;
    }
    fclose(f);
    return NULL;
}

/* ---- reading ---------------------------------------------------------------- */

typedef struct reader {
    png_structp png;
    png_infop info;
    FILE *file;
    AVFrame *frame;
    png_bytep *rows;
} reader;

static enum AVPixelFormat format_of(int channels, int depth)
{
    static const enum AVPixelFormat formats[2][4] = {
        {AV_PIX_FMT_GRAY8, AV_PIX_FMT_YA8, AV_PIX_FMT_RGB24, AV_PIX_FMT_RGBA},
        {AV_PIX_FMT_GRAY16, AV_PIX_FMT_YA16, AV_PIX_FMT_RGB48, AV_PIX_FMT_RGBA64},
    };

    return formats[depth == 16][channels - 1];
}

/* What a header promises is not believed where the file is too short for it: deflate packs
 * no more than 1032 bytes into one. */
static void check_length(png_structp png, png_infop info, FILE *f)
{
    struct stat st;
    const uint64_t rows = png_get_image_height(png, info);
    const uint64_t bytes = rows * png_get_rowbytes(png, info);

    if (rows * png_get_image_width(png, info) > MEDIA_MAX_PIXELS)
        png_error(png, "more than 2^28 pixels");
    if (!fstat(fileno(f), &st) && S_ISREG(st.st_mode) && bytes / 1032 > (uint64_t)st.st_size)
        png_error(png, "the file is too short for its picture");
}

static void expand(png_structp png)
{
    png_set_expand(png); /* palette to RGB, 1 to 4 bits to 8, tRNS to alpha */
#if !AV_HAVE_BIGENDIAN
    png_set_swap(png);
#endif
    png_set_interlace_handling(png);
}

/* Jumps away at errors. */
static void read_picture(reader *r)
{
    png_uint_32 height;

    png_init_io(r->png, r->file);
    png_read_info(r->png, r->info);
    check_length(r->png, r->info, r->file);
    expand(r->png);
    png_read_update_info(r->png, r->info);
    height = png_get_image_height(r->png, r->info);
    r->frame->width = (int)png_get_image_width(r->png, r->info);
    r->frame->height = (int)height;
    r->frame->format =
        format_of(png_get_channels(r->png, r->info), png_get_bit_depth(r->png, r->info));
    r->rows = calloc(height, sizeof *r->rows);
    if (!r->rows || av_frame_get_buffer(r->frame, 0) < 0)
        png_error(r->png, "out of memory");
    for (png_uint_32 y = 0; y < height; y++)
        r->rows[y] = r->frame->data[0] + (ptrdiff_t)y * r->frame->linesize[0];
    png_read_image(r->png, r->rows);
    png_read_end(r->png, NULL);
    r->frame->color_range = AVCOL_RANGE_JPEG;
    if (png_get_channels(r->png, r->info) > 2)
        r->frame->colorspace = AVCOL_SPC_RGB;
}

static int read_guarded(reader *r)
{
    if (setjmp(png_jmpbuf(r->png)))
        return -1;
    read_picture(r);
    return 0;
}

int media_png_read(AVFrame **out, FILE *file, const char *path, char why[MEDIA_WHY])
{
    report about = {path, why};
    reader r = {.file = file};
    int ret = -1;

    r.frame = av_frame_alloc();
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &about, on_error, on_warning);
    r.info = r.png ? png_create_info_struct(r.png) : NULL;
    if (r.frame && r.info)
        ret = read_guarded(&r);
    else
        media_fail(why, "%s: out of memory", path);
    if (ret < 0)
        av_frame_free(&r.frame);
    *out = r.frame;
    free(r.rows);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    fclose(r.file);
    return ret;
}

/* ---- writing ---------------------------------------------------------------- */

typedef struct writer {
    png_structp png;
    png_infop info;
    uint8_t *data;
    size_t size, room;
} writer;

static void append(png_structp png, png_bytep bytes, size_t n)
{
    writer *w = png_get_io_ptr(png);

    if (n > w->room - w->size) {
        const size_t room = 2 * w->room + n;
        uint8_t *data =
            n < SIZE_MAX / 4 && w->room < SIZE_MAX / 4 ? realloc(w->data, room) : NULL;

        if (!data)
            png_error(png, "out of memory");
        w->data = data;
        w->room = room;
    }
    memcpy(w->data + w->size, bytes, n);
    w->size += n;
}

static void nothing(png_structp png)
{
    (void)png;
}

static int write_guarded(writer *w, const uint8_t *rgb, int width, int height)
{
    if (setjmp(png_jmpbuf(w->png)))
        return -1;
    png_set_write_fn(w->png, w, append, nothing);
    png_set_IHDR(w->png, w->info, (png_uint_32)width, (png_uint_32)height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(w->png, w->info);
    for (int y = 0; y < height; y++)
        png_write_row(w->png, rgb + (size_t)y * 3 * (size_t)width);
    png_write_end(w->png, NULL);
    return 0;
}

int media_png_encode(uint8_t **data, size_t *size, const uint8_t *rgb, int width, int height,
                     char why[MEDIA_WHY])
{
    report about = {"the picture to write", why};
    writer w = {0};
    int ret = -1;

    w.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &about, on_error, on_warning);
    w.info = w.png ? png_create_info_struct(w.png) : NULL;
    if (w.info)
        ret = write_guarded(&w, rgb, width, height);
    else
        media_fail(why, "out of memory for a PNG picture");
    png_destroy_write_struct(&w.png, &w.info);
    if (ret < 0) {
        free(w.data);
        w.data = NULL;
    }
    *data = w.data;
    *size = w.size;
    return ret;
}
