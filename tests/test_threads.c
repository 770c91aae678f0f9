/*
 * test_threads.c - one weights object, many contexts in many threads; meant for
 * ThreadSanitizer, useful without.
 */
#include "st_writer.h"
#include "support.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 6, ROUNDS = 4 };

typedef struct visitor {
    lpips_weights *w;
    const test_pair *p;
    pthread_barrier_t *start;
    lpips_options o;
    lpips_result r[ROUNDS];
    int status;
} visitor;

/* Takes and drops references beside the others' contexts, whose filters are packed by
 * whoever comes first. */
static void *visit(void *arg)
{
    visitor *v = arg;

    pthread_barrier_wait(v->start);
    for (int i = 0; i < ROUNDS && !v->status; i++) {
        lpips_weights *w = lpips_weights_ref(v->w);
        lpips_context *c;

        v->status =
            lpips_context_create(&c, w, v->p->width, v->p->height, i % 2 ? NULL : &v->o);
        lpips_weights_unref(w);
        if (!v->status)
            v->status = lpips_compare(c, &v->p->image[0], &v->p->image[1], &v->r[i]);
        lpips_context_free(c);
    }
    lpips_weights_unref(v->w);
    return NULL;
}

static void crowd(lpips_net net, int width, int height)
{
    test_pair p[2] = {test_pair_make("scene.1", "scene.1+grain.9", width, height),
                      test_pair_make("noise.2", "scene.2", width + 9, height + 6)};
    pthread_barrier_t start;
    pthread_t thread[THREADS];
    visitor v[THREADS];
    unsigned char *file;
    lpips_weights *w;
    test_kernels sets[4];
    int n = test_kernel_sets(sets);
    size_t size;

    file = st_random_weights(net, "0.1", TEST_SEED, &size);
    assert_int_equal(lpips_weights_load_memory(&w, file, size, NULL, 0), LPIPS_OK);
    free(file);
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        v[i] = (visitor){.w = lpips_weights_ref(w), .p = &p[i % 2], .start = &start};
        v[i].o = (lpips_options)LPIPS_OPTIONS_DEFAULT;
        v[i].o.threads = 1 + i % 3;
        v[i].o.cpu_disable = sets[i % n].disable;
    }
    lpips_weights_unref(w); /* the threads hold it now */
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, visit, &v[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&start);
    for (int i = 0; i < THREADS; i++) {
        lpips_weights *own = test_random_weights(net, "0.1");
        lpips_result plain = test_compare(own, v[i].p, NULL);
        lpips_result set = test_compare(own, v[i].p, &v[i].o);

        assert_int_equal(v[i].status, LPIPS_OK);
        for (int k = 0; k < ROUNDS; k++)
            test_same_result(&v[i].r[k], k % 2 ? &plain : &set, "in a crowd");
    }
    test_pair_free(&p[0]);
    test_pair_free(&p[1]);
}

static void crowd_squeeze(void **state)
{
    (void)state;
    crowd(LPIPS_NET_SQUEEZE, 61, 47);
}

static void crowd_alex(void **state)
{
    (void)state;
    crowd(LPIPS_NET_ALEX, 45, 39);
}

/* Many short comparisons with a context's own threads, wide enough for all paths. */
static void busy_pool(void **state)
{
    lpips_weights *w = test_random_weights(LPIPS_NET_SQUEEZE, "0.1");
    test_pair p = test_pair_make("scene.3", "scene.3+blur.1", test_quick() ? 150 : 400, 120);
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    lpips_result expected = test_compare(w, &p, NULL), r;
    lpips_context *c;

    (void)state;
    o.threads = 4;
    c = test_context(w, p.width, p.height, &o);
    for (int i = 0; i < (test_quick() ? 5 : 50); i++) {
        assert_int_equal(lpips_compare(c, &p.image[0], &p.image[1], &r), LPIPS_OK);
        test_same_result(&r, &expected, "by a pool of 4");
    }
    lpips_context_free(c);
    /* pools that are made and dropped without work */
    for (int i = 0; i < 20; i++) {
        o.threads = 1 + i % 7;
        lpips_context_free(test_context(w, 17, 17, &o));
    }
    test_pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crowd_squeeze),
        cmocka_unit_test(crowd_alex),
        cmocka_unit_test(busy_pool),
    };
    int failed = cmocka_run_group_tests_name("threads", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
