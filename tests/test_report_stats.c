/*
 * test_report_stats.c - intervals, paired tests and BD-rate: worked by hand, counted out one
 * by one, and numbers of scipy 1.17.1 and bjontegaard 1.3.0.
 *
 * bjontegaard's were made by
 *     bd_rate(rate_a, q_a, rate_b, q_b, method="pchip", require_matching_points=False,
 *             min_overlap=0)
 * with q = -numpy.array(lpips), -numpy.log(lpips) or psnr of the curves below; scipy's by
 * PchipInterpolator(x, y)(t) and wilcoxon(d, method="exact") or
 * wilcoxon(d, method="asymptotic", correction=False).  All printed with 17 digits.
 */
#include "stats.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* A dozen operations on numbers near one: some units of the last place. */
static void near(double got, double expected)
{
    if (!(fabs(got - expected) <= 1e-13 * fmax(1, fabs(expected))))
        fail_msg("%.17g, expected %.17g", got, expected);
}

/* ---- means and bootstrap --------------------------------------------------------- */

static void mean(void **state)
{
    enum { MANY = 100000 };
    static const double quarters[] = {0.25, 0.5, 1.5};
    double *tenths = malloc(MANY * sizeof *tenths);

    (void)state;
    assert_non_null(tenths);
    for (int i = 0; i < MANY; i++)
        tenths[i] = 0.1;
    assert_true(report_mean(quarters, 3) == 0.75);
    assert_true(report_mean(tenths, 1) == 0.1 && report_mean(tenths, 3) == 0.1);
    /* summed one by one 1.9e-8 are lost */
    assert_true(report_mean(tenths, MANY) == 0.1);
    tenths[MANY / 3] = 0.5;
    near(report_mean(tenths, MANY), 0.100004);
    assert_true(isnan(report_mean(tenths, 0)));
    free(tenths);
}

static void bootstrap_of_few(void **state)
{
    static const double values[] = {0.25, 0.25, 0.25};
    report_interval i;

    (void)state;
    assert_int_equal(report_bootstrap(values, 0, &i), 0);
    assert_true(i.n == 0 && isnan(i.mean) && isnan(i.low) && isnan(i.high));
    assert_int_equal(report_bootstrap(values, 1, &i), 0);
    assert_true(i.n == 1 && i.mean == 0.25 && isnan(i.low) && isnan(i.high));
    assert_int_equal(report_bootstrap(values, 3, &i), 0);
    assert_true(i.mean == 0.25 && i.low == 0.25 && i.high == 0.25);
}

/* Of two values half of all resamples have the mean, a quarter either value: the limits are
 * the values, whatever the correction, for 2.5 % lies well within that quarter. */
static void bootstrap_of_two(void **state)
{
    static const double values[] = {1, 3};
    report_interval i;

    (void)state;
    assert_int_equal(report_bootstrap(values, 2, &i), 0);
    assert_true(i.mean == 2 && i.low == 1 && i.high == 3);
}

/* Of n zeros and one 1 the mean of a resample is k / (n + 1), k binomial.  With n + 1 = 20
 * the plain percentiles are 0 and 0.15 (P(k <= 2) = 0.925, P(k <= 3) = 0.984).  Moments are
 * u = 0.05 and 0.95: acceleration sum(u^3) / (6 sum(u^2)^1.5) = 0.855 / (6 * 0.95^1.5)
 * = 0.153897; bias: P(k = 0) + P(k = 1) / 2 = 0.358486 + 0.188677 = 0.547163, z0 = 0.118496;
 * so the upper limit is at Phi(z0 + 2.078460 / (1 - 0.319869)) = Phi(3.174452), 0.999250: k =
 * 5 (P(k <= 4) = 0.997426, P(k <= 5) = 0.999671); the lower one at Phi(z0 - 1.841468 / (1 +
 * 0.283397)) = Phi(-1.316346) = 0.094: k = 0.  Sampling leaves these far from a step. */
static void bootstrap_is_corrected(void **state)
{
    double values[20] = {0};
    report_interval i;

    (void)state;
    values[7] = 1;
    assert_int_equal(report_bootstrap(values, 20, &i), 0);
    near(i.mean, 0.05);
    assert_true(i.low == 0);
    near(i.high, 0.25);
}

