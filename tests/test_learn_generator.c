/*
 * test_learn_generator.c - small networks: every operation's derivatives against differences,
 * in double; what is drawn and what becomes of it; learning.
 */
#include <cblas.h>
#define GENERATOR_REAL double
#define GENERATOR_GEMM cblas_dgemm
/* The program's own code, in double: under other names, since the library has it in float. */
#define generator_add       double_add
#define generator_start     double_start
#define generator_pass_make double_pass_make
#define generator_pass_free double_pass_free
#define generator_count     double_count
#define generator_forward   double_forward
#define generator_backward  double_backward
#define generator_ways      double_ways
#define generator_band      double_band
#include "../learn/generator/net.c"
#include "../learn/generator/ops.c"

#include "generator/design.h"

#include "support.h"

enum { SIDE = 16, PICTURES = 2, DRAWN = 3 };

/* ---- derivatives ------------------------------------------------------------------------
 */

typedef struct trial {
    generator_net net;
    generator_pass pass;
    double *parameters, *gradients, *at, *way, *weights;
    size_t n, out; /* numbers that may move; of the output */
} trial;

/* A loss whose derivatives by the output are the weights. */
static double loss(trial *t, double h)
{
    learn_random random;
    double *block = calloc(t->net.parameters, sizeof *block), sum = 0;
    const size_t of_input = generator_count(&t->pass, 0);

    learn_random_start(&random, 5, 0);
    for (size_t i = 0; i < t->n; i++) {
        double *to = i < of_input ? &t->pass.value[0][i] : &block[i - of_input];

        *to = t->at[i] + h * t->way[i];
    }
    generator_forward(&t->pass, block, &random);
    for (size_t i = 0; i < t->out; i++)
        sum += t->weights[i] * t->pass.value[t->net.nodes - 1][i];
    free(block);
    return sum;
}

/* Where a leaky ReLU has which sign: differences count only where none turns. */
static uint64_t signs(const trial *t)
{
    uint64_t mark = 1;

    for (int i = 0; i < t->net.nodes; i++)
        for (size_t k = 0;
             t->net.node[i].op == GENERATOR_LEAKY && k < generator_count(&t->pass, i); k++)
            mark = mark * UINT64_C(0x100000001b3) + (t->pass.value[i][k] > 0);
    return mark;
}

static void make_trial(trial *t)
{
    learn_random random;
    const size_t of_input = PICTURES * 3 * SIDE * SIDE;

    learn_random_start(&random, 2, 0);
    t->parameters = calloc(t->net.parameters + 1, sizeof(double));
    t->gradients = calloc(t->net.parameters + 1, sizeof(double));
    assert_int_equal(generator_pass_make(&t->pass, &t->net, PICTURES, SIDE, SIDE, true), 0);
    generator_start(&t->net, t->parameters, &random);
    t->n = of_input + t->net.parameters;
    t->out = generator_count(&t->pass, t->net.nodes - 1);
    t->at = calloc(t->n, sizeof(double));
    t->way = calloc(t->n, sizeof(double));
    t->weights = calloc(t->out, sizeof(double));
    for (size_t i = 0; i < t->n; i++)
        t->at[i] = i < of_input
                       ? 0.5 * learn_random_normal(&random)
                       : t->parameters[i - of_input] + 0.1 * learn_random_normal(&random);
    for (size_t i = 0; i < t->out; i++)
        t->weights[i] = learn_random_normal(&random);
}

static void free_trial(trial *t)
{
    generator_pass_free(&t->pass);
    free(t->parameters);
    free(t->gradients);
    free(t->at);
    free(t->way);
    free(t->weights);
}

/* The running statistics of a batch norm move nothing while it learns. */
static double along(const trial *t)
{
    const size_t of_input = generator_count(&t->pass, 0);
    double sum = 0;

    for (size_t i = 0; i < t->n; i++)
        sum += t->way[i] * (i < of_input ? t->pass.slope[0][i] : t->gradients[i - of_input]);
    return sum;
}

