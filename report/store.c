/*
 * store.c - the SQLite file that all results go into.
 *
 * Why a killed run loses nothing that was done: an item's last scores and its state are one
 * transaction in a write-ahead log, and what the log holds the operating system holds,
 * whatever happens to the process.  synchronous=NORMAL does not wait for the disk at each
 * transaction; should the power fail, the last ones may be missing, whole, and are scored
 * again.  FULL would buy those seconds back with a wait for each of many small items.
 *
 * A shard's store is used by one process and may lie on a network file system, where the
 * shared memory that such logs otherwise need is not to be had: locking_mode=EXCLUSIVE does
 * without. Nothing is moved from the log to the file before the end, so that both only ever
 * grow and a copy taken at any moment, even on another host, is whole up to some transaction:
 * the log's checksums tell where it ends.  shard.c rests on that.
 */
#include "batch.h"

#include <lpips.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int report_sql_failed(sqlite3 *db, char why[REPORT_WHY])
{
    const char *file = db ? sqlite3_db_filename(db, "main") : NULL;
    const char *said = db ? sqlite3_errmsg(db) : "out of memory";

    switch (db ? sqlite3_errcode(db) & 255 : SQLITE_NOMEM) {
    case SQLITE_BUSY:
        return report_fail(why, "%s is in use by another run: wait for its end", file);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return report_fail(why,
                           "%s is damaged or no store of lpips report (%s): plan anew into "
                           "another folder",
                           file, said);
    default:
        return report_fail(why, "%s: %s", file ? file : "the store", said);
    }
}

int report_sql(sqlite3 *db, char why[REPORT_WHY], const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                : report_sql_failed(db, why);
}

static int prepare(sqlite3 *db, sqlite3_stmt **s, char why[REPORT_WHY], const char *sql)
{
    return sqlite3_prepare_v2(db, sql, -1, s, NULL) == SQLITE_OK ? 0
                                                                 : report_sql_failed(db, why);
}

static int check_version(sqlite3 *db, char why[REPORT_WHY])
{
    int64_t version;

    if (report_store_number(db, &version, why, "PRAGMA user_version", 0))
        return -1;
    return version == 1 ? 0
                        : report_fail(why, "%s is no store of this version of lpips report",
                                      sqlite3_db_filename(db, "main"));
}

int report_store_open(sqlite3 **out, const char *path, report_store_use use,
                      char why[REPORT_WHY])
{
    static const char *const how[] = {
        "PRAGMA trusted_schema=OFF",
        "PRAGMA trusted_schema=OFF; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        "PRAGMA trusted_schema=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
        "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0",
        "PRAGMA trusted_schema=OFF; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF"};
    sqlite3 *db;

    *out = NULL;
    if (!report_exists(path))
        return report_fail(why, "%s: there is no such store; `lpips report plan` makes one",
                           path);
    if (sqlite3_open_v2(path, &db,
                        use == REPORT_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE,
                        NULL) != SQLITE_OK) {
        report_sql_failed(db, why);
        goto fail;
    }
    sqlite3_busy_timeout(db, 10000);
    if (use == REPORT_SHARD)
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (report_sql(db, why, how[use]) || check_version(db, why))
        goto fail;
    *out = db;
    return 0;

fail:
    sqlite3_close(db);
    return -1;
}

