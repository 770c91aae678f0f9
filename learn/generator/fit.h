/*
 * fit.h - trains one network to give back what was corrupted.
 */
#ifndef GENERATOR_FIT_H
#define GENERATOR_FIT_H

#include <stdint.h>

#include <lpips.h>

#include "design.h"

/* Corrupts three planes of 0..255 as the design has it. */
typedef int generator_corrupt(const generator_design *d, double *planes, int width,
                              int height, learn_random *random, char why[LEARN_WHY]);

/* What all networks learn from. The first eighth of the pictures is held out. */
typedef struct generator_data {
    int side;     /* of square pictures, a multiple of 16 */
    size_t n;     /* 8 at least */
    uint8_t *rgb; /* packed, one after another */
    generator_corrupt *corrupt;
    lpips_weights *vgg; /* NULL: no design may weigh it */
} generator_data;

typedef struct generator_fitted {
    generator_design design;
    generator_net net;
    float *parameters; /* the caller frees */
    /* Mean absolute difference to the pictures held out, in levels: of what was corrupted,
     * and of what the network makes of it. */
    double corrupted, restored;
} generator_fitted;

/* f->design is given; the rest is made by `steps` steps of Adam. tell: called after each
 * step; what it returns but 0 ends the work and is returned. 0, or -1 and why. */
int generator_fit(generator_fitted *f, const generator_data *data, int steps, uint64_t seed,
                  uint64_t number, int (*tell)(void *context), void *context,
                  char why[LEARN_WHY]);

/* Planes of 0..255 to -1..1 as networks read them, and back; n values. */
void generator_from_levels(float *to, const double *levels, size_t n);
void generator_to_levels(double *levels, const float *from, size_t n);

#endif
