/*
 * frame.h - rows of decoded frames as the core reads them: a few columns at a time.
 */
#ifndef LPIPS_CORE_FRAME_H
#define LPIPS_CORE_FRAME_H

#include "lpips.h"

/* Most columns at once; a multiple of the largest subsampling. */
#define LPIPS_FRAME_TILE 512

/* R = y + r_v V, G = y + g_u U + g_v V, B = y + b_u U + b_v V and, for YCgCo, r_u. */
typedef struct lpips_conversion {
    float y_offset, y_scale;
    float c_offset;
    float r_u, r_v, g_u, g_v, b_u, b_v;
} lpips_conversion;

typedef struct lpips_frame_rows {
    lpips_frame frame; /* settled */
    lpips_conversion conversion;
} lpips_frame_rows;

/* LPIPS_ERR_ARGUMENT for what is no frame, LPIPS_ERR_UNSUPPORTED for its matrix. */
int lpips_frame_prepare(lpips_frame_rows *r, const lpips_frame *frame);

/* n columns from x on, of row y, to three rows of floats 0..1; x is a multiple of 4 and n at
 * most LPIPS_FRAME_TILE. */
void lpips_frame_columns(const lpips_frame_rows *r, float *const rgb[3], int y, int x, int n);

#endif
