/*
 * test_learn_eval.c - scores worked out by hand, correlations and curves as scipy has them,
 * and judges by name.
 */
#include "support.h"

#include "../core/model.h"

#include "data/checkpoint.h"
#include "eval/correlate.h"
#include "eval/published.h"
#include "eval/score.h"
#include "judge/judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%.17g, expected %.17g", got, expected);
}

/* ---- scores ------------------------------------------------------------------------------
 */

/* Four of five preferred p1. */
static void agreement(void **state)
{
    (void)state;
    near(learn_score_2afc(0.8, 0.5, 0.4), 0.8, 0);
    near(learn_score_2afc(0.8, 0.4, 0.5), 0.2, 1e-16);
    near(learn_score_2afc(0.8, 0.4, 0.4), 0.5, 0);
    near(learn_score_2afc(0, 0, 0), 0.5, 0);
    near(learn_score_2afc(0, 0.1, 0.1 + 1e-12), 1, 0);
    near(learn_score_human(0.8), 0.68, 1e-15);
    near(learn_score_human(0.5), 0.5, 0);
    near(learn_score_human(1), 1, 0);
}

static double jnd(const double *distances, const double *same, size_t n, const double *times)
{
    learn_jnd j;
    double score;

    assert_int_equal(learn_jnd_make(&j, distances, same, n), 0);
    score = learn_jnd_score(&j, times);
    learn_jnd_free(&j);
    return score;
}

/*
 * Sorted by distance `same` is 1, 0, 1/2, 1.  TP: 1, 1, 1.5, 2.5; precision 1, 1/2, 1/2, 5/8,
 * and from each on the largest is 1, 5/8, 5/8, 5/8.  Over recall: (1 + 0 + 5/16 + 5/8) / 2.5.
 */
static void jnd_by_hand(void **state)
{
    static const double distances[] = {0.3, 0.1, 0.4, 0.2}, same[] = {0.5, 1, 1, 0};
    static const double once[] = {1, 1, 1, 1}, twice[] = {0, 2, 1, 1};
    static const double tied[] = {0.1, 0.1, 0.1, 0.1};

    (void)state;
    near(jnd(distances, same, 4, NULL), 0.775, 1e-15);
    near(jnd(distances, same, 4, once), 0.775, 1e-15);
    /* 1, 1, 0, 1: precision 1, 1, 2/3, 3/4 -> (1 + 1 + 3/4) / 3 */
    near(jnd(distances, same, 4, twice), 2.75 / 3, 1e-15);
    /* ties keep their order: 1/2, 1, 1, 0: precision 1/2, 3/4, 5/6, 5/8 -> 5/6 all along */
    near(jnd(tied, same, 4, NULL), 5.0 / 6, 1e-15);
    assert_true(isnan(jnd(tied, (const double[]){0, 0, 0, 0}, 4, NULL)));
    near(jnd(tied, same, 1, NULL), 0.5, 0);
}

/* The paper's mean of all is that of its six columns, to the digit that it prints; means of
 * parts, and which judge stands beside which row. */
static void published(void **state)
{
    int rows = 0;

    (void)state;
    for (const learn_published *r = learn_published_rows; r->title; r++, rows++) {
        double sum = 0;

        for (int c = 0; c < LEARN_FAMILIES; c++)
            sum += learn_published_score(r, (learn_paper)c);
        near(sum / LEARN_FAMILIES, learn_published_score(r, LEARN_PAPER_ALL), 0.0011);
    }
    assert_int_equal(rows, 16);
    near(learn_published_score(learn_published_of(""), LEARN_PAPER_DISTORTIONS), 0.826,
         1e-12);
    near(learn_published_score(learn_published_of("l2-lab"), LEARN_PAPER_REAL), 0.6035,
         1e-12);
    assert_ptr_equal(learn_published_of("lpips:vgg:0.0"),
                     learn_published_of("lpips:vgg:0.1"));
    assert_null(learn_published_of("psnr"));
    assert_int_equal(learn_paper_column("frameinterp"), LEARN_FRAMEINTERP);
    assert_int_equal(learn_paper_column("mix"), LEARN_PAPER_NONE);
}

