/*
 * ranker.c - see ranker.h.
 */
#include "ranker.h"

#include "random.h"

#include <math.h>
#include <string.h>

enum { IN = TRAIN_RANKER_IN, MID = TRAIN_RANKER_MID };

enum {
    W1 = 0,
    B1 = W1 + MID * IN,
    W2 = B1 + MID,
    B2 = W2 + MID * MID,
    W3 = B2 + MID,
    B3 = W3 + MID
};

static const double eps = 0.1, leak = 0.2;

const train_ranker_tensor train_ranker_tensors[TRAIN_RANKER_TENSORS] = {
    {"ranker.0.weight", MID, IN, W1},  {"ranker.0.bias", MID, 0, B1},
    {"ranker.1.weight", MID, MID, W2}, {"ranker.1.bias", MID, 0, B2},
    {"ranker.2.weight", 1, MID, W3},   {"ranker.2.bias", 1, 0, B3},
};

void train_ranker_start(train_ranker *r, uint64_t seed)
{
    memset(r, 0, sizeof *r);
    for (int i = 0; i < TRAIN_RANKER_FLOATS; i++) {
        const double bound = 1 / sqrt(i < W2 ? IN : MID);
        learn_random draw;

        learn_random_start(&draw, seed, learn_random_key((uint64_t)i, "ranker"));
        r->value[i] = (float)learn_random_between(&draw, -bound, bound);
    }
}

/* out = W in + b */
static void layer(const float *w, const float *b, const double *in, int n, int rows,
                  double *out)
{
    for (int o = 0; o < rows; o++) {
        out[o] = (double)b[o];
        for (int i = 0; i < n; i++)
            out[o] += (double)w[o * n + i] * in[i];
    }
}

static void leaky(const double *in, double *out)
{
    for (int i = 0; i < MID; i++)
        out[i] = in[i] > 0 ? in[i] : leak * in[i];
}

/* From the derivative by the outputs to the sums and the derivative by the inputs. */
static void layer_back(const float *w, double *sum_w, double *sum_b, const double *in, int n,
                       const double *g, int rows, double *back)
{
    memset(back, 0, (size_t)n * sizeof *back);
    for (int o = 0; o < rows; o++) {
        sum_b[o] += g[o];
        for (int i = 0; i < n; i++) {
            sum_w[o * n + i] += g[o] * in[i];
            back[i] += g[o] * (double)w[o * n + i];
        }
    }
}

static void leaky_back(const double *in, double *g)
{
    for (int i = 0; i < MID; i++)
        g[i] *= in[i] > 0 ? 1 : leak;
}

double train_ranker_loss(train_ranker *r, double d0, double d1, double judge, double share,
                         double pull[2])
{
    const double x[IN] = {d0, d1, d0 - d1, d0 / (d1 + eps), d1 / (d0 + eps)};
    const float *v = r->value;
    double a1[MID], f1[MID], a2[MID], f2[MID], z, loss, g, g1[MID], g2[MID], gx[IN];

    layer(v + W1, v + B1, x, IN, MID, a1);
    leaky(a1, f1);
    layer(v + W2, v + B2, f1, MID, MID, a2);
    leaky(a2, f2);
    layer(v + W3, v + B3, f2, MID, 1, &z);
    loss = fmax(z, 0) + log1p(exp(-fabs(z))) - judge * z; /* nothing here overflows */
    if (!pull)
        return loss;
    g = share * (1 / (1 + exp(-z)) - judge);
    layer_back(v + W3, r->sum + W3, r->sum + B3, f2, MID, &g, 1, g2);
    leaky_back(a2, g2);
    layer_back(v + W2, r->sum + W2, r->sum + B2, f1, MID, g2, MID, g1);
    leaky_back(a1, g1);
    layer_back(v + W1, r->sum + W1, r->sum + B1, x, IN, g1, MID, gx);
    pull[0] = gx[0] + gx[2] + gx[3] / (d1 + eps) - gx[4] * d1 / ((d0 + eps) * (d0 + eps));
    pull[1] = gx[1] - gx[2] + gx[4] / (d0 + eps) - gx[3] * d0 / ((d1 + eps) * (d1 + eps));
    return loss;
}

void train_ranker_finish(train_ranker *r)
{
    for (int i = 0; i < TRAIN_RANKER_FLOATS; i++)
        r->gradient[i] = (float)r->sum[i];
    memset(r->sum, 0, sizeof r->sum);
}
