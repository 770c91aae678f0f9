/*
 * output.h - the files of a report.
 *
 * Each is written under a temporary name and takes its own when it is whole, so that a reader
 * never sees half of one.
 */
#ifndef REPORT_OUTPUT_H
#define REPORT_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

#include "summary.h"

typedef struct report_file {
    FILE *f;
    char *path, *temporary;
} report_file;

/* folder/name, for writing; -1 and why. */
int report_file_open(report_file *file, const char *folder, const char *name,
                     char why[REPORT_WHY]);

/* Puts the file in its place, or, where status is not 0 or something was not written, takes
 * it away again.  Returns status, or -1 and why. */
int report_file_close(report_file *file, int status, char why[REPORT_WHY]);

/* tables.c: items.csv, frames.csv, summary.csv, pairs.csv, bdrate.csv. */
int report_write_csv(sqlite3 *store, const report_summary *s, const char *folder,
                     char why[REPORT_WHY]);

/* text.c: tables.md, tables.tex. */
int report_write_text(const report_summary *s, const char *folder, char why[REPORT_WHY]);

/* document.c: the summary as JSON, for report.json and for the page; items from the first
 * to `most` of them.  NULL: memory. */
json_t *report_document(const report_summary *s, size_t most);
int report_write_json(const report_summary *s, const char *folder, char why[REPORT_WHY]);

/* page.c: a page that assemble.py and shell.S made, from `shell` up to `end`, with the data
 * in its place: no text in it can become markup.  -1 where it was not written or memory is
 * short. */
int report_fill_page(FILE *f, const char *shell, const char *end, const json_t *data);

/* page.c: index.html. */
int report_write_page(sqlite3 *store, const report_summary *s, const char *folder,
                      char why[REPORT_WHY]);

/* thumbs.c: pictures of the worst frames, added to the document. */
int report_add_thumbs(json_t *document, sqlite3 *store, const report_summary *s);

/* series.c: per-frame values for the page, added to the document. */
int report_add_series(json_t *document, sqlite3 *store, const report_summary *s,
                      char why[REPORT_WHY]);

#endif
