/*
 * tags.c - what a pair's colour tags leave open, settled by the rules of the filter lpips.
 */
#include "batch.h"
#include "tags.h"

#include "lpips_colour.h"

#include <libavutil/pixdesc.h>

/* The old names of full range formats, by what they hold. */
static enum AVPixelFormat plain_format(int format)
{
    switch (format) {
    case AV_PIX_FMT_YUVJ411P:
        return AV_PIX_FMT_YUV411P;
    case AV_PIX_FMT_YUVJ420P:
        return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
        return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ440P:
        return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ444P:
        return AV_PIX_FMT_YUV444P;
    default:
        return format;
    }
}

/* H.273's numbers are FFmpeg's. */
static void write_tags(AVFrame *frame, const lpips_frame *settled)
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);

    if (!desc || desc->flags & AV_PIX_FMT_FLAG_RGB || settled->matrix < 0)
        return;
    frame->format = plain_format(frame->format);
    frame->color_range = (enum AVColorRange)settled->levels;
    if (desc->nb_components < 3)
        return;
    frame->colorspace = (enum AVColorSpace)settled->matrix;
    frame->chroma_location = (enum AVChromaLocation)settled->chroma_location;
}

int report_tags_settle(AVFrame *pair[2], const AVFrame *reference, const AVFrame *output,
                       char why[REPORT_WHY])
{
    LPIPSColours both[2] = {{.name = "output"}, {.name = "reference"}};
    const AVFrame *frames[2] = {output, reference};

    pair[0] = av_frame_clone(reference);
    pair[1] = av_frame_clone(output);
    if (!pair[0] || !pair[1]) {
        av_frame_free(&pair[0]);
        av_frame_free(&pair[1]);
        return report_no_memory(why);
    }
    /* What the metric cannot read as it lies is converted by the tags that it has. */
    if (!ff_lpips_reads_format(output->format) || !ff_lpips_reads_format(reference->format))
        return 0;
    for (int i = 0; i < 2; i++)
        ff_lpips_colours_settle_alone(&both[i], frames[i]);
    lpips_frame_settle(&both[0].tagged, &both[1].tagged);
    write_tags(pair[0], &both[1].tagged);
    write_tags(pair[1], &both[0].tagged);
    return 0;
}
