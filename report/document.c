/*
 * document.c - the summary as JSON: report.json, and what the page shows.
 *
 * Names are told as indices into "methods", "clips", "entries" and "metrics".  A number that
 * is not there is null.
 */
#include "output.h"

#include <math.h>
#include <string.h>

/* NULL where memory is short, which the json_*_new functions pass on. */
static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *string(const char *value)
{
    return value ? json_string(value) : json_null();
}

static json_t *whole(size_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *interval(const report_interval *i)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "n", whole(i->n), "mean", real(i->mean), "low",
                     real(i->low), "high", real(i->high));
}

static json_t *test(const report_test *t)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:b}", "differing", whole(t->n), "above",
                     whole(t->above), "p", real(t->p), "p_holm", real(t->p_holm), "exact",
                     t->exact);
}

/* A list of what(s, i) for i of 0..n - 1. */
static json_t *list(const report_summary *s, size_t n,
                    json_t *(*what)(const report_summary *, size_t))
{
    json_t *a = json_array();

    for (size_t i = 0; a && i < n; i++)
        if (json_array_append_new(a, what(s, i)) < 0) {
            json_decref(a);
            a = NULL;
        }
    return a;
}

static json_t *metric(const report_summary *s, size_t i)
{
    const report_metric *m = &s->metrics[i];

    return json_pack("{s:s, s:s, s:b, s:i}", "name", m->name, "text", m->text, "lower",
                     m->lower, "digits", m->digits);
}

static json_t *method(const report_summary *s, size_t i)
{
    return json_string(s->methods[i]);
}

static json_t *subset(const report_summary *s, size_t i)
{
    return json_string(s->subsets[i]);
}

static json_t *clip(const report_summary *s, size_t i)
{
    return json_pack("{s:s, s:o}", "name", s->clips[i].name, "subset",
                     whole(s->clips[i].subset));
}

static json_t *entry(const report_summary *s, size_t i)
{
    const report_entry *e = &s->entries[i];

    return json_pack("{s:o, s:o, s:i}", "method", whole(e->method), "quality",
                     string(e->quality), "take", e->take);
}

static json_t *pool(const report_pool *p)
{
    if (!p->frames && !p->equal)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "frames", whole(p->frames),
                     "equal", whole(p->equal), "mean", real(p->mean), "median",
                     real(p->median), "tail", real(p->tail), "worst", real(p->worst),
                     "worst_frame", p->frames ? json_integer(p->worst_frame) : json_null());
}

static json_t *item(const report_summary *s, size_t i)
{
    static const char *const states[] = {"to do", "done", "failed"};
    const report_result *t = &s->items[i];
    json_t *values = json_array();

    for (size_t m = 0; m < s->n_metrics && t->state == REPORT_RESULT_DONE; m++)
        json_array_append_new(values, pool(&t->pool[m]));
    return json_pack("{s:I, s:o, s:o, s:o, s:s, s:o, s:o}", "id", (json_int_t)t->id, "entry",
                     whole(t->entry), "clip", whole(t->clip), "rate", real(t->rate), "state",
                     states[t->state], "error", string(t->error), "values", values);
}

static json_t *row(const report_summary *s, const report_group *g, size_t e)
{
    json_t *cells = json_array();

    for (size_t m = 0; m < s->n_metrics; m++) {
        const report_cell *c = &g->cell[e * s->n_metrics + m];
        json_t *cell = interval(&c->mean);

        json_object_set_new(cell, "median", real(c->median));
        json_object_set_new(cell, "own", whole(c->own));
        json_object_set_new(cell, "best", json_boolean(c->best));
        json_array_append_new(cells, cell);
    }
    return json_pack("{s:o, s:o, s:o}", "entry", whole(e), "rate", real(g->rate[e]), "values",
                     cells);
}

static json_t *group(const report_summary *s, size_t i)
{
    const report_group *g = &s->groups[i];
    json_t *rows = json_array(), *common = json_array();

    for (size_t e = 0; e < s->n_entries; e++)
        json_array_append_new(rows, row(s, g, e));
    for (size_t m = 0; m < s->n_metrics; m++)
        json_array_append_new(common, whole(g->common[m]));
    return json_pack("{s:o, s:o, s:o, s:o}", "subset", string(g->subset), "clips",
                     whole(g->clips), "common", common, "rows", rows);
}

