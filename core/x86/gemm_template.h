/*
 * gemm_template.h - one panel of the product, of at least ROWS rows, from
 *     tile(d, d_stride, a, a_offset, a_stride, segs, b, k, init, relu, block)
 * which computes ROWS rows; its offset and strides are in bytes.
 */

/* The last `left` of `rows` rows, fewer than ROWS: computed with those before them. */
static void gemm_tail(float *d, ptrdiff_t ds, const float *const *a, ptrdiff_t as, int segs,
                      int rows, int left, const float *b, int k, const float *init, int relu,
                      int block)
{
    float t[ROWS * LPIPS_PANEL];

    tile(t, sizeof *t * LPIPS_PANEL, a, 4 * (rows - ROWS) * as, 4 * as, segs, b, k, init,
         relu, block);
    for (int i = rows - left; i < rows; i++)
        memcpy(d + i * ds, t + (i - rows + ROWS) * LPIPS_PANEL, sizeof *t * LPIPS_PANEL);
}

static void gemm_panel(float *d, ptrdiff_t ds, const float *const *a, ptrdiff_t as, int segs,
                       int rows, const float *b, int k, const float *init, int relu,
                       int block)
{
    int i = 0;

    for (; i + ROWS <= rows; i += ROWS)
        tile(d + i * ds, 4 * ds, a, 4 * i * as, 4 * as, segs, b, k, init, relu, block);
    if (i < rows)
        gemm_tail(d, ds, a, as, segs, rows, rows - i, b, k, init, relu, block);
}
