/*
 * cpu.c - what this machine can run of what was built.
 */
#include "kernels.h"

unsigned lpips_cpu(void)
{
    unsigned f = 0;

#ifndef LPIPS_NO_BLAS
    f |= LPIPS_CPU_BLAS;
#endif
#ifdef LPIPS_HAVE_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        f |= LPIPS_CPU_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
        f |= LPIPS_CPU_AVX512;
#endif
    return f;
}

unsigned lpips_cpu_features(void)
{
    unsigned f = lpips_cpu();

#ifndef LPIPS_NO_BLAS
    if (!lpips_blas_find())
        f &= ~(unsigned)LPIPS_CPU_BLAS;
#endif
    return f;
}
