/*
 * data.h - the judged trials that training sees.
 */
#ifndef TRAIN_DATA_H
#define TRAIN_DATA_H

#include <stdint.h>

#include "data/bapps.h"

typedef struct train_data {
    learn_bapps bapps;
    int size; /* pixels a side */
    size_t n;
    struct train_item *items;
    uint64_t mark; /* of names and judgements: other data have another */
    size_t kept;   /* bytes of pictures kept in memory */
} train_data;

/* The 2AFC trials in and below the folders; split as in learn_bapps_open().  Pictures are
 * brought to `size` pixels a side as the official loader does. */
int train_data_open(train_data *d, char *const *folders, size_t n, learn_split split,
                    int size, char why[LEARN_WHY]);
void train_data_close(train_data *d);

/* The fraction that preferred p1. */
double train_data_judge(const train_data *d, size_t i);

/* Bytes of a trial's reference, p0 and p1, one after the other: packed 8-bit RGB. */
static inline size_t train_data_bytes(const train_data *d)
{
    return 9 * (size_t)d->size * (size_t)d->size;
}

/* Copies them to rgb.  They stay in memory as long as there is room: files are read once. */
int train_data_pictures(train_data *d, size_t i, uint8_t *rgb, char why[LEARN_WHY]);

#endif
