/*
 * ref.h - LPIPS a second time: plain loops in double, layer by layer, whole pictures.
 *
 * Shares nothing with the library but the loaded tensors, asked for by name; the order of
 * layers, paddings and taps is written down here once more.
 */
#ifndef LPIPS_TESTS_REF_H
#define LPIPS_TESTS_REF_H

#include "../core/model.h"

/* Code values 0..1, three planes of width * height, R first. */
typedef struct ref_picture {
    int width, height;
    double *rgb;
} ref_picture;

/* Where a ReLU or a maximum chooses: which input it took (of a ReLU, 1: the positive one),
 * and how far that is from taking another, by the deviation of the layer's inputs. */
typedef struct ref_choice {
    int taken;
    double margin;
} ref_choice;

typedef struct ref_result {
    double distance;
    int layers;
    double layer[LPIPS_MAX_LAYERS];
    int width[LPIPS_MAX_LAYERS], height[LPIPS_MAX_LAYERS];
    double *low[LPIPS_MAX_LAYERS]; /* a tap's distances at its own size */
    double *map[LPIPS_MAX_LAYERS]; /* enlarged to the picture's size; NULL without maps */
    double *total;
    ref_choice *choice; /* of the first picture, layer by layer, with REF_WANT_CHOICES */
    size_t choices;
} ref_result;

#define REF_WANT_CHOICES (1u << 16)

/* Packed 8-bit RGB to planes; free with ref_picture_free(). */
ref_picture ref_picture_u8(const uint8_t *rgb, int width, int height);
void ref_picture_free(ref_picture *p);

/* flags: LPIPS_NO_LIN, LPIPS_RANGE_0_1, LPIPS_WANT_MAP, REF_WANT_CHOICES.  Works on the two
 * pictures in two threads; aborts without memory. */
void ref_lpips(const lpips_weights *w, const ref_picture *a, const ref_picture *b,
               unsigned flags, ref_result *r);
void ref_result_free(ref_result *r);

#endif
