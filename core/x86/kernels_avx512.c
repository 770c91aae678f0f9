/*
 * kernels_avx512.c - AVX-512 F, VL, BW and DQ: as AVX2 with vectors twice as long, which
 * spares instructions where it adds no arithmetic (Zen 4).
 */
#include "gemm_avx2.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#define VL 16
typedef __m512 vec;

#define SET1(x)      _mm512_set1_ps(x)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define LOAD(p)      _mm512_loadu_ps(p)
#define STORE(p, v)  _mm512_storeu_ps(p, v)
#define MAX(a, b)    _mm512_max_ps(a, b)
#define SUMS(t)      sums(t)
#define LOADU8(p)    _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(p))))

/* Lanes 2 apart, 1 apart, then quarters 1 apart and 2 apart: half as many vectors each time.
 */
static inline __m512 sums(const __m512 *t)
{
    __m512 q[4];

    for (int i = 0; i < 4; i++, t += 4) {
        __m512 x = _mm512_unpacklo_ps(t[0], t[1]) + _mm512_unpackhi_ps(t[0], t[1]);
        __m512 y = _mm512_unpacklo_ps(t[2], t[3]) + _mm512_unpackhi_ps(t[2], t[3]);
        __m512d u = _mm512_castps_pd(x), v = _mm512_castps_pd(y);

        q[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(u, v)) +
               _mm512_castpd_ps(_mm512_unpackhi_pd(u, v));
    }
    for (int i = 0; i < 4; i += 2)
        q[i] = _mm512_shuffle_f32x4(q[i], q[i + 1], 0x88) +
               _mm512_shuffle_f32x4(q[i], q[i + 1], 0xdd);
    return _mm512_shuffle_f32x4(q[0], q[2], 0x88) + _mm512_shuffle_f32x4(q[0], q[2], 0xdd);
}

#include "../kernels_template.h"

#define ROWS 12

/* clang-format off */
#define FMAS(at, x) "vfmadd231ps " at "%{1to16%}, %%zmm0, %%zmm" x "\n\t"

/* One step of k: a column of twelve from a (r8 to r11, three rows each), 16 of b. */
#define STEP(a, b0)                                                                   \
    "vmovups " b0 "(%[b]), %%zmm0\n\t"                                                \
    FMAS(a "(%%r8)", "4") FMAS(a "(%%r8,%[as])", "5") FMAS(a "(%%r8,%[as],2)", "6")    \
    FMAS(a "(%%r9)", "7") FMAS(a "(%%r9,%[as])", "8") FMAS(a "(%%r9,%[as],2)", "9")    \
    FMAS(a "(%%r10)", "10") FMAS(a "(%%r10,%[as])", "11")                             \
    FMAS(a "(%%r10,%[as],2)", "12") FMAS(a "(%%r11)", "13")                           \
    FMAS(a "(%%r11,%[as])", "14") FMAS(a "(%%r11,%[as],2)", "15")

#define COPY(x)     "vmovaps %%zmm4, %%zmm" x "\n\t"
#define CLEAR(x)    "vpxord %%zmm" x ", %%zmm" x ", %%zmm" x "\n\t"
#define RELU(x)     "vmaxps %%zmm0, %%zmm" x ", %%zmm" x "\n\t"
#define ADD(x, y)   "vaddps %%zmm" y ", %%zmm" x ", %%zmm" x "\n\t"
#define PUT(x, at)  "vmovups %%zmm" x ", " at "\n\t"
#define THREE(to, from, by) "lea (%%" from ",%[" by "],2), %%" to "\n\tadd %[" by "], %%" to "\n\t"
#define EACH(F)                                                                        \
    F("4", "16") F("5", "17") F("6", "18") F("7", "19") F("8", "20") F("9", "21")      \
    F("10", "22") F("11", "23") F("12", "24") F("13", "25") F("14", "26") F("15", "27")
#define TOTAL(x, y)  ADD(y, x) CLEAR(x)
#define MINUS0(x, y) "vmovaps %%zmm1, %%zmm" y "\n\t"
#define RELU1(x, y)  RELU(x)

/* Sums (4 to 15) start from init, totals of blocks (16 to 27) from -0, which is added to
 * without a trace. */
#define START \
    "vmovups %[init], %%zmm4\n\t" \
    COPY("5") COPY("6") COPY("7") COPY("8") COPY("9") COPY("10") COPY("11") COPY("12") COPY("13") COPY("14") COPY("15") \
    "vpternlogd $255, %%zmm1, %%zmm1, %%zmm1\n\t" \
    "vpslld $31, %%zmm1, %%zmm1\n\t" \
    EACH(MINUS0)

