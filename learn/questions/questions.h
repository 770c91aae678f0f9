/*
 * questions.h - the LPIPS paper's questions, asked again on any judged 2AFC trials.
 */
#ifndef LEARN_QUESTIONS_H
#define LEARN_QUESTIONS_H

#include "eval/evaluation.h"
#include "eval/table.h"

/* Whoever is compared; the last of them are files of the user's. */
typedef enum learn_who {
    WHO_PEOPLE,
    WHO_CHANCE,
    WHO_L2,
    WHO_SSIM,
    WHO_FSIM,
    WHO_RANDOM,
    WHO_KMEANS,
    WHO_SQUEEZE,
    WHO_ALEX,
    WHO_VGG,
    WHO_LIN,
    WHO_TUNE,
    WHO_SCRATCH,
    WHO_ALL
} learn_who;

typedef struct learn_party {
    const char *title, *judge; /* NULL: people, chance, or a file that was not given */
    const char *published;     /* the paper's row, NULL: none */
    const char *remedy;        /* how such a file is made, and how it is given */
} learn_party;

extern const learn_party learn_parties[WHO_ALL];

enum { LEARN_PAIRS = 9 };

typedef struct learn_question {
    const char *text;
    struct {
        learn_who more, less; /* is the first nearer to people than the second? */
    } pair[LEARN_PAIRS];      /* ends where both are the same */
} learn_question;

extern const learn_question learn_questions_asked[]; /* ends with a text that is NULL */

/* One comparison. */
typedef struct learn_answer {
    const learn_question *question;
    learn_who more, less;
    report_interval *cells; /* by column of the table, as fractions; NULL: nobody to ask */
} learn_answer;

typedef struct learn_answers {
    const learn_evaluation *e;
    const char *file[WHO_ALL]; /* the user's; NULL: not given */
    char *left_out[WHO_ALL];   /* why a judge could not be had */
    int judge[WHO_ALL];        /* among those of e, or -1 */
    learn_table table;
    learn_answer *answers;
    size_t n;
} learn_answers;

/* Fills table and answers; -1 and why. */
int learn_answer_all(learn_answers *a, char why[LEARN_WHY]);
void learn_answers_free(learn_answers *a);

/* "yes", "no": the interval lies on one side of 0; "open" else. */
const char *learn_verdict(const report_interval *i);

/* The paper's own difference in a column; NAN: it has none. */
double learn_paper_difference(learn_who more, learn_who less, learn_paper column);

/* Columns worth a line: the means where there are some, else all. */
bool learn_column_shown(const learn_table *t, size_t column);

/* ---- tell.c, bars.c: writers for learn_put(), of learn_answers ------------------------- */

void learn_answers_text(const void *what, FILE *f);
void learn_answers_csv(const void *what, FILE *f);
void learn_answers_json(const void *what, FILE *f);

/* An SVG picture: everybody's agreement, and its interval. */
void learn_answers_bars(const void *what, FILE *f);

#endif
