/*
 * tally.c - see tally.h.
 */
#include "tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one rater ---------------------------------------------------------------------- */

bool collect_counts(const collect_study *s, const collect_answer *a, double off)
{
    return s->task != LEARN_JND || (fabs(a->shown[0] - COLLECT_SHOW_MS) <= off &&
                                    fabs(a->shown[1] - COLLECT_GAP_MS) <= off &&
                                    fabs(a->shown[2] - COLLECT_SHOW_MS) <= off);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int median(const collect_results *r, double *out, char why[LEARN_WHY])
{
    double *times = calloc(r->n + 1, sizeof *times);

    *out = NAN;
    if (!times)
        return learn_no_memory(why);
    for (size_t i = 0; i < r->n; i++)
        times[i] = (double)r->answers[i].ms;
    qsort(times, r->n, sizeof *times, by_value);
    if (r->n)
        *out = (times[(r->n - 1) / 2] + times[r->n / 2]) / 2;
    free(times);
    return 0;
}

static void decide(collect_judged *j, size_t sentinels, const collect_limits *limits)
{
    if (!j->items && !j->sentinels)
        snprintf(j->left_out, sizeof j->left_out, "nothing answered yet");
    else if (sentinels && !j->sentinels)
        snprintf(j->left_out, sizeof j->left_out, "no sentinel answered yet");
    else if ((double)j->right < limits->pass * (double)j->sentinels)
        snprintf(j->left_out, sizeof j->left_out, "%zu of %zu sentinels right, %g %% wanted",
                 j->right, j->sentinels, 100 * limits->pass);
    else if (j->median < limits->fastest)
        snprintf(j->left_out, sizeof j->left_out,
                 "half of the answers came within %g ms, less than %g", j->median,
                 limits->fastest);
}

static int judge(collect_judged *j, const collect_study *s, const collect_results *r,
                 const collect_limits *limits, char why[LEARN_WHY])
{
    size_t sentinels = 0;

    for (size_t i = 0; i < s->n; i++)
        sentinels += s->trials[i].role == COLLECT_SENTINEL;
    for (size_t i = 0; i < r->n; i++) {
        const collect_answer *a = &r->answers[i];
        const collect_trial *t = &s->trials[a->trial];

        j->items += t->role == COLLECT_ITEM;
        j->sentinels += t->role == COLLECT_SENTINEL;
        j->right += t->role == COLLECT_SENTINEL && a->choice == t->right;
        j->off += !collect_counts(s, a, limits->off);
    }
    if (median(r, &j->median, why))
        return -1;
    decide(j, sentinels, limits);
    return 0;
}

/* ---- everybody ---------------------------------------------------------------------- */

static void count(collect_tally *t, const collect_study *s, const collect_results *r,
                  double off)
{
    for (size_t i = 0; i < r->n; i++) {
        const collect_answer *a = &r->answers[i];

        if (s->trials[a->trial].role != COLLECT_ITEM || !collect_counts(s, a, off))
            continue;
        t->trials[a->trial].n++;
        t->trials[a->trial].ones += (size_t)a->choice;
    }
}

int collect_tally_make(collect_tally *out, const collect_study *s, const collect_raters *r,
                       const collect_limits *limits, char why[LEARN_WHY])
{
    int status = 0;

    *out = (collect_tally){calloc(r->n + 1, sizeof *out->raters), 0,
                           calloc(s->n, sizeof *out->trials)};
    if (!out->raters || !out->trials)
        status = learn_no_memory(why);
    for (size_t i = 0; i < r->n && !status; i++) {
        const collect_results *one = &r->of[i].results;

        status = judge(&out->raters[i], s, one, limits, why);
        if (!status && !*out->raters[i].left_out) {
            out->kept++;
            count(out, s, one, limits->off);
        }
    }
    if (status)
        collect_tally_free(out);
    return status;
}

void collect_tally_free(collect_tally *t)
{
    free(t->raters);
    free(t->trials);
    *t = (collect_tally){0};
}

/* ---- agreement ---------------------------------------------------------------------- */

/* The two raters' answers to what both judged: table[first][second]. */
static void cross(size_t table[2][2], const collect_study *s, const collect_raters *r,
                  const collect_tally *t, double off, signed char *first)
{
    bool second = false;

    memset(first, -1, s->n);
    for (size_t i = 0; i < r->n; i++) {
        const collect_results *one = &r->of[i].results;

        if (*t->raters[i].left_out)
            continue;
        for (size_t k = 0; k < one->n; k++) {
            const collect_answer *a = &one->answers[k];

            if (s->trials[a->trial].role != COLLECT_ITEM || !collect_counts(s, a, off))
                continue;
            if (!second)
                first[a->trial] = (signed char)a->choice;
            else if (first[a->trial] >= 0)
                table[(int)first[a->trial]][a->choice]++;
        }
        second = true;
    }
}

static double chance_corrected(double observed, double expected)
{
    return expected < 1 ? (observed - expected) / (1 - expected) : NAN;
}

static int cohen(collect_agreement *out, const collect_study *s, const collect_raters *r,
                 const collect_tally *t, double off, char why[LEARN_WHY])
{
    size_t table[2][2] = {{0}};
    signed char *first = malloc(s->n);
    double n, a, b;

    if (!first)
        return learn_no_memory(why);
    cross(table, s, r, t, off, first);
    free(first);
    n = (double)(table[0][0] + table[0][1] + table[1][0] + table[1][1]);
    a = (double)(table[1][0] + table[1][1]) / n;
    b = (double)(table[0][1] + table[1][1]) / n;
    out->name = "Cohen's kappa";
    out->value = n > 0 ? chance_corrected((double)(table[0][0] + table[1][1]) / n,
                                          a * b + (1 - a) * (1 - b))
                       : NAN;
    return 0;
}

typedef struct sums {
    size_t items, least, most; /* raters an item */
    double n, ones;            /* answers to items that have two or more */
    double agreed;             /* sum over items of the part of pairs that agree */
    double crossed;            /* Krippendorff's sum of n_0 n_1 / (m - 1) */
} sums;

static sums add_up(const collect_study *s, const collect_tally *t)
{
    sums u = {.least = SIZE_MAX};

    for (size_t i = 0; i < s->n; i++) {
        const collect_count *c = &t->trials[i];
        const double n = (double)c->n, ones = (double)c->ones, crossed = ones * (n - ones);

        if (c->n < 2)
            continue;
        u.items++;
        u.least = u.least < c->n ? u.least : c->n;
        u.most = u.most > c->n ? u.most : c->n;
        u.n += n;
        u.ones += ones;
        u.agreed += 1 - 2 * crossed / (n * (n - 1));
        u.crossed += crossed / (n - 1);
    }
    return u;
}

int collect_agree(collect_agreement *out, const collect_study *s, const collect_raters *r,
                  const collect_tally *t, double off, char why[LEARN_WHY])
{
    const sums u = add_up(s, t);
    const double p = u.ones / u.n, pairs = u.agreed / (double)u.items;
    const double expected = u.ones * (u.n - u.ones);

    *out = (collect_agreement){"agreement", NAN, u.items, pairs};
    if (!u.items)
        return 0;
    if (t->kept == 2)
        return cohen(out, s, r, t, off, why);
    if (u.least == u.most) {
        out->name = "Fleiss' kappa";
        out->value = chance_corrected(pairs, p * p + (1 - p) * (1 - p));
    } else {
        out->name = "Krippendorff's alpha";
        out->value = expected > 0 ? 1 - (u.n - 1) * u.crossed / expected : NAN;
    }
    return 0;
}

double collect_ceiling(const collect_study *s, const collect_tally *t, size_t subset)
{
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        const collect_count *c = &t->trials[i];
        const double p = (double)c->ones / (double)c->n;

        if (s->trials[i].role != COLLECT_ITEM || s->trials[i].subset != subset || !c->n)
            continue;
        sum += p * p + (1 - p) * (1 - p);
        n++;
    }
    return n ? sum / (double)n : NAN;
}
