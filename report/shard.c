/*
 * shard.c - one plan scored by many processes on many machines that share a folder.
 *
 *     FOLDER/report.sqlite            the plan; `merge` and an undivided run change it only
 *
 *     FOLDER/shards/3-of-8.NAME.part  one attempt at shard 3, and its log, NAME.part-wal
 *
 *     FOLDER/shards/3-of-8.sqlite     shard 3, complete
 *
 * Schedulers start a shard again when its machine is lost, and sometimes while the first copy
 * still runs.  So each attempt writes to a file of its own and is renamed when it is
 * complete; both copies come to the same scores, and the later one replaces the earlier. What
 * earlier attempts had is taken over from copies of their files, which are whole at any
 * moment (store.c says why), whether their process is dead, alive, or on a host that cannot
 * be seen.
 */
#include "batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---------------------------------------------------------------------------- */

static int copy_bytes(int to, const char *path)
{
    char buffer[65536];
    const int from = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;

    if (from < 0)
        return -1;
    while ((n = read(from, buffer, sizeof buffer)) > 0)
        if (write(to, buffer, (size_t)n) != n)
            break;
    close(from);
    return n ? -1 : 0;
}

static int copy_file(const char *to, const char *from)
{
    const int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int status;

    if (fd < 0)
        return -1;
    status = copy_bytes(fd, from);
    return close(fd) ? -1 : status;
}

static char *wal_of(const char *path)
{
    return report_text("%s-wal", path);
}

/* The store before its log: what is left in between is a plan without results. */
static void remove_store(const char *path)
{
    char *wal = wal_of(path);

    unlink(path);
    if (wal)
        unlink(wal);
    free(wal);
}

/* ---- one shard --------------------------------------------------------------- */

typedef struct shard {
    const report_run_options *options;
    char *folder, *plan; /* FOLDER/shards, FOLDER/report.sqlite */
    char *name;          /* "3-of-8." */
    char *done, *part, *temporary;
} shard;

static void shard_free(shard *s)
{
    free(s->folder);
    free(s->plan);
    free(s->name);
    free(s->done);
    free(s->part);
    free(s->temporary);
}

static int shard_names(shard *s, const char *folder, char why[REPORT_WHY])
{
    char host[64] = "";

    gethostname(host, sizeof host - 1);
    for (char *c = host; *c; c++)
        if (*c == '/' || *c < 33)
            *c = '_';
    s->folder = report_join(folder, "shards");
    s->plan = report_join(folder, REPORT_STORE_NAME);
    s->name = report_text("%lld-of-%lld.", (long long)s->options->shard,
                          (long long)s->options->shards);
    if (!s->folder || !s->plan || !s->name)
        return report_no_memory(why);
    s->done = report_text("%s/%ssqlite", s->folder, s->name);
    s->part = report_text("%s/%s%s-XXXXXX.part", s->folder, s->name, host);
    return s->done && s->part ? 0 : report_no_memory(why);
}

/* The plan's bytes under a name that nobody else has. */
static int begin_part(shard *s, char why[REPORT_WHY])
{
    char *wal = wal_of(s->plan);
    int fd, status;

    if (!wal)
        return report_no_memory(why);
    status = report_exists(wal)
                 ? report_fail(why,
                               "%s: a run without shards was begun here and did not end: "
                               "finish it without --shard, or plan into another folder",
                               s->plan)
                 : 0;
    free(wal);
    if (status)
        return -1;
    if (mkdir(s->folder, 0777) && errno != EEXIST)
        return report_fail(why, "%s: %s", s->folder, strerror(errno));
    if ((fd = mkstemps(s->part, 5)) < 0)
        return report_fail(why, "%s: %s", s->part, strerror(errno));
    /* mkstemps() lets nobody else read it; shards may be merged by another user. */
    fchmod(fd, 0644);
    status = copy_bytes(fd, s->plan);
    if (close(fd) || status)
        return report_fail(why, "%s cannot be copied to %s: %s", s->plan, s->part,
                           strerror(errno));
    s->temporary = report_text("%s.new", s->part);
    return s->temporary ? 0 : report_no_memory(why);
}