/* ---- correlations
 * -------------------------------------------------------------------------- */

enum { MOST = 200 };

/* As in the script that made the numbers below: integers by formula, no random numbers. */
static void data(size_t n, int ties, double *x, double *y)
{
    for (size_t i = 0; i < n; i++) {
        double u = (double)((i * 7919 + 13) % n) / (double)n;
        double noise = (double)((i * 104729 + 7) % 1009) / 1009 - 0.5;

        x[i] = u * u + 0.02 * ((double)((i * 31 + 5) % 17) / 17);
        y[i] = 80 / (1 + exp(6 * (u - 0.5))) + 12 * noise;
        if (ties) {
            x[i] = rint(x[i] * 20) / 20;
            y[i] = rint(y[i] / 5) * 5;
        }
    }
}

/* scipy 1.x: spearmanr, kendalltau, pearsonr; least_squares from many starts for the curves,
 * then pearsonr and the root mean square. */
static const struct golden {
    size_t n;
    int ties;
    double spearman, kendall, pearson, plcc[2], rmse[2];
} goldens[] = {
    {50,
     0,
     -0.975798319327731,
     -0.8661224489795918,
     -0.9431933184857834,
     {0.9900876857182199, 0.9903208437196565},
     {3.4584736005815153, 3.4177565452425087}},
    {200,
     1,
     -0.9821721626465443,
     -0.922383996602697,
     -0.9518442948010986,
     {0.9877062238356062, 0.9877102433819869},
     {3.968534959274612, 3.967890146380282}},
};

static void as_scipy(void **state)
{
    double x[MOST], y[MOST], predicted[MOST];

    (void)state;
    for (size_t g = 0; g < COUNT(goldens); g++) {
        const struct golden *e = &goldens[g];
        learn_scatter s;

        data(e->n, e->ties, x, y);
        assert_int_equal(learn_scatter_make(&s, x, y, e->n), 0);
        near(learn_spearman(&s, NULL), e->spearman, 1e-13);
        near(learn_kendall(&s, NULL), e->kendall, 1e-13);
        near(learn_pearson(x, y, NULL, e->n), e->pearson, 1e-13);
        learn_scatter_free(&s);
        for (int p = 0; p < 2; p++) {
            double squares = 0;
            learn_curve c;

            assert_int_equal(learn_fit(&c, 4 + p, x, y, e->n), 0);
            assert_true(c.fitted && (p || c.b[3] == 0));
            for (size_t i = 0; i < e->n; i++) {
                predicted[i] = learn_curve_at(&c, x[i]);
                squares += (predicted[i] - y[i]) * (predicted[i] - y[i]);
            }
            near(learn_pearson(predicted, y, NULL, e->n), e->plcc[p], 1e-9);
            near(sqrt(squares / (double)e->n), e->rmse[p], 1e-8);
        }
    }
}

/* A pair that stands k times in a sample counts as k pairs, and one that does not as none. */
static void weighed(void **state)
{
    double x[MOST], y[MOST], xs[3 * MOST], ys[3 * MOST], times[MOST];
    size_t n = 0;
    learn_scatter s, spelt;

    (void)state;
    data(MOST, 1, x, y);
    for (size_t i = 0; i < MOST; i++) {
        times[i] = (double)(i * 5 % 4);
        for (size_t k = 0; k < i * 5 % 4; k++, n++) {
            xs[n] = x[i];
            ys[n] = y[i];
        }
    }
    assert_int_equal(learn_scatter_make(&s, x, y, MOST), 0);
    assert_int_equal(learn_scatter_make(&spelt, xs, ys, n), 0);
    near(learn_spearman(&s, times), learn_spearman(&spelt, NULL), 1e-13);
    near(learn_kendall(&s, times), learn_kendall(&spelt, NULL), 1e-13);
    near(learn_pearson(x, y, times, MOST), learn_pearson(xs, ys, NULL, n), 1e-13);
    learn_scatter_free(&s);
    learn_scatter_free(&spelt);
}

