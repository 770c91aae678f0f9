/*
 * measure.h - distances of many pictures by many judges, on all cores.
 */
#ifndef LEARN_MEASURE_H
#define LEARN_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

#include "judge/judge.h"

/* A picture and the one or two that are held against it. */
typedef struct learn_case {
    char *reference;
    char *other[2]; /* paths; the last is NULL where there is one */
} learn_case;

/* Frees n cases' paths and the array. */
void learn_cases_free(learn_case *cases, size_t n);

typedef struct learn_measuring {
    const learn_case *cases;
    size_t n;
    learn_judge *const *judges;
    size_t n_judges;
    int size;    /* of the shorter side, as in load.h; 0: as they are */
    int threads; /* 0: as many as there are cores */
    bool quiet;  /* no progress */
    /* The distance of case i's picture k by judge j is at [(j * n + i) * 2 + k]; NAN: to be
     * measured, all else stays. */
    double *distances;
    /* Called by one thread at a time when cases from..to - 1 are measured; may be NULL. */
    int (*save)(void *of, size_t from, size_t to, char why[LEARN_WHY]);
    void *of;
} learn_measuring;

/* Neither threads nor what was there before change a bit of a distance.  -1 and why where a
 * picture cannot be read, is of another size than its reference, or too small for a judge. */
int learn_measure(const learn_measuring *m, char why[LEARN_WHY]);

#endif
