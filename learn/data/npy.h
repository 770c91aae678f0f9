/*
 * npy.h - numpy's files of one array, as far as judgements need them: float32, rows first.
 *
 * The format is numpy's NEP 1 (numpy/lib/format.py): "\x93NUMPY", version, length of the
 * header, the header as a Python dictionary, the numbers.
 */
#ifndef LEARN_NPY_H
#define LEARN_NPY_H

#include <stddef.h>

#include "learn.h"

enum { LEARN_NPY_DIMS = 4, LEARN_NPY_MAX = 1 << 26 /* numbers */ };

typedef struct learn_npy {
    size_t shape[LEARN_NPY_DIMS];
    int dims;
    size_t n; /* numbers: the product of shape, 1 of no dimensions */
    float *values;
} learn_npy;

/*
 * An array from a file or from bytes in memory; `name` is what sentences call it.  Refused
 * is all but '<f4' in C order of at most LEARN_NPY_DIMS dimensions that fills the file to its
 * last byte.  Values are as they stand, NaN included.  learn_npy_free() in any case.
 */
int learn_npy_read(learn_npy *out, const char *path, char why[LEARN_WHY]);
int learn_npy_parse(learn_npy *out, const char *name, const void *data, size_t size,
                    char why[LEARN_WHY]);
void learn_npy_free(learn_npy *a);

/* The bytes numpy.save() would write, whole or not at all. */
int learn_npy_write(const char *path, const float *values, const size_t *shape, int dims,
                    char why[LEARN_WHY]);

#endif
