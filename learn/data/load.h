/*
 * load.h - a picture of any format as packed 8-bit RGB.
 */
#ifndef LEARN_LOAD_H
#define LEARN_LOAD_H

#include "learn.h"
#include "picture.h"

/* The caller frees out->rgb.  A video is its first frame; colours are read by the file's own
 * tags, as the metric reads them. */
int learn_load(learn_picture *out, const char *path, char why[LEARN_WHY]);

/* The same reduced or enlarged so that the shorter side is `size` pixels, as the data set's
 * own loader does (torchvision's Resize over Pillow); 0: as it is. */
int learn_load_resized(learn_picture *out, const char *path, int size, char why[LEARN_WHY]);

#endif
