/*
 * make.c - lpips-learn collect make: trials to a study.
 *
 * Items are dealt into blocks, each with nearly its share of every subset; a rater judges one
 * block, and as many raters as are wanted for an item judge the same one.  So raters can be
 * compared on many items, and one who was careless is replaced by the next number of the
 * same block.
 */
#include "collect.h"

#include "output.h"
#include "pictures.h"
#include "progress.h"
#include "random.h"
#include "trials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PRACTICE = 4, SENTINELS = 12, SHARE = 12 };

typedef struct making {
    const collect_making *asked;
    collect_sources sources;
    collect_study study;
    char *pictures; /* the folder of them */
    report_progress progress;
    char *why;
} making;

/* ---- folders ------------------------------------------------------------------------ */

static int make_folder(const char *dir, const char *name, char **path, char why[LEARN_WHY])
{
    char *whole;

    if (asprintf(&whole, "%s%s%s", dir, *name ? "/" : "", name) < 0)
        return learn_no_memory(why);
    if (mkdir(whole, 0777) && errno != EEXIST) {
        learn_fail(why, "%s cannot be made: %s", whole, strerror(errno));
        free(whole);
        return -1;
    }
    if (path)
        *path = whole;
    else
        free(whole);
    return 0;
}

static int make_folders(making *m)
{
    const char *out = m->asked->out;
    char *there;

    if (asprintf(&there, "%s/study.json", out) < 0)
        return learn_no_memory(m->why);
    if (!access(there, F_OK)) {
        free(there);
        return learn_fail(m->why,
                          "%s holds a study already, and answers to it may be on their way: "
                          "choose another --out",
                          out);
    }
    free(there);
    return make_folder(out, "", NULL, m->why) || make_folder(out, "page", NULL, m->why) ||
                   make_folder(out, "page/p", &m->pictures, m->why)
               ? -1
               : 0;
}

/* ---- items -------------------------------------------------------------------------- */

static int add_subsets(making *m)
{
    collect_study *s = &m->study;

    s->labels = calloc(m->sources.n, sizeof *s->labels);
    s->folders = calloc(m->sources.n, sizeof *s->folders);
    if (!s->labels || !s->folders)
        return learn_no_memory(m->why);
    for (size_t i = 0; i < m->sources.n; i++) {
        const collect_source *from = &m->sources.items[i];

        if (s->n_subsets && !strcmp(s->folders[s->n_subsets - 1], from->folder))
            continue;
        s->labels[s->n_subsets] = strdup(from->label);
        s->folders[s->n_subsets] = strdup(from->folder);
        if (!s->labels[s->n_subsets] || !s->folders[s->n_subsets++])
            return learn_no_memory(m->why);
    }
    return 0;
}

static int add_item(making *m, const collect_source *from, size_t subset)
{
    collect_study *s = &m->study;
    collect_trial *t = &s->trials[s->n];
    int width = 0, height = 0;

    *t = (collect_trial){.subset = subset, .stem = strdup(from->stem)};
    if (!t->stem)
        return learn_no_memory(m->why);
    s->n++;
    for (int i = 0; i < 3 && from->path[i]; i++) {
        collect_picture p;
        int status = collect_picture_read(&p, from->path[i], m->why);

        if (!status && i && (p.width != width || p.height != height))
            status =
                learn_fail(m->why, "%s is of %dx%d, %s of %dx%d: a trial is of one size",
                           from->path[i], p.width, p.height, from->path[0], width, height);
        width = p.width;
        height = p.height;
        if (!status)
            status = collect_picture_write(&p, m->pictures, t->picture[i], m->why);
        free(p.rgb);
        if (status)
            return -1;
    }
    s->width = s->width > width ? s->width : width;
    s->height = s->height > height ? s->height : height;
    return 0;
}

static int add_items(making *m)
{
    size_t subset = 0;

    for (size_t i = 0; i < m->sources.n; i++) {
        const collect_source *from = &m->sources.items[i];

        subset += i && strcmp(m->study.folders[subset], from->folder);
        if (add_item(m, from, subset))
            return -1;
        m->progress.done++;
        report_progress_show(&m->progress, 0, from->stem);
    }
    return 0;
}

/* ---- order -------------------------------------------------------------------------- */

static void shuffle(size_t *list, size_t n, learn_random *random)
{
    for (size_t i = n; i > 1; i--) {
        const size_t k = (size_t)learn_random_below(random, i), other = list[k];

        list[k] = list[i - 1];
        list[i - 1] = other;
    }
}

/* Each subset in random order, dealt out one by one like cards, subset after subset. */
static void deal(collect_study *s, size_t *order, size_t items, learn_random *random)
{
    size_t at = 0;

    for (size_t i = 0; i < items; i++)
        order[i] = i;
    while (at < items) {
        size_t end = at;

        while (end < items && s->trials[end].subset == s->trials[at].subset)
            end++;
        shuffle(order + at, end - at, random);
        at = end;
    }
    for (size_t i = 0; i < items; i++)
        s->trials[order[i]].block = i % s->n_blocks;
}

/* ---- trials with a right answer ----------------------------------------------------- */

