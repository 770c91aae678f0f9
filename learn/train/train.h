/*
 * train.h - one training: what is asked for, how far it is, its files.
 */
#ifndef TRAIN_TRAIN_H
#define TRAIN_TRAIN_H

#include <signal.h>

#include "data.h"
#include "model.h"

typedef enum train_mode { TRAIN_LIN, TRAIN_TUNE, TRAIN_SCRATCH } train_mode;

/* As the user typed them, and the paper's figures where not. */
typedef struct train_options {
    train_mode mode;
    int net;          /* lpips_net */
    const char *from; /* a file of weights to begin with, or NULL: the mode's own */
    bool keep_lin;    /* begin with its lin weights; else all are equal */
    char **folders, **held_out;
    size_t n_folders, n_held_out;
    const char *out; /* the folder of the files below */
    bool resume, quiet;
    int batch, epochs, decay; /* trials a step; epochs at the full rate, and falling */
    double rate;
    bool dropout;
    int size, threads, every; /* patches; a checkpoint every so many steps */
    uint64_t seed;
    const volatile sig_atomic_t *stop;
} train_options;

typedef struct train_run {
    const train_options *o;
    train_data data, held_out;
    train_model model;
    int64_t step;             /* done */
    int64_t per_epoch, steps; /* of an epoch; of all */
    float *loss;              /* of each step done */
    float *score;             /* on what is held out, at the start and after each epoch */
    int64_t ordered;          /* the epoch that `order` is for, or -1 */
    size_t *order;            /* trials as this epoch takes them */
    struct train_batch *batch;
} train_run;

/* Trains to the end, or until *stop: then 1.  -1 and why. */
int train(const train_options *o, char why[LEARN_WHY]);

const char *train_mode_name(train_mode mode);

/* The rate in an epoch, from 0: full for the first `epochs` and one more, then in equal steps
 * towards 0, which would be the epoch after the last; as in the official code. */
double train_rate(const train_options *o, int64_t epoch);

/* Epochs done. */
int64_t train_epoch(const train_run *r);

/* ---- step.c ------------------------------------------------------------------------------
 */

typedef struct train_batch train_batch;

/* For trials of the size of the run's data; NULL: memory. */
train_batch *train_batch_make(const train_run *r);
void train_batch_free(train_batch *b);

/* One step: the loss and all derivatives of a batch, and Adam.  *loss: the batch's mean. */
int train_step(train_run *r, const size_t *trials, size_t n, double *loss,
               char why[LEARN_WHY]);

/* The mean agreement with the judgements held out, without dropout. */
int train_measure(train_run *r, double *score, char why[LEARN_WHY]);

/* ---- state.c -----------------------------------------------------------------------------
 */

/*
 * weights.safetensors: what `lpips --model` and every loader of such files reads.
 * state.safetensors: the same and all else that going on needs; a run is resumed from it
 * alone, so that it does not matter in which of the two a process dies.  log.csv, curves.svg:
 * for people.
 */
int train_save(const train_run *r, char why[LEARN_WHY]);

/* Fails where the state is of another training than the options ask for. */
int train_load(train_run *r, char why[LEARN_WHY]);

/* Whether there is a state in the folder. */
bool train_begun(const train_options *o);

/* ---- curves.c ----------------------------------------------------------------------------
 */

int train_write_log(const train_run *r, char why[LEARN_WHY]);
int train_write_curves(const train_run *r, char why[LEARN_WHY]);

#endif
