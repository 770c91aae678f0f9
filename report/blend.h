/*
 * blend.h - the mean of two frames, rounded half up to whole codes of their own depth.
 */
#ifndef REPORT_BLEND_H
#define REPORT_BLEND_H

#include "report.h"

#include <libavutil/frame.h>

/* A new frame with the properties of a. */
int report_blend(AVFrame **out, const AVFrame *a, const AVFrame *b, char why[REPORT_WHY]);

#endif
