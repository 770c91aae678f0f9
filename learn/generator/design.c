/*
 * design.c - see design.h.
 */
#include "design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table -------------------------------------------------------------------- */

typedef enum kind {
    CHOICE,   /* one of the words */
    WHOLE,    /* low ... high */
    DOUBLING, /* powers of two, low ... high */
    EVEN,     /* low ... high */
    WEIGHT,   /* the same, evenly by its logarithm, or 0 */
    RATE      /* the same, never 0 */
} kind;

static const struct parameter {
    const char *name;
    kind kind;
    double low, high;
    const char *word[5];
} parameters[GENERATOR_PARAMETERS] = {
    [GENERATOR_CORRUPTION] = {"corruption",
                              CHOICE,
                              0,
                              4,
                              {"none", "pink-noise", "white-noise", "colour-removal",
                               "downsampling"}},
    [GENERATOR_AMOUNT] = {"amount", EVEN, 0, 1, {0}},
    [GENERATOR_LAYERS] = {"layers", WHOLE, 2, 4, {0}},
    [GENERATOR_SKIPS] = {"skips", WHOLE, 0, 3, {0}},
    [GENERATOR_HIGHEST] = {"highest-skip", CHOICE, 0, 1, {"no", "yes"}},
    [GENERATOR_DROPOUTS] = {"dropouts", WHOLE, 0, 4, {0}},
    [GENERATOR_GROWTH] =
        {"upsampling", CHOICE, 0, 3, {"nearest", "bilinear", "transposed", "subpixel"}},
    [GENERATOR_NORM] = {"normalisation", CHOICE, 0, 2, {"none", "batch", "instance"}},
    [GENERATOR_STRIDE] = {"first-stride", WHOLE, 1, 2, {0}},
    [GENERATOR_FIRST] = {"first-channels", DOUBLING, 8, 32, {0}},
    [GENERATOR_MOST] = {"most-channels", DOUBLING, 32, 128, {0}},
    [GENERATOR_CRITIC] = {"discriminator-layers", WHOLE, 0, 3, {0}},
    [GENERATOR_L1] = {"l1-weight", WEIGHT, 1, 100, {0}},
    [GENERATOR_VGG] = {"vgg-weight", WEIGHT, 0.1, 10, {0}},
    [GENERATOR_ADVERSARY] = {"discriminator-weight", WEIGHT, 0.01, 1, {0}},
    [GENERATOR_RATE] = {"rate", RATE, 3e-4, 3e-3, {0}},
};

const char *generator_name(int i)
{
    return parameters[i].name;
}

/* ---- drawing ---------------------------------------------------------------------- */

static double whole(learn_random *r, double low, double high)
{
    return low + (double)learn_random_below(r, (uint64_t)(high - low) + 1);
}

/* Three figures tell all that there is. */
static double figures(double v)
{
    char text[32];

    snprintf(text, sizeof text, "%.3g", v);
    return strtod(text, NULL);
}

static double draw_one(learn_random *r, const struct parameter *p)
{
    switch (p->kind) {
    case DOUBLING:
        return exp2(whole(r, log2(p->low), log2(p->high)));
    case EVEN:
        return figures(learn_random_between(r, p->low, p->high));
    case WEIGHT:
    case RATE:
        return figures(exp(learn_random_between(r, log(p->low), log(p->high))));
    default:
        return whole(r, p->low, p->high);
    }
}

void generator_draw(generator_design *d, uint64_t seed, uint64_t number)
{
    learn_random r;
    double *v = d->value;

    learn_random_start(&r, seed, learn_random_key(number, "generator"));
    for (int i = 0; i < GENERATOR_PARAMETERS; i++)
        v[i] = draw_one(&r, &parameters[i]);
    v[GENERATOR_SKIPS] = whole(&r, 0, v[GENERATOR_LAYERS] - 1);
    v[GENERATOR_DROPOUTS] = whole(&r, 0, v[GENERATOR_LAYERS]);
    if (v[GENERATOR_CRITIC] == 0)
        v[GENERATOR_ADVERSARY] = 0;
    switch (learn_random_below(&r, 4)) { /* one of the two losses is enough */
    case 0:
        v[GENERATOR_L1] = 0;
        break;
    case 1:
        v[GENERATOR_VGG] = 0;
        break;
    default:
        break;
    }
}

/* ---- words ------------------------------------------------------------------------- */

void generator_print(const generator_design *d, int i, char text[32])
{
    const struct parameter *p = &parameters[i];

    if (p->kind == CHOICE)
        snprintf(text, 32, "%s", p->word[(int)d->value[i]]);
    else
        snprintf(text, 32, "%.3g", d->value[i]);
}

static bool allowed(const struct parameter *p, double v)
{
    if (p->kind == WEIGHT && v == 0)
        return true;
    if (!(v >= p->low && v <= p->high))
        return false;
    if (p->kind == DOUBLING)
        return log2(v) == floor(log2(v));
    return p->kind != WHOLE || v == floor(v);
}

