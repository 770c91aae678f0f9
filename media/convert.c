/*
 * convert.c - palettes, foreign byte order, packed bits: by libswscale into the nearest
 * format that liblpips reads, as the filter has it.
 */
#include "internal.h"

#include <libavutil/pixdesc.h>

static int prepare(media_convert *c, const AVFrame *frame, char why[MEDIA_WHY])
{
    const char *name = av_get_pix_fmt_name(frame->format);
    const enum AVPixelFormat target = ff_lpips_nearest_format(frame->format);

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