static void check(generator_net net)
{
    static const double h = 1e-6;
    trial t = {.net = net};
    learn_random random;
    int counted = 0;

    make_trial(&t);
    loss(&t, 0);
    memcpy(t.pass.slope[net.nodes - 1], t.weights, t.out * sizeof(double));
    for (size_t i = 0; i < net.parameters; i++)
        t.parameters[i] = t.at[generator_count(&t.pass, 0) + i];
    generator_backward(&t.pass, t.parameters, t.gradients);
    learn_random_start(&random, 3, 0);
    for (int tries = 0; counted < DRAWN && tries < 40; tries++) {
        double up, down, slope;
        uint64_t mark;

        for (size_t i = 0; i < t.n; i++)
            t.way[i] = learn_random_normal(&random);
        slope = along(&t);
        up = loss(&t, h);
        mark = signs(&t);
        down = loss(&t, -h);
        if (mark != signs(&t))
            continue;
        counted++;
        if (!(fabs((up - down) / (2 * h) - slope) < 1e-6 * (1 + fabs(slope))))
            fail_msg("%.12g where differences are %.12g", slope, (up - down) / (2 * h));
    }
    assert_int_equal(counted, DRAWN);
    free_trial(&t);
}

static int add_op(generator_net *net, generator_op op, int from)
{
    return generator_add(net, (generator_node){.op = op, .from = from});
}

static int add_conv(generator_net *net, int from, int channels, int kernel, int stride)
{
    return generator_add(net, (generator_node){GENERATOR_CONV, from, 0, channels, kernel,
                                               stride, 1, 0});
}

/* Each operation between two convolutions: then its slopes are not those given. */
static void test_derivatives(void **state)
{
    (void)state;
    for (generator_op op = GENERATOR_INPUT; op < GENERATOR_OPS; op++) {
        generator_net net = {0};
        int x = generator_add(&net, (generator_node){.op = GENERATOR_INPUT, .channels = 3}),
            y;

        x = y = add_conv(&net, x, 4, 3, 1);
        if (op == GENERATOR_CONV)
            x = add_conv(&net, x, 5, 4, 2);
        else if (op == GENERATOR_JOIN)
            x = generator_add(&net, (generator_node){.op = op, .from = x, .other = 0});
        else if (op != GENERATOR_INPUT)
            x = add_op(&net, op, x);
        if (op == GENERATOR_LEAKY) /* read twice */
            x = generator_add(&net,
                              (generator_node){.op = GENERATOR_JOIN, .from = y, .other = x});
        add_conv(&net, x, 2, 3, 1);
        print_message("operation %d\n", (int)op);
        check(net);
    }
}

/* Whole networks as they are drawn, and their discriminators. */
static void test_drawn(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < 12; number++) {
        generator_design d;
        generator_net net;

        generator_draw(&d, 1, number);
        d.value[GENERATOR_FIRST] = 8; /* small ones */
        d.value[GENERATOR_MOST] = 8;
        generator_build(&net, &d);
        print_message("network %d of %d nodes\n", (int)number, net.nodes);
        check(net);
        generator_build_critic(&net, &d);
        check(net);
    }
}

/* ---- values by hand
 * ------------------------------------------------------------------------ */

/* One picture of one channel, 2x2, through one operation, as it is applied. */
static void applied(generator_op op, int channels, const double *in, const double *wanted,
                    size_t n)
{
    generator_net net = {0};
    generator_pass pass;
    double parameters[8] = {2, 1, 3, 4}; /* scale, shift, mean, variance */

    generator_add(&net, (generator_node){.op = GENERATOR_INPUT, .channels = channels});
    add_op(&net, op, 0);
    assert_int_equal(generator_pass_make(&pass, &net, 1, 2, 2, false), 0);
    assert_int_equal(generator_count(&pass, 1), n);
    memcpy(pass.value[0], in, generator_count(&pass, 0) * sizeof *in);
    generator_forward(&pass, parameters, NULL);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(pass.value[1][i] - wanted[i]) < 1e-4);
    generator_pass_free(&pass);
}

