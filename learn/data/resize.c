/*
 * resize.c - see resize.h.
 *
 * The method of Pillow's src/libImaging/Resample.c, ImagingResample() of 8-bit pictures:
 * along one axis an output pixel is the weighted mean of the pixels below a triangle, which
 * is as wide as the scale (one pixel when enlarging); weights are fixed-point numbers of 22
 * bits, rounded to nearest; each pass rounds to 8 bits.  First rows, then columns; a pass
 * that keeps the size is left out.
 */
#include "data/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 22, CHANNELS = 3 };

/* One axis: output i is the sum of weight[i * most + j] times pixel first[i] + j. */
typedef struct axis {
    int *first, *count;
    int32_t *weight;
    size_t most;
} axis;

static void axis_free(axis *a)
{
    free(a->first);
    free(a->count);
    free(a->weight);
}

/* Output pixel i of n: where its triangle lies among the `from` pixels of the input. */
static void axis_fill(axis *a, int i, double scale, int from)
{
    double half = scale < 1 ? 1 : scale, centre = (i + 0.5) * scale, sum = 0;
    double start = centre - half + 0.5, stop = centre + half + 0.5;
    int first = start < 0 ? 0 : (int)start, end = stop > from ? from : (int)stop;
    int32_t *weight = a->weight + (size_t)i * a->most;

    a->first[i] = first;
    a->count[i] = end - first;
    for (int pass = 0; pass < 2; pass++)
        for (int j = 0; j < end - first; j++) {
            /* Multiplied by the inverse, as Pillow does, so that it rounds alike. */
            double at = fabs((j + first - centre + 0.5) * (1 / half));
            double w = at < 1 ? 1 - at : 0;

            if (pass == 0)
                sum += w;
            else
                weight[j] = (int32_t)(0.5 + w / sum * (1 << BITS));
        }
}

static int axis_make(axis *a, int from, int to)
{
    double scale = (double)from / to;

    a->most = (size_t)ceil(scale < 1 ? 1 : scale) * 2 + 1;
    a->first = calloc((size_t)to, sizeof *a->first);
    a->count = calloc((size_t)to, sizeof *a->count);
    a->weight = a->most > SIZE_MAX / (size_t)to
                    ? NULL
                    : calloc(a->most * (size_t)to, sizeof *a->weight);
    if (!a->first || !a->count || !a->weight)
        return -1;
    for (int i = 0; i < to; i++)
        axis_fill(a, i, scale, from);
    return 0;
}

static uint8_t rounded(int32_t sum)
{
    sum >>= BITS;
    return (uint8_t)(sum > 255 ? 255 : sum);
}

static void resize_row(const axis *a, const uint8_t *from, uint8_t *to, int width)
{
    for (int x = 0; x < width; x++) {
        const uint8_t *p = from + (size_t)a->first[x] * CHANNELS;
        const int32_t *weight = a->weight + (size_t)x * a->most;
        int32_t sum[CHANNELS] = {1 << (BITS - 1), 1 << (BITS - 1), 1 << (BITS - 1)};

        for (int j = 0; j < a->count[x]; j++, p += CHANNELS)
            for (int c = 0; c < CHANNELS; c++)
                sum[c] += p[c] * weight[j];
        for (int c = 0; c < CHANNELS; c++)
            *to++ = rounded(sum[c]);
    }
}

/* Row y of the output; sums: room for a row. */
static void resize_column(const axis *a, int y, const learn_picture *from, uint8_t *to,
                          int32_t *sums)
{
    size_t row = (size_t)from->width * CHANNELS;
    const int32_t *weight = a->weight + (size_t)y * a->most;

    for (size_t i = 0; i < row; i++)
        sums[i] = 1 << (BITS - 1);
    for (int j = 0; j < a->count[y]; j++) {
        const uint8_t *p = from->rgb + (a->first[y] + j) * from->stride;

        for (size_t i = 0; i < row; i++)
            sums[i] += p[i] * weight[j];
    }
    for (size_t i = 0; i < row; i++)
        to[i] = rounded(sums[i]);
}

/* NULL where memory is short or the size cannot be addressed. */
static uint8_t *packed(int width, int height)
{
    size_t row = (size_t)width * CHANNELS;

    return row / CHANNELS != (size_t)width || row > PTRDIFF_MAX / (size_t)height
               ? NULL
               : malloc(row * (size_t)height);
}

static uint8_t *resize_rows(const learn_picture *from, int width)
{
    uint8_t *to = packed(width, from->height);
    size_t row = (size_t)width * CHANNELS;
    axis a = {0};

    if (!to || (width != from->width && axis_make(&a, from->width, width) < 0)) {
        free(to);
        to = NULL;
    }
    for (int y = 0; to && y < from->height; y++)
        if (width == from->width)
            memcpy(to + (size_t)y * row, from->rgb + y * from->stride, row);
        else
            resize_row(&a, from->rgb + y * from->stride, to + (size_t)y * row, width);
    axis_free(&a);
    return to;
}

static uint8_t *resize_columns(const learn_picture *from, int height)
{
    size_t row = (size_t)from->width * CHANNELS;
    uint8_t *to = packed(from->width, height);
    int32_t *sums = calloc(row, sizeof *sums);
    axis a = {0};

    if (!to || !sums || axis_make(&a, from->height, height) < 0) {
        free(to);
        to = NULL;
    }
    for (int y = 0; to && y < height; y++)
        resize_column(&a, y, from, to + (size_t)y * row, sums);
    axis_free(&a);
    free(sums);
    return to;
}

uint8_t *learn_resize(const learn_picture *from, int width, int height, char why[LEARN_WHY])
{
    uint8_t *rows, *done;

    if (width < 1 || height < 1 || from->width < 1 || from->height < 1) {
        learn_fail(why, "a picture of %dx%d cannot be resized to %dx%d", from->width,
                   from->height, width, height);
        return NULL;
    }
    done = rows = resize_rows(from, width);
    if (rows && height != from->height) {
        learn_picture between = {rows, width, from->height, (ptrdiff_t)width * CHANNELS};

        done = resize_columns(&between, height);
        free(rows);
    }
    if (!done)
        learn_fail(why, "no memory to resize a picture of %dx%d to %dx%d", from->width,
                   from->height, width, height);
    return done;
}
