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
 */

#ifndef AVFILTER_LPIPS_PAIR_H
#define AVFILTER_LPIPS_PAIR_H

#include "avfilter.h"
#include "framesync.h"
#include "lpips_reader.h"

/** What happens when a frame has no partner, or stands beside a second one. */
enum LPIPSSync { LPIPS_SYNC_IGNORE, LPIPS_SYNC_WARN, LPIPS_SYNC_ERROR, NB_LPIPS_SYNC };

/** How the frames of one input found partners. */
typedef struct LPIPSPairing {
    int64_t frames;
    int64_t unpaired; ///< without a partner
    int64_t used;     ///< with one; not counted of the first main input
    int64_t reused;   ///< compared again with a later main frame; as above
    int64_t last_pts; ///< of the last that was used
} LPIPSPairing;

typedef struct LPIPSPairs {
    /* options */
    int sync; ///< enum LPIPSSync
    int n_subsample;
    int64_t seed;

    FFFrameSync *fs;
    const LPIPSReader *readers; ///< the inputs' names
    int nb_inputs;
    LPIPSPairing pairing[LPIPS_MAX_INPUTS];
} LPIPSPairs;

/** Set up fs for the inputs as they are linked. */
int ff_lpips_pair_config(AVFilterContext *ctx, LPIPSPairs *pairs);

/**
 * At a frame event: whether it is one of the first main input. After that has ended, the
 * others' frames make events, only to be counted.
 */
int ff_lpips_pair_is_main(const LPIPSPairs *pairs);

/**
 * The frames beside the main frame at hand, frames[0] being the caller's; an input
 * without one leaves NULL. They stay fs's. Returns whether all have one, or an error
 * where the options ask for that.
 */
int ff_lpips_pair(AVFilterContext *ctx, LPIPSPairs *pairs, const AVFrame **frames);

/** Whether the main frame at hand is among those that n_subsample chooses. */
int ff_lpips_pair_is_chosen(const LPIPSPairs *pairs);

/** Whether any input had frames left over or used again. */
int ff_lpips_pair_out_of_step(const LPIPSPairs *pairs);

/** Count what came after the last event. */
int ff_lpips_pair_end(AVFilterContext *ctx, LPIPSPairs *pairs);

#endif /* AVFILTER_LPIPS_PAIR_H */
