/*
 * thread.c - a small pool of persistent threads.
 *
 * A comparison is some hundred short parallel steps, so waiting threads look for the next
 * step for a moment before they sleep: waking one costs more than many a step takes.
 */
#include "thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SPINS = 2000 };

struct lpips_pool {
    lpips_parallel parallel;
    void *opaque;
    int workers;

    lpips_job *job;
    void *arg;
    int jobs;
    atomic_int next;  /* job to take */
    atomic_int busy;  /* own threads still in this step */
    atomic_uint step; /* counts steps; a change starts the threads */
    atomic_int sleeping;
    atomic_int quit;

    int threads; /* made so far, the caller's not among them */
    pthread_t *thread;
    struct seat {
        lpips_pool *pool;
        int worker;
    } * seat;
    pthread_mutex_t lock;
    pthread_cond_t wake;
};

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void work(lpips_pool *p, int worker)
{
    int i;

    while ((i = atomic_fetch_add(&p->next, 1)) < p->jobs)
        p->job(p->arg, worker, i);
}

static void sleep_until(lpips_pool *p, unsigned seen)
{
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->sleeping, 1);
    while (atomic_load(&p->step) == seen && !atomic_load(&p->quit))
        pthread_cond_wait(&p->wake, &p->lock);
    atomic_fetch_sub(&p->sleeping, 1);
    pthread_mutex_unlock(&p->lock);
}

static void *thread_main(void *arg)
{
    struct seat *seat = arg;
    lpips_pool *p = seat->pool;
    unsigned seen = 0;

    for (;;) {
        for (int i = 0; i < SPINS && atomic_load(&p->step) == seen; i++)
            relax();
        if (atomic_load(&p->step) == seen)
            sleep_until(p, seen);
        if (atomic_load(&p->quit))
            return NULL;
        seen++;
        work(p, seat->worker);
        atomic_fetch_sub(&p->busy, 1);
    }
}

static void start_step(lpips_pool *p)
{
    atomic_store(&p->busy, p->threads);
    atomic_fetch_add(&p->step, 1);
    if (atomic_load(&p->sleeping)) {
        pthread_mutex_lock(&p->lock);
        pthread_cond_broadcast(&p->wake);
        pthread_mutex_unlock(&p->lock);
    }
}

static void caller_job(void *arg, int i)
{
    work(arg, i);
}

void lpips_pool_run(lpips_pool *p, lpips_job *job, void *arg, int jobs)
{
    int own = p->threads && jobs > 1;

    p->job = job;
    p->arg = arg;
    p->jobs = jobs;
    atomic_store(&p->next, 0);
    if (p->parallel && jobs > 1) {
        p->parallel(p->opaque, caller_job, p, p->workers < jobs ? p->workers : jobs);
        return;
    }
    if (own)
        start_step(p);
    work(p, 0);
    /* with other programs at work a thread may have lost its core in the middle of a job */
    for (int i = 0; own && atomic_load(&p->busy); i++)
        if (i < SPINS)
            relax();
        else
            sched_yield();
}

int lpips_pool_create(lpips_pool **out, int threads, lpips_parallel parallel, void *opaque)
{
    lpips_pool *p = calloc(1, sizeof *p);

    *out = NULL;
    if (!p)
        return LPIPS_ERR_MEMORY;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->parallel = parallel;
    p->opaque = opaque;
    p->workers = threads;
    if (!parallel && threads > 1) {
        p->thread = calloc((size_t)threads, sizeof *p->thread);
        p->seat = calloc((size_t)threads, sizeof *p->seat);
        if (!p->thread || !p->seat)
            goto fail;
        for (int i = 1; i < threads; i++, p->threads++) {
            p->seat[p->threads] = (struct seat){p, i};
            if (pthread_create(&p->thread[p->threads], NULL, thread_main,
                               &p->seat[p->threads]))
                goto fail;
        }
    }
    *out = p;
    return LPIPS_OK;
fail:
    lpips_pool_free(p);
    return LPIPS_ERR_MEMORY;
}

void lpips_pool_free(lpips_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->quit, 1);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->threads; i++)
        pthread_join(p->thread[i], NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p->thread);
    free(p->seat);
    free(p);
}
