/*
 * test_learn_init.c - nets made of k-means: each part by what must hold of its result, and
 * the whole net run once more by plain loops.
 */
#include "support.h"

#include "../learn/init/layer.h"
#include "pictures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static learn_crew crew_make(int workers)
{
    learn_crew crew = {NULL, workers};

    assert_int_equal(lpips_pool_create(&crew.pool, workers, NULL, NULL), LPIPS_OK);
    return crew;
}

static learn_random stream(uint64_t key)
{
    learn_random r;

    learn_random_start(&r, 1, key);
    return r;
}

/* ---- whitening ----------------------------------------------------------- */

enum { N = 3000, D = 7 };

/* Correlated values whose means are 0; the last is a copy of the first: rank D - 1. */
static float *correlated(void)
{
    float *x = malloc(sizeof *x * N * D);
    learn_random r = stream(3);
    double mean[D] = {0};

    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++) {
            float before = j ? x[i * D + j - 1] : 0;

            x[i * D + j] = (float)((j + 1) * learn_random_normal(&r)) + 0.5F * before;
        }
    for (int i = 0; i < N * D; i++)
        mean[i % D] += x[i] / (double)N;
    for (int i = 0; i < N * D; i++)
        x[i] -= (float)mean[i % D];
    for (int i = 0; i < N; i++)
        x[i * D + D - 1] = x[i * D];
    return x;
}

/* Sum over patches of (row a . x) (row b . x). */
static double product(const float *basis, int a, int b, const float *x)
{
    double sum = 0;

    for (int i = 0; i < N; i++) {
        double u = 0, v = 0;

        for (int j = 0; j < D; j++) {
            u += (double)basis[a * D + j] * x[i * D + j];
            v += (double)basis[b * D + j] * x[i * D + j];
        }
        sum += u * v;
    }
    return sum;
}

/* In the new directions the patches have sums of squares 1 (1e-3 and rounding apart) and are
 * not correlated. */
static void test_whiten(void **state)
{
    learn_crew crew = crew_make(2);
    float *x = correlated(), basis[(D + 1) * D];
    double length[D];

    (void)state;
    assert_int_equal(learn_whiten(basis, D + 1, x, N, D, &crew), 0);
    for (int a = 0; a < D - 1; a++)
        for (int b = 0; b < D - 1; b++)
            assert_true(fabs(product(basis, a, b, x) - (a == b)) < 1e-4);
    for (int a = 0; a < D - 1; a++) {
        length[a] = 0;
        for (int j = 0; j < D; j++)
            length[a] += (double)basis[a * D + j] * basis[a * D + j];
        assert_true(!a || length[a] > length[a - 1]); /* less variation: stretched more */
    }
    for (int i = D * D; i < (D + 1) * D; i++)
        assert_true(basis[i] == 0); /* there are no more than D */
    lpips_pool_free(crew.pool);
    free(x);
}

static void test_project(void **state)
{
    static const float basis[6] = {1, 2, 0, 0, -1, 3}, x[9] = {1, 2, 3, 0, 0, 0, -4, 2, .25F};
    static const double wanted[6] = {
        5 / 8.602325267042627, 7 / 8.602325267042627, 0, 0, 0, -1};
    learn_crew crew = crew_make(1);
    float rows[6];

    (void)state;
    learn_project(rows, basis, 2, x, 3, 3, &crew);
    for (int i = 0; i < 6; i++)
        assert_true(fabs(rows[i] - wanted[i]) < 1e-6);
    lpips_pool_free(crew.pool);
}

/* What never varies gets no filter, and no number that is none. */
static void test_whiten_flat(void **state)
{
    learn_crew crew = crew_make(1);
    float x[N] = {0}, basis[2];

    (void)state;
    assert_int_equal(learn_whiten(basis, 1, x, N / 2, 2, &crew), 0);
    assert_true(basis[0] == 0 && basis[1] == 0);
    lpips_pool_free(crew.pool);
}

/* ---- k-means ------------------------------------------------------------- */

enum { POINTS = 2000, CLUSTERS = 5, DIM = 3 };

static float *unit_points(double spread)
{
    static const float axis[CLUSTERS][DIM] = {
        {1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 0, -1}};
    float *x = malloc(sizeof *x * POINTS * DIM);
    learn_random r = stream(4);

    for (int i = 0; i < POINTS; i++) {
        double length = 0;

        for (int j = 0; j < DIM; j++) {
            x[i * DIM + j] =
                axis[i % CLUSTERS][j] + (float)(spread * learn_random_normal(&r));
            length += (double)x[i * DIM + j] * x[i * DIM + j];
        }
        for (int j = 0; j < DIM; j++)
            x[i * DIM + j] /= (float)sqrt(length);
    }
    return x;
}

