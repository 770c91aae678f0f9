/*
 * series.c - values frame by frame for the page, as many as it can carry.
 *
 * A long series is cut into stretches of which the least and the greatest value stay, so that
 * no peak is lost; frames.csv has all of them.
 */
#include "output.h"

#include <inttypes.h>
#include <math.h>

enum { POINTS_OF_PAGE = 200000, LEAST_OF_SERIES = 60, MOST_OF_SERIES = 1200 };

typedef struct series {
    const report_summary *s;
    json_t *list;
    size_t items; /* in the document */
    size_t each;  /* points at most of one series */
    size_t left;  /* of the page */
    bool only_primary;
    size_t shown, of, reduced;
} series;

/* Where a point is kept: [from, to) gives its least and greatest, in order of time. */
static size_t extremes(const double *v, size_t from, size_t to, size_t keep[2])
{
    size_t low = to, high = to;

    for (size_t k = from; k < to; k++) {
        if (isnan(v[k]))
            continue;
        if (low == to || v[k] < v[low])
            low = k;
        if (high == to || v[k] > v[high])
            high = k;
    }
    if (low == to)
        return 0;
    keep[0] = low < high ? low : high;
    keep[1] = low < high ? high : low;
    return low == high ? 1 : 2;
}

static json_t *packed(const series *r, size_t item, size_t metric, const int64_t *frames,
                      const double *v, size_t n)
{
    size_t stretches = n > r->each ? r->each / 2 : n;
    json_t *x = json_array(), *y = json_array();

    for (size_t b = 0; b < stretches; b++) {
        size_t keep[2];
        size_t kept = extremes(v, n * b / stretches, n * (b + 1) / stretches, keep);

        for (size_t k = 0; k < kept; k++) {
            json_array_append_new(x, json_integer(frames[keep[k]]));
            json_array_append_new(y, json_real(v[keep[k]]));
        }
    }
    return json_pack("{s:I, s:I, s:I, s:o, s:o}", "item", (json_int_t)item, "metric",
                     (json_int_t)metric, "of", (json_int_t)n, "x", x, "y", y);
}

static int add(void *opaque, size_t item, size_t metric, const int64_t *frames,
               const double *values, size_t n)
{
    series *r = opaque;
    size_t points = n > r->each ? r->each : n;

    if (n < 2)
        return 0;
    r->of++;
    if (item >= r->items || points > r->left || (r->only_primary && metric != r->s->primary))
        return 0;
    r->left -= points;
    r->shown++;
    r->reduced += n > r->each;
    return json_array_append_new(r->list, packed(r, item, metric, frames, values, n)) < 0 ? -2
                                                                                          : 0;
}

static size_t wanted(const report_summary *s, size_t items, bool only_primary)
{
    size_t n = 0;

    for (size_t i = 0; i < items; i++)
        for (size_t m = 0; m < s->n_metrics; m++)
            n += s->items[i].pool[m].frames > 1 && (!only_primary || m == s->primary);
    return n;
}

static void say(json_t *notes, const char *format, size_t a, size_t b)
{
    char text[300];

    snprintf(text, sizeof text, format, a, b);
    json_array_append_new(notes, json_string(text));
}

int report_add_series(json_t *document, sqlite3 *store, const report_summary *s,
                      char why[REPORT_WHY])
{
    json_t *notes = json_object_get(document, "notes");
    series r = {.s = s, .list = json_array(), .left = POINTS_OF_PAGE};
    size_t n;
    int status;

    r.items = json_array_size(json_object_get(document, "items"));
    r.only_primary = wanted(s, r.items, false) * LEAST_OF_SERIES > POINTS_OF_PAGE;
    n = wanted(s, r.items, r.only_primary);
    r.each = n ? POINTS_OF_PAGE / n : MOST_OF_SERIES;
    r.each = r.each < LEAST_OF_SERIES  ? LEAST_OF_SERIES
             : r.each > MOST_OF_SERIES ? MOST_OF_SERIES
                                       : r.each;
    status = report_for_frames(store, s, add, &r, why);
    if (status == -2)
        snprintf(why, REPORT_WHY, "memory is short for index.html");
    if (r.reduced)
        say(notes,
            "%zu frame plots show the least and the greatest value of each stretch of "
            "frames; "
            "frames.csv has every one.",
            r.reduced, 0);
    if (r.shown < r.of)
        say(notes, "Frame plots are here for %zu of %zu series; frames.csv has the rest.",
            r.shown, r.of);
    json_object_set_new(document, "series", r.list);
    return status ? -1 : 0;
}
