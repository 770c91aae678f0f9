/*
 * fit.c - see fit.h.
 *
 * The loss is a weighted sum: mean absolute difference of the samples; distance of VGG's
 * features, unweighted, of a part of each picture; and how far the discriminator is from
 * being deceived. It is the least-squares one of X. Mao et al. (ICCV 2017), a map of
 * judgements of parts as in P. Isola et al. (CVPR 2017).
 */
#include "fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adam.h"

enum {
    BATCH = 4,
    HELD_OUT = 8, /* one of so many */
    PART = 32,    /* side of what VGG sees of a picture */
    PART_FLOATS = 3 * PART * PART
};

typedef struct learner {
    generator_net net;
    generator_pass pass;
    float *parameters, *gradients;
    learn_adam adam;
} learner;

typedef struct work {
    const generator_design *d;
    const generator_data *data;
    learner maker, critic;
    lpips_context *vgg;
    float *clean;   /* BATCH pictures */
    float *parts;   /* for VGG: made, clean, slopes */
    double *planes; /* of one picture */
    learn_random random;
    char *why;
} work;

void generator_from_levels(float *to, const double *levels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)(levels[i] / 127.5 - 1);
}

void generator_to_levels(double *levels, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        levels[i] = ((double)from[i] + 1) * 127.5;
}

/* ---- life -------------------------------------------------------------------------- */

static void learner_free(learner *l)
{
    generator_pass_free(&l->pass);
    learn_adam_free(&l->adam);
    free(l->parameters);
    free(l->gradients);
}

static int learner_make(learner *l, const work *w, const char *name, uint64_t seed,
                        uint64_t number)
{
    learn_random random;

    l->parameters = calloc(l->net.parameters, sizeof *l->parameters);
    l->gradients = calloc(l->net.parameters, sizeof *l->gradients);
    if (!l->parameters || !l->gradients ||
        generator_pass_make(&l->pass, &l->net, BATCH, w->data->side, w->data->side, true) ||
        learn_adam_start(&l->adam, l->net.parameters, w->d->value[GENERATOR_RATE], 0.9,
                         0.999))
        return learn_no_memory(w->why);
    learn_random_start(&random, seed, learn_random_key(number, name));
    generator_start(&l->net, l->parameters, &random);
    return 0;
}

static int make_vgg(work *w)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    int status;

    o.flags = LPIPS_WANT_GRADIENT | LPIPS_NO_LIN;
    status = lpips_context_create(&w->vgg, w->data->vgg, PART, PART, &o);
    return status ? learn_fail(w->why, "VGG's loss: %s", lpips_strerror(status)) : 0;
}

static size_t picture(const work *w)
{
    return 3 * (size_t)w->data->side * (size_t)w->data->side;
}

static int make(work *w, uint64_t seed, uint64_t number)
{
    w->clean = calloc(BATCH * picture(w), sizeof *w->clean);
    w->planes = calloc(picture(w), sizeof *w->planes);
    w->parts = calloc((size_t)3 * PART_FLOATS, sizeof *w->parts);
    if (!w->clean || !w->planes || !w->parts)
        return learn_no_memory(w->why);
    learn_random_start(&w->random, seed, learn_random_key(number, "generator steps"));
    generator_build(&w->maker.net, w->d);
    if (learner_make(&w->maker, w, "generator weights", seed, number))
        return -1;
    if (w->d->value[GENERATOR_CRITIC] != 0) {
        generator_build_critic(&w->critic.net, w->d);
        if (learner_make(&w->critic, w, "discriminator weights", seed, number))
            return -1;
    }
    return w->d->value[GENERATOR_VGG] != 0 ? make_vgg(w) : 0;
}

static void clear(work *w)
{
    learner_free(&w->maker);
    learner_free(&w->critic);
    lpips_context_free(w->vgg);
    free(w->clean);
    free(w->planes);
    free(w->parts);
}

/* ---- pictures ------------------------------------------------------------------------ */

