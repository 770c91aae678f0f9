/*
 * gemm_template.h - one panel of the product, of at least ROWS rows, from
 *     tile(d, d_stride, a, a_offset, a_stride, segs, b, k, init, relu, block)
 * which computes ROWS rows, and
 *     gemm_tail(d, d_stride, a, a_stride, segs, rows, left, b, k, init, relu, block)
 * which computes the last `left` of `rows` rows, fewer than ROWS, perhaps with some before
 * them that it does not store.  Offsets and strides are in bytes in the first, in floats in
 * the second.
 */

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
