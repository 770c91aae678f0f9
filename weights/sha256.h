/*
 * sha256.h - SHA-256 (FIPS 180-4), for naming weights.
 */
#ifndef LPIPS_SHA256_H
#define LPIPS_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct lpips_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
} lpips_sha256;

void lpips_sha256_init(lpips_sha256 *s);
void lpips_sha256_add(lpips_sha256 *s, const void *bytes, size_t n);

/* Ends the sum and writes 64 hexadecimal digits and a NUL. */
void lpips_sha256_hex(lpips_sha256 *s, char hex[65]);

#endif
