/*
 * means.c - what follows from the items: means over clips, methods in pairs, codecs by rate.
 *
 * Means are over the clips that every entry has, or a method would gain by failing on the
 * hard ones.  An entry that has no clip at all does not count for this; pairs use the
 * clips both have.
 */
#include "summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lpips.h>

static int no_memory(char why[REPORT_WHY])
{
    snprintf(why, REPORT_WHY, "memory is short for the report");
    return -1;
}

/* A metric's values, [entry * clips + clip], NAN where there is none. */
static double *matrix(const report_summary *s, size_t metric)
{
    size_t n = s->n_entries * s->n_clips;
    double *x = malloc((n + 1) * sizeof *x);

    if (!x)
        return NULL;
    for (size_t i = 0; i < n; i++)
        x[i] = NAN;
    for (size_t i = 0; i < s->n_items; i++)
        if (s->items[i].state == REPORT_RESULT_DONE)
            x[s->items[i].entry * s->n_clips + s->items[i].clip] =
                s->items[i].pool[metric].mean;
    return x;
}

static bool in_group(const report_summary *s, const report_group *g, size_t clip)
{
    return !g->subset || g->subset == s->subsets[s->clips[clip].subset];
}

/* Marks the clips that every entry with any value in the group has a value for. */
static size_t common_clips(const report_summary *s, const report_group *g, const double *x,
                           report_cell *cell, bool *common)
{
    size_t n = 0;

    for (size_t e = 0; e < s->n_entries; e++) {
        report_cell *c = &cell[e * s->n_metrics];

        for (size_t k = 0; k < s->n_clips; k++)
            c->own += in_group(s, g, k) && !isnan(x[e * s->n_clips + k]);
    }
    for (size_t k = 0; k < s->n_clips; k++) {
        common[k] = in_group(s, g, k);
        for (size_t e = 0; e < s->n_entries && common[k]; e++)
            common[k] = !cell[e * s->n_metrics].own || !isnan(x[e * s->n_clips + k]);
        n += common[k];
    }
    return n;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* As people will read it, so that equal prints are equally good. */
static double rounded(const report_metric *m, double value)
{
    double scale = pow(10, m->digits);

    return (m->lower ? 1 : -1) * round(value * scale);
}

static void mark_best(const report_summary *s, report_cell *cell, const report_metric *m)
{
    double best = INFINITY;

    for (size_t e = 0; e < s->n_entries; e++)
        if (cell[e * s->n_metrics].mean.n)
            best = fmin(best, rounded(m, cell[e * s->n_metrics].mean.mean));
    for (size_t e = 0; e < s->n_entries; e++)
        cell[e * s->n_metrics].best = cell[e * s->n_metrics].mean.n &&
                                      rounded(m, cell[e * s->n_metrics].mean.mean) <= best;
}

/* Mean rate of an entry over the marked clips; the means of its scores are over the same. */
static void rates(const report_summary *s, report_group *g, const bool *common)
{
    for (size_t e = 0; e < s->n_entries; e++)
        g->rate[e] = 0;
    for (size_t i = 0; i < s->n_items; i++)
        if (s->items[i].state == REPORT_RESULT_DONE && common[s->items[i].clip])
            g->rate[s->items[i].entry] += s->items[i].rate;
    for (size_t e = 0; e < s->n_entries; e++)
        g->rate[e] = g->rate[e] > 0 ? g->rate[e] / (double)g->common[s->primary] : NAN;
}

static int column_of(const report_summary *s, report_group *g, size_t m, const double *x)
{
    report_cell *cell = g->cell + m;
    bool *common = calloc(s->n_clips + 1, sizeof *common);
    double *values = malloc((s->n_clips + 1) * sizeof *values);
    int status = -1;

    if (!common || !values)
        goto fail;
    g->common[m] = common_clips(s, g, x, cell, common);
    for (size_t e = 0; e < s->n_entries; e++) {
        report_cell *c = &cell[e * s->n_metrics];
        size_t n = 0;

        c->mean = (report_interval){0, NAN, NAN, NAN};
        c->median = NAN;
        for (size_t k = 0; k < s->n_clips && c->own; k++)
            if (common[k])
                values[n++] = x[e * s->n_clips + k];
        if (!n)
            continue;
        if (report_bootstrap(values, n, &c->mean) < 0)
            goto fail;
        qsort(values, n, sizeof *values, rising);
        c->median = lpips_percentile(values, n, 50);
    }
    mark_best(s, cell, &s->metrics[m]);
    if (m == s->primary)
        rates(s, g, common);
    status = 0;
fail:
    free(common);
    free(values);
    return status;
}

static int make_groups(report_summary *s)
{
    s->groups = calloc(s->n_subsets + 1, sizeof *s->groups);
    if (!s->groups)
        return -1;
    s->n_groups = s->n_subsets > 1 ? s->n_subsets + 1 : 1;
    for (size_t i = 0; i < s->n_groups; i++) {
        report_group *g = &s->groups[i];

        g->subset = i ? s->subsets[i - 1] : NULL;
        g->common = calloc(s->n_metrics, sizeof *g->common);
        g->cell = calloc(s->n_entries * s->n_metrics + 1, sizeof *g->cell);
        g->rate = calloc(s->n_entries + 1, sizeof *g->rate);
        if (!g->common || !g->cell || !g->rate)
            return -1;
        for (size_t k = 0; k < s->n_clips; k++)
            g->clips += in_group(s, g, k);
    }
    return 0;
}

/* ---- methods in pairs ------------------------------------------------------------ */

static int make_pair(const report_summary *s, report_pair *p, const double *x)
{
    double *d = malloc((s->n_clips + 1) * sizeof *d);
    size_t n = 0;
    int status = -1;

    for (size_t k = 0; k < s->n_clips && d; k++) {
        double difference = x[p->a * s->n_clips + k] - x[p->b * s->n_clips + k];

        if (!isnan(difference))
            d[n++] = difference;
    }
    if (d && report_bootstrap(d, n, &p->difference) == 0 &&
        report_wilcoxon(d, n, &p->test) == 0)
        status = 0;
    free(d);
    return status;
}

static int make_pairs(report_summary *s, size_t metric, const double *x)
{
    size_t from = s->n_pairs;

    for (size_t a = 0; a < s->n_entries; a++)
        for (size_t b = a + 1; b < s->n_entries; b++) {
            report_pair *p = &s->pairs[s->n_pairs];

            *p = (report_pair){.metric = metric, .a = a, .b = b};
            if (make_pair(s, p, x) < 0)
                return -1;
            s->n_pairs += p->difference.n > 0;
        }
    return report_holm(&s->pairs[from].test, s->n_pairs - from, sizeof *s->pairs);
}

/* ---- codecs by rate -------------------------------------------------------------- */

size_t report_points(const report_summary *s, size_t clip, size_t method, size_t *item,
                     size_t most)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_items; i++)
        if (s->items[i].clip == clip && s->items[i].method == method &&
            s->items[i].state == REPORT_RESULT_DONE && n < most)
            item[n++] = i;
    return n;
}

