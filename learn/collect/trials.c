/*
 * trials.c - see trials.h.  data/bapps.h wants judgements, which are what is to be made here.
 */
#include "trials.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 5 };

static const char *const parts[] = {"ref", "p0", "p1"};

typedef struct search {
    collect_sources *out;
    int task;
    size_t root; /* length of the folder that was given */
    char *why;
} search;

static char *join(const char *folder, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static bool has_folder(const char *folder, const char *name)
{
    char *path = join(folder, name);
    struct stat st;
    bool is = path && !stat(path, &st) && S_ISDIR(st.st_mode);

    free(path);
    return is;
}

static int visible(const struct dirent *e)
{
    return *e->d_name != '.';
}

static int pictures_only(const struct dirent *e)
{
    static const char *const known[] = {".png", ".jpg", ".jpeg", ".ppm", ".bmp"};
    const char *dot = strrchr(e->d_name, '.');

    for (size_t i = 0; visible(e) && dot && i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(dot, known[i]))
            return 1;
    return 0;
}

static void names_free(struct dirent **names, int n)
{
    while (n > 0)
        free(names[--n]);
    free(names);
}

/* ---- one subset --------------------------------------------------------------------- */

static collect_source *add(collect_sources *s)
{
    if (s->n == s->room) {
        const size_t room = s->room ? 2 * s->room : 64;
        collect_source *grown = reallocarray(s->items, room, sizeof *grown);

        if (!grown)
            return NULL;
        s->items = grown;
        s->room = room;
    }
    s->items[s->n] = (collect_source){0};
    return &s->items[s->n++];
}

static int take(search *q, const char *folder, learn_task task, const char *name)
{
    collect_source *item = add(q->out);
    const char *below = folder + q->root + (folder[q->root] == '/');
    const char *label = *below ? below : strrchr(folder, '/') + 1;

    if (!item || !(item->folder = strdup(folder)) || !(item->label = strdup(label)) ||
        !(item->stem = strndup(name, (size_t)(strrchr(name, '.') - name))))
        return learn_no_memory(q->why);
    for (int i = task == LEARN_JND; i < 3; i++) {
        char **path = &item->path[task == LEARN_JND ? i - 1 : i];

        if (asprintf(path, "%s/%s/%s", folder, parts[i], name) < 0) {
            *path = NULL;
            return learn_no_memory(q->why);
        }
    }
    return 0;
}

/* The names of p0/, which must be those of each part. */
static int take_all(search *q, const char *folder, learn_task task)
{
    struct dirent **names[3] = {0};
    int n[3] = {0}, status = 0;

    for (int i = task == LEARN_JND; i < 3 && !status; i++) {
        char *path = join(folder, parts[i]);

        n[i] = path ? scandir(path, &names[i], pictures_only, alphasort) : -1;
        if (n[i] < 0)
            status = learn_fail(q->why, "%s/%s cannot be read: %s", folder, parts[i],
                                strerror(errno));
        free(path);
    }
    for (int i = task == LEARN_JND; i < 3; i++)
        for (int k = 0; !status && k < (n[i] > n[1] ? n[i] : n[1]); k++)
            if (k >= n[i] || k >= n[1] || strcmp(names[i][k]->d_name, names[1][k]->d_name))
                status = learn_fail(
                    q->why,
                    "%s: p0/ and %s/ do not hold the same names; the first to differ "
                    "is %s: complete that trial, or take it out",
                    folder, parts[i], k < n[1] ? names[1][k]->d_name : names[i][k]->d_name);
    for (int k = 0; !status && k < n[1]; k++)
        status = take(q, folder, task, names[1][k]->d_name);
    for (int i = 0; i < 3; i++)
        names_free(names[i], n[i]);
    return status;
}

static int subset(search *q, const char *folder)
{
    const learn_task task = has_folder(folder, "ref") ? LEARN_2AFC : LEARN_JND;

    if (q->task != LEARN_ANY_TASK && q->task != (int)task)
        return 0;
    if (q->out->n && q->out->task != task)
        return learn_fail(q->why,
                          "%s holds trials of %s, others are of %s, and people are asked one "
                          "question: choose by --kind",
                          folder, learn_task_name(task), learn_task_name(q->out->task));
    q->out->task = task;
    return take_all(q, folder, task);
}

/* ---- below a folder ----------------------------------------------------------------- */

static int descend(search *q, const char *folder, int depth)
{
    struct dirent **names;
    int n, status = 0;

    if (has_folder(folder, "p0") && has_folder(folder, "p1"))
        return subset(q, folder);
    if (depth == DEPTH_MAX)
        return 0;
    n = scandir(folder, &names, visible, alphasort);
    if (n < 0)
        return learn_fail(q->why, "%s cannot be read: %s", folder, strerror(errno));
    for (int i = 0; i < n && !status; i++)
        if (has_folder(folder, names[i]->d_name)) {
            char *path = join(folder, names[i]->d_name);

            status = path ? descend(q, path, depth + 1) : learn_no_memory(q->why);
            free(path);
        }
    names_free(names, n);
    return status;
}

/* Judgements are written by label and name: two of the same would be one. */
static int check_labels(const collect_sources *s, char why[LEARN_WHY])
{
    for (size_t i = 1; i < s->n; i++) {
        const collect_source *a = &s->items[i - 1], *b = &s->items[i];

        for (size_t k = 0; strcmp(a->folder, b->folder) && k < i; k++)
            if (!strcmp(s->items[k].label, b->label))
                return learn_fail(why,
                                  "%s and %s are both called %s: give a folder above both",
                                  s->items[k].folder, b->folder, b->label);
    }
    return 0;
}

int collect_sources_find(collect_sources *out, char *const *folders, size_t n, int task,
                         char why[LEARN_WHY])
{
    search q = {out, task, 0, why};
    int status = 0;

    *out = (collect_sources){0};
    for (size_t i = 0; i < n && !status; i++) {
        char *whole = realpath(folders[i], NULL);

        if (!whole)
            return learn_fail(why, "%s: %s", folders[i], strerror(errno));
        q.root = strlen(whole);
        status = descend(&q, whole, 0);
        free(whole);
    }
    if (!status && !out->n)
        return learn_fail(why,
                          "%s: no trials are in it or below: folders p0 and p1, of 2AFC also "
                          "ref, that hold pictures of the same names",
                          folders[0]);
    return status ? status : check_labels(out, why);
}

void collect_sources_free(collect_sources *s)
{
    while (s->n) {
        collect_source *item = &s->items[--s->n];

        free(item->folder);
        free(item->label);
        free(item->stem);
        for (int i = 0; i < 3; i++)
            free(item->path[i]);
    }
    free(s->items);
    *s = (collect_sources){0};
}
