/*
 * reach.h - which features see a difference between two pictures at all.
 *
 * A tile's outputs share their rounding: through it a feature next to a changed pixel that
 * its own window does not hold differs by some 1e-7.  By definition such a feature is equal
 * in both pictures and its distance 0, so the reach of every difference is followed through
 * the windows of the net, and distances out of reach are 0.  That equal pictures give 0
 * does not rest on this: equal tiles are computed alike (tests switch it off to see).
 *
 * A mask holds a byte for every pixel or feature of a row, 1 where its window holds a
 * difference, and before those one byte that is 1 where all of the row are.
 */
#ifndef LPIPS_REACH_H
#define LPIPS_REACH_H

#include "context.h"

/* Row y of a tensor's mask for a pair, at its first column; for tensor 0 y counts pixels.
 * NULL outside. */
unsigned char *lpips_reach_row(const lpips_context *c, const lpips_rows *t, int pair, int y);

/* Marks the pixels [x0, x1) of row y in which two loaded rows (RGB) differ. */
void lpips_reach_pixels(const lpips_context *c, int pair, int y, int x0, int x1,
                        const float *a, const float *b);

/* Follows the masks through one band of a layer. */
void lpips_reach_band(lpips_band *b);

/* Clears the distances [x0, x1) of feature row y that nothing reaches. */
void lpips_reach_clear(const lpips_band *b, int pair, int y, int x0, int x1, float *d);

#endif
