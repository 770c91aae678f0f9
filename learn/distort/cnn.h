/*
 * cnn.h - distortions by small networks: made by `distort train`, kept in a folder, and from
 * then on kinds as any other.
 */
#ifndef DISTORT_CNN_H
#define DISTORT_CNN_H

#include "distort.h"
#include "generator/fit.h"

/* What a network was made from: the same of all is the same network. */
typedef struct distort_cnn_origin {
    uint64_t seed, number, pictures; /* pictures: a mark of their bytes */
    int steps;
} distort_cnn_origin;

typedef struct distort_cnn {
    generator_fitted fitted;
    distort_cnn_origin origin;
    uint64_t mark; /* of the parameters' bits */
    char name[40], text[320];
} distort_cnn;

/* cnn.c: the corruption of a design; distort_kind.apply, whose kind has a distort_cnn. */
int distort_cnn_corrupt(const generator_design *d, double *planes, int width, int height,
                        learn_random *random, char why[LEARN_WHY]);
int distort_cnn_apply(distort_job *job, char why[LEARN_WHY]);

/* cnn_file.c: NNN.safetensors in a folder. */
int distort_cnn_write(const distort_cnn *c, const char *folder, const char *name,
                      char why[LEARN_WHY]);

/* Free c in any case. */
int distort_cnn_read(distort_cnn *c, const char *folder, const char *name,
                     char why[LEARN_WHY]);
void distort_cnn_free(distort_cnn *c);

/* A mark of n bytes: FNV-1a, for telling files apart. */
uint64_t distort_cnn_mark(const void *bytes, size_t n);

#endif
