/*
 * Copyright (c) 2026 The liblpips authors
 *
 * This file is part of FFmpeg.
 *
 * FFmpeg is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * FFmpeg is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with FFmpeg; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin Street, Fifth Floor, Boston, MA 02110-1301 USA
 */

/**
 * @file
 * The colours of frames, by their tags. The conversion itself is liblpips's.
 */

#include <string.h>

#include "libavutil/avconfig.h"
#include "libavutil/avstring.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/pixdesc.h"
#include "libswscale/swscale.h"
#include "lpips_colour.h"

/* Formats whose every sample is a byte, a native 16-bit word or a float by itself. */
int ff_lpips_reads_format(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(format);
    const AVComponentDescriptor *first = &desc->comp[0];
    const int bytes = first->depth > 16 ? 4 : first->depth > 8 ? 2 : 1;
    const int is_float = !!(desc->flags & AV_PIX_FMT_FLAG_FLOAT);

    if (desc->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_PAL |
                       AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_BAYER) ||
        (bytes > 1 && !(desc->flags & AV_PIX_FMT_FLAG_BE) != !AV_HAVE_BIGENDIAN) ||
        av_strstart(desc->name, "xyz", NULL) ||
        format == AV_PIX_FMT_UYYVYY411) /* whose luma is not equally spaced */
        return 0;
    if (first->depth < 8 || first->depth + first->shift > 8 * bytes ||
        is_float != (first->depth == 32) ||
        (is_float && desc->nb_components > 2 && !(desc->flags & AV_PIX_FMT_FLAG_RGB)))
        return 0;
    for (int c = 0; c < (desc->nb_components < 3 ? 1 : 3); c++) {
        const AVComponentDescriptor *comp = &desc->comp[c];

        if (comp->depth != first->depth || comp->shift != first->shift ||
            comp->step % bytes || comp->offset % bytes)
            return 0;
    }
    return 1;
}

static int depth_of(const AVPixFmtDescriptor *desc)
{
    int depth = 8;

    for (int c = 0; c < desc->nb_components; c++)
        depth = FFMAX(depth, desc->comp[c].depth);
    return depth;
}

/* Of the same depth: before version 7 av_find_best_pix_fmt_of_2() liked 16 bits as much, and
 * codes are kept in their own depth only. */
enum AVPixelFormat ff_lpips_nearest_format(enum AVPixelFormat format)
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

enum { WARNED_ALPHA, WARNED_HDR, WARNED_CONFLICT };

static int first_time(LPIPSColours *r, int warning)
{
    const uint64_t bit = UINT64_C(1) << warning;
    const int first = !(r->warned & bit);

    r->warned |= bit;
    return first;
}

/* A view of frame for liblpips; colours that nobody tagged stay unknown. */
static void wrap_frame(lpips_frame *f, const AVFrame *frame)
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);
    const int rgb = desc->flags & AV_PIX_FMT_FLAG_RGB;

    memset(f, 0, sizeof(*f));
    for (int c = 0; c < (desc->nb_components < 3 ? 1 : 3); c++) {
        const AVComponentDescriptor *comp = &desc->comp[c];

        f->plane[c] = frame->data[comp->plane] + comp->offset;
        f->row_stride[c] = frame->linesize[comp->plane];
        f->step[c] = comp->step;
    }
    f->width = frame->width;
    f->height = frame->height;
    f->chroma_x = desc->log2_chroma_w;
    f->chroma_y = desc->log2_chroma_h;
    f->bits = desc->comp[0].depth;
    f->shift = desc->comp[0].shift;
    f->matrix = rgb ? LPIPS_MATRIX_RGB : (int)frame->colorspace;
    if (!rgb && f->matrix == LPIPS_MATRIX_RGB)
        f->matrix = -1; /* RGB in YUV planes: for liblpips to refuse */
    f->levels = frame->color_range;
    if (av_strstart(desc->name, "yuvj", NULL))
        f->levels = LPIPS_LEVELS_FULL;
    f->chroma_location = frame->chroma_location;
}

static int is_yuv(const lpips_frame *f)
{
    return f->plane[1] && f->matrix != LPIPS_MATRIX_RGB;
}

/* Tags speak of the same thing in YUV and YUV, and in grey and grey. */
static int same_kind(const lpips_frame *a, const lpips_frame *b)
{
    return a->plane[1] && b->plane[1] ? is_yuv(a) && is_yuv(b) : !a->plane[1] && !b->plane[1];
}

static int known_matrix(const lpips_frame *f)
{
    return f->matrix == LPIPS_MATRIX_SMPTE170M ? LPIPS_MATRIX_BT470BG : f->matrix;
}

static int differ(int a, int b, int unknown)
{
    return a != b && a != unknown && b != unknown;
}

