/*
 * test_learn_cnn.c - distortions by networks: what is drawn, how pictures are corrupted, and
 * that networks learn.
 */
#include "support.h"

#include "distort/cnn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, PICTURES = 40 };

/* Of the last call that failed. */
static char why[LEARN_WHY];

/* ---- designs ------------------------------------------------------------------------------
 */

/* All there is occurs, goes together, and survives being written and read. */
static void test_drawn(void **state)
{
    bool seen[GENERATOR_PARAMETERS][5] = {{0}};
    int without[2] = {0};

    (void)state;
    for (uint64_t number = 0; number < 400; number++) {
        generator_design d, back = {{0}};
        generator_net net;

        generator_draw(&d, 9, number);
        assert_int_equal(generator_check(&d, why), 0);
        for (int i = 0; i < GENERATOR_PARAMETERS; i++) {
            char text[32];

            generator_print(&d, i, text);
            assert_int_equal(generator_take(&back, i, text, why), 0);
            if (d.value[i] < 5)
                seen[i][(int)d.value[i]] = true;
        }
        assert_memory_equal(&d, &back, sizeof d);
        assert_true(d.value[GENERATOR_L1] > 0 || d.value[GENERATOR_VGG] > 0);
        assert_true((d.value[GENERATOR_CRITIC] > 0) == (d.value[GENERATOR_ADVERSARY] > 0));
        without[0] += d.value[GENERATOR_L1] == 0;
        without[1] += d.value[GENERATOR_VGG] == 0;
        generator_build(&net, &d);
        assert_in_range(net.nodes, 10, GENERATOR_NODES);
    }
    for (int i = 0; i < 5; i++) {
        assert_true(seen[GENERATOR_CORRUPTION][i]);
        assert_true(seen[GENERATOR_DROPOUTS][i]);
        assert_true(i > 3 || (seen[GENERATOR_GROWTH][i] && seen[GENERATOR_CRITIC][i] &&
                              seen[GENERATOR_SKIPS][i]));
        assert_true(i > 2 || seen[GENERATOR_NORM][i]);
        assert_true(i > 1 || seen[GENERATOR_HIGHEST][i]);
        assert_true(i < 1 || i > 2 || seen[GENERATOR_STRIDE][i]);
        assert_true(i < 2 || seen[GENERATOR_LAYERS][i]);
    }
    assert_in_range(without[0], 60, 140); /* a quarter each */
    assert_in_range(without[1], 60, 140);
}

static void test_refused(void **state)
{
    static const struct {
        int i;
        const char *text;
    } wrong[] = {{GENERATOR_CORRUPTION, "pink"}, {GENERATOR_CORRUPTION, ""},
                 {GENERATOR_AMOUNT, "1.01"},     {GENERATOR_AMOUNT, "nan"},
                 {GENERATOR_LAYERS, "5"},        {GENERATOR_LAYERS, "2.5"},
                 {GENERATOR_FIRST, "24"},        {GENERATOR_MOST, "256"},
                 {GENERATOR_RATE, "0"},          {GENERATOR_L1, "-1"},
                 {GENERATOR_L1, "1 "},           {GENERATOR_SKIPS, "4"},
                 {GENERATOR_HIGHEST, "maybe"},   {GENERATOR_GROWTH, "0"},
                 {GENERATOR_NORM, "batch "},     {GENERATOR_CRITIC, "inf"}};
    generator_design d;

    (void)state;
    generator_draw(&d, 0, 0);
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(generator_take(&d, wrong[i].i, wrong[i].text, why), -1);
    generator_draw(&d, 0, 0);
    d.value[GENERATOR_LAYERS] = 2;
    d.value[GENERATOR_SKIPS] = 2;
    d.value[GENERATOR_DROPOUTS] = 0;
    assert_int_equal(generator_check(&d, why), -1);
    d.value[GENERATOR_SKIPS] = 1;
    d.value[GENERATOR_DROPOUTS] = 3;
    assert_int_equal(generator_check(&d, why), -1);
}

