/*
 * adam.h - Adam: D. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization" (ICLR
 * 2015), algorithm 1.
 */
#ifndef LEARN_ADAM_H
#define LEARN_ADAM_H

#include <stddef.h>

typedef struct learn_adam {
    size_t n;
    double rate;           /* alpha; may be changed between steps */
    double beta1, beta2;   /* of the running means of g and g^2 */
    double power1, power2; /* beta1^t, beta2^t after t steps */
    float *mean, *square;
} learn_adam;

/* For n values; -1 without memory.  free accepts what start refused. */
int learn_adam_start(learn_adam *a, size_t n, double rate, double beta1, double beta2);
void learn_adam_free(learn_adam *a);

/* One step of x against the gradient g. */
void learn_adam_step(learn_adam *a, float *x, const float *g);

#endif