int report_store_close(sqlite3 *db, char why[REPORT_WHY])
{
    /* Somebody who reads just now keeps the log alive; the next one to close tidies it up. */
    sqlite3_busy_timeout(db, 500);
    sqlite3_exec(db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
    if (sqlite3_close(db) == SQLITE_OK)
        return 0;
    report_sql_failed(db, why);
    sqlite3_close_v2(db);
    return -1;
}

/* ---- a plan into a new store ------------------------------------------------------ */

static int insert_text(sqlite3 *db, const char *sql, const char *const *texts, int n,
                       char why[REPORT_WHY])
{
    sqlite3_stmt *s;
    int got;

    if (prepare(db, &s, why, sql))
        return -1;
    for (int i = 0; i < n; i++)
        sqlite3_bind_text(s, i + 1, texts[i], -1, SQLITE_STATIC);
    got = sqlite3_step(s);
    sqlite3_finalize(s);
    return got == SQLITE_DONE ? 0 : report_sql_failed(db, why);
}

static int insert_about(sqlite3 *db, const char *const *about, char why[REPORT_WHY])
{
    for (; *about; about += 2)
        if (insert_text(db, "INSERT INTO about VALUES(?, ?)", about, 2, why))
            return -1;
    return 0;
}

static int insert_metrics(sqlite3 *db, const report_settings *settings, char why[REPORT_WHY])
{
    const char *const add =
        "INSERT INTO metric(name, text, lower, pooled) VALUES(?, ?, ?, 'mean')";

    for (int temporal = 0; temporal <= settings->tlpips; temporal++)
        for (int i = 0; i < settings->n_nets; i++) {
            const char *net = lpips_net_name((lpips_net)settings->nets[i]);
            char name[32], text[48];

            snprintf(name, sizeof name, "%slpips_%s", temporal ? "t" : "", net);
            snprintf(text, sizeof text, "%s (%s)", temporal ? "tLP" : "LPIPS", net);
            if (insert_text(db, add, (const char *[]){name, text, "1"}, 3, why))
                return -1;
        }
    if (settings->psnr &&
        insert_text(db, add, (const char *[]){"psnr", "PSNR (dB)", "0"}, 3, why))
        return -1;
    return settings->ssim
               ? insert_text(db, add, (const char *[]){"ssim", "SSIM", "0"}, 3, why)
               : 0;
}

static int insert_item(sqlite3_stmt *s, const report_item *item)
{
    const char *const texts[] = {item->method, item->clip,  item->subset, item->reference,
                                 item->output, item->first, item->last,   item->quality};

    sqlite3_reset(s);
    for (int i = 0; i < 8; i++)
        sqlite3_bind_text(s, i + 1, texts[i], -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 9, item->id);
    sqlite3_bind_int(s, 10, item->every);
    if (isnan(item->rate))
        sqlite3_bind_null(s, 11);
    else
        sqlite3_bind_double(s, 11, item->rate);
    return sqlite3_step(s) == SQLITE_DONE ? 0 : -1;
}

static int insert_items(sqlite3 *db, const report_plan *p, char why[REPORT_WHY])
{
    sqlite3_stmt *s;
    int status = 0;

    if (prepare(
            db, &s, why,
            "INSERT INTO item(method, clip, subset, reference, output, first, last, quality, "
            "id, every, rate) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"))
        return -1;
    for (size_t i = 0; i < p->n && !status; i++)
        if (insert_item(s, &p->items[i]))
            status = report_sql_failed(db, why);
    sqlite3_finalize(s);
    return status;
}

int report_store_create(const char *path, const report_plan *p,
                        const report_settings *settings, const char *const *about,
                        char why[REPORT_WHY])
{
    char *new = report_text("%s.%ld.new", path, (long)getpid());
    sqlite3 *db = NULL;
    int status;

    if (!new)
        return report_no_memory(why);
    unlink(new);
    status = sqlite3_open(new, &db) != SQLITE_OK ? report_sql_failed(db, why) : 0;
    if (!status)
        status = report_sql(db, why, "BEGIN;" REPORT_SCHEMA) ||
                         insert_about(db, about, why) || insert_metrics(db, settings, why) ||
                         insert_items(db, p, why) || report_sql(db, why, "COMMIT")
                     ? -1
                     : 0;
    if (sqlite3_close(db) != SQLITE_OK && !status)
        status = report_fail(why, "%s cannot be closed", new);
    if (!status && rename(new, path))
        status = report_fail(why, "%s cannot be renamed", new);
    if (status)
        unlink(new);
    free(new);
    return status;
}

/* ---- what is in it ------------------------------------------------------------------ */

static char *text_at(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);

    return text ? strdup(text) : NULL;
}

static int read_item(sqlite3_stmt *s, report_item *item)
{
    char **const texts[] = {&item->method, &item->clip,  &item->subset, &item->reference,
                            &item->output, &item->first, &item->last,   &item->quality};
    int missing = 0;

    memset(item, 0, sizeof *item);
    for (int i = 0; i < 8; i++)
        missing |= !(*texts[i] = text_at(s, i)) && i < 7;
    item->id = sqlite3_column_int64(s, 8);
    item->every = sqlite3_column_int(s, 9);
    item->rate =
        sqlite3_column_type(s, 10) == SQLITE_NULL ? NAN : sqlite3_column_double(s, 10);
    item->state = sqlite3_column_int(s, 11);
    return missing ? -1 : 0;
}

void report_items_free(report_item *items, size_t n)
{
    while (n)
        report_item_clear(&items[--n]);
    free(items);
}

