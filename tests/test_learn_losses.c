/*
 * test_learn_losses.c - what a network learns by: slopes of each loss against differences of
 * that loss, computed here anew; the discriminator; pictures held out.
 */
#define generator_fit         own_fit
#define generator_from_levels own_from_levels
#define generator_to_levels   own_to_levels
#include "../learn/generator/fit.c"

#include "support.h"

enum {
    SIDE = 48,
    PICTURES = 16,
    HELD = PICTURES / HELD_OUT,
    SAMPLES = 3 * SIDE * SIDE,
    ROW = 3 * PART * 4
};

static uint8_t pictures[PICTURES][SAMPLES];
static char why[LEARN_WHY];
static bool seen[PICTURES][2]; /* as it is, mirrored */

/* Ten levels brighter; notes which picture it was: its number lies in its left column, 128 in
 * its right one. */
static int brighter(const generator_design *d, double *planes, int width, int height,
                    learn_random *random, char text[LEARN_WHY])
{
    const bool mirrored = planes[0] == 128;

    (void)d;
    (void)random;
    (void)text;
    seen[(int)planes[mirrored ? width - 1 : 0]][mirrored] = true;
    for (int i = 0; i < 3 * width * height; i++)
        planes[i] += 10;
    return 0;
}

static int never(void *context)
{
    (void)context;
    return 0;
}

static generator_data data_of(void)
{
    for (int n = 0; n < PICTURES; n++)
        for (int i = 0; i < SAMPLES; i++) {
            const int x = i / 3 % SIDE, y = i / 3 / SIDE;

            pictures[n][i] = (uint8_t)(x == 0          ? n
                                       : x == SIDE - 1 ? 128
                                                       : 100 + 60 * sin(0.4 * x + n) +
                                                             30 * cos(0.3 * y + i % 3));
        }
    memset(seen, 0, sizeof seen);
    return (generator_data){.side = SIDE,
                            .n = PICTURES,
                            .rgb = pictures[0],
                            .corrupt = brighter,
                            .vgg = test_random_weights(LPIPS_NET_ALEX, "0.1")};
}

static generator_design design_of(double l1, double vgg, double adversary)
{
    generator_design d = {{0}};

    d.value[GENERATOR_LAYERS] = 2;
    d.value[GENERATOR_DROPOUTS] = 2;
    d.value[GENERATOR_NORM] = 1;
    d.value[GENERATOR_STRIDE] = 1;
    d.value[GENERATOR_FIRST] = 8;
    d.value[GENERATOR_MOST] = 32;
    d.value[GENERATOR_RATE] = 3e-3;
    d.value[GENERATOR_L1] = l1;
    d.value[GENERATOR_VGG] = vgg;
    d.value[GENERATOR_ADVERSARY] = adversary;
    d.value[GENERATOR_CRITIC] = adversary > 0 ? 2 : 0;
    return d;
}

/* ---- losses, as fit.c's head has them -----------------------------------------------------
 */

static double l1_of(work *w, const float *made)
{
    double sum = 0;

    for (size_t i = 0; i < BATCH * SAMPLES; i++)
        sum += fabs((double)made[i] - (double)w->clean[i]);
    return w->d->value[GENERATOR_L1] * sum / (BATCH * SAMPLES);
}

/* The part at x, y of picture k, packed. */
static void cut(float *to, const float *from, size_t k, size_t x, size_t y)
{
    for (size_t i = 0; i < PART_FLOATS; i++)
        to[i] =
            from[((3 * k + i % 3) * SIDE + y + i / 3 / PART) * SIDE + x + i / 3 % PART] / 2 +
            0.5f;
}

static double vgg_of(work *w, const float *made)
{
    static float a[PART_FLOATS], b[PART_FLOATS];
    learn_random random = w->random; /* the same parts each time */
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    lpips_context *c;
    lpips_image images[2];
    lpips_result result;
    double sum = 0;

    o.flags = LPIPS_NO_LIN;
    assert_int_equal(lpips_context_create(&c, w->data->vgg, PART, PART, &o), 0);
    for (size_t k = 0; k < BATCH; k++) {
        const size_t y = learn_random_below(&random, SIDE - PART + 1);
        const size_t x = learn_random_below(&random, SIDE - PART + 1);

        cut(a, made, k, x, y);
        cut(b, w->clean, k, x, y);
        lpips_image_packed(&images[0], LPIPS_F32, a, PART, PART, 3, ROW);
        lpips_image_packed(&images[1], LPIPS_F32, b, PART, PART, 3, ROW);
        assert_int_equal(lpips_compare(c, &images[0], &images[1], &result), 0);
        sum += result.distance;
    }
    lpips_context_free(c);
    return w->d->value[GENERATOR_VGG] * sum / BATCH;
}

