/*
 * frames.c - reference and output of an item, side by side.
 */
#include "batch.h"
#include "blend.h"
#include "frames.h"
#include "media.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A video, a picture, or the pictures of a folder. */
typedef struct side {
    char *path;
    char **names; /* of a folder */
    size_t n, at;
    media_source *source;
    int threads;
    double kbit_s;
    int64_t expected;
} side;

enum { MADE_NOT, MADE_BLEND, MADE_REPEAT };

struct report_frames {
    side reference, output;
    int made, every;
    char *first, *last;
    int64_t at; /* frames handed out */
    int width, height;
    AVFrame *made_now; /* of a triplet */

    /* A kept frame and what follows it until the next one, which is `after`. */
    AVFrame **queue;
    int queued, next;
    AVFrame *after, *mean;
};

static void side_close(side *s)
{
    media_close(s->source);
    report_names_free(s->names, s->n);
    free(s->path);
    memset(s, 0, sizeof *s);
}

static int side_open(side *s, const char *path, int threads, char why[REPORT_WHY])
{
    struct stat st;

    s->threads = threads;
    if (!(s->path = strdup(path)))
        return report_no_memory(why);
    if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
        if (report_names(path, report_is_picture, &s->names, &s->n, why))
            return -1;
        s->expected = (int64_t)s->n;
        return s->n ? 0 : report_fail(why, "%s: the folder holds no pictures", path);
    }
    if (media_open(&s->source, path, threads, why) < 0)
        return -1;
    s->kbit_s = media_source_info(s->source)->kbit_s;
    s->expected =
        media_source_info(s->source)->still ? 1 : media_source_info(s->source)->frames;
    return 0;
}

static int side_next(side *s, const AVFrame **frame, char why[REPORT_WHY])
{
    char *path;
    int got;

    if (!s->names)
        return media_next(s->source, frame, why);
    media_close(s->source);
    s->source = NULL;
    if (s->at == s->n)
        return 0;
    if (!(path = report_join(s->path, s->names[s->at++])))
        return report_no_memory(why);
    got = media_open(&s->source, path, s->threads, why);
    if (!got && !(got = media_next(s->source, frame, why)))
        got = report_fail(why, "%s: no picture is in it", path);
    free(path);
    return got < 0 ? -1 : 1;
}

/* ---- outputs that are made here ------------------------------------------------- */

static void let_go(report_frames *f)
{
    for (int i = 0; i < f->queued; i++)
        av_frame_free(&f->queue[i]);
    f->queued = f->next = 0;
    av_frame_free(&f->mean);
}

/* The next frame of the reference, to keep: 1; 0 at the end. */
static int take(report_frames *f, AVFrame **kept, char why[REPORT_WHY])
{
    const AVFrame *frame;
    int got = side_next(&f->reference, &frame, why);

    if (got > 0 && !(*kept = av_frame_clone(frame)))
        return report_no_memory(why);
    return got;
}

/* A kept frame, those after it, and the next kept one. */
static int next_group(report_frames *f, char why[REPORT_WHY])
{
    int got;

    let_go(f);
    if (f->after) {
        f->queue[f->queued++] = f->after;
        f->after = NULL;
    } else if ((got = take(f, &f->queue[0], why)) <= 0) {
        return got;
    } else {
        f->queued = 1;
    }
    while (f->queued < f->every) {
        if ((got = take(f, &f->queue[f->queued], why)) <= 0)
            return got < 0 ? -1 : 1;
        f->queued++;
    }
    return take(f, &f->after, why) < 0 ? -1 : 1;
}

static int next_of_clip(report_frames *f, const AVFrame **reference, const AVFrame **output,
                        char why[REPORT_WHY])
{
    if (f->next == f->queued) {
        /* The end was seen already where no kept frame came after. */
        const int got = f->queued && !f->after ? 0 : next_group(f, why);

        if (got <= 0)
            return got;
    }
    *reference = f->queue[f->next];
    *output = f->queue[0];
    if (f->next++ && f->made == MADE_BLEND && f->after) {
        if (!f->mean && report_blend(&f->mean, f->queue[0], f->after, why))
            return -1;
        *output = f->mean;
    }
    return 1;
}

static int still(AVFrame **kept, const char *path, char why[REPORT_WHY])
{
    media_source *s;
    const AVFrame *frame;
    int got = media_open(&s, path, 1, why);

    if (got)
        return -1;
    if ((got = media_next(s, &frame, why)) > 0)
        got = (*kept = av_frame_clone(frame)) ? 0 : report_no_memory(why);
    else if (!got)
        got = report_fail(why, "%s: no picture is in it", path);
    media_close(s);
    return got;
}