static double away(const float *a, const float *b)
{
    double sum = 0;

    for (int j = 0; j < DIM; j++)
        sum += ((double)a[j] - b[j]) * ((double)a[j] - b[j]);
    return sum;
}

static int nearest(const float *centres, int k, const float *x)
{
    int best = 0;

    for (int i = 1; i < k; i++)
        if (away(centres + i * DIM, x) < away(centres + best * DIM, x))
            best = i;
    return best;
}

/* Groups far apart are found, one centre each. */
static void test_kmeans_groups(void **state)
{
    learn_crew crew = crew_make(2);
    float *x = unit_points(0.05), centres[CLUSTERS * DIM];
    learn_random r = stream(5);
    int of_group[CLUSTERS];

    (void)state;
    assert_true(learn_kmeans(centres, CLUSTERS, x, POINTS, DIM, 50, &r, &crew) > 0);
    for (int i = 0; i < POINTS; i++) {
        int label = nearest(centres, CLUSTERS, x + i * DIM);

        if (i < CLUSTERS)
            of_group[i] = label;
        assert_int_equal(label, of_group[i % CLUSTERS]);
    }
    for (int i = 0; i < CLUSTERS; i++)
        for (int j = 0; j < i; j++)
            assert_int_not_equal(of_group[i], of_group[j]);
    lpips_pool_free(crew.pool);
    free(x);
}

/* It stops where each centre is the mean of the rows nearest to it. */
static void test_kmeans_fixed_point(void **state)
{
    enum { K = 9 };
    learn_crew crew = crew_make(2);
    float *x = unit_points(0.8), centres[K * DIM];
    double sum[K][DIM] = {{0}};
    int members[K] = {0};
    learn_random r = stream(6);
    int rounds = learn_kmeans(centres, K, x, POINTS, DIM, 1000, &r, &crew);

    (void)state;
    assert_in_range(rounds, 2, 999);
    for (int i = 0; i < POINTS; i++) {
        int label = nearest(centres, K, x + i * DIM);

        members[label]++;
        for (int j = 0; j < DIM; j++)
            sum[label][j] += x[i * DIM + j];
    }
    for (int k = 0; k < K; k++)
        for (int j = 0; j < DIM; j++)
            assert_true(fabs(sum[k][j] / members[k] - centres[k * DIM + j]) < 1e-6);
    lpips_pool_free(crew.pool);
    free(x);
}

/* More centres than there are different rows. */
static void test_kmeans_few(void **state)
{
    learn_crew crew = crew_make(1);
    float x[8 * DIM], centres[8 * DIM];
    learn_random r = stream(7);

    (void)state;
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < DIM; j++)
            x[i * DIM + j] = j == i % 2 ? 1 : 0;
    assert_true(learn_kmeans(centres, 8, x, 8, DIM, 10, &r, &crew) >= 0);
    for (int i = 0; i < 8; i++)
        assert_true(away(centres + i * DIM, x) < 1e-12 ||
                    away(centres + i * DIM, x + DIM) < 1e-12);
    lpips_pool_free(crew.pool);
}

/* ---- the whole net ------------------------------------------------------- */

/* Every kind of step, and small. */
static const lpips_step toy_steps[] = {
    {LPIPS_OP_CONV, "a", 3, 16, 0, 11, 4, 2, 0, 0},
    {LPIPS_OP_POOL, NULL, 16, 16, 0, 3, 2, 0, 0, -1},
    {LPIPS_OP_CONV, "b", 16, 24, 0, 5, 1, 2, 0, 1},
    {LPIPS_OP_FIRE, "c", 24, 32, 8, 3, 1, 1, 0, 2},
    {LPIPS_OP_POOL, NULL, 32, 32, 0, 3, 2, 0, 1, -1},
    {LPIPS_OP_CONV, "d", 32, 20, 0, 3, 1, 1, 0, 3},
};
static const lpips_netdef toy = {"toy", 4, 31, {16, 24, 32, 20}, COUNT(toy_steps), toy_steps};

typedef struct made {
    float *tensor[LPIPS_MAX_TENSORS];
    lpips_tensor_spec spec[LPIPS_MAX_TENSORS];
    int n;
} made;

enum { PICTURES = 30, SIDE = 80 };

