/*
 * test_learn_train.c - training: derivatives by every tensor against differences of ref.c in
 * double, dropout, threads.
 */
#include "../core/train.h"

#include "pictures.h"
#include "ref.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDES = 3, MAX_FLOATS = 3 * 80 * 80 };

/* One trial: the reference, p0 and p1 as planes of floats. */
typedef struct trial {
    int width, height;
    float rgb[SIDES][MAX_FLOATS];
    lpips_image image[SIDES];
    ref_picture exact[SIDES];
} trial;

static double unit(uint32_t x)
{
    return (picture_hash(x) >> 8) * 0x1p-24;
}

/* Waves and grain, no two samples alike; p0 and p1 are the reference with other grain and
 * p1 is darker, too. */
static trial *trial_make(int width, int height, uint32_t seed)
{
    trial *t = calloc(1, sizeof *t);
    size_t n = (size_t)width * (size_t)height;

    assert_non_null(t);
    t->width = width;
    t->height = height;
    for (int k = 0; k < SIDES; k++) {
        float *p = t->rgb[k];
        ptrdiff_t row = 4L * width;

        t->exact[k] = (ref_picture){width, height, malloc(3 * n * sizeof(double))};
        assert_non_null(t->exact[k].rgb);
        for (size_t i = 0; i < 3 * n; i++) {
            double x = (double)(i % n % (size_t)width), y = (double)(i % n / (size_t)width);
            double wave = sin(x * (.3 + .1 * (double)(i / n)) + seed) * cos(y * .4 + x * .1);

            p[i] = (float)((.5 + .3 * wave) * (1 - .2 * (k == 2)) +
                           .15 * unit((uint32_t)i + 40009u * seed + 9176u * (uint32_t)k));
            t->exact[k].rgb[i] = (double)p[i];
        }
        assert_int_equal(lpips_image_planar(&t->image[k], LPIPS_F32,
                                            (const void *const[3]){p, p + n, p + 2 * n},
                                            (const ptrdiff_t[3]){row, row, row}, width,
                                            height),
                         LPIPS_OK);
    }
    return t;
}

static void trial_free(trial *t)
{
    for (int k = 0; k < SIDES; k++)
        free(t->exact[k].rgb);
    free(t);
}

static lpips_train *train_make(lpips_net net, int width, int height, int threads)
{
    lpips_train *t;

    assert_int_equal(lpips_train_create(&t, test_reference_weights(net, "0.1"), width, height,
                                        threads, 1),
                     LPIPS_OK);
    return t;
}

/* ---- differences in double ---------------------------------------------- */

static const double pull[2] = {.7, -1.3};

/* What the loss is made of, and every choice on the way. */
typedef struct outcome {
    double loss;
    ref_result r[SIDES];
} outcome;

static outcome evaluate(const lpips_weights *w, const trial *t)
{
    outcome o = {0};

    for (int k = 0; k < SIDES; k++) {
        ref_lpips(w, &t->exact[k], &t->exact[k ? 0 : 1], REF_WANT_CHOICES, &o.r[k]);
        o.loss += k ? pull[k - 1] * o.r[k].distance : 0;
    }
    return o;
}

static void outcome_free(outcome *o)
{
    for (int k = 0; k < SIDES; k++)
        ref_result_free(&o->r[k]);
}

/* In float a choice may be another where it is as near as rounding. */
static int clear_choices(const outcome *o)
{
    for (int k = 0; k < SIDES; k++)
        for (size_t i = 0; i < o->r[k].choices; i++)
            if (!(o->r[k].choice[i].margin > 5e-7))
                return 0;
    return 1;
}

static int same_choices(const outcome *a, const outcome *b)
{
    for (int k = 0; k < SIDES; k++)
        for (size_t i = 0; i < a->r[k].choices; i++)
            if (a->r[k].choice[i].taken != b->r[k].choice[i].taken)
                return 0;
    return 1;
}

typedef struct setting {
    lpips_weights *w; /* a copy to be bent */
    const trial *t;
    double worst;
} setting;

static size_t count_of(const lpips_tensor_spec *spec)
{
    size_t n = 1;

    for (int d = 0; d < spec->dims; d++)
        n *= (size_t)spec->shape[d];
    return n;
}

/* Bends a tensor by about +-h at some places, all of the same sign; not 0: another choice on
 * the way. */
