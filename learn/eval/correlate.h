/*
 * correlate.h - how well distances follow opinion scores: correlations of ranks, and the
 * curve between the two.
 */
#ifndef LEARN_CORRELATE_H
#define LEARN_CORRELATE_H

#include <stdbool.h>
#include <stddef.h>

/* Distances and scores of n pairs, and their orders. */
typedef struct learn_scatter {
    size_t n;
    const double *x, *y; /* the caller's */
    size_t *by_x, *by_y; /* rising; of equal x by y */
    size_t *place;       /* of each y among the different ones, from 0 */
    double *ranks[2], *tree;
} learn_scatter;

/* -1 where memory is short; learn_scatter_free() in any case. */
int learn_scatter_make(learn_scatter *s, const double *x, const double *y, size_t n);
void learn_scatter_free(learn_scatter *s);

/*
 * In all of these pair i stands times[i] times in the sample, whole numbers; NULL: once each.
 * NAN where x or y are all equal, or fewer than two.
 */

/* Pearson's correlation of a with b, over n. */
double learn_pearson(const double *a, const double *b, const double *times, size_t n);

/* Spearman's: Pearson's of the ranks, equal values sharing the mean of theirs. */
double learn_spearman(const learn_scatter *s, const double *times);

/* Kendall's tau-b: (C - D) / sqrt((all - equal in x) (all - equal in y)), M. Kendall (1945).
 */
double learn_kendall(const learn_scatter *s, const double *times);

/* ---- fit.c ------------------------------------------------------------------------------
 */

/*
 * The logistic of H. R. Sheikh, M. F. Sabir and A. C. Bovik (IEEE TIP 15, 2006, the LIVE
 * study), by which scores are predicted from distances before they are correlated:
 *
 *     q(x) = b[0] (1/2 - 1 / (1 + exp(b[1] (x - b[2])))) + b[3] x + b[4]
 *
 * With b[3] = 0 it is the one of four parameters of VQEG's final report II (2003), which
 * rises or falls all along.
 */
typedef struct learn_curve {
    int parameters; /* 4 or 5 */
    bool fitted;    /* else: too few pairs, or all of one distance or score */
    double b[5];
} learn_curve;

/* Least squares by Levenberg and Marquardt (GSL), the best from several starts.  -1 where
 * memory is short. */
int learn_fit(learn_curve *c, int parameters, const double *x, const double *y, size_t n);

double learn_curve_at(const learn_curve *c, double x);

#endif
