/*
 * dirs.c - what is compared with what: files as they were given, folders name by name.
 */
#include "compare.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Names below a folder, in order of their bytes. */
typedef struct names {
    const char *folder;
    char **name;
    bool *taken;
    size_t n, room;
} names;

/* ---- folders ---------------------------------------------------------------- */

/* What lies beside pictures and is none. */
static bool is_media_name(const char *name)
{
    static const char *const others[] = {"txt", "md",  "json", "csv",    "xml", "html", "log",
                                         "db",  "yml", "yaml", "sha256", "md5", "py",   "sh"};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof others / sizeof *others; i++)
        if (!strcasecmp(dot + 1, others[i]))
            return false;
    return true;
}

static int add(names *list, const char *name)
{
    if (list->n == list->room) {
        const size_t room = list->room ? 2 * list->room : 64;
        char **more = realloc(list->name, room * sizeof *more);

        if (!more)
            return -1;
        list->name = more;
        list->room = room;
    }
    list->name[list->n] = strdup(name);
    return list->name[list->n++] ? 0 : -1;
}

static int take(names *list, const FTSENT *e, size_t prefix, char why[MEDIA_WHY])
{
    const char *name = e->fts_path + prefix;

    if (e->fts_info == FTS_ERR || e->fts_info == FTS_DNR || e->fts_info == FTS_NS) {
        snprintf(why, MEDIA_WHY, "%s: %s", e->fts_path, strerror(e->fts_errno));
        return -1;
    }
    if (e->fts_info != FTS_F || !is_media_name(e->fts_name))
        return 0;
    name += strspn(name, "/");
    if (add(list, name) >= 0)
        return 0;
    snprintf(why, MEDIA_WHY, "out of memory");
    return -1;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_folder(names *list, const char *folder, bool recursive, char why[MEDIA_WHY])
{
    char *paths[] = {(char *)(uintptr_t)folder, NULL};
    FTS *fts = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    FTSENT *e;
    int ret = 0;

    list->folder = folder;
    if (!fts) {
        snprintf(why, MEDIA_WHY, "%s: %s", folder, strerror(errno));
        return -1;
    }
    while (ret >= 0 && (e = fts_read(fts))) {
        const bool hidden = e->fts_level > 0 && e->fts_name[0] == '.';

        if (e->fts_info == FTS_D && e->fts_level > 0 && (hidden || !recursive))
            fts_set(fts, e, FTS_SKIP);
        else if (!hidden)
            ret = take(list, e, strlen(folder), why);
    }
    fts_close(fts);
    if (list->n)
        qsort(list->name, list->n, sizeof *list->name, compare_names);
    list->taken = calloc(list->n + 1, sizeof *list->taken);
    if (ret < 0 || list->taken)
        return ret;
    snprintf(why, MEDIA_WHY, "out of memory");
    return -1;
}

static void free_names(names *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->name[i]);
    free(list->name);
    free(list->taken);
}

/* ---- partners --------------------------------------------------------------- */

