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

#ifndef AVFILTER_LPIPS_ENGINE_H
#define AVFILTER_LPIPS_ENGINE_H

#include <stdio.h>

#include <lpips.h>

#include "avfilter.h"
#include "lpips_reader.h"

/** Which input is scaled where sizes differ. */
enum LPIPSScale {
    LPIPS_SCALE_NONE,
    LPIPS_SCALE_REFERENCE,
    LPIPS_SCALE_MAIN,
    NB_LPIPS_SCALES
};

typedef struct LPIPSEngine {
    /* options */
    int net; ///< negative: alex, or what the model holds
    char *version;
    char *model;
    int nb_inputs; ///< all main inputs and the reference, which is the last
    int scale;     ///< enum LPIPSScale
    char *scale_flags;
    int tags; ///< enum LPIPSTags
    char *dump_path;

    int wants_map;
    lpips_weights *weights;
    lpips_context *lpips;
    int width, height; ///< as compared
    LPIPSReader readers[LPIPS_MAX_INPUTS];
    float *map; ///< of the first main input; NULL where it is not wanted
    FILE *dump;
} LPIPSEngine;

/** Load the weights. */
int ff_lpips_engine_init(AVFilterContext *ctx, LPIPSEngine *engine);

/** Open the file of the option dump, if it is used. */
int ff_lpips_engine_open_dump(AVFilterContext *ctx, LPIPSEngine *engine);

/** Get ready for inputs of these sizes. */
int ff_lpips_engine_config(AVFilterContext *ctx, LPIPSEngine *engine, const int *width,
                           const int *height);

/**
 * Compare one frame of each main input with that of the reference, the last. Frames may
 * have another size than those before, where ffmpeg does not build a new graph for them.
 */
int ff_lpips_engine_compare(AVFilterContext *ctx, LPIPSEngine *engine,
                            const AVFrame *const *frames, lpips_result *results);

void ff_lpips_engine_uninit(AVFilterContext *ctx, LPIPSEngine *engine);

#endif /* AVFILTER_LPIPS_ENGINE_H */