/* With a second group that never changes, the mean of the means is half of that above, plus
 * half of the constant: so are the limits. Groups count alike, whatever their size. */
static void bootstrap_of_groups(void **state)
{
    static const double constant[3] = {1, 1, 1};
    const double *groups[2];
    const size_t sizes[2] = {3, 20}, too_few[2] = {3, 1};
    double values[20] = {0};
    report_interval i;

    (void)state;
    values[7] = 1;
    groups[0] = constant;
    groups[1] = values;
    assert_int_equal(report_bootstrap_means(groups, sizes, 2, &i), 0);
    assert_int_equal(i.n, 23);
    near(i.mean, 0.525);
    near(i.low, 0.5);
    near(i.high, 0.625);
    assert_int_equal(report_bootstrap_means(groups, too_few, 2, &i), 0);
    near(i.mean, 0.5);
    assert_true(isnan(i.low) && isnan(i.high));
}

struct weighed {
    const double *values;
    size_t n;
    double least; /* no mean below it */
};

static double weighed_mean(void *what, const double *times)
{
    const struct weighed *w = what;
    double sum = 0, n = 0;

    for (size_t i = 0; i < w->n; i++) {
        sum += times[i] * w->values[i];
        n += times[i];
    }
    return sum / n < w->least ? NAN : sum / n;
}

/* The mean as a statistic of its own has the limits that it has otherwise; resamples without
 * a value are left out. */
static void bootstrap_of_statistic(void **state)
{
    double values[37];
    struct weighed w = {values, 37, -1};
    size_t n = 37;
    report_interval a, b;

    (void)state;
    for (int i = 0; i < 37; i++)
        values[i] = (i * i * 29 % 37) / 64.0;
    assert_int_equal(report_bootstrap(values, n, &a), 0);
    assert_int_equal(report_bootstrap_of(weighed_mean, &w, &n, 1, &b), 0);
    assert_int_equal(b.n, 37);
    near(b.mean, a.mean);
    near(b.low, a.low);
    near(b.high, a.high);
    w.least = (a.mean + a.low) / 2;
    assert_int_equal(report_bootstrap_of(weighed_mean, &w, &n, 1, &b), 0);
    assert_true(b.low >= w.least && b.high > a.mean);
    w.least = a.mean + 1;
    assert_int_equal(report_bootstrap_of(weighed_mean, &w, &n, 1, &b), 0);
    assert_true(isnan(b.mean) && isnan(b.low) && isnan(b.high));
}

/* The same values give the same limits, shifted values shifted ones. */
static void bootstrap_repeats(void **state)
{
    double values[37], moved[37];
    report_interval a, b;

    (void)state;
    for (int i = 0; i < 37; i++) {
        values[i] = (i * 29 % 37) / 64.0;
        moved[i] = values[i] + 2;
    }
    assert_int_equal(report_bootstrap(values, 37, &a), 0);
    assert_int_equal(report_bootstrap(values, 37, &b), 0);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(report_bootstrap(moved, 37, &b), 0);
    near(b.low, a.low + 2);
    near(b.high, a.high + 2);
    assert_true(a.low < a.mean && a.mean < a.high);
    /* Spread evenly, so near to normal: 1.96 deviations of the mean, 37 of n - 1, sampled. */
    assert_true(
        fabs((a.high - a.low) / (2 * 1.96 * sqrt((37.0 * 37 - 1) / 12) / 64 / sqrt(37)) - 1) <
        0.04);
}

/* ---- Wilcoxon ----------------------------------------------------------------------- */

static void wilcoxon_by_hand(void **state)
{
    static const double all_above[] = {1, 2, 3, 4, 5}, none[] = {0, 0};
    static const double tied[] = {1, -1, 0};
    report_test t;

    (void)state;
    /* one of 32 assignments of signs is as far out, on either side */
    assert_int_equal(report_wilcoxon(all_above, 5, &t), 0);
    assert_true(t.n == 5 && t.above == 5 && t.exact && t.p == 2.0 / 32);
    assert_int_equal(report_wilcoxon(none, 2, &t), 0);
    assert_true(t.n == 0 && t.above == 0 && t.p == 1);
    assert_int_equal(report_wilcoxon(tied, 3, &t), 0);
    assert_true(t.n == 2 && t.above == 1 && t.p == 1);
    assert_int_equal(report_wilcoxon(NULL, 0, &t), 0);
    assert_true(t.n == 0 && t.p == 1);
}

