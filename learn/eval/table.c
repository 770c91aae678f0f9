/*
 * table.c - see table.h.
 */
#include "table.h"

#include "score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- columns --------------------------------------------------------------------------- */

static learn_column *add_column(learn_table *t, const learn_bapps *data, const char *label)
{
    learn_column *c = &t->columns[t->n_columns++];

    c->label = label;
    c->paper = LEARN_PAPER_NONE;
    c->subsets = calloc(data->n + 1, sizeof *c->subsets);
    return c->subsets ? c : NULL;
}

static void join(learn_column *c, const learn_bapps *data, size_t subset)
{
    c->subsets[c->n++] = subset;
    c->trials += data->subsets[subset].n;
}

static bool is_distortion(const learn_subset *s)
{
    const learn_paper p = learn_paper_column(s->family);

    return p == LEARN_TRADITIONAL || p == LEARN_CNN || !strcmp(s->family, "mix");
}

static bool is_real(const learn_subset *s)
{
    return learn_paper_column(s->family) >= LEARN_SUPERRES;
}

static bool is_any(const learn_subset *s)
{
    (void)s;
    return true;
}

/* The mean over the subsets of the task that `belongs` takes, where there are several.  It is
 * the paper's if each of `families` subsets is the paper's. */
static int add_mean(learn_table *t, const learn_bapps *data, learn_paper paper,
                    bool (*belongs)(const learn_subset *s), size_t families)
{
    learn_column *c = add_column(t, data, learn_paper_name(paper));
    bool as_published = t->task == LEARN_2AFC;

    if (!c)
        return -1;
    for (size_t i = 0; i < data->n; i++) {
        const learn_subset *s = &data->subsets[i];

        if (s->task != t->task || !belongs(s))
            continue;
        join(c, data, i);
        as_published = as_published && learn_paper_column(s->label) != LEARN_PAPER_NONE;
    }
    if (as_published && c->n == families)
        c->paper = paper;
    if (c->n < 2) {
        free(c->subsets);
        *c = (learn_column){0};
        t->n_columns--;
    }
    return 0;
}

/* The paper's subsets in its order, then the others in theirs. */
static int add_columns(learn_table *t, const learn_bapps *data)
{
    t->columns = calloc(data->n + 4, sizeof *t->columns);
    if (!t->columns)
        return -1;
    for (int p = 0; p <= LEARN_FAMILIES; p++)
        for (size_t i = 0; i < data->n; i++) {
            const learn_subset *s = &data->subsets[i];
            const learn_paper paper = learn_paper_column(s->family);
            learn_column *c;

            if (s->task != t->task ||
                (paper == LEARN_PAPER_NONE ? LEARN_FAMILIES : (int)paper) != p)
                continue;
            if (!(c = add_column(t, data, s->label)))
                return -1;
            join(c, data, i);
            c->paper = t->task == LEARN_2AFC ? paper : LEARN_PAPER_NONE;
        }
    if (t->task == LEARN_2AFC &&
        (add_mean(t, data, LEARN_PAPER_DISTORTIONS, is_distortion, 2) ||
         add_mean(t, data, LEARN_PAPER_REAL, is_real, 4)))
        return -1;
    return add_mean(t, data, LEARN_PAPER_ALL, is_any, LEARN_FAMILIES);
}

/* ---- scores ------------------------------------------------------------------------------
 */

/* One row at work: what is known of each trial. */
typedef struct work {
    const learn_bapps *data;
    double **scores; /* by subset: agreements; of JND the judgements */
    learn_jnd *jnd;  /* by subset */
} work;

/* Of trial i, from first on, in subset s. */
static double score_of(const learn_subset *s, size_t i, const double *distances)
{
    const double p = (double)s->trials[i].judge;

    if (s->task == LEARN_JND)
        return p;
    return distances ? learn_score_2afc(p, distances[2 * i], distances[2 * i + 1])
                     : learn_score_human(p);
}

/* distances: NULL for people. */
static int fill_subset(work *w, size_t subset, const double *distances)
{
    const learn_subset *s = &w->data->subsets[subset];
    double *only;
    int status;

    for (size_t i = 0; i < s->n; i++)
        w->scores[subset][i] = score_of(s, i, distances);
    if (s->task == LEARN_2AFC)
        return 0;
    if (!(only = malloc((s->n + 1) * sizeof *only)))
        return -1;
    for (size_t i = 0; i < s->n; i++)
        only[i] = distances[2 * i];
    learn_jnd_free(&w->jnd[subset]);
    status = learn_jnd_make(&w->jnd[subset], only, w->scores[subset], s->n);
    free(only);
    return status;
}

typedef struct jnd_mean {
    const work *w;
    const learn_column *column;
} jnd_mean;

static double score_jnd(void *of, const double *times)
{
    const jnd_mean *m = of;
    double sum = 0;

    for (size_t i = 0; i < m->column->n; i++) {
        const learn_jnd *j = &m->w->jnd[m->column->subsets[i]];

        sum += learn_jnd_score(j, times);
        times += j->n;
    }
    return sum / (double)m->column->n;
}

