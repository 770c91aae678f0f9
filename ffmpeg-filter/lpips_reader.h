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
 * The frames of one input of the filter lpips as pictures for liblpips, each frame read
 * by its own tags and scaled where that is asked for.
 */

#ifndef AVFILTER_LPIPS_READER_H
#define AVFILTER_LPIPS_READER_H

#include <lpips.h>

#include "avfilter.h"
#include "lpips_colour.h"

#define LPIPS_MAX_INPUTS 16

typedef struct LPIPSReader {
    char name[16];     ///< main, main1, reference
    int width, height; ///< of its frames
    LPIPSColours colours;

    /* Three planes in one allocation each, rows of *_stride bytes. */
    float *rgb; ///< the picture as it is compared; NULL where the frame itself is
    ptrdiff_t rgb_stride;
    int rgb_width, rgb_height;
    float *own; ///< before scaling; NULL where nothing is scaled
    ptrdiff_t own_stride;
    struct SwsContext *sws; ///< one plane; NULL where nothing is scaled
    const char *scale_flags;
} LPIPSReader;

/**
 * Offer what can be read. Every input has lists of its own, so that no scaler is inserted
 * to make inputs alike; the output is like the first input, main, where its frames pass
 * through, and RGB24 otherwise. AVERROR(EAGAIN) until all that feeds the inputs has been
 * asked.
 */
int ff_lpips_negotiate(const AVFilterContext *ctx, AVFilterFormatsConfig **in, int nb_inputs,
                       AVFilterFormatsConfig *out, int passes);

/** Whether libswscale knows these flags; says so where not. */
int ff_lpips_check_scale_flags(AVFilterContext *ctx, const char *scale_flags);

/**
 * Prepare for frames of width x height, to be compared as to_width x to_height. May be
 * called again when those change. planes: the picture is wanted as planes of RGB for more
 * than comparing it.
 */
int ff_lpips_reader_config(AVFilterContext *ctx, LPIPSReader *reader, int width, int height,
                           int to_width, int to_height, const char *scale_flags, int planes);

/**
 * Read one frame of each of nb inputs, the last being the reference, by slices and into the
 * planes of those readers that have some. How an input is read is logged once and when it
 * changes, and so are tags that contradict each other.
 */
int ff_lpips_read(AVFilterContext *ctx, LPIPSReader *readers, const AVFrame *const *frames,
                  int nb, enum LPIPSTags tags);

/** Read a frame of one input by itself, without a word: a picture that is only shown. Its
 * size has to be the configured one. */
int ff_lpips_read_alone(AVFilterContext *ctx, LPIPSReader *reader, const AVFrame *frame);

/** The picture for liblpips; it stays the reader's or the frame's. */
void ff_lpips_reader_image(const LPIPSReader *reader, lpips_image *image);

void ff_lpips_reader_uninit(LPIPSReader *reader);

#endif /* AVFILTER_LPIPS_READER_H */