static json_t *pair(const report_summary *s, size_t i)
{
    const report_pair *p = &s->pairs[i];

    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "metric", whole(p->metric), "a",
                     whole(p->a), "b", whole(p->b), "difference", interval(&p->difference),
                     "test", test(&p->test));
}

static json_t *delta(const report_summary *s, size_t i)
{
    const report_delta *d = &s->deltas[i];
    json_t *clips = json_array();

    for (size_t k = 0; k < s->n_clips; k++)
        json_array_append_new(clips,
                              json_pack("{s:o, s:o, s:o}", "percent",
                                        real(d->clip[k].percent), "overlap",
                                        real(d->clip[k].overlap), "why",
                                        string(d->clip[k].scored ? NULL : d->clip[k].why)));
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "metric", whole(d->metric), "scale",
                     report_scale_name(d->scale), "method", whole(d->method), "mean",
                     interval(&d->mean), "test", test(&d->test), "clips", clips);
}

/* All of `about` but the manifest, which is as long as the data and names files. */
static json_t *facts(const report_summary *s)
{
    json_t *o = json_object();

    for (size_t i = 0; i < s->n_facts; i++)
        if (strcmp(s->facts[i].key, "manifest"))
            json_object_set_new(o, s->facts[i].key, json_string(s->facts[i].value));
    return o;
}

/* How the numbers came about, for those who cite them. */
static json_t *method_notes(const report_summary *s)
{
    return json_pack(
        "{s:f, s:s, s:o, s:s, s:s, s:s?}", "level", REPORT_LEVEL, "interval",
        "BCa bootstrap of the mean over clips, fixed seed", "resamples",
        whole(report_resamples(s->n_clips)), "test",
        "Wilcoxon signed-rank over clips, two-sided (exact up to 100 differing clips, normal "
        "beyond), Holm's correction across pairs of one metric",
        "bd_rate",
        "log10 of rate as PCHIP of quality, mean over the qualities both reach; at least 4 "
        "points, quality rising with rate",
        "few_clips", report_few_clips(s));
}

json_t *report_document(const report_summary *s, size_t most)
{
    size_t items = s->n_items < most ? s->n_items : most;

    return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
                     "s:o, s:o, s:o, "
                     "s:o, s:o}",
                     "format", 1, "kind", s->codec ? "codec" : "interpolation", "about",
                     facts(s), "statistics", method_notes(s), "metrics",
                     list(s, s->n_metrics, metric), "primary", whole(s->primary), "methods",
                     list(s, s->n_methods, method), "anchor", whole(s->anchor), "subsets",
                     list(s, s->n_subsets, subset), "clips", list(s, s->n_clips, clip),
                     "entries", list(s, s->n_entries, entry), "groups",
                     list(s, s->n_groups, group), "pairs", list(s, s->n_pairs, pair),
                     "bd_rate", list(s, s->n_deltas, delta), "items", list(s, items, item),
                     "all_items", whole(s->n_items), "done",
                     whole(s->count[REPORT_RESULT_DONE]), "failed",
                     whole(s->count[REPORT_RESULT_FAILED]), "frames",
                     json_integer(s->frames));
}

int report_write_json(const report_summary *s, const char *folder, char why[REPORT_WHY])
{
    json_t *document = report_document(s, SIZE_MAX);
    report_file out;
    int status = 0;

    if (!document) {
        snprintf(why, REPORT_WHY, "memory is short for report.json");
        return -1;
    }
    status = report_file_open(&out, folder, "report.json", why);
    if (!status) {
        if (json_dumpf(document, out.f, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) < 0) {
            snprintf(why, REPORT_WHY, "%s/report.json: cannot be written", folder);
            status = -1;
        }
        fputc('\n', out.f);
        status = report_file_close(&out, status, why);
    }
    json_decref(document);
    return status;
}
