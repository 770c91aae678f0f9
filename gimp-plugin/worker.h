/*
 * worker.h - the dialog's computing thread: first a crop, then the whole
 *
 * It works on pixels that were read before, and talks neither to GIMP nor to GTK: the dialog
 * looks now and then how far it is.
 */
#ifndef LPIPS_PLUGIN_WORKER_H
#define LPIPS_PLUGIN_WORKER_H

#include "answer.h"

typedef enum LpipsWork {
    LPIPS_WORK_NONE,
    LPIPS_WORK_RUNNING,
    LPIPS_WORK_CROP, /* the crop is there, the whole is under way */
    LPIPS_WORK_DONE
} LpipsWork;

/* What takes longer than this is begun only when asked for. */
#define LPIPS_WORK_SECONDS 4.0

typedef struct LpipsWorker {
    GThread *thread;
    const LpipsPair *pair;
    lpips_weights *weights;
    gboolean taps, force;
    GeglRectangle part;
    gint state, cancel, permille; /* by both threads: g_atomic_int_* */

    /* By the dialog only in the states that say so. */
    LpipsAnswer crop, whole;
    gboolean crop_ok, whole_ok;
    double seconds; /* that the whole takes, measured on the crop */
    char why[256];
} LpipsWorker;

/* force: the whole, too, however long it takes.  What was there before is forgotten. */
void lpips_worker_start(LpipsWorker *w, const LpipsPair *pair, lpips_weights *weights,
                        const GeglRectangle *part, gboolean taps, gboolean force);

LpipsWork lpips_worker_state(LpipsWorker *w);

/* Ends what is under way, within a band of rows, and forgets it. */
void lpips_worker_stop(LpipsWorker *w);

#endif
