/*
 * compare.c - lpips REFERENCE DISTORTED...: pictures, folders and videos side by side.
 */
#include "compare.h"

#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavutil/common.h>
#include <libavutil/frame.h>

/* ---- rows and values --------------------------------------------------------- */

bool cli_append(double **values, size_t *n, size_t *room, double value)
{
    if (*n == *room) {
        const size_t more = *room ? 2 * *room : 256;
        double *grown = realloc(*values, more * sizeof *grown);

        if (!grown)
            return false;
        *values = grown;
        *room = more;
    }
    (*values)[(*n)++] = value;
    return true;
}

void cli_run_row(cli_run *run, const cli_row *row)
{
    cli_set *set = &run->set[row->set];

    cli_output_row(run->out, row);
    if ((row->kind == CLI_PICTURE || row->kind == CLI_VIDEO) &&
        !cli_append(&set->values, &set->n, &set->room, row->value))
        run->broken++;
}

void cli_run_broken(cli_run *run, const cli_item *item, int set, const char *why)
{
    const cli_row row = {
        .kind = CLI_BROKEN,
        .set = set,
        .reference = item->reference,
        .distorted = item->distorted[set],
        .why = why,
    };

    run->broken++;
    if (strstr(why, item->distorted[set]) || strstr(why, item->reference))
        cli_warn("%s", why);
    else
        cli_warn("%s: %s", item->distorted[set], why);
    cli_run_row(run, &row);
}

static void unmatched(cli_run *run, const cli_item *item, int set)
{
    const char *path = item->reference ? item->reference : item->distorted[set];
    const cli_row row = {
        .kind = CLI_UNMATCHED,
        .set = set,
        .reference = item->reference,
        .distorted = item->distorted[set],
    };

    run->broken += run->o->strict;
    if (run->o->strict || !run->o->quiet)
        cli_warn("%s has no partner in %s", path,
                 item->reference ? run->o->distorted[set] : run->o->reference);
    cli_run_row(run, &row);
}

/* ---- comparing --------------------------------------------------------------- */

int cli_run_many(cli_run *run, const AVFrame *reference, const AVFrame *const *others, int n,
                 lpips_result *results, const lpips_map *maps, char why[MEDIA_WHY])
{
    const double began = cli_seconds();
    const int ret = media_score_many(run->score, reference, others, n, results, maps, why);

    run->comparing += cli_seconds() - began;
    return ret;
}

int cli_run_pairs(cli_run *run, const AVFrame *const *references,
                  const AVFrame *const *others, int n, lpips_result *results,
                  char why[MEDIA_WHY])
{
    const double began = cli_seconds();
    const int ret = media_score_pairs(run->score, references, others, n, results, why);

    run->comparing += cli_seconds() - began;
    return ret;
}

int cli_batch(const AVFrame *frame)
{
    return (int)av_clip64((1 << 19) / ((int64_t)frame->width * frame->height), 1, 32);
}

/* ---- pictures ---------------------------------------------------------------- */

static void picture_row(cli_run *run, const cli_item *item, int set, const AVFrame *frame,
                        const lpips_result *result, const char *reference_read_as,
                        const char *read_as)
{
    const cli_row row = {
        .kind = CLI_PICTURE,
        .set = set,
        .reference = item->reference,
        .distorted = item->distorted[set],
        .value = result->distance,
        .terms = result,
        .reference_read_as = reference_read_as,
        .distorted_read_as = read_as,
        .width = frame->width,
        .height = frame->height,
    };

    cli_run_row(run, &row);
}

static void write_map(cli_run *run, const cli_item *item, int set, const lpips_map *map,
                      const AVFrame *frame)
{
    char why[MEDIA_WHY] = "out of memory", *path = NULL;

    if (cli_map_path(&path, run->o, run->items, item->distorted[set], set, why) < 0 ||
        cli_map_write(path, run->o, map->total, frame->width, frame->height, why) < 0) {
        run->broken++;
        cli_warn("%s", why);
    }
    free(path);
}

