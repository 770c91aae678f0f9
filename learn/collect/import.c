/*
 * import.c - lpips-learn collect import: results into the store, judgements out of it.
 *
 * Every file is read and checked before the first answer is kept, and all are kept in one
 * transaction: a broken one among hundreds changes nothing.  A session that is known already
 * adds what is new in it, so that the same file twice counts once.
 */
#include "collect.h"

#include "compare.h"
#include "data/npy.h"
#include "tally.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct importing {
    const collect_importing *asked;
    collect_study study;
    sqlite3 *db;
    collect_raters raters;
    collect_tally tally;
    size_t files, fresh, known; /* answers that were new, that were there */
    char *why;
} importing;

/* ---- files into the store ----------------------------------------------------------- */

static int keep(importing *m, const char *path, const collect_results *r)
{
    char what[LEARN_WHY];
    int64_t id;

    if (collect_store_rater(m->db, r->rater, r->session, NULL, &id, what))
        return learn_fail(m->why, "%s: %s", path, what);
    for (size_t i = 0; i < r->n; i++) {
        const int kept = collect_store_answer(m->db, id, &r->answers[i], m->why);

        if (kept < 0)
            return -1;
        if (kept == COLLECT_CONTRADICTION)
            return learn_fail(m->why,
                              "%s: trial %zu of session %.8s was answered otherwise before: "
                              "one of the two files was changed",
                              path, r->answers[i].trial, r->session);
        m->fresh += kept == COLLECT_NEW;
        m->known += kept == COLLECT_KNOWN;
    }
    return 0;
}

static int keep_database(importing *m, const char *path)
{
    collect_raters all;
    sqlite3 *db;
    int status = collect_store_foreign(&db, path, &m->study, m->why);

    if (status)
        return -1;
    status = collect_store_read(db, &m->study, 0, &all, m->why);
    collect_store_close(db);
    for (size_t i = 0; !status && i < all.n; i++)
        status = keep(m, path, &all.of[i].results);
    collect_raters_free(&all);
    return status;
}

static int keep_file(importing *m, const char *path)
{
    collect_results r;
    int status;

    if (collect_store_is(path))
        return keep_database(m, path);
    status = collect_results_read(&m->study, path, &r, m->why);
    if (!status)
        status = keep(m, path, &r);
    collect_results_free(&r);
    return status;
}

