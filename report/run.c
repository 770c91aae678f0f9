/*
 * run.c - workers that score what a store still lacks.
 *
 * Each worker has contexts of its own and takes one item after the other; the weights and the
 * store are shared, and the store is written to by one at a time.  The main thread shows how
 * far it is.
 */
#include "batch.h"
#include "progress.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/cpu.h>

typedef struct worker worker;

typedef struct pool {
    sqlite3 *db;
    report_item *items;
    size_t n, next;
    pthread_mutex_t lock; /* of all that is here, and of the store */
    pthread_cond_t changed;
    volatile sig_atomic_t stop; /* asked for from outside, or `broken` */
    bool broken;
    char why[REPORT_WHY];
    report_progress progress;
    worker *workers;
    int n_workers, running;
    const report_item *last; /* that ended */
} pool;

struct worker {
    pool *pool;
    report_measure *measure;
    const report_item *item;
    double part; /* of the item, 0..1 */
    double begun;
    pthread_t thread;
};

/* ---- one item, in a worker ---------------------------------------------------------- */

static double take_time(worker *w)
{
    const double now = report_seconds(), past = now - w->begun;

    w->begun = now;
    return past;
}

/* A store that cannot be written to ends the run: nothing would be kept. */
static int keep(worker *w, const report_outcome *o, const report_score *scores, size_t n)
{
    pool *p = w->pool;
    char why[REPORT_WHY];
    int status;

    pthread_mutex_lock(&p->lock);
    status = report_store_save(p->db, o, scores, n, why);
    if (status && !p->broken) {
        memcpy(p->why, why, sizeof why);
        p->broken = true;
        p->stop = 1;
    }
    pthread_mutex_unlock(&p->lock);
    return status;
}

static int save_part(void *opaque, const report_score *scores, size_t n)
{
    worker *w = opaque;
    const report_outcome o = {.id = w->item->id,
                              .state = REPORT_TODO,
                              .rate = NAN,
                              .seconds = take_time(w)};

    return keep(w, &o, scores, n);
}

static void show_part(void *opaque, int64_t frames, int64_t expected)
{
    worker *w = opaque;
    const double part = expected > 0 ? (double)frames / (double)expected : 0;

    pthread_mutex_lock(&w->pool->lock);
    w->part = part < 1 ? part : 1;
    pthread_mutex_unlock(&w->pool->lock);
}

static int frames_so_far(worker *w, int64_t *frames)
{
    pool *p = w->pool;
    int status;

    pthread_mutex_lock(&p->lock);
    status =
        report_store_number(p->db, frames, p->why,
                            "SELECT 1 + max(frame) FROM score WHERE item = ?", w->item->id);
    if (status) {
        p->broken = true;
        p->stop = 1;
    }
    pthread_mutex_unlock(&p->lock);
    return status;
}

static void say_failed(pool *p, const report_item *item, const char *why)
{
    char *text = report_text("failed: %s / %s: %s", item->method, item->clip, why);

    if (text)
        report_progress_say(&p->progress, text);
    free(text);
}

static void work_on(worker *w)
{
    pool *p = w->pool;
    const report_sink sink = {save_part, show_part, w, &p->stop};
    report_outcome o = {.id = w->item->id, .rate = NAN};
    report_measured measured;
    char why[REPORT_WHY] = "";
    int64_t from;
    int got;

    w->begun = report_seconds();
    if (frames_so_far(w, &from))
        return;
    got = report_measure_item(w->measure, w->item, from, &sink, &measured, why);
    o.state = got > 0 ? REPORT_DONE : got < 0 ? REPORT_FAILED : REPORT_TODO;
    o.error = why;
    o.frames = measured.frames;
    if (measured.kbit_s > 0 && got > 0)
        o.rate = measured.kbit_s;
    o.seconds = take_time(w);
    if (keep(w, &o, measured.scores, measured.n) || !got)
        return;
    pthread_mutex_lock(&p->lock);
    p->progress.done++;
    p->progress.failed += got < 0;
    w->part = 0;
    p->last = w->item;
    if (got < 0)
        say_failed(p, w->item, why);
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static void *work(void *opaque)
{
    worker *w = opaque;
    pool *p = w->pool;

    pthread_mutex_lock(&p->lock);
    while (!p->stop && p->next < p->n) {
        w->item = &p->items[p->next++];
        w->part = 0;
        pthread_mutex_unlock(&p->lock);
        work_on(w);
        pthread_mutex_lock(&p->lock);
        w->item = NULL;
        w->part = 0;
    }
    p->running--;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- the main thread --------------------------------------------------------- */

static void show(pool *p)
{
    double part = 0;
    char *name = p->last ? report_text("%s / %s", p->last->method, p->last->clip) : NULL;

    for (int i = 0; i < p->n_workers; i++)
        part += p->workers[i].part;
    report_progress_show(&p->progress, part, name);
    free(name);
}

static void wait_for_workers(pool *p, const volatile sig_atomic_t *stop)
{
    pthread_mutex_lock(&p->lock);
    while (p->running) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 200000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&p->changed, &p->lock, &until);
        if (*stop)
            p->stop = 1;
        show(p);
    }
    pthread_mutex_unlock(&p->lock);
}

