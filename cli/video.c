/*
 * video.c - one video beside its encodes, frame by frame in order of display.
 */
#include "compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/frame.h>

/* One encode; index `sets` of an array is the reference. */
typedef struct track {
    cli_feed *feed;
    int state; /* of cli_feed_next() */
    char why[MEDIA_WHY];
    double *values;
    size_t n, room;
    int64_t frames; /* that came */
    char reference_read_as[256], read_as[256];
    int width, height;
} track;

typedef struct video {
    cli_run *run;
    const cli_item *item;
    track *track;
    int sets;
    int64_t total; /* frames of the reference, 0: unknown */

    /* Of one step, room for all sets. */
    AVFrame **frames;
    const AVFrame **others;
    lpips_result *results;
    int *scored;
} video;

/* ---- frames ----------------------------------------------------------------- */

static bool next(track *t, AVFrame **frame)
{
    if (t->state > 0)
        t->state = cli_feed_next(t->feed, frame, t->why);
    if (t->state > 0)
        t->frames++;
    return t->state > 0;
}

static void fail_track(track *t, const char *why)
{
    snprintf(t->why, sizeof t->why, "frame %" PRId64 ": %.400s", t->frames - 1, why);
    t->state = -1;
}

static void frame_row(video *v, int set, const AVFrame *frame, const lpips_result *result,
                      const char *reference_read_as, const char *read_as)
{
    track *t = &v->track[set];
    const cli_row row = {
        .kind = CLI_FRAME,
        .set = set,
        .reference = v->item->reference,
        .distorted = v->item->distorted[set],
        .frame = (int64_t)t->n,
        .value = result->distance,
        .terms = result,
        .reference_read_as = reference_read_as,
        .distorted_read_as = read_as,
        .width = frame->width,
        .height = frame->height,
    };

    cli_run_row(v->run, &row);
    if (!cli_append(&t->values, &t->n, &t->room, result->distance))
        fail_track(t, "out of memory");
    snprintf(t->reference_read_as, sizeof t->reference_read_as, "%s", reference_read_as);
    snprintf(t->read_as, sizeof t->read_as, "%s", read_as);
    t->width = frame->width;
    t->height = frame->height;
}

/* ---- several encodes: the reference's features once a frame ---------------------- */

static void score_step(video *v, const AVFrame *reference)
{
    char why[MEDIA_WHY];
    int n = 0;

    for (int i = 0; i < v->sets; i++) {
        const AVFrame *frame = v->frames[i];

        if (frame && !cli_same_size(frame, reference)) {
            snprintf(why, sizeof why,
                     "the sizes differ: the reference is %dx%d, this %dx%d; scale one of "
                     "them first",
                     reference->width, reference->height, frame->width, frame->height);
            fail_track(&v->track[i], why);
        } else if (frame) {
            v->scored[n] = i;
            v->others[n++] = frame;
        }
    }
    if (n && cli_run_many(v->run, reference, v->others, n, v->results, NULL, why) >= 0)
        for (int k = 0; k < n; k++)
            frame_row(v, v->scored[k], v->others[k], &v->results[k],
                      media_score_reference_read_as(v->run->score),
                      media_score_read_as(v->run->score, k));
    else
        for (int k = 0; k < n; k++)
            fail_track(&v->track[v->scored[k]], why);
}

/* A frame of each; false at the end of the reference or of all encodes. */
static bool step(video *v)
{
    AVFrame *reference;
    bool some = false;

    if (!next(&v->track[v->sets], &reference))
        return false;
    for (int i = 0; i < v->sets; i++)
        some |= next(&v->track[i], &v->frames[i]);
    if (some)
        score_step(v, reference);
    for (int i = 0; i < v->sets; i++)
        av_frame_free(&v->frames[i]);
    av_frame_free(&reference);
    return some;
}

/* ---- one encode: several frames together ----------------------------------------- */

enum { BATCH = 64 };

typedef struct batch {
    AVFrame *reference[BATCH], *distorted[BATCH];
    int n;
} batch;

static void empty_batch(batch *b)
{
    for (int i = 0; i < b->n; i++) {
        av_frame_free(&b->reference[i]);
        av_frame_free(&b->distorted[i]);
    }
    b->n = 0;
}

static bool score_range(video *v, const batch *b, int first, int n)
{
    lpips_result results[BATCH];
    char why[MEDIA_WHY];

    if (cli_run_pairs(v->run, (const AVFrame *const *)b->reference + first,
                      (const AVFrame *const *)b->distorted + first, n, results, why) < 0) {
        if (n == 1) {
            v->track[0].frames = (int64_t)v->track[0].n + 1;
            fail_track(&v->track[0], why);
        }
        return false;
    }
    for (int i = 0; i < n; i++)
        frame_row(v, 0, b->distorted[first + i], &results[i],
                  media_score_pair_reference_read_as(v->run->score, i),
                  media_score_read_as(v->run->score, i));
    return true;
}

static void score_batch(video *v, batch *b)
{
    bool good = b->n && score_range(v, b, 0, b->n);

    if (!good && b->n == 1)
        v->track[0].state = -1;
    for (int i = 0; !good && b->n > 1 && i < b->n; i++)
        if (!score_range(v, b, i, 1))
            break;
    empty_batch(b);
}

