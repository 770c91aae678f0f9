/*
 * net.c - tables of the nets.
 *
 * The backbones are torchvision's alexnet, vgg16 and squeezenet1_1 up to the last
 * tapped layer, cut into slices and named as the official package does
 * (lpips/pretrained_networks.py).
 */
#include "net.h"

#include <stdio.h>
#include <string.h>

#define CONV(name, in, out, k, s, p, tap)                \
    {                                                    \
        LPIPS_OP_CONV, name, in, out, 0, k, s, p, 0, tap \
    }
#define POOL(ch, k, ceil)                                 \
    {                                                     \
        LPIPS_OP_POOL, NULL, ch, ch, 0, k, 2, 0, ceil, -1 \
    }
#define FIRE(name, in, sq, out, tap)                      \
    {                                                     \
        LPIPS_OP_FIRE, name, in, out, sq, 3, 1, 1, 0, tap \
    }

static const lpips_step alex_steps[] = {
    CONV("net.slice1.0", 3, 64, 11, 4, 2, 0),    POOL(64, 3, 0),
    CONV("net.slice2.3", 64, 192, 5, 1, 2, 1),   POOL(192, 3, 0),
    CONV("net.slice3.6", 192, 384, 3, 1, 1, 2),  CONV("net.slice4.8", 384, 256, 3, 1, 1, 3),
    CONV("net.slice5.10", 256, 256, 3, 1, 1, 4),
};

static const lpips_step vgg_steps[] = {
    CONV("net.slice1.0", 3, 64, 3, 1, 1, -1),
    CONV("net.slice1.2", 64, 64, 3, 1, 1, 0),
    POOL(64, 2, 0),
    CONV("net.slice2.5", 64, 128, 3, 1, 1, -1),
    CONV("net.slice2.7", 128, 128, 3, 1, 1, 1),
    POOL(128, 2, 0),
    CONV("net.slice3.10", 128, 256, 3, 1, 1, -1),
    CONV("net.slice3.12", 256, 256, 3, 1, 1, -1),
    CONV("net.slice3.14", 256, 256, 3, 1, 1, 2),
    POOL(256, 2, 0),
    CONV("net.slice4.17", 256, 512, 3, 1, 1, -1),
    CONV("net.slice4.19", 512, 512, 3, 1, 1, -1),
    CONV("net.slice4.21", 512, 512, 3, 1, 1, 3),
    POOL(512, 2, 0),
    CONV("net.slice5.24", 512, 512, 3, 1, 1, -1),
    CONV("net.slice5.26", 512, 512, 3, 1, 1, -1),
    CONV("net.slice5.28", 512, 512, 3, 1, 1, 4),
};

static const lpips_step squeeze_steps[] = {
    CONV("net.slice1.0", 3, 64, 3, 2, 0, 0),
    POOL(64, 3, 1),
    FIRE("net.slice2.3", 64, 16, 128, -1),
    FIRE("net.slice2.4", 128, 16, 128, 1),
    POOL(128, 3, 1),
    FIRE("net.slice3.6", 128, 32, 256, -1),
    FIRE("net.slice3.7", 256, 32, 256, 2),
    POOL(256, 3, 1),
    FIRE("net.slice4.9", 256, 48, 384, 3),
    FIRE("net.slice5.10", 384, 48, 384, 4),
    FIRE("net.slice6.11", 384, 64, 512, 5),
    FIRE("net.slice7.12", 512, 64, 512, 6),
};

#define COUNT(a) (int)(sizeof(a) / sizeof *(a))

static const lpips_netdef nets[] = {
    {"alex", 5, 31, {64, 192, 384, 256, 256}, COUNT(alex_steps), alex_steps},
    {"vgg", 5, 16, {64, 128, 256, 512, 512}, COUNT(vgg_steps), vgg_steps},
    {"squeeze",
     7,
     17,
     {64, 128, 256, 384, 384, 512, 512},
     COUNT(squeeze_steps),
     squeeze_steps},
};

const lpips_netdef *lpips_netdef_of(lpips_net net)
{
    return (unsigned)net < COUNT(nets) ? &nets[net] : NULL;
}

const char *lpips_net_name(lpips_net net)
{
    const lpips_netdef *def = lpips_netdef_of(net);

    return def ? def->name : NULL;
}

int lpips_net_from_name(const char *name)
{
    for (int i = 0; name && i < COUNT(nets); i++)
        if (!strcmp(name, nets[i].name))
            return i;
    return LPIPS_ERR_ARGUMENT;
}

int lpips_net_layers(lpips_net net)
{
    const lpips_netdef *def = lpips_netdef_of(net);

    return def ? def->layers : 0;
}

int lpips_net_min_size(lpips_net net)
{
    const lpips_netdef *def = lpips_netdef_of(net);

    return def ? def->min_size : 0;
}

int lpips_step_size(const lpips_step *s, int n)
{
    int room = n + 2 * s->pad - s->kernel + (s->ceil_mode ? s->stride - 1 : 0);

    return room < 0 ? 0 : room / s->stride + 1;
}

static int add_tensor(lpips_tensor_spec *spec, const char *layer, const char *part, int o,
                      int i, int k)
{
    snprintf(spec->name, sizeof spec->name, "%s.%s", layer, part);
    spec->dims = k ? 4 : 1;
    spec->shape[0] = o;
    spec->shape[1] = i;
    spec->shape[2] = spec->shape[3] = k;
    return 1;
}

static int add_conv(lpips_tensor_spec *spec, const char *layer, int o, int i, int k)
{
    add_tensor(spec, layer, "weight", o, i, k);
    add_tensor(spec + 1, layer, "bias", o, 0, 0);
    return 2;
}

static int add_fire(lpips_tensor_spec *spec, const lpips_step *s)
{
    char name[48];
    int n = 0;

    snprintf(name, sizeof name, "%s.squeeze", s->name);
    n += add_conv(spec + n, name, s->squeezed, s->in, 1);
    snprintf(name, sizeof name, "%s.expand1x1", s->name);
    n += add_conv(spec + n, name, s->out / 2, s->squeezed, 1);
    snprintf(name, sizeof name, "%s.expand3x3", s->name);
    n += add_conv(spec + n, name, s->out / 2, s->squeezed, 3);
    return n;
}

int lpips_net_tensors(const lpips_netdef *net, lpips_tensor_spec spec[LPIPS_MAX_TENSORS])
{
    int n = 0;

    n += add_tensor(spec + n, "scaling_layer", "shift", 1, 3, 1);
    n += add_tensor(spec + n, "scaling_layer", "scale", 1, 3, 1);
    for (int i = 0; i < net->steps; i++) {
        const lpips_step *s = &net->step[i];

        if (s->op == LPIPS_OP_CONV)
            n += add_conv(spec + n, s->name, s->out, s->in, s->kernel);
        else if (s->op == LPIPS_OP_FIRE)
            n += add_fire(spec + n, s);
    }
    for (int i = 0; i < net->layers; i++) {
        char name[32];

        snprintf(name, sizeof name, "lin%d.model.1", i);
        n += add_tensor(spec + n, name, "weight", 1, net->tap_channels[i], 1);
    }
    return n;
}

int lpips_net_tensor(lpips_net net, int i, lpips_tensor_spec *tensor)
{
    const lpips_netdef *def = lpips_netdef_of(net);
    lpips_tensor_spec all[LPIPS_MAX_TENSORS];

    if (!def || !tensor || i < 0 || i >= lpips_net_tensors(def, all))
        return LPIPS_ERR_ARGUMENT;
    *tensor = all[i];
    return LPIPS_OK;
}
