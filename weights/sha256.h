/*
 * sha256.h - SHA-256 (FIPS 180-4), for naming weights.
 */
#ifndef LPIPS_SHA256_H
#define LPIPS_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* Works whole blocks of 64 bytes into the state. */
typedef void lpips_sha256_blocks(uint32_t state[8], const unsigned char *p, size_t blocks);

typedef struct lpips_sha256 {
    lpips_sha256_blocks *blocks;
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
} lpips_sha256;

/* Of every round; FIPS 180-4, section 4.2.2. */
extern const uint32_t lpips_sha256_constants[64];

/* blocks: what works faster on this machine, or NULL: plain C. */
void lpips_sha256_init(lpips_sha256 *s, lpips_sha256_blocks *blocks);
void lpips_sha256_add(lpips_sha256 *s, const void *bytes, size_t n);

/* Ends the sum and writes 64 hexadecimal digits and a NUL. */
void lpips_sha256_hex(lpips_sha256 *s, char hex[65]);

#endif
