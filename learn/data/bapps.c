/*
 * bapps.c - see bapps.h.
 *
 * The data set's own loader sorts the names of each folder and takes the i-th of all of them
 * for one trial, so a missing file shifts all that follow without a word.  Here names must
 * match.
 */
#include "bapps.h"

#include "npy.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Below a folder that is given: bapps/2afc/val/SUBSET, and one to spare. */
enum { DEPTH_MAX = 4, PARTS = 4 };

typedef struct entry {
    char *name;
    size_t stem; /* its length */
} entry;

typedef struct listing {
    entry *entries;
    size_t n, room;
} listing;

typedef struct walk {
    learn_bapps *out;
    size_t room;
    int task;
    learn_split split;
    char *why;
} walk;

static int grow(void *items, size_t size, size_t n, size_t *room)
{
    void **p = items, *grown;

    if (n < *room)
        return 0;
    grown = reallocarray(*p, *room ? *room * 2 : 16, size);
    if (!grown)
        return -1;
    *p = grown;
    *room = *room ? *room * 2 : 16;
    return 0;
}

/* ---- one folder ------------------------------------------------------------------ */

static int by_stem(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    const size_t n = x->stem < y->stem ? x->stem : y->stem;
    const int order = memcmp(x->name, y->name, n);

    return order ? order : (x->stem > y->stem) - (x->stem < y->stem);
}

static void listing_free(listing *l)
{
    while (l->n)
        free(l->entries[--l->n].name);
    free(l->entries);
    *l = (listing){0};
}

/* The extensions of the official loader; case does not matter. */
static bool is_picture(const char *extension)
{
    static const char *const known[] = {".png", ".jpg", ".jpeg", ".ppm", ".bmp"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(extension, known[i]))
            return true;
    return false;
}

typedef enum wanted { PICTURES, ARRAYS, FOLDERS } wanted;