int generator_take(generator_design *d, int i, const char *text, char why[LEARN_WHY])
{
    const struct parameter *p = &parameters[i];
    char *end;

    if (p->kind == CHOICE) {
        for (int k = 0; k <= (int)p->high; k++)
            if (!strcmp(text, p->word[k])) {
                d->value[i] = k;
                return 0;
            }
    } else {
        d->value[i] = strtod(text, &end);
        if (end != text && !*end && allowed(p, d->value[i]))
            return 0;
    }
    return learn_fail(why, "its %s is none that there is", p->name);
}

int generator_check(const generator_design *d, char why[LEARN_WHY])
{
    const double *v = d->value;

    if (v[GENERATOR_SKIPS] >= v[GENERATOR_LAYERS])
        return learn_fail(why, "it has more skips than its layers can");
    if (v[GENERATOR_DROPOUTS] > v[GENERATOR_LAYERS])
        return learn_fail(why, "it has more layers with dropout than layers");
    return 0;
}

/* ---- networks ---------------------------------------------------------------------- */

static int add(generator_net *net, generator_op op, int from)
{
    return generator_add(net, (generator_node){.op = op, .from = from});
}

/* Kernels of 4 reduce by 2 without a pixel left over; those of 3 keep the size. */
static int add_conv(generator_net *net, int from, int channels, int stride)
{
    return generator_add(net, (generator_node){.op = GENERATOR_CONV,
                                               .from = from,
                                               .channels = channels,
                                               .kernel = stride == 2 ? 4 : 3,
                                               .stride = stride,
                                               .pad = 1});
}

static int add_norm(generator_net *net, const generator_design *d, int from)
{
    static const generator_op ops[] = {GENERATOR_INPUT, GENERATOR_BATCH, GENERATOR_INSTANCE};
    const int norm = (int)d->value[GENERATOR_NORM];

    return norm ? add(net, ops[norm], from) : from;
}

static int stride_of(const generator_design *d, int layer)
{
    return layer == 1 ? (int)d->value[GENERATOR_STRIDE] : 2;
}

/* Twice as large, and a convolution: of a transposed one what lies between is 0. */
static int add_growth(generator_net *net, const generator_design *d, int from, int channels)
{
    static const generator_op ops[] = {GENERATOR_NEAREST, GENERATOR_BILINEAR, GENERATOR_ZEROS,
                                       GENERATOR_SHUFFLE};
    const generator_op op = ops[(int)d->value[GENERATOR_GROWTH]];

    if (op == GENERATOR_SHUFFLE)
        return add(net, op, add_conv(net, from, 4 * channels, 1));
    return add_conv(net, add(net, op, from), channels, 1);
}

/* A layer's output to the size of the one before. */
static int add_decoder(generator_net *net, const generator_design *d, int from, int layer,
                       int channels)
{
    const int layers = (int)d->value[GENERATOR_LAYERS];

    from = stride_of(d, layer) == 2 ? add_growth(net, d, from, channels)
                                    : add_conv(net, from, channels, 1);
    from = add_norm(net, d, from);
    if (layers - layer < (int)d->value[GENERATOR_DROPOUTS])
        from = add(net, GENERATOR_DROPOUT, from);
    return add(net, GENERATOR_LEAKY, from);
}

static bool skipped(const generator_design *d, int level)
{
    const int layers = (int)d->value[GENERATOR_LAYERS];

    return level ? level >= layers - (int)d->value[GENERATOR_SKIPS]
                 : d->value[GENERATOR_HIGHEST] != 0;
}

void generator_build(generator_net *net, const generator_design *d)
{
    const int layers = (int)d->value[GENERATOR_LAYERS];
    const int first = (int)d->value[GENERATOR_FIRST], most = (int)d->value[GENERATOR_MOST];
    int level[8], x;

    *net = (generator_net){0};
    x = level[0] = generator_add(net, (generator_node){.op = GENERATOR_INPUT, .channels = 3});
    for (int i = 1, c = first; i <= layers; i++, c = 2 * c < most ? 2 * c : most) {
        x = add_conv(net, x, c, stride_of(d, i));
        x = add(net, GENERATOR_LEAKY, i > 1 ? add_norm(net, d, x) : x);
        level[i] = x;
    }
    for (int i = layers; i > 0; i--) {
        x = add_decoder(net, d, x, i, i > 1 ? net->node[level[i - 1]].channels : first);
        if (skipped(d, i - 1))
            x = generator_add(net, (generator_node){GENERATOR_JOIN, x, level[i - 1], 0, 0, 0,
                                                    0, 0});
    }
    add(net, GENERATOR_TANH, add_conv(net, x, 3, 1));
}

void generator_build_critic(generator_net *net, const generator_design *d)
{
    int x, c = 16;

    *net = (generator_net){0};
    x = generator_add(net, (generator_node){.op = GENERATOR_INPUT, .channels = 3});
    for (int i = 0; i < (int)d->value[GENERATOR_CRITIC]; i++, c *= 2)
        x = add(net, GENERATOR_LEAKY, add_conv(net, x, c, 2));
    add_conv(net, x, 1, 1);
}

int generator_unit(const generator_design *d)
{
    return 1 << ((int)d->value[GENERATOR_LAYERS] - 2 + (int)d->value[GENERATOR_STRIDE]);
}
