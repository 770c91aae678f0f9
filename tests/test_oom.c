/*
 * test_oom.c - loading, creating a context and comparing with the first, the second, the
 * third ... allocation or thread refused: the status says so and nothing is lost.
 *
 * Link with -Wl,--wrap= of malloc, calloc, realloc, free, aligned_alloc, posix_memalign and
 * pthread_create.
 */
#include "st_writer.h"
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is counted and refused ---------------------------------------- */

static atomic_int watching; /* only then is anything below counted */
static atomic_int calls;    /* allocations and threads asked for */
static atomic_int refuse;   /* number of the call to refuse, from 1; 0: none */
static atomic_int blocks;   /* not yet freed */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **out, size_t alignment, size_t size);
void __real_free(void *p);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*start)(void *), void *arg);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **out, size_t alignment, size_t size);
void __wrap_free(void *p);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*start)(void *), void *arg);

static int refused(void)
{
    return watching && ++calls == refuse;
}

static void *counted(void *p)
{
    if (watching && p)
        blocks++;
    return p;
}

void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refused() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
    void *q = refused() ? NULL : __real_realloc(p, size);

    return p ? q : counted(q);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return refused() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t size)
{
    int error = refused() ? ENOMEM : __real_posix_memalign(out, alignment, size);

    if (!error)
        counted(*out);
    return error;
}

void __wrap_free(void *p)
{
    if (watching && p)
        blocks--;
    __real_free(p);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*start)(void *), void *arg)
{
    return refused() ? EAGAIN : __real_pthread_create(thread, attr, start, arg);
}

/* ---- the work ----------------------------------------------------------- */

typedef struct work {
    unsigned char *file;
    size_t size;
    test_pair pair;
    lpips_options options;
    double distance;
    int during; /* calls while comparing */
} work;

static int compare(const work *w, lpips_context *c, lpips_result *r)
{
    static float out[3][64 * 64];
    const ptrdiff_t row = 64 * sizeof(float);
    const lpips_planes planes = {{out[0], out[1], out[2]}, {row, row, row}, sizeof(float)};

    if (w->options.flags & LPIPS_WANT_GRADIENT)
        return lpips_gradient(c, &w->pair.image[0], &w->pair.image[1], r, &planes);
    return lpips_compare(c, &w->pair.image[0], &w->pair.image[1], r);
}

/* All of a user's life; everything is released whatever fails. */
static int run(work *w)
{
    lpips_weights *weights = NULL;
    lpips_context *c = NULL;
    lpips_result r;
    char why[256] = "";
    int status;

    watching = 1;
    status = lpips_weights_load_memory(&weights, w->file, w->size, why, sizeof why);
    if (!status)
        status =
            lpips_context_create(&c, weights, w->pair.width, w->pair.height, &w->options);
    if (!status) {
        int before = calls;

        status = compare(w, c, &r);
        w->during = calls - before;
        w->distance = r.distance;
    } else if (c || (!weights && !*why))
        status = 1; /* an object in spite of a failure, or no word of why */
    lpips_context_free(c);
    lpips_weights_unref(weights);
    watching = 0;
    return status;
}