static int bend(setting *s, float *v, const float *g, const size_t *at, int n, double h,
                double error[2])
{
    double before[64], slope = 0, sum = 0;
    outcome o[2];
    int same;

    for (int i = 0; i < n; i++)
        before[i] = (double)v[at[i]];
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < n; i++) {
            double step = g[at[i]] < 0 ? -h : h, now;

            v[at[i]] = (float)(before[i] + (side ? -step : step));
            now = (double)v[at[i]] - before[i];
            slope += (side ? -now : now) * (double)g[at[i]];
            sum += fabs(now);
        }
        o[side] = evaluate(s->w, s->t);
    }
    for (int i = 0; i < n; i++)
        v[at[i]] = (float)before[i];
    same = same_choices(&o[0], &o[1]);
    error[0] = fabs(o[0].loss - o[1].loss - slope);
    error[1] = sum;
    outcome_free(&o[0]);
    outcome_free(&o[1]);
    return !same;
}

/* The steepest element, one drawn, and some at once. */
static void check_tensor(setting *s, int i, const lpips_tensor_spec *spec, const float *g)
{
    static const int counts[] = {1, 1, 48};
    size_t n = count_of(spec), steepest = 0;
    float *v = (float *)s->w->tensor[i];

    for (size_t k = 0; k < n; k++)
        if (fabsf(g[k]) > fabsf(g[steepest]))
            steepest = k;
    assert_true(g[steepest] != 0.f);
    for (size_t kind = 0; kind < COUNT(counts); kind++) {
        double h = 1e-5, error[2];
        size_t at[64];
        int try = 0;

        do {
            for (int k = 0; k < counts[kind]; k++)
                at[k] = kind || try ? picture_hash((uint32_t)(i * 1000 + try * 64 + k)) % n
                                    : steepest;
            for (int k = 1; k < counts[kind]; k++) /* each once */
                at[k] = (at[0] + (size_t)k * (n / 48 > 0 ? n / 48 : 1)) % n;
            if (++try == 12)
                fail_msg("%s: every step changes a choice", spec->name);
        } while (bend(s, v, g, at, n < 48 && kind == 2 ? (int)n : counts[kind],
                      kind == 2 ? h / 20 : h, error));
        s->worst = fmax(s->worst, error[0] / error[1] / (double)fabsf(g[steepest]));
        if (!(error[0] <= 1e-4 * (double)fabsf(g[steepest]) * error[1]))
            fail_msg(
                "%s, %d elements from %zu: differences deviate by %.3g of the largest %.3g",
                spec->name, counts[kind], at[0],
                error[0] / error[1] / (double)fabsf(g[steepest]), (double)g[steepest]);
    }
}

/* A trial without a choice that float may take otherwise. */
static trial *clear_trial(lpips_weights *w, int width, int height)
{
    for (uint32_t seed = 1; seed < 60; seed++) {
        trial *t = trial_make(width, height, seed);
        outcome o = evaluate(w, t);
        int usable = clear_choices(&o);

        outcome_free(&o);
        if (usable)
            return t;
        trial_free(t);
    }
    fail_msg("no trial far enough from a change of choice");
    return NULL;
}

static void check_net(lpips_net net, int width, int height)
{
    lpips_weights *w = test_reference_weights(net, "0.1");
    lpips_train *train = train_make(net, width, height, 2);
    trial *t = clear_trial(w, width, height);
    setting s = {lpips_weights_copy(w), t, 0};
    lpips_tensor_spec spec;
    double d[2];
    outcome o = evaluate(w, t);

    assert_non_null(s.w);
    assert_int_equal(lpips_train_forward(train, t->image, 1, NULL, d), LPIPS_OK);
    for (int k = 0; k < 2; k++)
        assert_true(test_near(d[k], o.r[k + 1].distance));
    lpips_train_backward(train, pull);
    for (int i = 2; lpips_net_tensor(net, i, &spec) == LPIPS_OK; i++)
        check_tensor(&s, i, &spec, lpips_train_gradient(train, i));
    assert_null(lpips_train_gradient(train, 1));
    print_message("%s %dx%d: largest deviation %.2g of a tensor's largest |g|\n",
                  lpips_net_name(net), width, height, s.worst);
    outcome_free(&o);
    lpips_weights_unref(s.w);
    trial_free(t);
    lpips_train_free(train);
}

static void differences_alex(void **state)
{
    (void)state;
    check_net(LPIPS_NET_ALEX, 31, 31);
    if (!test_quick())
        check_net(LPIPS_NET_ALEX, 47, 41);
}

static void differences_squeeze(void **state)
{
    (void)state;
    check_net(LPIPS_NET_SQUEEZE, 18, 17);
    if (!test_quick())
        check_net(LPIPS_NET_SQUEEZE, 23, 20);
}

static void differences_vgg(void **state)
{
    (void)state;
    check_net(LPIPS_NET_VGG, 16, 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_alex),
        cmocka_unit_test(differences_squeeze),
        cmocka_unit_test(differences_vgg),
    };
    int failed = cmocka_run_group_tests_name("training", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
