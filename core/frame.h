/*
 * frame.h - rows of decoded frames as the core reads them: a few columns at a time.
 */
#ifndef LPIPS_CORE_FRAME_H
#define LPIPS_CORE_FRAME_H

#include "lpips.h"

/* Most columns at once. */
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

static inline int lpips_clamp(int x, int low, int high)
{
    return x < low ? low : x > high ? high : x;
}

static inline int lpips_frame_is_yuv(const lpips_frame *f)
{
    return f->plane[1] && f->matrix != LPIPS_MATRIX_RGB;
}

#endif
