/*
 * ahead.c - items opened in order by several threads, ahead of the one that scores: decoding
 * a PNG takes as long as comparing it where pictures are small.
 */
#include "compare.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/frame.h>
#include <libavutil/imgutils.h>

enum { WINDOW = 96, VIDEOS = 2 };
#define BYTES ((size_t)256 << 20)

struct cli_ahead {
    const cli_items *items;
    pthread_t *thread;
    int threads;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    cli_opened *slot[WINDOW];
    size_t open_next, take_next; /* items */
    size_t bytes;                /* of pictures that are held */
    int videos;                  /* that are open */
    bool stop;
    bool starved; /* of memory: an item did not come */
};

/* ---- one item --------------------------------------------------------------- */

static void free_opened(cli_opened *p, int sets)
{
    if (!p)
        return;
    for (int i = 0; i <= sets; i++) {
        media_close(p->source ? p->source[i] : NULL);
        if (p->frame)
            av_frame_free(&p->frame[i]);
    }
    free(p->source);
    free(p->frame);
    free(p->turn);
    free(p->why);
    free(p);
}

static cli_opened *new_opened(int sets)
{
    cli_opened *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->source = calloc((size_t)sets + 1, sizeof *p->source);
    p->frame = calloc((size_t)sets + 1, sizeof *p->frame);
    p->turn = calloc((size_t)sets + 1, sizeof *p->turn);
    p->why = calloc((size_t)sets + 1, sizeof *p->why);
    if (p->source && p->frame && p->turn && p->why)
        return p;
    free_opened(p, sets);
    return NULL;
}

/* A still picture is read and its file closed; a video stays open. */
static void open_one(cli_opened *p, int i, const char *path)
{
    const AVFrame *frame;
    int ret = media_open(&p->source[i], path, 0, p->why[i]);

    if (ret < 0)
        return;
    p->turn[i] = media_source_info(p->source[i])->turn;
    if (!media_source_info(p->source[i])->still)
        return;
    ret = media_next(p->source[i], &frame, p->why[i]);
    if (ret > 0) {
        p->frame[i] = av_frame_clone(frame);
        ret = av_image_get_buffer_size(frame->format, frame->width, frame->height, 1);
        p->bytes += ret > 0 ? (size_t)ret : 0;
    }
    if (!p->frame[i] && !*p->why[i])
        snprintf(p->why[i], MEDIA_WHY, "%s: out of memory", path);
    media_close(p->source[i]);
    p->source[i] = NULL;
}

static void check_alike(cli_opened *p, int i, int reference)
{
    static const char *const kinds[] = {"a picture", "a video"};

    if (*p->why[i])
        return;
    if (!p->frame[i] != !p->frame[reference])
        snprintf(p->why[i], MEDIA_WHY, "the reference is %s, the distorted %s",
                 kinds[!p->frame[reference]], kinds[!p->frame[i]]);
    else if (media_check_turns(p->turn[reference], p->turn[i], p->why[i]) >= 0)
        return;
    media_close(p->source[i]);
    p->source[i] = NULL;
    av_frame_free(&p->frame[i]);
}

static cli_opened *open_item(const cli_item *item, int sets)
{
    cli_opened *p = new_opened(sets);

    if (!p || !item->reference)
        return p;
    open_one(p, sets, item->reference);
    for (int i = 0; i < sets && !*p->why[sets]; i++)
        if (item->distorted[i]) {
            open_one(p, i, item->distorted[i]);
            check_alike(p, i, sets);
        }
    p->video = p->source[sets];
    return p;
}

/* ---- threads ---------------------------------------------------------------- */

/* The item that is waited for may always come. */
static bool may_come(const cli_ahead *a, size_t i, const cli_opened *p)
{
    return a->stop || i == a->take_next || !p ||
           (a->bytes + p->bytes <= BYTES && (!p->video || a->videos < VIDEOS));
}

/* A reader that is woken does not take the core of who compares: each comparison is steps of
 * several threads, which would all wait. */
static void wait_politely(void)
{
#ifdef SCHED_BATCH
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &(struct sched_param){0});
#endif
}

static void *work(void *argument)
{
    cli_ahead *a = argument;

    wait_politely();
    pthread_mutex_lock(&a->lock);
    for (;;) {
        cli_opened *p;
        size_t i;

        while (!a->stop && a->open_next < a->items->n &&
               a->open_next >= a->take_next + WINDOW)
            pthread_cond_wait(&a->changed, &a->lock);
        if (a->stop || a->open_next >= a->items->n)
            break;
        i = a->open_next++;
        pthread_mutex_unlock(&a->lock);
        p = open_item(&a->items->item[i], a->items->sets);
        pthread_mutex_lock(&a->lock);
        while (!may_come(a, i, p))
            pthread_cond_wait(&a->changed, &a->lock);
        a->starved |= !p;
        a->slot[i % WINDOW] = p;
        a->bytes += p ? p->bytes : 0;
        a->videos += p && p->video;
        pthread_cond_broadcast(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

int cli_ahead_start(cli_ahead **out, const cli_items *items, int jobs, char why[MEDIA_WHY])
{
    cli_ahead *a = calloc(1, sizeof *a);

    *out = a;
    if (!a || !(a->thread = calloc((size_t)jobs, sizeof *a->thread))) {
        snprintf(why, MEDIA_WHY, "out of memory");
        return -1;
    }
    a->items = items;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    while (a->threads < jobs && (size_t)a->threads < items->n &&
           !pthread_create(&a->thread[a->threads], NULL, work, a))
        a->threads++;
    if (a->threads)
        return 0;
    snprintf(why, MEDIA_WHY, "no thread can be started");
    return -1;
}

cli_opened *cli_ahead_next(cli_ahead *a)
{
    cli_opened **slot, *p;

    pthread_mutex_lock(&a->lock);
    slot = &a->slot[a->take_next % WINDOW];
    while (!*slot && !a->starved && !cli_stopped())
        cli_wait(&a->changed, &a->lock);
    p = *slot;
    if (p) {
        *slot = NULL;
        a->take_next++;
        pthread_cond_broadcast(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
    return p;
}

void cli_opened_free(cli_ahead *a, cli_opened *p)
{
    pthread_mutex_lock(&a->lock);
    a->bytes -= p->bytes;
    a->videos -= p->video;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
    free_opened(p, a->items->sets);
}

void cli_ahead_stop(cli_ahead *a)
{
    if (!a || cli_stopped()) /* readers may wait for a pipe, for ever */
        return;
    if (a->threads) {
        pthread_mutex_lock(&a->lock);
        a->stop = true;
        pthread_cond_broadcast(&a->changed);
        pthread_mutex_unlock(&a->lock);
    }
    for (int i = 0; i < a->threads; i++)
        pthread_join(a->thread[i], NULL);
    for (int i = 0; i < WINDOW; i++)
        free_opened(a->slot[i], a->items->sets);
    free(a->thread);
    free(a);
}
