/*
 * tags.h - pairs of frames whose colour tags say how they are read.
 */
#ifndef REPORT_TAGS_H
#define REPORT_TAGS_H

#include "report.h"

#include <libavutil/frame.h>

/* The pair with the colours that the metric settles on for it, so that what is compared with
 * other frames or converted later is read alike everywhere.  The samples are shared. */
int report_tags_settle(AVFrame *pair[2], const AVFrame *reference, const AVFrame *output,
                       char why[REPORT_WHY]);

#endif
