/*
 * measure.c - see measure.h.
 *
 * A thread takes a few cases in a row, reads their pictures once and has each judge measure
 * all that are of one size in one call.
 */
#include "measure.h"

#include "data/load.h"
#include "progress.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/cpu.h>

/* Cases a thread takes; pixels of pictures that it holds before it has them measured. */
enum { CASES = 16, PIXELS_MOST = 1 << 22 };

typedef struct shared {
    const learn_measuring *m;
    pthread_mutex_t lock;
    size_t next;
    size_t failed_at; /* the first of the cases that failed, SIZE_MAX: none did */
    char *why;
    report_progress progress;
} shared;

typedef struct batch {
    const learn_measuring *m;
    size_t cases[CASES];
    learn_picture pictures[CASES][3]; /* the reference last */
    int n;
    long long pixels;
} batch;

void learn_cases_free(learn_case *cases, size_t n)
{
    for (size_t i = 0; cases && i < n; i++) {
        free(cases[i].reference);
        free(cases[i].other[0]);
        free(cases[i].other[1]);
    }
    free(cases);
}

static bool is_missing(const learn_measuring *m, size_t judge, size_t i)
{
    const double *d = m->distances + 2 * (judge * m->n + i);

    return isnan(d[0]) || (m->cases[i].other[1] && isnan(d[1]));
}

static bool is_wanted(const learn_measuring *m, size_t i)
{
    for (size_t j = 0; j < m->n_judges; j++)
        if (is_missing(m, j, i))
            return true;
    return false;
}

/* ---- a batch ------------------------------------------------------------------------- */

static void batch_clear(batch *b)
{
    for (int i = 0; i < b->n; i++)
        for (int k = 0; k < 3; k++)
            free((void *)b->pictures[i][k].rgb);
    b->n = 0;
    b->pixels = 0;
}

static int check_sizes(const learn_measuring *m, const learn_case *c,
                       const learn_picture pictures[3], char why[LEARN_WHY])
{
    const learn_picture *reference = &pictures[2];
    const int least =
        reference->width < reference->height ? reference->width : reference->height;

    for (int k = 0; k < 2; k++)
        if (c->other[k] && (pictures[k].width != reference->width ||
                            pictures[k].height != reference->height))
            return learn_fail(why, "%s comes to %dx%d, but %s to %dx%d: they must be equal",
                              c->other[k], pictures[k].width, pictures[k].height,
                              c->reference, reference->width, reference->height);
    for (size_t j = 0; j < m->n_judges; j++)
        if (least < m->judges[j]->smallest)
            return learn_fail(why, "%s comes to %dx%d: %s needs %d pixels at least",
                              c->reference, reference->width, reference->height,
                              m->judges[j]->name, m->judges[j]->smallest);
    return 0;
}

/* The pictures of case i join the batch. */
static int batch_add(batch *b, size_t i, char why[LEARN_WHY])
{
    const learn_case *c = &b->m->cases[i];
    const char *const paths[3] = {c->other[0], c->other[1], c->reference};
    learn_picture *pictures = b->pictures[b->n];

    memset(pictures, 0, sizeof b->pictures[0]);
    b->cases[b->n++] = i;
    for (int k = 2; k >= 0; k--) {
        if (paths[k] && learn_load_resized(&pictures[k], paths[k], b->m->size, why))
            return -1;
        b->pixels += (long long)pictures[k].width * pictures[k].height;
    }
    return check_sizes(b->m, c, pictures, why);
}

static int measure_by(const batch *b, size_t judge, learn_judge_room *room,
                      char why[LEARN_WHY])
{
    const learn_measuring *m = b->m;
    learn_picture left[2 * CASES] = {{0}}, right[2 * CASES] = {{0}};
    double *into[2 * CASES], distances[2 * CASES];
    int n = 0;

    for (int i = 0; i < b->n; i++) {
        if (!is_missing(m, judge, b->cases[i]))
            continue;
        for (int k = 0; k < 2 && m->cases[b->cases[i]].other[k]; k++) {
            left[n] = b->pictures[i][2];
            right[n] = b->pictures[i][k];
            into[n++] = &m->distances[2 * (judge * m->n + b->cases[i]) + (size_t)k];
        }
    }
    if (learn_judge_distances(m->judges[judge], room, left, right, n, distances, why))
        return -1;
    for (int i = 0; i < n; i++)
        *into[i] = distances[i];
    return 0;
}

static int batch_measure(batch *b, learn_judge_room **rooms, char why[LEARN_WHY])
{
    int status = 0;

    for (size_t j = 0; j < b->m->n_judges && !status; j++)
        status = measure_by(b, j, rooms[j], why);
    batch_clear(b);
    return status;
}

/* Whether the last picture of the batch has another size than the others. */
static bool is_other_size(const batch *b)
{
    const learn_picture *last = &b->pictures[b->n - 1][2], *first = &b->pictures[0][2];

    return last->width != first->width || last->height != first->height;
}

