/*
 * evaluation.h - a run over judged trials: data, judges, and every distance.
 */
#ifndef LEARN_EVALUATION_H
#define LEARN_EVALUATION_H

#include "data/bapps.h"
#include "eval.h"
#include "measure.h"

typedef struct learn_asked {
    learn_common common;
    char **folders;
    size_t n;
    int task; /* learn_task or LEARN_ANY_TASK */
    learn_split split;
    const char *store; /* NULL: beside the first folder */
} learn_asked;

typedef struct learn_evaluation {
    const learn_asked *asked;
    learn_bapps data;
    learn_judges judges;
    learn_measuring m; /* m.distances is what came of it */
    learn_case *cases;
} learn_evaluation;

/* Opens the data; judges are then put into e->judges.  learn_evaluation_free() in any case.
 */
int learn_evaluation_open(learn_evaluation *e, const learn_asked *asked, char why[LEARN_WHY]);

/* Measures what the store does not hold yet. */
int learn_evaluation_measure(learn_evaluation *e, char why[LEARN_WHY]);

void learn_evaluation_free(learn_evaluation *e);

#endif
