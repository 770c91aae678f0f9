/*
 * store.c - see store.h.
 */
#include "store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char schema[] =
    "PRAGMA user_version = 1;"
    "CREATE TABLE about(key TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE rater(id INTEGER PRIMARY KEY, number INTEGER NOT NULL,"
    " session TEXT NOT NULL UNIQUE, token TEXT UNIQUE);"
    "CREATE TABLE answer(rater INTEGER NOT NULL REFERENCES rater(id), trial INTEGER NOT NULL,"
    " flip INTEGER NOT NULL, choice INTEGER NOT NULL, ms INTEGER NOT NULL,"
    " scale INTEGER NOT NULL, theme TEXT NOT NULL, at TEXT NOT NULL,"
    " first REAL, gap REAL, second REAL, PRIMARY KEY(rater, trial)) WITHOUT ROWID;"
    "CREATE TABLE written(folder TEXT PRIMARY KEY);";

static const char damaged[] =
    "is damaged or no database of lpips-learn collect: copy it anew, with its -wal file";

static int sql_failed(sqlite3 *db, char why[LEARN_WHY])
{
    const char *file = db ? sqlite3_db_filename(db, "main") : NULL;

    switch (db ? sqlite3_errcode(db) & 255 : SQLITE_NOMEM) {
    case SQLITE_BUSY:
        return learn_fail(why, "%s is in use by another program: wait for its end", file);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return learn_fail(why, "%s %s", file, damaged);
    default:
        return learn_fail(why, "%s: %s", file ? file : "answers.sqlite",
                          db ? sqlite3_errmsg(db) : "not enough memory");
    }
}

int collect_store_do(sqlite3 *db, const char *sql, char why[LEARN_WHY])
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_failed(db, why);
}

static int prepare(sqlite3 *db, sqlite3_stmt **s, const char *sql, char why[LEARN_WHY])
{
    return sqlite3_prepare_v2(db, sql, -1, s, NULL) == SQLITE_OK ? 0 : sql_failed(db, why);
}

/* ---- opening ------------------------------------------------------------------------ */

/* The text of one value, to be freed; NULL in *text where there is no row. */
static int one_text(sqlite3 *db, const char *sql, const char *parameter, char **text,
                    char why[LEARN_WHY])
{
    sqlite3_stmt *q;
    const char *found;
    int got, status = 0;

    *text = NULL;
    if (prepare(db, &q, sql, why))
        return -1;
    if (parameter)
        sqlite3_bind_text(q, 1, parameter, -1, SQLITE_STATIC);
    got = sqlite3_step(q);
    if (got == SQLITE_ROW && (found = (const char *)sqlite3_column_text(q, 0)) &&
        !(*text = strdup(found)))
        status = learn_no_memory(why);
    else if (got != SQLITE_ROW && got != SQLITE_DONE)
        status = sql_failed(db, why);
    sqlite3_finalize(q);
    return status;
}

/* A new file, whole or not at all. */
static int create(sqlite3 *db, const collect_study *s, char why[LEARN_WHY])
{
    char *sql = sqlite3_mprintf("BEGIN IMMEDIATE; %s"
                                "INSERT INTO about VALUES('study', %Q); COMMIT",
                                schema, s->hash);
    int status = sql ? collect_store_do(db, sql, why) : learn_no_memory(why);

    sqlite3_free(sql);
    return status;
}

static int check(sqlite3 *db, const collect_study *s, char why[LEARN_WHY])
{
    const char *file = sqlite3_db_filename(db, "main");
    char *version = NULL, *study = NULL;
    int status = one_text(db, "PRAGMA user_version", NULL, &version, why);

    if (!status && (!version || strcmp(version, "1")))
        status = learn_fail(why, "%s %s", file, damaged);
    if (!status)
        status =
            one_text(db, "SELECT value FROM about WHERE key = 'study'", NULL, &study, why);
    if (!status && (!study || strcmp(study, s->hash)))
        status = learn_fail(why, "%s holds answers to another study (%.12s, not %.12s)", file,
                            study ? study : "none", s->hash);
    free(version);
    free(study);
    return status;
}

