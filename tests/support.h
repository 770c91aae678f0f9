/*
 * support.h - what several tests need: weights, pairs of pictures, sets of kernels.
 *
 * Functions that cannot do their work fail the running cmocka test, unless said
 * otherwise; call them from the test's own thread only.
 */
#ifndef LPIPS_TESTS_SUPPORT_H
#define LPIPS_TESTS_SUPPORT_H

#include "../core/lpips.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { TEST_SEED = 1, TEST_NETS = 3 };

/* QUICK=1 in the environment: instrumented builds run a smaller choice of cases. */
int test_quick(void);

/* Sets of kernels this machine can tell apart: "default", "AVX2", "OpenBLAS", "plain C".
 * Quick runs leave OpenBLAS out, which is not instrumented. */
typedef struct test_kernels {
    const char *name;
    unsigned disable; /* for lpips_options */
} test_kernels;

int test_kernel_sets(test_kernels sets[4]);

/* Seeded weights (st_writer.h), loaded once for each net and version and kept until the
 * program ends: do not unref. */
lpips_weights *test_random_weights(lpips_net net, const char *version);

/* The same once more, for ref.c only: contexts give back the memory of some tensors when
 * they have packed them, so what ref.c reads must not have been used by one. */
lpips_weights *test_reference_weights(lpips_net net, const char *version);

/* The same as the first with published weights, from the weights folder or ../shared; NULL,
 * and a line that says what is skipped, where there are none. */
lpips_weights *test_real_weights(lpips_net net, const char *version);

/* Frees all weights above. */
void test_free_weights(void);

/* Two packed 8-bit pictures and their views. */
typedef struct test_pair {
    int width, height;
    uint8_t *rgb[2];
    lpips_image image[2];
} test_pair;

/* A name is one of pictures.h, or "ex_ref", "ex_p0", "ex_p1": the upper left part of a
 * picture of ../shared, where rgb is NULL when that is absent. */
test_pair test_pair_make(const char *a, const char *b, int width, int height);
void test_pair_free(test_pair *p);

/* Views of pixels that the caller changed or laid out otherwise. */
lpips_image test_packed(const uint8_t *rgb, int width, int height);

/* Not 0: contexts made below do not know where two pictures differ (core/reach.h), so that
 * every distance is computed. */
extern int test_all_computed;

lpips_context *test_context(lpips_weights *w, int width, int height,
                            const lpips_options *options);

/* Makes a context, compares, frees it. */
lpips_result test_compare(lpips_weights *w, const test_pair *p, const lpips_options *options);

/* Room for all maps of a picture; total and as many layers as the net has. */
typedef struct test_maps {
    lpips_map map;
    float *block;
    size_t floats;
} test_maps;

test_maps test_maps_make(int layers, int width, int height);
void test_maps_free(test_maps *m);

/* lpips_compare_map() in a context of its own; adds LPIPS_WANT_MAP to the options. */
lpips_result test_compare_map(lpips_weights *w, const test_pair *p,
                              const lpips_options *options, test_maps *maps);

/* Fails with `what` unless every field is equal, bit for bit. */
void test_same_result(const lpips_result *a, const lpips_result *b, const char *what);

/* |got - expected| <= 1e-6, and 1e-3 of the value from 1e-5 up: what was promised. */
int test_near(double got, double expected);

#endif
