/*
 * eval.h - `lpips-learn eval` and `lpips-learn eval mos`: judges beside people.
 */
#ifndef LEARN_EVAL_H
#define LEARN_EVAL_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "judge/judge.h"
#include "options.h"

/* mos.c: the second command, as in learn.h. */
int learn_eval_mos(int argc, char **argv);

/* ---- judges.c: what both take ------------------------------------------------------------
 */

typedef struct learn_common {
    const char *judges; /* NULL: LEARN_DEFAULT_JUDGES */
    int size;           /* of the shorter side, 0: as it is */
    int threads;        /* 0: as many as there are cores */
    bool quiet;
    const char *json, *csv; /* where to; NULL: nowhere */
} learn_common;

#define LEARN_DEFAULT_JUDGES "lpips:alex,l2-official,psnr,ssim-official"

/* Options to be a child whose input is a learn_common: all but who judges, and all. */
extern const struct argp learn_common_argp, learn_judging_argp;

/* The judges of a list with commas between; "all" stands for every net, version and metric,
 * of which those without weights are left out and said.  learn_judges_free() in any case. */
typedef struct learn_judges {
    learn_judge **judges;
    size_t n;
} learn_judges;

/* One more; -1 and why where it cannot be had or is there already. */
int learn_judges_add(learn_judges *out, const char *name, char why[LEARN_WHY]);
int learn_judges_open(learn_judges *out, const char *list, bool quiet, char why[LEARN_WHY]);
void learn_judges_free(learn_judges *j);

/* What `write` makes of `what` to a file, whole or not at all; "-" is standard output, NULL
 * nowhere. */
typedef void learn_writer(const void *what, FILE *f);
int learn_put(learn_writer *write, const void *what, const char *path, char why[LEARN_WHY]);

/* Whether it is "-". */
bool learn_is_out(const char *path);

/* A number, or null of one that is not finite. */
json_t *learn_json_real(double x);

/* The document as text; it is released. */
void learn_json_write(json_t *document, FILE *f);

#endif
