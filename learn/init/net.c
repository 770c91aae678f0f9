/*
 * net.c - the layers of a net made one after the other.
 */
#include "layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../learn.h"

typedef struct making {
    float *const *tensor;
    lpips_tensor_spec spec[LPIPS_MAX_TENSORS];
    int tensors, convs, done;
    const learn_init_options *o;
    const learn_crew *crew;
    char *why;
} making;

/* The filters and biases of a layer among the tensors. */
static learn_conv conv_of(const making *m, const char *name, int stride, int pad)
{
    learn_conv c = {.stride = stride, .pad = pad};
    char weight[80];

    snprintf(weight, sizeof weight, "%s.weight", name);
    for (int i = 0; i + 1 < m->tensors; i++)
        if (!strcmp(m->spec[i].name, weight)) {
            c.out = m->spec[i].shape[0];
            c.in = m->spec[i].shape[1];
            c.kernel = m->spec[i].shape[2];
            c.weight = m->tensor[i];
            c.bias = m->tensor[i + 1];
        }
    return c;
}

/* One convolution of maps: made, and applied into channels of out. */
static int make(making *m, const char *name, const learn_conv *c, learn_map *out, int channel,
                int channels, const learn_map *maps, int count)
{
    if (m->o->tell && m->o->tell(m->o->opaque, name, m->done, m->convs))
        return learn_fail(m->why, "stopped");
    m->done++;
    if (learn_filters(c, maps, count, name, m->o, m->crew, m->why))
        return -1;
    if (learn_conv_apply(out, channel, channels, maps, count, c, m->crew))
        return learn_no_memory(m->why);
    return 0;
}

static void take_over(learn_map *maps, learn_map *made, int count)
{
    for (int i = 0; i < count; i++) {
        free(maps[i].values);
        maps[i] = made[i];
        made[i].values = NULL;
    }
}

static int make_conv(making *m, const lpips_step *s, learn_map *maps, learn_map *made,
                     int count)
{
    learn_conv c = conv_of(m, s->name, s->stride, s->pad);

    if (make(m, s->name, &c, made, 0, s->out, maps, count))
        return -1;
    take_over(maps, made, count);
    return 0;
}

/* squeeze, then two layers that read it side by side. */
static int make_fire(making *m, const lpips_step *s, learn_map *maps, learn_map *made,
                     int count)
{
    char name[64];
    learn_conv c;

    snprintf(name, sizeof name, "%s.squeeze", s->name);
    c = conv_of(m, name, 1, 0);
    if (make(m, name, &c, made, 0, s->squeezed, maps, count))
        return -1;
    take_over(maps, made, count);
    snprintf(name, sizeof name, "%s.expand1x1", s->name);
    c = conv_of(m, name, 1, 0);
    if (make(m, name, &c, made, 0, s->out, maps, count))
        return -1;
    snprintf(name, sizeof name, "%s.expand3x3", s->name);
    c = conv_of(m, name, 1, 1);
    if (make(m, name, &c, made, s->out / 2, s->out, maps, count))
        return -1;
    take_over(maps, made, count);
    return 0;
}

int learn_init_net(float *const tensor[LPIPS_MAX_TENSORS], learn_map *pictures, int count,
                   const learn_init_options *options, const learn_crew *crew, char *why)
{
    const lpips_netdef *net = options->net;
    learn_map *made = calloc((size_t)count, sizeof *made);
    making m = {.tensor = tensor, .o = options, .crew = crew, .why = why};
    int status = made ? 0 : learn_no_memory(why);

    m.tensors = lpips_net_tensors(net, m.spec);
    m.convs = (m.tensors - 2 - net->layers) / 2;
    for (int i = 0; i < net->steps && !status; i++) {
        const lpips_step *s = &net->step[i];

        if (s->op == LPIPS_OP_POOL)
            learn_max_pool(pictures, count, s, crew);
        else if (s->op == LPIPS_OP_CONV)
            status = make_conv(&m, s, pictures, made, count);
        else
            status = make_fire(&m, s, pictures, made, count);
    }
    for (int i = 0; made && i < count; i++)
        free(made[i].values);
    free(made);
    return status;
}
