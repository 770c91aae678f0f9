/*
 * train.h - what training does with a net and lpips.h does not offer: distances of trials
 * with dropout, their derivatives by every tensor, and tensors that change.
 *
 * For learn/train/ and nothing else.  Weights of the public interface are immutable; an
 * lpips_train works on a copy of its own.
 *
 *     lpips_train_forward(t, pictures, n, keep, d);
 *     lpips_train_backward(t, pull);                     adds to the gradients
 *     lpips_train_tensor(t, i)[k] -= ... lpips_train_gradient(t, i)[k] ...
 *     lpips_train_changed(t);
 *
 * Every number is the result of the same operations in the same order whatever the threads.
 */
#ifndef LPIPS_TRAIN_H
#define LPIPS_TRAIN_H

#include "lpips.h"

typedef struct lpips_train lpips_train;

/*
 * For trials of three pictures of width x height, 8-bit or any other format.  whole: the
 * convolutions are trained too, not the lin layers alone.  w must not have been given to a
 * context (model.h); it is copied.  LPIPS_OK, or what lpips_context_create() returns.
 */
int lpips_train_create(lpips_train **out, const lpips_weights *w, int width, int height,
                       int threads, int whole);
void lpips_train_free(lpips_train *t);

/* The most trials of one call; a matter of net, size and `whole` alone. */
int lpips_train_trials(const lpips_train *t);

/* Tensor i of lpips_net_tensor() and the derivative by it; NULL where it is not trained. */
float *lpips_train_tensor(lpips_train *t, int i);
float *lpips_train_gradient(lpips_train *t, int i);

/* To be called when tensors of convolutions were written. */
void lpips_train_changed(lpips_train *t);

/* Sets all gradients to 0. */
void lpips_train_clear(lpips_train *t);

/* Words of 64 bits of dropout for one pair: lpips_kept() in grad.h. */
size_t lpips_train_words(const lpips_train *t);

/*
 * pictures[3 i] is the reference of trial i, + 1 and + 2 are p0 and p1; d[2 i] and d[2 i + 1]
 * are their distances to it.  keep: words for pair 2 i, 2 i + 1, or NULL: no dropout.  Both
 * must stay until lpips_train_backward().
 */
int lpips_train_forward(lpips_train *t, const lpips_image *pictures, int n,
                        const uint64_t *keep, double *d);

/* pull[j]: the derivative of the loss by d[j] of the last forward pass; adds the loss's
 * derivatives by all that is trained to the gradients. */
void lpips_train_backward(lpips_train *t, const double *pull);

#endif
