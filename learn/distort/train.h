/*
 * train.h - a folder of networks out of a folder of pictures and clips.
 */
#ifndef DISTORT_TRAIN_H
#define DISTORT_TRAIN_H

#include <signal.h>

#include "cnn.h"

typedef struct distort_train {
    const char *in, *out;
    int count, steps, patches;
    uint64_t seed;
    int workers;
    bool quiet;
    const volatile sig_atomic_t *stop; /* not 0: the work is to end */
} distort_train;

/* 0: all networks are there; those that were, made in the same way, are not made again. 1:
 * stopped, what was finished stays. -1 and why. */
int distort_train_run(const distort_train *t, char why[LEARN_WHY]);

#endif
