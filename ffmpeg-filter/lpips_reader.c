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
 * The frames of one input of the filter lpips as planes of RGB floats.
 *
 * The conversion itself is liblpips's, so that every program that uses the library has
 * the same numbers, whatever FFmpeg's scaler does in this version.
 */

#include <string.h>

#include "libavutil/avstring.h"
#include "libavutil/imgutils.h"
#include "libavutil/opt.h"
#include "libavutil/pixdesc.h"
#include "libswscale/swscale.h"
#include "lpips_compat.h"
#include "lpips_reader.h"

/* ---- formats ----------------------------------------------------------------- */

/* Formats whose every sample is a byte, a native 16-bit word or a float by itself. */
static int reads_format(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(format);
    const AVComponentDescriptor *first = &desc->comp[0];
    const int bytes = first->depth > 16 ? 4 : first->depth > 8 ? 2 : 1;
    const int is_float = !!(desc->flags & AV_PIX_FMT_FLAG_FLOAT);

    if (desc->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_PAL |
                       AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_BAYER) ||
        (bytes > 1 && !(desc->flags & AV_PIX_FMT_FLAG_BE) != !HAVE_BIGENDIAN) ||
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

static AVFilterFormats *readable_formats(void)
{
    AVFilterFormats *formats = NULL;
    const AVPixFmtDescriptor *desc = NULL;

    while ((desc = av_pix_fmt_desc_next(desc))) {
        const enum AVPixelFormat format = av_pix_fmt_desc_get_id(desc);

        if (reads_format(format) && ff_add_format(&formats, format) < 0)
            return NULL;
    }
    return formats;
}

static AVFilterFormats *drawn_formats(void)
{
    return ff_make_format_list((const int[]){AV_PIX_FMT_RGB24, -1});
}

/* One property of one link, and of another that shares the list. */
static int set_list(AVFilterFormats *list, AVFilterFormats **link, AVFilterFormats **sharer)
{
    int ret = ff_formats_ref(list, link);

    return ret >= 0 && sharer ? ff_formats_ref(list, sharer) : ret;
}

int ff_lpips_negotiate(AVFilterFormatsConfig **in, int nb_inputs, AVFilterFormatsConfig *out,
                       int passes)
{
    int ret = passes ? 0 : set_list(drawn_formats(), &out->formats, NULL);

#define SET(list, field) \
    if (ret >= 0)        \
    ret = set_list(list, &in[i]->field, i == 0 && passes ? &out->field : NULL)
    for (int i = 0; i < nb_inputs && ret >= 0; i++) {
        SET(readable_formats(), formats);
#if LAVFI(10, 0)
        SET(ff_all_color_spaces(), color_spaces);
        SET(ff_all_color_ranges(), color_ranges);
#endif
#if LAVFI(11, 8)
        SET(ff_all_alpha_modes(), alpha_modes);
#endif
    }
    return ret;
}

/* ---- colours ----------------------------------------------------------------- */

enum { WARNED_ALPHA, WARNED_HDR, WARNED_CONFLICT };

static int first_time(LPIPSReader *r, int warning)
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

static void warn_of_conflict(AVFilterContext *ctx, LPIPSReader *a, LPIPSReader *b)
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
    av_log(ctx, AV_LOG_WARNING,
           "conflicting tags: %s is%s%s%s%s, %s%s%s%s%s; each is read by its own. Where one "
           "of them is wrong, tags=main or tags=reference reads both by the right one.\n",
           a->name, matrix ? " " : "", matrix ? space[0] : "", levels ? " " : "",
           levels ? av_color_range_name(a->tagged.levels) : "", b->name, matrix ? " " : "",
           matrix ? space[1] : "", levels ? " " : "",
           levels ? av_color_range_name(b->tagged.levels) : "");
}

static void warn_of_frame(AVFilterContext *ctx, LPIPSReader *r, const AVFrame *frame)
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);
    const int pq = frame->color_trc == AVCOL_TRC_SMPTE2084;

    if (desc->flags & AV_PIX_FMT_FLAG_ALPHA && first_time(r, WARNED_ALPHA))
        av_log(ctx, AV_LOG_WARNING, "%s has alpha, which is ignored\n", r->name);
    if ((pq || frame->color_trc == AVCOL_TRC_ARIB_STD_B67) && first_time(r, WARNED_HDR))
        av_log(ctx, AV_LOG_WARNING,
               "%s is %s (%s): its codes are compared as they are, but LPIPS was made for "
               "SDR pictures; do not put its distances beside those of SDR video\n",
               r->name, pq ? "PQ" : "HLG", av_color_transfer_name(frame->color_trc));
}

