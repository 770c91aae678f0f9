/*
 * thread.h - run jobs on a context's own threads, or on the caller's.
 */
#ifndef LPIPS_THREAD_H
#define LPIPS_THREAD_H

#include "lpips.h"

typedef struct lpips_pool lpips_pool;

/* Does job number `job`; `worker` < lpips_pool_workers() tells whose scratch memory to use.
 */
typedef void lpips_job(void *arg, int worker, int job);

/* threads >= 1 includes the caller's; with `parallel` no thread is made here.
 * Returns LPIPS_OK or LPIPS_ERR_MEMORY. */
int lpips_pool_create(lpips_pool **out, int threads, lpips_parallel parallel, void *opaque);
void lpips_pool_free(lpips_pool *pool);

/* Runs jobs 0 .. jobs - 1, each once, in any order, and waits for all. */
void lpips_pool_run(lpips_pool *pool, lpips_job *job, void *arg, int jobs);

#endif
