/*
 * room.h - inside the metrics: what a thread works with, and pictures as planes of numbers.
 */
#ifndef LEARN_ROOM_H
#define LEARN_ROOM_H

#include <stddef.h>

#include "metrics/metrics.h"

typedef struct learn_phase learn_phase; /* phase.h */

struct learn_metric_room {
    double light[256];  /* of an sRGB byte, 0..1 */
    double loaded[256]; /* of what becomes of a byte on the official way (metrics.h) */
    double *block;
    size_t doubles;
    learn_phase *phase;
};

/* At least n doubles, which hold anything; good until the next call.  NULL: no memory. */
double *learn_room_doubles(learn_metric_room *room, size_t n);

/* ---- planes.c: width x height numbers, row by row without gaps ------------- */

/* Y of YIQ, 0..255: the weights of ITU-R BT.601 on gamma-coded R, G, B. */
void learn_planes_luma(const learn_picture *p, double *plane);

/* Three planes, one after the other. */
void learn_planes_rgb(const learn_picture *p, double *planes);
void learn_planes_yiq(const learn_picture *p, double *planes);

/* CIE L*, a*, b* of sRGB under D65, 2 degrees, as skimage.color.rgb2lab() gives; light: one
 * of the room's tables. */
void learn_planes_lab(const double light[256], const learn_picture *p, double *planes);

/* In place: means of squares of block x block, the last ones left out where they are not
 * whole.  pad: so many copies of the first row and column in front, 0 or 1. */
void learn_planes_pool(double *plane, int *width, int *height, int block, int pad);

/* The block that SSIM and FSIM are meant to be reduced by: shorter side / 256, rounded (half
 * to even as in piq), and at least 1. */
int learn_planes_block(int width, int height);

/* ---- the distances of metrics.h -------------------------------------------- */

#define LEARN_METRIC(name)                                            \
    int learn_##name(learn_metric_room *room, const learn_picture *a, \
                     const learn_picture *b, double *out)

LEARN_METRIC(l2_rgb);
LEARN_METRIC(l2_lab);
LEARN_METRIC(l2_official);
LEARN_METRIC(psnr);
LEARN_METRIC(ssim_rgb);
LEARN_METRIC(ssim_lab);
LEARN_METRIC(ssim_official);
LEARN_METRIC(ssim);
LEARN_METRIC(ms_ssim);
LEARN_METRIC(fsim);
LEARN_METRIC(fsimc);

#endif
