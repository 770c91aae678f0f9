/*
 * convert.c - palettes, foreign byte order, packed bits: by libswscale into the nearest
 * format that liblpips reads, which is the one that FFmpeg's negotiation picks for the
 * filter.
 */
#include "internal.h"

#include <libavutil/pixdesc.h>

static int depth_of(const AVPixFmtDescriptor *desc)
{
    int depth = 8;

    for (int c = 0; c < desc->nb_components; c++)
        depth = FFMAX(depth, desc->comp[c].depth);
    return depth;
}

/* Before version 7 libavcodec liked 16 bits as much as the depth that is there; codes of that
 * depth are only kept in it. */
static enum AVPixelFormat nearest_format(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *from = av_pix_fmt_desc_get(format), *desc = NULL;
    const int alpha = from->nb_components % 2 == 0;
    enum AVPixelFormat best = AV_PIX_FMT_NONE;

    while ((desc = av_pix_fmt_desc_next(desc))) {
        const enum AVPixelFormat candidate = av_pix_fmt_desc_get_id(desc);

        if (depth_of(desc) == depth_of(from) && ff_lpips_reads_format(candidate) &&
            sws_isSupportedOutput(candidate))
            best = av_find_best_pix_fmt_of_2(best, candidate, format, alpha, NULL);
    }
    return best;
}

static int prepare(media_convert *c, const AVFrame *frame, char why[MEDIA_WHY])
{
    const char *name = av_get_pix_fmt_name(frame->format);
    const enum AVPixelFormat target = nearest_format(frame->format);

    if (c->sws && c->width == frame->width && c->height == frame->height &&
        c->format == frame->format)
        return 0;
    media_convert_free(c);
    if (!sws_isSupportedInput(frame->format) || target == AV_PIX_FMT_NONE)
        return media_fail(why, "pictures in the format %s cannot be read", name);
    c->frame = av_frame_alloc();
    if (!c->frame)
        return media_fail(why, "out of memory");
    c->frame->width = frame->width;
    c->frame->height = frame->height;
    c->frame->format = target;
    if (av_frame_get_buffer(c->frame, 0) < 0)
        return media_fail(why, "out of memory for a picture of %dx%d", frame->width,
                          frame->height);
    c->sws = sws_getContext(frame->width, frame->height, frame->format, frame->width,
                            frame->height, target, SWS_BICUBIC, NULL, NULL, NULL);
    if (!c->sws)
        return media_fail(why,
                          "pictures in the format %s, of %dx%d, cannot be converted to %s",
                          name, frame->width, frame->height, av_get_pix_fmt_name(target));
    c->width = frame->width;
    c->height = frame->height;
    c->format = frame->format;
    return 0;
}

int media_convert_frame(media_convert *c, const AVFrame *frame, const AVFrame **out,
                        char why[MEDIA_WHY])
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);
    const bool rgb = desc && desc->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL);
    AVFrame *to;

    if (!desc)
        return media_fail(why, "the pictures have no known format");
    *out = frame;
    if (ff_lpips_reads_format(frame->format))
        return 0;
    if (prepare(c, frame, why) < 0) {
        media_convert_free(c);
        return -1;
    }
    to = c->frame;
    to->colorspace = rgb ? AVCOL_SPC_RGB : frame->colorspace;
    to->color_range = frame->color_range;
    to->color_trc = frame->color_trc;
    to->chroma_location = frame->chroma_location;
    if (sws_scale(c->sws, (const uint8_t *const *)frame->data, frame->linesize, 0,
                  frame->height, to->data, to->linesize) != frame->height)
        return media_fail(why, "a picture in the format %s cannot be converted", desc->name);
    *out = to;
    return 0;
}

void media_convert_free(media_convert *c)
{
    sws_freeContext(c->sws);
    c->sws = NULL;
    av_frame_free(&c->frame);
}
