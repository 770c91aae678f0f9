/*
 * opinions.h - pairs of pictures and what people thought of them, from a CSV file.
 */
#ifndef LEARN_OPINIONS_H
#define LEARN_OPINIONS_H

#include "measure.h"

typedef enum learn_direction {
    LEARN_UNKNOWN,
    LEARN_HIGHER, /* is better: mean opinion scores */
    LEARN_LOWER   /* is better: differences of them */
} learn_direction;

typedef struct learn_opinions {
    size_t n;
    learn_case *pairs; /* reference, other[0] */
    double *scores;
    learn_direction direction; /* what the name of the column says */
} learn_opinions;

/*
 * The first line names the columns, in any order and case: reference, distorted, and mos
 * (higher is better), dmos (lower is better) or score (it does not say); others are passed
 * over.  Names are relative to `folder`, NULL: to that of the file.  Pictures are not opened.
 */
int learn_opinions_read(learn_opinions *out, const char *path, const char *folder,
                        char why[LEARN_WHY]);
void learn_opinions_free(learn_opinions *o);

#endif