/* Those of an item's sets that are listed, beside its reference. */
static void score_sets(cli_run *run, const cli_item *item, const cli_opened *p,
                       const int *sets, int n)
{
    const AVFrame *reference = p->frame[run->o->sets];
    const size_t pixels = (size_t)reference->width * (size_t)reference->height;
    const AVFrame **others = calloc((size_t)n, sizeof *others);
    lpips_result *results = calloc((size_t)n, sizeof *results);
    lpips_map *maps = run->o->map ? calloc((size_t)n, sizeof *maps) : NULL;
    char why[MEDIA_WHY] = "out of memory";
    int ret = others && results && (maps || !run->o->map) ? 0 : -1;

    for (int k = 0; k < n && ret >= 0; k++) {
        others[k] = p->frame[sets[k]];
        if (maps)
            maps[k] = (lpips_map){.total = malloc(pixels * sizeof(float)),
                                  .stride = reference->width * (ptrdiff_t)sizeof(float)};
        if (maps && !maps[k].total)
            ret = -1;
    }
    if (ret >= 0)
        ret = cli_run_many(run, reference, others, n, results, maps, why);
    for (int k = 0; k < n && ret >= 0; k++) {
        picture_row(run, item, sets[k], reference, &results[k],
                    media_score_reference_read_as(run->score),
                    media_score_read_as(run->score, k));
        if (maps)
            write_map(run, item, sets[k], &maps[k], reference);
    }
    if (ret < 0 && n == 1)
        cli_run_broken(run, item, sets[0], why);
    for (int k = 0; k < n; k++) {
        if (ret < 0 && n > 1) /* which of them it is */
            score_sets(run, item, p, &sets[k], 1);
        if (maps)
            free(maps[k].total);
    }
    free(maps);
    free(results);
    free(others);
}

static void score_pictures(cli_run *run, const cli_item *item, const cli_opened *p)
{
    int *sets = calloc((size_t)run->o->sets, sizeof *sets), n = 0;

    for (int i = 0; i < run->o->sets; i++)
        if (p->frame[i] && sets)
            sets[n++] = i;
        else if (p->frame[i])
            cli_run_broken(run, item, i, "out of memory");
    if (n)
        score_sets(run, item, p, sets, n);
    free(sets);
}

/* ---- small pictures, many together ----------------------------------------------- */

enum { BATCH = 32 };

typedef struct batch {
    const cli_item *item[BATCH];
    cli_opened *opened[BATCH];
    int n;
} batch;

static void score_batch(cli_run *run, batch *b)
{
    const AVFrame *references[BATCH], *others[BATCH];
    lpips_result results[BATCH];
    char why[MEDIA_WHY];
    int ret;

    for (int i = 0; i < b->n; i++) {
        others[i] = b->opened[i]->frame[0];
        references[i] = b->opened[i]->frame[1];
    }
    ret = cli_run_pairs(run, references, others, b->n, results, why);
    for (int i = 0; i < b->n; i++)
        if (ret >= 0)
            picture_row(run, b->item[i], 0, references[i], &results[i],
                        media_score_pair_reference_read_as(run->score, i),
                        media_score_read_as(run->score, i));
        else /* which of them it is */
            score_pictures(run, b->item[i], b->opened[i]);
}

static void flush(cli_run *run, cli_ahead *ahead, batch *b)
{
    if (b->n && !cli_stopped())
        score_batch(run, b);
    for (int i = 0; i < b->n; i++)
        cli_opened_free(ahead, b->opened[i]);
    run->done += (size_t)b->n;
    b->n = 0;
}

bool cli_same_size(const AVFrame *a, const AVFrame *b)
{
    return a->width == b->width && a->height == b->height;
}

static bool batches(const cli_run *run, const cli_opened *p)
{
    return run->o->sets == 1 && !run->o->map && p->frame[0] && p->frame[1] &&
           cli_same_size(p->frame[0], p->frame[1]);
}

/* ---- items ------------------------------------------------------------------ */

static void report_missing(cli_run *run, const cli_item *item, const cli_opened *p)
{
    const int sets = run->o->sets;

    for (int i = 0; i < sets; i++)
        if (!item->reference != !item->distorted[i])
            unmatched(run, item, i);
        else if (item->distorted[i] && (*p->why[sets] || *p->why[i]))
            cli_run_broken(run, item, i, *p->why[sets] ? p->why[sets] : p->why[i]);
}

static void refuse_maps(cli_run *run, const cli_item *item)
{
    for (int i = 0; i < run->o->sets; i++)
        if (item->distorted[i])
            cli_run_broken(run, item, i,
                           "--map draws pictures only; of videos FFmpeg's filter lpips makes "
                           "maps (output=map)");
}

static void do_item(cli_run *run, const cli_item *item, cli_opened *p)
{
    report_missing(run, item, p);
    if (p->video && run->o->map)
        refuse_maps(run, item);
    else if (p->video)
        cli_video(run, item, p);
    else if (p->frame[run->o->sets])
        score_pictures(run, item, p);
    run->done++;
}