static bool is_folder(const char *path)
{
    struct stat st;

    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static char *joined(const char *folder, const char *name)
{
    const size_t n = strlen(folder);
    char *path;

    return asprintf(&path, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name) < 0
               ? NULL
               : path;
}

static bool is_wanted(const char *folder, const char *name, wanted want)
{
    const char *dot = strrchr(name, '.');
    char *path;
    bool found;

    if (*name == '.')
        return false;
    if (want != FOLDERS)
        return dot && (want == PICTURES ? is_picture(dot) : !strcmp(dot, ".npy"));
    path = joined(folder, name);
    found = path && is_folder(path);
    free(path);
    return found;
}

static int list_open(listing *l, DIR *d, const char *folder, wanted want)
{
    struct dirent *e;

    while ((e = readdir(d))) {
        const char *dot = strrchr(e->d_name, '.');

        if (!is_wanted(folder, e->d_name, want))
            continue;
        if (grow(&l->entries, sizeof *l->entries, l->n, &l->room) ||
            !(l->entries[l->n].name = strdup(e->d_name)))
            return -1;
        l->entries[l->n++].stem =
            want == FOLDERS ? strlen(e->d_name) : (size_t)(dot - e->d_name);
    }
    return 0;
}

/* What is wanted in a folder, in order. */
static int list(listing *l, const char *folder, wanted want, char why[LEARN_WHY])
{
    DIR *d = opendir(folder);
    int status;

    *l = (listing){0};
    if (!d)
        return learn_fail(why, "%s cannot be read: %s", folder, strerror(errno));
    status = list_open(l, d, folder, want);
    closedir(d);
    if (status)
        return learn_no_memory(why);
    if (l->n)
        qsort(l->entries, l->n, sizeof *l->entries, by_stem);
    for (size_t i = 1; i < l->n; i++)
        if (!by_stem(&l->entries[i - 1], &l->entries[i]))
            return learn_fail(why, "%s: %s and %s have one name: which is meant?", folder,
                              l->entries[i - 1].name, l->entries[i].name);
    return 0;
}

/* ---- one subset -------------------------------------------------------------------- */

/* The parts of a trial: pictures as in learn_trial.name, then the judgement. */
static const char *part_name(learn_task task, int i)
{
    static const char *const names[2][PARTS] = {{"p0", "p1", "ref", "judge"},
                                                {"p0", "p1", NULL, "same"}};

    return names[task][i];
}

static int read_judge(learn_subset *s, learn_trial *t, const char *folder, const char *name,
                      char why[LEARN_WHY])
{
    char *path = joined(folder, name);
    learn_npy a = {0};
    int status = -1;

    if (!path)
        return learn_no_memory(why);
    if (!learn_npy_read(&a, path, why)) {
        if (a.n != 1)
            learn_fail(why, "%s holds %zu numbers where one is expected", path, a.n);
        else if (!(*a.values >= 0 && *a.values <= 1))
            learn_fail(why, "%s holds %g, which is no fraction from 0 to 1: %s", path,
                       (double)*a.values,
                       s->task == LEARN_2AFC ? "of people who preferred p1"
                                             : "of people who saw no difference");
        else
            status = 0;
        t->judge = *a.values;
    }
    learn_npy_free(&a);
    free(path);
    return status;
}

/* All parts hold the same stems; otherwise what is missing where. */
static int check_names(const learn_subset *s, const listing parts[PARTS], char why[LEARN_WHY])
{
    for (size_t i = 0;; i++) {
        const entry *least = NULL;
        int whose = 0, ended = 0, lists = 0;

        for (int p = 0; p < PARTS; p++) {
            if (!part_name(s->task, p))
                continue;
            lists++;
            ended += i >= parts[p].n;
            if (i < parts[p].n && (!least || by_stem(&parts[p].entries[i], least) < 0)) {
                least = &parts[p].entries[i];
                whose = p;
            }
        }
        if (ended == lists)
            return 0;
        for (int p = 0; p < PARTS; p++)
            if (part_name(s->task, p) &&
                (i >= parts[p].n || by_stem(&parts[p].entries[i], least)))
                return learn_fail(
                    why, "%s: %s/%s has no partner in %s: every trial needs all its files",
                    s->folder, part_name(s->task, whose), least->name, part_name(s->task, p));
    }
}

static int take_trials(learn_subset *s, const listing parts[PARTS], const char *judges,
                       char why[LEARN_WHY])
{
    s->trials = calloc(parts[0].n ? parts[0].n : 1, sizeof *s->trials);
    if (!s->trials)
        return learn_no_memory(why);
    for (size_t i = 0; i < parts[0].n; i++) {
        learn_trial *t = &s->trials[s->n++];

        t->stem = strndup(parts[0].entries[i].name, parts[0].entries[i].stem);
        if (!t->stem)
            return learn_no_memory(why);
        for (int p = 0; p < 3; p++)
            if (part_name(s->task, p) && !(t->name[p] = strdup(parts[p].entries[i].name)))
                return learn_no_memory(why);
        if (read_judge(s, t, judges, parts[3].entries[i].name, why))
            return -1;
    }
    return 0;
}

static int read_subset(learn_subset *s, char why[LEARN_WHY])
{
    listing parts[PARTS] = {0};
    char *folders[PARTS] = {0};
    int status = 0;

    for (int p = 0; p < PARTS && !status; p++) {
        if (!part_name(s->task, p))
            continue;
        folders[p] = joined(s->folder, part_name(s->task, p));
        status = folders[p] ? list(&parts[p], folders[p], p == 3 ? ARRAYS : PICTURES, why)
                            : learn_no_memory(why);
    }
    if (!status)
        status = check_names(s, parts, why);
    if (!status && !parts[0].n)
        status = learn_fail(why, "%s holds no trials: p0 has no pictures", s->folder);
    if (!status)
        status = take_trials(s, parts, folders[3], why);
    for (int p = 0; p < PARTS; p++) {
        listing_free(&parts[p]);
        free(folders[p]);
    }
    return status;
}

/* ---- all of them --------------------------------------------------------------------- */

static bool has(const listing *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->entries[i].name, name))
            return true;
    return false;
}

