/*
 * test_learn_adam.c - Adam: against its formulas written out once more, and what it is for.
 */
#include "support.h"

#include "adam.h"

#include <math.h>
#include <string.h>

/* Algorithm 1 of the paper, powers and all, for one value. */
static void by_the_paper(void **state)
{
    const float g[] = {.5f, -.25f, .125f, 0, 3};
    learn_adam a;
    float x = 1;
    double m = 0, v = 0, y = 1;

    (void)state;
    assert_int_equal(learn_adam_start(&a, 1, .1, .5, .99), 0);
    for (int t = 1; t <= 5; t++) {
        m = .5 * m + .5 * (double)g[t - 1];
        v = .99 * v + .01 * (double)g[t - 1] * (double)g[t - 1];
        y -= .1 * (m / (1 - pow(.5, t))) / (sqrt(v / (1 - pow(.99, t))) + 1e-8);
        learn_adam_step(&a, &x, &g[t - 1]);
        assert_true(fabs((double)x - y) < 1e-6);
    }
    learn_adam_free(&a);
}

/* The first step is the rate, whatever the size of the gradient; none without one. */
static void first_step(void **state)
{
    const float g[] = {1e-3f, -1e3f, 0};
    float x[] = {0, 0, 7};
    learn_adam a;

    (void)state;
    assert_int_equal(learn_adam_start(&a, 3, .25, .9, .999), 0);
    learn_adam_step(&a, x, g);
    assert_true(fabs((double)x[0] + .25) < 1e-5);
    assert_true(fabs((double)x[1] - .25) < 1e-5);
    assert_true(x[2] == 7);
    learn_adam_free(&a);
}

/* The lowest point of a valley 100 times as steep one way as the other. */
static void valley(void **state)
{
    float x[] = {3, -2};
    learn_adam a;

    (void)state;
    assert_int_equal(learn_adam_start(&a, 2, .1, .9, .999), 0);
    for (int i = 0; i < 2000; i++) {
        const float g[] = {2 * (x[0] - 1), 200 * (x[1] - 1)};

        a.rate = .1 / (1 + i / 50);
        learn_adam_step(&a, x, g);
    }
    assert_true(fabs((double)x[0] - 1) < 1e-3 && fabs((double)x[1] - 1) < 1e-3);
    learn_adam_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_paper),
        cmocka_unit_test(first_step),
        cmocka_unit_test(valley),
    };

    return cmocka_run_group_tests_name("Adam", tests, NULL, NULL);
}
