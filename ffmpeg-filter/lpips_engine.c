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
 * liblpips as the filter lpips uses it: weights, sizes, and the comparison itself.
 */

#include <string.h>

#include "libavutil/cpu.h"
#include "lpips_compat.h"
#include "lpips_engine.h"

static int error_code(int status)
{
    if (status == LPIPS_ERR_ARGUMENT || status == LPIPS_ERR_SIZE)
        return AVERROR(EINVAL);
    if (status == LPIPS_ERR_MEMORY)
        return AVERROR(ENOMEM);
    return status == LPIPS_ERR_IO ? AVERROR(ENOENT) : AVERROR_INVALIDDATA;
}

av_cold int ff_lpips_engine_init(AVFilterContext *ctx, LPIPSEngine *s)
{
    char why[512] = "";
    const char *version;
    lpips_net net;
    int ret;

    if (!s->model) {
        ret = lpips_weights_find(&s->weights, s->net < 0 ? LPIPS_NET_ALEX : s->net,
                                 s->version, why, sizeof(why));
        if (ret < 0)
            av_log(ctx, AV_LOG_ERROR, "%s\n", *why ? why : lpips_strerror(ret));
        return ret < 0 ? error_code(ret) : 0;
    }

    ret = lpips_weights_load(&s->weights, s->model, why, sizeof(why));
    if (ret < 0) {
        av_log(ctx, AV_LOG_ERROR, "Could not load model: %s\n",
               *why ? why : lpips_strerror(ret));
        return error_code(ret);
    }
    net = lpips_weights_net(s->weights);
    version = lpips_weights_version(s->weights);
    if ((s->net >= 0 && s->net != (int)net) || (s->version && strcmp(s->version, version))) {
        av_log(ctx, AV_LOG_ERROR,
               "Model %s holds net %s, version %s, which is not what the options net and "
               "version ask for; leave those out.\n",
               s->model, lpips_net_name(net), version);
        return AVERROR(EINVAL);
    }
    return 0;
}

/* ---- sizes ------------------------------------------------------------------- */

/* Threads for the comparison: as many as there are cores, unless the filter's or the
 * graph's option asks for fewer; the graph's own default stops at 16. */
static int compare_threads(AVFilterContext *ctx)
{
    const int cores = av_cpu_count(), allowed = ff_filter_get_nb_threads(ctx);

    if (ctx->nb_threads > 0)
        return ctx->nb_threads;
    return allowed < FFMIN(cores, 16) ? allowed : cores;
}

static int create_context(AVFilterContext *ctx, LPIPSEngine *s, int width, int height)
{
    const lpips_net net = lpips_weights_net(s->weights);
    const int min_size = lpips_net_min_size(net);
    lpips_options options = LPIPS_OPTIONS_DEFAULT;
    int ret;

    if (width < min_size || height < min_size) {
        av_log(ctx, AV_LOG_ERROR,
               "%dx%d is too small for net %s, which needs %dx%d at least.\n", width, height,
               lpips_net_name(net), min_size, min_size);
        return AVERROR(EINVAL);
    }
    lpips_context_free(s->lpips);
    s->width = s->height = 0;
    options.threads = compare_threads(ctx);
    options.pictures = s->nb_inputs;
    if (s->wants_map)
        options.flags |= LPIPS_WANT_MAP;
    ret = lpips_context_create(&s->lpips, s->weights, width, height, &options);
    if (ret < 0) {
        av_log(ctx, AV_LOG_ERROR, "Could not prepare to compare %dx%d: %s\n", width, height,
               lpips_strerror(ret));
        return error_code(ret);
    }
    s->width = width;
    s->height = height;
    if (!s->wants_map)
        return 0;
    s->map = av_malloc_array(height, width * sizeof(*s->map));
    return s->map ? 0 : AVERROR(ENOMEM);
}

/* Whether input i may have another size than the one that all are compared at. */
static int may_scale(const LPIPSEngine *s, int i)
{
    return s->scale == (i < s->nb_inputs - 1 ? LPIPS_SCALE_MAIN : LPIPS_SCALE_REFERENCE);
}