static void do_items(cli_run *run, cli_ahead *ahead)
{
    batch b = {.n = 0};

    for (size_t i = 0; i < run->items->n && !cli_stopped(); i++) {
        const cli_item *item = &run->items->item[i];
        cli_opened *p = cli_ahead_next(ahead);

        if (!p) {
            if (!cli_stopped()) {
                run->broken++;
                cli_warn("out of memory");
            }
            break;
        }
        if (batches(run, p)) {
            if (b.n && !cli_same_size(p->frame[1], b.opened[0]->frame[1]))
                flush(run, ahead, &b);
            b.item[b.n] = item;
            b.opened[b.n++] = p;
            if (b.n >= cli_batch(p->frame[1]))
                flush(run, ahead, &b);
        } else {
            flush(run, ahead, &b);
            do_item(run, item, p);
            cli_opened_free(ahead, p);
        }
        cli_progress((int64_t)run->done, (int64_t)run->items->n, "names");
    }
    flush(run, ahead, &b);
}

/* ---- the end ---------------------------------------------------------------- */

/* 1 where the limit was crossed, 0 where not, -1 without one. */
static int judge(const cli_run *run)
{
    const char *pool = lpips_stats_name(run->o->pool);
    int crossed = 0;

    if (!run->o->gated)
        return -1;
    for (int i = 0; i < run->o->sets; i++) {
        const cli_set *set = &run->set[i];
        lpips_stats stats;
        double value;

        if (lpips_stats_of(set->values, set->n, &stats) < 0)
            continue;
        value = set->n == 1 ? set->values[0] : lpips_stats_value(&stats, run->o->pool);
        if (value <= run->o->fail_above)
            continue;
        crossed = 1;
        cli_warn("%s: %s%s%.9f is above %g", run->o->distorted[i], set->n > 1 ? pool : "",
                 set->n > 1 ? " " : "", value, run->o->fail_above);
    }
    return crossed;
}

static void summarize(const cli_run *run)
{
    for (int i = 0; i < run->o->sets; i++)
        if (run->set[i].n > 1)
            cli_output_summary(run->out, i, run->set[i].values, run->set[i].n);
}

static int finish(cli_run *run, double began)
{
    char why[MEDIA_WHY];
    size_t compared = 0;
    int gate;

    cli_progress_clear();
    summarize(run);
    gate = judge(run);
    for (int i = 0; i < run->o->sets; i++)
        compared += run->set[i].n;
    if (!compared && !run->broken && !cli_stopped()) {
        run->broken++;
        cli_warn("no name of %s is found again", run->o->reference);
    }
    if (run->o->verbose)
        cli_warn("%.3f s, of which %.3f s were comparisons", cli_seconds() - began,
                 run->comparing);
    if (cli_output_close(run->out, !cli_stopped(), gate, why) < 0) {
        run->broken++;
        cli_warn("%s", why);
    }
    if (cli_stopped())
        return 128 + cli_stopped();
    return run->broken ? CLI_FAILED : gate > 0 ? CLI_GATE : CLI_OK;
}

/* A model holds what it holds; whoever names a net besides means that one. */
static int open_score(media_score **score, const cli_options *o, char why[MEDIA_WHY])
{
    const lpips_weights *w;

    if (media_score_open(score, &o->score, why) < 0)
        return -1;
    w = media_score_weights(*score);
    if (!o->score.model ||
        ((!o->net_named || (int)lpips_weights_net(w) == o->score.net) &&
         (!o->score.version || !strcmp(o->score.version, lpips_weights_version(w)))))
        return 0;
    snprintf(why, MEDIA_WHY,
             "%.400s holds net %s, version %s, which is not what --net and --net-version ask "
             "for; leave those out",
             o->score.model, lpips_net_name(lpips_weights_net(w)), lpips_weights_version(w));
    return -1;
}

static int go(cli_run *run, const cli_options *o, cli_items *items)
{
    const double began = cli_seconds();
    char why[MEDIA_WHY] = "out of memory";
    cli_ahead *ahead = NULL;
    int ret = CLI_FAILED;

    run->set = calloc((size_t)o->sets, sizeof *run->set);
    /* Pictures are read while the weights load. */
    if (run->set && cli_items_find(items, o, why) >= 0 &&
        cli_ahead_start(&ahead, items, o->jobs, why) >= 0 &&
        open_score(&run->score, o, why) >= 0 &&
        cli_output_open(&run->out, o, run->score, why) >= 0) {
        do_items(run, ahead);
        ret = finish(run, began);
        if (cli_stopped())
            _exit(ret);
        cli_ahead_stop(ahead);
    } else {
        cli_warn("%s", why);
        if (ahead) /* its readers may wait for a pipe, for ever */
            _exit(ret);
    }
    for (int i = 0; run->set && i < o->sets; i++)
        free(run->set[i].values);
    free(run->set);
    media_score_close(run->score);
    return ret;
}

int cli_compare(int argc, char **argv)
{
    cli_options o;
    cli_items items = {0};
    cli_run run = {.o = &o, .items = &items};
    int ret;

    cli_options_parse(&o, argc, argv);
    cli_say_start(&o);
    ret = go(&run, &o, &items);
    cli_items_free(&items);
    return ret;
}