/* Measures all but the last, which begins the next batch. */
static int batch_split(batch *b, learn_judge_room **rooms, char why[LEARN_WHY])
{
    batch last = *b;
    const int end = b->n - 1;
    int status;

    last.n = 1;
    last.cases[0] = b->cases[end];
    memcpy(last.pictures[0], b->pictures[end], sizeof last.pictures[0]);
    b->n = end;
    status = batch_measure(b, rooms, why);
    *b = last;
    return status;
}

static int measure_cases(batch *b, size_t from, size_t to, learn_judge_room **rooms,
                         size_t *at, char why[LEARN_WHY])
{
    int status = 0;

    for (*at = from; *at < to && !status; (*at)++) {
        if (!is_wanted(b->m, *at))
            continue;
        status = batch_add(b, *at, why);
        if (!status && is_other_size(b))
            status = batch_split(b, rooms, why);
        if (!status && b->pixels > PIXELS_MOST)
            status = batch_measure(b, rooms, why);
        if (status)
            break;
    }
    if (!status)
        status = batch_measure(b, rooms, why);
    batch_clear(b);
    return status;
}

/* ---- threads -------------------------------------------------------------------------- */

/* The next cases of which some are wanted; 0 where none are left or something failed. */
static bool take(shared *s, size_t *from, size_t *to)
{
    const learn_measuring *m = s->m;
    bool found = false;

    pthread_mutex_lock(&s->lock);
    while (!found && s->next < m->n && s->failed_at == SIZE_MAX) {
        *from = s->next;
        *to = m->n - *from < CASES ? m->n : *from + CASES;
        s->next = *to;
        for (size_t i = *from; i < *to; i++)
            found = found || is_wanted(m, i);
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

static void settle(shared *s, size_t from, size_t to, size_t wanted, int status, size_t at,
                   char why[LEARN_WHY])
{
    pthread_mutex_lock(&s->lock);
    if (!status && s->m->save)
        status = s->m->save(s->m->of, from, to, why);
    if (status && at < s->failed_at) {
        s->failed_at = at;
        memcpy(s->why, why, LEARN_WHY);
    }
    if (!status) {
        s->progress.done += wanted;
        report_progress_show(&s->progress, 0, NULL);
    }
    pthread_mutex_unlock(&s->lock);
}

static void rooms_free(learn_judge_room **rooms, size_t n)
{
    for (size_t j = 0; rooms && j < n; j++)
        learn_judge_room_free(rooms[j]);
    free(rooms);
}

static learn_judge_room **rooms_make(size_t n)
{
    learn_judge_room **rooms = calloc(n + 1, sizeof *rooms);

    for (size_t j = 0; rooms && j < n; j++)
        if (!(rooms[j] = learn_judge_room_make())) {
            rooms_free(rooms, n);
            return NULL;
        }
    return rooms;
}

static void *work(void *of)
{
    shared *s = of;
    const learn_measuring *m = s->m;
    learn_judge_room **rooms = rooms_make(m->n_judges);
    batch *b = calloc(1, sizeof *b);
    char why[LEARN_WHY];
    size_t from, to, at = 0;

    while (take(s, &from, &to)) {
        size_t wanted = 0;
        int status;

        for (size_t i = from; i < to; i++)
            wanted += is_wanted(m, i);
        at = from;
        if (b && rooms) {
            b->m = m;
            status = measure_cases(b, from, to, rooms, &at, why);
        } else {
            status = learn_no_memory(why);
        }
        settle(s, from, to, wanted, status, at, why);
    }
    rooms_free(rooms, m->n_judges);
    free(b);
    return NULL;
}

int learn_measure(const learn_measuring *m, char why[LEARN_WHY])
{
    enum { THREADS_MOST = 1024 };
    pthread_t threads[THREADS_MOST];
    shared s = {.m = m, .failed_at = SIZE_MAX, .why = why};
    size_t wanted = 0;
    int n = m->threads ? m->threads : av_cpu_count(), started = 0;

    for (size_t i = 0; i < m->n; i++)
        wanted += is_wanted(m, i);
    if (n > THREADS_MOST)
        n = THREADS_MOST;
    if ((size_t)n > wanted / CASES + 1)
        n = (int)(wanted / CASES + 1);
    pthread_mutex_init(&s.lock, NULL);
    report_progress_begin(&s.progress, wanted, m->quiet || !wanted);
    while (started < n - 1 && !pthread_create(&threads[started], NULL, work, &s))
        started++;
    work(&s);
    while (started)
        pthread_join(threads[--started], NULL);
    report_progress_end(&s.progress, "measured");
    pthread_mutex_destroy(&s.lock);
    return s.failed_at == SIZE_MAX ? 0 : -1;
}
