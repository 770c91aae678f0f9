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

/* Where the limit stands in the sorted means: Efron's equation for alpha[1] and alpha[2]. */
static double corrected(double bias, double acceleration, double z)
{
    double shifted = bias + z;

    return normal_cdf(bias + shifted / (1 - acceleration * shifted));
}

/* Sorts what was resampled.  rounding: values are equal that differ by no more. */
static void limits(report_interval *out, double *resampled, size_t count, double rounding,
                   double acceleration)
{
    double z = normal_quantile((1 - REPORT_LEVEL) / 2), share, bias;
    size_t below = 0, equal = 0;

    qsort(resampled, count, sizeof *resampled, rising);
    for (size_t b = 0; b < count; b++) {
        below += resampled[b] < out->mean - rounding;
        equal += fabs(resampled[b] - out->mean) <= rounding;
    }
    share = ((double)below + (double)equal / 2) / (double)count;
    bias = share > 0 && share < 1 ? normal_quantile(share) : 0;
    out->low = lpips_percentile(resampled, count, 100 * corrected(bias, acceleration, z));
    out->high = lpips_percentile(resampled, count, 100 * corrected(bias, acceleration, -z));
}

static size_t total_of(const size_t *n, size_t groups)
{
    size_t total = 0;

    for (size_t g = 0; g < groups; g++)
        total += n[g];
    return total;
}

static size_t draw(uint64_t *state, size_t n)
{
    return (size_t)(((random64(state) >> 32) * n) >> 32);
}

/* Each bootstrap begins anew: "lpips". */
static const uint64_t bootstrap_seed = 0x6c70697073;

static void resample_means(const double *const *values, const size_t *n, size_t groups,
                           double *means, size_t count)
{
    uint64_t state = bootstrap_seed;

    for (size_t b = 0; b < count; b++) {
        double mean = 0;

        for (size_t g = 0; g < groups; g++) {
            double sum = 0;

            for (size_t i = 0; i < n[g]; i++)
                sum += values[g][draw(&state, n[g])];
            mean += sum / (double)n[g];
        }
        means[b] = mean / (double)groups;
    }
}

static double mean_of_means(const double *const *values, const size_t *n, size_t groups)
{
    double mean = 0;

    for (size_t g = 0; g < groups; g++)
        mean += report_mean(values[g], n[g]);
    return mean / (double)groups;
}

int report_bootstrap_means(const double *const *values, const size_t *n, size_t groups,
                           report_interval *out)
{
    size_t total = total_of(n, groups), count = report_resamples(total);
    double second = 0, third = 0, largest = 0, *means;

    *out = (report_interval){total, mean_of_means(values, n, groups), NAN, NAN};
    for (size_t g = 0; g < groups; g++)
        if (n[g] < 2)
            return 0;
    for (size_t g = 0; g < groups; g++) {
        double mean = report_mean(values[g], n[g]), weight = (double)n[0] / (double)n[g];

        for (size_t i = 0; i < n[g]; i++) {
            double u = (values[g][i] - mean) * weight;

            second += u * u;
            third += u * u * u;
            largest = fmax(largest, fabs(values[g][i]));
        }
    }
    if (!(second > 0)) {
        out->low = out->high = out->mean;
        return 0;
    }
    means = malloc(count * sizeof *means);
    if (!means)
        return -1;
    resample_means(values, n, groups, means, count);
    /* sums of n terms are equal that differ by no more than their rounding */
    limits(out, means, count, (double)total * DBL_EPSILON * largest,
           third / (6 * pow(second, 1.5)));
    free(means);
    return 0;
}

int report_bootstrap(const double *values, size_t n, report_interval *out)
{
    return report_bootstrap_means(&values, &n, 1, out);
}

/* By leaving out each in turn; 0 where one of them has no value. */
static double jackknifed(report_statistic *of, void *what, double *times, double *values,
                         size_t n)
{
    double second = 0, third = 0, mean;

    for (size_t i = 0; i < n; i++)
        times[i] = 1;
    for (size_t i = 0; i < n; i++) {
        times[i] = 0;
        values[i] = of(what, times);
        times[i] = 1;
    }
    mean = report_mean(values, n);
    for (size_t i = 0; i < n; i++) {
        double u = mean - values[i];

        second += u * u;
        third += u * u * u;
    }
    return second > 0 ? third / (6 * pow(second, 1.5)) : 0;
}

static size_t resample(report_statistic *of, void *what, const size_t *n, size_t groups,
                       double *times, double *values, size_t count)
{
    uint64_t state = bootstrap_seed;
    size_t kept = 0;

    for (size_t b = 0; b < count; b++) {
        double *group = times;

        memset(times, 0, total_of(n, groups) * sizeof *times);
        for (size_t g = 0; g < groups; group += n[g++])
            for (size_t i = 0; i < n[g]; i++)
                group[draw(&state, n[g])]++;
        values[kept] = of(what, times);
        kept += !isnan(values[kept]);
    }
    return kept;
}

int report_bootstrap_of(report_statistic *of, void *what, const size_t *n, size_t groups,
                        report_interval *out)
{
    size_t total = total_of(n, groups), count = report_resamples(total), kept;
    double *times = calloc(total + 1, sizeof *times), acceleration;
    double *values = malloc((count + total) * sizeof *values);
    int status = -1;

    *out = (report_interval){total, NAN, NAN, NAN};
    if (!times || !values)
        goto fail;
    status = 0;
    acceleration = jackknifed(of, what, times, values, total);
    out->mean = of(what, times);
    if (total < 2 || isnan(out->mean))
        goto fail;
    kept = resample(of, what, n, groups, times, values, count);
    if (2 * kept > count)
        limits(out, values, kept, 4 * DBL_EPSILON * fabs(out->mean), acceleration);
fail:
    free(times);
    free(values);
    return status;
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
