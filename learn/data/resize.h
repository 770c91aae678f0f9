/*
 * resize.h - Pillow's antialiased bilinear, bit for bit.
 *
 * The official loader of BAPPS reduces its 256x256 patches to 64x64 with it; scores depend on
 * its very rounding.  The order of passes is that of Pillow up to 12.1: rows, then columns.
 * Newer ones turn it round where the height is reduced more than the width (12.2: of pictures
 * very tall only), which changes some samples by one; BAPPS is square.
 */
#ifndef LEARN_RESIZE_H
#define LEARN_RESIZE_H

#include "learn.h"
#include "picture.h"

/* Image.resize((width, height), Image.BILINEAR) of an RGB picture: packed, 3 * width bytes a
 * row, to be freed by the caller; NULL and why: sizes below 1 or too large, memory. */
uint8_t *learn_resize(const learn_picture *from, int width, int height, char why[LEARN_WHY]);

#endif
