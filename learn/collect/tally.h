/*
 * tally.h - answers of all raters to fractions: who counts, what they said, how far they
 * agree.
 */
#ifndef COLLECT_TALLY_H
#define COLLECT_TALLY_H

#include "store.h"

enum { COLLECT_REASON = 160 };

typedef struct collect_limits {
    double pass;    /* least part of the sentinels right */
    double fastest; /* ms: a median time below leaves a rater out */
    double off;     /* ms: a JND picture shown that much too long or short is no answer */
} collect_limits;

typedef struct collect_judged {
    size_t items, sentinels, right; /* answered, and of the sentinels those right */
    size_t off;    /* answers whose pictures were not shown as long as asked */
    double median; /* ms; NAN of none */
    char left_out[COLLECT_REASON]; /* why; "" where the rater counts */
} collect_judged;

typedef struct collect_count {
    size_t n, ones; /* answers, and those that chose p1 or "the same" */
} collect_count;

typedef struct collect_tally {
    collect_judged *raters; /* as in collect_raters */
    size_t kept;            /* raters that count */
    collect_count *trials;  /* by trial; 0 of what is no item */
} collect_tally;

int collect_tally_make(collect_tally *out, const collect_study *s, const collect_raters *r,
                       const collect_limits *limits, char why[LEARN_WHY]);
void collect_tally_free(collect_tally *t);

/* Whether an answer of a rater who counts does. */
bool collect_counts(const collect_study *s, const collect_answer *a, double off);

typedef struct collect_agreement {
    const char *name; /* of the coefficient */
    double value;     /* NAN: not defined, as where all say the same */
    size_t items;     /* that more than one rater judged */
    double pairs;     /* how often two raters of an item agree, mean over items */
} collect_agreement;

/*
 * Cohen's kappa of two raters (J. Cohen, Educ. Psychol. Meas. 20, 1960); Fleiss' kappa where
 * each item has equally many (J. Fleiss, Psychol. Bull. 76, 1971); otherwise Krippendorff's
 * alpha for names (K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011),
 * which takes any number an item.
 */
int collect_agree(collect_agreement *out, const collect_study *s, const collect_raters *r,
                  const collect_tally *t, double off, char why[LEARN_WHY]);

/* What a judge would score who knew everyone's answers and had to be one of them: the mean of
 * p^2 + (1 - p)^2 over the items of a subset that have answers; NAN of none. */
double collect_ceiling(const collect_study *s, const collect_tally *t, size_t subset);

#endif