/* Of pictures 32 wide, what the encoder's layer gives; 0: the input. */
static int width_of(const generator_design *d, int level)
{
    return level ? 32 / ((int)d->value[GENERATOR_STRIDE] << (level - 1)) : 32;
}

/* Networks give back pictures of the size they got, whatever was drawn; widths of what is
 * joined and dropped tell that the lowest layers come first. */
static void test_built(void **state)
{
    static const generator_op growths[] = {GENERATOR_NEAREST, GENERATOR_BILINEAR,
                                           GENERATOR_ZEROS, GENERATOR_SHUFFLE};
    static const generator_op norms[] = {GENERATOR_INPUT, GENERATOR_BATCH,
                                         GENERATOR_INSTANCE};

    (void)state;
    for (uint64_t number = 0; number < 60; number++) {
        generator_design d;
        generator_net net;
        generator_pass pass;
        int joins = 0, dropouts = 0, grown = 0, normed = 0, layers;

        generator_draw(&d, 3, number);
        generator_build(&net, &d);
        assert_int_equal(generator_pass_make(&pass, &net, 1, generator_unit(&d), 32, false),
                         0);
        assert_int_equal(pass.height[net.nodes - 1], generator_unit(&d));
        assert_int_equal(pass.width[net.nodes - 1], 32);
        assert_int_equal(net.node[net.nodes - 1].channels, 3);
        assert_int_equal(net.node[2].op, GENERATOR_LEAKY); /* no norm of the first layer */
        for (int i = 0; i < net.nodes; i++) {
            if (net.node[i].op == GENERATOR_JOIN)
                joins += 1000 + pass.width[i];
            else if (net.node[i].op == GENERATOR_DROPOUT)
                dropouts += 1000 + pass.width[i];
            grown += net.node[i].op == growths[(int)d.value[GENERATOR_GROWTH]];
            normed += net.node[i].op == norms[(int)d.value[GENERATOR_NORM]];
            assert_true(net.node[i].channels <= 4 * 128);
        }
        generator_pass_free(&pass);
        layers = (int)d.value[GENERATOR_LAYERS];
        assert_int_equal(grown, layers - 2 + d.value[GENERATOR_STRIDE]);
        assert_int_equal(normed, d.value[GENERATOR_NORM] == 0 ? 1 : 2 * layers - 1);
        joins -= d.value[GENERATOR_HIGHEST] == 0 ? 0 : 1000 + 32;
        for (int i = 0; i < d.value[GENERATOR_SKIPS]; i++)
            joins -= 1000 + width_of(&d, layers - 1 - i);
        for (int i = 0; i < d.value[GENERATOR_DROPOUTS]; i++)
            dropouts -= 1000 + width_of(&d, layers - 1 - i);
        assert_int_equal(joins, 0);
        assert_int_equal(dropouts, 0);
    }
}

/* ---- corruption
 * ------------------------------------------------------------------------------ */

static void corrupted(double *planes, generator_corruption how, double amount)
{
    generator_design d = {{0}};
    learn_random random;

    d.value[GENERATOR_CORRUPTION] = how;
    d.value[GENERATOR_AMOUNT] = amount;
    learn_random_start(&random, 4, 0);
    assert_int_equal(distort_cnn_corrupt(&d, planes, SIDE, SIDE, &random, why), 0);
}

/* Power of differences to the right over that of the noise: of white noise 2, of pink less.
 */
static void noise_of(const double *plane, double *deviation, double *steps)
{
    double squares = 0, change = 0;

    for (int i = 0; i < SIDE * SIDE; i++)
        squares += (plane[i] - 128) * (plane[i] - 128);
    for (int i = 0; i < SIDE * SIDE - 1; i++)
        change += (plane[i + 1] - plane[i]) * (plane[i + 1] - plane[i]);
    *deviation = sqrt(squares / (SIDE * SIDE));
    *steps = change / squares;
}

