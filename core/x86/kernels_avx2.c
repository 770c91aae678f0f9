/*
 * kernels_avx2.c - AVX2 and FMA.
 *
 * The product is written in assembly: from intrinsics GCC 12 folds the loads of the
 * panel into the multiplications and spills accumulators, which halves the speed.
 */
#include "gemm_avx2.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#define VL 8
typedef __m256 vec;

#define SET1(x)      _mm256_set1_ps(x)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define LOAD(p)      _mm256_loadu_ps(p)
#define STORE(p, v)  _mm256_storeu_ps(p, v)
#define MAX(a, b)    _mm256_max_ps(a, b)
#define SUMS(t)      sums(t)
#define LOADU8(p)    _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(p))))

/* Lanes 2 apart, 1 apart, then halves. */
static inline __m256 sums(const __m256 *t)
{
    __m256 q[2];

    for (int i = 0; i < 2; i++, t += 4) {
        __m256 x = _mm256_unpacklo_ps(t[0], t[1]) + _mm256_unpackhi_ps(t[0], t[1]);
        __m256 y = _mm256_unpacklo_ps(t[2], t[3]) + _mm256_unpackhi_ps(t[2], t[3]);
        __m256d u = _mm256_castps_pd(x), v = _mm256_castps_pd(y);

        q[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(u, v)) +
               _mm256_castpd_ps(_mm256_unpackhi_pd(u, v));
    }
    return _mm256_permute2f128_ps(q[0], q[1], 0x20) +
           _mm256_permute2f128_ps(q[0], q[1], 0x31);
}

#include "../kernels_template.h"

#define ROWS 6

/* clang-format off */
#define PAIR(at, x, y, t)                       \
    "vbroadcastss " at ", %%ymm" t "\n\t"       \
    "vfmadd231ps %%ymm0, %%ymm" t ", %%ymm" x "\n\t" \
    "vfmadd231ps %%ymm1, %%ymm" t ", %%ymm" y "\n\t"

/* One step of k: a column of six from a (r8 and r9 = r8 + 3 rows), a row of 16 of b. */
#define STEP(a, b0, b1)                         \
    "vmovups " b0 "(%[b]), %%ymm0\n\t"          \
    "vmovups " b1 "(%[b]), %%ymm1\n\t"          \
    PAIR(a "(%%r8)", "4", "5", "2")             \
    PAIR(a "(%%r8,%[as])", "6", "7", "3")       \
    PAIR(a "(%%r8,%[as],2)", "8", "9", "2")     \
    PAIR(a "(%%r9)", "10", "11", "3")           \
    PAIR(a "(%%r9,%[as])", "12", "13", "2")     \
    PAIR(a "(%%r9,%[as],2)", "14", "15", "3")

#define RELU(x) "vmaxps %%ymm0, %%ymm" x ", %%ymm" x "\n\t"
#define ADD(x, y, at)                                     \
    "vaddps " at ", %%ymm" x ", %%ymm" x "\n\t"           \
    "vaddps 32" at ", %%ymm" y ", %%ymm" y "\n\t"
#define PUT(x, y, at)                     \
    "vmovups %%ymm" x ", " at "\n\t"      \
    "vmovups %%ymm" y ", 32" at "\n\t"

/* All sums start from init. */
#define START \
    "vmovups (%[init]), %%ymm4\n\t" \
    "vmovups 32(%[init]), %%ymm5\n\t" \
    "vmovaps %%ymm4, %%ymm6\n\t" \
    "vmovaps %%ymm5, %%ymm7\n\t" \
    "vmovaps %%ymm4, %%ymm8\n\t" \
    "vmovaps %%ymm5, %%ymm9\n\t" \
    "vmovaps %%ymm4, %%ymm10\n\t" \
    "vmovaps %%ymm5, %%ymm11\n\t" \
    "vmovaps %%ymm4, %%ymm12\n\t" \
    "vmovaps %%ymm5, %%ymm13\n\t" \
    "vmovaps %%ymm4, %%ymm14\n\t" \
    "vmovaps %%ymm5, %%ymm15\n"

/* Segment by segment, four steps at a time and then one. */
#define LOOPS \
    "1:\n\t" \
    "mov (%[seg]), %%r8\n\t" \
    "add $8, %[seg]\n\t" \
    "add %[at], %%r8\n\t" \
    "lea (%%r8,%[as],2), %%r9\n\t" \
    "add %[as], %%r9\n\t" \
    "mov %[k], %%r10\n\t" \
    "sub $4, %%r10\n\t" \
    "jl 3f\n\t" \
    ".p2align 4\n" \
    "2:\n\t" \
    STEP("0", "0", "32") \
    STEP("4", "64", "96") \
    STEP("8", "128", "160") \
    STEP("12", "192", "224") \
    "add $16, %%r8\n\t" \
    "add $16, %%r9\n\t" \
    "add $256, %[b]\n\t" \
    "sub $4, %%r10\n\t" \
    "jge 2b\n" \
    "3:\n\t" \
    "add $4, %%r10\n\t" \
    "jz 5f\n" \
    "4:\n\t" \
    STEP("0", "0", "32") \
    "add $4, %%r8\n\t" \
    "add $4, %%r9\n\t" \
    "add $64, %[b]\n\t" \
    "dec %%r10\n\t" \
    "jnz 4b\n"