static int next_of_triplet(report_frames *f, const AVFrame **reference,
                           const AVFrame **output, char why[REPORT_WHY])
{
    AVFrame *first = NULL, *last = NULL;
    int got = side_next(&f->reference, reference, why);

    if (got <= 0)
        return got;
    if (f->at)
        return report_fail(why, "%s: a triplet's reference is one picture, and here are more",
                           f->reference.path);
    got = still(&first, f->first, why);
    if (!got && f->made == MADE_REPEAT) {
        f->made_now = first;
        first = NULL;
    } else if (!got && !(got = still(&last, f->last, why))) {
        got = report_blend(&f->made_now, first, last, why);
    }
    av_frame_free(&first);
    av_frame_free(&last);
    *output = f->made_now;
    return got < 0 ? -1 : 1;
}

/* ---- both sides ------------------------------------------------------------------- */

static int open_made(report_frames *f, const char *name, const char *first, const char *last,
                     char why[REPORT_WHY])
{
    f->made = !strcmp(name, "blend") ? MADE_BLEND : MADE_REPEAT;
    if (f->made == MADE_REPEAT && strcmp(name, "repeat"))
        return report_fail(why, "no baseline is called \"%s\"; there are blend and repeat",
                           name);
    if (*first) {
        f->first = strdup(first);
        f->last = strdup(last);
        return f->first && f->last ? 0 : report_no_memory(why);
    }
    if (f->every < 2)
        return report_fail(why, "no \"%s\" can be made: the clip has no neighbours", name);
    f->queue = calloc((size_t)f->every, sizeof(AVFrame *));
    return f->queue ? 0 : report_no_memory(why);
}

int report_frames_open(report_frames **out, const char *reference, const char *output,
                       const char *first, const char *last, int every, int threads,
                       char why[REPORT_WHY])
{
    report_frames *f = calloc(1, sizeof *f);
    const size_t made = strlen(REPORT_MADE_HERE);
    int status;

    *out = NULL;
    if (!f)
        return report_no_memory(why);
    f->every = every;
    status = side_open(&f->reference, reference, threads, why);
    if (!status)
        status = strncmp(output, REPORT_MADE_HERE, made)
                     ? side_open(&f->output, output, threads, why)
                     : open_made(f, output + made, first, last, why);
    if (status) {
        report_frames_close(f);
        return -1;
    }
    *out = f;
    return 0;
}

static int next_of_both(report_frames *f, const AVFrame **reference, const AVFrame **output,
                        char why[REPORT_WHY])
{
    const int a = side_next(&f->reference, reference, why);
    const int b = a < 0 ? a : side_next(&f->output, output, why);

    if (b < 0)
        return -1;
    if (a != b)
        return report_fail(why,
                           "unequal lengths: the %s ends after %lld frame%s, the %s goes on",
                           a ? "output" : "reference", (long long)f->at,
                           f->at == 1 ? "" : "s", a ? "reference" : "output");
    return a;
}

static int turn_of(const side *s)
{
    return s->source ? media_source_info(s->source)->turn : 0;
}

static int check_alike(report_frames *f, const AVFrame *reference, const AVFrame *output,
                       char why[REPORT_WHY])
{
    if (!f->made && media_check_turns(turn_of(&f->reference), turn_of(&f->output), why) < 0)
        return -1;
    if (reference->width != output->width || reference->height != output->height)
        return report_fail(why,
                           "the output is %dx%d and the reference %dx%d in frame %lld: "
                           "scale the output first",
                           output->width, output->height, reference->width, reference->height,
                           (long long)f->at);
    if (f->at && (reference->width != f->width || reference->height != f->height))
        return report_fail(why, "the size changes from %dx%d to %dx%d in frame %lld",
                           f->width, f->height, reference->width, reference->height,
                           (long long)f->at);
    f->width = reference->width;
    f->height = reference->height;
    return 0;
}

int report_frames_next(report_frames *f, const AVFrame **reference, const AVFrame **output,
                       char why[REPORT_WHY])
{
    int got = !f->made   ? next_of_both(f, reference, output, why)
              : f->first ? next_of_triplet(f, reference, output, why)
                         : next_of_clip(f, reference, output, why);

    if (got > 0 && check_alike(f, *reference, *output, why))
        return -1;
    if (!got && !f->at)
        return report_fail(why, "%s: not one frame is in it", f->reference.path);
    f->at += got > 0;
    return got;
}

int64_t report_frames_expected(const report_frames *f)
{
    return f->reference.expected;
}

double report_frames_kbit_s(const report_frames *f)
{
    return f->output.kbit_s;
}

void report_frames_close(report_frames *f)
{
    if (!f)
        return;
    let_go(f);
    free(f->queue);
    av_frame_free(&f->after);
    av_frame_free(&f->made_now);
    free(f->first);
    free(f->last);
    side_close(&f->reference);
    side_close(&f->output);
    free(f);
}
