/*
 * store.c - see store.h.
 *
 * What a transaction in the write-ahead log holds survives whatever ends the process.
 */
#include "store.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "random.h"

typedef struct place {
    size_t subset, trial;
    sqlite3_int64 stamp;
} place;

struct learn_store {
    sqlite3 *db;
    sqlite3_stmt *insert;
    const learn_bapps *data;
    const learn_measuring *m;
    sqlite3_int64 *judges, *subsets; /* their numbers in the file */
    place *places;                   /* of m's cases */
};

static int failed(const learn_store *s, const char *path, char why[LEARN_WHY])
{
    const int code = s->db ? sqlite3_errcode(s->db) & 255 : SQLITE_NOMEM;
    const char *remedy = "";

    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        remedy = ": name another file with --store, or remove this one";
    else if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY)
        remedy = ": name a file that can be written with --store";
    else if (code == SQLITE_BUSY)
        remedy = ": it is in use by another run";
    return learn_fail(why, "%s, where distances are kept: %s%s", path,
                      s->db ? sqlite3_errmsg(s->db) : "not enough memory", remedy);
}

static const char *path_of(const learn_store *s)
{
    return sqlite3_db_filename(s->db, "main");
}

static int run(const learn_store *s, const char *sql, char why[LEARN_WHY])
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : failed(s, path_of(s), why);
}

static sqlite3_int64 number(const learn_store *s, const char *sql, const char *text)
{
    sqlite3_stmt *q;
    sqlite3_int64 found = -1;

    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
        return -1;
    if (text)
        sqlite3_bind_text(q, 1, text, -1, SQLITE_STATIC);
    if (sqlite3_step(q) == SQLITE_ROW)
        found = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return found;
}

/* A new file gets its tables; another program's is left alone. */
static int check_schema(const learn_store *s, char why[LEARN_WHY])
{
    sqlite3_int64 tables;

    if (run(s, "BEGIN IMMEDIATE", why))
        return -1;
    tables = number(s, "SELECT count(*) FROM sqlite_schema", NULL);
    if (tables == 0 && run(s, LEARN_STORE_SCHEMA, why))
        return -1;
    if (tables && (number(s, "PRAGMA application_id", NULL) != 1819438700 ||
                   number(s, "PRAGMA user_version", NULL) != 1))
        return learn_fail(why,
                          "%s is no store of this version of lpips-learn eval: name another "
                          "file with --store",
                          path_of(s));
    return run(s, "COMMIT", why);
}

/* ---- names to numbers ------------------------------------------------------------------ */

static int number_of(const learn_store *s, const char *table, const char *column,
                     const char *text, sqlite3_int64 *out, char why[LEARN_WHY])
{
    char insert[96], select[96];
    sqlite3_stmt *q;
    int got;

    sqlite3_snprintf(sizeof insert, insert, "INSERT OR IGNORE INTO %s(%s) VALUES(?)", table,
                     column);
    sqlite3_snprintf(sizeof select, select, "SELECT id FROM %s WHERE %s = ?", table, column);
    if (sqlite3_prepare_v2(s->db, insert, -1, &q, NULL) != SQLITE_OK)
        return failed(s, path_of(s), why);
    sqlite3_bind_text(q, 1, text, -1, SQLITE_STATIC);
    got = sqlite3_step(q);
    sqlite3_finalize(q);
    if (got != SQLITE_DONE)
        return failed(s, path_of(s), why);
    *out = number(s, select, text);
    return *out >= 0 ? 0 : failed(s, path_of(s), why);
}

static sqlite3_int64 stamp_of(const learn_case *c)
{
    const char *const paths[3] = {c->reference, c->other[0], c->other[1]};
    uint64_t key = 0;

    for (int i = 0; i < 3; i++) {
        struct stat st;
        char text[80];

        if (!paths[i] || stat(paths[i], &st))
            continue;
        sqlite3_snprintf(sizeof text, text, "%lld %lld.%lld;", (long long)st.st_size,
                         (long long)st.st_mtim.tv_sec, (long long)st.st_mtim.tv_nsec);
        key = learn_random_key(key, text);
    }
    return (sqlite3_int64)(key >> 1);
}

static int set_places(learn_store *s, char why[LEARN_WHY])
{
    size_t at = 0;

    s->judges = calloc(s->m->n_judges + 1, sizeof *s->judges);
    s->subsets = calloc(s->data->n + 1, sizeof *s->subsets);
    s->places = calloc(s->m->n + 1, sizeof *s->places);
    if (!s->judges || !s->subsets || !s->places)
        return learn_no_memory(why);
    for (size_t j = 0; j < s->m->n_judges; j++)
        if (number_of(s, "judge", "identity", s->m->judges[j]->identity, &s->judges[j], why))
            return -1;
    for (size_t i = 0; i < s->data->n; i++) {
        char *folder = realpath(s->data->subsets[i].folder, NULL);
        int status = folder ? number_of(s, "subset", "folder", folder, &s->subsets[i], why)
                            : learn_fail(why, "%s is gone", s->data->subsets[i].folder);

        free(folder);
        if (status)
            return -1;
        for (size_t k = 0; k < s->data->subsets[i].n; k++, at++)
            s->places[at] = (place){i, k, stamp_of(&s->m->cases[at])};
    }
    return 0;
}

