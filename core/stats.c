/*
 * stats.c - statistics over the distances of many pictures or frames.
 *
 * Sums carry their rounding error along (Neumaier), so that the result is right to
 * the last digits for any number of frames.
 */
#include "lpips.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct exact_sum {
    double sum, lost;
} exact_sum;

static void add(exact_sum *s, double x)
{
    double t = s->sum + x;

    s->lost += fabs(s->sum) >= fabs(x) ? (s->sum - t) + x : (x - t) + s->sum;
    s->sum = t;
}

static double total(const exact_sum *s)
{
    return s->sum + s->lost;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double lpips_percentile(const double *sorted, size_t n, double p)
{
    double rank, t, a, b;
    size_t i;

    if (!sorted || !n || !(p >= 0 && p <= 100))
        return NAN;
    rank = (p / 100) * (double)(n - 1);
    i = (size_t)rank;
    if (i >= n - 1)
        return sorted[n - 1];
    a = sorted[i];
    b = sorted[i + 1];
    t = rank - (double)i;
    /* from the nearer end: never leaves [a, b], and the digits are numpy's */
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

/* Rounding may not carry a mean out of the range of its values. */
static double within(double mean, const lpips_stats *stats)
{
    return fmin(fmax(mean, stats->min), stats->max);
}

/* Moments; the deviation from differences to the mean, whose own sum (not quite 0,
 * the mean being rounded) is taken out again. */
static void moments(const double *values, size_t n, lpips_stats *stats)
{
    exact_sum sum = {0, 0}, inverse = {0, 0}, difference = {0, 0}, square = {0, 0};
    double count = (double)n, variance;

    for (size_t i = 0; i < n; i++) {
        add(&sum, values[i]);
        if (stats->min > 0)
            add(&inverse, 1 / values[i]);
    }
    stats->mean = within(total(&sum) / count, stats);
    stats->harmonic_mean = stats->min > 0 ? within(count / total(&inverse), stats) : 0;
    for (size_t i = 0; i < n; i++) {
        double d = values[i] - stats->mean;

        add(&difference, d);
        add(&square, d * d);
    }
    if (n > 1 && stats->max > stats->min) {
        variance = total(&square) - total(&difference) * total(&difference) / count;
        stats->deviation = variance > 0 ? sqrt(variance / (count - 1)) : 0;
    }
}

int lpips_stats_of(const double *values, size_t n, lpips_stats *stats)
{
    double *sorted;

    if (!values || !n || !stats)
        return LPIPS_ERR_ARGUMENT;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            return LPIPS_ERR_NOT_FINITE;
        if (values[i] < 0)
            return LPIPS_ERR_ARGUMENT;
    }
    sorted = n <= SIZE_MAX / sizeof *sorted ? malloc(n * sizeof *sorted) : NULL;
    if (!sorted)
        return LPIPS_ERR_MEMORY;
    memcpy(sorted, values, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    *stats = (lpips_stats){.count = n, .min = sorted[0], .max = sorted[n - 1]};
    moments(sorted, n, stats);
    stats->median = lpips_percentile(sorted, n, 50);
    stats->p1 = lpips_percentile(sorted, n, 1);
    stats->p5 = lpips_percentile(sorted, n, 5);
    stats->p10 = lpips_percentile(sorted, n, 10);
    stats->p25 = lpips_percentile(sorted, n, 25);
    stats->p75 = lpips_percentile(sorted, n, 75);
    stats->p90 = lpips_percentile(sorted, n, 90);
    stats->p95 = lpips_percentile(sorted, n, 95);
    stats->p99 = lpips_percentile(sorted, n, 99);
    free(sorted);
    return LPIPS_OK;
}

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
#define FIELD(name)                        \
    {                                      \
#name, offsetof(lpips_stats, name) \
    }
    FIELD(mean), FIELD(harmonic_mean), FIELD(median), FIELD(deviation),
    FIELD(min),  FIELD(max),           FIELD(p1),     FIELD(p5),
    FIELD(p10),  FIELD(p25),           FIELD(p75),    FIELD(p90),
    FIELD(p95),  FIELD(p99),
#undef FIELD
};

static int is_field(int i)
{
    return i >= 0 && (size_t)i < sizeof fields / sizeof *fields;
}

const char *lpips_stats_name(int i)
{
    return is_field(i) ? fields[i].name : NULL;
}

double lpips_stats_value(const lpips_stats *stats, int i)
{
    double value;

    if (!stats || !is_field(i))
        return NAN;
    memcpy(&value, (const char *)stats + fields[i].offset, sizeof value);
    return value;
}

/* Whether value i belongs behind value j in the list of the worst. */
static int behind(const double *values, size_t i, size_t j)
{
    return values[i] < values[j] || (values[i] == values[j] && i > j);
}

/* Restores the heap below `at`: a parent is behind both its children, so heap[0] is the
 * one to give up first. */
static void sift(const double *values, size_t *heap, size_t n, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        size_t kept = heap[at];

        if (child + 1 < n && behind(values, heap[child + 1], heap[child]))
            child++;
        if (!behind(values, heap[child], kept))
            return;
        heap[at] = heap[child];
        heap[child] = kept;
    }
}

size_t lpips_worst(const double *values, size_t n, size_t *index, size_t count)
{
    size_t kept = n < count ? n : count;

    if (!kept || !values || !index)
        return 0;
    for (size_t i = 0; i < kept; i++)
        index[i] = i;
    for (size_t i = kept / 2; i-- > 0;)
        sift(values, index, kept, i);
    for (size_t i = kept; i < n; i++)
        if (behind(values, index[0], i)) {
            index[0] = i;
            sift(values, index, kept, 0);
        }
    /* the first to give up goes to the end, again and again */
    for (size_t last = kept - 1; last > 0; last--) {
        size_t first = index[0];

        index[0] = index[last];
        index[last] = first;
        sift(values, index, last, 0);
    }
    return kept;
}
