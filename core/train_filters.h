/*
 * train_filters.h - the derivatives of a loss by the filters and biases of all convolutions.
 */
#ifndef LPIPS_TRAIN_FILTERS_H
#define LPIPS_TRAIN_FILTERS_H

#include "grad.h"

typedef struct lpips_filters lpips_filters;

/* For as many pictures as the context holds; NULL: memory. */
lpips_filters *lpips_filters_make(lpips_context *c);
void lpips_filters_free(lpips_filters *f);

/* Keeps b's z of a layer with a convolution, for b's picture. */
void lpips_filters_keep(lpips_filters *f, int layer, const lpips_back *b);

/* Adds the sums over the first `pictures` of them to the gradients, which are in the order of
 * lpips_net_tensors(). */
void lpips_filters_add(lpips_filters *f, int pictures, float *const *gradient);

#endif
