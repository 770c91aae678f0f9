/*
 * tables.c - the numbers as CSV, all of them.
 *
 * Spreadsheets compute texts that begin with = + - @, so csv.h changes them; report.json has
 * names as they are.
 */
#include "csv.h"
#include "output.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void number(FILE *f, double value)
{
    fputc(',', f);
    if (isfinite(value))
        fprintf(f, "%.9f", value);
}

static void also(FILE *f, const char *value)
{
    fputc(',', f);
    report_csv_text(f, value ? value : "");
}

/* method,quality,take of an entry: the fields that name it. */
static void entry_fields(FILE *f, const report_summary *s, size_t entry)
{
    const report_entry *e = &s->entries[entry];

    report_csv_text(f, s->methods[e->method]);
    also(f, e->quality);
    fprintf(f, ",%d", e->take);
}

static const char *const states[] = {"to do", "done", "failed"};

static int items(const report_summary *s, const char *folder, char why[REPORT_WHY])
{
    report_file out;

    if (report_file_open(&out, folder, "items.csv", why) < 0)
        return -1;
    fputs("item,method,quality,take,clip,subset,rate_kbit_s,state,metric,frames,equal_frames,"
          "mean,median,worst_5_percent,worst,worst_frame,error\n",
          out.f);
    for (size_t i = 0; i < s->n_items; i++) {
        const report_result *item = &s->items[i];

        for (size_t m = 0; m < (item->state == REPORT_RESULT_DONE ? s->n_metrics : 1); m++) {
            const report_pool *p = &item->pool[m];

            fprintf(out.f, "%" PRId64 ",", item->id);
            entry_fields(out.f, s, item->entry);
            also(out.f, s->clips[item->clip].name);
            also(out.f, s->subsets[s->clips[item->clip].subset]);
            number(out.f, item->rate);
            also(out.f, states[item->state]);
            also(out.f, item->state == REPORT_RESULT_DONE ? s->metrics[m].name : "");
            fprintf(out.f, ",%zu,%zu", p->frames, p->equal);
            number(out.f, p->mean);
            number(out.f, p->median);
            number(out.f, p->tail);
            number(out.f, p->worst);
            if (p->frames)
                fprintf(out.f, ",%" PRId64, p->worst_frame);
            else
                fputc(',', out.f);
            also(out.f, item->error);
            fputc('\n', out.f);
        }
    }
    return report_file_close(&out, 0, why);
}

typedef struct frames_to {
    const report_summary *s;
    FILE *f;
} frames_to;

static int frame_lines(void *opaque, size_t i, size_t m, const int64_t *frames,
                       const double *values, size_t n)
{
    const frames_to *to = opaque;
    const report_result *item = &to->s->items[i];

    for (size_t k = 0; k < n; k++) {
        fprintf(to->f, "%" PRId64 ",", item->id);
        entry_fields(to->f, to->s, item->entry);
        also(to->f, to->s->clips[item->clip].name);
        also(to->f, to->s->subsets[to->s->clips[item->clip].subset]);
        also(to->f, to->s->metrics[m].name);
        fprintf(to->f, ",%" PRId64, frames[k]);
        number(to->f, values[k]);
        fputc('\n', to->f);
    }
    return 0;
}

static int frames(sqlite3 *store, const report_summary *s, const char *folder,
                  char why[REPORT_WHY])
{
    report_file out;
    frames_to to = {s, NULL};

    if (report_file_open(&out, folder, "frames.csv", why) < 0)
        return -1;
    to.f = out.f;
    fputs("item,method,quality,take,clip,subset,metric,frame,value\n", out.f);
    return report_file_close(&out, report_for_frames(store, s, frame_lines, &to, why), why);
}

static int means(const report_summary *s, const char *folder, char why[REPORT_WHY])
{
    report_file out;

    if (report_file_open(&out, folder, "summary.csv", why) < 0)
        return -1;
    fputs("subset,method,quality,take,mean_rate_kbit_s,metric,clips,mean,low,high,median,"
          "clips_of_this_method,clips_of_all\n",
          out.f);
    for (size_t g = 0; g < s->n_groups; g++)
        for (size_t e = 0; e < s->n_entries; e++)
            for (size_t m = 0; m < s->n_metrics; m++) {
                const report_group *group = &s->groups[g];
                const report_cell *c = &group->cell[e * s->n_metrics + m];

                report_csv_text(out.f, group->subset ? group->subset : "(all)");
                fputc(',', out.f);
                entry_fields(out.f, s, e);
                number(out.f, group->rate[e]);
                also(out.f, s->metrics[m].name);
                fprintf(out.f, ",%zu", c->mean.n);
                number(out.f, c->mean.mean);
                number(out.f, c->mean.low);
                number(out.f, c->mean.high);
                number(out.f, c->median);
                fprintf(out.f, ",%zu,%zu\n", c->own, group->clips);
            }
    return report_file_close(&out, 0, why);
}

static int pairs(const report_summary *s, const char *folder, char why[REPORT_WHY])
{
    report_file out;

    if (report_file_open(&out, folder, "pairs.csv", why) < 0)
        return -1;
    fputs("metric,a,quality_a,take_a,b,quality_b,take_b,clips,difference_a_b,low,high,"
          "a_above_b,differing,p,p_holm,exact\n",
          out.f);
    for (size_t i = 0; i < s->n_pairs; i++) {
        const report_pair *p = &s->pairs[i];

        report_csv_text(out.f, s->metrics[p->metric].name);
        fputc(',', out.f);
        entry_fields(out.f, s, p->a);
        fputc(',', out.f);
        entry_fields(out.f, s, p->b);
        fprintf(out.f, ",%zu", p->difference.n);
        number(out.f, p->difference.mean);
        number(out.f, p->difference.low);
        number(out.f, p->difference.high);
        fprintf(out.f, ",%zu,%zu,%.9g,%.9g,%d\n", p->test.above, p->test.n, p->test.p,
                p->test.p_holm, p->test.exact);
    }
    return report_file_close(&out, 0, why);
}

static int deltas(const report_summary *s, const char *folder, char why[REPORT_WHY])
{
    report_file out;

    if (report_file_open(&out, folder, "bdrate.csv", why) < 0)
        return -1;
    fputs("metric,scale,anchor,method,clip,subset,bd_rate_percent,overlap,why_not\n", out.f);
    for (size_t i = 0; i < s->n_deltas; i++)
        for (size_t k = 0; k < s->n_clips; k++) {
            const report_delta *d = &s->deltas[i];

            report_csv_text(out.f, s->metrics[d->metric].name);
            fprintf(out.f, ",%s", report_scale_name(d->scale));
            also(out.f, s->methods[s->anchor]);
            also(out.f, s->methods[d->method]);
            also(out.f, s->clips[k].name);
            also(out.f, s->subsets[s->clips[k].subset]);
            number(out.f, d->clip[k].percent);
            number(out.f, d->clip[k].overlap);
            also(out.f, d->clip[k].why);
            fputc('\n', out.f);
        }
    return report_file_close(&out, 0, why);
}

int report_write_csv(sqlite3 *store, const report_summary *s, const char *folder,
                     char why[REPORT_WHY])
{
    return items(s, folder, why) < 0 || frames(store, s, folder, why) < 0 ||
                   means(s, folder, why) < 0 || pairs(s, folder, why) < 0 ||
                   deltas(s, folder, why) < 0
               ? -1
               : 0;
}
