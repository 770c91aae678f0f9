/*
 * sha256_fast.h - SHA-256 by the instructions that a machine has for it: every program that
 * loads weights hashes them first.
 */
#ifndef LPIPS_SHA256_FAST_H
#define LPIPS_SHA256_FAST_H

#include "../weights/sha256.h"

/* NULL: this machine has none. */
#ifdef LPIPS_HAVE_X86
lpips_sha256_blocks *lpips_sha256_fast(void);
#else
static inline lpips_sha256_blocks *lpips_sha256_fast(void)
{
    return NULL;
}
#endif

#endif
