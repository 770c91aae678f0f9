/*
 * progress.h - how far a run is: a bar with the time left on a terminal, lines elsewhere.
 */
#ifndef REPORT_PROGRESS_H
#define REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>
#include <stddef.h>

typedef struct report_progress {
    bool quiet, terminal;
    size_t total, done, failed;
    double begun, drawn;
    size_t said; /* items of the last line */
    bool bar;    /* one stands on the line */
} report_progress;

void report_progress_begin(report_progress *p, size_t total, bool quiet);

/* part: of the items at work, between 0 and their number.  name: of the one that ended last,
 * or NULL. */
void report_progress_show(report_progress *p, double part, const char *name);

/* A line of its own, above the bar. */
void report_progress_say(report_progress *p, const char *text);

/* done: what has become of the items ("scored"), for a last line; NULL: none. */
void report_progress_end(report_progress *p, const char *done);

double report_seconds(void);

#endif
