/*
 * csv.h - comma separated values as RFC 4180 has them, read and written.
 */
#ifndef REPORT_CSV_H
#define REPORT_CSV_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "report.h"

typedef struct report_csv {
    char *data; /* taken over by the rows' fields, which end with 0 in place */
    size_t size, at;
    int64_t line; /* of what comes next, from 1 */
    const char *fields[32];
    size_t n;
    int64_t first_line; /* where the row began */
} report_csv;

/* data is changed, must hold one byte more than size, and must live as long as the fields. */
void report_csv_open(report_csv *c, char *data, size_t size);

/* 1 and a row; 0 at the end.  Empty lines are no rows. */
int report_csv_next(report_csv *c, char why[REPORT_WHY]);

/* A field.  A text that begins with = + - @, a tab or a carriage return would be computed by
 * a spreadsheet: an apostrophe is put before it. */
void report_csv_text(FILE *f, const char *value);

/* A whole file with a 0 after it; the caller frees. */
int report_read_file(const char *path, char **data, size_t *size, char why[REPORT_WHY]);

#endif
