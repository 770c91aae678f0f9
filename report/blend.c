/*
 * blend.c - the mean of two frames, sample by sample.
 */
#include "batch.h"
#include "blend.h"

#include <string.h>

#include <libavutil/avconfig.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

/* Bytes of a sample: 1 or 2; 0 where the samples are no whole codes of one depth, each in
 * bytes of its own. */
static int sample_bytes(const AVPixFmtDescriptor *desc)
{
    const uint64_t odd = AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                         AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT |
                         AV_PIX_FMT_FLAG_BAYER;
    const int depth = desc->comp[0].depth;

    if (desc->flags & odd || depth < 8 || depth > 16)
        return 0;
    for (int i = 1; i < desc->nb_components; i++)
        if (desc->comp[i].depth != depth || desc->comp[i].shift != desc->comp[0].shift)
            return 0;
    if (depth == 8)
        return 1;
    return !(desc->flags & AV_PIX_FMT_FLAG_BE) == !AV_HAVE_BIGENDIAN ? 2 : 0;
}

/* (a + b + 1) / 2 rounds halves up.  Unused low bits of a word stay 0. */
static void mean_bytes(uint8_t *to, const uint8_t *a, const uint8_t *b, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = (uint8_t)((a[i] + b[i] + 1) >> 1);
}

static void mean_words(uint8_t *to, const uint8_t *a, const uint8_t *b, int n, int shift)
{
    for (int i = 0; i < n; i++) {
        uint16_t x, y;

        memcpy(&x, a + 2 * i, 2);
        memcpy(&y, b + 2 * i, 2);
        x = (uint16_t)((((x >> shift) + (y >> shift) + 1) >> 1) << shift);
        memcpy(to + 2 * i, &x, 2);
    }
}

int report_blend(AVFrame **out, const AVFrame *a, const AVFrame *b, char why[REPORT_WHY])
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(a->format);
    const int bytes = desc ? sample_bytes(desc) : 0;
    AVFrame *f;

    *out = NULL;
    if (a->width != b->width || a->height != b->height || a->format != b->format)
        return report_fail(why, "no mean of neighbours: they differ in size or pixel format");
    if (!bytes)
        return report_fail(why, "no mean of neighbours in the pixel format %s: convert them",
                           desc ? desc->name : "unknown");
    if (!(f = av_frame_alloc()))
        return report_no_memory(why);
    f->format = a->format;
    f->width = a->width;
    f->height = a->height;
    if (av_frame_get_buffer(f, 0) < 0 || av_frame_copy_props(f, a) < 0) {
        av_frame_free(&f);
        return report_no_memory(why);
    }
    for (int p = 0; p < av_pix_fmt_count_planes(f->format); p++) {
        const int row = av_image_get_linesize(f->format, f->width, p);
        const int chroma = p == 1 || p == 2 ? desc->log2_chroma_h : 0;
        const int rows = AV_CEIL_RSHIFT(f->height, chroma);

        for (int y = 0; y < rows; y++) {
            uint8_t *to = f->data[p] + (ptrdiff_t)y * f->linesize[p];
            const uint8_t *from_a = a->data[p] + (ptrdiff_t)y * a->linesize[p];
            const uint8_t *from_b = b->data[p] + (ptrdiff_t)y * b->linesize[p];

            if (bytes == 1)
                mean_bytes(to, from_a, from_b, row);
            else
                mean_words(to, from_a, from_b, row / 2, desc->comp[0].shift);
        }
    }
    *out = f;
    return 0;
}
