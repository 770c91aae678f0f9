/*
 * status.c - lpips-learn collect status: how far raters are, also while a server runs.
 */
#include "collect.h"

#include "compare.h"
#include "tally.h"

#include <stdlib.h>
#include <string.h>

static size_t asked_of(const collect_study *s, int rater)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        n += (size_t)collect_asked(s, rater, i);
    return n;
}

static void tell_raters(const collect_study *s, const collect_raters *r)
{
    printf("rater\tsession\tblock\tanswered\tof\tlast\n");
    for (size_t i = 0; i < r->n; i++) {
        const collect_results *one = &r->of[i].results;
        const char *last = "";

        for (size_t k = 0; k < one->n; k++)
            last = strcmp(one->answers[k].at, last) > 0 ? one->answers[k].at : last;
        printf("%d\t%.8s\t%zu\t%zu\t%zu\t%s\n", one->rater, one->session,
               (size_t)(one->rater - 1) % s->n_blocks + 1, one->n, asked_of(s, one->rater),
               *last ? last : "-");
    }
}

/* Of everybody: who is left out is seen when all is in. */
static int tell_trials(const collect_study *s, const collect_raters *r, char why[LEARN_WHY])
{
    size_t *answers = calloc(s->n, sizeof *answers);

    if (!answers)
        return learn_no_memory(why);
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->of[i].results.n; k++)
            answers[r->of[i].results.answers[k].trial]++;
    printf("\nsubset\ttrial\tblock\tanswers\tof\n");
    for (size_t i = 0; i < s->n; i++) {
        const collect_trial *t = &s->trials[i];

        if (t->role == COLLECT_ITEM)
            printf("%s\t%s\t%zu\t%zu\t%d\n", cli_plain(s->labels[t->subset]),
                   cli_plain(t->stem), t->block + 1, answers[i], s->raters);
    }
    free(answers);
    return 0;
}

int collect_status(const char *dir, bool trials, char why[LEARN_WHY])
{
    collect_study s;
    collect_raters r = {0};
    sqlite3 *db = NULL;
    int status = collect_study_read(&s, dir, why);

    if (!status)
        status = collect_store_open(&db, dir, &s, COLLECT_READ, why);
    if (!status && db)
        status = collect_store_read(db, &s, 0, &r, why);
    if (!status)
        tell_raters(&s, &r);
    if (!status && trials)
        status = tell_trials(&s, &r, why);
    collect_raters_free(&r);
    collect_store_close(db);
    collect_study_free(&s);
    return status;
}
