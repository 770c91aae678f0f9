/*
 * feed.c - a thread that decodes one video ahead of the scorer, by a bounded number of
 * frames.
 */
#include "compare.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/common.h>
#include <libavutil/imgutils.h>

enum { MOST = 64, LEAST = 2 };
#define BYTES (48 << 20)

struct cli_feed {
    media_source *source;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    AVFrame *frame[MOST];
    size_t put, got; /* frames so far */
    size_t most;     /* at once */
    int state;       /* 1: goes on; 0 and -1 as of media_next() */
    bool stop;
    char why[MEDIA_WHY];
};

static size_t how_many(const AVFrame *frame)
{
    const int bytes = av_image_get_buffer_size(frame->format, frame->width, frame->height, 1);

    return (size_t)av_clip(BYTES / FFMAX(bytes, 1), LEAST, MOST);
}

static void *work(void *argument)
{
    cli_feed *f = argument;
    int state = 1;

    while (state > 0) {
        char why[MEDIA_WHY] = "";
        const AVFrame *frame;
        AVFrame *copy = NULL;

        state = media_next(f->source, &frame, why);
        if (state > 0 && !(copy = av_frame_clone(frame))) {
            snprintf(why, sizeof why, "out of memory for frames");
            state = -1;
        }
        pthread_mutex_lock(&f->lock);
        if (state > 0)
            f->most = how_many(frame);
        while (!f->stop && state > 0 && f->put - f->got >= f->most)
            pthread_cond_wait(&f->changed, &f->lock);
        if (f->stop) {
            state = 0;
            av_frame_free(&copy);
        }
        if (copy)
            f->frame[f->put++ % MOST] = copy;
        f->state = state;
        memcpy(f->why, why, sizeof why);
        pthread_cond_broadcast(&f->changed);
        pthread_mutex_unlock(&f->lock);
    }
    return NULL;
}

int cli_feed_start(cli_feed **out, media_source *source, char why[MEDIA_WHY])
{
    cli_feed *f = calloc(1, sizeof *f);

    *out = NULL;
    if (f) {
        f->source = source;
        f->state = 1;
        pthread_mutex_init(&f->lock, NULL);
        pthread_cond_init(&f->changed, NULL);
    }
    if (f && !pthread_create(&f->thread, NULL, work, f)) {
        *out = f;
        return 0;
    }
    snprintf(why, MEDIA_WHY, "no thread can be started to decode");
    media_close(source);
    free(f);
    return -1;
}

int cli_feed_next(cli_feed *f, AVFrame **frame, char why[MEDIA_WHY])
{
    int ret;

    pthread_mutex_lock(&f->lock);
    while (f->put == f->got && f->state > 0 && !cli_stopped())
        cli_wait(&f->changed, &f->lock);
    if (cli_stopped()) {
        ret = 0;
    } else if (f->put > f->got) {
        *frame = f->frame[f->got++ % MOST];
        ret = 1;
        pthread_cond_broadcast(&f->changed);
    } else {
        ret = f->state;
        memcpy(why, f->why, MEDIA_WHY);
    }
    pthread_mutex_unlock(&f->lock);
    return ret;
}

void cli_feed_stop(cli_feed *f)
{
    if (!f || cli_stopped()) /* it may wait for a pipe, for ever */
        return;
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    while (f->got < f->put)
        av_frame_free(&f->frame[f->got++ % MOST]);
    media_close(f->source);
    free(f);
}