static void warn_of_conflict(void *log, LPIPSColours *a, LPIPSColours *b)
{
    const int matrix =
        is_yuv(&a->tagged) &&
        differ(known_matrix(&a->tagged), known_matrix(&b->tagged), LPIPS_MATRIX_UNKNOWN);
    const int levels = differ(a->tagged.levels, b->tagged.levels, LPIPS_LEVELS_UNKNOWN);
    const char *space[2] = {av_color_space_name(a->tagged.matrix),
                            av_color_space_name(b->tagged.matrix)};

    if (!same_kind(&a->tagged, &b->tagged) || !(matrix || levels) ||
        !first_time(a, WARNED_CONFLICT))
        return;
    av_log(log, AV_LOG_WARNING,
           "conflicting tags: %s is%s%s%s%s, %s%s%s%s%s; each is read by its own. Where one "
           "of them is wrong, tags=main or tags=reference reads both by the right one.\n",
           a->name, matrix ? " " : "", matrix ? space[0] : "", levels ? " " : "",
           levels ? av_color_range_name(a->tagged.levels) : "", b->name, matrix ? " " : "",
           matrix ? space[1] : "", levels ? " " : "",
           levels ? av_color_range_name(b->tagged.levels) : "");
}

static void warn_of_frame(void *log, LPIPSColours *r, const AVFrame *frame)
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);
    const int pq = frame->color_trc == AVCOL_TRC_SMPTE2084;

    if (desc->flags & AV_PIX_FMT_FLAG_ALPHA && first_time(r, WARNED_ALPHA))
        av_log(log, AV_LOG_WARNING, "%s has alpha, which is ignored\n", r->name);
    if ((pq || frame->color_trc == AVCOL_TRC_ARIB_STD_B67) && first_time(r, WARNED_HDR))
        av_log(log, AV_LOG_WARNING,
               "%s is %s (%s): its codes are compared as they are, but LPIPS was made for "
               "SDR pictures; do not put its distances beside those of SDR video\n",
               r->name, pq ? "PQ" : "HLG", av_color_transfer_name(frame->color_trc));
}

/* Say how an input is read, once and again whenever that changes. */
static void log_reading(void *log, LPIPSColours *r)
{
    const int matrix = is_yuv(&r->settled) && r->tagged.matrix != r->settled.matrix;
    const int levels = r->settled.matrix && r->tagged.levels != r->settled.levels;
    char text[sizeof(r->read_as)];

    lpips_frame_describe(&r->settled, text, sizeof(text));
    if (matrix || levels)
        av_strlcatf(text, sizeof(text), " (untagged, %s%s%s assumed)", matrix ? "matrix" : "",
                    matrix && levels ? " and " : "", levels ? "range" : "");
    av_strlcat(text, r->scaled, sizeof(text));
    if (strcmp(text, r->read_as)) {
        av_strlcpy(r->read_as, text, sizeof(text));
        av_log(log, AV_LOG_INFO, "%s read as %s\n", r->name, text);
    }
}

static void take_tags(lpips_frame *f, const lpips_frame *from)
{
    if (!same_kind(f, from))
        return;
    f->matrix = from->matrix;
    f->levels = from->levels;
    f->chroma_location = from->chroma_location;
}

/*
 * The reference is read in one way whatever the number of main inputs: what it does not
 * say is taken from the first of them.
 */
static void settle(LPIPSColours *const *inputs, int nb, enum LPIPSTags tags)
{
    LPIPSColours *ref = inputs[nb - 1];

    for (int i = 0; i < nb; i++)
        inputs[i]->settled = inputs[i]->tagged;
    for (int i = 0; i < nb && tags != LPIPS_TAGS_OWN; i++)
        take_tags(&inputs[i]->settled,
                  tags == LPIPS_TAGS_MAIN ? &inputs[0]->tagged : &ref->tagged);
    for (int i = 0; i < nb - 1; i++)
        lpips_frame_settle(&inputs[i]->settled, &ref->settled);
}

/* Whether liblpips can; asked by converting no rows. */
static int check_matrix(void *log, const LPIPSColours *r)
{
    const char *space = av_color_space_name(r->tagged.matrix);
    float none, *const planes[3] = {&none, &none, &none};

    if (lpips_frame_to_rgb(&r->settled, planes, 0, 0, 0) >= 0)
        return 0;
    av_log(log, AV_LOG_ERROR,
           "The %s's colour space %s cannot be read as RGB; convert it with zscale or "
           "correct a wrong tag with setparams=colorspace=bt709.\n",
           r->name, space ? space : "of an unknown number");
    return AVERROR_PATCHWELCOME;
}

int ff_lpips_colours_settle(void *log, LPIPSColours *const *inputs,
                            const AVFrame *const *frames, int nb, enum LPIPSTags tags)
{
    for (int i = 0; i < nb; i++)
        wrap_frame(&inputs[i]->tagged, frames[i]);
    settle(inputs, nb, tags);
    for (int i = 0; i < nb; i++) {
        const int ret = check_matrix(log, inputs[i]);

        if (ret < 0)
            return ret;
        log_reading(log, inputs[i]);
        warn_of_frame(log, inputs[i], frames[i]);
        if (i < nb - 1 && tags == LPIPS_TAGS_OWN)
            warn_of_conflict(log, inputs[i], inputs[nb - 1]);
    }
    return 0;
}

void ff_lpips_colours_settle_alone(LPIPSColours *input, const AVFrame *frame)
{
    wrap_frame(&input->tagged, frame);
    input->settled = input->tagged;
    lpips_frame_settle(&input->settled, &input->tagged);
}