static void wilcoxon_as_scipy(void **state)
{
    static const double d[] = {0.31, -0.12, 0.45, 0.07, -0.02, 0.22,
                               0.51, -0.33, 0.28, 0.16, 0.04,  0.61};
    double many[180];
    report_test t;

    (void)state;
    assert_int_equal(report_wilcoxon(d, COUNT(d), &t), 0);
    assert_true(t.exact && t.n == 12 && t.above == 9);
    near(t.p, 0.05224609375);
    for (int i = 0; i < 150; i++)
        many[i] = ((i * 37) % 101 - 40) / 64.0;
    assert_int_equal(report_wilcoxon(many, 150, &t), 0);
    assert_true(!t.exact && t.n == 148);
    near(t.p, 0.00022601609929766175);
    for (int i = 0; i < 180; i++)
        many[i] = ((i * 73) % 211 - 90.25) / 64;
    assert_int_equal(report_wilcoxon(many, 180, &t), 0);
    assert_true(!t.exact && t.n == 180);
    near(t.p, 0.0025292259536874129);
}

/* Ranks of sizes by comparison of all with all, signs by counting through all of them. */
static double counted(const double *d, int n)
{
    double rank[12], positive = 0, total = 0, far;
    int out = 0;

    for (int i = 0; i < n; i++) {
        rank[i] = 0.5;
        for (int k = 0; k < n; k++)
            rank[i] += fabs(d[k]) < fabs(d[i]) ? 1 : fabs(d[k]) == fabs(d[i]) ? 0.5 : 0;
        total += rank[i];
        positive += d[i] > 0 ? rank[i] : 0;
    }
    far = fabs(positive - total / 2);
    for (int signs = 0; signs < 1 << n; signs++) {
        double sum = 0;

        for (int i = 0; i < n; i++)
            sum += signs >> i & 1 ? rank[i] : 0;
        out += fabs(sum - total / 2) >= far;
    }
    return (double)out / (1 << n);
}

static void wilcoxon_counted_out(void **state)
{
    unsigned seed = 5;

    (void)state;
    for (int turn = 0; turn < 60; turn++) {
        double d[12];
        int n = 1 + turn % 12;
        report_test t;

        for (int i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            d[i] = (int)(seed >> 24) % 7 - 2.5; /* few sizes: ties in most */
        }
        assert_int_equal(report_wilcoxon(d, (size_t)n, &t), 0);
        assert_true(t.exact);
        near(t.p, counted(d, n));
    }
}

/* 0.01, 0.02, 0.03, 0.04 become 0.04, 0.06, 0.06 (not less than before), 0.06. */
static void holm(void **state)
{
    report_test t[4] = {{.p = 0.03}, {.p = 0.01}, {.p = 0.04}, {.p = 0.02}};
    report_test large[2] = {{.p = 0.6}, {.p = 0.9}};

    (void)state;
    assert_int_equal(report_holm(t, 4, sizeof *t), 0);
    near(t[1].p_holm, 0.04);
    near(t[3].p_holm, 0.06);
    near(t[0].p_holm, 0.06);
    near(t[2].p_holm, 0.06);
    assert_int_equal(report_holm(large, 2, sizeof *large), 0);
    assert_true(large[0].p_holm == 1 && large[1].p_holm == 1);
    assert_int_equal(report_holm(NULL, 0, sizeof *t), 0);
}

/* ---- PCHIP and BD-rate --------------------------------------------------------------- */

static void pchip(const double *x, const double *y, size_t n, const double *at,
                  const double *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double got;

        assert_int_equal(report_pchip(x, y, n, at[i], &got), 0);
        near(got, expected[i]);
    }
}