static void test_values(void **state)
{
    static const double in[] = {1, 3, 5, -7};
    static const double four[] = {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33};

    (void)state;
    applied(GENERATOR_LEAKY, 1, in, (const double[]){1, 3, 5, -1.4}, 4);
    applied(GENERATOR_DROPOUT, 1, in, in, 4);
    applied(GENERATOR_BATCH, 1, in, (const double[]){-1, 1, 3, -9}, 4);
    /* mean 1/2, variance 83/4 */
    applied(GENERATOR_INSTANCE, 1, in,
            (const double[]){1.219529, 2.097645, 2.975760, -2.292934}, 4);
    applied(GENERATOR_NEAREST, 1, in,
            (const double[]){1, 1, 3, 3, 1, 1, 3, 3, 5, 5, -7, -7, 5, 5, -7, -7}, 16);
    applied(GENERATOR_ZEROS, 1, in,
            (const double[]){1, 0, 3, 0, 0, 0, 0, 0, 5, 0, -7, 0, 0, 0, 0, 0}, 16);
    applied(GENERATOR_BILINEAR, 1, in,
            (const double[]){1, 1.5, 2.5, 3, 2, 1.625, .875, .5, 4, 1.875, -2.375, -4.5, 5, 2,
                             -4, -7},
            16);
    applied(GENERATOR_SHUFFLE, 4, four,
            (const double[]){0, 10, 1, 11, 20, 30, 21, 31, 2, 12, 3, 13, 22, 32, 23, 33}, 16);
}

/* Of a picture and its mirror image, the second filter element of a row alone: a copy; with
 * stride 2, every other pixel; beyond the edge 0. */
static void test_convolution(void **state)
{
    generator_net net = {0};
    generator_pass pass;
    double parameters[10] = {0};

    (void)state;
    generator_add(&net, (generator_node){.op = GENERATOR_INPUT, .channels = 1});
    add_conv(&net, 0, 1, 3, 2);
    assert_int_equal(generator_pass_make(&pass, &net, 1, 4, 4, false), 0);
    assert_int_equal(pass.height[1], 2);
    for (int i = 0; i < 16; i++)
        pass.value[0][i] = i + 1;
    parameters[5] = 10; /* the pixel to the right of the middle, */
    parameters[0] = 1;  /* that above to the left */
    parameters[9] = 0.5;
    generator_forward(&pass, parameters, NULL);
    for (int i = 0; i < 4; i++)
        assert_true(pass.value[1][i] == ((const double[]){20.5, 40.5, 100.5, 126.5})[i]);
    generator_pass_free(&pass);
}

/* A tenth of the way to the mean and variance of each batch; all of the picture is normalised
 * by what was gathered, not by its own. */
static void test_gathered(void **state)
{
    static const double in[] = {1, 3, 5, -7}; /* mean 1/2, variance 83/4 */
    generator_net net = {0};
    generator_pass pass;
    double parameters[4] = {1, 0, 3, 4};
    learn_random random;

    (void)state;
    learn_random_start(&random, 1, 0);
    generator_add(&net, (generator_node){.op = GENERATOR_INPUT, .channels = 1});
    add_op(&net, GENERATOR_BATCH, 0);
    assert_int_equal(generator_pass_make(&pass, &net, 1, 2, 2, true), 0);
    memcpy(pass.value[0], in, sizeof in);
    generator_forward(&pass, parameters, &random);
    assert_true(fabs(parameters[2] - 2.75) < 1e-12);
    assert_true(fabs(parameters[3] - 5.675) < 1e-12);
    for (int i = 0; i < 4; i++)
        assert_true(fabs(pass.value[1][i] - (in[i] - 0.5) / sqrt(20.75)) < 1e-5);
    generator_forward(&pass, parameters, NULL);
    assert_true(fabs(parameters[2] - 2.75) < 1e-12);
    generator_pass_free(&pass);
}

