/*
 * store.h - distances that were measured, in a file of SQLite, so that a run goes on where it
 * was stopped and nothing is measured twice.
 *
 * judge       identity as in judge.h: a judge whose weights or kernels changed is another
 * subset      folder: its real path
 * distance    of trial `stem` of a subset, its pictures resized to `size` (0: as they are);
 *             stamp: of the lengths and times of the pictures' files, so that other pictures
 *             under the same names are measured anew.  d1 is NULL of JND.
 *
 * Judgements are not kept: they are read from the data each time.
 */
#ifndef LEARN_STORE_H
#define LEARN_STORE_H

#include "data/bapps.h"
#include "measure.h"

#define LEARN_STORE_SCHEMA                                                       \
    "CREATE TABLE judge(id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE);" \
    "CREATE TABLE subset(id INTEGER PRIMARY KEY, folder TEXT NOT NULL UNIQUE);"  \
    "CREATE TABLE distance(judge INTEGER NOT NULL REFERENCES judge(id),"         \
    "  subset INTEGER NOT NULL REFERENCES subset(id), size INTEGER NOT NULL,"    \
    "  stem TEXT NOT NULL, stamp INTEGER NOT NULL, d0 REAL NOT NULL, d1 REAL,"   \
    "  PRIMARY KEY(judge, subset, size, stem)) WITHOUT ROWID;"                   \
    "PRAGMA application_id = 1819438700;" /* "lrnl" */                           \
    "PRAGMA user_version = 1;"

typedef struct learn_store learn_store;

/*
 * Opens the file, or makes it, and fills m->distances with what is in it of the data's
 * trials, which are m's cases in their order.  Data and m must outlive the store.
 */
int learn_store_open(learn_store **out, const char *path, const learn_bapps *data,
                     const learn_measuring *m, char why[LEARN_WHY]);

/* For learn_measuring.save: one transaction. */
int learn_store_save(void *store, size_t from, size_t to, char why[LEARN_WHY]);

void learn_store_close(learn_store *s);

#endif
