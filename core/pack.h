/*
 * pack.h - filters in the form the kernels read: panels of 16 output channels.
 */
#ifndef LPIPS_PACK_H
#define LPIPS_PACK_H

#include "kernels.h"
#include "model.h"

/* What of a layer is packed, and how. */
typedef struct lpips_pack_key {
    const char *name; /* "net.slice2.3" */
    int in, out;      /* channels of the tensor */
    int kernel;       /* 1, 3, 5, 11 */
    int ty, tx; /* Winograd tiles (LPIPS_TILE_*), or -1: rows of the filter as they are */
    int fold;   /* > 1: the filter's stride, folded into in * fold^2 channels */
    const char *side; /* of the way back, below: the 1x1 filter beside this one, or NULL */
    int back;
} lpips_pack_key;

/* Filters so large that they are kept in one form only, LPIPS_TILE_6 both ways, and not as
 * they came: all of vgg's with tiles of 8 would take 418 MB. */
static inline int lpips_pack_heavy(int in, int out)
{
    return in * out >= 256 * 512;
}

/*
 * The packed filter, made now or shared with earlier contexts; lives as long as w.
 *   rows:     [out / 16][kernel][kernel * in][16], k running over (x, channel)
 *   Winograd: [position][out / 16][in * fold^2][16], G g G^T rounded once from double
 *   back:     [in * fold^2 / 16, rounded up][windows][out][16], for the gradient: windows are
 *             the places of the (folded) kernel row by row, then the 1x1 filter's; lanes
 *             that stand for no channel are 0
 * The kernels only say how fast it is made.  NULL when out of memory.
 */
const float *lpips_pack_get(lpips_weights *w, const lpips_pack_key *key,
                            const lpips_kernels *kernels);

#endif
