/*
 * crops.h - the pictures that a net is made from: crops of a folder's pictures.
 */
#ifndef LEARN_INIT_CROPS_H
#define LEARN_INIT_CROPS_H

#include <stdint.h>

#include "../learn.h"
#include "init.h"

typedef struct learn_crops {
    const char *folder;
    int count, size; /* of square crops; pictures that are smaller give less */
    int least;       /* pixels, shortest side of use */
    uint64_t seed;
    int pictures; /* out: how many were used */
    int skipped;  /* out: how many could not be read or are too small */
} learn_crops;

/*
 * crops->count maps, each from another picture of the folder as long as there are others,
 * as the nets' scaling layer leaves them: (2 v - 1 - shift) / scale, v of 0..1.  What is no
 * picture is passed over.  Returns 0, or -1 and why.  Free with learn_crops_free() in any
 * case.
 */
int learn_crops_read(learn_map *maps, learn_crops *crops, char why[LEARN_WHY]);
void learn_crops_free(learn_map *maps, int count);

#endif