/* One that was killed before it was made leaves an empty file. */
static int begin(sqlite3 *db, const collect_study *s, char why[LEARN_WHY])
{
    char *tables = NULL;
    int status;

    sqlite3_busy_timeout(db, 10000);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (collect_store_do(db,
                         "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON;"
                         "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
                         why))
        return -1;
    if (one_text(db, "SELECT count(*) FROM sqlite_schema", NULL, &tables, why))
        return -1;
    status = tables && !strcmp(tables, "0") ? create(db, s, why) : check(db, s, why);
    free(tables);
    return status;
}

int collect_store_open(sqlite3 **out, const char *dir, const collect_study *s,
                       collect_use use, char why[LEARN_WHY])
{
    char *path;
    int status = 0;

    *out = NULL;
    if (asprintf(&path, "%s/answers.sqlite", dir) < 0)
        return learn_no_memory(why);
    if (use == COLLECT_CHANGE || !access(path, F_OK)) {
        /* Links are in it: nobody else's business. */
        const mode_t before = umask(077);

        if (sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
            SQLITE_OK)
            status = sql_failed(*out, why);
        else
            status = begin(*out, s, why);
        umask(before);
    }
    free(path);
    if (status) {
        sqlite3_close(*out);
        *out = NULL;
    }
    return status;
}

void collect_store_close(sqlite3 *db)
{
    sqlite3_close(db);
}

bool collect_store_is(const char *path)
{
    char head[16];
    FILE *f = fopen(path, "rb");
    bool is = f && fread(head, 1, sizeof head, f) == sizeof head &&
              !memcmp(head, "SQLite format 3", sizeof head);

    if (f)
        fclose(f);
    return is;
}

/* Only tables: a view could be made to run for ever. */
static int check_foreign(sqlite3 *db, char why[LEARN_WHY])
{
    char *tables = NULL, *sound = NULL;
    int status =
        one_text(db,
                 "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN"
                 " ('about', 'rater', 'answer') AND sql NOT LIKE '%generated%'"
                 " AND sql NOT LIKE '%virtual%'",
                 NULL, &tables, why);

    if (!status && (!tables || strcmp(tables, "3")))
        status = learn_fail(why, "%s %s", sqlite3_db_filename(db, "main"), damaged);
    if (!status)
        status = one_text(db, "PRAGMA quick_check(1)", NULL, &sound, why);
    if (!status && (!sound || strcmp(sound, "ok")))
        status = learn_fail(why, "%s %s", sqlite3_db_filename(db, "main"), damaged);
    free(tables);
    free(sound);
    return status;
}

