/*
 * worker.c - the dialog's computing thread
 */
#include "worker.h"

#include <string.h>

static int on_progress(void *opaque, double fraction)
{
    LpipsWorker *w = opaque;

    g_atomic_int_set(&w->permille, (gint)(1000 * fraction));
    return g_atomic_int_get(&w->cancel);
}

static int on_crop(void *opaque, double fraction)
{
    (void)fraction;
    return g_atomic_int_get(&((LpipsWorker *)opaque)->cancel);
}

static gpointer work(gpointer data)
{
    LpipsWorker *w = data;
    LpipsQuestion q = {w->weights, FALSE, &w->part, on_crop, w};
    const gint64 start = g_get_monotonic_time();
    const GeglRectangle *all = &w->pair->context, *crop = &w->crop.context;

    w->crop_ok = lpips_answer_compute(&w->crop, w->pair, &q, w->why, sizeof w->why);
    if (w->crop_ok)
        w->seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC *
                     ((double)all->width * all->height) /
                     ((double)crop->width * crop->height);
    g_atomic_int_set(&w->state, LPIPS_WORK_CROP);
    if (w->crop_ok && (w->force || w->seconds < LPIPS_WORK_SECONDS)) {
        q.part = NULL;
        q.taps = w->taps;
        q.progress = on_progress;
        w->whole_ok = lpips_answer_compute(&w->whole, w->pair, &q, w->why, sizeof w->why);
    }
    g_atomic_int_set(&w->state, LPIPS_WORK_DONE);
    return NULL;
}

void lpips_worker_start(LpipsWorker *w, const LpipsPair *pair, lpips_weights *weights,
                        const GeglRectangle *part, gboolean taps, gboolean force)
{
    lpips_worker_stop(w);
    w->pair = pair;
    w->weights = weights;
    w->part = *part;
    w->taps = taps;
    w->force = force;
    w->state = LPIPS_WORK_RUNNING;
    w->thread = g_thread_new("lpips", work, w);
}

LpipsWork lpips_worker_state(LpipsWorker *w)
{
    return (LpipsWork)g_atomic_int_get(&w->state);
}

void lpips_worker_stop(LpipsWorker *w)
{
    if (w->thread) {
        g_atomic_int_set(&w->cancel, 1);
        g_thread_join(w->thread);
    }
    lpips_answer_clear(&w->crop);
    lpips_answer_clear(&w->whole);
    memset(w, 0, sizeof *w);
}