static void pictures(learn_map *maps)
{
    for (int i = 0; i < PICTURES; i++) {
        char name[32];
        uint8_t *rgb;

        /* not all of one size */
        maps[i] = (learn_map){3, SIDE - i % 3, SIDE - i % 2, NULL};
        maps[i].values = malloc(sizeof(float) * 3 * SIDE * SIDE);
        snprintf(name, sizeof name, "scene.%d", i);
        rgb = picture_make(name, maps[i].width, maps[i].height);
        for (int k = 0; k < 3 * maps[i].height * maps[i].width; k++)
            maps[i].values[k % 3 * maps[i].height * maps[i].width + k / 3] =
                (float)rgb[k] / 100 - 1;
        free(rgb);
    }
}

static made make_net(uint64_t seed, int workers)
{
    learn_crew crew = crew_make(workers);
    learn_map maps[PICTURES];
    learn_init_options o = {&toy, seed, (size_t)64 << 20, NULL, NULL};
    made m;
    char why[512];

    m.n = lpips_net_tensors(o.net, m.spec);
    for (int i = 0; i < m.n; i++) {
        size_t count = 1;

        for (int k = 0; k < m.spec[i].dims; k++)
            count *= (size_t)m.spec[i].shape[k];
        m.tensor[i] = calloc(count, sizeof(float));
    }
    pictures(maps);
    if (learn_init_net(m.tensor, maps, PICTURES, &o, &crew, why))
        fail_msg("%s", why);
    for (int i = 0; i < PICTURES; i++)
        free(maps[i].values);
    lpips_pool_free(crew.pool);
    return m;
}

static void made_free(made *m)
{
    for (int i = 0; i < m->n; i++)
        free(m->tensor[i]);
}

/* Before the ReLU; plain loops in double over all pictures.  Checks each channel. */
static void convolve(const made *m, const char *name, learn_map *out, int channel,
                     int channels, const learn_map *maps, int stride, int pad)
{
    char full[80];
    int t = 0, outs, kernel;

    snprintf(full, sizeof full, "%s.weight", name);
    while (strcmp(m->spec[t].name, full))
        t++;
    outs = m->spec[t].shape[0];
    kernel = m->spec[t].shape[2];
    for (int i = 0; i < PICTURES && !channel; i++) {
        out[i] = (learn_map){channels, (maps[i].height + 2 * pad - kernel) / stride + 1,
                             (maps[i].width + 2 * pad - kernel) / stride + 1, NULL};
        out[i].values =
            malloc(sizeof(float) * (size_t)(channels * out[i].height * out[i].width));
    }
    for (int o = 0; o < outs; o++) {
        double n = 0, sum = 0, squares = 0;

        for (int i = 0; i < PICTURES; i++)
            for (int y = 0; y < out[i].height; y++)
                for (int x = 0; x < out[i].width; x++) {
                    const learn_map *in = &maps[i];
                    double v = m->tensor[t + 1][o];

                    for (int c = 0; c < in->channels; c++)
                        for (int k = 0; k < kernel * kernel; k++) {
                            int r = y * stride - pad + k / kernel,
                                s = x * stride - pad + k % kernel;

                            if (r >= 0 && r < in->height && s >= 0 && s < in->width)
                                v +=
                                    (double)in->values[(c * in->height + r) * in->width + s] *
                                    m->tensor[t]
                                             [(o * in->channels + c) * kernel * kernel + k];
                        }
                    n++;
                    sum += v;
                    squares += v * v;
                    out[i].values[((channel + o) * out[i].height + y) * out[i].width + x] =
                        v > 0 ? (float)v : 0;
                }
        if (fabs(sum / n - 0.1) > 1e-4 || fabs(squares / n - sum / n * sum / n - 1) > 1e-3)
            fail_msg("%s, channel %d: mean %g, variance %g", name, o, sum / n,
                     squares / n - sum / n * sum / n);
    }
}

static void replace(learn_map *maps, learn_map *out)
{
    for (int i = 0; i < PICTURES; i++) {
        free(maps[i].values);
        maps[i] = out[i];
    }
}

