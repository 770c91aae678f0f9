/*
 * transfer.c - results from one store into another of the same plan.
 */
#include "batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int report_attach(sqlite3 *db, const char *path, char why[REPORT_WHY])
{
    sqlite3_stmt *s;
    int got;

    if (sqlite3_prepare_v2(db, "ATTACH ? AS other", -1, &s, NULL) != SQLITE_OK)
        return report_sql_failed(db, why);
    sqlite3_bind_text(s, 1, path, -1, SQLITE_STATIC);
    got = sqlite3_step(s);
    sqlite3_finalize(s);
    return got == SQLITE_DONE ? 0 : report_sql_failed(db, why);
}

#define PLANNED "id, method, clip, subset, reference, output, first, last, every, quality"

/* Results belong to the plan that they were made for: the same items and metrics, scored by
 * the same weights. */
int report_same_plan(sqlite3 *db, const char *path, char why[REPORT_WHY])
{
    static const char *const differences[] = {
        "SELECT count(*) FROM (SELECT " PLANNED " FROM main.item EXCEPT SELECT " PLANNED
        " FROM other.item)",
        "SELECT (SELECT count(*) FROM main.item) <> (SELECT count(*) FROM other.item) OR"
        " (SELECT count(*) FROM main.metric) <> (SELECT count(*) FROM other.metric) OR"
        " (SELECT count(*) FROM main.about) <> (SELECT count(*) FROM other.about)",
        "SELECT count(*) FROM (SELECT * FROM main.metric EXCEPT SELECT * FROM other.metric)",
        "SELECT count(*) FROM (SELECT * FROM main.about EXCEPT SELECT * FROM other.about)"};

    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++) {
        int64_t n;

        if (report_store_number(db, &n, why, differences[i], 0))
            return -1;
        if (n)
            return report_fail(why, "%s belongs to another plan: remove it", path);
    }
    return 0;
}

/* Those of a shard that are chosen by `which`, with their scores, from the attached store. */
int report_import(sqlite3 *db, int64_t i, int64_t n, const char *which, char why[REPORT_WHY])
{
    char *sql = sqlite3_mprintf(
        "BEGIN;"
        "CREATE TEMP TABLE pick AS SELECT id FROM main.item AS mine JOIN other.item AS "
        "theirs "
        "  USING(id) WHERE id %% %lld = %lld AND (%s);"
        "DELETE FROM main.score WHERE item IN (SELECT id FROM pick JOIN other.item USING(id) "
        "  WHERE state <> 0);"
        "INSERT OR REPLACE INTO main.score SELECT * FROM other.score WHERE item IN pick;"
        "UPDATE main.item SET state = theirs.state, error = theirs.error, "
        "  frames = theirs.frames, rate = theirs.rate, seconds = theirs.seconds "
        "  FROM other.item AS theirs WHERE theirs.id = main.item.id AND main.item.id IN pick;"
        "DROP TABLE pick;"
        "COMMIT",
        (long long)n, (long long)(i - 1), which);
    int status = sql ? report_sql(db, why, sql) : report_no_memory(why);

    if (status)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_free(sql);
    return status;
}

/* A finished file survives a power failure under its last name, or is not there. */
int report_settle_file(const char *path, const char *name, char why[REPORT_WHY])
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    int status = fd < 0 || fsync(fd) || rename(path, name) ? -1 : 0;

    if (status)
        report_fail(why, "%s: %s", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return status;
}