static void pchip_as_scipy(void **state)
{
    static const double x[] = {0, 1, 2.5, 3, 4.75, 6}, y[] = {1, 1.2, 4, 4.1, 3.0, 3.0};
    static const double at[] = {0, 0.25, 0.9, 1.75, 2.6, 3.5, 4.0, 5.5, 6};
    static const double is[] = {1,
                                1.0151785714285713,
                                1.1666285714285713,
                                2.604570074475288,
                                4.0307829383886258,
                                3.8819241982507289,
                                3.4329446064139941,
                                3,
                                3};
    static const double x1[] = {0, 1, 2, 3, 4, 5}, y1[] = {0, 3, 2.9, 2.8, 6, 9};
    static const double at1[] = {0.1, 0.5, 0.9, 4.5};
    static const double is1[] = {0.45255000000000001, 2.0687500000000001, 2.95695,
                                 7.5245967741935491};
    static const double x2[] = {0, 1, 2, 3}, y2[] = {0, 1, 10, 10.5}, at2[] = {0.3, 2.5};
    static const double is2[] = {0.10260000000000001, 10.368421052631579};
    static const double y4[] = {0, 1, -10, -11}, at4[] = {0.25, 0.5, 0.8, 2.5};
    static const double is4[] = {0.578125, 0.875, 0.9920000000000001, -10.729166666666666};
    static const double x3[] = {0, 2}, y3[] = {1, 5}, at3[] = {0.5}, is3[] = {2};
    double value;

    (void)state;
    pchip(x, y, 6, at, is, COUNT(at));
    pchip(x1, y1, 6, at1, is1, COUNT(at1));
    pchip(x2, y2, 4, at2, is2, COUNT(at2));
    pchip(x2, y4, 4, at4, is4, COUNT(at4)); /* an end slope held back at three secants */
    pchip(x3, y3, 2, at3, is3, 1);
    assert_int_equal(report_pchip(x, y, 1, 0, &value), -1);
}

static const double rate_a[] = {512.25, 1020.5, 2048.75, 4099.0, 8111.5};
static const double lpips_a[] = {0.2412, 0.1337, 0.0711, 0.0352, 0.0181};
static const double psnr_a[] = {30.1, 33.4, 36.2, 38.9, 41.0};
static const double rate_b[] = {430.0, 905.5, 1700.25, 3555.75, 7020.0};
static const double lpips_b[] = {0.2199, 0.1203, 0.0695, 0.0334, 0.0170};
static const double psnr_b[] = {30.6, 33.9, 36.3, 39.4, 41.3};
static const double rate_c[] = {300.0, 777.0, 1555.0, 2999.0};
static const double lpips_c[] = {0.31, 0.1405, 0.0822, 0.0466};

static report_bd bd(const double *ra, const double *qa, size_t na, const double *rb,
                    const double *qb, size_t nb, enum report_scale scale)
{
    report_curve a = {ra, qa, na}, b = {rb, qb, nb};
    report_bd out;

    assert_int_equal(report_bd_rate(&a, &b, scale, &out), 0);
    assert_int_equal(out.scored, !isnan(out.percent));
    assert_int_equal(out.scored, !*out.why);
    return out;
}

static void bd_as_bjontegaard(void **state)
{
    (void)state;
    near(bd(rate_a, lpips_a, 5, rate_b, lpips_b, 5, REPORT_LOWER).percent,
         -21.176047371392492);
    near(bd(rate_a, lpips_a, 5, rate_b, lpips_b, 5, REPORT_LOWER_LOG).percent,
         -19.721645778108087);
    near(bd(rate_a, psnr_a, 5, rate_b, psnr_b, 5, REPORT_HIGHER).percent, -22.05026320500383);
    near(bd(rate_a, lpips_a, 5, rate_c, lpips_c, 4, REPORT_LOWER).percent,
         -17.488010861454139);
    near(bd(rate_a, lpips_a, 5, rate_c, lpips_c, 4, REPORT_LOWER_LOG).percent,
         -14.785360211157538);
    near(bd(rate_b, lpips_b, 5, rate_a, lpips_a, 5, REPORT_LOWER).percent,
         26.864990482229501);
}

/* The same curve at four fifths of the rate: -20 %, whatever the curve.  The order of points
 * is of no account. */
static void bd_by_hand(void **state)
{
    double less[5], turned[5], turned_lpips[5];
    report_bd d;

    (void)state;
    for (int i = 0; i < 5; i++) {
        less[i] = 0.8 * rate_a[i];
        turned[i] = rate_b[(i * 2 + 3) % 5];
        turned_lpips[i] = lpips_b[(i * 2 + 3) % 5];
    }
    for (int scale = REPORT_LOWER; scale <= REPORT_LOWER_LOG; scale++) {
        d = bd(rate_a, lpips_a, 5, less, lpips_a, 5, (enum report_scale)scale);
        near(d.percent, -20);
        assert_true(d.overlap == 1);
    }
    assert_true(bd(rate_a, lpips_a, 5, turned, turned_lpips, 5, REPORT_LOWER).percent ==
                bd(rate_a, lpips_a, 5, rate_b, lpips_b, 5, REPORT_LOWER).percent);
    d = bd(rate_a, lpips_a, 5, rate_b, lpips_b, 5, REPORT_LOWER);
    near(d.overlap, (0.2199 - 0.0181) / (0.2412 - 0.0170));
}

