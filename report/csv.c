/*
 * csv.c - see csv.h: lines of comma separated values as RFC 4180 has them: fields in quotes
 * may hold commas, line ends and doubled quotes.
 *
 * Read strictly: what the RFC does not allow (a quote inside a bare field, text behind a
 * closing quote) is mostly a field that was not quoted, and guessing would shift all that
 * follows it.  Line ends may be those of Unix too, and a byte order mark is passed over.
 */
#include "batch.h"

#include <string.h>

#define FIELDS (sizeof((report_csv *)0)->fields / sizeof(char *))

void report_csv_open(report_csv *c, char *data, size_t size)
{
    memset(c, 0, sizeof *c);
    c->data = data;
    c->size = size;
    c->line = 1;
    if (size >= 3 && !memcmp(data, "\xef\xbb\xbf", 3))
        c->at = 3;
}

/* Length of the line end at `at`: 1, 2, or 0 where there is none.  The data's end is one. */
static size_t line_end(const report_csv *c, size_t at)
{
    if (at >= c->size || c->data[at] == '\n')
        return 1;
    return c->data[at] == '\r' && at + 1 < c->size && c->data[at + 1] == '\n' ? 2 : 0;
}

static int quoted(report_csv *c, char why[REPORT_WHY])
{
    const int64_t begun = c->line;
    size_t to = ++c->at;

    c->fields[c->n++] = c->data + to;
    for (;; c->at++) {
        if (c->at >= c->size)
            return report_fail(why,
                               "line %lld: a quoted field is never closed: put a quote (\") "
                               "behind it, and double quotes inside",
                               (long long)begun);
        if (c->data[c->at] == '"' && (++c->at >= c->size || c->data[c->at] != '"'))
            break;
        if (c->data[c->at] == '\n')
            c->line++;
        if (!c->data[c->at])
            return report_fail(why, "line %lld: a zero byte: this is no text",
                               (long long)c->line);
        c->data[to++] = c->data[c->at];
    }
    if ((c->at >= c->size || c->data[c->at] != ',') && !line_end(c, c->at))
        return report_fail(why,
                           "line %lld: text behind a closing quote: quotes inside a quoted "
                           "field are doubled (\"\")",
                           (long long)c->line);
    /* Behind the text, on or before the closing quote. */
    c->data[to] = 0;
    return 0;
}

static int bare(report_csv *c, char why[REPORT_WHY])
{
    c->fields[c->n++] = c->data + c->at;
    for (; !line_end(c, c->at) && c->data[c->at] != ','; c->at++) {
        if (c->data[c->at] == '"')
            return report_fail(why,
                               "line %lld: a quote (\") inside a field without quotes: put "
                               "the whole field in quotes and double those inside",
                               (long long)c->line);
        if (!c->data[c->at] || c->data[c->at] == '\r')
            return report_fail(why,
                               "line %lld: a %s: this is no text of comma separated values",
                               (long long)c->line,
                               c->data[c->at] ? "carriage return inside a line"
                                              : "zero byte");
    }
    return 0;
}

int report_csv_next(report_csv *c, char why[REPORT_WHY])
{
    size_t end;

    while (c->at < c->size && (end = line_end(c, c->at))) {
        c->at += end;
        c->line++;
    }
    c->n = 0;
    c->first_line = c->line;
    if (c->at >= c->size)
        return 0;
    for (;;) {
        if (c->n == FIELDS)
            return report_fail(why, "line %lld: more than %d fields", (long long)c->line,
                               (int)FIELDS);
        if (c->at < c->size && c->data[c->at] == '"' ? quoted(c, why) : bare(c, why))
            return -1;
        end = line_end(c, c->at);
        if (!end) {
            c->data[c->at++] = 0;
            continue;
        }
        if (c->at < c->size)
            c->line++;
        /* data has one byte more than size. */
        c->data[c->at] = 0;
        c->at += end;
        return 1;
    }
}

void report_csv_text(FILE *f, const char *value)
{
    bool formula = *value && strchr("=+-@\t\r", *value);

    if (!formula && !strpbrk(value, ",\"\r\n")) {
        fputs(value, f);
        return;
    }
    fputs(formula ? "\"'" : "\"", f);
    for (; *value; value++) {
        if (*value == '"')
            fputc('"', f);
        fputc(*value, f);
    }
    fputc('"', f);
}