/* Scores that rise, fall, and fall again with the distance; five parameters hold them better
 * than four, of which they have all, and where the scores are such a curve it is found. */
static void curves(void **state)
{
    double x[MOST], y[MOST];

    (void)state;
    for (int k = 0; k < 24; k++) {
        const learn_curve made = {5,
                                  true,
                                  {k % 2 ? 3 : -3, 2 << k / 2 % 4, k % 5, 1 - k % 3, 7}};
        double squares[3] = {0};
        learn_curve c;

        for (int p = 0; p < 3; p++) {
            data(60, 0, x, y);
            for (size_t i = 0; i < 60; i++) {
                x[i] *= 4;
                y[i] = learn_curve_at(&made, x[i]) + (p < 2 ? y[i] / 40 : 0);
            }
            assert_int_equal(learn_fit(&c, p ? 5 : 4, x, y, 60), 0);
            for (size_t i = 0; i < 60; i++)
                squares[p] += pow(learn_curve_at(&c, x[i]) - y[i], 2);
        }
        if (!(squares[1] <= squares[0] * (1 + 1e-9)) || !(squares[2] < 1e-6))
            fail_msg("curve %d: %g of four, %g of five; %g", k, squares[0], squares[1],
                     squares[2]);
    }
}

/* By counting all pairs: x 1 2 2 3, y 1 3 2 2 has 3 concordant, 1 discordant, one tie each.
 */
static void by_hand(void **state)
{
    static const double x[] = {1, 2, 2, 3}, y[] = {1, 3, 2, 2}, flat[] = {5, 5, 5, 5};
    learn_scatter s;
    learn_curve c;

    (void)state;
    assert_int_equal(learn_scatter_make(&s, x, y, 4), 0);
    near(learn_kendall(&s, NULL), (3.0 - 1) / 5, 1e-15);
    learn_scatter_free(&s);
    assert_int_equal(learn_scatter_make(&s, x, flat, 4), 0);
    assert_true(isnan(learn_kendall(&s, NULL)) && isnan(learn_spearman(&s, NULL)));
    learn_scatter_free(&s);
    assert_int_equal(learn_fit(&c, 4, x, y, 4), 0);
    assert_false(c.fitted);
    assert_int_equal(learn_fit(&c, 4, x, flat, 4), 0);
    assert_false(c.fitted);
}

/* ---- judges
 * ---------------------------------------------------------------------------------- */

static void judge_names(void **state)
{
    static const struct {
        const char *name, *words;
    } refused[] = {
        {"lpips:alexnet", "no net \"alexnet\""},
        {"lpips:", "no net \"\""},
        {"lpips:alex:0.2", "no version \"0.2\""},
        {"random:alex:x", "no seed"},
        {"random:alex:-1", "no seed"},
        {"random:alex:99999999999999999999", "no seed"},
        {"ssimm", "no judge \"ssimm\""},
        {"", "no judge \"\""},
        {"/nonexistent.safetensors", "/nonexistent.safetensors"},
    };
    char why[LEARN_WHY];
    learn_judge *j;

    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++)
        if (!learn_judge_open(&j, refused[i].name, why) || j ||
            !strstr(why, refused[i].words))
            fail_msg("%s: %s", refused[i].name, why);
    assert_int_equal(learn_judge_open(&j, "random:squeeze", why), 0);
    assert_string_equal(j->name, "random:squeeze:0");
    assert_int_equal(j->smallest, 17);
    assert_non_null(strstr(j->identity, lpips_weights_hash(j->weights)));
    learn_judge_free(j);
    assert_int_equal(learn_judge_open(&j, "psnr", why), 0);
    assert_null(j->weights);
    learn_judge_free(j);
}

