/*
 * clip.h - where pictures come from: a picture, a video, or a folder of pictures that are the
 * frames of a clip in natural order of their names (1, 2, 10).
 */
#ifndef DISTORT_CLIP_H
#define DISTORT_CLIP_H

#include "distort.h"

/* A frame as packed RGB and those around it, valid during the call. */
typedef struct distort_frame {
    int64_t number; /* from 0 */
    int width, height;
    const uint8_t *rgb;
    distort_neighbours near; /* x and y are 0 */
} distort_frame;

/* How many frames there are, all of which are decoded; -1 and why. */
int64_t distort_clip_count(const char *path, char why[LEARN_WHY]);

/* Hands out the frames of the numbers given, which rise; one that the clip lacks is an error,
 * and so is a change of size. Ends early with what `visit` returns where that is not 0. */
int distort_clip_read(const char *path, const int64_t *numbers, size_t n,
                      int (*visit)(void *context, const distort_frame *f,
                                   char why[LEARN_WHY]),
                      void *context, char why[LEARN_WHY]);

#endif