static int keep_all(importing *m)
{
    int status = collect_store_do(m->db, "BEGIN IMMEDIATE", m->why);

    for (size_t i = 0; i < m->asked->n_files && !status; i++)
        status = keep_file(m, m->asked->files[i]);
    if (!status)
        status = collect_store_read(m->db, &m->study, 0, &m->raters, m->why);
    /* Looked at only: nothing stays. */
    if (!status)
        return collect_store_do(m->db, m->asked->dry ? "ROLLBACK" : "COMMIT", m->why);
    sqlite3_exec(m->db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

/* ---- judgements out ----------------------------------------------------------------- */

static const char *part(const collect_study *s)
{
    return s->task == LEARN_2AFC ? "judge" : "same";
}

/* The folder of a subset's judgements; below --into it is made.  The caller frees. */
static char *judge_folder(const importing *m, size_t subset)
{
    const collect_study *s = &m->study;
    const char *into = m->asked->into;
    char *path;
    int n = into ? asprintf(&path, "%s/%s/%s", into, s->labels[subset], part(s))
                 : asprintf(&path, "%s/%s", s->folders[subset], part(s));

    return n < 0 ? NULL : path;
}

static int make_folders(const char *path, char why[LEARN_WHY])
{
    char copy[4096];

    if (strlen(path) >= sizeof copy)
        return learn_fail(why, "%.60s...: too long a name", path);
    strcpy(copy, path);
    for (char *p = copy + 1;; p++)
        if (!*p || *p == '/') {
            const char was = *p;

            *p = 0;
            if (mkdir(copy, 0777) && errno != EEXIST)
                return learn_fail(why, "%s cannot be made: %s", copy, strerror(errno));
            if (!(*p = was))
                return 0;
        }
}

/* Judgements that came from elsewhere - BAPPS's own - are not written over. */
static int check_folder(importing *m, const char *folder)
{
    bool ours;

    if (m->asked->force || access(folder, F_OK))
        return 0;
    if (collect_store_is_ours(m->db, folder, &ours, m->why))
        return -1;
    return ours || !rmdir(folder)
               ? 0
               : learn_fail(m->why,
                            "%s holds judgements that did not come from this study: write "
                            "--into another folder, or --force",
                            folder);
}

static int check_folders(importing *m)
{
    int status = 0;

    for (size_t i = 0; i < m->study.n_subsets && !status; i++) {
        char *folder;

        if (!m->asked->into && access(m->study.folders[i], F_OK))
            return learn_fail(
                m->why,
                "%s: the pictures are no longer there: give --into FOLDER, where "
                "judgements are to go",
                m->study.folders[i]);
        folder = judge_folder(m, i);
        status = folder ? check_folder(m, folder) : learn_no_memory(m->why);
        free(folder);
    }
    return status;
}

static int write_item(importing *m, const char *folder, size_t trial)
{
    const collect_count *c = &m->tally.trials[trial];
    const float value = (float)((double)c->ones / (double)c->n);
    char *path;
    int status = 0;

    if (asprintf(&path, "%s/%s.npy", folder, m->study.trials[trial].stem) < 0)
        return learn_no_memory(m->why);
    if (c->n)
        status = learn_npy_write(path, &value, (const size_t[]){1}, 1, m->why);
    else if (unlink(path) && errno != ENOENT)
        status = learn_fail(m->why, "%s cannot be taken away: %s", path, strerror(errno));
    free(path);
    return status;
}

static int write_subset(importing *m, size_t subset)
{
    const collect_study *s = &m->study;
    char *folder = judge_folder(m, subset);
    int status = folder ? make_folders(folder, m->why) : learn_no_memory(m->why);

    if (!status)
        status = collect_store_wrote(m->db, folder, m->why);
    for (size_t i = 0; i < s->n && !status; i++)
        if (s->trials[i].role == COLLECT_ITEM && s->trials[i].subset == subset)
            status = write_item(m, folder, i);
    free(folder);
    return status;
}

/* ---- the sentences ------------------------------------------------------------------ */

static void tell_raters(const importing *m)
{
    printf("rater\tsession\tanswers\tsentinels\tmedian_ms\tleft_out\n");
    for (size_t i = 0; i < m->raters.n; i++) {
        const collect_judged *j = &m->tally.raters[i];
        const collect_results *r = &m->raters.of[i].results;

        printf("%d\t%.8s\t%zu\t%zu/%zu\t%.0f\t%s\n", r->rater, r->session, j->items, j->right,
               j->sentinels, j->median, *j->left_out ? j->left_out : "-");
    }
}

static void tell_subsets(const importing *m)
{
    const collect_study *s = &m->study;
    double sum = 0, ceiling;

    printf("\nsubset\titems\tanswered\tceiling\n");
    for (size_t k = 0; k < s->n_subsets; k++) {
        size_t items = 0, answered = 0;

        for (size_t i = 0; i < s->n; i++)
            if (s->trials[i].role == COLLECT_ITEM && s->trials[i].subset == k) {
                items++;
                answered += m->tally.trials[i].n > 0;
            }
        ceiling = collect_ceiling(s, &m->tally, k);
        sum += ceiling;
        printf("%s\t%zu\t%zu\t", cli_plain(s->labels[k]), items, answered);
        if (s->task == LEARN_2AFC)
            printf("%.1f %%\n", 100 * ceiling);
        else
            printf("-\n");
    }
    if (s->task == LEARN_2AFC)
        printf("# human ceiling, p^2 + (1 - p)^2, mean of the subsets: %.1f %%\n",
               100 * sum / (double)s->n_subsets);
}

static void tell_numbers(const importing *m, const collect_agreement *agreement)
{
    const collect_study *s = &m->study;
    size_t enough = 0, fewer = 0, none = 0, sentinels = 0, right = 0, off = 0, again = 0;

    for (size_t i = 0; i < s->n; i++)
        if (s->trials[i].role == COLLECT_ITEM) {
            const size_t n = m->tally.trials[i].n;

            enough += n >= (size_t)s->raters;
            fewer += n && n < (size_t)s->raters;
            none += !n;
        }
    for (size_t i = 0; i < m->raters.n; i++)
        if (!*m->tally.raters[i].left_out) {
            sentinels += m->tally.raters[i].sentinels;
            right += m->tally.raters[i].right;
            off += m->tally.raters[i].off;
        }
    printf(
        "# answers: %zu new, %zu known already, from %zu files\n"
        "# raters: %zu count, %zu left out; of those who count %zu of %zu sentinels right\n"
        "# items: %zu with %d answers or more, %zu with fewer, %zu with none\n",
        m->fresh, m->known, m->asked->n_files, m->tally.kept, m->raters.n - m->tally.kept,
        right, sentinels, enough, s->raters, fewer, none);
    for (size_t i = 1; i < m->raters.n; i++)
        again += m->raters.of[i].results.rater == m->raters.of[i - 1].results.rater;
    if (again)
        printf("# sessions whose number another has, too: %zu; each counts\n", again);
    if (s->task == LEARN_JND)
        printf("# %zu answers left out: a picture was shown over %g ms too long or short\n",
               off, m->asked->off);
    if (!agreement->items)
        printf("# agreement: no item has two answers yet\n");
    else if (isnan(agreement->value))
        printf("# agreement: %s is not defined: everybody always chose alike\n",
               agreement->name);
    else
        printf(
            "# agreement: %s %.3f over %zu items; two raters of an item agree in %.1f %%\n",
            agreement->name, agreement->value, agreement->items, 100 * agreement->pairs);
}

/* ---- all of it ---------------------------------------------------------------------- */

static int weigh(importing *m)
{
    const collect_importing *a = m->asked;
    const collect_limits limits = {a->pass, a->fastest, a->off};
    collect_agreement agreement;

    if (collect_tally_make(&m->tally, &m->study, &m->raters, &limits, m->why) ||
        collect_agree(&agreement, &m->study, &m->raters, &m->tally, a->off, m->why))
        return -1;
    tell_raters(m);
    tell_subsets(m);
    tell_numbers(m, &agreement);
    return 0;
}

static int write_all(importing *m)
{
    int status = 0;

    for (size_t i = 0; i < m->study.n_subsets && !status; i++) {
        char *folder = judge_folder(m, i);

        status = write_subset(m, i);
        if (!status && folder)
            printf("# written: %s\n", cli_plain(folder));
        free(folder);
    }
    return status;
}

int collect_import(const collect_importing *asked, char why[LEARN_WHY])
{
    importing m = {.asked = asked, .why = why};
    int status = collect_study_read(&m.study, asked->dir, why);

    if (!status)
        status = collect_store_open(&m.db, asked->dir, &m.study, COLLECT_CHANGE, why);
    if (!status && !asked->dry)
        status = check_folders(&m);
    if (!status)
        status = keep_all(&m);
    if (!status)
        status = weigh(&m);
    if (!status && !asked->dry)
        status = write_all(&m);
    collect_tally_free(&m.tally);
    collect_raters_free(&m.raters);
    collect_store_close(m.db);
    collect_study_free(&m.study);
    return status;
}
