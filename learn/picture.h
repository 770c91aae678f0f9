/*
 * picture.h - 8-bit RGB pictures as the parts of lpips-learn hand them to each other.
 */
#ifndef LEARN_PICTURE_H
#define LEARN_PICTURE_H

#include <stddef.h>
#include <stdint.h>

/* A view: pixels are R, G, B of one byte each, sRGB, first row on top; a row begins stride
 * bytes after the one before (negative: upside down).  The pixels are the caller's. */
typedef struct learn_picture {
    const uint8_t *rgb;
    int width, height;
    ptrdiff_t stride;
} learn_picture;

#endif
