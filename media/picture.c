/*
 * picture.c - frames and maps as 8-bit RGB for people: whole, as thumbnails, as files.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/mem.h>

/* ---- frames ----------------------------------------------------------------- */

static uint8_t *rounded(const float *const planes[3], size_t n)
{
    uint8_t *rgb = malloc(3 * n);

    for (size_t i = 0; rgb && i < n; i++)
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = (uint8_t)lrintf(255 * fminf(fmaxf(planes[c][i], 0), 1));
    return rgb;
}

static uint8_t *read_rgb(const AVFrame *frame, char why[MEDIA_WHY])
{
    const size_t n = (size_t)frame->width * (size_t)frame->height;
    float *block = calloc(n, 3 * sizeof *block);
    float *const planes[3] = {block, block + n, block + 2 * n};
    LPIPSColours colours = {.name = "picture"};
    uint8_t *rgb = NULL;

    ff_lpips_colours_settle_alone(&colours, frame);
    if (!block)
        media_fail(why, "out of memory for a picture of %dx%d", frame->width, frame->height);
    else if (lpips_frame_to_rgb(&colours.settled, planes,
                                frame->width * (ptrdiff_t)sizeof(float), 0,
                                frame->height) < 0)
        media_fail(why, "the colours of a picture (matrix %d) cannot be read as RGB",
                   colours.settled.matrix);
    else if (!(rgb = rounded((const float *const *)planes, n)))
        media_fail(why, "out of memory for a picture of %dx%d", frame->width, frame->height);
    free(block);
    return rgb;
}

uint8_t *media_rgb(const AVFrame *frame, char why[MEDIA_WHY])
{
    media_convert convert = {0};
    const AVFrame *readable;
    uint8_t *rgb = NULL;

    if (media_convert_frame(&convert, frame, &readable, why) >= 0)
        rgb = read_rgb(readable, why);
    media_convert_free(&convert);
    return rgb;
}

/* ---- thumbnails ------------------------------------------------------------- */

static void fit(int width, int height, int fit_width, int fit_height, int *w, int *h)
{
    const double x = (double)fit_width / width, y = (double)fit_height / height;
    const double scale = x < y ? x : y;

    *w = (int)fmin(fmax(1, round(width * scale)), fit_width);
    *h = (int)fmin(fmax(1, round(height * scale)), fit_height);
}

/* One channel as grey, for packed RGB would pass through YUV inside swscale. */
static int scale_channel(struct SwsContext *sws, uint8_t *from, uint8_t *to,
                         const uint8_t *rgb, const int size[4], uint8_t *out)
{
    const size_t n = (size_t)size[0] * (size_t)size[1], m = (size_t)size[2] * (size_t)size[3];
    const uint8_t *const source[4] = {from};
    uint8_t *const target[4] = {to};
    const int stride[4] = {size[0]}, to_stride[4] = {FFALIGN(size[2], 64)};

    for (size_t i = 0; i < n; i++)
        from[i] = rgb[3 * i];
    if (sws_scale(sws, source, stride, 0, size[1], target, to_stride) != size[3])
        return -1;
    for (size_t i = 0; i < m; i++)
        out[3 * i] = to[i / (size_t)size[2] * (size_t)to_stride[0] + i % (size_t)size[2]];
    return 0;
}

uint8_t *media_thumbnail(const uint8_t *rgb, int width, int height, int fit_width,
                         int fit_height, int *out_width, int *out_height)
{
    int size[4] = {width, height, 0, 0};
    struct SwsContext *sws;
    uint8_t *from, *to, *out;
    int ret = -1;

    fit(width, height, fit_width, fit_height, &size[2], &size[3]);
    sws = sws_getContext(width, height, AV_PIX_FMT_GRAY8, size[2], size[3], AV_PIX_FMT_GRAY8,
                         size[2] < width ? SWS_AREA : SWS_BICUBIC, NULL, NULL, NULL);
    /* Scaling reads and writes by vectors, somewhat past the ends. */
    from = av_mallocz((size_t)width * (size_t)height + 64);
    to = av_mallocz((size_t)FFALIGN(size[2], 64) * (size_t)size[3] + 64);
    out = malloc(3 * (size_t)size[2] * (size_t)size[3]);
    if (sws && from && to && out)
        ret = 0;
    for (int c = 0; c < 3 && ret >= 0; c++)
        ret = scale_channel(sws, from, to, rgb + c, size, out + c);
    if (ret < 0) {
        free(out);
        out = NULL;
    }
    av_free(to);
    av_free(from);
    sws_freeContext(sws);
    *out_width = size[2];
    *out_height = size[3];
    return out;
}

/* ---- files ------------------------------------------------------------------ */

/* What stands there is a pipe or a device: nothing to put another file in place of. */
static bool in_place(const char *path)
{
    struct stat st;

    return !stat(path, &st) && !S_ISREG(st.st_mode);
}

int media_write_file(const char *path, const void *data, size_t size, char why[MEDIA_WHY])
{
    const bool direct = in_place(path);
    char *name = NULL;
    int ret = -1, fd;
    FILE *f;

    if (asprintf(&name, direct ? "%s" : "%s.%ld.tmp", path, (long)getpid()) < 0)
        return media_fail(why, "out of memory");
    fd = open(name, O_WRONLY | O_CLOEXEC | (direct ? 0 : O_CREAT | O_TRUNC), 0666);
    f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (f) {
        const bool written = fwrite(data, 1, size, f) == size && !fflush(f);

        if (!fclose(f) && written && (direct || !rename(name, path)))
            ret = 0;
    }
    if (ret < 0)
        media_fail(why, "%s cannot be written: %s", path, strerror(errno));
    if (ret < 0 && fd >= 0 && !direct)
        unlink(name);
    free(name);
    return ret;
}

int media_png_write(const char *path, const uint8_t *rgb, int width, int height,
                    char why[MEDIA_WHY])
{
    uint8_t *data;
    size_t size;
    int ret = media_png_encode(&data, &size, rgb, width, height, why);

    if (ret >= 0)
        ret = media_write_file(path, data, size, why);
    free(data);
    return ret;
}
