/*
 * score.c - see score.h.
 */
#include "score.h"

#include <math.h>
#include <stdlib.h>

double learn_score_2afc(double p, double d0, double d1)
{
    return d1 < d0 ? p : d0 < d1 ? 1 - p : 0.5;
}

double learn_score_human(double p)
{
    return p * p + (1 - p) * (1 - p);
}

static int by_distance(const void *a, const void *b, void *of)
{
    const double *distances = of;
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;

    if (distances[x] != distances[y])
        return distances[x] < distances[y] ? -1 : 1;
    return (x > y) - (x < y);
}

int learn_jnd_make(learn_jnd *j, const double *distances, const double *same, size_t n)
{
    *j = (learn_jnd){.n = n, .same = same};
    j->order = malloc((n + 1) * sizeof *j->order);
    j->precision = malloc((n + 1) * sizeof *j->precision);
    if (!j->order || !j->precision)
        return -1;
    for (size_t i = 0; i < n; i++)
        j->order[i] = i;
    qsort_r(j->order, n, sizeof *j->order, by_distance, (void *)distances);
    return 0;
}

void learn_jnd_free(learn_jnd *j)
{
    free(j->order);
    free(j->precision);
    *j = (learn_jnd){0};
}

double learn_jnd_score(const learn_jnd *j, const double *times)
{
    double true_positives = 0, area = 0, best = 0;
    size_t seen = 0, left;

    for (size_t i = 0; i < j->n; i++) {
        const size_t trial = j->order[i];

        for (double t = times ? times[trial] : 1; t > 0; t--) {
            true_positives += j->same[trial];
            j->precision[seen] = true_positives / (double)(seen + 1);
            seen++;
        }
    }
    left = seen;
    for (size_t i = j->n; i-- > 0;) {
        const size_t trial = j->order[i];

        for (double t = times ? times[trial] : 1; t > 0; t--) {
            best = fmax(best, j->precision[--left]);
            area += j->same[trial] * best;
        }
    }
    return true_positives > 0 ? area / true_positives : NAN;
}