/* Signals go to the main thread, which sleeps shortly. */
static int start(pool *p)
{
    sigset_t all, old;
    int i, status = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    p->running = p->n_workers;
    for (i = 0; i < p->n_workers && !status; i++)
        status = pthread_create(&p->workers[i].thread, NULL, work, &p->workers[i]);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!status)
        return i;
    pthread_mutex_lock(&p->lock);
    p->broken = true;
    p->stop = 1;
    p->running -= p->n_workers - (i - 1);
    report_fail(p->why, "a thread cannot be started: %s", strerror(status));
    pthread_mutex_unlock(&p->lock);
    return i - 1;
}

static int open_workers(pool *p, int threads, char why[REPORT_WHY])
{
    report_settings settings;

    if (report_settings_load(p->db, &settings, why))
        return -1;
    for (int i = 0; i < p->n_workers; i++) {
        worker *w = &p->workers[i];

        w->pool = p;
        if (report_measure_open(&w->measure, &settings, i ? p->workers[0].measure : NULL,
                                threads, why) ||
            report_measure_bind(w->measure, p->db, why))
            return -1;
    }
    return 0;
}

/* Only what is still to be done stays in the list. */
static void leave_todo(pool *p, bool retry)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++) {
        const bool todo =
            p->items[i].state == REPORT_TODO || (retry && p->items[i].state == REPORT_FAILED);

        p->progress.done += !todo;
        p->progress.failed += !todo && p->items[i].state == REPORT_FAILED;
        if (todo) {
            const report_item item = p->items[i];

            p->items[i] = p->items[n];
            p->items[n++] = item;
        }
    }
    p->next = 0;
    p->last = NULL;
    p->n_workers = n < 1024 ? (int)n : 1024;
}

static int run_pool(pool *p, int cores, size_t todo, const volatile sig_atomic_t *stop,
                    char why[REPORT_WHY])
{
    int started;

    if (cores < p->n_workers)
        p->n_workers = cores;
    if (!(p->workers = calloc((size_t)p->n_workers, sizeof *p->workers)))
        return report_no_memory(why);
    if (open_workers(p, cores / p->n_workers, why))
        return -1;
    p->n = todo;
    started = start(p);
    wait_for_workers(p, stop);
    for (int i = 0; i < started; i++)
        pthread_join(p->workers[i].thread, NULL);
    report_progress_end(&p->progress);
    if (p->broken)
        return report_fail(why, "%s", p->why);
    return p->progress.done == p->progress.total;
}

int report_run_store(sqlite3 *db, const report_run_options *o, char why[REPORT_WHY])
{
    pool p = {.db = db};
    size_t all, todo;
    int status;

    if (report_store_items(db, &p.items, &p.n, o->shard, o->shards, why))
        return -1;
    all = p.n;
    report_progress_begin(&p.progress, all, o->quiet);
    leave_todo(&p, o->retry);
    todo = all - p.progress.done;
    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.changed, NULL);
    status =
        todo ? run_pool(&p, o->workers > 0 ? o->workers : av_cpu_count(), todo, o->stop, why)
             : 1;
    for (int i = 0; p.workers && i < p.n_workers; i++)
        report_measure_close(p.workers[i].measure);
    free(p.workers);
    report_items_free(p.items, all);
    pthread_cond_destroy(&p.changed);
    pthread_mutex_destroy(&p.lock);
    return status;
}