int report_store_items(sqlite3 *db, report_item **items, size_t *n, int64_t i, int64_t parts,
                       char why[REPORT_WHY])
{
    sqlite3_stmt *s;
    size_t room = 0;
    int got;

    *items = NULL;
    *n = 0;
    if (prepare(db, &s, why,
                "SELECT method, clip, subset, reference, output, first, last, quality, id, "
                "every, "
                "rate, state FROM item WHERE id % ?2 = ?1 - 1 ORDER BY id"))
        return -1;
    sqlite3_bind_int64(s, 1, i);
    sqlite3_bind_int64(s, 2, parts);
    while ((got = sqlite3_step(s)) == SQLITE_ROW) {
        if (report_room(items, sizeof **items, *n, &room) ||
            read_item(s, &(*items)[(*n)++])) {
            got = SQLITE_NOMEM;
            break;
        }
    }
    if (got == SQLITE_DONE) {
        sqlite3_finalize(s);
        return 0;
    }
    if (got == SQLITE_NOMEM)
        report_no_memory(why);
    else
        report_sql_failed(db, why);
    sqlite3_finalize(s);
    report_items_free(*items, *n);
    *items = NULL;
    *n = 0;
    return -1;
}

int report_store_about(sqlite3 *db, const char *key, char **value, char why[REPORT_WHY])
{
    sqlite3_stmt *s;
    int got;

    *value = NULL;
    if (prepare(db, &s, why, "SELECT value FROM about WHERE key = ?"))
        return -1;
    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    got = sqlite3_step(s);
    if (got == SQLITE_ROW && !(*value = text_at(s, 0)))
        got = SQLITE_NOMEM;
    sqlite3_finalize(s);
    return got == SQLITE_ROW || got == SQLITE_DONE ? 0 : report_sql_failed(db, why);
}

int report_store_number(sqlite3 *db, int64_t *value, char why[REPORT_WHY], const char *sql,
                        int64_t parameter)
{
    sqlite3_stmt *s;
    int got;

    *value = 0;
    if (prepare(db, &s, why, sql))
        return -1;
    if (sqlite3_bind_parameter_count(s))
        sqlite3_bind_int64(s, 1, parameter);
    got = sqlite3_step(s);
    if (got == SQLITE_ROW)
        *value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return got == SQLITE_ROW || got == SQLITE_DONE ? 0 : report_sql_failed(db, why);
}

/* ---- results --------------------------------------------------------------------------- */

static int save_scores(sqlite3 *db, int64_t id, const report_score *scores, size_t n,
                       char why[REPORT_WHY])
{
    sqlite3_stmt *s;
    int status = 0;

    if (prepare(db, &s, why, "INSERT OR REPLACE INTO score VALUES(?, ?, ?, ?)"))
        return -1;
    for (size_t i = 0; i < n && !status; i++) {
        sqlite3_reset(s);
        sqlite3_bind_int64(s, 1, id);
        sqlite3_bind_int(s, 2, scores[i].metric);
        sqlite3_bind_int64(s, 3, scores[i].frame);
        if (isnan(scores[i].value))
            sqlite3_bind_null(s, 4);
        else
            sqlite3_bind_double(s, 4, scores[i].value);
        if (sqlite3_step(s) != SQLITE_DONE)
            status = report_sql_failed(db, why);
    }
    sqlite3_finalize(s);
    return status;
}

/* Seconds add up over the attempts that an item took. */
static int save_item(sqlite3 *db, const report_outcome *o, char why[REPORT_WHY])
{
    sqlite3_stmt *s;
    int got;

    if (prepare(
            db, &s, why,
            "UPDATE item SET state = ?2, error = ?3, frames = ?4, rate = coalesce(rate, ?5), "
            "seconds = coalesce(seconds, 0) + ?6 WHERE id = ?1"))
        return -1;
    sqlite3_bind_int64(s, 1, o->id);
    sqlite3_bind_int(s, 2, o->state);
    sqlite3_bind_text(s, 3, o->state == REPORT_FAILED ? o->error : NULL, -1, SQLITE_STATIC);
    if (o->state == REPORT_DONE)
        sqlite3_bind_int64(s, 4, o->frames);
    if (!isnan(o->rate))
        sqlite3_bind_double(s, 5, o->rate);
    sqlite3_bind_double(s, 6, o->seconds);
    got = sqlite3_step(s);
    sqlite3_finalize(s);
    return got == SQLITE_DONE ? 0 : report_sql_failed(db, why);
}

static int drop_scores(sqlite3 *db, int64_t id, char why[REPORT_WHY])
{
    char sql[80];

    snprintf(sql, sizeof sql, "DELETE FROM score WHERE item = %lld", (long long)id);
    return report_sql(db, why, sql);
}

int report_store_save(sqlite3 *db, const report_outcome *o, const report_score *scores,
                      size_t n, char why[REPORT_WHY])
{
    int status = report_sql(db, why, "BEGIN IMMEDIATE");

    if (status)
        return -1;
    status = o->state == REPORT_FAILED ? drop_scores(db, o->id, why)
                                       : save_scores(db, o->id, scores, n, why);
    if (!status)
        status = save_item(db, o, why);
    if (!status)
        status = report_sql(db, why, "COMMIT");
    if (status)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}
