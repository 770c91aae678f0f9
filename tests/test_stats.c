/*
 * test_stats.c - statistics over distances: values worked by hand, values of
 * numpy.percentile, and the refusals.
 */
#include "lpips.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void near(double got, double expected)
{
    if (!(fabs(got - expected) <= 2e-16 * fabs(expected)))
        fail_msg("%.17g, expected %.17g", got, expected);
}

/* 1/8, 1/4, 1/2, 1: mean 15/32; harmonic 4/15; deviation sqrt((1.328125 - 225/256) / 3). */
static void by_hand(void **state)
{
    static const double values[] = {0.5, 0.125, 0.25, 1};
    lpips_stats s;

    (void)state;
    assert_int_equal(lpips_stats_of(values, 4, &s), LPIPS_OK);
    assert_int_equal(s.count, 4);
    near(s.mean, 15.0 / 32);
    near(s.harmonic_mean, 4.0 / 15);
    near(s.median, 0.375);
    near(s.deviation, sqrt((1.328125 - 225.0 / 256) / 3));
    near(s.min, 0.125);
    near(s.max, 1);
    near(s.p25, 0.21875);
    near(s.p75, 0.625);
}

/* numpy 2.4: numpy.percentile(values, p), std(ddof=1), to the last digit. */
static void as_numpy(void **state)
{
    static const double values[] = {0.31, 0.07, 0.13, 0.13, 0.9, 0.02, 0.44};
    lpips_stats s;

    (void)state;
    assert_int_equal(lpips_stats_of(values, COUNT(values), &s), LPIPS_OK);
    near(s.mean, 0.2857142857142857);
    near(s.harmonic_mean, 0.081131224714617686);
    near(s.median, 0.13);
    near(s.deviation, 0.30750919459734005);
    assert_true(s.p1 == 0.023);
    assert_true(s.p5 == 0.035000000000000003);
    assert_true(s.p10 == 0.05000000000000001);
    assert_true(s.p25 == 0.10000000000000001);
    assert_true(s.p75 == 0.375);
    assert_true(s.p90 == 0.62400000000000011);
    assert_true(s.p95 == 0.76199999999999968);
    assert_true(s.p99 == 0.87239999999999984);
}

static void percentile_edges(void **state)
{
    static const double sorted[] = {1, 2, 4};

    (void)state;
    assert_true(lpips_percentile(sorted, 3, 0) == 1);
    assert_true(lpips_percentile(sorted, 3, 100) == 4);
    assert_true(lpips_percentile(sorted, 3, 75) == 3);
    assert_true(lpips_percentile(sorted, 1, 0) == 1);
    assert_true(lpips_percentile(sorted, 1, 99.5) == 1);
    assert_true(isnan(lpips_percentile(sorted, 3, -0.1)));
    assert_true(isnan(lpips_percentile(sorted, 3, 100.1)));
    assert_true(isnan(lpips_percentile(sorted, 3, NAN)));
    assert_true(isnan(lpips_percentile(sorted, 0, 50)));
    assert_true(isnan(lpips_percentile(NULL, 3, 50)));
}

static void one_value_and_zeros(void **state)
{
    static const double one[] = {0.3}, zeros[] = {0.5, 0, 0};
    lpips_stats s;

    (void)state;
    assert_int_equal(lpips_stats_of(one, 1, &s), LPIPS_OK);
    assert_true(s.mean == 0.3 && s.harmonic_mean == 0.3 && s.median == 0.3);
    assert_true(s.deviation == 0 && s.p1 == 0.3 && s.p99 == 0.3);
    assert_int_equal(lpips_stats_of(zeros, 3, &s), LPIPS_OK);
    assert_true(s.harmonic_mean == 0 && s.median == 0 && s.min == 0 && s.max == 0.5);
}