/* What d held, the ReLU, and out. */
#define END \
    "5:\n\t" \
    "dec %[left]\n\t" \
    "jnz 1b\n\t" \
    "lea (%[d],%[ds],2), %%r9\n\t" \
    "add %[ds], %%r9\n\t" \
    "test %[add], %[add]\n\t" \
    "jz 7f\n\t" \
    ADD("4", "5", "(%[d])") \
    ADD("6", "7", "(%[d],%[ds])") \
    ADD("8", "9", "(%[d],%[ds],2)") \
    ADD("10", "11", "(%%r9)") \
    ADD("12", "13", "(%%r9,%[ds])") \
    ADD("14", "15", "(%%r9,%[ds],2)") \
    "7:\n\t" \
    "test %[relu], %[relu]\n\t" \
    "jz 6f\n\t" \
    "vxorps %%xmm0, %%xmm0, %%xmm0\n\t" \
    RELU("4") RELU("5") RELU("6") RELU("7") RELU("8") RELU("9") \
    RELU("10") RELU("11") RELU("12") RELU("13") RELU("14") RELU("15") \
    "6:\n\t" \
    PUT("4", "5", "(%[d])") \
    PUT("6", "7", "(%[d],%[ds])") \
    PUT("8", "9", "(%[d],%[ds],2)") \
    PUT("10", "11", "(%%r9)") \
    PUT("12", "13", "(%%r9,%[ds])") \
    PUT("14", "15", "(%%r9,%[ds],2)")

/* clang-format on */

/* d[6][16] of one panel; strides in bytes. */
static void gemm6(float *d, ptrdiff_t ds, const float *const *a, ptrdiff_t at, ptrdiff_t as,
                  int segs, const float *b, int k, const float *init, int relu, int add)
{
    const float *const *seg = a;
    int64_t left = segs, n = k;

    __asm__ volatile(START LOOPS END
                     : [seg] "+r"(seg), [b] "+r"(b), [left] "+r"(left)
                     : [init] "r"(init), [at] "r"(at), [as] "r"(as), [k] "m"(n), [d] "r"(d),
                       [ds] "r"(ds), [relu] "r"(relu), [add] "r"(add)
                     : "r8", "r9", "r10", "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3",
                       "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                       "xmm12", "xmm13", "xmm14", "xmm15");
}

static void gemm1(float *d, ptrdiff_t ds, const float *const *a, ptrdiff_t at, ptrdiff_t as,
                  int segs, const float *b, int k, const float *init, int relu, int add)
{
    vec x = LOAD(init), y = LOAD(init + 8);

    (void)ds;
    (void)as;
    for (int s = 0; s < segs; s++) {
        const float *p = (const float *)((const char *)a[s] + at);

        for (int l = 0; l < k; l++, b += LPIPS_PANEL) {
            x = FMA(SET1(p[l]), LOAD(b), x);
            y = FMA(SET1(p[l]), LOAD(b + 8), y);
        }
    }
    if (add) {
        x = x + LOAD(d);
        y = y + LOAD(d + 8);
    }
    STORE(d, relu ? MAX(x, SET1(0.f)) : x);
    STORE(d + 8, relu ? MAX(y, SET1(0.f)) : y);
}

typedef void micro_kernel(float *d, ptrdiff_t ds, const float *const *a, ptrdiff_t at,
                          ptrdiff_t as, int segs, const float *b, int k, const float *init,
                          int relu, int add);

/* Block by block of k: there are no registers for a second set of sums. */
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

static void tile(float *d, ptrdiff_t ds, const float *const *a, ptrdiff_t at, ptrdiff_t as,
                 int segs, const float *b, int k, const float *init, int relu, int block)
{
    blocks(gemm6, d, ds, a, at, as, segs, b, k, init, relu, block);
}

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

#include "gemm_template.h"

void lpips_gemm_avx2(float *d, ptrdiff_t d_stride, const float *const *a, ptrdiff_t a_stride,
                     int segs, int rows, const float *b, int k, int panels, const float *init,
                     int relu, int block)
{
    if (segs > 1)
        block = k;
    for (int q = 0; q < panels; q++, d += LPIPS_PANEL, init += LPIPS_PANEL) {
        const float *panel = b + (ptrdiff_t)q * segs * k * LPIPS_PANEL;

        if (rows >= ROWS)
            gemm_panel(d, d_stride, a, a_stride, segs, rows, panel, k, init, relu, block);
        for (int i = 0; i < rows && rows < ROWS; i++)
            blocks(gemm1, d + i * d_stride, 4 * d_stride, a, 4 * i * a_stride, 4 * a_stride,
                   segs, panel, k, init, relu, block);
    }
}

void lpips_kernels_init_avx2(lpips_kernels *k)
{
    init_template(k);
    k->gemm = lpips_gemm_avx2;
    k->name = "avx2";
}
