/*
 * plan.c - the list of what is to be scored, whatever it came from.
 */
#include "batch.h"
#include "frames.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>

void report_item_clear(report_item *item)
{
    char **texts[] = {&item->method, &item->clip,  &item->subset, &item->reference,
                      &item->output, &item->first, &item->last,   &item->quality};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
}

void report_plan_free(report_plan *p)
{
    for (size_t i = 0; i < p->n; i++)
        report_item_clear(&p->items[i]);
    free(p->items);
    free(p->title);
    free(p->manifest);
    memset(p, 0, sizeof *p);
}

/* "line 7: ", or nothing for what no manifest says. */
static const char *where(const report_plan *p, int64_t line, char text[32])
{
    text[0] = 0;
    if (line)
        snprintf(text, 32, "%s %lld: ", p->unit, (long long)line);
    return text;
}

/* What goes into pages and tables is UTF-8; a name of other bytes could not be shown. */
static bool is_utf8(const char *text)
{
    const uint8_t *p = (const uint8_t *)text, *end = p + strlen(text);
    int32_t code;

    while (p < end)
        if (av_utf8_decode(&code, &p, end, 0) < 0)
            return false;
    return true;
}

static int copy_text(const report_plan *p, char **to, const char *from, const char *what,
                     int64_t line, char why[REPORT_WHY])
{
    char place[32];

    if (!is_utf8(from))
        return report_fail(why,
                           "%s%s is not UTF-8 text: save the list, or name the files, so",
                           where(p, line, place), what);
    return (*to = strdup(from)) ? 0 : report_no_memory(why);
}

int report_plan_add(report_plan *p, const report_item *item, char why[REPORT_WHY])
{
    static const char *const names[] = {"method", "clip",  "subset", "reference",
                                        "output", "first", "last",   "quality"};
    const char *const from[] = {item->method, item->clip,  item->subset, item->reference,
                                item->output, item->first, item->last,   item->quality};
    report_item copy = *item;
    char **const to[] = {&copy.method, &copy.clip,  &copy.subset, &copy.reference,
                         &copy.output, &copy.first, &copy.last,   &copy.quality};

    for (int i = 0; i < 8; i++)
        *to[i] = NULL;
    for (int i = 0; i < 8; i++)
        if ((from[i] || i < 7) &&
            copy_text(p, to[i], from[i] ? from[i] : "", names[i], item->line, why)) {
            report_item_clear(&copy);
            return -1;
        }
    if (report_room(&p->items, sizeof copy, p->n, &p->room)) {
        report_item_clear(&copy);
        return report_no_memory(why);
    }
    p->items[p->n++] = copy;
    return 0;
}

static int compare_names(const report_item *a, const report_item *b)
{
    const char *qa = a->quality ? a->quality : "", *qb = b->quality ? b->quality : "";
    int order = strcmp(a->method, b->method);

    order = order ? order : strcmp(a->subset, b->subset);
    order = order ? order : strcmp(a->clip, b->clip);
    return order ? order : strcmp(qa, qb);
}

/* Rates tell apart what has no quality. */
static int by_name(const void *a, const void *b)
{
    const report_item *x = *(report_item *const *)a, *y = *(report_item *const *)b;
    int order = compare_names(x, y);

    if (!order && !x->quality && !y->quality && (x->rate < y->rate || x->rate > y->rate))
        order = x->rate < y->rate ? -1 : 1;
    return order ? order : (x > y) - (x < y);
}

/* The same as by_name() but for the place in the list. */
static bool same_name(const report_item *a, const report_item *b)
{
    if (compare_names(a, b))
        return false;
    return a->quality || b->quality || !(a->rate < b->rate || a->rate > b->rate);
}

static report_item **sorted(const report_plan *p, int (*order)(const void *, const void *))
{
    report_item **by = malloc(p->n * sizeof *by);

    for (size_t i = 0; by && i < p->n; i++)
        by[i] = &p->items[i];
    if (by)
        qsort(by, p->n, sizeof *by, order);
    return by;
}

