/*
 * folder.c - the plan's own store in its folder: one run at a time, and shards put together.
 */
#include "batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

int report_lock(const char *folder, int *fd, char why[REPORT_WHY])
{
    char *path = report_join(folder, "run.lock");

    if (!path)
        return report_no_memory(why);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*fd < 0)
        report_fail(why, "%s: %s", path, strerror(errno));
    else if (flock(*fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
        report_fail(why, "%s: another run is at work here: wait for its end", folder);
        close(*fd);
        *fd = -1;
    }
    free(path);
    return *fd < 0 ? -1 : 0;
}

/* Nothing is left behind in a folder without a plan. */
static int open_locked(const char *folder, const char *path, sqlite3 **db, int *fd,
                       char why[REPORT_WHY])
{
    *fd = -1;
    if (report_store_open(db, path, REPORT_READ, why))
        return -1;
    sqlite3_close(*db);
    *db = NULL;
    return report_lock(folder, fd, why) || report_store_open(db, path, REPORT_RUN, why) ? -1
                                                                                        : 0;
}

int report_run(const char *folder, const report_run_options *o, char why[REPORT_WHY])
{
    char *path = report_join(folder, REPORT_STORE_NAME), closing[REPORT_WHY];
    sqlite3 *db = NULL;
    int fd = -1, status;

    if (!path)
        return report_no_memory(why);
    status = open_locked(folder, path, &db, &fd, why);
    if (!status)
        status = report_run_store(db, o, why);
    if (db && report_store_close(db, closing) && status >= 0)
        status = report_fail(why, "%s", closing);
    if (fd >= 0)
        close(fd);
    free(path);
    return status;
}

/* ---- merging -------------------------------------------------------------------------- */

/* "3-of-8.sqlite" */
static bool parse_name(const char *name, int64_t *i, int64_t *n)
{
    long long a, b;
    int end = 0;

    if (sscanf(name, "%lld-of-%lld.sqlite%n", &a, &b, &end) != 2 || !end || name[end] ||
        a < 1 || a > b || b > REPORT_SHARDS_MAX)
        return false;
    *i = a;
    *n = b;
    return true;
}

static bool is_shard(const char *folder, const char *name)
{
    int64_t i, n;

    (void)folder;
    return parse_name(name, &i, &n);
}

/* Which of n shards lack, as "2, 5 and 3 more"; how many, or -1 without memory. */
static int64_t lacking(char *const *names, size_t count, int64_t n, char *text, size_t size)
{
    bool *there = calloc((size_t)n + 1, sizeof *there);
    int64_t lack = 0, told = 0, i, of;
    size_t at = 0;

    if (!there)
        return -1;
    text[0] = 0;
    for (size_t k = 0; k < count; k++)
        if (parse_name(names[k], &i, &of) && of == n)
            there[i] = true;
    for (i = 1; i <= n; i++)
        if (!there[i] && ++lack <= 20)
            at += (size_t)snprintf(text + at, size - at, "%s%lld", told++ ? ", " : "",
                                   (long long)i);
    if (lack > told)
        snprintf(text + at, size - at, " and %lld more", (long long)(lack - told));
    free(there);
    return lack;
}

/* The number of shards that all are there for; wanted: 0, or that number. */
static int count_shards(const char *folder, int64_t wanted, int64_t *shards,
                        char why[REPORT_WHY])
{
    char *path = report_join(folder, "shards"), **names = NULL, lack[300] = "", text[300];
    size_t count = 0;
    int64_t best = 0, missing = 0;
    int status = path ? 0 : report_no_memory(why);

    if (!status && report_exists(path))
        status = report_names(path, is_shard, &names, &count, why);
    *shards = 0;
    for (size_t k = 0; k < count && !status && !*shards; k++) {
        int64_t i, n, m;

        parse_name(names[k], &i, &n);
        if (wanted && n != wanted)
            continue;
        m = lacking(names, count, n, text, sizeof text);
        if (m < 0)
            status = report_no_memory(why);
        if (!m)
            *shards = n;
        if (!best || m < missing) {
            best = n;
            missing = m;
            memcpy(lack, text, sizeof lack);
        }
    }
    if (!status && !*shards && best)
        status = report_fail(why,
                             "of %lld shards, %lld lack: %s; complete each by `lpips report "
                             "run --shard %.*s/%lld FOLDER`",
                             (long long)best, (long long)missing, lack,
                             (int)strcspn(lack, ", "), lack, (long long)best);
    else if (!status && !*shards)
        status = report_fail(why,
                             "%s: no complete shards are there; `lpips report run --shard "
                             "1/N FOLDER` makes the first of N",
                             folder);
    report_names_free(names, count);
    free(path);
    return status;
}

