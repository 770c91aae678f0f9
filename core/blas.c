/*
 * blas.c - the product by OpenBLAS, for machines without a kernel of our own.  The only
 * file that names BLAS.
 *
 * It is loaded when it is first needed, not with the library: loading starts a thread for
 * every core but one, and these turn round for some ten milliseconds each before they sleep.
 *
 * OpenBLAS uses several threads from 2^18 multiplications a call on, and its thread count
 * belongs to the whole process, so it is not touched: calls are kept below that.  Every
 * call has the same shape, so that each row is computed in the same way whatever its place:
 * else equal pictures would stop giving exactly 0.  It is 8 rows of one panel: of 12 rows,
 * and so of 24, the kernels for Haswell and Zen sum six in another order than the other six.
 */
#include "kernels.h"

#include <cblas.h>
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

enum {
    ROWS = 8,
    MAX_K = 512 /* 8 * 16 * 512 < 2^18, and more than any layer has */
};

static __typeof__(cblas_sgemm) *sgemm;

static void load(void)
{
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    void *found = library ? dlsym(library, "cblas_sgemm") : NULL;

    memcpy(&sgemm, &found, sizeof sgemm); /* POSIX's way from an object to a function */
}

int lpips_blas_find(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, load);
    return sgemm != NULL;
}

static void product(float *d, const float *a, ptrdiff_t a_stride, const float *b, int k)
{
    sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, ROWS, LPIPS_PANEL, k, 1.f, a,
          (int)a_stride, b, LPIPS_PANEL, 1.f, d, LPIPS_PANEL);
}

static void store(float *d, ptrdiff_t d_stride, const float *t, int rows, int relu)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < LPIPS_PANEL; j++) {
            float x = t[i * LPIPS_PANEL + j];

            d[i * d_stride + j] = relu && x < 0.f ? 0.f : x;
        }
}

/* Rows of a where BLAS can read them: it asks for rows that do not overlap, and for all of
 * them.
 */
static const float *readable(float *copy, const float *a, ptrdiff_t *a_stride, int rows,
                             int k)
{
    if (rows == ROWS && *a_stride >= k)
        return a;
    memset(copy, 0, sizeof *copy * ROWS * (size_t)k);
    for (int i = 0; i < rows; i++)
        memcpy(copy + i * k, a + i * *a_stride, sizeof *copy * (size_t)k);
    *a_stride = k;
    return copy;
}

static void tile(float *d, ptrdiff_t d_stride, const float *const *a, ptrdiff_t at,
                 ptrdiff_t a_stride, int segs, int rows, const float *b, int k,
                 const float *init, int relu, int block)
{
    float t[ROWS * LPIPS_PANEL], copy[ROWS * MAX_K];

    for (int i = 0; i < ROWS; i++)
        memcpy(t + i * LPIPS_PANEL, init, sizeof *t * LPIPS_PANEL);
    for (int s = 0; s < segs; s++) {
        ptrdiff_t stride = a_stride;
        const float *from = readable(copy, a[s] + at, &stride, rows, k);

        for (int l = 0, n; l < k; l += n, b += (ptrdiff_t)n * LPIPS_PANEL) {
            n = k - l < block ? k - l : block;
            product(t, from + l, stride, b, n);
        }
    }
    store(d, d_stride, t, rows, relu);
}

static void gemm(float *d, ptrdiff_t d_stride, const float *const *a, ptrdiff_t a_stride,
                 int segs, int rows, const float *b, int k, int panels, const float *init,
                 int relu, int block)
{
    for (int q = 0; q < panels; q++)
        for (int i = 0; i < rows; i += ROWS)
            tile(d + i * d_stride + q * LPIPS_PANEL, d_stride, a, i * a_stride, a_stride,
                 segs, rows - i < ROWS ? rows - i : ROWS,
                 b + (ptrdiff_t)q * segs * k * LPIPS_PANEL, k, init + q * LPIPS_PANEL, relu,
                 block);
}

void lpips_kernels_init_blas(lpips_kernels *k)
{
    k->gemm = gemm;
    k->name = "openblas";
}
