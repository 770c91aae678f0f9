/*
 * pictures.h - test pictures by formula, so that the repository holds numbers only.
 *
 * A picture is named BASE.SEED or BASE.SEED+CHANGE.ARG and is the same, byte for byte,
 * in golden/pictures.py.  All arithmetic is on integers; hash() is mix() of pictures.c.
 *
 *     black.0, white.0
 *     noise.S    independent samples
 *     scene.S    slow waves of two periods, inverted blocks with hard edges, flat blocks,
 *                a little grain: something of all that real pictures hold
 *
 *     +step.N    every N-th sample up by one (down where it is 255)
 *     +grain.N   each sample changed by -N .. N
 *     +shift.N   moved right by N pixels
 *     +blur.N    N times a 3x3 box
 *     +coarse.N  N grey levels at a time made one
 */
#ifndef LPIPS_TESTS_PICTURES_H
#define LPIPS_TESTS_PICTURES_H

#include <stdint.h>

/* Packed RGB, 3 * width bytes a row; malloc()ed.  Aborts on an unknown name. */
uint8_t *picture_make(const char *name, int width, int height);

/* A hash of 32 bits, for tests that need reproducible noise of their own. */
uint32_t picture_hash(uint32_t x);

#endif