/* As many pairs as are worked on together, or fewer at the end. */
static bool step_pairs(video *v)
{
    batch b = {.n = 0};
    track *reference = &v->track[1], *t = &v->track[0];
    bool more;

    do {
        more = next(reference, &b.reference[b.n]);
        if (more && !next(t, &b.distorted[b.n])) {
            av_frame_free(&b.reference[b.n]);
            more = false;
        }
        if (!more)
            break;
        b.n++;
        if (!cli_same_size(b.reference[b.n - 1], b.distorted[b.n - 1]) ||
            (b.n > 1 && !cli_same_size(b.reference[b.n - 1], b.reference[0])))
            break;
    } while (b.n < cli_batch(b.reference[0]));
    score_batch(v, &b);
    return more && t->state > 0;
}

/* ---- the end ---------------------------------------------------------------- */

/* Frames that have no partner are counted, which also tells whether they can be decoded. */
static void drain(track *t)
{
    AVFrame *frame;

    while (!cli_stopped() && next(t, &frame))
        av_frame_free(&frame);
}

static void warn_unpaired(video *v, int set, int64_t reference, int64_t distorted)
{
    const char *path = v->item->distorted[set];

    if (!reference && !distorted)
        return;
    if (v->run->o->strict)
        v->run->broken++;
    if (!v->run->o->quiet || v->run->o->strict)
        cli_warn("%s has %" PRId64 " frames, its reference %" PRId64
                 ": the first %zu of each were compared%s",
                 path, v->track[set].frames, v->track[v->sets].frames, v->track[set].n,
                 v->run->o->strict ? ", which --strict makes an error" : "");
}

static void conclude(video *v, int set)
{
    track *t = &v->track[set], *r = &v->track[v->sets];
    const char *failed = t->state < 0 ? t->why : r->state < 0 ? r->why : NULL;
    cli_row row = {
        .kind = CLI_VIDEO,
        .set = set,
        .reference = v->item->reference,
        .distorted = v->item->distorted[set],
        .reference_read_as = t->reference_read_as,
        .distorted_read_as = t->read_as,
        .width = t->width,
        .height = t->height,
        .values = t->values,
        .frames = t->n,
        .unpaired_reference = r->frames - (int64_t)t->n,
        .unpaired_distorted = t->frames - (int64_t)t->n,
    };
    char why[MEDIA_WHY];
    lpips_stats stats;

    if (cli_stopped()) {
        snprintf(why, sizeof why, "interrupted after %zu frames", t->n);
        failed = why;
    }
    if (failed || lpips_stats_of(t->values, t->n, &stats) < 0) {
        cli_run_broken(v->run, v->item, set, failed ? failed : "no frame was compared");
        return;
    }
    row.value = lpips_stats_value(&stats, v->run->o->pool);
    warn_unpaired(v, set, row.unpaired_reference, row.unpaired_distorted);
    cli_run_row(v->run, &row);
}

/* ---- the whole -------------------------------------------------------------- */

static void start(video *v, cli_opened *opened)
{
    for (int i = 0; i <= v->sets; i++) {
        track *t = &v->track[i];

        t->state = -1;
        if (!opened->source[i])
            continue;
        if (cli_feed_start(&t->feed, opened->source[i], t->why) >= 0)
            t->state = 1;
        opened->source[i] = NULL;
    }
}

static void compare(video *v)
{
    const bool folders = v->run->items->n > 1;
    bool more = true;

    while (more && !cli_stopped()) {
        more = v->sets == 1 ? step_pairs(v) : step(v);
        if (folders)
            cli_progress((int64_t)v->run->done, (int64_t)v->run->items->n, "names");
        else
            cli_progress(v->track[v->sets].frames, v->total, "frames");
    }
    for (int i = 0; i <= v->sets; i++)
        if (v->track[i].feed)
            drain(&v->track[i]);
}

static bool make_room(video *v)
{
    const size_t n = (size_t)v->sets;

    v->track = calloc(n + 1, sizeof *v->track);
    v->frames = calloc(n, sizeof(AVFrame *));
    v->others = calloc(n, sizeof(AVFrame *));
    v->results = calloc(n, sizeof *v->results);
    v->scored = calloc(n, sizeof *v->scored);
    return v->track && v->frames && v->others && v->results && v->scored;
}

void cli_video(cli_run *run, const cli_item *item, cli_opened *opened)
{
    video v = {.run = run, .item = item, .sets = run->o->sets};
    const bool room = make_room(&v);

    if (room) {
        v.total = media_source_info(opened->source[v.sets])->frames;
        start(&v, opened);
        compare(&v);
    }
    for (int i = 0; i < v.sets; i++)
        if (item->distorted[i] && !*opened->why[i] && room)
            conclude(&v, i);
        else if (item->distorted[i] && !*opened->why[i])
            cli_run_broken(run, item, i, "out of memory");
    for (int i = 0; room && i <= v.sets; i++) {
        cli_feed_stop(v.track[i].feed);
        free(v.track[i].values);
    }
    free(v.track);
    free(v.frames);
    free(v.others);
    free(v.results);
    free(v.scored);
}
