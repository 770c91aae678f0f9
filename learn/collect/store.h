/*
 * store.h - all answers to a study: DIR/answers.sqlite.
 *
 * An answer is confirmed to a rater when it is in the file and the file on the disk: the
 * write-ahead log with synchronous=FULL, so that neither a kill nor a power failure takes
 * back what was confirmed.
 */
#ifndef COLLECT_STORE_H
#define COLLECT_STORE_H

#include <sqlite3.h>

#include "results.h"
#include "study.h"

typedef enum collect_use {
    COLLECT_READ,  /* it must be there */
    COLLECT_CHANGE /* made where it is not there */
} collect_use;

/* NULL and 0 where COLLECT_READ finds none. */
int collect_store_open(sqlite3 **out, const char *dir, const collect_study *s,
                       collect_use use, char why[LEARN_WHY]);
void collect_store_close(sqlite3 *db);

int collect_store_do(sqlite3 *db, const char *sql, char why[LEARN_WHY]);

/* The rater of a session, who is added where it is new.  token: of a link, or NULL. */
int collect_store_rater(sqlite3 *db, int number, const char *session, const char *token,
                        int64_t *id, char why[LEARN_WHY]);

typedef enum collect_kept {
    COLLECT_NEW,
    COLLECT_KNOWN,        /* the same was there */
    COLLECT_CONTRADICTION /* another choice was there, and stays */
} collect_kept;

/* Keeps an answer: a collect_kept, or -1. */
int collect_store_answer(sqlite3 *db, int64_t rater, const collect_answer *a,
                         char why[LEARN_WHY]);

typedef struct collect_rater {
    int64_t id;
    char *token; /* NULL: no link was made for it */
    collect_results results;
} collect_rater;

typedef struct collect_raters {
    size_t n;
    collect_rater *of; /* by number, then in the order they came */
} collect_raters;

/* What everybody answered, or the one of an id other than 0.  The file may be a stranger's:
 * all is checked. */
int collect_store_read(sqlite3 *db, const collect_study *s, int64_t id, collect_raters *out,
                       char why[LEARN_WHY]);
void collect_raters_free(collect_raters *r);

/* A database of the same study that lies elsewhere, read-only; 0 where the file is none. */
bool collect_store_is(const char *path);
int collect_store_foreign(sqlite3 **out, const char *path, const collect_study *s,
                          char why[LEARN_WHY]);

/* Folders that judgements were written to by import. */
int collect_store_wrote(sqlite3 *db, const char *folder, char why[LEARN_WHY]);
int collect_store_is_ours(sqlite3 *db, const char *folder, bool *ours, char why[LEARN_WHY]);

#endif
