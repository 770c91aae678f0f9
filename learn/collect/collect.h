/*
 * collect.h - lpips-learn collect: what people see in pictures, from trials to judgements.
 */
#ifndef COLLECT_H
#define COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "learn.h"

/* command.c: lpips-learn collect make | serve | status | import. */
int learn_collect(int argc, char **argv);

typedef struct collect_making {
    char **folders;
    size_t n_folders;
    const char *out, *title; /* title: NULL for the usual one */
    int task;                /* of learn_task, or LEARN_ANY_TASK */
    uint64_t seed;
    int raters;    /* for each item; 0: as the paper */
    int per_rater; /* items for one rater, at most */
    int sentinels; /* for one rater; -1: a twelfth of the items, 12 at least */
    int scale;     /* as in collect_study */
    bool quiet;
} collect_making;

/* make.c: a study and its page in the folder `out`. */
int collect_make(const collect_making *m, char why[LEARN_WHY]);

typedef struct collect_serving {
    const char *dir, *address, *url; /* url: what links begin with, or NULL */
    int port;                        /* 0: one that is free */
    int raters;                      /* links to be there; 0: those that there are */
} collect_serving;

/* serve.c: until SIGINT or SIGTERM. */
int collect_serve(const collect_serving *s, char why[LEARN_WHY]);

typedef struct collect_importing {
    const char *dir;
    char **files;
    size_t n_files;
    const char *into; /* where judgements go instead of beside the pictures; NULL */
    double pass;      /* least part of sentinels that a rater must get right */
    int fastest;      /* ms: a median below leaves a rater out */
    double off;       /* ms: answers to JND pictures shown that much too long or short are
                         left out */
    bool force, dry;  /* replace judgements of others; write nothing */
} collect_importing;

/* import.c: results into the study's store, and judgements out of it. */
int collect_import(const collect_importing *i, char why[LEARN_WHY]);

/* status.c: who answered how much; trials: also each trial. */
int collect_status(const char *dir, bool trials, char why[LEARN_WHY]);

#endif
