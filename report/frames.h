/*
 * frames.h - both sides of an item, frame by frame: the reference's and the output's, read
 * from videos, pictures and folders of pictures, or made here.
 */
#ifndef REPORT_FRAMES_H
#define REPORT_FRAMES_H

#include "report.h"

#include <libavutil/frame.h>

/*
 * The output of an item that is no file: "baseline:blend" or "baseline:repeat".
 *
 * With first and last, or else from the reference's own kept frames, those whose number is a
 * multiple of `every`, as its neighbours:
 *   blend   the mean of the sample values of both neighbours, as they were decoded (RGB or
 *           YUV, never converted), rounded half up to whole codes of their own depth
 *   repeat  the neighbour before
 * Kept frames are handed on as they are.  After the last of them only one neighbour is left,
 * and both methods repeat it.
 */
#define REPORT_MADE_HERE "baseline:"

typedef struct report_frames report_frames;

/* first, last: '' without.  Threads: of the decoders, 0: their own choice. */
int report_frames_open(report_frames **out, const char *reference, const char *output,
                       const char *first, const char *last, int every, int threads,
                       char why[REPORT_WHY]);

/* The next frame of both: 1, and the frames stay this object's until the next call.  0 after
 * the last frame of both.  Sides of unequal length or size are an error. */
int report_frames_next(report_frames *f, const AVFrame **reference, const AVFrame **output,
                       char why[REPORT_WHY]);

/* How many there will be, as far as the reference's file says; 0: unknown. */
int64_t report_frames_expected(const report_frames *f);

/* The output's bits over its duration; 0: unknown, or made here. */
double report_frames_kbit_s(const report_frames *f);

void report_frames_close(report_frames *f);

#endif