static void test_noise(void **state)
{
    double planes[3 * SIDE * SIDE], deviation, steps;

    (void)state;
    for (int pink = 0; pink < 2; pink++) {
        for (int i = 0; i < 3 * SIDE * SIDE; i++)
            planes[i] = 128;
        corrupted(planes, pink ? GENERATOR_PINK : GENERATOR_WHITE, 0.4);
        for (int c = 0; c < 3; c++) {
            noise_of(planes + c * SIDE * SIDE, &deviation, &steps);
            assert_true(fabs(deviation - 30) < 0.1);
            assert_true(fabs(steps - (pink ? 1.45 : 2)) < 0.25);
        }
        assert_true(planes[0] != planes[SIDE * SIDE]);
    }
    for (int i = 0; i < 3 * SIDE * SIDE; i++)
        planes[i] = i % 2 ? 250 : 5;
    corrupted(planes, GENERATOR_WHITE, 1);
    for (int i = 0; i < 3 * SIDE * SIDE; i++)
        assert_true(planes[i] >= 0 && planes[i] <= 255);
}

static void test_grey_and_small(void **state)
{
    double planes[3 * SIDE * SIDE], before[3 * SIDE * SIDE];

    (void)state;
    for (int i = 0; i < 3 * SIDE * SIDE; i++)
        before[i] = i * 7919 % 256;
    memcpy(planes, before, sizeof planes);
    corrupted(planes, GENERATOR_NOTHING, 1);
    assert_memory_equal(planes, before, sizeof planes);
    corrupted(planes, GENERATOR_GREY, 1);
    for (int i = 0, n = SIDE * SIDE; i < n; i++) {
        const double luma =
            .299 * before[i] + .587 * before[n + i] + .114 * before[2 * n + i];

        assert_true(fabs(planes[i] - luma) < 1e-9);
        assert_true(planes[i] == planes[n + i] && planes[i] == planes[2 * n + i]);
    }
    for (int size = 2; size <= 4; size += 2) {
        memcpy(planes, before, sizeof planes);
        corrupted(planes, GENERATOR_SMALL, size == 2 ? 0.49 : 0.5);
        for (int i = 0; i < 3 * SIDE * SIDE; i++) {
            const int x = i % SIDE / size * size, y = i / SIDE / size * size;
            double sum = 0;

            for (int k = 0; k < size * size; k++)
                sum += before[(y + k / size) * SIDE + x + k % size];
            assert_true(fabs(planes[i] - sum / (size * size)) < 1e-9);
        }
    }
}

/* ---- learning
 * ----------------------------------------------------------------------------------- */

static uint8_t pictures[PICTURES][3 * SIDE * SIDE];

static generator_data data_of(void)
{
    for (int n = 0; n < PICTURES; n++)
        for (int i = 0; i < 3 * SIDE * SIDE; i++) {
            const int x = i / 3 % SIDE, y = i / 3 / SIDE, c = i % 3;

            pictures[n][i] = (uint8_t)(128 + 60 * sin(x / (5.0 + n % 7) + c + n) +
                                       50 * cos(y / (4.0 + n % 5) + 2 * c));
        }
    return (generator_data){.side = SIDE,
                            .n = PICTURES,
                            .rgb = pictures[0],
                            .corrupt = distort_cnn_corrupt,
                            .vgg = test_random_weights(LPIPS_NET_ALEX, "0.1")};
}

static int steps;

static int count(void *context)
{
    return ++steps == *(int *)context;
}

/* White noise to be taken away, by the losses given. */
static generator_fitted fitted(double l1, double vgg, double adversary, int most)
{
    static const double plain[GENERATOR_PARAMETERS] = {[GENERATOR_CORRUPTION] =
                                                           GENERATOR_WHITE,
                                                       [GENERATOR_AMOUNT] = 0.5,
                                                       [GENERATOR_LAYERS] = 2,
                                                       [GENERATOR_SKIPS] = 1,
                                                       [GENERATOR_HIGHEST] = 1,
                                                       [GENERATOR_GROWTH] = 1,
                                                       [GENERATOR_STRIDE] = 1,
                                                       [GENERATOR_FIRST] = 8,
                                                       [GENERATOR_MOST] = 32,
                                                       [GENERATOR_RATE] = 3e-3};
    const generator_data data = data_of();
    generator_fitted f = {0};
    int never = 0;

    memcpy(f.design.value, plain, sizeof plain);
    f.design.value[GENERATOR_L1] = l1;
    f.design.value[GENERATOR_VGG] = vgg;
    f.design.value[GENERATOR_ADVERSARY] = adversary;
    f.design.value[GENERATOR_CRITIC] = adversary > 0 ? 2 : 0;
    steps = 0;
    assert_int_equal(generator_fit(&f, &data, most, 1, 2, count, &never, why), 0);
    assert_int_equal(steps, most);
    print_message("l1 %g vgg %g discriminator %g: %.2f levels, of %.2f\n", l1, vgg, adversary,
                  f.restored, f.corrupted);
    return f;
}