static int add_subset(walk *w, const char *folder, const listing *inside)
{
    const bool judge = has(inside, "judge"), same = has(inside, "same");
    learn_subset *s;

    if (judge == same)
        return learn_fail(w->why,
                          judge ? "%s: there are both judge (2AFC) and same (JND)"
                                : "%s: there are pictures, but no judgements: neither judge "
                                  "(2AFC) nor same (JND)",
                          folder);
    if (w->task != LEARN_ANY_TASK && w->task != (int)(judge ? LEARN_2AFC : LEARN_JND))
        return 0;
    if (grow(&w->out->subsets, sizeof *s, w->out->n, &w->room))
        return learn_no_memory(w->why);
    s = &w->out->subsets[w->out->n++];
    *s = (learn_subset){.task = judge ? LEARN_2AFC : LEARN_JND, .folder = strdup(folder)};
    return s->folder ? read_subset(s, w->why) : learn_no_memory(w->why);
}

static int visit(walk *w, const char *folder, int depth)
{
    static const char *const passed[] = {"train", "val", ""};
    listing inside;
    int status = list(&inside, folder, FOLDERS, w->why);

    if (!status && (has(&inside, "p0") || has(&inside, "p1"))) {
        status = add_subset(w, folder, &inside);
    } else if (depth < DEPTH_MAX) {
        for (size_t i = 0; i < inside.n && !status; i++) {
            char *below = joined(folder, inside.entries[i].name);

            if (!below)
                status = learn_no_memory(w->why);
            else if (strcmp(inside.entries[i].name, passed[w->split]))
                status = visit(w, below, depth + 1);
            free(below);
        }
    }
    listing_free(&inside);
    return status;
}

static int set_families(learn_bapps *b)
{
    for (size_t i = 0; i < b->n; i++) {
        char *real = realpath(b->subsets[i].folder, NULL);

        b->subsets[i].family = real ? strdup(strrchr(real, '/') + 1) : NULL;
        free(real);
        if (!b->subsets[i].family)
            return -1;
    }
    return 0;
}

static int set_labels(learn_bapps *b)
{
    if (set_families(b))
        return -1;
    for (size_t i = 0; i < b->n; i++) {
        learn_subset *s = &b->subsets[i];
        bool alone = true;

        for (size_t k = 0; k < b->n; k++)
            alone = alone && (k == i || b->subsets[k].task != s->task ||
                              strcmp(b->subsets[k].family, s->family));
        if (!(s->label = strdup(alone ? s->family : s->folder)))
            return -1;
    }
    return 0;
}

int learn_bapps_open(learn_bapps *out, char *const *folders, size_t n, int task,
                     learn_split split, char why[LEARN_WHY])
{
    walk w = {out, 0, task, split, why};
    int status = 0;

    *out = (learn_bapps){0};
    for (size_t i = 0; i < n && !status; i++) {
        const size_t before = out->n;

        status = visit(&w, folders[i], 0);
        if (!status && out->n == before)
            status =
                learn_fail(why,
                           "%s: no %s%strials found in or below it: wanted are folders "
                           "that hold p0, p1 and judge or same",
                           folders[i], task == LEARN_ANY_TASK ? "" : learn_task_name(task),
                           task == LEARN_ANY_TASK ? "" : " ");
    }
    if (!status && set_labels(out))
        status = learn_no_memory(why);
    if (status)
        learn_bapps_free(out);
    return status;
}

void learn_bapps_free(learn_bapps *b)
{
    for (size_t i = 0; i < b->n; i++) {
        learn_subset *s = &b->subsets[i];

        for (size_t k = 0; k < s->n; k++) {
            free(s->trials[k].stem);
            for (int p = 0; p < 3; p++)
                free(s->trials[k].name[p]);
        }
        free(s->trials);
        free(s->folder);
        free(s->family);
        free(s->label);
    }
    free(b->subsets);
    *b = (learn_bapps){0};
}

const char *learn_task_name(learn_task task)
{
    return task == LEARN_2AFC ? "2afc" : "jnd";
}

char *learn_trial_path(const learn_subset *s, const learn_trial *t, int i)
{
    char *folder = joined(s->folder, part_name(s->task, i)), *path;

    path = folder ? joined(folder, t->name[i]) : NULL;
    free(folder);
    return path;
}
