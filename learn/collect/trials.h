/*
 * trials.h - the pictures of folders in BAPPS layout that nobody judged yet.
 */
#ifndef COLLECT_TRIALS_H
#define COLLECT_TRIALS_H

#include "data/bapps.h"

typedef struct collect_source {
    char *folder,
        *label; /* of the subset: absolute; below what was given, or its last name */
    char *stem;
    char *path[3]; /* 2AFC: ref, p0, p1; JND: p0, p1 */
} collect_source;

typedef struct collect_sources {
    learn_task task;
    size_t n, room;
    collect_source *items; /* subset by subset, by name within one */
} collect_sources;

/* All trials in and below the folders, which must be of one task; task: of learn_task to take
 * those alone, or LEARN_ANY_TASK.  A trial must be whole. */
int collect_sources_find(collect_sources *out, char *const *folders, size_t n, int task,
                         char why[LEARN_WHY]);
void collect_sources_free(collect_sources *s);

#endif
