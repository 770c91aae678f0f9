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
 * What colours the frames of a comparison are in, by their tags: which formats can be
 * read, how each is read, and what people should know of it. Needs libavutil, libswscale
 * and liblpips only, so that programs outside FFmpeg read frames as the filter lpips does,
 * in the same words.
 */

#ifndef AVFILTER_LPIPS_COLOUR_H
#define AVFILTER_LPIPS_COLOUR_H

#include <stdint.h>

#include <lpips.h>

#include "libavutil/frame.h"
#include "libavutil/pixfmt.h"

/** Whose colour tags all inputs are read by. */
enum LPIPSTags { LPIPS_TAGS_OWN, LPIPS_TAGS_MAIN, LPIPS_TAGS_REFERENCE, NB_LPIPS_TAGS };

/** One input. All zero to begin with, but for the texts. */
typedef struct LPIPSColours {
    const char *name;            ///< main, main1, reference
    char scaled[96];             ///< how its frames are scaled: " scaled from ..." or empty
    char read_as[224];           ///< how the last frame was read, for people
    uint64_t warned;             ///< warnings that were given, so that each comes once
    lpips_frame tagged, settled; ///< the frame at hand, before and after settling its colours
} LPIPSColours;

/** Whether liblpips reads the samples of this format as they lie. */
int ff_lpips_reads_format(enum AVPixelFormat format);

/** The format that it reads and that another is best converted to; AV_PIX_FMT_NONE: none. */
enum AVPixelFormat ff_lpips_nearest_format(enum AVPixelFormat format);

/**
 * Settle how one frame of each of nb inputs is read, the last being the reference. What is
 * read how is logged to log when it is new, and so are tags that contradict each other.
 */
int ff_lpips_colours_settle(void *log, LPIPSColours *const *inputs,
                            const AVFrame *const *frames, int nb, enum LPIPSTags tags);

/** Settle a frame of one input by itself, without a word. */
void ff_lpips_colours_settle_alone(LPIPSColours *input, const AVFrame *frame);

#endif /* AVFILTER_LPIPS_COLOUR_H */
