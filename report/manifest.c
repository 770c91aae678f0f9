/*
 * manifest.c - what is to be scored, from a file: CSV with a line of column names, or JSON
 * with the same names.  Anything that is not understood is an error: a misspelt column that
 * is passed over would be a report of something else.
 */
#include "batch.h"

#include <jansson.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METHOD, CLIP, SUBSET, REFERENCE, OUTPUT, FIRST, LAST, QUALITY, RATE, EVERY, COLUMNS };

static const char *const column_names[COLUMNS] = {"method", "clip",  "subset", "reference",
                                                  "output", "first", "last",   "quality",
                                                  "rate",   "every"};

#define ALL_COLUMNS \
    "method, clip, reference, output, subset, rate, quality, every, first, last"

/* A clip's neighbours are held in memory at once. */
#define EVERY_MAX 64

static int column_of(const char *name)
{
    for (int i = 0; i < COLUMNS; i++)
        if (!strcmp(name, column_names[i]))
            return i;
    return -1;
}

static int number(const report_plan *p, double *to, const char *text, const char *column,
                  int64_t line, double max, char why[REPORT_WHY])
{
    char *end;

    *to = strtod(text, &end);
    if (end == text || *end || !isfinite(*to) || *to < 0 || *to > max)
        return report_fail(why, "%s %lld: %s \"%.40s\" is no number from 0 to %g", p->unit,
                           (long long)line, column, text, max);
    return 0;
}

static int numbers(report_item *item, const char *const *text, const report_plan *p,
                   char why[REPORT_WHY])
{
    double every;

    item->rate = NAN;
    item->every = p->every;
    if (*text[RATE]) {
        if (number(p, &item->rate, text[RATE], "rate", item->line, 1e9, why))
            return -1;
        if (item->rate <= 0)
            return report_fail(why,
                               "%s %lld: rate is 0; it is in kbit/s, and may be left out",
                               p->unit, (long long)item->line);
    }
    if (*text[EVERY]) {
        if (number(p, &every, text[EVERY], "every", item->line, EVERY_MAX, why))
            return -1;
        if (every == 1 || every != floor(every))
            return report_fail(why,
                               "%s %lld: every is %s: it is 0 (all frames are scored) or a "
                               "whole number from 2 (all but each 2nd, ...)",
                               p->unit, (long long)item->line, text[EVERY]);
        item->every = (int)every;
    }
    return 0;
}

/* One line, all columns there, '' without. */
static int add(report_plan *p, const char *folder, const char *const text[COLUMNS],
               int64_t line, char why[REPORT_WHY])
{
    report_item item = {.line = line};
    char *paths[COLUMNS] = {0};
    int status = -1;

    for (int i = METHOD; i <= OUTPUT; i++)
        if (!*text[i] && i != SUBSET)
            return report_fail(why,
                               "%s %lld: %s is empty: each %s needs method, clip, "
                               "reference and output",
                               p->unit, (long long)line, column_names[i], p->unit);
    if (!*text[FIRST] != !*text[LAST])
        return report_fail(why,
                           "%s %lld: first and last come together: the neighbours of a "
                           "triplet's middle picture",
                           p->unit, (long long)line);
    if (numbers(&item, text, p, why))
        return -1;
    for (int i = REFERENCE; i <= LAST; i++)
        if (*text[i] && !(paths[i] = report_join(folder, text[i]))) {
            report_no_memory(why);
            goto fail;
        }
    item.method = (char *)text[METHOD];
    item.clip = (char *)text[CLIP];
    item.subset = (char *)text[SUBSET];
    item.quality = *text[QUALITY] ? (char *)text[QUALITY] : NULL;
    item.reference = paths[REFERENCE];
    item.output = paths[OUTPUT];
    item.first = paths[FIRST];
    item.last = paths[LAST];
    p->codec = p->codec || item.quality || !isnan(item.rate);
    status = report_plan_add(p, &item, why);
fail:
    for (int i = 0; i < COLUMNS; i++)
        free(paths[i]);
    return status;
}

/* ---- CSV --------------------------------------------------------------------- */

static int header(const report_csv *c, int column[], char why[REPORT_WHY])
{
    bool there[COLUMNS] = {0};

    for (size_t i = 0; i < c->n; i++) {
        if ((column[i] = column_of(c->fields[i])) < 0) {
            const bool other = c->n == 1 && strpbrk(c->fields[0], ";\t|");

            return report_fail(why, "line %lld: there is no column \"%.60s\"; %s" ALL_COLUMNS,
                               (long long)c->first_line, c->fields[i],
                               other ? "columns are separated by commas, and are "
                                     : "the first line names the columns, out of ");
        }
        if (there[column[i]])
            return report_fail(why, "line %lld: column \"%s\" comes twice",
                               (long long)c->first_line, c->fields[i]);
        there[column[i]] = true;
    }
    for (int i = METHOD; i <= OUTPUT; i++)
        if (!there[i] && i != SUBSET)
            return report_fail(why,
                               "line %lld: column \"%s\" is missing; needed are method, "
                               "clip, reference and output, in the first line",
                               (long long)c->first_line, column_names[i]);
    return 0;
}

