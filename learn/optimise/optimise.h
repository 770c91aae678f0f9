/*
 * optimise.h - one picture turned into another by the gradient of their distance.
 */
#ifndef LEARN_OPTIMISE_H
#define LEARN_OPTIMISE_H

#include "learn.h"

#include <lpips.h>

#include <stdbool.h>

typedef struct learn_optimise_options {
    const char *start, *target, *folder;
    const char *version, *model; /* NULL: 0.1; those that --net finds */
    lpips_net net;
    unsigned flags; /* LPIPS_NO_LIN, LPIPS_RANGE_0_1 */
    int steps, every, threads;
    double rate;
    bool quiet;
} learn_optimise_options;

/* A run: the picture as it is, and what it is held against. */
typedef struct learn_optimise_run {
    const learn_optimise_options *o;
    int width, height;
    float *x, *target; /* packed RGB, 0..1 */
    float *g;          /* the gradient by x */
    lpips_result *log; /* of steps 0 ... */
    int logged;
    char described[160]; /* net, weights */
} learn_optimise_run;

/* run.c: all of it; -1 and why. */
int learn_optimise_do(const learn_optimise_options *o, char why[LEARN_WHY]);

/* files.c: the folder, made anew or empty; the picture as it is, as NAME in the folder; the
 * distances so far and what they are of. */
int learn_optimise_folder(const char *folder, char why[LEARN_WHY]);
int learn_optimise_picture(const learn_optimise_run *r, const char *name,
                           char why[LEARN_WHY]);
int learn_optimise_log(const learn_optimise_run *r, char why[LEARN_WHY]);

#endif
