/*
 * net.h - small convolutional networks, forward and backward.
 *
 * A network is a list of nodes, each made of one or two before it; node 0 is the input. The
 * values of a node lie [picture][channel][y][x]. What is learnt is one block of numbers, the
 * parameters, in which each node has its own:
 *
 *     convolution       weight [channels][channels before][kernel][kernel], bias [channels]
 *     instance norm     scale, shift [channels]
 *     batch norm        scale, shift, and running mean and variance, which are not learnt but
 *                       gathered
 *
 * One thread works on a pass; sums are put together in one order, so that the same input
 * gives the same bits.
 */
#ifndef GENERATOR_NET_H
#define GENERATOR_NET_H

#include <stdbool.h>
#include <stddef.h>

#include "random.h"

/* Tests build the same code for double. */
#ifndef GENERATOR_REAL
#define GENERATOR_REAL float
#define GENERATOR_GEMM cblas_sgemm
#endif
typedef GENERATOR_REAL generator_real;

enum { GENERATOR_NODES = 48 };

/* What counts of a value below 0. */
#define GENERATOR_LEAK 0.2

typedef enum generator_op {
    GENERATOR_INPUT,
    GENERATOR_CONV,  /* zeros outside */
    GENERATOR_LEAKY, /* ReLU that leaks */
    GENERATOR_TANH,
    GENERATOR_BATCH,    /* normalised over pictures and pixels */
    GENERATOR_INSTANCE, /* normalised over the pixels of each picture */
    GENERATOR_DROPOUT,  /* half of all values, the others twice; none when applied */
    GENERATOR_NEAREST,  /* twice as high and wide: each pixel four times, */
    GENERATOR_BILINEAR, /* linear between pixels, centres at halves, */
    GENERATOR_ZEROS,    /* zeros between: what a transposed convolution reads, */
    GENERATOR_SHUFFLE,  /* or four channels, the pixels of a 2x2 block */
    GENERATOR_JOIN,     /* the channels of one, then those of the other */
    GENERATOR_OPS
} generator_op;

typedef struct generator_node {
    generator_op op;
    int from, other;         /* other: of JOIN */
    int channels;            /* of INPUT and CONV to be given; else they follow */
    int kernel, stride, pad; /* of CONV */
    size_t at;               /* its first parameter; set by generator_add() */
} generator_node;

typedef struct generator_net {
    int nodes;
    generator_node node[GENERATOR_NODES];
    size_t parameters;
} generator_net;

/* Appends a node and returns its index. */
int generator_add(generator_net *net, generator_node node);

/* Weights normal, of the deviation that keeps variance through a leaky ReLU (K. He et al.,
 * ICCV 2015), a tenth of it before a tanh, which learns nothing where it is saturated; no
 * bias; norms that change nothing. */
void generator_start(const generator_net *net, generator_real *parameters,
                     learn_random *random);

/* Room for one run of n pictures through a network. */
typedef struct generator_pass {
    const generator_net *net;
    int n, height[GENERATOR_NODES], width[GENERATOR_NODES];
    generator_real *value[GENERATOR_NODES];
    generator_real *slope[GENERATOR_NODES]; /* the loss's derivative by each value */
    generator_real *kept[GENERATOR_NODES];  /* dropout's factors; norms' 1 / deviation */
    generator_real *columns;                /* windows of some rows, and their slopes */
    generator_real *block;
} generator_pass;

/* backward: there will be slopes; else nodes take each other's room when they were read, and
 * only the last one's values are there in the end. height and width must be whole multiples
 * of the network's strides. -1 without memory; free accepts what make refused. */
int generator_pass_make(generator_pass *p, const generator_net *net, int n, int height,
                        int width, bool backward);
void generator_pass_free(generator_pass *p);

/* Values of a node in the pass, all pictures. */
size_t generator_count(const generator_pass *p, int node);

/* From value[0] to the last. random: the network learns (dropout, statistics of the batch,
 * which are gathered); NULL: it is applied, and the parameters stay as they are. */
void generator_forward(generator_pass *p, generator_real *parameters, learn_random *random);

/* From the slope of the last node, which the caller writes, to those of all; adds the
 * derivatives by the parameters to `gradients`, or NULL. The forward pass must have been one
 * with `random`. */
void generator_backward(generator_pass *p, const generator_real *parameters,
                        generator_real *gradients);

/* ---- ops.c ------------------------------------------------------------------- */

/* What net.c does with a node: values from those before; slopes to those before, to which
 * they are added. */
typedef struct generator_way {
    void (*forward)(generator_pass *p, int node, generator_real *parameters,
                    learn_random *random);
    void (*backward)(generator_pass *p, int node, const generator_real *parameters,
                     generator_real *gradients);
} generator_way;

extern const generator_way generator_ways[GENERATOR_OPS];

/* Output rows of a convolution whose windows are copied at once. */
int generator_band(const generator_pass *p, int node);

#endif
