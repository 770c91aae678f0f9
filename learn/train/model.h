/*
 * model.h - what is trained: a net's tensors and the ranker's, each with its gradient and
 * Adam's moments.
 */
#ifndef TRAIN_MODEL_H
#define TRAIN_MODEL_H

#include <stdbool.h>

#include <lpips.h>

#include "../core/train.h"
#include "learn.h"
#include "ranker.h"

enum { TRAIN_TENSORS_MAX = 128 };

typedef struct train_tensor {
    char name[64]; /* as in files */
    int shape[4], dims;
    size_t n;
    float *value;
    float *gradient; /* NULL: not trained, and no moments */
    float *m, *v;    /* Adam's */
    bool lin;        /* kept from falling below 0 */
} train_tensor;

typedef struct train_model {
    lpips_net net;
    char version[8];
    bool whole; /* the convolutions too */
    lpips_train *core;
    train_ranker ranker;
    int n, of_net; /* tensors; the net's come first, as in lpips_net_tensor() */
    train_tensor tensor[TRAIN_TENSORS_MAX];
    float *moments;
} train_model;

/* For patches of size x size; w is copied and must not have been used by a context. */
int train_model_open(train_model *m, const lpips_weights *w, int size, int threads,
                     bool whole, uint64_t seed, char why[LEARN_WHY]);
void train_model_close(train_model *m);

/* Every lin weight the same. */
void train_model_equal_lin(train_model *m, float value);

/* Step number `step`, from 1, of Adam with beta1 0.5 as in the paper; then lin weights below
 * 0 become 0. */
void train_model_step(train_model *m, int64_t step, double rate);

/* After `value`s of the net were written by others. */
void train_model_changed(train_model *m);

#endif
