/*
 * net.c - networks as lists, and room to run them; see net.h.
 */
#include "net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t weights_of(const generator_net *net, const generator_node *d)
{
    return (size_t)d->channels * (size_t)net->node[d->from].channels * (size_t)d->kernel *
           (size_t)d->kernel;
}

static size_t parameters_of(const generator_net *net, const generator_node *d)
{
    const size_t c = (size_t)d->channels;

    switch (d->op) {
    case GENERATOR_CONV:
        return weights_of(net, d) + c;
    case GENERATOR_BATCH:
        return 4 * c;
    case GENERATOR_INSTANCE:
        return 2 * c;
    default:
        return 0;
    }
}

int generator_add(generator_net *net, generator_node node)
{
    const generator_node *from = &net->node[node.from];

    if (node.op == GENERATOR_JOIN)
        node.channels = from->channels + net->node[node.other].channels;
    else if (node.op == GENERATOR_SHUFFLE)
        node.channels = from->channels / 4;
    else if (node.op != GENERATOR_INPUT && node.op != GENERATOR_CONV)
        node.channels = from->channels;
    node.at = net->parameters;
    net->parameters += parameters_of(net, &node);
    net->node[net->nodes] = node;
    return net->nodes++;
}

void generator_start(const generator_net *net, generator_real *parameters,
                     learn_random *random)
{
    memset(parameters, 0, net->parameters * sizeof *parameters);
    for (int i = 0; i < net->nodes; i++) {
        const generator_node *d = &net->node[i];
        const size_t c = (size_t)d->channels;
        generator_real *v = parameters + d->at;

        if (d->op == GENERATOR_CONV) {
            const size_t n = weights_of(net, d);
            const bool last = i + 1 < net->nodes && d[1].op == GENERATOR_TANH;
            const double gain = last ? 0.1 : sqrt(2 / (1 + GENERATOR_LEAK * GENERATOR_LEAK));
            const double deviation = gain / sqrt((double)n / (double)c);

            for (size_t k = 0; k < n; k++)
                v[k] = (generator_real)(deviation * learn_random_normal(random));
        } else if (d->op == GENERATOR_BATCH || d->op == GENERATOR_INSTANCE) {
            for (size_t k = 0; k < c; k++) {
                v[k] = 1;
                if (d->op == GENERATOR_BATCH)
                    v[3 * c + k] = 1;
            }
        }
    }
}

/* ---- room -------------------------------------------------------------------- */

size_t generator_count(const generator_pass *p, int node)
{
    return (size_t)p->n * (size_t)p->net->node[node].channels * (size_t)p->height[node] *
           (size_t)p->width[node];
}

static void set_size(generator_pass *p, int i, int height, int width)
{
    const generator_node *d = &p->net->node[i];

    switch (d->op) {
    case GENERATOR_INPUT:
        break;
    case GENERATOR_CONV:
        height = (p->height[d->from] + 2 * d->pad - d->kernel) / d->stride + 1;
        width = (p->width[d->from] + 2 * d->pad - d->kernel) / d->stride + 1;
        break;
    case GENERATOR_NEAREST:
    case GENERATOR_BILINEAR:
    case GENERATOR_ZEROS:
    case GENERATOR_SHUFFLE:
        height = 2 * p->height[d->from];
        width = 2 * p->width[d->from];
        break;
    default:
        height = p->height[d->from];
        width = p->width[d->from];
    }
    p->height[i] = height;
    p->width[i] = width;
}

/* What `kept` holds of a node. */
static size_t kept_count(const generator_pass *p, int i, bool backward)
{
    const generator_node *d = &p->net->node[i];

    switch (d->op) {
    case GENERATOR_DROPOUT:
        return backward ? generator_count(p, i) : 0;
    case GENERATOR_BATCH:
        return (size_t)d->channels;
    case GENERATOR_INSTANCE:
        return (size_t)p->n * (size_t)d->channels;
    default:
        return 0;
    }
}

static size_t columns_count(const generator_pass *p)
{
    size_t most = 0;

    for (int i = 0; i < p->net->nodes; i++) {
        const generator_node *d = &p->net->node[i];
        size_t n;

        if (d->op != GENERATOR_CONV)
            continue;
        n = weights_of(p->net, d) / (size_t)d->channels * (size_t)generator_band(p, i) *
            (size_t)p->width[i];
        most = n > most ? n : most;
    }
    return most;
}

static int last_reader(const generator_net *net, int i)
{
    int last = i + 1;

    for (int k = last; k < net->nodes; k++)
        if (net->node[k].from == i ||
            (net->node[k].op == GENERATOR_JOIN && net->node[k].other == i))
            last = k;
    return last;
}

/* Where the values of each node begin: one after another; or, where nobody looks back, the
 * first place that those still to be read leave free. Returns how many there are in all. */
static size_t place_values(const generator_pass *p, bool backward, size_t at[GENERATOR_NODES])
{
    size_t total = 0;

    for (int i = 0; i < p->net->nodes; i++) {
        const size_t n = generator_count(p, i);

        at[i] = backward ? total : 0;
        for (int k = 0; k < i && !backward; k++) {
            const size_t end = at[k] + generator_count(p, k);

            if (last_reader(p->net, k) >= i && at[i] < end && at[k] < at[i] + n) {
                at[i] = end;
                k = -1; /* it may meet one that was passed */
            }
        }
        total = at[i] + n > total ? at[i] + n : total;
    }
    return total;
}

int generator_pass_make(generator_pass *p, const generator_net *net, int n, int height,
                        int width, bool backward)
{
    size_t place[GENERATOR_NODES], values, total;
    generator_real *at;

    *p = (generator_pass){.net = net, .n = n};
    for (int i = 0; i < net->nodes; i++)
        set_size(p, i, height, width);
    total = values = place_values(p, backward, place);
    for (int i = 0; i < net->nodes; i++)
        total += kept_count(p, i, backward);
    total += (backward ? values : 0) + 2 * columns_count(p);
    p->block = calloc(total, sizeof *at);
    if (!p->block)
        return -1;
    at = p->block + (backward ? 2 : 1) * values;
    for (int i = 0; i < net->nodes; i++) {
        p->value[i] = p->block + place[i];
        p->slope[i] = backward ? p->value[i] + values : NULL;
        p->kept[i] = at;
        at += kept_count(p, i, backward);
    }
    p->columns = at;
    return 0;
}

void generator_pass_free(generator_pass *p)
{
    free(p->block);
    p->block = NULL;
}

/* ---- running ----------------------------------------------------------------- */

void generator_forward(generator_pass *p, generator_real *parameters, learn_random *random)
{
    for (int i = 1; i < p->net->nodes; i++)
        generator_ways[p->net->node[i].op].forward(p, i, parameters, random);
}

void generator_backward(generator_pass *p, const generator_real *parameters,
                        generator_real *gradients)
{
    for (int i = 0; i < p->net->nodes - 1; i++)
        memset(p->slope[i], 0, generator_count(p, i) * sizeof *p->slope[i]);
    for (int i = p->net->nodes - 1; i > 0; i--)
        generator_ways[p->net->node[i].op].backward(p, i, parameters, gradients);
}
