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
 * What the filter lpips writes: stats file, JSON or CSV log, and the lines at the end.
 */

#ifndef AVFILTER_LPIPS_LOG_H
#define AVFILTER_LPIPS_LOG_H

#include <stdio.h>

#include <lpips.h>

#include "avfilter.h"
#include "lpips_engine.h"
#include "lpips_pair.h"

enum LPIPSLogFormat { LPIPS_LOG_JSON, LPIPS_LOG_CSV, NB_LPIPS_LOGS };

/** Where a compared pair stands in its stream. */
typedef struct LPIPSPlace {
    int64_t frame; ///< of the main input, from 0, whether compared or not
    int64_t pts;
    double time; ///< seconds
} LPIPSPlace;

/** One main input: every distance so far. */
typedef struct LPIPSStream {
    double *distance;
    LPIPSPlace *place;
    int nb_distances, nb_places;
} LPIPSStream;

typedef struct LPIPSLog {
    /* options */
    char *stats_path, *path;
    int format; ///< enum LPIPSLogFormat
    int worst;

    const LPIPSEngine *engine; ///< what stands behind the numbers
    const LPIPSPairs *pairs;

    FILE *stats, *file;
    char *file_path; ///< path, or another name beside it
    int seekable;    ///< the end can be written over
    int tail;        ///< bytes at the end of the file that close the JSON document
    int begun;
    int failed; ///< a write did, and was told
    LPIPSStream streams[LPIPS_MAX_INPUTS - 1];
} LPIPSLog;

/** Open the files that the options name. */
int ff_lpips_log_open(AVFilterContext *ctx, LPIPSLog *log);

/** Note the result of one pair of main input `stream`. */
int ff_lpips_log_pair(AVFilterContext *ctx, LPIPSLog *log, int stream,
                      const LPIPSPlace *place, const lpips_result *result);

/** Pool, print the summary and end the files. */
int ff_lpips_log_end(AVFilterContext *ctx, LPIPSLog *log);

/** Close and free everything. */
void ff_lpips_log_close(AVFilterContext *ctx, LPIPSLog *log);

#endif /* AVFILTER_LPIPS_LOG_H */
