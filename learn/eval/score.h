/*
 * score.h - how well distances agree with people; the paper's sections 2.2 and 4, and the
 * official code's score_2afc_dataset and score_jnd_dataset.
 */
#ifndef LEARN_SCORE_H
#define LEARN_SCORE_H

#include <stddef.h>

/* A trial's agreement: the fraction of people who chose the picture of the smaller distance.
 * p: the fraction that preferred p1; a tie counts 0.5. */
double learn_score_2afc(double p, double d0, double d1);

/* What one more person would agree with those asked: p^2 + (1 - p)^2. */
double learn_score_human(double p);

/* ---- JND --------------------------------------------------------------------------- */

/* Trials by rising distance; equal distances keep their order, as in the official code where
 * n is small (its sort is not stable: with ties its score depends on numpy). */
typedef struct learn_jnd {
    size_t n;
    const double *same; /* the fraction of people who saw no difference, by trial */
    size_t *order;
    double *precision; /* room for n */
} learn_jnd;

/* -1 where memory is short; learn_jnd_free() in any case. */
int learn_jnd_make(learn_jnd *j, const double *distances, const double *same, size_t n);
void learn_jnd_free(learn_jnd *j);

/*
 * Average precision: TP and FP are sums of `same` and 1 - `same` over the trials so far, the
 * precision at each is the largest from there on, and is averaged over recall (the area
 * under the envelope, PASCAL VOC 2010).  times: trial i stands times[i] times in the sample,
 * whole numbers of the sum n at most; NULL: once each.  NAN where nobody saw the same.
 */
double learn_jnd_score(const learn_jnd *j, const double *times);

#endif
