/*
 * blas.c - the product by OpenBLAS, for machines without a kernel of our own.  The only
 * file that names BLAS.
 *
 * It is loaded when it is first needed, not with the library: loading starts a thread for
 * every core but one, and these turn round for some ten milliseconds each before they sleep.
 *
 * OpenBLAS uses several threads from 2^18 multiplications a call on, and its thread count
 * belongs to the whole process, so it is not touched: calls are kept below that.  Every
 * call has the same shape, some rows of one panel, so that each row is computed in the same
 * way whatever its place: else equal pictures would stop giving exactly 0.  How many rows is
 * tried out: of 24 its kernels for Haswell and Zen sum half in another order.
 */
#include "kernels.h"

#include <cblas.h>
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

enum {
    ROWS = 24,
    MAX_K = 512 /* 24 * 16 * 512 < 2^18, and more than any layer has */
};

static __typeof__(cblas_sgemm) *sgemm;
static int rows_a_call;

static void product(float *d, const float *a, ptrdiff_t a_stride, const float *b, int k)
{
    sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows_a_call, LPIPS_PANEL, k, 1.f, a,
          (int)a_stride, b, LPIPS_PANEL, 1.f, d, LPIPS_PANEL);
}

/* Numbers of -1/2 .. 1/2 whose sums are rounded. */
static float number(int i)
{
    return (float)((uint32_t)i * 2654435761u >> 8) / (1 << 24) - .5f;
}

/* Whether equal rows give equal results, for sums of k. */
static int places_agree(int k)
{
    float a[ROWS * MAX_K], b[MAX_K * LPIPS_PANEL], d[ROWS * LPIPS_PANEL];
    int same = 1;

    for (int i = 0; i < rows_a_call * k; i++)
        a[i] = number(i % k + 1);
    for (int i = 0; i < k * LPIPS_PANEL; i++)
        b[i] = number(1000 + i);
    memset(d, 0, sizeof d);
    product(d, a, k, b, k);
    for (int i = 1; i < rows_a_call; i++)
        same = same && !memcmp(d, d + i * LPIPS_PANEL, LPIPS_PANEL * sizeof *d);
    return same;
}

static void choose_rows(void)
{
    static const int choices[] = {ROWS, 8, 4, 2, 1};

    for (int i = 0, fine = 0; !fine; i++) {
        rows_a_call = choices[i];
        fine = 1;
        for (int k = 1; k <= MAX_K && fine; k += k < 64 ? 1 : 64)
            fine = places_agree(k);
    }
}

static void load(void)
{
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    void *found = library ? dlsym(library, "cblas_sgemm") : NULL;

    memcpy(&sgemm, &found, sizeof sgemm); /* POSIX's way from an object to a function */
    if (sgemm)
        choose_rows();
}

int lpips_blas_find(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, load);
    return sgemm != NULL;
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
 * a call. */
static const float *readable(float *copy, const float *a, ptrdiff_t *a_stride, int rows,
                             int k)
{
    if (rows == rows_a_call && *a_stride >= k)
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

    for (int i = 0; i < rows_a_call; i++)
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
        for (int i = 0; i < rows; i += rows_a_call)
            tile(d + i * d_stride + q * LPIPS_PANEL, d_stride, a, i * a_stride, a_stride,
                 segs, rows - i < rows_a_call ? rows - i : rows_a_call,
                 b + (ptrdiff_t)q * segs * k * LPIPS_PANEL, k, init + q * LPIPS_PANEL, relu,
                 block);
}

void lpips_kernels_init_blas(lpips_kernels *k)
{
    k->gemm = gemm;
    k->name = "openblas";
}