static void pool(learn_map *maps, const lpips_step *s)
{
    learn_map out[PICTURES];

    for (int i = 0; i < PICTURES; i++) {
        const learn_map *m = &maps[i];
        float *to;

        out[i] = (learn_map){m->channels, lpips_step_size(s, m->height),
                             lpips_step_size(s, m->width), NULL};
        to = out[i].values =
            malloc(sizeof(float) * (size_t)(m->channels * out[i].height * out[i].width));
        for (int k = 0; k < m->channels * out[i].height * out[i].width; k++) {
            int c = k / (out[i].height * out[i].width), y = k / out[i].width % out[i].height,
                x = k % out[i].width;
            float best = -1;

            for (int j = 0; j < s->kernel * s->kernel; j++) {
                int r = y * s->stride + j / s->kernel, q = x * s->stride + j % s->kernel;

                if (r < m->height && q < m->width)
                    best = fmaxf(best, m->values[(c * m->height + r) * m->width + q]);
            }
            to[k] = best;
        }
    }
    replace(maps, out);
}

/* Every output of every convolution has mean 0.1 and deviation 1: filters are scaled right,
 * and what they were scaled on is what the net computes. */
static void test_net(void **state)
{
    made m = make_net(1, 2);
    learn_map maps[PICTURES], out[PICTURES];

    (void)state;
    pictures(maps);
    for (int i = 0; i < toy.steps; i++) {
        const lpips_step *s = &toy.step[i];
        char name[80];

        if (s->op == LPIPS_OP_POOL) {
            pool(maps, s);
            continue;
        }
        if (s->op == LPIPS_OP_CONV)
            convolve(&m, s->name, out, 0, s->out, maps, s->stride, s->pad);
        else {
            snprintf(name, sizeof name, "%s.squeeze", s->name);
            convolve(&m, name, out, 0, s->squeezed, maps, 1, 0);
            replace(maps, out);
            snprintf(name, sizeof name, "%s.expand1x1", s->name);
            convolve(&m, name, out, 0, s->out, maps, 1, 0);
            snprintf(name, sizeof name, "%s.expand3x3", s->name);
            convolve(&m, name, out, s->out / 2, s->out, maps, 1, 1);
        }
        replace(maps, out);
    }
    for (int i = 0; i < PICTURES; i++)
        free(maps[i].values);
    made_free(&m);
}

/* The same bits by any number of threads; others by another seed. */
static void test_same(void **state)
{
    made a = make_net(1, 1), b = make_net(1, 3), c = make_net(2, 3);

    (void)state;
    for (int i = 2; i < a.n - toy.layers; i++) {
        size_t bytes = sizeof(float);

        for (int k = 0; k < a.spec[i].dims; k++)
            bytes *= (size_t)a.spec[i].shape[k];
        assert_memory_equal(a.tensor[i], b.tensor[i], bytes);
        assert_memory_not_equal(a.tensor[i], c.tensor[i], bytes);
    }
    made_free(&a);
    made_free(&b);
    made_free(&c);
}

/* A filter answers to one of the kinds of patches there are: three colours, three filters. */
static void test_filters(void **state)
{
    static const float colour[3][3] = {{1, 0, 0}, {0, 1, 0.2F}, {0.1F, 0, 1}};
    learn_crew crew = crew_make(1);
    learn_map map = {3, 30, 30, malloc(sizeof(float) * 2700)};
    learn_init_options o = {lpips_netdef_of(LPIPS_NET_ALEX), 1, (size_t)1 << 20, NULL, NULL};
    float weight[9], bias[3];
    learn_conv c = {3, 3, 1, 1, 0, weight, bias};
    char why[512];
    int taken[3] = {0};

    (void)state;
    for (int i = 0; i < 2700; i++)
        map.values[i] = colour[i % 900 * 7 % 3][i / 900] + (float)(i * 37 % 101) / 2000;
    assert_int_equal(learn_filters(&c, &map, 1, "test", &o, &crew, why), 0);
    for (int k = 0; k < 3; k++) {
        int best = 0;
        double most = -1e9;

        for (int f = 0; f < 3; f++) {
            double answer = 0;

            for (int i = 0; i < 3; i++) /* less the mean colour */
                answer += (double)weight[f * 3 + i] *
                          (colour[k][i] - (colour[0][i] + colour[1][i] + colour[2][i]) / 3.);
            if (answer > most) {
                most = answer;
                best = f;
            }
        }
        taken[best]++;
    }
    for (int f = 0; f < 3; f++)
        assert_int_equal(taken[f], 1);
    lpips_pool_free(crew.pool);
    free(map.values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whiten),
        cmocka_unit_test(test_whiten_flat),
        cmocka_unit_test(test_project),
        cmocka_unit_test(test_kmeans_groups),
        cmocka_unit_test(test_kmeans_fixed_point),
        cmocka_unit_test(test_kmeans_few),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_net),
        cmocka_unit_test(test_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
