/*
 * grad.h - the backward pass: from the distances of a pair to the samples of one picture.
 *
 * The forward pass is lpips_run() on a plan that keeps everything (LPIPS_WANT_GRADIENT).
 * Then, layer by layer from the last to the first,
 *
 *     lpips_back_start(&b, c, picture, pulls, n);
 *     for (i = c->plan.layers - 1; i > 0; i--) {
 *         lpips_back_features(&b, i);    z: dL / d(what goes into the layer's ReLU)
 *         lpips_back_input(&b, i);       d: dL / d(features of the layer before)
 *     }
 *     lpips_back_samples(&b, image, out);
 *
 * L is a sum of distances of the picture to others, each times a weight: one pair for
 * lpips_gradient(); for a loss that is trained, every pair that the picture is in, with the
 * loss's derivative by that distance.  Training reads between the two steps what it needs
 * for the parameters: with x the layer's input, kept in its tensor, and z,
 *     dL / d bias[o]         = sum over pixels of z[o]
 *     dL / d weight[o][i][k] = sum over pixels of z[o] times x[i], shifted by k,
 * and from a tap's features dL / d lin[c] = weight * mean of (a[c] / |a| - b[c] / |b|)^2.
 *
 * Every value is the result of the same operations in the same order whatever the threads.
 */
#ifndef LPIPS_GRAD_H
#define LPIPS_GRAD_H

#include "context.h"

/* One distance in L: of the picture to picture `other`, being pair number `pair`. */
typedef struct lpips_pull {
    int other, pair;
    double weight;
    const uint64_t *keep; /* dropout: see lpips_kept(); NULL: all is kept */
} lpips_pull;

/*
 * Dropout on the inputs of lin, the squared differences: a bit for each of a pair, tap by
 * tap, row by row, pixel by pixel, channel 0 lowest; where it is 0 the lin weight counts as
 * 0, else twice.  Words of 64 before those of row y of a layer's tap; of the first tap that
 * is not there, all.
 */
size_t lpips_kept(const lpips_plan *p, int tap, int y);

/* Values of pixel (y, x) at `at` + y * row + x * c. */
typedef struct lpips_view {
    float *at;
    ptrdiff_t row;
    int c;
} lpips_view;

typedef struct lpips_back {
    lpips_context *c;
    lpips_pool *pool; /* who does the work; NULL: the caller alone */
    float *buffer[2];
    int picture, pulls;
    const lpips_pull *pull;
    lpips_view d, z; /* d.at is NULL before the first layer */
    int used;        /* which of the two buffers holds the newest */
} lpips_back;

/* Bytes of one of the plan's two buffers. */
double lpips_back_bytes(const lpips_plan *p);

/* By the context's threads, in its buffers.  Pull's array must outlive b. */
void lpips_back_start(lpips_back *b, lpips_context *c, int picture, const lpips_pull *pull,
                      int pulls);

/* The same by the caller alone, in two buffers of its own, of lpips_back_bytes() each. */
void lpips_back_start_alone(lpips_back *b, lpips_context *c, int picture,
                            const lpips_pull *pull, int pulls, float *const buffer[2]);

/* Adds what the layer's tap has to say and passes its ReLU; pools have neither: nothing to
 * do. */
void lpips_back_features(lpips_back *b, int layer);

/* Passes the layer's convolution, and its pool. */
void lpips_back_input(lpips_back *b, int layer);

/* From the loaded picture to its samples, in their own unit. */
void lpips_back_samples(const lpips_back *b, const lpips_image *img, const lpips_planes *out);

/* Multiplications and additions of lpips_back_input(). */
double lpips_back_flop(const lpips_plan *p, int layer);

/* The window of a layer's convolution, counted in blocks of fold x fold pixels of its input:
 * only the first layer has fold > 1, its stride. */
typedef struct lpips_window {
    int kernel, fold, pad;
    int channels; /* of a block, a multiple of 16 */
} lpips_window;

lpips_window lpips_back_window(const lpips_plan *p, int layer);

#endif