static int merge_one(sqlite3 *db, const char *folder, int64_t i, int64_t n,
                     char why[REPORT_WHY])
{
    char *path =
        report_text("%s/shards/%lld-of-%lld.sqlite", folder, (long long)i, (long long)n);
    int64_t undone = 0;
    int status;

    if (!path)
        return report_no_memory(why);
    status = report_attach(db, path, why);
    if (!status) {
        char *sql = sqlite3_mprintf(
            "SELECT count(*) FROM other.item WHERE id %% %lld = %lld AND state = 0",
            (long long)n, (long long)(i - 1));

        status = report_same_plan(db, path, why);
        if (!status)
            status =
                sql ? report_store_number(db, &undone, why, sql, 0) : report_no_memory(why);
        sqlite3_free(sql);
        if (!status && undone)
            status = report_fail(why,
                                 "%s lacks %lld items: remove it, and run shard %lld/%lld "
                                 "again",
                                 path, (long long)undone, (long long)i, (long long)n);
        if (!status)
            status = report_import(db, i, n, "1", why);
        if (!status)
            status = report_sql(db, why, "DETACH other");
    }
    free(path);
    return status;
}

/* A copy is worked on, so that the store changes at once or not at all. */
static int merge_into(const char *folder, const char *copy, int64_t shards,
                      char why[REPORT_WHY])
{
    sqlite3 *db;
    int status = report_store_open(&db, copy, REPORT_COPY, why);

    for (int64_t i = 1; i <= shards && !status; i++)
        status = merge_one(db, folder, i, shards, why);
    if (sqlite3_close(db) != SQLITE_OK && !status)
        status = report_fail(why, "%s cannot be closed", copy);
    return status;
}

static int copy_store(sqlite3 *db, const char *copy, char why[REPORT_WHY])
{
    char *sql = sqlite3_mprintf("VACUUM INTO %Q", copy);
    int status = sql ? report_sql(db, why, sql) : report_no_memory(why);

    sqlite3_free(sql);
    return status;
}

/* A log that is left would be taken for that of the new file. */
static int no_log(const char *path, char why[REPORT_WHY])
{
    char *wal = report_text("%s-wal", path);
    int status =
        !wal ? report_no_memory(why)
        : report_exists(wal)
            ? report_fail(why, "%s is being read by another program: close that first", path)
            : 0;

    free(wal);
    return status;
}

int report_merge(const char *folder, int64_t wanted, char why[REPORT_WHY])
{
    char *path = report_join(folder, REPORT_STORE_NAME);
    char *copy = path ? report_text("%s.merged", path) : NULL, closing[REPORT_WHY];
    sqlite3 *db = NULL;
    int64_t shards = 0;
    int fd = -1, status = copy ? 0 : report_no_memory(why);

    if (!status)
        status = open_locked(folder, path, &db, &fd, why);
    if (!status)
        status = count_shards(folder, wanted, &shards, why);
    if (!status) {
        unlink(copy);
        status = copy_store(db, copy, why);
    }
    if (db && report_store_close(db, closing) && !status)
        status = report_fail(why, "%s", closing);
    if (!status)
        status = merge_into(folder, copy, shards, why);
    if (!status)
        status = no_log(path, why);
    if (!status)
        status = report_settle_file(copy, path, why);
    if (copy && status)
        unlink(copy);
    if (fd >= 0)
        close(fd);
    free(copy);
    free(path);
    return status;
}
