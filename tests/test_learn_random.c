/*
 * test_learn_random.c - the random numbers of lpips-learn: known values, evenness, streams.
 */
#include "support.h"

#include "random.h"

#include <math.h>

/* State 1, 2, 3, 4: the first values by the algorithm's definition, worked out by hand. */
static void test_known(void **state)
{
    learn_random r = {{1, 2, 3, 4}};

    (void)state;
    assert_true(learn_random_bits(&r) == 11520u);
    assert_true(learn_random_bits(&r) == 0u);
    assert_true(learn_random_bits(&r) == 1509978240u);
}

static void test_streams(void **state)
{
    learn_random a, b, c;

    (void)state;
    learn_random_start(&a, 7, learn_random_key(0, "clip"));
    learn_random_start(&b, 7, learn_random_key(0, "clip"));
    learn_random_start(&c, 7, learn_random_key(1, "clip"));
    for (int i = 0; i < 100; i++) {
        uint64_t x = learn_random_bits(&a);

        assert_true(x == learn_random_bits(&b));
        assert_true(x != learn_random_bits(&c));
    }
}

/* Means and variances within 5 of their standard deviations. */
static void test_moments(void **state)
{
    enum { N = 200000 };
    double unit = 0, normal = 0, square = 0, count[7] = {0};
    learn_random r;

    (void)state;
    learn_random_start(&r, 1, 2);
    for (int i = 0; i < N; i++) {
        double x = learn_random_normal(&r);

        unit += learn_random_unit(&r);
        normal += x;
        square += x * x;
        count[learn_random_below(&r, 7)]++;
    }
    assert_true(fabs(unit / N - 0.5) < 5 * sqrt(1 / 12.0 / N));
    assert_true(fabs(normal / N) < 5 * sqrt(1.0 / N));
    assert_true(fabs(square / N - 1) < 5 * sqrt(2.0 / N));
    for (int i = 0; i < 7; i++)
        assert_true(fabs(count[i] / N - 1 / 7.0) < 5 * sqrt(6 / 49.0 / N));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_moments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
