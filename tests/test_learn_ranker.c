/*
 * test_learn_ranker.c - what training adds to the core: the ranking network against
 * differences, Adam and the projection by their formulas.
 */
#include "support.h"
#include "train/model.h"

#include <math.h>

/* Derivatives by both distances and by every number of G. */
static void ranker(void **state)
{
    static const double cases[][3] = {
        {.3, .5, 1}, {.9, .2, 0}, {.01, 0, .3}, {0, .4, 1}, {2, 3, .75}};
    static train_ranker g, moved;

    (void)state;
    train_ranker_start(&g, 3);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const double *c = cases[i], h = 1e-6, share = .25;
        double slopes[2], loss = train_ranker_loss(&g, c[0], c[1], c[2], share, slopes);

        assert_true(loss > 0 && loss < 5);
        for (int k = 0; k < 2; k++) {
            double up = train_ranker_loss(&g, c[0] + h * !k, c[1] + h * k, c[2], 0, NULL);
            double down = train_ranker_loss(&g, c[0] - h * !k, c[1] - h * k, c[2], 0, NULL);

            assert_true(fabs(slopes[k] - share * (up - down) / (2 * h)) < 1e-7);
        }
        train_ranker_finish(&g);
        for (int k = 0; k < TRAIN_RANKER_FLOATS; k++) {
            double l[2], at[2];

            for (int side = 0; side < 2; side++) {
                moved = g;
                moved.value[k] += side ? -1e-3F : 1e-3F;
                at[side] = (double)moved.value[k];
                l[side] = train_ranker_loss(&moved, c[0], c[1], c[2], 0, NULL);
            }
            assert_true(
                fabs((double)g.gradient[k] - share * (l[0] - l[1]) / (at[0] - at[1])) < 1e-5);
        }
    }
}

/* Three steps by the formulas of Kingma and Ba, of one weight of each kind. */
static void adam(void **state)
{
    static const float gradients[3] = {.5F, -.25F, .125F};
    static train_model m;
    char why[LEARN_WHY] = "";
    double mean = 0, square = 0, lin, other;
    float *value[2], *g[2];

    (void)state;
    assert_int_equal(train_model_open(&m, test_reference_weights(LPIPS_NET_ALEX, "0.1"), 31,
                                      1, false, 1, why),
                     0);
    train_model_equal_lin(&m, .1F);
    value[0] = m.tensor[m.of_net - 1].value;
    value[1] = m.tensor[m.of_net].value;
    g[0] = m.tensor[m.of_net - 1].gradient;
    g[1] = m.tensor[m.of_net].gradient;
    assert_null(m.tensor[2].gradient);
    lin = (double)*value[0];
    other = (double)*value[1];
    for (int i = 1; i <= 3; i++) {
        double to = gradients[i - 1], move;

        mean = .5 * mean + .5 * to;
        square = .999 * square + .001 * to * to;
        move = .12 * mean / (1 - pow(.5, i)) / (sqrt(square / (1 - pow(.999, i))) + 1e-8);
        lin = fmax(lin - move, 0);
        other -= move;
        *g[0] = *g[1] = (float)to;
        train_model_step(&m, i, .12);
        assert_true(fabs((double)*value[0] - lin) < 1e-7);
        assert_true(fabs((double)*value[1] - other) < 1e-6);
    }
    assert_true(value[0][1] == .1F); /* its gradient was 0 */
    train_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranker),
        cmocka_unit_test(adam),
    };
    int failed = cmocka_run_group_tests_name("steps of training", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