static void refused(report_bd d, const char *words)
{
    assert_false(d.scored);
    if (!strstr(d.why, words))
        fail_msg("\"%s\" does not say \"%s\"", d.why, words);
}

static void bd_refuses(void **state)
{
    static const double bump[] = {0.2412, 0.0711, 0.1337, 0.0352, 0.0181};
    static const double flat[] = {0.2412, 0.1337, 0.1337, 0.0352, 0.0181};
    static const double zero[] = {0.2412, 0.1337, 0.0711, 0.0352, 0};
    static const double apart[] = {0.9, 0.8, 0.7, 0.6, 0.5};
    static const double touching[] = {0.9, 0.8, 0.7, 0.6, 0.2412};
    static const double same[] = {512.25, 1020.5, 1020.5, 4099.0, 8111.5};
    static const double none[] = {0, 1020.5, 2048.75, 4099.0, 8111.5};
    static const double nan_rate[] = {NAN, 1020.5, 2048.75, 4099.0, 8111.5};

    (void)state;
    refused(bd(rate_a, lpips_a, 3, rate_b, lpips_b, 5, REPORT_LOWER), "fewer than 4");
    refused(bd(rate_a, lpips_a, 5, rate_b, lpips_b, 3, REPORT_LOWER), "anchor 5, test 3");
    refused(bd(rate_a, lpips_a, 0, rate_b, lpips_b, 0, REPORT_LOWER), "fewer than 4");
    refused(bd(rate_a, bump, 5, rate_b, lpips_b, 5, REPORT_LOWER), "anchor: not monotone");
    refused(bd(rate_a, lpips_a, 5, rate_b, bump, 5, REPORT_LOWER), "test: not monotone");
    refused(bd(rate_a, lpips_a, 5, rate_b, flat, 5, REPORT_LOWER), "test: not monotone");
    refused(bd(rate_a, lpips_a, 5, rate_b, lpips_b, 5, REPORT_HIGHER), "not monotone");
    refused(bd(rate_a, lpips_a, 5, rate_b, zero, 5, REPORT_LOWER_LOG), "no logarithm");
    assert_true(bd(rate_a, lpips_a, 5, rate_b, zero, 5, REPORT_LOWER).scored);
    refused(bd(rate_a, lpips_a, 5, rate_b, apart, 5, REPORT_LOWER), "no overlap");
    refused(bd(rate_a, lpips_a, 5, rate_b, touching, 5, REPORT_LOWER), "no overlap");
    refused(bd(same, lpips_a, 5, rate_b, lpips_b, 5, REPORT_LOWER), "two points at 1020.5");
    refused(bd(none, lpips_a, 5, rate_b, lpips_b, 5, REPORT_LOWER), "no rate");
    refused(bd(nan_rate, lpips_a, 5, rate_b, lpips_b, 5, REPORT_LOWER), "no rate");
    refused(bd(rate_a, nan_rate, 5, rate_b, lpips_b, 5, REPORT_LOWER), "no rate or no value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean),
        cmocka_unit_test(bootstrap_of_few),
        cmocka_unit_test(bootstrap_of_two),
        cmocka_unit_test(bootstrap_is_corrected),
        cmocka_unit_test(bootstrap_of_groups),
        cmocka_unit_test(bootstrap_of_statistic),
        cmocka_unit_test(bootstrap_repeats),
        cmocka_unit_test(wilcoxon_by_hand),
        cmocka_unit_test(wilcoxon_as_scipy),
        cmocka_unit_test(wilcoxon_counted_out),
        cmocka_unit_test(holm),
        cmocka_unit_test(pchip_as_scipy),
        cmocka_unit_test(bd_as_bjontegaard),
        cmocka_unit_test(bd_by_hand),
        cmocka_unit_test(bd_refuses),
    };

    return cmocka_run_group_tests_name("report_stats", tests, NULL, NULL);
}
