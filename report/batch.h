/*
 * batch.h - what the files that plan, score and merge share.
 *
 * Functions return 0 or more where all went well and -1 otherwise; `why` then holds one
 * sentence that names the thing, the reason and, where there is one, the remedy.
 */
#ifndef REPORT_BATCH_H
#define REPORT_BATCH_H

#include "csv.h"
#include "report.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes `why` and returns -1. */
int report_fail(char why[REPORT_WHY], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int report_no_memory(char why[REPORT_WHY]);

/* The text of printf(), NULL without memory. */
char *report_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Room for one more of *items, n of them there; 0, or -1 without memory. */
int report_room(void *items, size_t size, size_t n, size_t *room);

/* ---- plan.c: what is to be scored -------------------------------------------- */

enum { REPORT_TODO = 0, REPORT_DONE = 1, REPORT_FAILED = 2 };

typedef struct report_item {
    int64_t id; /* from 1, in the order of the plan */
    char *method, *clip, *subset, *reference, *output, *first, *last; /* '' without */
    char *quality;                                                    /* NULL without */
    double rate;                                                      /* NAN without */
    int every;
    int state;
    int64_t line; /* where the manifest says it, 0: nowhere */
} report_item;

typedef struct report_plan {
    report_item *items;
    size_t n, room;
    bool codec;
    char *title;      /* NULL without */
    char *manifest;   /* its text, or what was asked for in its place */
    const char *unit; /* what it counts: "line" or "item" */
    int every;        /* of items that say nothing */
} report_plan;

/* Adds a copy.  NULL strings are ''; quality stays NULL. */
int report_plan_add(report_plan *p, const report_item *item, char why[REPORT_WHY]);

/* For each clip an item of a method that is made here: "blend" or "repeat". */
int report_plan_baseline(report_plan *p, const char *name, char why[REPORT_WHY]);

/* When all is added: numbers the items, and refuses two of the same name. */
int report_plan_finish(report_plan *p, char why[REPORT_WHY]);

void report_plan_free(report_plan *p);
void report_item_clear(report_item *item);

/* manifest.c.  CSV or JSON, told apart by the first character. */
int report_manifest(report_plan *p, const char *path, char why[REPORT_WHY]);

/* layout.c */
typedef struct report_method {
    const char *name;
    const char *root; /* NULL: it is made here */
} report_method;

int report_layout(report_plan *p, const char *layout, const char *root,
                  const report_method *methods, size_t n, char why[REPORT_WHY]);

/* ---- files.c ------------------------------------------------------------------ */

/* path as it is if absolute, else below folder; the caller frees. */
char *report_join(const char *folder, const char *path);
/* path as seen from here, without slashes at its end; the caller frees. */
char *report_absolute(const char *path);
/* The folder that a file lies in, absolute. */
char *report_folder_of(const char *path);

/* Names in a folder but hidden ones, those accepted by `keep`, in natural order: numbers
 * within names by value.  Free with report_names_free(). */
int report_names(const char *folder, bool (*keep)(const char *folder, const char *name),
                 char ***names, size_t *n, char why[REPORT_WHY]);
void report_names_free(char **names, size_t n);
int report_natural(const char *a, const char *b);

bool report_is_folder(const char *folder, const char *name);
/* By its name alone. */
bool report_is_picture(const char *folder, const char *name);
bool report_exists(const char *path);

/* ---- store.c: the SQLite file --------------------------------------------------- */

#define REPORT_STORE_NAME "report.sqlite"

typedef struct report_score {
    int metric; /* its id */
    int64_t frame;
    double value; /* NAN is stored as NULL */
} report_score;

typedef enum report_store_use {
    REPORT_READ,  /* changes nothing */
    REPORT_RUN,   /* the plan's own store: others may read meanwhile */
    REPORT_SHARD, /* a shard's: kept by one process, and appended to only */
    REPORT_COPY   /* thrown away if anything goes wrong */
} report_store_use;

int report_store_open(sqlite3 **out, const char *path, report_store_use use,
                      char why[REPORT_WHY]);

/* Closes a store that was written to, so that one file is left. */
int report_store_close(sqlite3 *db, char why[REPORT_WHY]);

/* The items that a store holds: of n parts the one of number i from 1 (1 of 1: all). */
void report_items_free(report_item *items, size_t n);
int report_store_items(sqlite3 *db, report_item **items, size_t *n, int64_t i, int64_t parts,
                       char why[REPORT_WHY]);

/* about.key into *value, which the caller frees; NULL where there is none. */
int report_store_about(sqlite3 *db, const char *key, char **value, char why[REPORT_WHY]);

/* The one number that a query gives, 0 where it gives none; parameter is for its "?". */
int report_store_number(sqlite3 *db, int64_t *value, char why[REPORT_WHY], const char *sql,
                        int64_t parameter);

/* In one transaction: scores, and if state is not REPORT_TODO what became of the item.  The
 * scores of one that failed are taken out. */
typedef struct report_outcome {
    int64_t id;
    int state;
    const char *error; /* of a failed one */
    int64_t frames;
    double rate; /* measured, NAN: leave */
    double seconds;
} report_outcome;

int report_store_save(sqlite3 *db, const report_outcome *o, const report_score *scores,
                      size_t n, char why[REPORT_WHY]);

int report_sql(sqlite3 *db, char why[REPORT_WHY], const char *sql);
int report_sql_failed(sqlite3 *db, char why[REPORT_WHY]);

/* ---- settings.c: which metrics ---------------------------------------------------- */

typedef struct report_settings {
    int nets[3]; /* lpips_net */
    int n_nets;
    bool psnr, ssim, tlpips;
} report_settings;

/* Those that a store asks for. */
int report_settings_load(sqlite3 *db, report_settings *s, char why[REPORT_WHY]);

/* "alex,vgg" and "lpips,psnr", as the command line has them. */
int report_settings_nets(report_settings *s, const char *list, char why[REPORT_WHY]);
int report_settings_metrics(report_settings *s, const char *list, char why[REPORT_WHY]);

/* A new store with all of the plan in it, at path, whole or not at all.  about: keys and
 * values by turns, then NULL. */
int report_store_create(const char *path, const report_plan *p,
                        const report_settings *settings, const char *const *about,
                        char why[REPORT_WHY]);

/* ---- measure.c: the numbers of one item ------------------------------------------- */

typedef struct report_measure report_measure;

/* threads: of the scoring.  One for each worker; `like` is another to share weights with, or
 * NULL. */
int report_measure_open(report_measure **out, const report_settings *settings,
                        const report_measure *like, int threads, char why[REPORT_WHY]);

/* Before items are measured: the store's numbers of the metrics, and whether the weights are
 * those that its plan was made with. */
int report_measure_bind(report_measure *m, sqlite3 *db, char why[REPORT_WHY]);

/* What is behind net i: as lpips_describe() says it, with the whole hash; the caller frees.
 */
char *report_measure_describe(const report_measure *m, int i);

/* What a measurement is told, and tells meanwhile. */
typedef struct report_sink {
    /* Scores that came since, of whole frames in order; not 0: end it all. */
    int (*save)(void *opaque, const report_score *scores, size_t n);
    void (*progress)(void *opaque, int64_t frames, int64_t expected);
    void *opaque;
    const volatile sig_atomic_t *stop;
} report_sink;

/* What is left to save when it ends; lives until the next call. */
typedef struct report_measured {
    const report_score *scores;
    size_t n;
    int64_t frames;
    double kbit_s; /* 0: unknown */
} report_measured;

/* Scores an item from frame `from` on.  1 where it ended, 0 where `stop` was set or `save`
 * failed before, -1 with a sentence that is the item's own failure. */
int report_measure_item(report_measure *m, const report_item *item, int64_t from,
                        const report_sink *sink, report_measured *out, char why[REPORT_WHY]);
void report_measure_close(report_measure *m);

/* ---- transfer.c ------------------------------------------------------------------- */

/* Another store as "other". */
int report_attach(sqlite3 *db, const char *path, char why[REPORT_WHY]);

/* path: what to name when `other` has another plan than `main`. */
int report_same_plan(sqlite3 *db, const char *path, char why[REPORT_WHY]);

/* From `other` into `main` what belongs to shard i of n and is chosen by `which`, a condition
 * on the items `mine` and `theirs`. */
int report_import(sqlite3 *db, int64_t i, int64_t n, const char *which, char why[REPORT_WHY]);

int report_settle_file(const char *path, const char *name, char why[REPORT_WHY]);

/* ---- run.c, shard.c, merge.c ------------------------------------------------- */

typedef struct report_run_options {
    int workers;           /* 0: as many as there are cores */
    int64_t shard, shards; /* 1 of 1: no shards */
    bool retry;            /* those that failed, too */
    bool quiet;
    const volatile sig_atomic_t *stop;
} report_run_options;

#define REPORT_SHARDS_MAX 100000

/* The lock of a folder, so that no two runs do everything twice: it goes when fd is closed,
 * or with its process. */
int report_lock(const char *folder, int *fd, char why[REPORT_WHY]);

/* 1: all is done; 0: stopped before. */
int report_run(const char *folder, const report_run_options *o, char why[REPORT_WHY]);
int report_run_store(sqlite3 *db, const report_run_options *o, char why[REPORT_WHY]);

/* Scores one shard into its own store below folder/shards; as report_run(). */
int report_shard_run(const char *folder, const report_run_options *o, char why[REPORT_WHY]);

/* The shards' stores into the plan's own.  shards: how many there are, 0: to be seen from the
 * files there. */
int report_merge(const char *folder, int64_t shards, char why[REPORT_WHY]);

#endif