int report_plan_finish(report_plan *p, char why[REPORT_WHY])
{
    report_item **by;
    int status = 0;
    char place[32];

    if (!p->n)
        return report_fail(why, "there is nothing to score");
    if (!(by = sorted(p, by_name)))
        return report_no_memory(why);
    for (size_t i = 1; i < p->n && !status; i++) {
        const report_item *a = by[i - 1], *b = by[i];

        if (!same_name(a, b))
            continue;
        status = report_fail(
            why, "%smethod \"%s\" on clip \"%s\"%s%s comes twice%s: give them other names%s",
            where(p, b->line, place), b->method, b->clip, *b->subset ? " of " : "", b->subset,
            b->quality ? ", in one quality" : "",
            p->codec ? ", or columns quality or rate" : "");
        if (a->line && b->line) {
            size_t n = strlen(why);

            snprintf(why + n, REPORT_WHY - n, " (the other is in %s %lld)", p->unit,
                     (long long)a->line);
        }
    }
    free(by);
    for (size_t i = 0; i < p->n; i++)
        p->items[i].id = (int64_t)i + 1;
    return status;
}

/* Clips by what a method made here has to know of them. */
static int by_clip(const void *a, const void *b)
{
    const report_item *x = *(report_item *const *)a, *y = *(report_item *const *)b;
    int order = strcmp(x->subset, y->subset);

    order = order ? order : strcmp(x->clip, y->clip);
    return order ? order : (x > y) - (x < y);
}

static int agree(const report_plan *p, const report_item *a, const report_item *b,
                 char why[REPORT_WHY])
{
    char place[32];

    if (!strcmp(a->reference, b->reference) && !strcmp(a->first, b->first) &&
        !strcmp(a->last, b->last) && a->every == b->every)
        return 0;
    return report_fail(why,
                       "%sclip \"%s\" has another reference, first, last or every than in "
                       "%s %lld: one clip has the same everywhere",
                       where(p, b->line, place), b->clip, p->unit, (long long)a->line);
}

static int add_baseline(report_plan *p, const report_item *clip, const char *name,
                        char why[REPORT_WHY])
{
    report_item made = *clip;
    char method[16], output[32], place[32];

    if (!*clip->first && !clip->every)
        return report_fail(
            why,
            "%sno \"%s\" can be made for clip \"%s\", which has no neighbours: "
            "give columns first and last, or every (or --factor)",
            where(p, clip->line, place), name, clip->clip);
    snprintf(method, sizeof method, "%s", name);
    snprintf(output, sizeof output, REPORT_MADE_HERE "%s", name);
    made.method = method;
    made.output = output;
    made.quality = NULL;
    made.rate = NAN;
    return report_plan_add(p, &made, why);
}

int report_plan_baseline(report_plan *p, const char *name, char why[REPORT_WHY])
{
    report_item **by;
    bool *first = NULL;
    const size_t n = p->n;
    int status = 0;

    if (strcmp(name, "blend") && strcmp(name, "repeat"))
        return report_fail(why, "no baseline is called \"%s\"; there are blend and repeat",
                           name);
    if (!n)
        return 0;
    by = sorted(p, by_clip);
    first = calloc(n, sizeof *first);
    if (!by || !first)
        status = report_no_memory(why);
    /* Those of another baseline are no clips of their own. */
    for (size_t i = 0; i < n && !status; i++) {
        if (i && !strcmp(by[i]->clip, by[i - 1]->clip) &&
            !strcmp(by[i]->subset, by[i - 1]->subset))
            status = agree(p, by[i - 1], by[i], why);
        else
            first[by[i] - p->items] = true;
    }
    for (size_t i = 0; i < n && !status; i++) {
        /* Adding may move the items. */
        const report_item clip = p->items[i];

        if (first[i])
            status = add_baseline(p, &clip, name, why);
    }
    free(first);
    free(by);
    return status;
}
