/*
 * quality.h - PSNR and SSIM, by FFmpeg's own filters.
 *
 * Both are taken on the reference's own samples: its pixel format, colour matrix and range,
 * without alpha and with a plane for each component (rgb24 as gbrp, nv12 as yuv420p).  An
 * output in another one is converted to it by libswscale (bicubic, accurate_rnd,
 * full_chroma_int, full_chroma_inp, bitexact).  PSNR is the filter's psnr_avg, over the
 * samples of all planes; SSIM its All, planes weighted by their size.
 */
#ifndef REPORT_QUALITY_H
#define REPORT_QUALITY_H

#include "report.h"

#include <libavutil/frame.h>

typedef struct report_quality report_quality;

report_quality *report_quality_new(char why[REPORT_WHY]);

/* Frames of one size whose tags are settled.  PSNR of equal frames is NAN. */
int report_quality_of(report_quality *q, const AVFrame *reference, const AVFrame *output,
                      double *psnr, double *ssim, char why[REPORT_WHY]);

void report_quality_free(report_quality *q);

#endif
