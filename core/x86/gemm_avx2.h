/*
 * gemm_avx2.h - the product of AVX2, which AVX-512 uses for fewer than four rows: both add in
 * the same order and give the same bits.
 */
#ifndef LPIPS_GEMM_AVX2_H
#define LPIPS_GEMM_AVX2_H

#include "../kernels.h"

void lpips_gemm_avx2(float *d, ptrdiff_t d_stride, const float *const *a, ptrdiff_t a_stride,
                     int segs, int rows, const float *b, int k, int panels, const float *init,
                     int relu, int block);

#endif