static int fill_cell(const work *w, learn_task task, const learn_column *c,
                     report_interval *cell)
{
    const double **values = calloc(c->n + 1, sizeof *values);
    size_t *sizes = calloc(c->n + 1, sizeof *sizes);
    jnd_mean m = {w, c};
    int status = -1;

    if (values && sizes) {
        for (size_t i = 0; i < c->n; i++) {
            values[i] = w->scores[c->subsets[i]];
            sizes[i] = w->data->subsets[c->subsets[i]].n;
        }
        status = task == LEARN_2AFC ? report_bootstrap_means(values, sizes, c->n, cell)
                                    : report_bootstrap_of(score_jnd, &m, sizes, c->n, cell);
    }
    free((void *)values);
    free(sizes);
    return status;
}

/* distances: of the judge, by trial; NULL for people. */
static int fill_row(learn_table *t, learn_row *r, work *w, const double *distances)
{
    size_t at = 0;

    r->cells = calloc(t->n_columns + 1, sizeof *r->cells);
    if (!r->cells)
        return -1;
    for (size_t i = 0; i < w->data->n; at += w->data->subsets[i++].n)
        if (w->data->subsets[i].task == t->task &&
            fill_subset(w, i, distances ? distances + 2 * at : NULL))
            return -1;
    for (size_t c = 0; c < t->n_columns; c++)
        if (fill_cell(w, t->task, &t->columns[c], &r->cells[c]))
            return -1;
    return 0;
}

static void work_free(work *w)
{
    for (size_t i = 0; i < w->data->n; i++) {
        if (w->scores)
            free(w->scores[i]);
        if (w->jnd)
            learn_jnd_free(&w->jnd[i]);
    }
    free(w->scores);
    free(w->jnd);
}

static int work_make(work *w, const learn_bapps *data)
{
    *w = (work){data, calloc(data->n + 1, sizeof *w->scores),
                calloc(data->n + 1, sizeof *w->jnd)};
    if (!w->scores || !w->jnd)
        return -1;
    for (size_t i = 0; i < data->n; i++)
        if (!(w->scores[i] = calloc(data->subsets[i].n + 1, sizeof **w->scores)))
            return -1;
    return 0;
}

static int add_rows(learn_table *t, work *w, learn_judge *const *judges, size_t n_judges,
                    const double *distances)
{
    size_t trials = 0;

    t->rows = calloc(n_judges + 1, sizeof *t->rows);
    if (!t->rows)
        return -1;
    for (size_t i = 0; i < w->data->n; i++)
        trials += w->data->subsets[i].n;
    if (t->task == LEARN_2AFC) {
        learn_row *people = &t->rows[t->n_rows++];

        people->title = "people";
        people->published = learn_published_of("");
        if (fill_row(t, people, w, NULL))
            return -1;
    }
    for (size_t j = 0; j < n_judges; j++) {
        learn_row *r = &t->rows[t->n_rows++];

        r->title = judges[j]->title;
        r->judge = judges[j]->name;
        r->identity = judges[j]->identity;
        r->published = t->task == LEARN_2AFC ? learn_published_of(r->judge) : NULL;
        if (fill_row(t, r, w, distances + 2 * j * trials))
            return -1;
    }
    return 0;
}

int learn_table_make(learn_table *t, learn_task task, const learn_bapps *data,
                     learn_judge *const *judges, size_t n_judges, const double *distances,
                     char why[LEARN_WHY])
{
    work w;
    int status;

    *t = (learn_table){.task = task};
    status = work_make(&w, data) || add_columns(t, data) ||
                     add_rows(t, &w, judges, n_judges, distances)
                 ? learn_no_memory(why)
                 : 0;
    work_free(&w);
    return status;
}

/* ---- differences ------------------------------------------------------------------------
 */

const double learn_people[1], learn_chance[1];

static double score_by(const learn_subset *s, size_t i, size_t first, const double *who)
{
    if (who == learn_chance)
        return 0.5;
    return score_of(s, i, who == learn_people ? NULL : who + 2 * first);
}

int learn_table_difference(report_interval *cells, const learn_table *t,
                           const learn_bapps *data, const double *a, const double *b,
                           char why[LEARN_WHY])
{
    work w;
    size_t first = 0;
    int status = work_make(&w, data);

    for (size_t i = 0; i < data->n && !status; first += data->subsets[i++].n)
        for (size_t k = 0; k < data->subsets[i].n; k++)
            w.scores[i][k] = score_by(&data->subsets[i], k, first, a) -
                             score_by(&data->subsets[i], k, first, b);
    for (size_t c = 0; c < t->n_columns && !status; c++)
        status = fill_cell(&w, t->task, &t->columns[c], &cells[c]);
    work_free(&w);
    return status ? learn_no_memory(why) : 0;
}

void learn_table_free(learn_table *t)
{
    for (size_t c = 0; c < t->n_columns; c++)
        free(t->columns[c].subsets);
    for (size_t r = 0; r < t->n_rows; r++)
        free(t->rows[r].cells);
    free(t->columns);
    free(t->rows);
    *t = (learn_table){0};
}
