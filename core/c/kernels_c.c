/*
 * kernels_c.c - the definition of every kernel, in C with GCC's vector extensions:
 * vectors of four floats, which every compiler target can express.
 */
#include "../kernels.h"
#include "../lpips.h"

#include <math.h>
#include <string.h>

#define VL 4
typedef float vec __attribute__((vector_size(16)));
typedef int32_t ivec __attribute__((vector_size(16)));

#define SET1(x)      ((vec){(x), (x), (x), (x)})
#define FMA(a, b, c) ((a) * (b) + (c))
#define LOAD(p)      load4(p)
#define STORE(p, v)  store4(p, v)
#define MAX(a, b)    max4(a, b)
#define SUMS(t)      sums(t)

static inline vec load4(const float *p)
{
    vec v;

    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store4(float *p, vec v)
{
    memcpy(p, &v, sizeof v);
}

static inline vec max4(vec a, vec b)
{
    ivec m = a > b;

    return (vec)((m & (ivec)a) | (~m & (ivec)b));
}

static inline vec sums(const vec *t)
{
    vec s;

    for (int i = 0; i < VL; i++)
        s[i] = (t[i][0] + t[i][2]) + (t[i][1] + t[i][3]);
    return s;
}

#include "../kernels_template.h"

/* Two rows at a time: eight accumulators fit any register file. */
static void gemm_rows(float *d0, float *d1, const float *const *a, ptrdiff_t at0,
                      ptrdiff_t at1, int segs, const float *b, int k, const float *init,
                      int relu, int block)
{
    vec x[4], y[4], sx[4], sy[4];

    for (int j = 0; j < 4; j++) {
        x[j] = y[j] = LOAD(init + 4 * j);
        sx[j] = sy[j] = SET1(0.f);
    }
    for (int s = 0; s < segs; s++) {
        const float *a0 = a[s] + at0, *a1 = a[s] + at1;

        for (int l = 0; l < k; l++, b += LPIPS_PANEL) {
            for (int j = 0; j < 4 && segs == 1 && l && l % block == 0; j++) {
                sx[j] = sx[j] + x[j];
                sy[j] = sy[j] + y[j];
                x[j] = y[j] = SET1(0.f);
            }
            for (int j = 0; j < 4; j++) {
                x[j] = FMA(SET1(a0[l]), LOAD(b + 4 * j), x[j]);
                y[j] = FMA(SET1(a1[l]), LOAD(b + 4 * j), y[j]);
            }
        }
    }
    for (int j = 0; j < 4; j++) {
        x[j] = sx[j] + x[j];
        y[j] = sy[j] + y[j];
        STORE(d0 + 4 * j, relu ? MAX(x[j], SET1(0.f)) : x[j]);
        STORE(d1 + 4 * j, relu ? MAX(y[j], SET1(0.f)) : y[j]);
    }
}

static void gemm(float *d, ptrdiff_t d_stride, const float *const *a, ptrdiff_t a_stride,
                 int segs, int rows, const float *b, int k, int panels, const float *init,
                 int relu, int block)
{
    for (int q = 0; q < panels; q++) {
        const float *panel = b + (ptrdiff_t)q * segs * k * LPIPS_PANEL;

        for (int i = 0; i < rows; i += 2) {
            int j = i + 1 < rows ? i + 1 : i;

            gemm_rows(d + i * d_stride + q * LPIPS_PANEL, d + j * d_stride + q * LPIPS_PANEL,
                      a, i * a_stride, j * a_stride, segs, panel, k, init + q * LPIPS_PANEL,
                      relu, block);
        }
    }
}

#define DEFINE_LOAD(type)                                                               \
    static int load_##type(float *dst, const void *const src[3], ptrdiff_t step, int n, \
                           const float mul[3], const float add[3])                      \
    {                                                                                   \
        const char *r = src[0], *g = src[1], *b = src[2];                               \
                                                                                        \
        for (int i = 0; i < n; i++, r += step, g += step, b += step, dst += 3) {        \
            type x, y, z;                                                               \
                                                                                        \
            memcpy(&x, r, sizeof x);                                                    \
            memcpy(&y, g, sizeof y);                                                    \
            memcpy(&z, b, sizeof z);                                                    \
            dst[0] = (float)x * mul[0] + add[0];                                        \
            dst[1] = (float)y * mul[1] + add[1];                                        \
            dst[2] = (float)z * mul[2] + add[2];                                        \
        }                                                                               \
        return 0;                                                                       \
    }

DEFINE_LOAD(uint8_t)
DEFINE_LOAD(uint16_t)

void lpips_kernels_init(lpips_kernels *k, unsigned cpu)
{
    memset(k, 0, sizeof *k);
    init_template(k);
    k->gemm = gemm;
    k->name = "c";
    k->load_row[0] = load_uint8_t;
    k->load_row[1] = load_uint16_t;
#ifndef LPIPS_NO_BLAS
    if (cpu == LPIPS_CPU_BLAS && lpips_blas_find())
        lpips_kernels_init_blas(k);
#endif
#ifdef LPIPS_HAVE_X86
    if (cpu & LPIPS_CPU_AVX2)
        lpips_kernels_init_avx2(k);
    if (cpu & LPIPS_CPU_AVX512)
        lpips_kernels_init_avx512(k);
#endif
}