/* Made of the picture that item `of` begins with: it beside itself, or beside it spoiled. */
static int add_check(making *m, collect_role role, size_t of, int right)
{
    collect_study *s = &m->study;
    const collect_source *from = &m->sources.items[of];
    collect_trial *t = &s->trials[s->n];
    char whole[COLLECT_PICTURE + 1], spoiled[COLLECT_PICTURE + 1];
    collect_picture p;
    int status = collect_picture_read(&p, from->path[0], m->why);

    if (!status)
        status = collect_picture_write(&p, m->pictures, whole, m->why);
    if (!status) {
        collect_picture_spoil(&p, s->seed, learn_random_key(s->n, "spoiled"));
        status = collect_picture_write(&p, m->pictures, spoiled, m->why);
    }
    free(p.rgb);
    if (status)
        return -1;
    *t = (collect_trial){.role = role, .right = right};
    memcpy(t->picture[0], whole, sizeof whole);
    if (s->task == LEARN_2AFC) {
        memcpy(t->picture[1 + right], whole, sizeof whole);
        memcpy(t->picture[2 - right], spoiled, sizeof spoiled);
    } else {
        memcpy(t->picture[1], right ? whole : spoiled, sizeof whole);
    }
    s->n++;
    return 0;
}

static int add_checks(making *m, size_t *order, size_t items, size_t sentinels,
                      learn_random *random)
{
    int status = 0;

    shuffle(order, items, random);
    for (size_t i = 0; i < sentinels + PRACTICE && !status; i++)
        status = add_check(m, i < sentinels ? COLLECT_SENTINEL : COLLECT_PRACTICE,
                           order[i % items], (int)(i % 2));
    return status;
}

/* ---- all of it ---------------------------------------------------------------------- */

/* Raters an item: the paper's 2 for training, 5 for validation, 3 for JND. */
static int usual_raters(const making *m)
{
    if (m->study.task == LEARN_JND)
        return 3;
    for (size_t i = 0; i < m->study.n_subsets; i++)
        if (strstr(m->study.folders[i], "/val/"))
            return 5;
    return 2;
}

static int fill(making *m)
{
    const collect_making *a = m->asked;
    collect_study *s = &m->study;
    const size_t items = m->sources.n, most = (size_t)a->per_rater;
    const size_t share = (items < most ? items : most) / SHARE;
    const size_t sentinels = a->sentinels >= 0   ? (size_t)a->sentinels
                             : share < SENTINELS ? SENTINELS
                                                 : share;
    size_t *order = calloc(items, sizeof *order);
    learn_random random;
    int status;

    s->task = m->sources.task;
    s->seed = a->seed;
    s->scale = a->scale;
    s->n_blocks = (items + most - 1) / most;
    s->title = strdup(a->title ? a->title : "Comparing pictures");
    s->trials = calloc(items + sentinels + PRACTICE, sizeof *s->trials);
    status = order && s->title && s->trials ? add_subsets(m) : learn_no_memory(m->why);
    if (!status)
        status = add_items(m);
    if (!status) {
        s->raters = a->raters ? a->raters : usual_raters(m);
        learn_random_start(&random, s->seed, learn_random_key(0, "collect"));
        deal(s, order, items, &random);
        status = add_checks(m, order, items, sentinels, &random);
    }
    free(order);
    return status;
}

static int write_page(making *m)
{
    char *folder;
    report_file out;
    int status;

    if (asprintf(&folder, "%s/page", m->asked->out) < 0)
        return learn_no_memory(m->why);
    status = report_file_open(&out, folder, "index.html", m->why);
    if (!status) {
        status = collect_study_page(&m->study, NULL, out.f, m->why);
        status = report_file_close(&out, status, m->why);
    }
    free(folder);
    return status;
}

static void tell(const collect_study *s, const collect_making *a)
{
    size_t items = 0, sentinels = 0;

    for (size_t i = 0; i < s->n; i++) {
        items += s->trials[i].role == COLLECT_ITEM;
        sentinels += s->trials[i].role == COLLECT_SENTINEL;
    }
    printf("%zu trials (%s) in %zu blocks, %zu sentinels for everyone; %d raters an item: "
           "numbers 1 to %zu\n"
           "page: %s/page/index.html (rater 1 opens index.html#1)\n",
           items, learn_task_name(s->task), s->n_blocks, sentinels, s->raters,
           (size_t)s->raters * s->n_blocks, a->out);
}

int collect_make(const collect_making *asked, char why[LEARN_WHY])
{
    making m = {.asked = asked, .why = why};
    int status =
        collect_sources_find(&m.sources, asked->folders, asked->n_folders, asked->task, why);

    if (!status)
        status = make_folders(&m);
    if (!status) {
        report_progress_begin(&m.progress, m.sources.n, asked->quiet);
        status = fill(&m);
        report_progress_end(&m.progress, "taken in");
    }
    if (!status)
        status = collect_study_seal(&m.study, why);
    if (!status)
        status = write_page(&m);
    /* The last of all: where it is, all is. */
    if (!status)
        status = collect_study_write(&m.study, asked->out, why);
    if (!status && !asked->quiet)
        tell(&m.study, asked);
    collect_study_free(&m.study);
    collect_sources_free(&m.sources);
    free(m.pictures);
    return status;
}