int collect_store_foreign(sqlite3 **out, const char *path, const collect_study *s,
                          char why[LEARN_WHY])
{
    int status = 0;

    if (sqlite3_open_v2(path, out, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        status = sql_failed(*out, why);
    if (!status) {
        sqlite3_busy_timeout(*out, 10000);
        sqlite3_db_config(*out, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_limit(*out, SQLITE_LIMIT_LENGTH, 1 << 20);
        status =
            collect_store_do(*out, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON",
                             why);
    }
    if (!status)
        status = check_foreign(*out, why);
    if (!status)
        status = check(*out, s, why);
    if (status) {
        sqlite3_close(*out);
        *out = NULL;
    }
    return status;
}

/* ---- keeping ------------------------------------------------------------------------ */

/* Runs a statement to its end, which takes it away. */
static int finish(sqlite3 *db, sqlite3_stmt *q, char why[LEARN_WHY])
{
    const int got = sqlite3_step(q);

    sqlite3_finalize(q);
    return got == SQLITE_DONE ? 0 : sql_failed(db, why);
}

static int find_rater(sqlite3 *db, const char *session, int64_t *id, int *number,
                      char why[LEARN_WHY])
{
    sqlite3_stmt *q;
    int got;

    if (prepare(db, &q, "SELECT id, number FROM rater WHERE session = ?", why))
        return -1;
    sqlite3_bind_text(q, 1, session, -1, SQLITE_STATIC);
    got = sqlite3_step(q);
    *id = got == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    *number = got == SQLITE_ROW ? sqlite3_column_int(q, 1) : 0;
    sqlite3_finalize(q);
    return got == SQLITE_ROW || got == SQLITE_DONE ? 0 : sql_failed(db, why);
}

int collect_store_rater(sqlite3 *db, int number, const char *session, const char *token,
                        int64_t *id, char why[LEARN_WHY])
{
    sqlite3_stmt *q;
    int known;

    if (find_rater(db, session, id, &known, why))
        return -1;
    if (*id)
        return known == number
                   ? 0
                   : learn_fail(why, "session %.8s is rater %d's, and now says it is %d's",
                                session, known, number);
    if (prepare(db, &q, "INSERT INTO rater(number, session, token) VALUES(?, ?, ?)", why))
        return -1;
    sqlite3_bind_int(q, 1, number);
    sqlite3_bind_text(q, 2, session, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, token, -1, SQLITE_STATIC);
    if (finish(db, q, why))
        return -1;
    *id = sqlite3_last_insert_rowid(db);
    return 0;
}

static int known_choice(sqlite3 *db, int64_t rater, size_t trial, int *choice,
                        char why[LEARN_WHY])
{
    sqlite3_stmt *q;
    int got;

    if (prepare(db, &q, "SELECT choice FROM answer WHERE rater = ? AND trial = ?", why))
        return -1;
    sqlite3_bind_int64(q, 1, rater);
    sqlite3_bind_int64(q, 2, (int64_t)trial);
    got = sqlite3_step(q);
    *choice = got == SQLITE_ROW ? sqlite3_column_int(q, 0) : -1;
    sqlite3_finalize(q);
    return got == SQLITE_ROW || got == SQLITE_DONE ? 0 : sql_failed(db, why);
}

int collect_store_answer(sqlite3 *db, int64_t rater, const collect_answer *a,
                         char why[LEARN_WHY])
{
    sqlite3_stmt *q;
    int known;

    if (known_choice(db, rater, a->trial, &known, why))
        return -1;
    if (known >= 0)
        return known == a->choice ? COLLECT_KNOWN : COLLECT_CONTRADICTION;
    if (prepare(db, &q, "INSERT INTO answer VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", why))
        return -1;
    sqlite3_bind_int64(q, 1, rater);
    sqlite3_bind_int64(q, 2, (int64_t)a->trial);
    sqlite3_bind_int(q, 3, a->flip);
    sqlite3_bind_int(q, 4, a->choice);
    sqlite3_bind_int64(q, 5, a->ms);
    sqlite3_bind_int(q, 6, a->scale);
    sqlite3_bind_text(q, 7, a->theme, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 8, a->at, -1, SQLITE_STATIC);
    for (int i = 0; i < 3 && a->shown[i] >= 0; i++)
        sqlite3_bind_double(q, 9 + i, a->shown[i]);
    return finish(db, q, why) ? -1 : COLLECT_NEW;
}

/* ---- reading ------------------------------------------------------------------------ */

/* A row as the page would have sent it, so that one function judges both. */
static json_t *row_json(sqlite3_stmt *q)
{
    static const char *const names[] = {"trial", "flip", "choice", "ms", "scale"};
    json_t *one = json_object();

    for (int i = 0; i < 5; i++)
        if (sqlite3_column_type(q, 1 + i) == SQLITE_INTEGER)
            json_object_set_new(one, names[i], json_integer(sqlite3_column_int64(q, 1 + i)));
    for (int i = 0; i < 2; i++)
        if (sqlite3_column_type(q, 6 + i) == SQLITE_TEXT)
            json_object_set_new(one, i ? "at" : "theme",
                                json_string((const char *)sqlite3_column_text(q, 6 + i)));
    if (sqlite3_column_type(q, 8) == SQLITE_FLOAT)
        json_object_set_new(one, "shown",
                            json_pack("[fff]", sqlite3_column_double(q, 8),
                                      sqlite3_column_double(q, 9),
                                      sqlite3_column_double(q, 10)));
    return one;
}

static int read_rater(sqlite3 *db, sqlite3_stmt *q, collect_rater *r, char why[LEARN_WHY])
{
    const char *session = (const char *)sqlite3_column_text(q, 2),
               *token = (const char *)sqlite3_column_text(q, 3);
    const int64_t number = sqlite3_column_int64(q, 1);

    *r = (collect_rater){.id = sqlite3_column_int64(q, 0)};
    if (!session || !collect_is_session(session) || number < 1 || number > COLLECT_RATER_MAX)
        return learn_fail(why, "%s: a rater in it is none", sqlite3_db_filename(db, "main"));
    r->results.rater = (int)number;
    strcpy(r->results.session, session);
    return !token || (r->token = strdup(token)) ? 0 : learn_no_memory(why);
}

static int read_raters(sqlite3 *db, int64_t id, collect_raters *out, char why[LEARN_WHY])
{
    sqlite3_stmt *q;
    size_t room = 0;
    int got, status = 0;

    if (prepare(db, &q,
                "SELECT id, number, session, token FROM rater WHERE ?1 IN (0, id)"
                " ORDER BY number, id",
                why))
        return -1;
    sqlite3_bind_int64(q, 1, id);
    while ((got = sqlite3_step(q)) == SQLITE_ROW && !status) {
        if (out->n == room) {
            collect_rater *grown =
                reallocarray(out->of, room = room ? 2 * room : 64, sizeof *grown);

            if (!grown) {
                status = learn_no_memory(why);
                break;
            }
            out->of = grown;
        }
        status = read_rater(db, q, &out->of[out->n++], why);
    }
    if (!status && got != SQLITE_DONE)
        status = sql_failed(db, why);
    sqlite3_finalize(q);
    return status;
}

static int read_answers(sqlite3 *db, const collect_study *s, sqlite3_stmt *q,
                        collect_rater *r, char why[LEARN_WHY])
{
    char what[LEARN_WHY];
    size_t room = 0;
    int got, status = 0;

    sqlite3_reset(q);
    sqlite3_bind_int64(q, 1, r->id);
    while (!status && (got = sqlite3_step(q)) == SQLITE_ROW) {
        json_t *row = row_json(q);

        if (r->results.n == room) {
            collect_answer *grown =
                reallocarray(r->results.answers, room = room ? 2 * room : 128, sizeof *grown);

            if (grown)
                r->results.answers = grown;
            else
                status = learn_no_memory(why);
        }
        if (!status && collect_answer_read(s, r->results.rater, row,
                                           &r->results.answers[r->results.n++], what))
            status = learn_fail(why, "%s: %s", sqlite3_db_filename(db, "main"), what);
        json_decref(row);
    }
    return status || got == SQLITE_DONE ? status : sql_failed(db, why);
}

int collect_store_read(sqlite3 *db, const collect_study *s, int64_t id, collect_raters *out,
                       char why[LEARN_WHY])
{
    sqlite3_stmt *q;
    int status;

    *out = (collect_raters){0};
    if (prepare(db, &q,
                "SELECT rater, trial, flip, choice, ms, scale, theme, at, first, gap, second"
                " FROM answer WHERE rater = ? ORDER BY trial",
                why))
        return -1;
    status = read_raters(db, id, out, why);
    for (size_t i = 0; i < out->n && !status; i++)
        status = read_answers(db, s, q, &out->of[i], why);
    sqlite3_finalize(q);
    if (status)
        collect_raters_free(out);
    return status;
}

void collect_raters_free(collect_raters *r)
{
    while (r->n) {
        r->n--;
        free(r->of[r->n].token);
        collect_results_free(&r->of[r->n].results);
    }
    free(r->of);
    *r = (collect_raters){0};
}

/* ---- folders of judgements ---------------------------------------------------------- */

int collect_store_wrote(sqlite3 *db, const char *folder, char why[LEARN_WHY])
{
    sqlite3_stmt *q;

    if (prepare(db, &q, "INSERT OR IGNORE INTO written VALUES(?)", why))
        return -1;
    sqlite3_bind_text(q, 1, folder, -1, SQLITE_STATIC);
    return finish(db, q, why);
}

int collect_store_is_ours(sqlite3 *db, const char *folder, bool *ours, char why[LEARN_WHY])
{
    char *found;
    int status =
        one_text(db, "SELECT folder FROM written WHERE folder = ?", folder, &found, why);

    *ours = found != NULL;
    free(found);
    return status;
}