/* Four steps at a time, after so many fours the sums to the totals, then one by one. */
#define LOOPS \
    "mov %[a], %%r8\n\t" \
    THREE("r9", "r8", "as") THREE("r10", "r9", "as") THREE("r11", "r10", "as") \
    "mov %[fours], %%rax\n\t" \
    "sub $4, %[n]\n\t" \
    "jl 3f\n\t" \
    ".p2align 4\n" \
    "2:\n\t" \
    STEP("0", "0") STEP("4", "64") STEP("8", "128") STEP("12", "192") \
    "add $16, %%r8\n\t" \
    "add $16, %%r9\n\t" \
    "add $16, %%r10\n\t" \
    "add $16, %%r11\n\t" \
    "add $256, %[b]\n\t" \
    "sub $4, %[n]\n\t" \
    "jl 3f\n\t" \
    "dec %%rax\n\t" \
    "jnz 2b\n\t" \
    EACH(TOTAL) \
    "mov %[fours], %%rax\n\t" \
    "jmp 2b\n" \
    "3:\n\t" \
    "add $4, %[n]\n\t" \
    "jz 5f\n\t" \
    "dec %%rax\n\t" \
    "jnz 4f\n\t" \
    EACH(TOTAL) \
    "4:\n\t" \
    STEP("0", "0") \
    "add $4, %%r8\n\t" \
    "add $4, %%r9\n\t" \
    "add $4, %%r10\n\t" \
    "add $4, %%r11\n\t" \
    "add $64, %[b]\n\t" \
    "dec %[n]\n\t" \
    "jnz 4b\n"

#define TOTALS "5:\n\t" EACH(ADD)

/* The same without totals, for several segments of a or one block. */
#define START_SEGS \
    "vmovups %[init], %%zmm4\n\t" \
    COPY("5") COPY("6") COPY("7") COPY("8") COPY("9") COPY("10") COPY("11") COPY("12") COPY("13") COPY("14") COPY("15")

#define LOOPS_SEGS \
    "1:\n\t" \
    "mov (%[seg]), %%r8\n\t" \
    "add $8, %[seg]\n\t" \
    "add %[at], %%r8\n\t" \
    THREE("r9", "r8", "as") THREE("r10", "r9", "as") THREE("r11", "r10", "as") \
    "mov %[k], %%rax\n\t" \
    "sub $4, %%rax\n\t" \
    "jl 3f\n\t" \
    ".p2align 4\n" \
    "2:\n\t" \
    STEP("0", "0") STEP("4", "64") STEP("8", "128") STEP("12", "192") \
    "add $16, %%r8\n\t" \
    "add $16, %%r9\n\t" \
    "add $16, %%r10\n\t" \
    "add $16, %%r11\n\t" \
    "add $256, %[b]\n\t" \
    "sub $4, %%rax\n\t" \
    "jge 2b\n" \
    "3:\n\t" \
    "add $4, %%rax\n\t" \
    "jz 5f\n" \
    "4:\n\t" \
    STEP("0", "0") \
    "add $4, %%r8\n\t" \
    "add $4, %%r9\n\t" \
    "add $4, %%r10\n\t" \
    "add $4, %%r11\n\t" \
    "add $64, %[b]\n\t" \
    "dec %%rax\n\t" \
    "jnz 4b\n" \
    "5:\n\t" \
    "decq %[left]\n\t" \
    "jnz 1b\n\t"

/* The ReLU, and out. */
#define END \
    "test %[relu], %[relu]\n\t" \
    "jz 6f\n\t" \
    "vxorps %%xmm0, %%xmm0, %%xmm0\n\t" \
    EACH(RELU1) \
    "6:\n\t" \
    "mov %[d], %%r8\n\t" \
    THREE("r9", "r8", "ds") THREE("r10", "r9", "ds") THREE("r11", "r10", "ds") \
    PUT("4", "(%%r8)") PUT("5", "(%%r8,%[ds])") PUT("6", "(%%r8,%[ds],2)") \
    PUT("7", "(%%r9)") PUT("8", "(%%r9,%[ds])") PUT("9", "(%%r9,%[ds],2)") \
    PUT("10", "(%%r10)") PUT("11", "(%%r10,%[ds])") PUT("12", "(%%r10,%[ds],2)") \
    PUT("13", "(%%r11)") PUT("14", "(%%r11,%[ds])") PUT("15", "(%%r11,%[ds],2)")

/* clang-format on */

