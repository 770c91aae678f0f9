/*
 * internal.h - what the files of media/ share.
 */
#ifndef MEDIA_INTERNAL_H
#define MEDIA_INTERNAL_H

#include "media.h"

#include <stdio.h>

#include <libswscale/swscale.h>

/* More pixels than this are taken for damage: 16384 x 16384. */
#define MEDIA_MAX_PIXELS ((int64_t)1 << 28)

/* Writes the sentence and returns -1. */
int media_fail(char why[MEDIA_WHY], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- png.c ------------------------------------------------------------------ */

/* A file that is a PNG of one picture, at its beginning, and its size; NULL for all others:
 * APNG with more is libavformat's, and so is what can be read but once, as pipes. */
FILE *media_png_open(const char *path, int64_t *bytes);

/* Closes the file; path is for what is said. */
int media_png_read(AVFrame **out, FILE *file, const char *path, char why[MEDIA_WHY]);

/* ---- convert.c -------------------------------------------------------------- */

/* Frames in formats that liblpips does not read as they lie, in the nearest that it does. */
typedef struct media_convert {
    struct SwsContext *sws;
    AVFrame *frame;
    int width, height, format; /* that sws was made for */
} media_convert;

/* *out is `frame` itself where it can be read, or else stays c's until the next call. */
int media_convert_frame(media_convert *c, const AVFrame *frame, const AVFrame **out,
                        char why[MEDIA_WHY]);

void media_convert_free(media_convert *c);

#endif