/* ---- rows --------------------------------------------------------------------------------
 */

/* The key: ?1 judge, ?2 subset, ?3 size, ?4 stem, ?5 stamp. */
static void bind(const learn_store *s, sqlite3_stmt *q, size_t judge, size_t i)
{
    const place *p = &s->places[i];

    sqlite3_reset(q);
    sqlite3_bind_int64(q, 1, s->judges[judge]);
    sqlite3_bind_int64(q, 2, s->subsets[p->subset]);
    sqlite3_bind_int(q, 3, s->m->size);
    sqlite3_bind_text(q, 4, s->data->subsets[p->subset].trials[p->trial].stem, -1,
                      SQLITE_STATIC);
    sqlite3_bind_int64(q, 5, p->stamp);
}

static double *distances_of(const learn_store *s, size_t judge, size_t i)
{
    return s->m->distances + 2 * (judge * s->m->n + i);
}

static int load(const learn_store *s, char why[LEARN_WHY])
{
    sqlite3_stmt *q;
    int got = SQLITE_DONE;

    if (sqlite3_prepare_v2(s->db,
                           "SELECT d0, d1 FROM distance WHERE judge = ?1 AND subset = ?2 AND "
                           "size = ?3 AND stem = ?4 AND stamp = ?5",
                           -1, &q, NULL) != SQLITE_OK)
        return failed(s, path_of(s), why);
    for (size_t j = 0; j < s->m->n_judges; j++)
        for (size_t i = 0; i < s->m->n && (got == SQLITE_DONE || got == SQLITE_ROW); i++) {
            double *d = distances_of(s, j, i);

            bind(s, q, j, i);
            if ((got = sqlite3_step(q)) != SQLITE_ROW)
                continue;
            d[0] = sqlite3_column_double(q, 0);
            d[1] = s->m->cases[i].other[1] ? sqlite3_column_double(q, 1) : NAN;
        }
    sqlite3_finalize(q);
    return got == SQLITE_DONE || got == SQLITE_ROW ? 0 : failed(s, path_of(s), why);
}

int learn_store_save(void *store, size_t from, size_t to, char why[LEARN_WHY])
{
    const learn_store *s = store;

    if (run(s, "BEGIN IMMEDIATE", why))
        return -1;
    for (size_t j = 0; j < s->m->n_judges; j++)
        for (size_t i = from; i < to; i++) {
            const double *d = distances_of(s, j, i);

            bind(s, s->insert, j, i);
            sqlite3_bind_double(s->insert, 6, d[0]);
            if (s->m->cases[i].other[1])
                sqlite3_bind_double(s->insert, 7, d[1]);
            else
                sqlite3_bind_null(s->insert, 7);
            if (sqlite3_step(s->insert) != SQLITE_DONE) {
                failed(s, path_of(s), why);
                sqlite3_reset(s->insert);
                sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
                return -1;
            }
        }
    sqlite3_reset(s->insert);
    return run(s, "COMMIT", why);
}

int learn_store_open(learn_store **out, const char *path, const learn_bapps *data,
                     const learn_measuring *m, char why[LEARN_WHY])
{
    learn_store *s = calloc(1, sizeof *s);

    *out = s;
    if (!s)
        return learn_no_memory(why);
    s->data = data;
    s->m = m;
    if (sqlite3_open(path, &s->db) != SQLITE_OK) {
        failed(s, path, why);
        goto fail;
    }
    sqlite3_busy_timeout(s->db, 10000);
    if (run(s,
            "PRAGMA trusted_schema=OFF; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
            why) ||
        check_schema(s, why) || run(s, "BEGIN IMMEDIATE", why) || set_places(s, why) ||
        run(s, "COMMIT", why) || load(s, why))
        goto fail;
    if (sqlite3_prepare_v2(
            s->db,
            "INSERT OR REPLACE INTO distance(judge, subset, size, stem, stamp, d0, d1) "
            "VALUES(?, ?, ?, ?, ?, ?, ?)",
            -1, &s->insert, NULL) != SQLITE_OK) {
        failed(s, path, why);
        goto fail;
    }
    return 0;

fail:
    learn_store_close(s);
    *out = NULL;
    return -1;
}

void learn_store_close(learn_store *s)
{
    if (!s)
        return;
    sqlite3_finalize(s->insert);
    sqlite3_close(s->db);
    free(s->judges);
    free(s->subsets);
    free(s->places);
    free(s);
}