/* Each loss alone, or with what it cannot do without, makes pictures better than they were;
 * the one that counts differences makes the least of those. */
static void test_learning(void **state)
{
    generator_fitted by[3], untaught = fitted(10, 0, 0, 0);

    (void)state;
    by[0] = fitted(10, 0, 0, 120);
    by[1] = fitted(0, 1, 0, 120);
    by[2] = fitted(10, 0, 1, 120);
    assert_true(untaught.restored > 40);
    assert_true(by[0].restored < 0.4 * by[0].corrupted);
    for (int i = 0; i < 3; i++) {
        assert_true(fabs(by[i].corrupted - untaught.corrupted) < 1);
        assert_true(by[i].restored < 0.8 * by[i].corrupted);
        assert_true(by[i].restored >= by[0].restored);
        free(by[i].parameters);
    }
    free(untaught.parameters);
}

static void test_same_and_stopped(void **state)
{
    const generator_data data = data_of();
    generator_fitted a = fitted(10, 1, 1, 3), b = fitted(10, 1, 1, 3),
                     c = {.design = a.design};
    int at = 2;

    (void)state;
    assert_memory_equal(a.parameters, b.parameters, a.net.parameters * sizeof(float));
    steps = 0;
    assert_int_equal(generator_fit(&c, &data, 3, 1, 2, count, &at, why), 1);
    assert_int_equal(steps, 2);
    assert_null(c.parameters);
    free(a.parameters);
    free(b.parameters);
}

/* ---- applying
 * ------------------------------------------------------------------------------------- */

/* A picture goes on as its mirror image: one that was given more of it comes out the same. */
static void test_edges(void **state)
{
    enum { W = 20, H = 9, WIDE = 32, HIGH = 16 };
    static uint8_t in[3 * WIDE * HIGH], more[3 * WIDE * HIGH], out[2][3 * WIDE * HIGH];
    distort_cnn c = {.fitted = {.design = {{[GENERATOR_LAYERS] = 4,
                                            [GENERATOR_STRIDE] = 2,
                                            [GENERATOR_FIRST] = 8,
                                            [GENERATOR_MOST] = 32}}}};
    generator_net *net = &c.fitted.net;
    const distort_kind kind = {.name = "cnn-x", .with = &c};
    distort_job job[2] = {{&kind, in, out[0], W, H, NULL, 1, {{1}}},
                          {&kind, more, out[1], WIDE, HIGH, NULL, 1, {{1}}}};
    learn_random random;

    (void)state;
    learn_random_start(&random, 1, 0);
    generator_build(net, &c.fitted.design);
    c.fitted.parameters = calloc(net->parameters, sizeof(float));
    generator_start(net, c.fitted.parameters, &random);
    for (int i = 0; i < 3 * W * H; i++)
        in[i] = (uint8_t)learn_random_bits(&random);
    for (int i = 0; i < 3 * WIDE * HIGH; i++) {
        const int x = i / 3 % WIDE, y = i / 3 / WIDE;
        const int u = x < W ? x : 2 * W - 1 - x, v = y < H ? y : 2 * H - 1 - y;

        more[i] = in[3 * (v * W + u) + i % 3];
    }
    for (int k = 0; k < 2; k++)
        assert_int_equal(distort_cnn_apply(&job[k], why), 0);
    for (int y = 0; y < H; y++)
        assert_memory_equal(out[0] + 3 * y * W, out[1] + 3 * y * WIDE, 3 * W);
    distort_cnn_free(&c);
}

