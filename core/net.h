/*
 * net.h - the three nets as data: what is computed in which order, and which
 * tensors a weights file must hold.  Nothing else tells alex from vgg.
 */
#ifndef LPIPS_NET_H
#define LPIPS_NET_H

#include "lpips.h"

enum { LPIPS_MAX_STEPS = 24, LPIPS_MAX_TENSORS = 80 };

typedef enum lpips_op {
    LPIPS_OP_CONV, /* convolution, bias, ReLU */
    LPIPS_OP_POOL, /* maximum */
    LPIPS_OP_FIRE  /* squeeze 1x1, then expand 1x1 and 3x3 side by side, all with ReLU */
} lpips_op;

/* One step of a net; every step reads the one before it.  name is the layer's in the
 * official state_dict ("net.slice1.0"); tap is the index of the tapped output, or -1. */
typedef struct lpips_step {
    lpips_op op;
    const char *name;
    int in, out;  /* channels */
    int squeezed; /* FIRE: channels between */
    int kernel, stride, pad;
    int ceil_mode; /* POOL: a last window that hangs over the edge counts */
    int tap;
} lpips_step;

typedef struct lpips_netdef {
    const char *name;
    int layers;   /* taps */
    int min_size; /* pixels */
    int tap_channels[LPIPS_MAX_LAYERS];
    int steps;
    const lpips_step *step;
} lpips_netdef;

/* NULL for an unknown net. */
const lpips_netdef *lpips_netdef_of(lpips_net net);

/* Output length of a step along one axis for an input of n; < 1 when n is too small. */
int lpips_step_size(const lpips_step *s, int n);

/*
 * All tensors of a net in canonical order: scaling_layer.shift, scaling_layer.scale,
 * then weight and bias of each step, then lin0.model.1.weight ...  Returns how many.
 */
int lpips_net_tensors(const lpips_netdef *net, lpips_tensor_spec spec[LPIPS_MAX_TENSORS]);

#endif
