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

/* Cuts the picture into as many strips as memory asks for (or into strips of so many
 * columns) and lays out the arena.  LPIPS_ERR_SIZE where it would not fit. */
int lpips_layout(lpips_plan *p, int strip_columns);

#endif
