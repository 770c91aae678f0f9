/*
 * forward.c - pictures through a layer that has just been made.
 */
#include "layer.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the authors' program gives as the mean of outputs unless told otherwise. */
#define MEAN 0.1

/* Below this part of the mean square, variance is rounding. */
#define FLAT 1e-9

/* Most values of patches spread out at once, per worker. */
enum { SPREAD = 1 << 20 };

typedef struct pass {
    learn_map *out;
    const learn_map *in;
    const learn_conv *conv;
    int pictures, channel;
    float *spread; /* of each worker */
    size_t room;   /* floats of it */
    double *sum;   /* of each picture and channel: of values, of squares */
} pass;

static float *plane_of(const learn_map *m, int channel)
{
    return m->values + (size_t)channel * (size_t)m->height * (size_t)m->width;
}

/* Outputs from..from + count - 1 of one picture, counted row by row. */
static void convolve(const pass *p, int picture, float *spread, size_t from, size_t count)
{
    const learn_conv *c = p->conv;
    const learn_map *m = &p->out[picture];
    int d = learn_patch_size(c), plane = m->height * m->width;

    for (size_t i = 0; i < count; i++)
        learn_patch(spread + i, count, &p->in[picture], c, (int)(from + i) / m->width,
                    (int)(from + i) % m->width);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, c->out, (int)count, d, 1.f,
                c->weight, d, spread, (int)count, 0.f, plane_of(m, p->channel) + from, plane);
}

static void run_picture(void *arg, int worker, int job)
{
    pass *p = arg;
    const learn_map *m = &p->out[job];
    size_t plane = (size_t)m->height * (size_t)m->width;
    size_t most = p->room / (size_t)learn_patch_size(p->conv);
    double *sum = p->sum + 2 * (size_t)job * (size_t)p->conv->out;

    for (size_t at = 0; at < plane; at += most)
        convolve(p, job, p->spread + (size_t)worker * p->room, at,
                 plane - at < most ? plane - at : most);
    for (int i = 0; i < p->conv->out; i++) {
        const float *values = plane_of(m, p->channel + i);

        sum[2 * i] = sum[2 * i + 1] = 0;
        for (size_t k = 0; k < plane; k++) {
            sum[2 * i] += values[k];
            sum[2 * i + 1] += (double)values[k] * values[k];
        }
    }
}

/* Filters over their outputs' deviation, biases so that the mean is MEAN. */
static void scale_filters(const pass *p)
{
    const learn_conv *c = p->conv;
    int d = learn_patch_size(c);
    double n = 0;

    for (int k = 0; k < p->pictures; k++)
        n += (double)p->out[k].height * p->out[k].width;
    for (int i = 0; i < c->out; i++) {
        double mean = 0, square = 0, variance;

        for (int k = 0; k < p->pictures; k++) {
            mean += p->sum[2 * ((size_t)k * (size_t)c->out + (size_t)i)];
            square += p->sum[2 * ((size_t)k * (size_t)c->out + (size_t)i) + 1];
        }
        mean /= n;
        variance = square / n - mean * mean;
        if (variance <= FLAT * square / n)
            variance = 1;
        for (int j = 0; j < d; j++)
            c->weight[(size_t)i * (size_t)d + (size_t)j] /= (float)sqrt(variance);
        c->bias[i] = (float)(MEAN - mean / sqrt(variance));
    }
}

/* The outputs follow their filters, then ReLU. */
static void finish_picture(void *arg, int worker, int job)
{
    pass *p = arg;
    const learn_map *m = &p->out[job];
    size_t plane = (size_t)m->height * (size_t)m->width;

    (void)worker;
    for (int i = 0; i < p->conv->out; i++) {
        float *values = plane_of(m, p->channel + i), bias = p->conv->bias[i];

        for (size_t k = 0; k < plane; k++)
            values[k] = values[k] + bias > 0 ? values[k] + bias : 0.f;
    }
}

static int make_outputs(learn_map *out, int channels, const learn_map *maps, int pictures,
                        const learn_conv *c)
{
    for (int i = 0; i < pictures; i++) {
        out[i].channels = channels;
        out[i].height = learn_conv_size(c, maps[i].height);
        out[i].width = learn_conv_size(c, maps[i].width);
        out[i].values = malloc(sizeof(float) * (size_t)channels * (size_t)out[i].height *
                               (size_t)out[i].width);
        if (!out[i].values)
            return -1;
    }
    return 0;
}

int learn_conv_apply(learn_map *out, int channel, int channels_out, const learn_map *maps,
                     int pictures, const learn_conv *c, const learn_crew *crew)
{
    pass p = {out, maps, c, pictures, channel, NULL, SPREAD, NULL};
    int status = -1;

    if (!channel && make_outputs(out, channels_out, maps, pictures, c))
        return -1;
    p.spread = malloc(sizeof *p.spread * p.room * (size_t)crew->workers);
    p.sum = malloc(sizeof *p.sum * 2 * (size_t)pictures * (size_t)c->out);
    if (p.spread && p.sum) {
        lpips_pool_run(crew->pool, run_picture, &p, pictures);
        scale_filters(&p);
        /* once more, by the filters that will be written */
        lpips_pool_run(crew->pool, run_picture, &p, pictures);
        lpips_pool_run(crew->pool, finish_picture, &p, pictures);
        status = 0;
    }
    free(p.spread);
    free(p.sum);
    return status;
}

typedef struct pooling {
    learn_map *maps;
    const lpips_step *step;
} pooling;

static float most(const float *plane, const learn_map *m, const lpips_step *s, int y, int x)
{
    float best = -INFINITY;

    for (int row = y * s->stride; row < y * s->stride + s->kernel && row < m->height; row++)
        for (int k = x * s->stride; k < x * s->stride + s->kernel && k < m->width; k++)
            if (plane[(size_t)row * (size_t)m->width + (size_t)k] > best)
                best = plane[(size_t)row * (size_t)m->width + (size_t)k];
    return best;
}

static void pool_picture(void *arg, int worker, int job)
{
    pooling *p = arg;
    learn_map *m = &p->maps[job], out = *m;
    float *to;

    (void)worker;
    out.height = lpips_step_size(p->step, m->height);
    out.width = lpips_step_size(p->step, m->width);
    /* smaller than the input: written over it, every output behind what it reads */
    to = out.values;
    for (int c = 0; c < m->channels; c++)
        for (int y = 0; y < out.height; y++)
            for (int x = 0; x < out.width; x++)
                *to++ = most(plane_of(m, c), m, p->step, y, x);
    *m = out;
}

void learn_max_pool(learn_map *maps, int pictures, const lpips_step *s,
                    const learn_crew *crew)
{
    pooling p = {maps, s};

    lpips_pool_run(crew->pool, pool_picture, &p, pictures);
}
