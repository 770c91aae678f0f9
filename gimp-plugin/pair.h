/*
 * pair.h - two layers read into memory, where they overlap
 *
 * All rectangles are in the coordinates of the image.  GEGL buffers are read here and
 * nowhere else, so that what follows may run in another thread: GIMP's buffers may not.
 *
 *     overlap   where both layers lie
 *     box       what is asked for: the overlap, or the part of it within the selection
 *     context   what the net looks at: the box and LPIPS_MARGIN pixels around it, as far as
 *               the overlap goes
 */
#ifndef LPIPS_PLUGIN_PAIR_H
#define LPIPS_PLUGIN_PAIR_H

#include <gegl.h>
#include <lpips.h>

/* The deepest taps see 195 to 207 pixels, half of them to either side, and are 16 apart:
 * a context on this grid lets them see the same pixels as in the whole picture. */
#define LPIPS_MARGIN 128
#define LPIPS_GRID   16

/* A layer: its pixels and where its upper left corner lies in the image. */
typedef struct LpipsSource {
    GeglBuffer *buffer; /* its format says in which colour space */
    int x, y;
} LpipsSource;

/* A selection: a buffer in image coordinates, and the bounds of what is not 0 in it. */
typedef struct LpipsMask {
    GeglBuffer *buffer; /* NULL: no selection */
    GeglRectangle bounds;
} LpipsMask;

typedef struct LpipsPair {
    GeglRectangle overlap, box, context;
    lpips_image a, b; /* of the context */
    void *pixels[2];
    float *weight; /* of the selection, 0..1, box.width x box.height; NULL: no selection */
    gboolean scaled;
} LpipsPair;

/*
 * Reads both; FALSE, and why, where there is nothing to compare.  `background` and `sizes`
 * are those of LpipsSettings.  8-bit and 16-bit sRGB layers without transparent pixels stay
 * as they are, all else becomes sRGB-encoded float.
 */
gboolean lpips_pair_read(LpipsPair *pair, const LpipsSource *a, const LpipsSource *b,
                         const LpipsMask *mask, int background, int sizes, char *why,
                         size_t size);

void lpips_pair_clear(LpipsPair *pair);

/* The context of a part of the overlap. */
GeglRectangle lpips_context_of(const GeglRectangle *part, const GeglRectangle *overlap);

/*
 * The buffer as if it had been in this space all along: for GIMP 2.10, whose buffers do not
 * know the profile of their image.  Takes over the reference, returns one.
 */
GeglBuffer *lpips_in_space(GeglBuffer *buffer, const Babl *space);

#endif