/* Picture `which` as the k-th of the batch, mirrored or not: clean, and corrupted. */
static int load(work *w, size_t which, int k, bool mirrored)
{
    const size_t side = (size_t)w->data->side, n = picture(w);
    const uint8_t *rgb = w->data->rgb + which * n;

    for (size_t c = 0; c < 3; c++)
        for (size_t y = 0; y < side; y++)
            for (size_t x = 0; x < side; x++)
                w->planes[(c * side + y) * side + x] =
                    rgb[3 * (y * side + (mirrored ? side - 1 - x : x)) + c];
    generator_from_levels(w->clean + (size_t)k * n, w->planes, n);
    if (w->data->corrupt(w->d, w->planes, w->data->side, w->data->side, &w->random, w->why))
        return -1;
    generator_from_levels(w->maker.pass.value[0] + (size_t)k * n, w->planes, n);
    return 0;
}

static int load_batch(work *w)
{
    const size_t held = w->data->n / HELD_OUT;

    for (int k = 0; k < BATCH; k++) {
        const size_t which = held + learn_random_below(&w->random, w->data->n - held);
        const bool mirrored = learn_random_below(&w->random, 2);

        if (load(w, which, k, mirrored))
            return -1;
    }
    return 0;
}

static int last(const learner *l)
{
    return l->net.nodes - 1;
}

/* Of the pictures held out, as many as whole batches hold, before and after. */
static int measure(work *w, generator_fitted *f)
{
    const size_t n = BATCH * picture(w), held = w->data->n / HELD_OUT;
    double sums[2] = {0}, count = 0;

    for (size_t at = 0; !at || at + BATCH <= held; at += BATCH, count += (double)n) {
        for (int k = 0; k < BATCH; k++)
            if (load(w, (at + (size_t)k) % held, k, false))
                return -1;
        generator_forward(&w->maker.pass, w->maker.parameters, NULL);
        for (size_t i = 0; i < n; i++) {
            const double clean = (double)w->clean[i];

            sums[0] += fabs((double)w->maker.pass.value[0][i] - clean);
            sums[1] += fabs((double)w->maker.pass.value[last(&w->maker)][i] - clean);
        }
    }
    f->corrupted = 127.5 * sums[0] / count;
    f->restored = 127.5 * sums[1] / count;
    return 0;
}

/* ---- losses: each adds to the slope of what the network made ------------------------ */

static void pull_l1(work *w, const float *made, float *slope)
{
    const size_t n = BATCH * picture(w);
    const double weight = w->d->value[GENERATOR_L1] / (double)n;

    for (size_t i = 0; i < n; i++) {
        const float e = made[i] - w->clean[i];

        slope[i] += (float)(e > 0 ? weight : e < 0 ? -weight : 0);
    }
}

/* A part as LPIPS reads it, 0..1. */
static lpips_image part_of(const work *w, float *to, const float *from)
{
    const size_t plane = picture(w) / 3, side = (size_t)w->data->side;
    const ptrdiff_t row = PART * (ptrdiff_t)sizeof(float);
    const void *const planes[3] = {to, to + PART * PART, to + 2 * PART * PART};
    lpips_image image;

    for (size_t i = 0; i < PART_FLOATS; i++)
        to[i] = (from[i / (PART * PART) * plane + i / PART % PART * side + i % PART] + 1) / 2;
    lpips_image_planar(&image, LPIPS_F32, planes, (const ptrdiff_t[]){row, row, row}, PART,
                       PART);
    return image;
}

static int pull_vgg_part(work *w, const float *made, const float *clean, float *slope)
{
    const size_t plane = picture(w) / 3, side = (size_t)w->data->side;
    const ptrdiff_t row = PART * (ptrdiff_t)sizeof(float);
    float *g = w->parts + 2 * PART_FLOATS;
    const lpips_planes to = {{g, g + PART * PART, g + 2 * PART * PART},
                             {row, row, row},
                             sizeof(float)};
    const float weight = (float)(w->d->value[GENERATOR_VGG] / BATCH / 2);
    const lpips_image a = part_of(w, w->parts, made);
    const lpips_image b = part_of(w, w->parts + PART_FLOATS, clean);
    lpips_result result;
    const int status = lpips_gradient(w->vgg, &a, &b, &result, &to);

    if (status)
        return learn_fail(w->why, "VGG's loss: %s", lpips_strerror(status));
    for (size_t i = 0; i < PART_FLOATS; i++)
        slope[i / (PART * PART) * plane + i / PART % PART * side + i % PART] += weight * g[i];
    return 0;
}