/* Mean square of what the discriminator says of pictures, less the target. */
static double critic_off(work *w, const float *made, double target)
{
    const int at = w->critic.net.nodes - 1;
    const size_t n = generator_count(&w->critic.pass, at);
    double sum = 0;

    memcpy(w->critic.pass.value[0], made, BATCH * SAMPLES * sizeof *made);
    generator_forward(&w->critic.pass, w->critic.parameters, NULL);
    for (size_t i = 0; i < n; i++)
        sum += pow((double)w->critic.pass.value[at][i] - target, 2);
    return sum / (double)n;
}

static double critic_of(work *w, const float *made)
{
    return w->d->value[GENERATOR_ADVERSARY] * critic_off(w, made, 1);
}

static void pull_parts(work *w, const float *made, float *slope)
{
    const learn_random before = w->random;
    float part[PART_FLOATS];
    size_t y = 0, x = 0;

    assert_int_equal(pull_vgg(w, made, slope), 0);
    w->random = before;
    for (size_t k = 0; k < BATCH; k++) {
        y = learn_random_below(&w->random, SIDE - PART + 1);
        x = learn_random_below(&w->random, SIDE - PART + 1);
    }
    w->random = before;
    cut(part, made, BATCH - 1, x, y); /* 0..1: differences hardly tell */
    for (int i = 0; i < PART_FLOATS; i++)
        assert_true(fabs((double)(w->parts[i % 3 * PART * PART + i / 3] - part[i])) < 1e-6);
}

/* Where the slope is 0, the loss must not change; elsewhere steps go up, so that the slope of
 * the way is a sum without cancellation. */
static void check(work *w, void (*pull)(work *w, const float *made, float *slope),
                  double (*loss)(work *w, const float *made))
{
    static float made[BATCH * SAMPLES], moved[BATCH * SAMPLES], slope[BATCH * SAMPLES];
    static double way[BATCH * SAMPLES];
    const double h = 2e-3;
    double along = 0, change;
    learn_random random;

    learn_random_start(&random, 1, 1);
    memset(slope, 0, sizeof slope);
    for (size_t i = 0; i < BATCH * SAMPLES; i++)
        made[i] = (float)(0.5 * learn_random_normal(&random));
    pull(w, made, slope);
    for (size_t i = 0; i < BATCH * SAMPLES; i++) {
        const double step = learn_random_normal(&random);

        way[i] = slope[i] == 0 ? step : copysign(step, (double)slope[i]);
        along += way[i] * (double)slope[i];
        moved[i] = (float)((double)made[i] + h * way[i]);
    }
    change = loss(w, moved);
    for (size_t i = 0; i < BATCH * SAMPLES; i++)
        moved[i] = (float)((double)made[i] - h * way[i]);
    change = (change - loss(w, moved)) / (2 * h);
    print_message("%g where differences are %g\n", along, change);
    /* ReLUs and signs that turn within the step: few of many */
    assert_true(fabs(change / along - 1) < 0.02);
}

static void test_slopes(void **state)
{
    const generator_data data = data_of();
    const generator_design d = design_of(7, 3, 0.3);
    work w = {.d = &d, .data = &data, .why = why};

    (void)state;
    assert_int_equal(make(&w, 1, 2), 0);
    assert_int_equal(load_batch(&w), 0);
    check(&w, pull_l1, l1_of);
    check(&w, pull_parts, vgg_of);
    check(&w, pull_critic, critic_of);
    clear(&w);
}

/* What is made is no part of what is learnt from before the next step: nothing is left over
 * in slopes and gradients. */
static void test_steps(void **state)
{
    const generator_data data = data_of();
    const generator_design d = design_of(7, 3, 0.3);
    work w[2];

    (void)state;
    for (int k = 0; k < 2; k++) {
        w[k] = (work){.d = &d, .data = &data, .why = why};
        assert_int_equal(make(&w[k], 1, 2), 0);
        for (size_t i = 0; k && i < BATCH * SAMPLES; i++)
            w[k].maker.pass.slope[last(&w[k].maker)][i] = 1;
        assert_int_equal(step(&w[k]), 0);
        for (size_t i = 0; i < w[k].maker.net.parameters; i++)
            assert_true(w[k].maker.gradients[i] == 0);
        for (size_t i = 0; i < w[k].critic.net.parameters; i++)
            assert_true(w[k].critic.gradients[i] == 0);
    }
    assert_memory_equal(w[0].maker.parameters, w[1].maker.parameters,
                        w[0].maker.net.parameters * sizeof(float));
    clear(&w[0]);
    clear(&w[1]);
}

