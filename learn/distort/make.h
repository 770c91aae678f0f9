/*
 * make.h - a folder of trials out of a folder of pictures and clips.
 */
#ifndef DISTORT_MAKE_H
#define DISTORT_MAKE_H

#include <signal.h>

#include "trial.h"

typedef struct distort_make {
    const char *in, *out, *judge, *networks; /* judge, networks: NULL without */
    distort_plan plan;                       /* its out, kinds and judge are set here */
    double held_out; /* the part of the sources whose trials are for val */
    int workers;
    bool quiet;
    const volatile sig_atomic_t *stop; /* not 0: the work is to end */
} distort_make;

/* 0: the folder is there and whole. 1: stopped. -1 and why. In the latter two cases nothing
 * is left behind. */
int distort_make_run(distort_make *m, char why[LEARN_WHY]);

#endif
