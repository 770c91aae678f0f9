/*
 * study.h - what people are asked: trials, who judges which, and the page that asks.
 *
 * A study lies in a folder:
 *
 *     study.json        this file's struct; for the experimenter alone: it knows the
 * sentinels page/index.html   the page, and beside it page/p/NAME.png   the pictures, each
 * named by its own content answers.sqlite    store.h
 *
 * Pictures are not put into the page: a few thousand trials are tens of megabytes, which a
 * phone would have to hold at once, and which no browser shows before it has read the last.
 */
#ifndef COLLECT_STUDY_H
#define COLLECT_STUDY_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "data/bapps.h"
#include "learn.h"

enum { COLLECT_HASH = 64, COLLECT_PICTURE = 20, COLLECT_RATER_MAX = 999999 };
enum { COLLECT_SHOW_MS = 1000, COLLECT_GAP_MS = 250 }; /* of JND, as in the paper */

typedef enum collect_role { COLLECT_ITEM, COLLECT_SENTINEL, COLLECT_PRACTICE } collect_role;

typedef struct collect_trial {
    collect_role role;
    char picture[3][COLLECT_PICTURE + 1]; /* 2AFC: ref, p0, p1; JND: p0, p1 */
    size_t subset, block;                 /* of an item */
    char *stem;                           /* of an item: its file name without extension */
    int right; /* of the others, the only right choice: 1 is p1, or "the same" */
} collect_trial;

typedef struct collect_study {
    learn_task task;
    char hash[COLLECT_HASH + 1]; /* SHA-256 of all of it but the folders */
    char *title;
    uint64_t seed;
    int raters;        /* that are to judge each item */
    int scale;         /* pixels of the screen for one of a picture; 0: what fits */
    int width, height; /* of the largest picture */
    size_t n_subsets;
    char **labels, **folders; /* of subsets; folders: where the pictures came from */
    size_t n_blocks;          /* rater r from 1 judges block (r - 1) % n_blocks */
    size_t n;
    collect_trial *trials;
} collect_study;

void collect_study_free(collect_study *s);

/* Fills in the hash, when all else is there. */
int collect_study_seal(collect_study *s, char why[LEARN_WHY]);

/* From and to DIR/study.json; reading checks the hash. */
int collect_study_read(collect_study *out, const char *dir, char why[LEARN_WHY]);
int collect_study_write(const collect_study *s, const char *dir, char why[LEARN_WHY]);

/* The page as HTML.  session: of the rater that a server shows it to, stolen; or NULL. */
int collect_study_page(const collect_study *s, json_t *session, FILE *f, char why[LEARN_WHY]);

/* The Content-Security-Policy that the page carries, for a header; to be freed. */
char *collect_page_policy(void);

/* Whether a rater of that number is asked the trial. */
int collect_asked(const collect_study *s, int rater, size_t trial);

/* Hexadecimal SHA-256 of bytes, cut to `digits` and ended by 0. */
int collect_hash(char *hex, size_t digits, const void *data, size_t size,
                 char why[LEARN_WHY]);

#endif
