/*
 * summary.c - a store, read: names, items, and the frames of each pooled.
 *
 * SQLite counts and numbers; frames go through here item by item, so that memory follows
 * the number of items, not of frames.
 */
#include "summary.h"
#include "media.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lpips.h>

/* ---- text from strangers ------------------------------------------------------- */

/* Of a column; NULL of NULL.  *short_of_memory is set, never cleared. */
static char *column(sqlite3_stmt *q, int i, bool *short_of_memory)
{
    const char *text = (const char *)sqlite3_column_text(q, i);
    char *copy = text ? media_clean_text(text) : NULL;

    if (text && !copy)
        *short_of_memory = true;
    return copy;
}

/* ---- queries ------------------------------------------------------------------- */

static int failed(sqlite3 *store, char why[REPORT_WHY])
{
    snprintf(why, REPORT_WHY, "the store cannot be read: %s", sqlite3_errmsg(store));
    return -1;
}

static int no_memory(char why[REPORT_WHY])
{
    snprintf(why, REPORT_WHY, "memory is short for the report");
    return -1;
}

/* Room for as many elements as a query counts; at least one. */
static void *room_for(sqlite3 *store, const char *count, size_t size, size_t *n,
                      char why[REPORT_WHY])
{
    sqlite3_stmt *q = NULL;
    void *room = NULL;

    if (sqlite3_prepare_v2(store, count, -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW) {
        *n = (size_t)sqlite3_column_int64(q, 0);
        room = calloc(*n + 1, size);
        if (!room)
            no_memory(why);
    } else {
        failed(store, why);
    }
    sqlite3_finalize(q);
    return room;
}

static int read_facts(report_summary *s, sqlite3 *store, char why[REPORT_WHY])
{
    sqlite3_stmt *q = NULL;
    size_t n = 0, most = 0;
    bool lost = false;
    int status;

    s->facts = room_for(store, "SELECT count(*) FROM about", sizeof *s->facts, &most, why);
    if (!s->facts)
        return -1;
    sqlite3_prepare_v2(store, "SELECT key, value FROM about ORDER BY key", -1, &q, NULL);
    while ((status = sqlite3_step(q)) == SQLITE_ROW && n < most) {
        s->facts[n] = (report_fact){column(q, 0, &lost), column(q, 1, &lost)};
        if (s->facts[n].key && s->facts[n].value)
            n++;
    }
    s->n_facts = n;
    sqlite3_finalize(q);
    s->codec = !strcmp(report_fact_of(s, "kind"), "codec");
    return status != SQLITE_DONE ? failed(store, why) : lost ? no_memory(why) : 0;
}

static int read_metrics(report_summary *s, sqlite3 *store, char why[REPORT_WHY])
{
    sqlite3_stmt *q = NULL;
    size_t n = 0, most = 0;
    bool lost = false;
    int status;

    s->metrics =
        room_for(store, "SELECT count(*) FROM metric", sizeof *s->metrics, &most, why);
    if (!s->metrics)
        return -1;
    sqlite3_prepare_v2(store, "SELECT id, name, text, lower FROM metric ORDER BY id", -1, &q,
                       NULL);
    while ((status = sqlite3_step(q)) == SQLITE_ROW && n < most) {
        report_metric *m = &s->metrics[n];

        m->id = sqlite3_column_int64(q, 0);
        m->name = column(q, 1, &lost);
        m->text = column(q, 2, &lost);
        m->lower = sqlite3_column_int(q, 3);
        n += m->name && m->text;
    }
    sqlite3_finalize(q);
    s->n_metrics = n;
    s->primary = n;
    for (size_t i = 0; i < n; i++) {
        s->metrics[i].digits = strcmp(s->metrics[i].name, "psnr") ? 4 : 2;
        s->metrics[i].is_lpips = !strncmp(s->metrics[i].name, "lpips_", 6);
        if (s->metrics[i].is_lpips && s->primary == n)
            s->primary = i;
    }
    if (s->primary == n)
        s->primary = 0;
    if (status == SQLITE_DONE && !lost && !n) {
        snprintf(why, REPORT_WHY, "the store measures nothing: its table metric is empty");
        return -1;
    }
    return status != SQLITE_DONE ? failed(store, why) : lost ? no_memory(why) : 0;
}

/*
 * Everything about items in one query: SQLite's windows number methods, clips, subsets and
 * entries by the item they first appear in.
 */
static const char items_query[] =
    "WITH a AS (SELECT *, row_number() OVER (PARTITION BY method, quality, clip, subset"
    "   ORDER BY id) AS take FROM item),"
    " b AS (SELECT *, min(id) OVER (PARTITION BY method) AS method_from,"
    "   min(id) OVER (PARTITION BY clip, subset) AS clip_from,"
    "   min(id) OVER (PARTITION BY subset) AS subset_from,"
    "   min(id) OVER (PARTITION BY method, quality, take) AS entry_from FROM a) "
    "SELECT id, dense_rank() OVER (ORDER BY method_from) - 1,"
    " dense_rank() OVER (ORDER BY clip_from) - 1,"
    " dense_rank() OVER (ORDER BY subset_from) - 1,"
    " dense_rank() OVER (ORDER BY method_from, entry_from) - 1,"
    " take, method, clip, subset, quality, rate, state, error, frames FROM b ORDER BY id";

static bool take_item(report_summary *s, sqlite3_stmt *q, report_result *item)
{
    size_t subset = (size_t)sqlite3_column_int64(q, 3);
    bool lost = false;

    item->id = sqlite3_column_int64(q, 0);
    item->method = (size_t)sqlite3_column_int64(q, 1);
    item->clip = (size_t)sqlite3_column_int64(q, 2);
    item->entry = (size_t)sqlite3_column_int64(q, 4);
    if (!s->methods[item->method])
        s->methods[item->method] = column(q, 6, &lost);
    if (!s->clips[item->clip].name)
        s->clips[item->clip] = (report_clip){column(q, 7, &lost), subset};
    if (!s->subsets[subset])
        s->subsets[subset] = column(q, 8, &lost);
    if (!s->entries[item->entry].take)
        s->entries[item->entry] =
            (report_entry){item->method, column(q, 9, &lost), sqlite3_column_int(q, 5)};
    item->rate =
        sqlite3_column_type(q, 10) == SQLITE_NULL ? NAN : sqlite3_column_double(q, 10);
    item->state = sqlite3_column_int(q, 11);
    if (item->state < REPORT_RESULT_TODO || item->state > REPORT_RESULT_FAILED)
        item->state = REPORT_RESULT_TODO;
    item->error = column(q, 12, &lost);
    item->frames = sqlite3_column_int64(q, 13);
    item->pool = calloc(s->n_metrics, sizeof *item->pool);
    if (item->pool)
        for (size_t m = 0; m < s->n_metrics; m++)
            item->pool[m] = (report_pool){0, 0, NAN, NAN, NAN, NAN, 0};
    s->n_methods = item->method + 1 > s->n_methods ? item->method + 1 : s->n_methods;
    s->n_clips = item->clip + 1 > s->n_clips ? item->clip + 1 : s->n_clips;
    s->n_subsets = subset + 1 > s->n_subsets ? subset + 1 : s->n_subsets;
    s->n_entries = item->entry + 1 > s->n_entries ? item->entry + 1 : s->n_entries;
    s->count[item->state]++;
    return !lost && item->pool;
}

static int read_items(report_summary *s, sqlite3 *store, char why[REPORT_WHY])
{
    sqlite3_stmt *q = NULL;
    size_t most = 0;
    bool lost = false;
    int status;

    s->items = room_for(store, "SELECT count(*) FROM item", sizeof *s->items, &most, why);
    if (!s->items)
        return -1;
    s->methods = calloc(most + 1, sizeof *s->methods);
    s->subsets = calloc(most + 1, sizeof *s->subsets);
    s->clips = calloc(most + 1, sizeof *s->clips);
    s->entries = calloc(most + 1, sizeof *s->entries);
    if (!s->methods || !s->subsets || !s->clips || !s->entries)
        return no_memory(why);
    if (sqlite3_prepare_v2(store, items_query, -1, &q, NULL) != SQLITE_OK)
        return failed(store, why);
    while ((status = sqlite3_step(q)) == SQLITE_ROW && s->n_items < most && !lost)
        lost = !take_item(s, q, &s->items[s->n_items++]);
    sqlite3_finalize(q);
    return lost ? no_memory(why) : status != SQLITE_DONE ? failed(store, why) : 0;
}

/* ---- frames -------------------------------------------------------------------- */

typedef struct run {
    int64_t item, metric;
    int64_t *frames;
    double *values;
    size_t n, room;
} run;

static bool grow(run *r)
{
    size_t room = r->room ? 2 * r->room : 256;
    int64_t *frames = realloc(r->frames, room * sizeof *frames);
    double *values;

    if (frames)
        r->frames = frames;
    values = frames ? realloc(r->values, room * sizeof *values) : NULL;
    if (!values)
        return false;
    r->values = values;
    r->room = room;
    return true;
}

/* Hands a finished run on; what belongs to no item or metric that was read is passed by. */
static int hand_on(const report_summary *s, run *r, size_t *item, report_each each,
                   void *opaque)
{
    size_t metric = 0, n = r->n;

    r->n = 0;
    while (*item < s->n_items && s->items[*item].id < r->item)
        ++*item;
    while (metric < s->n_metrics && s->metrics[metric].id != r->metric)
        metric++;
    if (!n || *item == s->n_items || s->items[*item].id != r->item || metric == s->n_metrics)
        return 0;
    return each(opaque, *item, metric, r->frames, r->values, n);
}

int report_for_frames(sqlite3 *store, const report_summary *s, report_each each, void *opaque,
                      char why[REPORT_WHY])
{
    static const char query[] =
        "SELECT score.item, metric, frame, value FROM score JOIN item ON item.id = score.item"
        " WHERE item.state = 1 ORDER BY score.item, metric, frame";
    sqlite3_stmt *q = NULL;
    run r = {0};
    size_t item = 0;
    int step = SQLITE_ERROR, status = 0;

    if (sqlite3_prepare_v2(store, query, -1, &q, NULL) != SQLITE_OK)
        return failed(store, why);
    while (!status && (step = sqlite3_step(q)) == SQLITE_ROW) {
        int64_t of_item = sqlite3_column_int64(q, 0), of_metric = sqlite3_column_int64(q, 1);
        double value = sqlite3_column_double(q, 3);

        if (of_item != r.item || of_metric != r.metric)
            status = hand_on(s, &r, &item, each, opaque);
        r.item = of_item;
        r.metric = of_metric;
        if (r.n == r.room && !grow(&r))
            status = no_memory(why);
        if (status)
            break;
        r.frames[r.n] = sqlite3_column_int64(q, 2);
        r.values[r.n++] =
            sqlite3_column_type(q, 3) == SQLITE_NULL || !isfinite(value) ? NAN : value;
    }
    if (!status && step != SQLITE_DONE)
        status = failed(store, why);
    if (!status)
        status = hand_on(s, &r, &item, each, opaque);
    sqlite3_finalize(q);
    free(r.frames);
    free(r.values);
    return status;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Turned so that larger is worse, as lpips_worst() and the tail want it. */
static int pool(void *opaque, size_t i, size_t m, const int64_t *frames, const double *values,
                size_t n)
{
    report_summary *s = opaque;
    report_pool *p = &s->items[i].pool[m];
    double turn = s->metrics[m].lower ? 1 : -1;
    double *sorted = malloc(n * sizeof *sorted);
    size_t *place = malloc(n * sizeof *place), worst;
    int status = -2;

    if (!sorted || !place)
        goto fail;
    for (size_t k = 0; k < n; k++)
        if (!isnan(values[k])) {
            place[p->frames] = k;
            sorted[p->frames++] = turn * values[k];
        }
    p->equal = n - p->frames;
    status = 0;
    if (!p->frames)
        goto fail;
    lpips_worst(sorted, p->frames, &worst, 1);
    p->worst = turn * sorted[worst];
    p->worst_frame = frames[place[worst]];
    p->mean = turn * report_mean(sorted, p->frames);
    qsort(sorted, p->frames, sizeof *sorted, rising);
    p->median = turn * lpips_percentile(sorted, p->frames, 50);
    p->tail = turn * lpips_percentile(sorted, p->frames, 95);
    if (m == s->primary)
        s->frames += (int64_t)p->frames;
fail:
    free(sorted);
    free(place);
    return status;
}

/* ---- the whole ----------------------------------------------------------------- */

report_summary *report_summary_read(sqlite3 *store, char why[REPORT_WHY])
{
    report_summary *s = calloc(1, sizeof *s);
    int status;

    if (!s) {
        no_memory(why);
        return NULL;
    }
    if (read_facts(s, store, why) < 0 || read_metrics(s, store, why) < 0 ||
        read_items(s, store, why) < 0)
        goto fail;
    status = report_for_frames(store, s, pool, s, why);
    if (status == -2)
        no_memory(why);
    if (status)
        goto fail;
    for (size_t i = 0; i < s->n_methods; i++)
        if (!strcmp(s->methods[i], report_fact_of(s, "anchor")))
            s->anchor = i;
    if (report_compare(s, why) == 0)
        return s;
fail:
    report_summary_free(s);
    return NULL;
}

void report_summary_free(report_summary *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_facts; i++) {
        free(s->facts[i].key);
        free(s->facts[i].value);
    }
    for (size_t i = 0; i < s->n_metrics; i++) {
        free(s->metrics[i].name);
        free(s->metrics[i].text);
    }
    for (size_t i = 0; i < s->n_methods; i++)
        free(s->methods[i]);
    for (size_t i = 0; i < s->n_subsets; i++)
        free(s->subsets[i]);
    for (size_t i = 0; i < s->n_clips; i++)
        free(s->clips[i].name);
    for (size_t i = 0; i < s->n_entries; i++)
        free(s->entries[i].quality);
    for (size_t i = 0; i < s->n_items; i++) {
        free(s->items[i].error);
        free(s->items[i].pool);
    }
    for (size_t i = 0; i < s->n_groups; i++) {
        free(s->groups[i].common);
        free(s->groups[i].cell);
        free(s->groups[i].rate);
    }
    for (size_t i = 0; i < s->n_deltas; i++)
        free(s->deltas[i].clip);
    free(s->facts);
    free(s->metrics);
    free(s->methods);
    free(s->subsets);
    free(s->clips);
    free(s->entries);
    free(s->items);
    free(s->groups);
    free(s->pairs);
    free(s->deltas);
    free(s);
}

const char *report_fact_of(const report_summary *s, const char *key)
{
    for (size_t i = 0; i < s->n_facts; i++)
        if (!strcmp(s->facts[i].key, key))
            return s->facts[i].value;
    return "";
}
