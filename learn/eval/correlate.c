/*
 * correlate.c - see correlate.h.
 *
 * Everything takes a sample as how often each pair stands in it, so that a resample of the
 * bootstrap costs no sorting.
 */
#include "correlate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_values(const void *a, const void *b, void *of)
{
    const double *const *values = of;
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;

    for (int i = 0; i < 2; i++)
        if (values[i][x] != values[i][y])
            return values[i][x] < values[i][y] ? -1 : 1;
    return (x > y) - (x < y);
}

int learn_scatter_make(learn_scatter *s, const double *x, const double *y, size_t n)
{
    const double *xy[2] = {x, y}, *yx[2] = {y, x};

    *s = (learn_scatter){.n = n, .x = x, .y = y};
    s->by_x = malloc((n + 1) * sizeof *s->by_x);
    s->by_y = malloc((n + 1) * sizeof *s->by_y);
    s->place = malloc((n + 1) * sizeof *s->place);
    s->ranks[0] = malloc((n + 1) * sizeof *s->ranks[0]);
    s->ranks[1] = malloc((n + 1) * sizeof *s->ranks[1]);
    s->tree = malloc((n + 2) * sizeof *s->tree);
    if (!s->by_x || !s->by_y || !s->place || !s->ranks[0] || !s->ranks[1] || !s->tree)
        return -1;
    for (size_t i = 0; i < n; i++)
        s->by_x[i] = s->by_y[i] = i;
    qsort_r(s->by_x, n, sizeof *s->by_x, by_values, (void *)xy);
    qsort_r(s->by_y, n, sizeof *s->by_y, by_values, (void *)yx);
    for (size_t i = 0, place = 0; i < n; i++) {
        place += i && y[s->by_y[i]] != y[s->by_y[i - 1]];
        s->place[s->by_y[i]] = place;
    }
    return 0;
}

void learn_scatter_free(learn_scatter *s)
{
    free(s->by_x);
    free(s->by_y);
    free(s->place);
    free(s->ranks[0]);
    free(s->ranks[1]);
    free(s->tree);
    *s = (learn_scatter){0};
}

static double at(const double *times, size_t i)
{
    return times ? times[i] : 1;
}

double learn_pearson(const double *a, const double *b, const double *times, size_t n)
{
    double count = 0, mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;

    for (size_t i = 0; i < n; i++) {
        count += at(times, i);
        mean_a += at(times, i) * a[i];
        mean_b += at(times, i) * b[i];
    }
    mean_a /= count;
    mean_b /= count;
    for (size_t i = 0; i < n; i++) {
        const double u = a[i] - mean_a, v = b[i] - mean_b;

        aa += at(times, i) * u * u;
        bb += at(times, i) * v * v;
        ab += at(times, i) * u * v;
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa) / sqrt(bb) : NAN;
}

/* Ranks from 1; what is not in the sample has those of its equals. */
static void rank(const double *values, const size_t *order, const double *times, size_t n,
                 double *out)
{
    double before = 0;

    for (size_t from = 0, to; from < n; from = to) {
        double equal = 0;

        for (to = from; to < n && values[order[to]] == values[order[from]]; to++)
            equal += at(times, order[to]);
        for (size_t i = from; i < to; i++)
            out[order[i]] = before + (equal + 1) / 2;
        before += equal;
    }
}

double learn_spearman(const learn_scatter *s, const double *times)
{
    rank(s->x, s->by_x, times, s->n, s->ranks[0]);
    rank(s->y, s->by_y, times, s->n, s->ranks[1]);
    return learn_pearson(s->ranks[0], s->ranks[1], times, s->n);
}

/* ---- Kendall ------------------------------------------------------------------------------
 */

/* Pairs among m equal things. */
static double pairs(double m)
{
    return m * (m - 1) / 2;
}

/* Pairs that are equal in `values` and, where they are given, in `also`; both equal in a row
 * of the order. */
static double ties(const learn_scatter *s, const size_t *order, const double *values,
                   const double *also, const double *times)
{
    double sum = 0, equal = 0;

    for (size_t i = 0; i < s->n; i++) {
        const size_t k = order[i], before = i ? order[i - 1] : k;

        if (values[k] != values[before] || (also && also[k] != also[before])) {
            sum += pairs(equal);
            equal = 0;
        }
        equal += at(times, k);
    }
    return sum + pairs(equal);
}

/* How many of those added so far are of a place up to `place`: P. Fenwick's tree (1994). */
static double up_to(const double *tree, size_t place)
{
    double sum = 0;

    for (size_t i = place + 1; i > 0; i &= i - 1)
        sum += tree[i];
    return sum;
}

static void add(double *tree, size_t size, size_t place, double count)
{
    for (size_t i = place + 1; i <= size; i += i & -i)
        tree[i] += count;
}

/* Pairs of which one has the larger x and the smaller y. */
static double discordant(const learn_scatter *s, const double *times)
{
    double sum = 0, added = 0;

    memset(s->tree, 0, (s->n + 2) * sizeof *s->tree);
    for (size_t from = 0, to; from < s->n; from = to) {
        for (to = from; to < s->n && s->x[s->by_x[to]] == s->x[s->by_x[from]]; to++) {
            const size_t k = s->by_x[to];

            if (at(times, k) > 0)
                sum += at(times, k) * (added - up_to(s->tree, s->place[k]));
        }
        for (size_t i = from; i < to; i++) {
            const size_t k = s->by_x[i];

            if (at(times, k) > 0)
                add(s->tree, s->n, s->place[k], at(times, k));
            added += at(times, k);
        }
    }
    return sum;
}

double learn_kendall(const learn_scatter *s, const double *times)
{
    const double in_x = ties(s, s->by_x, s->x, NULL, times),
                 in_y = ties(s, s->by_y, s->y, NULL, times),
                 in_both = ties(s, s->by_x, s->x, s->y, times);
    double count = 0, all, scale;

    for (size_t i = 0; i < s->n; i++)
        count += at(times, i);
    all = pairs(count);
    scale = sqrt(all - in_x) * sqrt(all - in_y);
    return scale > 0 ? (all - in_x - in_y + in_both - 2 * discordant(s, times)) / scale : NAN;
}
