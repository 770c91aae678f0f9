/*
 * share.c - see share.h.
 */
#include "share.h"

#include <stdlib.h>
#include <string.h>

int distort_share_step(distort_share *s)
{
    int stop;

    pthread_mutex_lock(&s->lock);
    s->progress.done++;
    report_progress_show(&s->progress, 0, NULL);
    stop = s->failed || *s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop;
}

static void note_failure(distort_share *s, size_t i, const char *why)
{
    pthread_mutex_lock(&s->lock);
    if (!s->failed || i < s->failed_at) {
        s->failed_at = i;
        memcpy(s->why, why, LEARN_WHY);
    }
    s->failed = true;
    pthread_mutex_unlock(&s->lock);
}

static void *work(void *argument)
{
    distort_share *s = argument;
    void *room = s->open ? s->open(s) : NULL;
    char why[LEARN_WHY] = "not enough memory";

    if (s->open && !room)
        note_failure(s, 0, why);
    for (;;) {
        size_t i;
        bool stop;

        pthread_mutex_lock(&s->lock);
        i = s->next++;
        stop = s->failed || *s->stop;
        pthread_mutex_unlock(&s->lock);
        if (stop || i >= s->items)
            break;
        if (s->work(s, i, room, why) < 0)
            note_failure(s, i, why);
    }
    if (room)
        s->close(room);
    return NULL;
}

int distort_share_run(distort_share *s, char why[LEARN_WHY])
{
    pthread_t *threads = calloc((size_t)s->workers, sizeof *threads);
    int n = 0, error = 0;

    if (!threads)
        return learn_no_memory(why);
    pthread_mutex_init(&s->lock, NULL);
    report_progress_begin(&s->progress, s->steps, s->quiet);
    while (n < s->workers && !error) {
        error = pthread_create(&threads[n], NULL, work, s);
        n += !error;
    }
    if (!n)
        learn_fail(why, "no thread can be started: %s", strerror(error));
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    report_progress_end(&s->progress, NULL);
    pthread_mutex_destroy(&s->lock);
    if (s->failed)
        memcpy(why, s->why, LEARN_WHY);
    return s->failed || !n ? -1 : *s->stop != 0;
}