/* What counts are the sides that the network works on. */
static void test_too_large(void **state)
{
    const distort_cnn c = {
        .fitted = {.design = {{[GENERATOR_LAYERS] = 4, [GENERATOR_STRIDE] = 2}}}};
    const distort_kind kind = {.name = "cnn-x", .with = &c};
    distort_job job = {&kind, NULL, NULL, (1 << 18) + 1, 1, NULL, 1, {{1}}};

    (void)state;
    assert_int_equal(distort_cnn_apply(&job, why), -1);
    assert_non_null(
        strstr(why, "up to 4 million pixels, sides rounded up to multiples of 16"));
}

/* ---- files
 * ---------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/lpips-networks-XXXXXX", file[64];

static void write_bytes(const unsigned char *bytes, size_t n)
{
    FILE *f = fopen(file, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static size_t read_bytes(unsigned char *bytes, size_t most)
{
    FILE *f = fopen(file, "rb");
    size_t n;

    assert_non_null(f);
    n = fread(bytes, 1, most, f);
    assert_true(n < most);
    fclose(f);
    return n;
}

/* What was written is read; what was cut or changed is refused, or is a network that can be
 * applied. */
static void test_files(void **state)
{
    static unsigned char whole[1 << 18], broken[1 << 18];
    distort_cnn c = {.fitted = fitted(10, 0, 0, 1), .origin = {5, 6, 7, 1}}, back;
    int read = 0;
    learn_random random;
    uint64_t mark;
    size_t n;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/a.safetensors", folder);
    assert_int_equal(distort_cnn_write(&c, folder, "a.safetensors", why), 0);
    assert_int_equal(distort_cnn_read(&back, folder, "a.safetensors", why), 0);
    assert_memory_equal(&back.origin, &c.origin, sizeof c.origin);
    assert_memory_equal(&back.fitted.design, &c.fitted.design, sizeof c.fitted.design);
    assert_int_equal(back.fitted.net.parameters, c.fitted.net.parameters);
    assert_memory_equal(back.fitted.parameters, c.fitted.parameters,
                        c.fitted.net.parameters * sizeof(float));
    assert_string_equal(back.name, "cnn-a");
    mark = back.mark;
    distort_cnn_free(&back);
    n = read_bytes(whole, sizeof whole);
    memcpy(broken, whole, n);
    broken[n - 4] ^= 1; /* of the last number, the last bit */
    write_bytes(broken, n);
    assert_int_equal(distort_cnn_read(&back, folder, "a.safetensors", why), 0);
    assert_true(back.mark != mark);
    distort_cnn_free(&back);
    for (size_t cut = 0; cut < n; cut += 1 + n / 50) {
        write_bytes(whole, cut);
        assert_int_equal(distort_cnn_read(&back, folder, "a.safetensors", why), -1);
        distort_cnn_free(&back);
    }
    learn_random_start(&random, 8, 0);
    for (int i = 0; i < 400; i++) {
        memcpy(broken, whole, n);
        broken[learn_random_below(&random, 1500)] = (unsigned char)learn_random_bits(&random);
        write_bytes(broken, n);
        if (!distort_cnn_read(&back, folder, "a.safetensors", why)) {
            const distort_kind kind = {.name = back.name, .with = &back};
            static uint8_t out[3 * 20 * 9];
            distort_job job = {&kind, pictures[0], out, 20, 9, NULL, 1, {{1}}};

            assert_int_equal(distort_cnn_apply(&job, why), 0);
            read++;
        }
        distort_cnn_free(&back);
    }
    assert_in_range(read, 1, 200);
    free(c.fitted.parameters);
    remove(file);
    remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_drawn),
                                       cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_built),
                                       cmocka_unit_test(test_noise),
                                       cmocka_unit_test(test_grey_and_small),
                                       cmocka_unit_test(test_learning),
                                       cmocka_unit_test(test_same_and_stopped),
                                       cmocka_unit_test(test_edges),
                                       cmocka_unit_test(test_too_large),
                                       cmocka_unit_test(test_files)};

    const int failed = cmocka_run_group_tests_name("networks", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
