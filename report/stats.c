/*
 * stats.c - intervals and tests over clips.
 *
 * Clips are what is drawn at random; frames of one clip are alike and count once, as
 * their mean.
 */
#include "stats.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lpips.h>

/* Sizes beyond are rounded by so little that fewer resamples do. */
enum { MANY_VALUES = 1000, RESAMPLES = 10000, RESAMPLES_OF_MANY = 2000 };
enum { EXACT_MOST = 100 };

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of values - from, compensated as by A. Neumaier (1974). */
static double sum_from(const double *values, size_t n, double from)
{
    double sum = 0, lost = 0;

    for (size_t i = 0; i < n; i++) {
        double value = values[i] - from, next = sum + value;

        lost += fabs(sum) >= fabs(value) ? sum - next + value : value - next + sum;
        sum = next;
    }
    return sum + lost;
}

/* The second pass takes away what dividing has rounded: equal values are their own mean. */
double report_mean(const double *values, size_t n)
{
    double mean = sum_from(values, n, 0) / (double)n;

    return mean + sum_from(values, n, mean) / (double)n;
}

/* ---- bootstrap ---------------------------------------------------------------- */

size_t report_resamples(size_t n)
{
    return n > MANY_VALUES ? RESAMPLES_OF_MANY : RESAMPLES;
}

/* G. L. Steele, D. Lea, C. H. Flood: SplitMix64 (OOPSLA 2014). */
static uint64_t random64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double normal_cdf(double x)
{
    return erfc(-x / sqrt(2)) / 2;
}