/* Equal values: no rounding shows.  Summed one by one, 100000 times 0.1 is 1.9e-8 off. */
static void many_equal(void **state)
{
    const size_t n = 100000;
    double *values = malloc(n * sizeof *values);
    lpips_stats s;

    (void)state;
    assert_non_null(values);
    for (size_t i = 0; i < n; i++)
        values[i] = 0.1;
    assert_int_equal(lpips_stats_of(values, n, &s), LPIPS_OK);
    assert_true(s.mean == 0.1 && s.harmonic_mean == 0.1 && s.deviation == 0);
    /* one frame far off: mean 0.1 + 0.4 / n, deviation 0.4 / sqrt(n) */
    values[n / 3] = 0.5;
    assert_int_equal(lpips_stats_of(values, n, &s), LPIPS_OK);
    near(s.mean, 0.100004);
    assert_true(fabs(s.deviation - 0.4 / sqrt((double)n)) <= 1e-15);
    free(values);
}

static void refusals(void **state)
{
    const double bad[] = {0.1, NAN, INFINITY, -0.1};
    lpips_stats s;

    (void)state;
    assert_int_equal(lpips_stats_of(bad, 0, &s), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_stats_of(NULL, 1, &s), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_stats_of(bad, 1, NULL), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_stats_of(bad, 2, &s), LPIPS_ERR_NOT_FINITE);
    assert_int_equal(lpips_stats_of(bad + 2, 1, &s), LPIPS_ERR_NOT_FINITE);
    assert_int_equal(lpips_stats_of(bad + 3, 1, &s), LPIPS_ERR_ARGUMENT);
}

static void by_name(void **state)
{
    static const double values[] = {0.1, 0.2, 0.4, 0.8, 0.9, 0.3, 0.5};
    static const char *const names[] = {
        "mean", "harmonic_mean", "median", "deviation", "min", "max", "p1",
        "p5",   "p10",           "p25",    "p75",       "p90", "p95", "p99"};
    lpips_stats s;

    (void)state;
    assert_int_equal(lpips_stats_of(values, 7, &s), LPIPS_OK);
    {
        const double expected[] = {
            s.mean, s.harmonic_mean, s.median, s.deviation, s.min, s.max, s.p1,
            s.p5,   s.p10,           s.p25,    s.p75,       s.p90, s.p95, s.p99};

        for (int i = 0; i < 14; i++) {
            assert_string_equal(lpips_stats_name(i), names[i]);
            assert_true(lpips_stats_value(&s, i) == expected[i]);
        }
    }
    assert_null(lpips_stats_name(14));
    assert_null(lpips_stats_name(-1));
    assert_true(isnan(lpips_stats_value(&s, 14)) && isnan(lpips_stats_value(&s, -1)));
    assert_true(isnan(lpips_stats_value(NULL, 0)));
}

static void worst_by_hand(void **state)
{
    static const double values[] = {0.2, 0.9, 0.1, 0.9, 0.5};
    static const size_t expected[] = {1, 3, 4, 0, 2};
    size_t index[6];

    (void)state;
    for (size_t count = 0; count <= 6; count++) {
        size_t n = lpips_worst(values, 5, index, count);

        assert_int_equal(n, count < 5 ? count : 5);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(index[i], expected[i]);
    }
    assert_int_equal(lpips_worst(values, 0, index, 3), 0);
}

/* Against picking the largest again and again; few distinct values, so many ties. */
static void worst_as_selection(void **state)
{
    enum { N = 97 };
    double values[N];
    size_t index[N];
    unsigned seed = 1;

    (void)state;
    for (int i = 0; i < N; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (seed >> 24) % 23 / 23.0;
    }
    for (size_t count = 1; count <= N; count++) {
        char taken[N] = {0};

        assert_int_equal(lpips_worst(values, N, index, count), count);
        for (size_t k = 0; k < count; k++) {
            size_t best = N;

            for (size_t i = 0; i < N; i++)
                if (!taken[i] && (best == N || values[i] > values[best]))
                    best = i;
            taken[best] = 1;
            assert_int_equal(index[k], best);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(as_numpy),
        cmocka_unit_test(percentile_edges),
        cmocka_unit_test(one_value_and_zeros),
        cmocka_unit_test(many_equal),
        cmocka_unit_test(refusals),
        cmocka_unit_test(by_name),
        cmocka_unit_test(worst_by_hand),
        cmocka_unit_test(worst_as_selection),
    };

    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