/* It says 1 of what is true, 0 of what was made. */
static void test_critic(void **state)
{
    const generator_data data = data_of();
    const generator_design d = design_of(7, 0, 0.3);
    static float made[BATCH * SAMPLES];
    work w = {.d = &d, .data = &data, .why = why};

    (void)state;
    assert_int_equal(make(&w, 1, 2), 0);
    assert_int_equal(load_batch(&w), 0);
    for (size_t i = 0; i < BATCH * SAMPLES; i++)
        made[i] = (float)sin((double)i);
    for (int i = 0; i < 100; i++) {
        look(&w, made);
        teach_critic(&w);
    }
    assert_true(critic_off(&w, made, 0) < 0.1);
    assert_true(critic_off(&w, w.clean, 1) < 0.1);
    clear(&w);
}

/* ---- pictures -----------------------------------------------------------------------------
 */

static void test_batches(void **state)
{
    const generator_data data = data_of();
    const generator_design d = design_of(7, 0, 0);
    work w = {.d = &d, .data = &data, .why = why};

    (void)state;
    assert_int_equal(make(&w, 1, 2), 0);
    assert_int_equal(load(&w, 5, 1, true), 0);
    for (int i = 0; i < SAMPLES; i++) {
        const int c = i / (SIDE * SIDE), y = i / SIDE % SIDE, x = i % SIDE;
        const double level = pictures[5][3 * (y * SIDE + SIDE - 1 - x) + c];
        const double clean = (double)w.clean[SAMPLES + i],
                     dirty = (double)w.maker.pass.value[0][SAMPLES + i];

        assert_true(fabs((clean + 1) * 127.5 - level) < 1e-4);
        assert_true(fabs((dirty + 1) * 127.5 - level - 10) < 1e-4);
    }
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 60; i++)
        assert_int_equal(load_batch(&w), 0);
    for (int n = 0; n < PICTURES; n++)
        for (int mirrored = 0; mirrored < 2; mirrored++)
            assert_int_equal(seen[n][mirrored], n >= HELD);
    clear(&w);
}

/* Those held out, as they are, through the network as it is applied. */
static void test_measured(void **state)
{
    const generator_data data = data_of();
    generator_fitted f = {.design = design_of(7, 0, 0)};
    work w = {.d = &f.design, .data = &data, .why = why};
    double sum = 0, restored;

    (void)state;
    assert_int_equal(make(&w, 1, 2), 0);
    assert_int_equal(step(&w), 0); /* zeros would hide dropout */
    memset(seen, 0, sizeof seen);
    assert_int_equal(measure(&w, &f), 0);
    for (int n = 0; n < PICTURES; n++) {
        assert_int_equal(seen[n][0], n < HELD);
        assert_false(seen[n][1]);
    }
    assert_true(fabs(f.corrupted - 10) < 1e-4);
    /* two pictures held out are one batch, which is still there */
    for (size_t i = 0; i < BATCH * SAMPLES; i++)
        sum += fabs((double)w.maker.pass.value[last(&w.maker)][i] - (double)w.clean[i]);
    restored = f.restored;
    assert_true(fabs(127.5 * sum / (BATCH * SAMPLES) - restored) < 1e-6);
    assert_int_equal(measure(&w, &f), 0);
    assert_true(f.restored == restored);
    clear(&w);
}

static void test_out_of_bounds(void **state)
{
    const generator_data data = data_of();
    generator_fitted f = {.design = design_of(7, 0, 0)};

    (void)state;
    f.design.value[GENERATOR_RATE] = 1e38;
    assert_int_equal(own_fit(&f, &data, 4, 1, 2, never, NULL, why), -1);
    assert_non_null(strstr(why, "left all bounds"));
    assert_null(f.parameters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_slopes),
                                       cmocka_unit_test(test_steps),
                                       cmocka_unit_test(test_critic),
                                       cmocka_unit_test(test_batches),
                                       cmocka_unit_test(test_measured),
                                       cmocka_unit_test(test_out_of_bounds)};
    const int failed = cmocka_run_group_tests_name("losses", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
