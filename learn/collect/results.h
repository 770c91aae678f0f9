/*
 * results.h - what one rater answered, and the files it comes in.
 *
 * A results file is JSON that came by mail from somebody's browser: it is read as hostile.
 */
#ifndef COLLECT_RESULTS_H
#define COLLECT_RESULTS_H

#include <jansson.h>
#include <stdint.h>

#include "learn.h"
#include "study.h"

enum { COLLECT_SESSION = 32, COLLECT_STAMP = 32, COLLECT_THEME = 8 };

typedef struct collect_answer {
    size_t trial;
    int flip;        /* 1: p1 stood on the left, or came first */
    int choice;      /* 1: p1 is more like ref, or: the same */
    int64_t ms;      /* from when it could be answered */
    int scale;       /* pixels of the screen for one; 0: unknown */
    double shown[3]; /* JND: ms of the first, of the gap, of the second; -1: unknown */
    char theme[COLLECT_THEME], at[COLLECT_STAMP]; /* "dark"; "2026-11-29T13:45:10.123Z" */
} collect_answer;

typedef struct collect_results {
    int rater;
    char session[COLLECT_SESSION + 1]; /* 32 hexadecimal digits: one run of one browser */
    size_t n;
    collect_answer *answers;
} collect_results;

/* One answer as the page sends it.  -1 and why: the sentence does not name the file. */
int collect_answer_read(const collect_study *s, int rater, json_t *from, collect_answer *out,
                        char why[LEARN_WHY]);
json_t *collect_answer_json(const collect_answer *a);

/* A results file of this study, of at most 16 MiB.  collect_results_free() in any case. */
int collect_results_read(const collect_study *s, const char *path, collect_results *out,
                         char why[LEARN_WHY]);
void collect_results_free(collect_results *r);

bool collect_is_session(const char *text);

#endif