static int pull_vgg(work *w, const float *made, float *slope)
{
    const size_t side = (size_t)w->data->side;
    int status = 0;

    for (size_t k = 0; k < BATCH && !status; k++) {
        const size_t y = learn_random_below(&w->random, side - PART + 1);
        const size_t x = learn_random_below(&w->random, side - PART + 1);
        const size_t at = k * picture(w) + y * side + x;

        status = pull_vgg_part(w, made + at, w->clean + at, slope + at);
    }
    return status;
}

/* The slopes of mean((what the discriminator says - target)^2) times a weight. */
static void judge(learner *critic, double target, double weight)
{
    const int at = last(critic);
    const size_t n = generator_count(&critic->pass, at);

    for (size_t i = 0; i < n; i++)
        critic->pass.slope[at][i] =
            (float)(2 * weight * ((double)critic->pass.value[at][i] - target) / (double)n);
}

static void look(work *w, const float *pictures)
{
    memcpy(w->critic.pass.value[0], pictures, BATCH * picture(w) * sizeof *pictures);
    generator_forward(&w->critic.pass, w->critic.parameters, &w->random);
}

static void pull_critic(work *w, const float *made, float *slope)
{
    look(w, made);
    judge(&w->critic, 1, w->d->value[GENERATOR_ADVERSARY]);
    generator_backward(&w->critic.pass, w->critic.parameters, NULL);
    for (size_t i = 0; i < BATCH * picture(w); i++)
        slope[i] += w->critic.pass.slope[0][i];
}

/* ---- steps --------------------------------------------------------------------------- */

static void descend(learner *l)
{
    learn_adam_step(&l->adam, l->parameters, l->gradients);
    memset(l->gradients, 0, l->net.parameters * sizeof *l->gradients);
}

/* The discriminator saw what was made; now what is true. */
static void teach_critic(work *w)
{
    learner *c = &w->critic;

    judge(c, 0, 1);
    generator_backward(&c->pass, c->parameters, c->gradients);
    look(w, w->clean);
    judge(c, 1, 1);
    generator_backward(&c->pass, c->parameters, c->gradients);
    descend(c);
}

static int step(work *w)
{
    learner *m = &w->maker;
    float *made = m->pass.value[last(m)], *slope = m->pass.slope[last(m)];
    const bool critic = w->d->value[GENERATOR_CRITIC] != 0;

    if (load_batch(w))
        return -1;
    generator_forward(&m->pass, m->parameters, &w->random);
    memset(slope, 0, BATCH * picture(w) * sizeof *slope);
    pull_l1(w, made, slope);
    if (w->vgg && pull_vgg(w, made, slope))
        return -1;
    if (critic)
        pull_critic(w, made, slope);
    generator_backward(&m->pass, m->parameters, m->gradients);
    descend(m);
    if (critic)
        teach_critic(w);
    return 0;
}

int generator_fit(generator_fitted *f, const generator_data *data, int steps, uint64_t seed,
                  uint64_t number, int (*tell)(void *context), void *context,
                  char why[LEARN_WHY])
{
    work w = {.d = &f->design, .data = data, .why = why};
    int status = make(&w, seed, number);

    f->parameters = NULL;
    for (int i = 0; i < steps && !status; i++) {
        status = step(&w);
        if (!status)
            status = tell(context);
    }
    if (!status)
        status = measure(&w, f);
    if (!status) {
        f->net = w.maker.net;
        f->parameters = w.maker.parameters;
        w.maker.parameters = NULL;
        for (size_t i = 0; i < f->net.parameters && !status; i++)
            if (!isfinite(f->parameters[i]))
                status = learn_fail(
                    why, "network %d left all bounds while it learnt: choose another --seed",
                    (int)number);
    }
    if (status) {
        free(f->parameters);
        f->parameters = NULL;
    }
    clear(&w);
    return status;
}