/* As tile(), which see. */
static void tile_segs(float *d, ptrdiff_t ds, const float *const *a, ptrdiff_t at,
                      ptrdiff_t as, int segs, const float *b, int k, const float *init,
                      int relu)
{
    int64_t n = k, left = segs;

    __asm__ volatile(START_SEGS LOOPS_SEGS END
                     : [b] "+r"(b), [seg] "+r"(a), [left] "+m"(left)
                     : [init] "m"(*(const float(*)[16])init), [at] "m"(at), [as] "r"(as),
                       [k] "m"(n), [d] "m"(d), [ds] "r"(ds), [relu] "r"(relu)
                     : "rax", "r8", "r9", "r10", "r11", "cc", "memory", "xmm0", "xmm4",
                       "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                       "xmm13", "xmm14", "xmm15");
}

/* d[12][16] of one panel; offset and strides in bytes.  Blocks of whole fours. */
static void tile(float *d, ptrdiff_t ds, const float *const *a, ptrdiff_t at, ptrdiff_t as,
                 int segs, const float *b, int k, const float *init, int relu, int block)
{
    const char *from = (const char *)a[0] + at;
    int64_t n = k, fours = block / 4;

    if (segs > 1 || block >= k) {
        tile_segs(d, ds, a, at, as, segs, b, k, init, relu);
        return;
    }
    __asm__ volatile(START LOOPS TOTALS END
                     : [b] "+r"(b), [n] "+r"(n)
                     : [init] "m"(*(const float(*)[16])init), [a] "m"(from), [as] "r"(as),
                       [fours] "m"(fours), [d] "m"(d), [ds] "r"(ds), [relu] "r"(relu)
                     : "rax", "r8", "r9", "r10", "r11", "cc", "memory", "xmm0", "xmm1",
                       "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                       "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19",
                       "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26",
                       "xmm27");
}

/* t[4][16], adding in the same order: four sums are as many as hide the latency. */
static void tile4(float *t, const float *const *a, ptrdiff_t at, ptrdiff_t as, int segs,
                  const float *b, int k, const float *init, int relu, int block)
{
    vec s0 = SET1(-0.f), s1 = s0, s2 = s0, s3 = s0, x0 = LOAD(init), x1 = x0, x2 = x0,
        x3 = x0;

    for (int seg = 0; seg < segs; seg++) {
        const float *p = a[seg] + at;

        for (int l = 0, end; l < k; l = end) {
            end = k - l > block ? l + block : k;
            for (int i = l; i < end; i++, b += LPIPS_PANEL) {
                vec y = LOAD(b);

                x0 = FMA(SET1(p[i]), y, x0);
                x1 = FMA(SET1(p[as + i]), y, x1);
                x2 = FMA(SET1(p[2 * as + i]), y, x2);
                x3 = FMA(SET1(p[3 * as + i]), y, x3);
            }
            if (segs > 1 && seg < segs - 1)
                continue;
            s0 += x0, s1 += x1, s2 += x2, s3 += x3;
            x0 = x1 = x2 = x3 = SET1(0.f);
        }
    }
    STORE(t, relu ? MAX(s0, x0) : s0);
    STORE(t + LPIPS_PANEL, relu ? MAX(s1, x0) : s1);
    STORE(t + 2 * LPIPS_PANEL, relu ? MAX(s2, x0) : s2);
    STORE(t + 3 * LPIPS_PANEL, relu ? MAX(s3, x0) : s3);
}

static void gemm_tail(float *d, ptrdiff_t ds, const float *const *a, ptrdiff_t as, int segs,
                      int rows, int left, const float *b, int k, const float *init, int relu,
                      int block)
{
    float t[4 * LPIPS_PANEL];

    for (int i = rows - left; i < rows; i += 4) {
        int at = i < rows - 4 ? i : rows - 4;

        tile4(t, a, at * as, as, segs, b, k, init, relu, block);
        for (int j = i; j < at + 4; j++)
            memcpy(d + j * ds, t + (j - at) * LPIPS_PANEL, sizeof *t * LPIPS_PANEL);
    }
}

#include "gemm_template.h"

/* Few rows, and blocks that are no whole fours, go to AVX2: both give the same bits. */
static void gemm(float *d, ptrdiff_t d_stride, const float *const *a, ptrdiff_t a_stride,
                 int segs, int rows, const float *b, int k, int panels, const float *init,
                 int relu, int block)
{
    if (segs > 1)
        block = k;
    if (rows < 4 || (segs == 1 && block % 4)) {
        lpips_gemm_avx2(d, d_stride, a, a_stride, segs, rows, b, k, panels, init, relu,
                        block);
        return;
    }
    for (int q = 0; q < panels; q++)
        gemm_panel(d + q * LPIPS_PANEL, d_stride, a, a_stride, segs, rows,
                   b + (ptrdiff_t)q * segs * k * LPIPS_PANEL, k, init + q * LPIPS_PANEL, relu,
                   block);
}

void lpips_kernels_init_avx512(lpips_kernels *k)
{
    init_template(k);
    k->gemm = gemm;
    k->name = "avx512";
}