/* By halving: slow, exact to the last bits, called a few times for each interval. */
static double normal_quantile(double p)
{
    double low = -40, high = 40;

    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;

        if (normal_cdf(middle) < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

static void resample(const double *values, size_t n, double *means, size_t count)
{
    uint64_t state = 0x6c70697073; /* "lpips" */

    for (size_t b = 0; b < count; b++) {
        double sum = 0;

        for (size_t i = 0; i < n; i++)
            sum += values[((random64(&state) >> 32) * n) >> 32];
        means[b] = sum / (double)n;
    }
}

/* Where the limit stands in the sorted means: Efron's equation for alpha[1] and alpha[2]. */
static double corrected(double bias, double acceleration, double z)
{
    double shifted = bias + z;

    return normal_cdf(bias + shifted / (1 - acceleration * shifted));
}

int report_bootstrap(const double *values, size_t n, report_interval *out)
{
    size_t count = report_resamples(n), below = 0, equal = 0;
    double z = normal_quantile((1 - REPORT_LEVEL) / 2), second = 0, third = 0, largest = 0;
    double *means, bias, acceleration, share, rounding;

    *out = (report_interval){.n = n, .mean = report_mean(values, n), .low = NAN, .high = NAN};
    if (n < 2)
        return 0;
    for (size_t i = 0; i < n; i++) {
        double u = values[i] - out->mean;

        second += u * u;
        third += u * u * u;
        largest = fmax(largest, fabs(values[i]));
    }
    if (!(second > 0)) {
        out->low = out->high = out->mean;
        return 0;
    }
    means = malloc(count * sizeof *means);
    if (!means)
        return -1;
    resample(values, n, means, count);
    qsort(means, count, sizeof *means, rising);
    /* sums of n terms are equal that differ by no more than their rounding */
    rounding = (double)n * DBL_EPSILON * largest;
    for (size_t b = 0; b < count; b++) {
        below += means[b] < out->mean - rounding;
        equal += fabs(means[b] - out->mean) <= rounding;
    }
    share = ((double)below + (double)equal / 2) / (double)count;
    bias = share > 0 && share < 1 ? normal_quantile(share) : 0;
    acceleration = third / (6 * pow(second, 1.5));
    out->low = lpips_percentile(means, count, 100 * corrected(bias, acceleration, z));
    out->high = lpips_percentile(means, count, 100 * corrected(bias, acceleration, -z));
    free(means);
    return 0;
}

/* ---- Wilcoxon's signed-rank test ------------------------------------------------ */

static int by_size(const void *a, const void *b)
{
    double x = fabs(*(const double *)a), y = fabs(*(const double *)b);

    return (x > y) - (x < y);
}

/* Twice the rank of each of n differences sorted by size; ties share the mean of their
 * ranks, which twice is whole.  Returns the sum of t^3 - t over groups of t. */
static double doubled_ranks(const double *sorted, size_t n, size_t *rank)
{
    double ties = 0;

    for (size_t from = 0, to; from < n; from = to) {
        double t;

        for (to = from + 1; to < n && fabs(sorted[to]) == fabs(sorted[from]); to++)
            ;
        for (size_t i = from; i < to; i++)
            rank[i] = from + to + 1;
        t = (double)(to - from);
        ties += t * t * t - t;
    }
    return ties;
}

/* Probability that a sum of ranks with random signs is `limit` or less: by adding rank after
 * rank to the distribution of the sum. */
static int chance_up_to(const size_t *rank, size_t n, size_t limit, double *chance)
{
    size_t total = n * (n + 1);
    double *p = calloc(total + 1, sizeof *p);

    if (!p)
        return -1;
    p[0] = 1;
    for (size_t i = 0; i < n; i++)
        for (size_t s = total + 1; s-- > 0;)
            p[s] = (p[s] + (s >= rank[i] ? p[s - rank[i]] : 0)) / 2;
    *chance = 0;
    for (size_t s = 0; s <= limit; s++)
        *chance += p[s];
    free(p);
    return 0;
}

static int ranked_test(const double *sorted, size_t *rank, report_test *out)
{
    size_t n = out->n, positive = 0, total = n * (n + 1);
    double ties = doubled_ranks(sorted, n, rank), m = (double)n;

    for (size_t i = 0; i < n; i++)
        positive += sorted[i] > 0 ? rank[i] : 0;
    if (out->exact) {
        if (chance_up_to(rank, n, positive < total - positive ? positive : total - positive,
                         &out->p) < 0)
            return -1;
        out->p = fmin(1, 2 * out->p);
    } else {
        double variance = (m * (m + 1) * (2 * m + 1) - ties / 2) / 24;

        out->p = erfc(fabs((double)positive / 2 - m * (m + 1) / 4) / sqrt(2 * variance));
    }
    return 0;
}

int report_wilcoxon(const double *differences, size_t n, report_test *out)
{
    double *sorted = malloc((n ? n : 1) * sizeof *sorted);
    size_t *rank = malloc((n ? n : 1) * sizeof *rank);
    int status = -1;

    *out = (report_test){.p = 1, .p_holm = 1};
    if (!sorted || !rank)
        goto fail;
    for (size_t i = 0; i < n; i++) {
        if (differences[i] != 0)
            sorted[out->n++] = differences[i];
        out->above += differences[i] > 0;
    }
    qsort(sorted, out->n, sizeof *sorted, by_size);
    out->exact = out->n <= EXACT_MOST;
    status = out->n ? ranked_test(sorted, rank, out) : 0;
    out->p_holm = out->p;
fail:
    free(sorted);
    free(rank);
    return status;
}

static int by_p(const void *a, const void *b)
{
    const report_test *x = *(report_test *const *)a, *y = *(report_test *const *)b;

    return (x->p > y->p) - (x->p < y->p);
}

int report_holm(report_test *tests, size_t count, size_t stride)
{
    report_test **order = malloc((count ? count : 1) * sizeof *order);
    double largest = 0;

    if (!order)
        return -1;
    for (size_t i = 0; i < count; i++)
        order[i] = (report_test *)((char *)tests + i * stride);
    qsort(order, count, sizeof *order, by_p);
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fmin(1, (double)(count - i) * order[i]->p));
        order[i]->p_holm = largest;
    }
    free(order);
    return 0;
}