/* Where a name stands, or would. */
static size_t place(const names *list, const char *name)
{
    size_t low = 0, high = list->n;

    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (strcmp(list->name[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool holds(const names *list, const char *name)
{
    const size_t i = place(list, name);

    return i < list->n && !strcmp(list->name[i], name);
}

/* The name's length without its extension. */
static size_t stem_of(const char *name)
{
    const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.');

    return dot && dot != name && (!slash || dot > slash + 1) ? (size_t)(dot - name)
                                                             : strlen(name);
}

/* Names that have the stem of `name` and nothing of their own on the other side: how many,
 * and the first. */
static size_t same_stem(const names *list, const names *other, const char *name,
                        size_t *first)
{
    const size_t n = stem_of(name);
    char *stem = strndup(name, n);
    size_t found = 0;

    for (size_t i = stem ? place(list, stem) : list->n;
         i < list->n && !strncmp(list->name[i], stem, n); i++)
        if (stem_of(list->name[i]) == n && !holds(other, list->name[i]) && !found++)
            *first = i;
    free(stem);
    return found;
}

/* The partner of a name: its like, or the only one that differs in the extension. */
static size_t partner(const names *reference, size_t i, const names *distorted)
{
    const char *name = reference->name[i];
    size_t found = place(distorted, name), unused;

    if (found < distorted->n && !strcmp(distorted->name[found], name))
        return found;
    if (same_stem(distorted, reference, name, &found) == 1 &&
        same_stem(reference, distorted, name, &unused) == 1)
        return found;
    return distorted->n;
}

/* ---- items ------------------------------------------------------------------ */

static cli_item *new_item(cli_items *items)
{
    cli_item *more = realloc(items->item, (items->n + 1) * sizeof *more);

    if (!more)
        return NULL;
    items->item = more;
    more[items->n] = (cli_item){NULL, calloc((size_t)items->sets, sizeof(char *))};
    return more[items->n].distorted ? &more[items->n++] : NULL;
}

static char *join(const char *folder, const char *name)
{
    const size_t n = strlen(folder);
    char *path;

    return asprintf(&path, n && folder[n - 1] == '/' ? "%s%s" : "%s/%s", folder, name) < 0
               ? NULL
               : path;
}

static int pair_names(cli_items *items, const names *reference, names *distorted)
{
    for (size_t i = 0; i < reference->n; i++) {
        cli_item *item = new_item(items);

        if (!item || !(item->reference = join(reference->folder, reference->name[i])))
            return -1;
        for (int s = 0; s < items->sets; s++) {
            const size_t k = partner(reference, i, &distorted[s]);

            if (k == distorted[s].n)
                continue;
            distorted[s].taken[k] = true;
            if (!(item->distorted[s] = join(distorted[s].folder, distorted[s].name[k])))
                return -1;
        }
    }
    for (int s = 0; s < items->sets; s++)
        for (size_t i = 0; i < distorted[s].n; i++) {
            cli_item *item = distorted[s].taken[i] ? NULL : new_item(items);

            if (!distorted[s].taken[i] &&
                (!item ||
                 !(item->distorted[s] = join(distorted[s].folder, distorted[s].name[i]))))
                return -1;
        }
    return 0;
}

static int find_in_folders(cli_items *items, const cli_options *o, char why[MEDIA_WHY])
{
    names reference = {0}, *distorted = calloc((size_t)o->sets, sizeof *distorted);
    int ret = distorted ? list_folder(&reference, o->reference, o->recursive, why) : -1;

    for (int s = 0; s < o->sets && ret >= 0; s++)
        ret = list_folder(&distorted[s], o->distorted[s], o->recursive, why);
    if (ret >= 0 && !reference.n) {
        snprintf(why, MEDIA_WHY, "%s holds no pictures or videos%s", o->reference,
                 o->recursive ? "" : " (--recursive looks into its folders)");
        ret = -1;
    } else if (ret >= 0 && pair_names(items, &reference, distorted) < 0) {
        snprintf(why, MEDIA_WHY, "out of memory");
        ret = -1;
    }
    for (int s = 0; distorted && s < o->sets; s++)
        free_names(&distorted[s]);
    free(distorted);
    free_names(&reference);
    return ret;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int find_files(cli_items *items, const cli_options *o)
{
    cli_item *item = new_item(items);

    if (!item || !(item->reference = strdup(o->reference)))
        return -1;
    for (int s = 0; s < o->sets; s++)
        if (!(item->distorted[s] = strdup(o->distorted[s])))
            return -1;
    return 0;
}

int cli_items_find(cli_items *items, const cli_options *o, char why[MEDIA_WHY])
{
    const bool folders = is_folder(o->reference);

    *items = (cli_items){.sets = o->sets, .folders = folders};
    for (int s = 0; s < o->sets; s++)
        if (is_folder(o->distorted[s]) != folders) {
            snprintf(why, MEDIA_WHY, "%s is a folder and %s is not: both or none must be",
                     folders ? o->reference : o->distorted[s],
                     folders ? o->distorted[s] : o->reference);
            return -1;
        }
    if (folders)
        return find_in_folders(items, o, why);
    snprintf(why, MEDIA_WHY, "out of memory");
    return find_files(items, o);
}

void cli_items_free(cli_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        for (int s = 0; s < items->sets; s++)
            free(items->item[i].distorted[s]);
        free(items->item[i].distorted);
        free(items->item[i].reference);
    }
    free(items->item);
}
