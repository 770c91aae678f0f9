/*
 * transform.h - Fourier transforms of planes by FFTW, safe among threads.
 *
 * Plans are estimated, never measured, so that they and every bit are the same each time.
 */
#ifndef LEARN_TRANSFORM_H
#define LEARN_TRANSFORM_H

#include <fftw3.h>
#include <pthread.h>

#include "learn.h"

/* Height rows of width samples, and the waves of their left half, height rows of width / 2 +
 * 1 (fftw_plan_dft_r2c_2d()). Neither way is divided by anything. */
typedef struct learn_transform {
    int width, height;
    double *samples;
    fftw_complex *waves;
    fftw_plan forth, back; /* fftw_execute() both; back spoils the waves */
} learn_transform;

int learn_transform_make(learn_transform *t, int width, int height, char why[LEARN_WHY]);

/* Also of one that could not be made, or of zeros. */
void learn_transform_free(learn_transform *t);

/* FFTW's planner serves one thread at a time in the whole program: who makes or destroys a
 * plan holds this. */
pthread_mutex_t *learn_planner(void);

#endif
