/*
 * test_learn_train.c - what training takes from the core: derivatives by every tensor against
 * differences of ref.c in double, dropout, threads.
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

/* The steepest element, and some at once. */
static void check_tensor(setting *s, int i, const lpips_tensor_spec *spec, const float *g)
{
    static const int counts[] = {1, 48};
    size_t n = count_of(spec), steepest = 0;
    float *v = (float *)s->w->tensor[i];

    for (size_t k = 0; k < n; k++)
        if (fabsf(g[k]) > fabsf(g[steepest]))
            steepest = k;
    assert_true(g[steepest] != 0.f);
    for (size_t kind = 0; kind < COUNT(counts); kind++) {
        double h = kind == 1 ? 5e-7 : 1e-5, error[2];
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
            h *= .7;
        } while (bend(s, v, g, at, n < 48 && kind == 1 ? (int)n : counts[kind], h, error));
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

/* ---- dropout, places, threads ------------------------------------------- */

enum { TRIALS = 3 };

/* All that a training step takes from the net. */
typedef struct step {
    double d[2 * TRIALS];
    size_t n;
    float *gradient;
} step;

/* Some trials in a row, from trial `first` on; keep as in lpips_train_forward(). */
static step step_of(lpips_train *t, lpips_net net, int first, int n, const uint64_t *keep)
{
    static const double pulls[2 * TRIALS] = {1, -.5, .25, 2, -1, .75};
    lpips_image images[3 * TRIALS];
    trial *trials[TRIALS];
    lpips_tensor_spec spec;
    step s = {0};

    for (int i = 0; i < n; i++) {
        trials[i] = trial_make(47, 47, (uint32_t)(first + i + 1));
        memcpy(images + (ptrdiff_t)3 * i, trials[i]->image, sizeof trials[i]->image);
    }
    lpips_train_clear(t);
    assert_int_equal(lpips_train_forward(t, images, n, keep, s.d), LPIPS_OK);
    lpips_train_backward(t, pulls + (ptrdiff_t)2 * first);
    for (int i = 2; lpips_net_tensor(net, i, &spec) == LPIPS_OK; i++) {
        size_t count = count_of(&spec);

        s.gradient = realloc(s.gradient, (s.n + count) * sizeof *s.gradient);
        assert_non_null(s.gradient);
        memcpy(s.gradient + s.n, lpips_train_gradient(t, i), count * sizeof *s.gradient);
        s.n += count;
    }
    for (int i = 0; i < n; i++)
        trial_free(trials[i]);
    return s;
}

static void same_step(const step *a, const step *b)
{
    assert_memory_equal(a->d, b->d, sizeof a->d);
    for (size_t i = 0; i < a->n; i++)
        if (memcmp(&a->gradient[i], &b->gradient[i], sizeof(float)))
            fail_msg("derivative %zu is %.9g and %.9g", i, (double)a->gradient[i],
                     (double)b->gradient[i]);
}

static uint64_t *draw_keep(const lpips_train *t, uint32_t seed)
{
    size_t n = 2 * TRIALS * lpips_train_words(t);
    uint64_t *keep = malloc(n * sizeof *keep);

    assert_non_null(keep);
    for (size_t i = 0; i < n; i++)
        keep[i] = (uint64_t)picture_hash((uint32_t)i + seed) << 32 |
                  picture_hash((uint32_t)i + seed + 77777);
    return keep;
}

static void threads(void **state)
{
    (void)state;
    for (int net = 0; net < TEST_NETS; net++) {
        lpips_train *t = train_make((lpips_net)net, 47, 47, 1);
        uint64_t *keep = draw_keep(t, 5);
        step one = step_of(t, (lpips_net)net, 0, TRIALS, keep);

        assert_true(lpips_train_trials(t) >= TRIALS);
        for (int n = 2; n < 6; n += 3) {
            lpips_train *other = train_make((lpips_net)net, 47, 47, n);
            step many = step_of(other, (lpips_net)net, 0, TRIALS, keep);

            same_step(&one, &many);
            free(many.gradient);
            lpips_train_free(other);
        }
        free(one.gradient);
        free(keep);
        lpips_train_free(t);
    }
}

/* |a + b - c| is rounding only. */
static void check_sum(const step *a, const step *b, const step *c, double times)
{
    double most = 0;

    for (size_t i = 0; i < c->n; i++)
        most = fmax(most, fabs((double)c->gradient[i]));
    for (size_t i = 0; i < c->n; i++) {
        double sum = (double)a->gradient[i] + (double)b->gradient[i];

        if (!(fabs(sum - times * (double)c->gradient[i]) <= 1e-5 * most))
            fail_msg("derivative %zu: %.9g and %.9g, together not %g times %.9g", i,
                     (double)a->gradient[i], (double)b->gradient[i], times,
                     (double)c->gradient[i]);
    }
}

/* A trial's distances do not depend on the others; derivatives add up. */
static void places(void **state)
{
    lpips_train *t = train_make(LPIPS_NET_SQUEEZE, 47, 47, 2);
    step all = step_of(t, LPIPS_NET_SQUEEZE, 0, 3, NULL);
    step some = step_of(t, LPIPS_NET_SQUEEZE, 0, 2, NULL);
    step last = step_of(t, LPIPS_NET_SQUEEZE, 2, 1, NULL);

    (void)state;
    assert_memory_equal(all.d, some.d, 4 * sizeof *all.d);
    assert_memory_equal(all.d + 4, last.d, 2 * sizeof *all.d);
    check_sum(&some, &last, &all, 1);
    free(all.gradient);
    free(some.gradient);
    free(last.gradient);
    lpips_train_free(t);
}

/* What one half keeps and what the other keeps are, each counted twice, twice the whole. */
static void halves(void **state)
{
    lpips_train *t = train_make(LPIPS_NET_ALEX, 47, 47, 2);
    uint64_t *keep = draw_keep(t, 9);
    step whole = step_of(t, LPIPS_NET_ALEX, 0, TRIALS, NULL);
    step half = step_of(t, LPIPS_NET_ALEX, 0, TRIALS, keep), other;

    (void)state;
    for (size_t i = 0; i < 2 * TRIALS * lpips_train_words(t); i++)
        keep[i] = ~keep[i];
    other = step_of(t, LPIPS_NET_ALEX, 0, TRIALS, keep);
    for (int i = 0; i < 2 * TRIALS; i++) {
        assert_true(fabs(half.d[i] - whole.d[i]) > 1e-4 * whole.d[i]);
        assert_true(fabs(half.d[i] + other.d[i] - 2 * whole.d[i]) <= 1e-6 * whole.d[i]);
    }
    check_sum(&half, &other, &whole, 2);
    free(whole.gradient);
    free(half.gradient);
    free(other.gradient);
    free(keep);
    lpips_train_free(t);
}

/* The derivative of what one_pixel() keeps by the steepest of the first biases. */
static void check_pixel(lpips_train *t, lpips_weights *w, const trial *p, int tap, int pixel)
{
    static const double second[2] = {0, 1};
    const float *g = lpips_train_gradient(t, 3);
    float *bias = (float *)w->tensor[3];
    double low[2], at[2], before;
    int steepest = 0;

    lpips_train_clear(t);
    lpips_train_backward(t, second);
    for (int i = 0; i < 64; i++)
        steepest = fabsf(g[i]) > fabsf(g[steepest]) ? i : steepest;
    before = (double)bias[steepest];
    for (int side = 0; side < 2; side++) {
        ref_result r;

        bias[steepest] = (float)(before + (side ? -1e-6 : 1e-6));
        at[side] = (double)bias[steepest];
        ref_lpips(w, &p->exact[0], &p->exact[2], 0, &r);
        low[side] = 2 * r.low[tap][pixel] / (r.width[tap] * r.height[tap]);
        ref_result_free(&r);
    }
    bias[steepest] = (float)before;
    assert_true(g[steepest] != 0.f);
    assert_true(fabs((low[0] - low[1]) / (at[0] - at[1]) - (double)g[steepest]) <=
                1e-4 * fabs((double)g[steepest]));
}

/* One pixel kept at one tap, all of it or some channels: ref.c's distance there, by lin
 * weights that are 0 for the others. */
static void one_pixel(void **state)
{
    lpips_weights *w = test_reference_weights(LPIPS_NET_SQUEEZE, "0.1");
    lpips_weights *some = lpips_weights_copy(w);
    lpips_train *t = train_make(LPIPS_NET_SQUEEZE, 47, 47, 2);
    size_t words = lpips_train_words(t), at = 0;
    uint64_t *keep = calloc(2 * words, sizeof *keep);
    trial *p = trial_make(47, 47, 3);
    ref_result r;

    (void)state;
    assert_non_null(some);
    assert_non_null(keep);
    for (int tap = 0; tap < 7; tap++) {
        char name[16] = "lin0.model.1";
        float *lin;
        int channels = 64 * 2, pixel;
        double d[2];

        name[3] = (char)('0' + tap);
        lin = (float *)lpips_weights_tensor(some, name, "weight");
        channels = (const int[]){64, 128, 256, 384, 384, 512, 512}[tap];
        for (int c = 0; c < channels; c++)
            lin[c] = c % 3 ? 0 : lin[c];
        ref_lpips(some, &p->exact[0], &p->exact[2], 0, &r);
        pixel = r.width[tap] * (r.height[tap] - 1) + r.width[tap] / 2;
        memset(keep, 0, 2 * words * sizeof *keep);
        for (int c = 0; c < channels; c += 3)
            keep[words + at + (size_t)(pixel * channels + c) / 64] |=
                UINT64_C(1) << (pixel * channels + c) % 64;
        at += (size_t)(r.width[tap] * r.height[tap] * channels / 64);
        assert_int_equal(lpips_train_forward(t, p->image, 1, keep, d), LPIPS_OK);
        assert_true(d[0] == 0);
        assert_true(r.low[tap][pixel] > 0);
        assert_true(fabs(d[1] * r.width[tap] * r.height[tap] / 2 - r.low[tap][pixel]) <=
                    1e-5 * r.low[tap][pixel]);
        ref_result_free(&r);
        check_pixel(t, some, p, tap, pixel);
    }
    assert_int_equal(at, words);
    trial_free(p);
    free(keep);
    lpips_train_free(t);
    lpips_weights_unref(some);
}

/* After tensors were written a context computes with them, as one that has had no others. */
static void changed(void **state)
{
    (void)state;
    for (int net = 0; net < TEST_NETS; net++) {
        lpips_train *t = train_make((lpips_net)net, 47, 47, 2), *fresh;
        lpips_weights *w = lpips_weights_copy(test_reference_weights((lpips_net)net, "0.1"));
        lpips_tensor_spec spec;
        step one, two;

        assert_non_null(w);
        free(step_of(t, (lpips_net)net, 0, 1, NULL).gradient);
        for (int i = 2; lpips_net_tensor((lpips_net)net, i, &spec) == LPIPS_OK; i++)
            for (size_t k = 0; k < count_of(&spec); k++) {
                float v = w->tensor[i][k] * (k % 2 ? 1.25F : .75F);

                ((float *)w->tensor[i])[k] = v;
                lpips_train_tensor(t, i)[k] = v;
            }
        lpips_train_changed(t);
        assert_int_equal(lpips_train_create(&fresh, w, 47, 47, 1, 1), LPIPS_OK);
        one = step_of(t, (lpips_net)net, 0, 1, NULL);
        two = step_of(fresh, (lpips_net)net, 0, 1, NULL);
        same_step(&one, &two);
        free(one.gradient);
        free(two.gradient);
        lpips_train_free(fresh);
        lpips_train_free(t);
        lpips_weights_unref(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_alex), cmocka_unit_test(differences_squeeze),
        cmocka_unit_test(differences_vgg),  cmocka_unit_test(threads),
        cmocka_unit_test(places),           cmocka_unit_test(halves),
        cmocka_unit_test(one_pixel),        cmocka_unit_test(changed),
    };
    int failed = cmocka_run_group_tests_name("training", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
