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
 * Which frames of the inputs of the filter lpips stand beside each other, and which have
 * no partner.
 *
 * Framesync repeats and drops frames without a word. A distance of repeated frames says
 * nothing about a codec, so everything of that kind is counted and told.
 */

#include <stdarg.h>

#include "lpips_compat.h"
#include "lpips_pair.h"

/* Events are the first main input's frames. Others without a frame at that time leave a
 * gap before their first and, unless the options say otherwise, repeat their last, as
 * FFmpeg's filters of two inputs do. */
int ff_lpips_pair_config(AVFilterContext *ctx, LPIPSPairs *p)
{
    int ret = ff_framesync_init(p->fs, ctx, p->nb_inputs);

    if (ret < 0)
        return ret;
    for (int i = 0; i < p->nb_inputs; i++) {
        p->fs->in[i].time_base = ctx->inputs[i]->time_base;
        p->fs->in[i].sync = i ? 1 : 2;
        p->fs->in[i].before = i ? EXT_NULL : EXT_STOP;
        p->fs->in[i].after = EXT_INFINITY;
    }
    return ff_framesync_configure(p->fs);
}

int ff_lpips_pair_is_main(const LPIPSPairs *p)
{
    return !p->fs->in[0].have_next;
}

/* Count something that is out of step; the first of a kind is told. */
static av_printf_format(5, 6) int out_of_step(AVFilterContext *ctx, const LPIPSPairs *p,
                                              int64_t *count, int64_t times,
                                              const char *format, ...)
{
    const int first = !*count && times > 0;
    char text[256];
    va_list args;

    *count += times;
    if (!first || p->sync == LPIPS_SYNC_IGNORE)
        return 0;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    av_log(ctx, p->sync == LPIPS_SYNC_ERROR ? AV_LOG_ERROR : AV_LOG_WARNING,
           "out of step: %s\n", text);
    return p->sync == LPIPS_SYNC_ERROR ? AVERROR_INVALIDDATA : 0;
}

/* Frames that framesync has taken and not used so far have passed without a main frame;
 * the one it holds ready for later has not. */
static int count_skipped(AVFilterContext *ctx, LPIPSPairs *p, int i)
{
    LPIPSPairing *pairing = &p->pairing[i];

    pairing->frames = LINK(ctx->inputs[i])->frame_count_out - !!p->fs->in[i].frame_next;
    return out_of_step(ctx, p, &pairing->unpaired,
                       pairing->frames - p->pairing[i].used - pairing->unpaired,
                       "a frame of %s has no frame of %s", p->readers[i].name,
                       p->readers[0].name);
}

/* Input i's frame at hand stands beside the main frame at hand. */
static int count_used(AVFilterContext *ctx, LPIPSPairs *p, int i)
{
    const int64_t pts = p->fs->in[i].pts;
    const double unit = av_q2d(p->fs->time_base);

    if (!p->pairing[i].used || p->pairing[i].last_pts != pts) {
        p->pairing[i].used++;
        p->pairing[i].last_pts = pts;
        return 0;
    }
    if (ctx->is_disabled)
        return 0;
    return out_of_step(ctx, p, &p->pairing[i].reused, 1,
                       "the frame of %s at %.6f s is used again for that of %s at %.6f s",
                       p->readers[i].name, pts * unit, p->readers[0].name, p->fs->pts * unit);
}

int ff_lpips_pair(AVFilterContext *ctx, LPIPSPairs *p, const AVFrame **frames)
{
    LPIPSPairing *main = &p->pairing[0];
    int complete = 1, ret = 0;

    main->frames++;
    for (int i = 1; i < p->nb_inputs && ret >= 0; i++) {
        frames[i] = p->fs->in[i].frame;
        if (frames[i])
            ret = count_used(ctx, p, i);
        else if (complete && !ctx->is_disabled)
            ret = out_of_step(ctx, p, &main->unpaired, 1,
                              "the frame of %s at %.6f s has no frame of %s",
                              p->readers[0].name, p->fs->pts * av_q2d(p->fs->time_base),
                              p->readers[i].name);
        complete &= !!frames[i];
        if (ret >= 0)
            ret = count_skipped(ctx, p, i);
    }
    return ret < 0 ? ret : complete;
}

int ff_lpips_pair_end(AVFilterContext *ctx, LPIPSPairs *p)
{
    int ret = 0;

    for (int i = 1; i < p->nb_inputs && ret >= 0; i++)
        if (ctx->inputs[i]) /* not where a graph is torn down before its end */
            ret = count_skipped(ctx, p, i);
    return ret;
}

int ff_lpips_pair_bad(const LPIPSPairs *p)
{
    for (int i = 0; i < p->nb_inputs && p->sync != LPIPS_SYNC_IGNORE; i++)
        if (p->pairing[i].unpaired || p->pairing[i].reused)
            return 1;
    return 0;
}

/* SplitMix64 (Steele, Lea, Flood 2014): one well-mixed number of another. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* One of each n_subsample frames, at another place in each such group: every n-th would
 * meet the same kind of frame of a pyramid of B-frames again and again. */
int ff_lpips_pair_is_chosen(const LPIPSPairs *p)
{
    const uint64_t n = p->n_subsample, frame = p->pairing[0].frames - 1;

    return frame % n == mix(mix(p->seed) + frame / n) % n;
}