static int read_csv(report_plan *p, const char *folder, char *data, size_t size,
                    char why[REPORT_WHY])
{
    report_csv c;
    int column[sizeof c.fields / sizeof *c.fields];
    size_t columns;
    int got;

    report_csv_open(&c, data, size);
    if ((got = report_csv_next(&c, why)) <= 0)
        return got < 0 ? -1
                       : report_fail(why, "the file is empty; its first line names the "
                                          "columns: " ALL_COLUMNS);
    if (header(&c, column, why))
        return -1;
    columns = c.n;
    while ((got = report_csv_next(&c, why)) > 0) {
        const char *text[COLUMNS];

        if (c.n != columns)
            return report_fail(why,
                               "line %lld: %d field(s) where the first line has %d: a field "
                               "that holds a comma stands in quotes",
                               (long long)c.first_line, (int)c.n, (int)columns);
        for (int i = 0; i < COLUMNS; i++)
            text[i] = "";
        for (size_t i = 0; i < c.n; i++)
            text[column[i]] = c.fields[i];
        if (add(p, folder, text, c.first_line, why))
            return -1;
    }
    return got;
}

/* ---- JSON -------------------------------------------------------------------- */

/* The value of a key as text: a number's is kept in `room`. */
static int text_of(const char **text, json_t *value, char room[40])
{
    if (json_is_null(value)) {
        *text = "";
        return 0;
    }
    if (json_is_string(value)) {
        *text = json_string_value(value);
        return 0;
    }
    if (!json_is_number(value))
        return -1;
    snprintf(room, 40, "%.15g", json_number_value(value));
    *text = room;
    return 0;
}

static int read_item(report_plan *p, const char *folder, json_t *object, int64_t n,
                     char why[REPORT_WHY])
{
    const char *text[COLUMNS], *key;
    char room[COLUMNS][40];
    json_t *value;

    for (int i = 0; i < COLUMNS; i++)
        text[i] = "";
    if (!json_is_object(object))
        return report_fail(why,
                           "item %lld is no object: each is {\"method\": ..., \"clip\": "
                           "..., \"reference\": ..., \"output\": ...}",
                           (long long)n);
    json_object_foreach(object, key, value)
    {
        const int i = column_of(key);

        if (i < 0)
            return report_fail(why,
                               "item %lld: there is no key \"%.60s\"; keys are " ALL_COLUMNS,
                               (long long)n, key);
        if (text_of(&text[i], value, room[i]))
            return report_fail(why, "item %lld: %s is neither text nor a number",
                               (long long)n, key);
    }
    return add(p, folder, text, n, why);
}

static int read_items(report_plan *p, const char *folder, json_t *root, char why[REPORT_WHY])
{
    json_t *items = json_is_object(root) ? json_object_get(root, "items") : root, *value;
    const char *key;
    size_t i;

    if (!json_is_array(items))
        return report_fail(why,
                           "a manifest in JSON is a list of items, or an object with such "
                           "a list as \"items\"");
    if (items != root)
        json_object_foreach(root, key, value)
        {
            if (!strcmp(key, "items"))
                continue;
            if (strcmp(key, "title") || !json_is_string(value))
                return report_fail(why,
                                   "there is no key \"%.60s\" beside \"items\", only "
                                   "\"title\", a text",
                                   key);
            free(p->title);
            if (!(p->title = strdup(json_string_value(value))))
                return report_no_memory(why);
        }
    json_array_foreach(items, i, value)
    {
        if (read_item(p, folder, value, (int64_t)i + 1, why))
            return -1;
    }
    return 0;
}

static int read_json(report_plan *p, const char *folder, char *data, size_t size,
                     char why[REPORT_WHY])
{
    json_error_t error;
    json_t *root;
    int status;

    if (size >= 3 && !memcmp(data, "\xef\xbb\xbf", 3)) {
        data += 3;
        size -= 3;
    }
    root = json_loadb(data, size, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return report_fail(why, "line %d, column %d: %s", error.line, error.column,
                           error.text);
    status = read_items(p, folder, root, why);
    json_decref(root);
    return status;
}

static bool looks_like_json(const char *data, size_t size)
{
    size_t i = size >= 3 && !memcmp(data, "\xef\xbb\xbf", 3) ? 3 : 0;

    while (i < size && strchr(" \t\r\n", data[i]) && data[i])
        i++;
    return i < size && (data[i] == '[' || data[i] == '{');
}

int report_manifest(report_plan *p, const char *path, char why[REPORT_WHY])
{
    char *data = NULL, *folder = NULL, what[REPORT_WHY];
    size_t size;
    int status = -1;

    if (report_read_file(path, &data, &size, why))
        return -1;
    p->unit = looks_like_json(data, size) ? "item" : "line";
    /* Reading CSV changes its text. */
    p->manifest = strndup(data, size);
    if (!p->manifest || !(folder = report_folder_of(path))) {
        report_no_memory(why);
        goto fail;
    }
    status = (*p->unit == 'i' ? read_json : read_csv)(p, folder, data, size, what);
    if (status)
        report_fail(why, "%s: %s", path, what);
fail:
    free(folder);
    free(data);
    return status;
}
