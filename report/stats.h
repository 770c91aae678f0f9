/*
 * stats.h - numbers over clips: intervals, paired tests, BD-rate.  Pure functions; nothing
 * here knows the store.
 *
 * Functions return 0, or -1 where memory is short.
 */
#ifndef REPORT_STATS_H
#define REPORT_STATS_H

#include <stdbool.h>
#include <stddef.h>

#define REPORT_LEVEL 0.95 /* of intervals */
#define REPORT_ALPHA 0.05 /* of tests */

typedef struct report_interval {
    size_t n;
    double mean;
    double low, high; /* NAN for fewer than two values */
} report_interval;

/* The order of summation is that of the values; rounding is made up for. NAN of none. */
double report_mean(const double *values, size_t n);

/* How many resamples report_bootstrap() draws for n values. */
size_t report_resamples(size_t n);

/*
 * Mean of n values and its bias-corrected and accelerated (BCa) bootstrap interval: B. Efron,
 * "Better bootstrap confidence intervals", JASA 82 (1987); acceleration by the jackknife,
 * percentiles linear between ranks.  The random numbers begin anew with each call, so that
 * an interval depends on its values alone, and equally many values are resampled alike.
 */
int report_bootstrap(const double *values, size_t n, report_interval *out);

/* The same of the mean of the means of several groups, each of which is resampled by itself.
 * No limits where a group has fewer than two values. */
int report_bootstrap_means(const double *const *values, const size_t *n, size_t groups,
                           report_interval *out);

/* What follows from a sample in which item i of all groups stands times[i] times; NAN where
 * nothing does. */
typedef double report_statistic(void *what, const double *times);

/* The same of any statistic, `mean` being that of the sample itself: it is called once for
 * each item and each resample.  Resamples without a value are left out; there are no
 * limits where they are the most. */
int report_bootstrap_of(report_statistic *of, void *what, const size_t *n, size_t groups,
                        report_interval *out);

typedef struct report_test {
    size_t n;     /* differences other than 0 */
    size_t above; /* of these, those above 0 */
    bool exact;
    double p;      /* two-sided */
    double p_holm; /* filled by report_holm() */
} report_test;

/*
 * Wilcoxon's signed-rank test of paired differences: F. Wilcoxon, Biometrics Bulletin 1
 * (1945).  Differences of 0 are left out, equal ones share their ranks.  Up to 100
 * differences every assignment of signs is counted, ties included; beyond, the normal
 * approximation with the variance corrected for ties, without continuity correction.
 */
int report_wilcoxon(const double *differences, size_t n, report_test *out);

/* Corrects the p of `count` tests, `stride` bytes apart, for being so many: S. Holm,
 * Scandinavian Journal of Statistics 6 (1979). */
int report_holm(report_test *tests, size_t count, size_t stride);

/* ---- Bjontegaard's delta rate (bd.c) ---------------------------------------- */

typedef struct report_curve {
    const double *rate, *value;
    size_t n; /* in any order */
} report_curve;

enum report_scale {
    REPORT_HIGHER,   /* value as it is: PSNR, SSIM */
    REPORT_LOWER,    /* -value: LPIPS */
    REPORT_LOWER_LOG /* -log value */
};

#define REPORT_BD_POINTS 4

typedef struct report_bd {
    bool scored;
    double percent; /* rate of the test over rate of the anchor at equal quality, - 100 % */
    double overlap; /* part of the quality that both reach in what either does, 0..1 */
    char why[160];  /* not scored: the reason */
} report_bd;

/*
 * log10 of the rate as a function of quality, interpolated by PCHIP (F. N. Fritsch and
 * J. Butland, SIAM J. Sci. Stat. Comput. 5 (1984); end slopes after C. Moler's pchiptx), its
 * mean over the qualities both curves reach, test minus anchor.  The same as
 * scipy.interpolate.PchipInterpolator and bd_rate(..., method="pchip") of PyPI's bjontegaard.
 *
 * Not scored: fewer than 4 points, rates that are not positive or not distinct, quality that
 * does not rise with rate all along (PCHIP would turn the fault into a number), curves
 * that have no quality in common.
 */
int report_bd_rate(const report_curve *anchor, const report_curve *test,
                   enum report_scale scale, report_bd *out);

/* The same interpolation for its own sake (tests): n >= 2 rising x; the value at `at`. */
int report_pchip(const double *x, const double *y, size_t n, double at, double *value);

#endif
