/*
 * kernels.h - the inner loops, one table per instruction set.
 *
 * Every entry has a portable C version (c/kernels_c.c), which is the definition.
 * lpips_kernels_init() fills the table with those and lets each instruction set of
 * the machine overwrite what it has.  A table belongs to a context, so that two
 * contexts of one process may use different sets.  tests/checkkernels.c runs every
 * version against C.
 *
 * Nothing is asked of alignment; `ch` is a multiple of 16; counts are >= 1; strides
 * are in floats unless said otherwise; dst and src do not overlap.  No kernel reads or
 * writes outside the elements its arguments name.
 */
#ifndef LPIPS_KERNELS_H
#define LPIPS_KERNELS_H

#include "frame.h"

#include <stddef.h>
#include <stdint.h>

/* Columns of a packed panel of weights: every product computes so many at once. */
#define LPIPS_PANEL 16

/* Lengths of the one-dimensional Winograd tiles, in the order of the tables below. */
enum { LPIPS_TILE_5, LPIPS_TILE_6, LPIPS_TILE_8, LPIPS_TILE_10, LPIPS_TILES };
#define LPIPS_MAX_TILE 10
#define LPIPS_MAX_OUT  8

static const int lpips_tile_len[LPIPS_TILES] = {5, 6, 8, 10};

/*
 * v[p * v_pos + c] = (B^T d B)[p] for each channel c, p counting the tile row by row;
 * rows[y] points to the first pixel of tile row y, pixels lie px floats apart.
 */
typedef void lpips_wino_in(float *v, ptrdiff_t v_pos, const float *const *rows, ptrdiff_t px,
                           int ch);

/*
 * dst[y][x * px + c] = max((A^T m A)[y][x] + bias[c], 0) for y < rows, x < cols;
 * m[p * m_pos + c] are the products.
 */
typedef void lpips_wino_out(float *const *dst, ptrdiff_t px, const float *m, ptrdiff_t m_pos,
                            const float *bias, int ch, int rows, int cols);

/* A row of the matrix G of a transform of filters (pack.c). */
#define LPIPS_MAX_R 5
typedef double lpips_g_row[LPIPS_MAX_R];

typedef struct lpips_kernels {
    const char *name; /* of the best instruction set or library among them */

    /*
     * Matrix product with packed weights: for each panel q and row i
     *     d[i * d_stride + 16 q + j] = init[16 q + j]
     *         + sum over s < segs, l < k of a[s][i * a_stride + l] * b[q][s * k + l][j]
     * and then max(., 0) where relu is not 0.  Each element is summed over s and l in
     * rising order whatever its row, so a result does not depend on its place among the
     * rows.  With segs = 1 the sums of `block` values of l at a time are added up: the
     * smaller, the more exact.  Rows of a may overlap (a convolution read in place).
     */
    void (*gemm)(float *d, ptrdiff_t d_stride, const float *const *a, ptrdiff_t a_stride,
                 int segs, int rows, const float *b, int k, int panels, const float *init,
                 int relu, int block);

    /* Winograd transforms by tile lengths [y][x]; NULL where there is none.
     * wino_out[0] is for 3x3 filters, [1] for 5x5. */
    lpips_wino_in *wino_in[LPIPS_TILES][LPIPS_TILES];
    lpips_wino_out *wino_out[2][LPIPS_TILES][LPIPS_TILES];

    /* u[p * 16 + j] = (gy g gx^T)[p] of the 16 filters g[(y * r + x) * 16 + j], y, x < r, in
     * double, one rounding after the other, and then rounded to float: the same bits on every
     * instruction set.  p counts ny rows of nx. */
    void (*wino_filters)(float *u, const lpips_g_row *gy, int ny, const lpips_g_row *gx,
                         int nx, const double *g, int r);

    /* n pixels to packed RGB floats: dst[3 i + c] = src[c][i] * mul[c] + add[c]; the
     * source steps are in bytes.  [0] u8, [1] u16, [2] float.  Returns 0, or -1 where a
     * float is not finite or beyond +-65536 (dst is then undefined). */
    int (*load_row[3])(float *dst, const void *const src[3], ptrdiff_t pixel_stride, int n,
                       const float mul[3], const float add[3]);

    /* n columns from x on, of row y of a frame, to three rows of floats 0..1; n is at most
     * LPIPS_FRAME_TILE.  The same bits on every instruction set. */
    void (*frame_columns)(const lpips_frame_rows *r, float *const rgb[3], int y, int x,
                          int n);

    /* One row of n pooled pixels: the maximum over `size` rows and columns, step 2. */
    void (*pool_row)(float *dst, const float *const *rows, int size, int n, int ch);

    /* dst[i] = sum over c of lin[c] * (a[c] / |a| - b[c] / |b|)^2 for n pixels, with
     * |x| = sqrt(sum x^2) + 1e-10 as in the official code.  Exactly 0 if a equals b,
     * symmetric in a and b.  ch is a multiple of 64. */
    void (*head_row)(float *dst, const float *a, const float *b, ptrdiff_t px, int n,
                     const float *lin, int ch);

    /* The derivative of head_row() by a: adds factor times it to g, whose pixels lie ch
     * floats apart. Nothing is added where d, what head_row() gave, is 0, nor where all of a
     * is 0: the subgradient there is 0. */
    void (*head_back_row)(float *g, const float *a, const float *b, ptrdiff_t px,
                          const float *d, int n, const float *lin, int ch, double factor);

    /* g[i] = 0 where f[i], what a ReLU gave, is not above 0; n is a multiple of 16. */
    void (*relu_back)(float *g, const float *f, ptrdiff_t n);

    /* The derivative of pool_row() on rows of `width` pixels: adds each of the n pixels of g
     * to the place in dst, laid out as rows, of its window's maximum: the first one, row by
     * row.  Windows end at `width`.  dst[i] NULL: that row is another's; its row is read. */
    void (*pool_back_row)(float *const *dst, const float *const *rows, const float *g,
                          int size, int width, int n, int ch);
} lpips_kernels;

/* LPIPS_CPU_* of this machine and build; BLAS is among them where it may be loaded. */
unsigned lpips_cpu(void);

/* Whether OpenBLAS is there; loads it. */
int lpips_blas_find(void);

/* cpu: LPIPS_CPU_* bits that may be used.  BLAS is looked for where none of the others is. */
void lpips_kernels_init(lpips_kernels *k, unsigned cpu);
void lpips_kernels_init_avx2(lpips_kernels *k);
void lpips_kernels_init_avx512(lpips_kernels *k);
void lpips_kernels_init_blas(lpips_kernels *k);

#endif