/* Refuses call 1, 1 + step, ... */
static void refuse_each(lpips_net net, unsigned flags, int side, int threads, int step)
{
    work w = {.options = LPIPS_OPTIONS_DEFAULT};
    int total, status;
    double expected;

    w.file = st_random_weights(net, "0.1", TEST_SEED, &w.size);
    assert_non_null(w.file);
    w.pair = test_pair_make("scene.1", "noise.1", side, side);
    w.options.threads = threads;
    w.options.flags = flags;
    refuse = calls = blocks = 0;
    assert_int_equal(run(&w), LPIPS_OK);
    assert_int_equal(blocks, 0);
    assert_int_equal(w.during, 0); /* promised: comparing does not allocate */
    total = calls;
    assert_true(total > 4);
    expected = w.distance;
    for (int i = 1; i <= total; i += step) {
        refuse = i;
        calls = blocks = 0;
        status = run(&w);
        if (status != LPIPS_ERR_MEMORY)
            fail_msg("%s, call %d of %d refused: status %d", lpips_net_name(net), i, total,
                     status);
        if (blocks)
            fail_msg("%s, call %d of %d refused: %d blocks not freed", lpips_net_name(net), i,
                     total, (int)blocks);
    }
    refuse = calls = 0;
    assert_int_equal(run(&w), LPIPS_OK);
    assert_true(w.distance == expected);
    print_message("%s: %d allocations and threads\n", lpips_net_name(net), total);
    test_pair_free(&w.pair);
    free(w.file);
}

static void each_allocation_squeeze(void **state)
{
    (void)state;
    refuse_each(LPIPS_NET_SQUEEZE, LPIPS_WANT_MAP, 17, 3, test_quick() ? 5 : 1);
}

static void each_allocation_alex(void **state)
{
    (void)state;
    refuse_each(LPIPS_NET_ALEX, LPIPS_WANT_MAP, 31, 2, test_quick() ? 3 : 1);
}

static void each_allocation_gradient(void **state)
{
    (void)state;
    refuse_each(LPIPS_NET_SQUEEZE, LPIPS_WANT_GRADIENT, 17, 3, test_quick() ? 9 : 1);
}

/* Filters of vgg that are read back from their transformed form are made in more steps. */
static void each_allocation_restored(void **state)
{
    (void)state;
    refuse_each(LPIPS_NET_VGG, LPIPS_WANT_GRADIENT, 16, 1, test_quick() ? 40 : 9);
}

/* Filters are packed once for all contexts of some weights: a failure on the way must not
 * leave half of them to the next context. */
static void next_context_is_whole(void **state)
{
    lpips_weights *w;
    unsigned char *file;
    size_t size;
    test_pair p = test_pair_make("scene.1", "noise.1", 19, 23);
    lpips_result expected =
        test_compare(test_random_weights(LPIPS_NET_SQUEEZE, "0.1"), &p, NULL);
    lpips_context *c;
    lpips_result r;
    int failures = 0;

    (void)state;
    file = st_random_weights(LPIPS_NET_SQUEEZE, "0.1", TEST_SEED, &size);
    assert_int_equal(lpips_weights_load_memory(&w, file, size, NULL, 0), LPIPS_OK);
    for (int i = 1; i < 1000; i++) {
        int status;

        calls = 0;
        refuse = i;
        watching = 1;
        status = lpips_context_create(&c, w, p.width, p.height, NULL);
        watching = 0;
        if (!status)
            break;
        assert_null(c);
        assert_int_equal(status, LPIPS_ERR_MEMORY);
        failures++;
    }
    assert_true(failures > 2);
    assert_non_null(c);
    assert_int_equal(lpips_compare(c, &p.image[0], &p.image[1], &r), LPIPS_OK);
    test_same_result(&r, &expected, "after failures");
    lpips_context_free(c);
    lpips_weights_unref(w);
    test_pair_free(&p);
    free(file);
}

/* lpips_stats_of() needs memory too. */
static void statistics(void **state)
{
    static const double values[] = {3, 1, 2};
    lpips_stats s;

    (void)state;
    calls = 0;
    refuse = 1;
    watching = 1;
    assert_int_equal(lpips_stats_of(values, 3, &s), LPIPS_ERR_MEMORY);
    watching = 0;
    refuse = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_squeeze),
        cmocka_unit_test(each_allocation_alex),
        cmocka_unit_test(each_allocation_gradient),
        cmocka_unit_test(each_allocation_restored),
        cmocka_unit_test(next_context_is_whole),
        cmocka_unit_test(statistics),
    };
    int failed = cmocka_run_group_tests_name("out of memory", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