/* Say how an input is read, once and again whenever that changes. */
static void log_reading(AVFilterContext *ctx, LPIPSReader *r)
{
    const int matrix = is_yuv(&r->settled) && r->tagged.matrix != r->settled.matrix;
    const int levels = r->settled.matrix && r->tagged.levels != r->settled.levels;
    char text[sizeof(r->read_as)];

    lpips_frame_describe(&r->settled, text, sizeof(text));
    if (matrix || levels)
        av_strlcatf(text, sizeof(text), " (untagged, %s%s%s assumed)", matrix ? "matrix" : "",
                    matrix && levels ? " and " : "", levels ? "range" : "");
    if (r->sws)
        av_strlcatf(text, sizeof(text), " scaled from %dx%d to %dx%d by %s", r->width,
                    r->height, r->rgb_width, r->rgb_height, r->scale_flags);
    if (strcmp(text, r->read_as)) {
        av_strlcpy(r->read_as, text, sizeof(text));
        av_log(ctx, AV_LOG_INFO, "%s read as %s\n", r->name, text);
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
static void settle(LPIPSReader *readers, int nb, enum LPIPSTags tags)
{
    LPIPSReader *ref = &readers[nb - 1];

    for (int i = 0; i < nb; i++)
        readers[i].settled = readers[i].tagged;
    for (int i = 0; i < nb && tags != LPIPS_TAGS_OWN; i++)
        take_tags(&readers[i].settled,
                  tags == LPIPS_TAGS_MAIN ? &readers[0].tagged : &ref->tagged);
    for (int i = 0; i < nb - 1; i++)
        lpips_frame_settle(&readers[i].settled, &ref->settled);
}

/* ---- samples ----------------------------------------------------------------- */

typedef struct Job {
    LPIPSReader *readers;
    int nb;
} Job;

static void planes_of(float *planes[3], float *first, ptrdiff_t stride, int height)
{
    for (int c = 0; c < 3; c++)
        planes[c] = first + c * (size_t)height * (stride / sizeof(float));
}

static int convert_slice(AVFilterContext *ctx, void *arg, int jobnr, int nb_jobs)
{
    const Job *job = arg;
    int ret = 0;

    for (int i = 0; i < job->nb; i++) {
        const LPIPSReader *r = &job->readers[i];
        const int first = (int64_t)r->height * jobnr / nb_jobs;
        const int end = (int64_t)r->height * (jobnr + 1) / nb_jobs;
        const ptrdiff_t stride = r->sws ? r->own_stride : r->rgb_stride;
        float *planes[3];

        planes_of(planes, r->sws ? r->own : r->rgb, stride, r->height);
        ret |= lpips_frame_to_rgb(&r->settled, planes, stride, first, end - first);
    }
    return ret;
}

/* Plane by plane as grey: RGB in one piece would pass through YUV inside swscale. */
static void scale(const LPIPSReader *r)
{
    float *from[3], *to[3];

    planes_of(from, r->own, r->own_stride, r->height);
    planes_of(to, r->rgb, r->rgb_stride, r->rgb_height);
    for (int c = 0; c < 3; c++) {
        const uint8_t *const src[4] = {(const uint8_t *)from[c]};
        uint8_t *const dst[4] = {(uint8_t *)to[c]};
        const int src_stride[4] = {r->own_stride}, dst_stride[4] = {r->rgb_stride};

        sws_scale(r->sws, src, src_stride, 0, r->height, dst, dst_stride);
    }
}

static int scale_input(AVFilterContext *ctx, void *arg, int jobnr, int nb_jobs)
{
    const Job *job = arg;

    if (job->readers[jobnr].sws)
        scale(&job->readers[jobnr]);
    return 0;
}

static int convert(AVFilterContext *ctx, LPIPSReader *readers, int nb)
{
    Job job = {readers, nb};
    int scaled = 0, ret;

    for (int i = 0; i < nb; i++)
        scaled |= !!readers[i].sws;
    ret = ff_filter_execute(ctx, convert_slice, &job, NULL,
                            FFMIN(readers[0].height, ff_filter_get_nb_threads(ctx)));
    if (ret >= 0 && scaled)
        ret = ff_filter_execute(ctx, scale_input, &job, NULL, nb);
    return ret;
}

int ff_lpips_read(AVFilterContext *ctx, LPIPSReader *readers, const AVFrame *const *frames,
                  int nb, enum LPIPSTags tags)
{
    for (int i = 0; i < nb; i++)
        wrap_frame(&readers[i].tagged, frames[i]);
    settle(readers, nb, tags);
    for (int i = 0; i < nb; i++) {
        LPIPSReader *r = &readers[i];
        const char *space = av_color_space_name(frames[i]->colorspace);

        /* No rows: only asks whether it can be done. */
        if (lpips_frame_to_rgb(&r->settled, (float *const[]){r->rgb, r->rgb, r->rgb}, 0, 0,
                               0) < 0) {
            av_log(
                ctx, AV_LOG_ERROR,
                "The %s's colour space %s cannot be read as RGB; convert it with zscale or "
                "correct a wrong tag with setparams=colorspace=bt709.\n",
                r->name, space ? space : "of an unknown number");
            return AVERROR_PATCHWELCOME;
        }
        log_reading(ctx, r);
        warn_of_frame(ctx, r, frames[i]);
        if (i < nb - 1 && tags == LPIPS_TAGS_OWN)
            warn_of_conflict(ctx, r, &readers[nb - 1]);
    }
    return convert(ctx, readers, nb);
}

int ff_lpips_read_alone(AVFilterContext *ctx, LPIPSReader *r, const AVFrame *frame)
{
    if (frame->width != r->width || frame->height != r->height)
        return AVERROR_PATCHWELCOME;
    wrap_frame(&r->tagged, frame);
    r->settled = r->tagged;
    lpips_frame_settle(&r->settled, &r->tagged);
    return convert(ctx, r, 1);
}

void ff_lpips_reader_image(const LPIPSReader *r, lpips_image *image)
{
    const ptrdiff_t stride[3] = {r->rgb_stride, r->rgb_stride, r->rgb_stride};
    float *planes[3];

    planes_of(planes, r->rgb, r->rgb_stride, r->rgb_height);
    lpips_image_planar(image, LPIPS_F32,
                       (const void *const[3]){planes[0], planes[1], planes[2]}, stride,
                       r->rgb_width, r->rgb_height);
}

/* ---- life -------------------------------------------------------------------- */

static float *alloc_planes(int width, int height, ptrdiff_t *stride)
{
    *stride = FFALIGN(width, 16) * sizeof(float);
    return av_malloc_array(3 * (size_t)height, *stride);
}

int ff_lpips_check_scale_flags(AVFilterContext *ctx, const char *scale_flags)
{
    struct SwsContext *sws = sws_alloc_context();
    int ret = sws ? av_opt_set(sws, "sws_flags", scale_flags, 0) : AVERROR(ENOMEM);

    if (ret < 0)
        av_log(ctx, AV_LOG_ERROR, "scale_flags=%s: libswscale knows no such flags\n",
               scale_flags);
    sws_freeContext(sws);
    return ret;
}

static int init_scaler(AVFilterContext *ctx, LPIPSReader *r)
{
    const struct {
        const char *name;
        int64_t value;
    } options[] = {
        {"srcw", r->width},     {"srch", r->height},     {"src_format", AV_PIX_FMT_GRAYF32},
        {"dstw", r->rgb_width}, {"dsth", r->rgb_height}, {"dst_format", AV_PIX_FMT_GRAYF32},
    };
    int ret;

    r->sws = sws_alloc_context();
    if (!r->sws)
        return AVERROR(ENOMEM);
    for (int i = 0; i < FF_ARRAY_ELEMS(options); i++)
        av_opt_set_int(r->sws, options[i].name, options[i].value, 0);
    av_opt_set(r->sws, "sws_flags", r->scale_flags, 0);
    ret = sws_init_context(r->sws, NULL, NULL);
    if (ret < 0)
        av_log(ctx, AV_LOG_ERROR, "Cannot scale %s from %dx%d to %dx%d\n", r->name, r->width,
               r->height, r->rgb_width, r->rgb_height);
    return ret;
}

int ff_lpips_reader_config(AVFilterContext *ctx, LPIPSReader *r, int width, int height,
                           int to_width, int to_height, const char *scale_flags)
{
    ff_lpips_reader_uninit(r);
    r->width = width;
    r->height = height;
    r->rgb_width = to_width;
    r->rgb_height = to_height;
    r->scale_flags = scale_flags;
    r->rgb = alloc_planes(to_width, to_height, &r->rgb_stride);
    if (!r->rgb)
        return AVERROR(ENOMEM);
    if (width == to_width && height == to_height)
        return 0;
    r->own = alloc_planes(width, height, &r->own_stride);
    if (!r->own)
        return AVERROR(ENOMEM);
    return init_scaler(ctx, r);
}

void ff_lpips_reader_uninit(LPIPSReader *r)
{
    av_freep(&r->rgb);
    av_freep(&r->own);
    sws_freeContext(r->sws);
    r->sws = NULL;
}
