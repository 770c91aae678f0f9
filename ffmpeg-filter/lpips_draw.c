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
 * Pictures of the filter lpips: where a frame differs from its reference.
 */

#include <math.h>
#include <string.h>

#include "lpips_compat.h"
#include "lpips_draw.h"

typedef struct Drawing {
    const LPIPSPicture *picture;
    lpips_image main;
    const float *map;
    AVFrame *out;
} Drawing;

static uint8_t to_byte(float v)
{
    return lrintf(FFMIN(FFMAX(v, 0), 1) * 255);
}

static const float *main_row(const Drawing *d, int plane, int y)
{
    return (const float *)d->main.plane[plane] + y * (d->main.row_stride[plane] / 4);
}

static void main_to_rgb(const Drawing *d, uint8_t *dst, int y)
{
    for (int c = 0; c < 3; c++) {
        const float *src = main_row(d, c, y);

        for (int x = 0; x < d->main.width; x++)
            dst[3 * x + c] = to_byte(src[x]);
    }
}

/* Grey, so that every colour there is tells of a distance; luma of BT.709 (H.273). */
static void blend_over_main(const Drawing *d, uint8_t *dst, int y, float opacity)
{
    const float *r = main_row(d, 0, y), *g = main_row(d, 1, y), *b = main_row(d, 2, y);

    for (int x = 0; x < d->main.width; x++) {
        const float grey = 255 * (0.2126F * r[x] + 0.7152F * g[x] + 0.0722F * b[x]);

        for (int c = 0; c < 3; c++) {
            const float v = dst[3 * x + c] * opacity + grey * (1 - opacity);

            dst[3 * x + c] = lrintf(FFMIN(FFMAX(v, 0), 255));
        }
    }
}

static int draw_row(const Drawing *d, int y)
{
    const LPIPSPicture *p = d->picture;
    const int width = d->main.width;
    uint8_t *row = d->out->data[0] + y * d->out->linesize[0];
    uint8_t *colors = p->output == LPIPS_OUTPUT_SIDE ? row + 3 * width : row;
    float opacity = p->opacity;

    if (p->output == LPIPS_OUTPUT_SIDE)
        main_to_rgb(d, row, y);
    if (!d->map) {
        memset(colors, 0, 3 * width);
        opacity = 0;
    } else if (lpips_colorize(colors, d->map + (size_t)y * width, width, p->colormap,
                              p->full_scale, lpips_colormap_over(p->colormap)) < 0) {
        return AVERROR_BUG;
    }
    if (p->output == LPIPS_OUTPUT_OVERLAY)
        blend_over_main(d, row, y, opacity);
    return 0;
}

static int draw_slice(AVFilterContext *ctx, void *arg, int jobnr, int nb_jobs)
{
    const Drawing *d = arg;
    const int first = (int64_t)d->main.height * jobnr / nb_jobs;
    const int end = (int64_t)d->main.height * (jobnr + 1) / nb_jobs;
    int ret = 0;

    for (int y = first; y < end && ret >= 0; y++)
        ret = draw_row(d, y);
    return ret;
}

int ff_lpips_draw(AVFilterContext *ctx, const LPIPSPicture *picture, const LPIPSReader *main,
                  const float *map, AVFrame *out)
{
    Drawing d = {.picture = picture, .map = map, .out = out};

    ff_lpips_reader_image(main, &d.main);
    return ff_filter_execute(ctx, draw_slice, &d, NULL,
                             FFMIN(d.main.height, ff_filter_get_nb_threads(ctx)));
}
