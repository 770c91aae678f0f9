/*
 * table.h - what judges score on the data, subset by subset and in the mean.
 */
#ifndef LEARN_TABLE_H
#define LEARN_TABLE_H

#include <stdio.h>

#include <jansson.h>

#include "data/bapps.h"
#include "judge/judge.h"
#include "published.h"
#include "stats.h"

/* A subset, or the unweighted mean of several. */
typedef struct learn_column {
    const char *label;
    size_t *subsets, n; /* which */
    size_t trials;
    learn_paper paper; /* the same column of the paper's table */
} learn_column;

typedef struct learn_row {
    const char *title, *judge, *identity; /* the last two are NULL of people */
    const learn_published *published;     /* NULL: the paper has no such row */
    report_interval *cells;               /* one for each column; fractions */
} learn_row;

/* One task's; the data and the judges must outlive it. */
typedef struct learn_table {
    learn_task task;
    learn_column *columns;
    size_t n_columns;
    learn_row *rows; /* of 2AFC the first are the people */
    size_t n_rows;
} learn_table;

/* distances: as in measure.h, the cases being the data's trials in their order. */
int learn_table_make(learn_table *t, learn_task task, const learn_bapps *data,
                     learn_judge *const *judges, size_t n_judges, const double *distances,
                     char why[LEARN_WHY]);
void learn_table_free(learn_table *t);

/* How much more judge a's choices agree with people's than judge b's, in each column of a
 * 2AFC table: the mean difference over the same trials, and its interval.  a, b: their
 * distances as in measure.h, from the judge's first on; learn_people and learn_chance stand
 * for those. */
int learn_table_difference(report_interval *cells, const learn_table *t,
                           const learn_bapps *data, const double *a, const double *b,
                           char why[LEARN_WHY]);

extern const double learn_people[1], learn_chance[1];

/* ---- print.c: for people and programs ------------------------------------------------ */

/* In percent, each with its interval and the paper's figures below it. */
void learn_table_print(const learn_table *t, FILE *f);

/* task,row,judge,column,trials,score,low,high,published: fractions, empty where unknown. */
void learn_table_csv(const learn_table *t, FILE *f);

/* NULL: memory. */
json_t *learn_table_json(const learn_table *t, const learn_bapps *data);

#endif
