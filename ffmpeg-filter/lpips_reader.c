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

#include <stdio.h>

#include "libavutil/imgutils.h"
#include "libavutil/opt.h"
#include "libavutil/pixdesc.h"
#include "libswscale/swscale.h"
#include "lpips_compat.h"
#include "lpips_reader.h"

/* ---- formats ----------------------------------------------------------------- */

static AVFilterFormats *readable_formats(void)
{
    AVFilterFormats *formats = NULL;
    const AVPixFmtDescriptor *desc = NULL;

    while ((desc = av_pix_fmt_desc_next(desc))) {
        const enum AVPixelFormat format = av_pix_fmt_desc_get_id(desc);

        if (ff_lpips_reads_format(format) && ff_add_format(&formats, format) < 0)
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

/*
 * What an input may be converted to. Left to itself FFmpeg has the reference decide where
 * main's format cannot be read, for main's list is the output's; and before version 7 it
 * likes 16 bits too much.
 */
static AVFilterFormats *input_formats(const AVFilterFormats *offered)
{
    enum AVPixelFormat nearest = AV_PIX_FMT_NONE;

    if (offered->nb_formats == 1 && !ff_lpips_reads_format(offered->formats[0]))
        nearest = ff_lpips_nearest_format(offered->formats[0]);
    return nearest == AV_PIX_FMT_NONE ? readable_formats()
                                      : ff_make_format_list((const int[]){nearest, -1});
}

int ff_lpips_negotiate(const AVFilterContext *ctx, AVFilterFormatsConfig **in, int nb_inputs,
                       AVFilterFormatsConfig *out, int passes)
{
    int ret = 0;

    for (int i = 0; i < nb_inputs; i++)
        if (!ctx->inputs[i]->incfg.formats)
            return AVERROR(EAGAIN);
    if (!passes)
        ret = set_list(drawn_formats(), &out->formats, NULL);

#define SET(list, field) \
    if (ret >= 0)        \
    ret = set_list(list, &in[i]->field, i == 0 && passes ? &out->field : NULL)
    for (int i = 0; i < nb_inputs && ret >= 0; i++) {
        SET(input_formats(ctx->inputs[i]->incfg.formats), formats);
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

        if (!r->rgb)
            continue;
        planes_of(planes, r->sws ? r->own : r->rgb, stride, r->height);
        ret |= lpips_frame_to_rgb(&r->colours.settled, planes, stride, first, end - first);
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
    int planes = 0, scaled = 0, ret;

    for (int i = 0; i < nb; i++) {
        planes |= !!readers[i].rgb;
        scaled |= !!readers[i].sws;
    }
    if (!planes)
        return 0;
    ret = ff_filter_execute(ctx, convert_slice, &job, NULL,
                            FFMIN(readers[0].height, ff_filter_get_nb_threads(ctx)));
    if (ret >= 0 && scaled)
        ret = ff_filter_execute(ctx, scale_input, &job, NULL, nb);
    return ret;
}

int ff_lpips_read(AVFilterContext *ctx, LPIPSReader *readers, const AVFrame *const *frames,
                  int nb, enum LPIPSTags tags)
{
    LPIPSColours *colours[LPIPS_MAX_INPUTS];
    int ret;

    for (int i = 0; i < nb; i++) {
        colours[i] = &readers[i].colours;
        colours[i]->name = readers[i].name;
    }
    ret = ff_lpips_colours_settle(ctx, colours, frames, nb, tags);
    return ret < 0 ? ret : convert(ctx, readers, nb);
}

int ff_lpips_read_alone(AVFilterContext *ctx, LPIPSReader *r, const AVFrame *frame)
{
    if (frame->width != r->width || frame->height != r->height)
        return AVERROR_PATCHWELCOME;
    ff_lpips_colours_settle_alone(&r->colours, frame);
    return convert(ctx, r, 1);
}

void ff_lpips_reader_image(const LPIPSReader *r, lpips_image *image)
{
    const ptrdiff_t stride[3] = {r->rgb_stride, r->rgb_stride, r->rgb_stride};
    float *planes[3];

    if (!r->rgb) {
        lpips_image_frame(image, &r->colours.settled);
        return;
    }
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
                           int to_width, int to_height, const char *scale_flags, int planes)
{
    const int scaled = width != to_width || height != to_height;

    ff_lpips_reader_uninit(r);
    r->width = width;
    r->height = height;
    r->rgb_width = to_width;
    r->rgb_height = to_height;
    r->scale_flags = scale_flags;
    r->colours.scaled[0] = 0;
    if (!scaled && !planes)
        return 0;
    r->rgb = alloc_planes(to_width, to_height, &r->rgb_stride);
    if (!r->rgb)
        return AVERROR(ENOMEM);
    if (!scaled)
        return 0;
    r->own = alloc_planes(width, height, &r->own_stride);
    if (!r->own)
        return AVERROR(ENOMEM);
    snprintf(r->colours.scaled, sizeof(r->colours.scaled),
             " scaled from %dx%d to %dx%d by %s", width, height, to_width, to_height,
             scale_flags);
    return init_scaler(ctx, r);
}

void ff_lpips_reader_uninit(LPIPSReader *r)
{
    av_freep(&r->rgb);
    av_freep(&r->own);
    sws_freeContext(r->sws);
    r->sws = NULL;
}