/* What an earlier attempt had; one that cannot be read had nothing. */
static void adopt(shard *s, sqlite3 *db, const char *path)
{
    char *wal = wal_of(path), *copied = wal_of(s->temporary), why[REPORT_WHY];

    if (wal && copied && !copy_file(s->temporary, path)) {
        /* In this order: a log is complete without what is not in the file yet. */
        if (report_exists(wal) && copy_file(copied, wal))
            unlink(copied);
        if (!report_attach(db, s->temporary, why)) {
            if (!report_same_plan(db, path, why))
                report_import(db, s->options->shard, s->options->shards, "mine.state = 0",
                              why);
            report_sql(db, why, "DETACH other");
        }
    }
    remove_store(s->temporary);
    free(wal);
    free(copied);
}

static bool is_part(const char *folder, const char *name)
{
    (void)folder;
    return strstr(name, ".part");
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcmp(text + n - m, end);
}

/* What other attempts at this shard left: taken over, or in the end removed. */
static int others(shard *s, sqlite3 *db, char why[REPORT_WHY])
{
    char **names;
    size_t n;

    if (report_names(s->folder, is_part, &names, &n, why))
        return -1;
    for (size_t i = 0; i < n; i++) {
        char *path = report_join(s->folder, names[i]);

        if (path && !strncmp(names[i], s->name, strlen(s->name)) && strcmp(path, s->part)) {
            if (!db)
                unlink(path);
            else if (ends_with(path, ".part"))
                adopt(s, db, path);
        }
        free(path);
    }
    report_names_free(names, n);
    return 0;
}

/* The complete shard under its last name, in one file. */
static int complete(shard *s, sqlite3 *db, char why[REPORT_WHY])
{
    sqlite3_stmt *q;
    int got;

    unlink(s->temporary);
    if (sqlite3_prepare_v2(db, "VACUUM INTO ?", -1, &q, NULL) != SQLITE_OK)
        return report_sql_failed(db, why);
    sqlite3_bind_text(q, 1, s->temporary, -1, SQLITE_STATIC);
    got = sqlite3_step(q);
    sqlite3_finalize(q);
    if (got != SQLITE_DONE)
        return report_sql_failed(db, why);
    return report_settle_file(s->temporary, s->done, why);
}

static int run_part(shard *s, char why[REPORT_WHY])
{
    sqlite3 *db = NULL;
    int status = begin_part(s, why);

    if (!status)
        status = report_store_open(&db, s->part, REPORT_SHARD, why);
    if (!status)
        status = others(s, db, why);
    if (!status)
        status = report_run_store(db, s->options, why);
    if (status > 0 && complete(s, db, why))
        status = -1;
    sqlite3_close(db);
    if (status > 0) {
        remove_store(s->part);
        others(s, NULL, why);
    }
    return status;
}

/* A shard that is complete is so for this plan. */
static int check_done(const shard *s, char why[REPORT_WHY])
{
    sqlite3 *db;
    int status = report_store_open(&db, s->done, REPORT_READ, why);

    if (status)
        return -1;
    status = report_attach(db, s->plan, why);
    if (!status)
        status = report_same_plan(db, s->done, why);
    sqlite3_close(db);
    return status;
}

int report_shard_run(const char *folder, const report_run_options *o, char why[REPORT_WHY])
{
    shard s = {.options = o};
    int status = shard_names(&s, folder, why);

    if (!status && !report_exists(s.plan))
        status =
            report_fail(why, "%s: there is no plan; `lpips report plan` makes one", s.plan);
    else if (!status && report_exists(s.done))
        status = check_done(&s, why) ? -1 : 1;
    else if (!status && (status = run_part(&s, why)) < 0 && report_exists(s.done))
        /* Another copy came first, and removed what this one worked on. */
        status = 1;
    shard_free(&s);
    return status;
}