/* Room for the points of two curves. */
typedef struct curves {
    double *rate[2], *value[2];
    size_t *item;
} curves;

static int delta_of_clip(const report_summary *s, report_delta *d, size_t clip, curves *room)
{
    report_curve curve[2];

    for (int i = 0; i < 2; i++) {
        size_t n = report_points(s, clip, i ? d->method : s->anchor, room->item, s->n_items);

        for (size_t k = 0; k < n; k++) {
            const report_result *item = &s->items[room->item[k]];

            room->rate[i][k] = item->rate;
            room->value[i][k] = item->pool[d->metric].mean;
        }
        curve[i] = (report_curve){room->rate[i], room->value[i], n};
    }
    return report_bd_rate(&curve[0], &curve[1], d->scale, &d->clip[clip]);
}

static int make_delta(const report_summary *s, report_delta *d, curves *room)
{
    double *values = room->rate[0];

    d->clip = calloc(s->n_clips + 1, sizeof *d->clip);
    if (!d->clip)
        return -1;
    for (size_t k = 0; k < s->n_clips; k++)
        if (delta_of_clip(s, d, k, room) < 0)
            return -1;
    for (size_t k = 0; k < s->n_clips; k++)
        if (d->clip[k].scored)
            values[d->scored++] = d->clip[k].percent;
    return report_bootstrap(values, d->scored, &d->mean) < 0 ||
                   report_wilcoxon(values, d->scored, &d->test) < 0
               ? -1
               : 0;
}

