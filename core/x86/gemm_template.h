/*
 * gemm_template.h - the product from a micro-kernel of ROWS rows (MICRO) and one of a single
 * row (gemm1), both of one panel:
 *     micro(d, d_stride, a, a_offset, a_stride, segs, b, k, init, relu, add)
 * with offsets and strides in bytes; `add` adds what d holds.  GEMM is its name, GEMM_LINKAGE
 * nothing or static.
 */
typedef void micro_kernel(float *d, ptrdiff_t ds, const float *const *a, ptrdiff_t at,
                          ptrdiff_t as, int segs, const float *b, int k, const float *init,
                          int relu, int add);

/* One tile of d, block by block of k. */
static void blocks(micro_kernel *micro, float *d, ptrdiff_t ds, const float *const *a,
                   ptrdiff_t at, ptrdiff_t as, int segs, const float *b, int k,
                   const float *init, int relu, int block)
{
    static const float zero[LPIPS_PANEL];

    for (int l = 0; l < k; l += block) {
        int n = k - l < block ? k - l : block;

        micro(d, ds, a, at + 4 * l, as, segs, b + (ptrdiff_t)l * LPIPS_PANEL, n,
              l ? zero : init, relu && l + n == k, l > 0);
    }
}

/* The last `left` of `rows` rows, fewer than ROWS: computed with those before them. */
static void gemm_tail(float *d, ptrdiff_t ds, const float *const *a, ptrdiff_t as, int segs,
                      int rows, int left, const float *b, int k, const float *init, int relu,
                      int block)
{
    float t[ROWS * LPIPS_PANEL];

    blocks(MICRO, t, sizeof *t * LPIPS_PANEL, a, 4 * (rows - ROWS) * as, 4 * as, segs, b, k,
           init, relu, block);
    for (int i = rows - left; i < rows; i++)
        memcpy(d + i * ds, t + (i - rows + ROWS) * LPIPS_PANEL, sizeof *t * LPIPS_PANEL);
}

static void gemm_panel(float *d, ptrdiff_t ds, const float *const *a, ptrdiff_t as, int segs,
                       int rows, const float *b, int k, const float *init, int relu,
                       int block)
{
    int i = 0;

    for (; i + ROWS <= rows; i += ROWS)
        blocks(MICRO, d + i * ds, 4 * ds, a, 4 * i * as, 4 * as, segs, b, k, init, relu,
               block);
    if (i && i < rows)
        gemm_tail(d, ds, a, as, segs, rows, rows - i, b, k, init, relu, block);
    for (; rows < ROWS && i < rows; i++)
        blocks(gemm1, d + i * ds, 4 * ds, a, 4 * i * as, 4 * as, segs, b, k, init, relu,
               block);
}

GEMM_LINKAGE void GEMM(float *d, ptrdiff_t d_stride, const float *const *a,
                       ptrdiff_t a_stride, int segs, int rows, const float *b, int k,
                       int panels, const float *init, int relu, int block)
{
    if (segs > 1)
        block = k;
    for (int q = 0; q < panels; q++)
        gemm_panel(d + q * LPIPS_PANEL, d_stride, a, a_stride, segs, rows,
                   b + (ptrdiff_t)q * segs * k * LPIPS_PANEL, k, init + q * LPIPS_PANEL, relu,
                   block);
}
