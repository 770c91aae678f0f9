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

#ifndef AVFILTER_LPIPS_DRAW_H
#define AVFILTER_LPIPS_DRAW_H

#include <lpips.h>

#include "avfilter.h"
#include "lpips_reader.h"

enum LPIPSOutput {
    LPIPS_OUTPUT_MAIN,    ///< the main frames, unchanged
    LPIPS_OUTPUT_MAP,     ///< distances as colours
    LPIPS_OUTPUT_OVERLAY, ///< those over the main picture in grey
    LPIPS_OUTPUT_SIDE,    ///< the main picture, and the map to its right
    NB_LPIPS_OUTPUTS
};

typedef struct LPIPSPicture {
    int output; ///< enum LPIPSOutput
    int colormap;
    double full_scale;
    double opacity;
} LPIPSPicture;

/**
 * Draw into an RGB24 frame of the size of the map, twice as wide for
 * LPIPS_OUTPUT_SIDE. Without a map (NULL) its place is black, or shows the main picture
 * alone in LPIPS_OUTPUT_OVERLAY.
 */
int ff_lpips_draw(AVFilterContext *ctx, const LPIPSPicture *picture, const LPIPSReader *main,
                  const float *map, AVFrame *out);

#endif /* AVFILTER_LPIPS_DRAW_H */
