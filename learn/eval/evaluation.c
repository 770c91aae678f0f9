/*
 * evaluation.c - see evaluation.h.
 */
#include "evaluation.h"

#include "store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In JND p0 is what p1 is held against. */
static int make_cases(learn_evaluation *e, char why[LEARN_WHY])
{
    size_t at = 0;

    for (size_t i = 0; i < e->data.n; i++)
        e->m.n += e->data.subsets[i].n;
    e->cases = calloc(e->m.n + 1, sizeof *e->cases);
    e->m.distances = calloc(2 * e->m.n * e->judges.n + 1, sizeof *e->m.distances);
    if (!e->cases || !e->m.distances)
        return learn_no_memory(why);
    for (size_t i = 0; i < 2 * e->m.n * e->judges.n; i++)
        e->m.distances[i] = NAN;
    for (size_t i = 0; i < e->data.n; i++) {
        const learn_subset *s = &e->data.subsets[i];
        const bool jnd = s->task == LEARN_JND;

        for (size_t k = 0; k < s->n; k++, at++) {
            learn_case *c = &e->cases[at];

            c->reference = learn_trial_path(s, &s->trials[k], jnd ? 0 : 2);
            c->other[0] = learn_trial_path(s, &s->trials[k], jnd ? 1 : 0);
            c->other[1] = jnd ? NULL : learn_trial_path(s, &s->trials[k], 1);
            if (!c->reference || !c->other[0] || (!jnd && !c->other[1]))
                return learn_no_memory(why);
        }
    }
    return 0;
}

static char *store_path(const learn_asked *q)
{
    size_t n = strlen(q->folders[0]);
    char *path;

    if (q->store)
        return strdup(q->store);
    while (n > 1 && q->folders[0][n - 1] == '/')
        n--;
    return asprintf(&path, "%.*s.eval.sqlite", (int)n, q->folders[0]) < 0 ? NULL : path;
}

static int measure(learn_evaluation *e, char why[LEARN_WHY])
{
    char *path = store_path(e->asked);
    learn_store *store = NULL;
    int status;

    e->m.cases = e->cases;
    e->m.judges = e->judges.judges;
    e->m.n_judges = e->judges.n;
    e->m.size = e->asked->common.size;
    e->m.threads = e->asked->common.threads;
    e->m.quiet = e->asked->common.quiet;
    status =
        path ? learn_store_open(&store, path, &e->data, &e->m, why) : learn_no_memory(why);
    free(path);
    if (status)
        return -1;
    e->m.save = learn_store_save;
    e->m.of = store;
    status = learn_measure(&e->m, why);
    learn_store_close(store);
    return status;
}

int learn_evaluation_open(learn_evaluation *e, const learn_asked *asked, char why[LEARN_WHY])
{
    *e = (learn_evaluation){.asked = asked};
    return learn_bapps_open(&e->data, asked->folders, asked->n, asked->task, asked->split,
                            why);
}

int learn_evaluation_measure(learn_evaluation *e, char why[LEARN_WHY])
{
    return make_cases(e, why) || measure(e, why) ? -1 : 0;
}

void learn_evaluation_free(learn_evaluation *e)
{
    learn_cases_free(e->cases, e->m.n);
    free(e->m.distances);
    learn_judges_free(&e->judges);
    learn_bapps_free(&e->data);
}