/* Of weights: what K. He gives, and a tenth of 1 before the tanh; no bias. */
static void test_start(void **state)
{
    generator_net net = {0};
    double parameters[2 * (30 * 30 * 9 + 30)];
    learn_random random;

    (void)state;
    generator_add(&net, (generator_node){.op = GENERATOR_INPUT, .channels = 30});
    add_op(&net, GENERATOR_TANH, add_conv(&net, add_conv(&net, 0, 30, 3, 1), 30, 3, 1));
    assert_int_equal(net.parameters, COUNT(parameters));
    learn_random_start(&random, 1, 0);
    generator_start(&net, parameters, &random);
    for (int k = 0; k < 2; k++) {
        const double *v = parameters + net.node[1 + k].at;
        double squares = 0;

        for (int i = 0; i < 30 * 30 * 9; i++)
            squares += v[i] * v[i] / (30 * 30 * 9);
        /* five deviations of a sum of 8100 squares */
        assert_true(fabs(squares * 30 * 9 / (k ? 0.01 : 2 / 1.04) - 1) < 0.08);
        for (int i = 0; i < 30; i++)
            assert_true(v[30 * 30 * 9 + i] == 0);
    }
}

/* Nodes that take each other's room give what those with room of their own give. */
static void test_room(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < 24; number++) {
        generator_design d;
        generator_net net;
        generator_pass own, shared;
        double *parameters;
        learn_random random;
        size_t all = 0;

        generator_draw(&d, 2, number);
        generator_build(&net, &d);
        assert_int_equal(generator_pass_make(&own, &net, 1, SIDE, 2 * SIDE, true), 0);
        assert_int_equal(generator_pass_make(&shared, &net, 1, SIDE, 2 * SIDE, false), 0);
        parameters = calloc(net.parameters, sizeof *parameters);
        learn_random_start(&random, 1, number);
        generator_start(&net, parameters, &random);
        for (size_t i = 0; i < generator_count(&own, 0); i++)
            own.value[0][i] = shared.value[0][i] = learn_random_normal(&random);
        generator_forward(&own, parameters, NULL);
        generator_forward(&shared, parameters, NULL);
        assert_memory_equal(own.value[net.nodes - 1], shared.value[net.nodes - 1],
                            generator_count(&own, net.nodes - 1) * sizeof(double));
        for (int i = 0; i < net.nodes; i++)
            all += generator_count(&own, i);
        assert_true((size_t)(shared.kept[0] - shared.block) < all / 2);
        generator_pass_free(&own);
        generator_pass_free(&shared);
        free(parameters);
    }
}

/* Half of the values stay, twice as large; the same bits again from the same numbers. */
static void test_dropout(void **state)
{
    generator_net net = {0};
    generator_pass pass;
    learn_random random;
    int kept = 0;

    (void)state;
    generator_add(&net, (generator_node){.op = GENERATOR_INPUT, .channels = 1});
    add_op(&net, GENERATOR_DROPOUT, 0);
    assert_int_equal(generator_pass_make(&pass, &net, 1, 64, 64, false), 0);
    for (int i = 0; i < 4096; i++)
        pass.value[0][i] = 3;
    learn_random_start(&random, 1, 1);
    generator_forward(&pass, NULL, &random);
    for (int i = 0; i < 4096; i++) {
        assert_true(pass.value[1][i] == 0 || pass.value[1][i] == 6);
        kept += pass.value[1][i] == 6;
    }
    assert_in_range(kept, 2048 - 160, 2048 + 160); /* five deviations */
    generator_pass_free(&pass);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derivatives), cmocka_unit_test(test_drawn),
        cmocka_unit_test(test_values),      cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_gathered),    cmocka_unit_test(test_start),
        cmocka_unit_test(test_room),        cmocka_unit_test(test_dropout)};

    return cmocka_run_group_tests_name("small networks", tests, NULL, NULL);
}