static int make_deltas(report_summary *s)
{
    size_t n = s->n_items + s->n_clips + 1;
    curves room = {.item = malloc(n * sizeof *room.item)};
    int status = -1;

    s->deltas = calloc(2 * s->n_metrics * s->n_methods + 1, sizeof *s->deltas);
    for (int i = 0; i < 2; i++) {
        room.rate[i] = malloc(n * sizeof(double));
        room.value[i] = malloc(n * sizeof(double));
    }
    if (!s->deltas || !room.item || !room.rate[0] || !room.rate[1] || !room.value[0] ||
        !room.value[1])
        goto fail;
    for (size_t m = 0; m < s->n_metrics; m++)
        for (size_t k = 0; k < s->n_methods; k++)
            for (int log = 0; log <= s->metrics[m].lower; log++) {
                report_delta *d = &s->deltas[s->n_deltas];

                if (k == s->anchor)
                    continue;
                d->metric = m;
                d->method = k;
                d->scale = !s->metrics[m].lower ? REPORT_HIGHER
                           : log                ? REPORT_LOWER_LOG
                                                : REPORT_LOWER;
                s->n_deltas++;
                if (make_delta(s, d, &room) < 0)
                    goto fail;
            }
    status = 0;
fail:
    for (int i = 0; i < 2; i++) {
        free(room.rate[i]);
        free(room.value[i]);
    }
    free(room.item);
    return status;
}

const char *report_scale_name(enum report_scale scale)
{
    return scale == REPORT_HIGHER ? "value" : scale == REPORT_LOWER ? "-value" : "-log value";
}

/* ---- the whole ------------------------------------------------------------------- */

int report_compare(report_summary *s, char why[REPORT_WHY])
{
    if (make_groups(s) < 0)
        return no_memory(why);
    if (!s->codec) {
        s->pairs =
            calloc(s->n_metrics * s->n_entries * s->n_entries / 2 + 1, sizeof *s->pairs);
        if (!s->pairs)
            return no_memory(why);
    }
    for (size_t m = 0; m < s->n_metrics; m++) {
        double *x = matrix(s, m);
        int status = x ? 0 : -1;

        for (size_t g = 0; g < s->n_groups && !status; g++)
            status = column_of(s, &s->groups[g], m, x);
        if (!status && s->pairs)
            status = make_pairs(s, m, x);
        free(x);
        if (status)
            return no_memory(why);
    }
    if (s->codec && s->n_methods > 1 && make_deltas(s) < 0)
        return no_memory(why);
    return 0;
}

/* ---- how far intervals can be trusted -------------------------------------------- */

/* A bootstrap of n values knows (2n - 1 choose n) different means at most: 35 of four, of
 * which the limits of 95 % are nearly the outermost. */
enum { FEW = 5 };

static bool is_few(const report_interval *i)
{
    return i->n > 1 && i->n < FEW;
}

const char *report_few_clips(const report_summary *s)
{
    bool few = false;

    for (size_t g = 0; g < s->n_groups; g++)
        for (size_t i = 0; i < s->n_entries * s->n_metrics; i++)
            few |= is_few(&s->groups[g].cell[i].mean);
    for (size_t i = 0; i < s->n_pairs; i++)
        few |= is_few(&s->pairs[i].difference);
    for (size_t i = 0; i < s->n_deltas; i++)
        few |= is_few(&s->deltas[i].mean);
    return few ? "Some intervals are over fewer than 5 clips: they show how far those clips "
                 "lie apart, and say little of others."
               : NULL;
}
