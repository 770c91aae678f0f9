/*
 * opinions.c - see opinions.h.
 */
#include "opinions.h"

#include "csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REFERENCE, DISTORTED, SCORE, COLUMNS };

typedef struct reader {
    learn_opinions *out;
    const char *path, *folder;
    int column[COLUMNS];
    size_t room;
    char *why;
} reader;

static int header(reader *r, const report_csv *c)
{
    static const struct {
        const char *name;
        int column;
        learn_direction direction;
    } known[] = {{"reference", REFERENCE, LEARN_UNKNOWN},
                 {"distorted", DISTORTED, LEARN_UNKNOWN},
                 {"mos", SCORE, LEARN_HIGHER},
                 {"dmos", SCORE, LEARN_LOWER},
                 {"score", SCORE, LEARN_UNKNOWN}};
    static const char *const names[COLUMNS] = {"reference", "distorted",
                                               "mos, dmos or score"};

    for (int i = 0; i < COLUMNS; i++)
        r->column[i] = -1;
    for (size_t f = 0; f < c->n; f++)
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            if (strcasecmp(c->fields[f], known[k].name))
                continue;
            if (r->column[known[k].column] >= 0)
                return learn_fail(r->why, "%s: there are two columns for %s", r->path,
                                  names[known[k].column]);
            r->column[known[k].column] = (int)f;
            if (known[k].column == SCORE)
                r->out->direction = known[k].direction;
        }
    for (int i = 0; i < COLUMNS; i++)
        if (r->column[i] < 0)
            return learn_fail(r->why,
                              "%s: its first line names no column %s; wanted is a line such "
                              "as \"reference,distorted,mos\"",
                              r->path, names[i]);
    return 0;
}

static char *located(const reader *r, const char *name)
{
    char *path;

    if (*name == '/')
        return strdup(name);
    return asprintf(&path, "%s/%s", r->folder, name) < 0 ? NULL : path;
}

static int grow(reader *r)
{
    learn_opinions *o = r->out;
    const size_t room = r->room ? 2 * r->room : 64;
    void *grown;

    if (o->n < r->room)
        return 0;
    if (!(grown = reallocarray(o->pairs, room, sizeof *o->pairs)))
        return -1;
    o->pairs = grown;
    if (!(grown = reallocarray(o->scores, room, sizeof *o->scores)))
        return -1;
    o->scores = grown;
    r->room = room;
    return 0;
}

static int row(reader *r, const report_csv *c)
{
    const char *fields[COLUMNS];
    learn_case *pair;
    double score;
    char *end;

    for (int i = 0; i < COLUMNS; i++) {
        fields[i] = (size_t)r->column[i] < c->n ? c->fields[r->column[i]] : "";
        if (!*fields[i])
            return learn_fail(r->why,
                              "%s, line %lld: reference, distorted and a score are "
                              "needed",
                              r->path, (long long)c->first_line);
    }
    score = strtod(fields[SCORE], &end);
    if (*end || !isfinite(score))
        return learn_fail(r->why, "%s, line %lld: \"%s\" is no number", r->path,
                          (long long)c->first_line, fields[SCORE]);
    if (grow(r))
        return learn_no_memory(r->why);
    r->out->scores[r->out->n] = score;
    pair = &r->out->pairs[r->out->n++];
    *pair =
        (learn_case){located(r, fields[REFERENCE]), {located(r, fields[DISTORTED]), NULL}};
    return pair->reference && pair->other[0] ? 0 : learn_no_memory(r->why);
}

static int rows(reader *r, char *data, size_t size)
{
    char said[LEARN_WHY];
    report_csv c;
    int got;

    report_csv_open(&c, data, size);
    got = report_csv_next(&c, said);
    if (got > 0 && header(r, &c))
        return -1;
    while (got > 0 && (got = report_csv_next(&c, said)) > 0)
        if (row(r, &c))
            return -1;
    if (got < 0)
        return learn_fail(r->why, "%s, %.*s", r->path, LEARN_WHY / 2, said);
    return r->out->n ? 0 : learn_fail(r->why, "%s holds no pairs", r->path);
}

int learn_opinions_read(learn_opinions *out, const char *path, const char *folder,
                        char why[LEARN_WHY])
{
    const char *slash = strrchr(path, '/');
    char *own = slash ? strndup(path, (size_t)(slash - path + (slash == path))) : strdup(".");
    reader r = {.out = out, .path = path, .folder = folder ? folder : own, .why = why};
    char *data = NULL;
    size_t size;
    int status;

    *out = (learn_opinions){0};
    status = own ? report_read_file(path, &data, &size, why) : learn_no_memory(why);
    if (!status)
        status = rows(&r, data, size);
    free(data);
    free(own);
    return status ? -1 : 0;
}

void learn_opinions_free(learn_opinions *o)
{
    learn_cases_free(o->pairs, o->n);
    free(o->scores);
    *o = (learn_opinions){0};
}
