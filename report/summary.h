/*
 * summary.h - what a store says, read once, and what follows from it.
 *
 * An entry is what has a line of its own in the tables: a method, or a codec at one of its
 * qualities.  A clip is a name within a subset.  Everything is in the order of the store's
 * item numbers, which is that of the manifest.
 */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "report.h"
#include "stats.h"

typedef struct report_metric {
    int64_t id;
    char *name, *text;
    bool lower; /* is better */
    int digits; /* after the point, for people */
    bool is_lpips;
} report_metric;

typedef struct report_clip {
    char *name;
    size_t subset;
} report_clip;

typedef struct report_entry {
    size_t method;
    char *quality; /* NULL: none */
    int take;      /* 1; 2 ... where a clip has several items of this name */
} report_entry;

/* The value of an item and what hides behind it. */
typedef struct report_pool {
    size_t frames; /* with a value */
    size_t equal;  /* NULL in the store: PSNR of equal frames, left out of all that follows */
    double mean, median;
    double tail; /* the percentile that 5 % of frames are worse than */
    double worst;
    int64_t worst_frame;
} report_pool;

enum report_result_state {
    REPORT_RESULT_TODO = 0,
    REPORT_RESULT_DONE = 1,
    REPORT_RESULT_FAILED = 2
};

typedef struct report_result {
    int64_t id;
    size_t entry, method, clip;
    double rate; /* NAN: none */
    int state;
    char *error;       /* NULL: none */
    int64_t frames;    /* 0: unknown */
    report_pool *pool; /* one for each metric */
} report_result;

/* Over the clips that every entry has a value for. */
typedef struct report_cell {
    report_interval mean; /* n of 0: none */
    double median;
    size_t own; /* clips this entry has a value for */
    bool best;  /* of its column, after rounding to digits */
} report_cell;

typedef struct report_group {
    const char *subset; /* NULL: all clips */
    size_t clips;
    size_t *common;    /* for each metric: clips that all entries have */
    report_cell *cell; /* [entry * metrics + metric] */
    double *rate;      /* for each entry: mean over its clips, NAN: none */
} report_group;

/* Two methods on the clips both have: differences a - b. */
typedef struct report_pair {
    size_t metric, a, b; /* entries */
    report_interval difference;
    report_test test;
} report_pair;

/* A codec beside the anchor. */
typedef struct report_delta {
    size_t metric, method;
    enum report_scale scale;
    report_bd *clip; /* for each clip */
    size_t scored;
    report_interval mean; /* of the percentages */
    report_test test;     /* against 0 */
} report_delta;

typedef struct report_fact {
    char *key, *value;
} report_fact;

typedef struct report_summary {
    bool codec;
    report_fact *facts;
    report_metric *metrics;
    char **methods, **subsets;
    report_clip *clips;
    report_entry *entries;
    report_result *items;
    report_group *groups; /* all clips, then each subset where there are several */
    report_pair *pairs;
    report_delta *deltas;
    size_t n_facts, n_metrics, n_methods, n_subsets, n_clips, n_entries, n_items, n_groups,
        n_pairs, n_deltas;
    size_t anchor;   /* method that rates are compared with */
    size_t primary;  /* metric that ranks: the first LPIPS, else the first */
    size_t count[3]; /* items by state */
    int64_t frames;  /* scored, all items */
} report_summary;

/* NULL and why: no store of this schema, or memory is short. */
report_summary *report_summary_read(sqlite3 *store, char why[REPORT_WHY]);
void report_summary_free(report_summary *s);

/* means.c: groups, pairs and deltas of what was read. */
int report_compare(report_summary *s, char why[REPORT_WHY]);

/* A fact of `about`, "" where there is none. */
const char *report_fact_of(const report_summary *s, const char *key);

/* What to say where intervals stand on few clips; NULL where none does. */
const char *report_few_clips(const report_summary *s);

/* How report_delta.scale is called: "-LPIPS" ... */
const char *report_scale_name(enum report_scale scale);

/* The items of clip and method that are done, in order of id; returns how many, at most
 * `most`. */
size_t report_points(const report_summary *s, size_t clip, size_t method, size_t *item,
                     size_t most);

/* Calls each(opaque, item index, metric index, frames, values, n) for every item that is done
 * and each of its metrics, in order; values are NAN where the store has NULL.  Stops where
 * `each` returns other than 0 and gives that back; -1 and why where the store fails. */
typedef int (*report_each)(void *opaque, size_t item, size_t metric, const int64_t *frames,
                           const double *values, size_t n);
int report_for_frames(sqlite3 *store, const report_summary *s, report_each each, void *opaque,
                      char why[REPORT_WHY]);

#endif