int ff_lpips_engine_config(AVFilterContext *ctx, LPIPSEngine *s, const int *width,
                           const int *height)
{
    const int ref = s->nb_inputs - 1, model = s->scale == LPIPS_SCALE_REFERENCE ? 0 : ref;
    const int w = width[model], h = height[model];
    int ret = 0;

    for (int i = 0; i < s->nb_inputs; i++)
        if ((width[i] != w || height[i] != h) && !may_scale(s, i)) {
            av_log(ctx, AV_LOG_ERROR,
                   "Width and height of input videos must be same: %s is %dx%d, %s %dx%d. "
                   "scale=main or scale=reference scales one of them.\n",
                   s->readers[i].name, width[i], height[i], s->readers[model].name, w, h);
            return AVERROR(EINVAL);
        }
    if (w != s->width || h != s->height) {
        if (s->map) {
            av_log(ctx, AV_LOG_ERROR,
                   "The pictures change from %dx%d to %dx%d, which the output cannot; only "
                   "output=main goes on then.\n",
                   s->width, s->height, w, h);
            return AVERROR_PATCHWELCOME;
        }
        ret = create_context(ctx, s, w, h);
    }
    for (int i = 0; i < s->nb_inputs && ret >= 0; i++)
        ret = ff_lpips_reader_config(ctx, &s->readers[i], width[i], height[i], w, h,
                                     s->scale_flags,
                                     s->dump_path || (s->wants_map && i == 0));
    return ret;
}

/* Streams may change their size on the way, where ffmpeg does not build a new graph. */
static int adapt(AVFilterContext *ctx, LPIPSEngine *s, const AVFrame *const *frames)
{
    int width[LPIPS_MAX_INPUTS], height[LPIPS_MAX_INPUTS], changed = 0;

    for (int i = 0; i < s->nb_inputs; i++) {
        width[i] = frames[i]->width;
        height[i] = frames[i]->height;
        changed |= width[i] != s->readers[i].width || height[i] != s->readers[i].height;
    }
    return changed ? ff_lpips_engine_config(ctx, s, width, height) : 0;
}

/* ---- comparing --------------------------------------------------------------- */

static int dump_planes(AVFilterContext *ctx, LPIPSEngine *s)
{
    for (int i = 0; i < s->nb_inputs; i++) {
        const LPIPSReader *r = &s->readers[i];

        for (int y = 0; y < 3 * s->height; y++)
            fwrite(r->rgb + (size_t)y * (r->rgb_stride / sizeof(float)), sizeof(float),
                   s->width, s->dump);
    }
    if (!ferror(s->dump))
        return 0;
    av_log(ctx, AV_LOG_ERROR, "Could not write to %s\n", s->dump_path);
    return AVERROR(EIO);
}

int ff_lpips_engine_compare(AVFilterContext *ctx, LPIPSEngine *s,
                            const AVFrame *const *frames, lpips_result *results)
{
    const int mains = s->nb_inputs - 1;
    const ptrdiff_t stride = s->width * (ptrdiff_t)sizeof(float);
    lpips_image images[LPIPS_MAX_INPUTS];
    lpips_map maps[LPIPS_MAX_INPUTS] = {{.total = s->map, .stride = stride}};
    int ret = adapt(ctx, s, frames);

    if (ret >= 0)
        ret = ff_lpips_read(ctx, s->readers, frames, s->nb_inputs, s->tags);
    if (ret >= 0 && s->dump)
        ret = dump_planes(ctx, s);
    if (ret < 0)
        return ret;
    for (int i = 0; i < s->nb_inputs; i++) {
        ff_lpips_reader_image(&s->readers[i], &images[i]);
        maps[i].stride = stride;
    }
    ret = lpips_compare_many(s->lpips, &images[mains], images, mains, results,
                             s->map ? maps : NULL);
    if (ret < 0) {
        av_log(ctx, AV_LOG_ERROR, "Could not compare frames: %s\n", lpips_strerror(ret));
        return error_code(ret);
    }
    return 0;
}

/* ---- life -------------------------------------------------------------------- */

int ff_lpips_engine_open_dump(AVFilterContext *ctx, LPIPSEngine *s)
{
    int ret = 0;

    if (!s->dump_path)
        return 0;
    s->dump = avpriv_fopen_utf8(s->dump_path, "wb");
    if (!s->dump) {
        ret = AVERROR(errno);
        av_log(ctx, AV_LOG_ERROR, "Could not open %s: %s\n", s->dump_path, av_err2str(ret));
    }
    return ret;
}

av_cold void ff_lpips_engine_uninit(AVFilterContext *ctx, LPIPSEngine *s)
{
    for (int i = 0; i < LPIPS_MAX_INPUTS; i++)
        ff_lpips_reader_uninit(&s->readers[i]);
    lpips_context_free(s->lpips);
    lpips_weights_unref(s->weights);
    av_freep(&s->map);
    if (s->dump && fclose(s->dump))
        av_log(ctx, AV_LOG_ERROR, "Could not write all of %s\n", s->dump_path);
}
