/*
 * layout.h - the second half of a plan: columns and memory.
 */
#ifndef LPIPS_LAYOUT_H
#define LPIPS_LAYOUT_H

#include "plan.h"

static inline int lpips_ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static inline int lpips_min(int a, int b)
{
    return a < b ? a : b;
}

static inline int lpips_max(int a, int b)
{
    return a > b ? a : b;
}

/* From so many bytes of packed filters on, all threads work on one group together. */
enum { LPIPS_SHARE_BYTES = 6 << 20 };

static inline double lpips_filter_bytes(const lpips_plan *p, const lpips_layer *l)
{
    double positions = lpips_tile_len[l->ty] * lpips_tile_len[l->tx];

    return positions * p->tensor[l->in].c * l->panels * LPIPS_PANEL * sizeof(float);
}

/* Cuts the picture into as many strips as memory asks for (or into strips of so many
 * columns) and lays out the arena.  LPIPS_ERR_SIZE where it would not fit. */
int lpips_layout(lpips_plan *p, int strip_columns);

#endif