/* One seed is one set of weights, another another; they are normal
 * with the variance that is said, within 5 deviations. */
static void random_weights(void **state)
{
    enum { N = 192 * 64 * 5 * 5 };
    const double variance = 2.0 / (64 * 5 * 5);
    double sum = 0, squares = 0;
    lpips_weights *w[3];
    char why[LEARN_WHY];
    int at_most_1 = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(learn_random_weights(&w[i], LPIPS_NET_ALEX, i == 2 ? 8 : 7, why), 0);
    assert_string_equal(lpips_weights_hash(w[0]), lpips_weights_hash(w[1]));
    assert_string_not_equal(lpips_weights_hash(w[0]), lpips_weights_hash(w[2]));
    for (int i = 0; i < N; i++) {
        const float x = lpips_weights_tensor(w[0], "net.slice2.3", "weight")[i];

        sum += (double)x;
        squares += (double)x * (double)x;
        at_most_1 += x * x <= variance;
    }
    near(sum / N, 0, 5 * sqrt(variance / N));
    near(squares / N, variance, 5 * variance * sqrt(2.0 / N));
    near((double)at_most_1 / N, erf(sqrt(0.5)), 5 * sqrt(0.22 / N));
    for (int i = 0; i < 192; i++)
        assert_true(lpips_weights_tensor(w[0], "net.slice2.3", "bias")[i] == 0 &&
                    lpips_weights_tensor(w[0], "lin1.model.1", "weight")[i] == 1);
    for (int i = 0; i < 3; i++)
        lpips_weights_unref(w[i]);
}

/* Many pairs at once are what the library says of each, whatever stands beside it. */
static void many_pairs(void **state)
{
    enum { PAIRS = 37, SIDE = 40 };
    static uint8_t rgb[2][PAIRS][3 * SIDE * SIDE];
    learn_picture a[PAIRS], b[PAIRS];
    double distances[PAIRS];
    char why[LEARN_WHY];
    learn_judge_room *room = learn_judge_room_make();
    learn_judge *j;
    lpips_context *c;

    (void)state;
    for (int k = 0; k < 2; k++)
        for (int p = 0; p < PAIRS; p++)
            for (int i = 0; i < 3 * SIDE * SIDE; i++)
                rgb[k][p][i] = (uint8_t)(i * (p + 3) / 7 + k * ((i * i + p) % 31));
    for (int p = 0; p < PAIRS; p++) {
        a[p] = (learn_picture){rgb[0][p], SIDE, SIDE, 3 * SIDE};
        b[p] = (learn_picture){rgb[1][p], SIDE, SIDE, 3 * SIDE};
    }
    assert_int_equal(learn_judge_open(&j, "random:alex:3", why), 0);
    assert_int_equal(learn_judge_distances(j, room, a, b, PAIRS, distances, why), 0);
    assert_int_equal(lpips_context_create(&c, j->weights, SIDE, SIDE, NULL), 0);
    for (int p = 0; p < PAIRS; p++) {
        lpips_image x = test_packed(rgb[0][p], SIDE, SIDE);
        lpips_image y = test_packed(rgb[1][p], SIDE, SIDE);
        lpips_result r;

        assert_int_equal(lpips_compare(c, &x, &y, &r), 0);
        assert_true(r.distance == distances[p] && r.distance > 0);
    }
    lpips_context_free(c);
    learn_judge_room_free(room);
    learn_judge_free(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agreement),      cmocka_unit_test(jnd_by_hand),
        cmocka_unit_test(published),      cmocka_unit_test(as_scipy),
        cmocka_unit_test(weighed),        cmocka_unit_test(curves),
        cmocka_unit_test(by_hand),        cmocka_unit_test(judge_names),
        cmocka_unit_test(random_weights), cmocka_unit_test(many_pairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
