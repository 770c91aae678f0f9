/*
 * design.h - the networks behind CNN-based distortions, drawn at random: Zhang et al. 2018,
 * section 2.1 and the right half of table 2.
 *
 * Each is an encoder and a decoder that are to give back a picture that was corrupted; what
 * they do wrong is the distortion. How it was to be done, and how well, differs from one to
 * the next.
 */
#ifndef GENERATOR_DESIGN_H
#define GENERATOR_DESIGN_H

#include <stdio.h>

#include "learn.h"
#include "net.h"

/* What is drawn. */
enum {
    GENERATOR_CORRUPTION, /* of the input: generator_corruption */
    GENERATOR_AMOUNT,     /* of it, 0..1 */
    GENERATOR_LAYERS,     /* of the encoder; the decoder has as many */
    GENERATOR_SKIPS,      /* connections from the encoder to the decoder, lowest first */
    GENERATOR_HIGHEST,    /* one more, from the input itself */
    GENERATOR_DROPOUTS,   /* layers of the decoder with dropout, lowest first */
    GENERATOR_GROWTH,     /* how the decoder enlarges */
    GENERATOR_NORM,
    GENERATOR_STRIDE,    /* of the first layer; that of the others is 2 */
    GENERATOR_FIRST,     /* channels of the first layer; each next has twice as many */
    GENERATOR_MOST,      /* or so many */
    GENERATOR_CRITIC,    /* layers of the discriminator; 0: there is none */
    GENERATOR_L1,        /* weights of the losses: pixels' absolute differences, */
    GENERATOR_VGG,       /* distance of VGG's features, */
    GENERATOR_ADVERSARY, /* and what the discriminator says */
    GENERATOR_RATE,      /* of learning */
    GENERATOR_PARAMETERS
};

typedef enum generator_corruption {
    GENERATOR_NOTHING,
    GENERATOR_PINK,
    GENERATOR_WHITE,
    GENERATOR_GREY,
    GENERATOR_SMALL
} generator_corruption;

typedef struct generator_design {
    double value[GENERATOR_PARAMETERS];
} generator_design;

/* Number `number` of a seed's. */
void generator_draw(generator_design *d, uint64_t seed, uint64_t number);

/* A value in words or figures, as `generator_take` reads it; of index i, whose name is
 * generator_name(i). */
const char *generator_name(int i);
void generator_print(const generator_design *d, int i, char text[32]);

/* Reads one; -1 and why it is none of its kind. */
int generator_take(generator_design *d, int i, const char *text, char why[LEARN_WHY]);

/* Whether all values go together; -1 and why. */
int generator_check(const generator_design *d, char why[LEARN_WHY]);

/* Pictures of 3 channels, -1..1, to such pictures; and to a map of how true each part of one
 * looks. */
void generator_build(generator_net *net, const generator_design *d);
void generator_build_critic(generator_net *net, const generator_design *d);

/* Sides must be multiples of this. */
int generator_unit(const generator_design *d);

#endif
