/*
 * ranker.h - the small network G of the paper's appendix B, which turns two distances into
 * the probability that people prefer p1, and the loss between that and what they said.
 *
 *     x = (d0, d1, d0 - d1, d0 / (d1 + eps), d1 / (d0 + eps)), eps = 0.1
 *     z = W3 f(W2 f(W1 x + b1) + b2) + b3,  f = leaky ReLU of 0.2, 32 channels
 *     p = sigmoid(z),  loss = -judge log p - (1 - judge) log(1 - p)
 */
#ifndef TRAIN_RANKER_H
#define TRAIN_RANKER_H

#include <stddef.h>
#include <stdint.h>

enum {
    TRAIN_RANKER_IN = 5,
    TRAIN_RANKER_MID = 32,
    TRAIN_RANKER_TENSORS = 6,
    TRAIN_RANKER_FLOATS = TRAIN_RANKER_MID * (TRAIN_RANKER_IN + 1) +
                          TRAIN_RANKER_MID * (TRAIN_RANKER_MID + 1) + TRAIN_RANKER_MID + 1
};

typedef struct train_ranker {
    float value[TRAIN_RANKER_FLOATS]; /* weight and bias of each layer, rows of outputs */
    float gradient[TRAIN_RANKER_FLOATS];
    double sum[TRAIN_RANKER_FLOATS]; /* of the gradient, until train_ranker_finish() */
} train_ranker;

/* A tensor: where it lies in `value`, and its name in files. */
typedef struct train_ranker_tensor {
    const char *name;
    int rows, columns; /* columns 0: a bias */
    size_t at;
} train_ranker_tensor;

extern const train_ranker_tensor train_ranker_tensors[TRAIN_RANKER_TENSORS];

/* All numbers of a layer uniform in +-1 / sqrt(its inputs), as PyTorch begins. */
void train_ranker_start(train_ranker *r, uint64_t seed);

/* The loss of one trial.  pull: share times its derivatives by d0 and d1, and share times
 * those by G's own numbers are added to the sums; NULL: the loss only. */
double train_ranker_loss(train_ranker *r, double d0, double d1, double judge, double share,
                         double pull[2]);

/* From the sums to the gradient; the sums begin anew. */
void train_ranker_finish(train_ranker *r);

#endif
