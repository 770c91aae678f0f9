/*
 * share.h - items of work shared out to threads, with progress for people.
 */
#ifndef DISTORT_SHARE_H
#define DISTORT_SHARE_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "learn.h"
#include "progress.h"

typedef struct distort_share distort_share;

struct distort_share {
    size_t items, steps; /* steps: of all items together, for the progress */
    int workers;
    bool quiet;
    const volatile sig_atomic_t *stop; /* not 0: the work is to end */
    void *context;

    /* Does an item, and calls distort_share_step() after each of its steps; ends early, with
     * any result but a failure, where that is not 0. -1 and why. room: the worker's own. */
    int (*work)(distort_share *s, size_t item, void *room, char why[LEARN_WHY]);

    /* What a worker needs for itself; NULL: nothing. open: NULL without memory. */
    void *(*open)(distort_share *s);
    void (*close)(void *room);

    /* share.c's own. */
    size_t next; /* the first that no worker took yet */
    pthread_mutex_t lock;
    report_progress progress;
    bool failed;
    size_t failed_at; /* the item of the sentence below */
    char why[LEARN_WHY];
};

/* 0; 1 when stopped; -1 and why. Of several failures the one of the first item is told,
 * whoever was quicker. */
int distort_share_run(distort_share *s, char why[LEARN_WHY]);

/* One step is done; not 0: there is no use in going on. */
int distort_share_step(distort_share *s);

#endif
