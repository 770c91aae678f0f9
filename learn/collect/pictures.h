/*
 * pictures.h - pictures for the page: as the metric reads them, and named by their content.
 *
 * What is shown is made anew from decoded pixels, 8 bits of sRGB without tags: so people see
 * what is measured, and nothing else that a file may carry comes along.
 */
#ifndef COLLECT_PICTURES_H
#define COLLECT_PICTURES_H

#include <stdint.h>

#include "study.h"

typedef struct collect_picture {
    uint8_t *rgb; /* packed; to be freed */
    int width, height;
} collect_picture;

int collect_picture_read(collect_picture *out, const char *path, char why[LEARN_WHY]);

/* Into `folder` under a name of its own, which is returned. */
int collect_picture_write(const collect_picture *p, const char *folder,
                          char name[COLLECT_PICTURE + 1], char why[LEARN_WHY]);

/* In place: means of 4x4 blocks and noise of deviation 32, which nobody overlooks. */
void collect_picture_spoil(collect_picture *p, uint64_t seed, uint64_t key);

#endif
