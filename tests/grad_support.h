/*
 * grad_support.h - pictures and gradients as planes of floats.
 */
#ifndef LPIPS_TESTS_GRAD_SUPPORT_H
#define LPIPS_TESTS_GRAD_SUPPORT_H

#include "support.h"

/* Three planes of floats; a picture, or a gradient by one. */
typedef struct floats {
    int width, height;
    size_t n; /* samples of a plane */
    float *v;
} floats;

/* Filled with NaN: unwritten places show. */
floats floats_make(int width, int height);
void floats_free(floats *f);

/* The picture NAME of pictures.h with some noise: no two samples are equal, so that no
 * maximum is shared. */
floats floats_picture(const char *name, int width, int height, uint32_t seed);

lpips_image floats_image(const floats *f);
lpips_planes floats_planes(const floats *f);

/* |v|, at most; fails unless all are finite. */
double floats_largest(const floats *f);

/* Fails unless they are equal, bit for bit. */
void floats_same(const floats *a, const floats *b, const char *what);

/* lpips_gradient() by a, in a context of its own; adds LPIPS_WANT_GRADIENT. */
lpips_result floats_gradient(lpips_weights *w, const lpips_options *options,
                             const lpips_image *a, const lpips_image *b, const floats *g);

#endif
