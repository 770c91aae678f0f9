/*
 * internal.h - what the distortions share: planes of doubles, sampling, filters.
 *
 * Planes are width * height values one after another, R, G and B or whatever the caller made
 * of them. They are 0..255 where they are samples.
 */
#ifndef DISTORT_INTERNAL_H
#define DISTORT_INTERNAL_H

#include <stddef.h>

#include "distort.h"

/* ---- table.c's functions, by family ----------------------------------------- */

int distort_lightness(distort_job *job, char why[LEARN_WHY]);
int distort_colour(distort_job *job, char why[LEARN_WHY]);
int distort_contrast(distort_job *job, char why[LEARN_WHY]);
int distort_saturation(distort_job *job, char why[LEARN_WHY]);

int distort_uniform_noise(distort_job *job, char why[LEARN_WHY]);
int distort_white_noise(distort_job *job, char why[LEARN_WHY]);
int distort_pink_noise(distort_job *job, char why[LEARN_WHY]);
int distort_blue_noise(distort_job *job, char why[LEARN_WHY]);
int distort_coloured_noise(distort_job *job, char why[LEARN_WHY]);
int distort_checkerboard(distort_job *job, char why[LEARN_WHY]);

int distort_gaussian_blur(distort_job *job, char why[LEARN_WHY]);
int distort_bilateral(distort_job *job, char why[LEARN_WHY]);

int distort_shift(distort_job *job, char why[LEARN_WHY]);
int distort_affine(distort_job *job, char why[LEARN_WHY]);
int distort_homography(distort_job *job, char why[LEARN_WHY]);
int distort_linear_warp(distort_job *job, char why[LEARN_WHY]);
int distort_cubic_warp(distort_job *job, char why[LEARN_WHY]);
int distort_ghosting(distort_job *job, char why[LEARN_WHY]);
int distort_aberration(distort_job *job, char why[LEARN_WHY]);

int distort_jpeg(distort_job *job, char why[LEARN_WHY]);

int distort_bicubic(distort_job *job, char why[LEARN_WHY]);
int distort_lanczos(distort_job *job, char why[LEARN_WHY]);
int distort_hqx(distort_job *job, char why[LEARN_WHY]);
int distort_xbr(distort_job *job, char why[LEARN_WHY]);
int distort_super2xsai(distort_job *job, char why[LEARN_WHY]);

int distort_unsharp(distort_job *job, char why[LEARN_WHY]);
int distort_deconvolution(distort_job *job, char why[LEARN_WHY]);

int distort_minterpolate(distort_job *job, char why[LEARN_WHY]);
int distort_blend(distort_job *job, char why[LEARN_WHY]);
int distort_repeat(distort_job *job, char why[LEARN_WHY]);

/* ---- planes.c ------------------------------------------------------------------ */

#define DISTORT_TURN 6.28318530717958647692

static inline size_t distort_pixels(const distort_job *job)
{
    return (size_t)job->width * (size_t)job->height;
}

/* n blocks of doubles as large as the picture; NULL and why. */
double *distort_room(const distort_job *job, size_t n, char why[LEARN_WHY]);

/* A picture as three planes; NULL and why. */
double *distort_planes(const distort_job *job, char why[LEARN_WHY]);

/* Rounded to the nearest of 0..255. */
uint8_t distort_round(double sample);

/* Three planes, rounded, to job->out. */
void distort_store(distort_job *job, const double *planes);

/* What lies at i in a row of n that is mirrored at its ends. */
int distort_mirror(int i, int n);

/* The part of a picture `stride` pixels wide that begins at x, y. */
void distort_crop(uint8_t *out, const uint8_t *rgb, int stride, int x, int y, int width,
                  int height);

/* ---- lab.c: CIE 1976 L*a*b* of sRGB samples 0..255, white D65 -------------------- */

void distort_to_lab(const double rgb[3], double lab[3]);

/* Colours beyond sRGB are cut to 0..255, sample by sample. */
void distort_from_lab(const double lab[3], double rgb[3]);

/* ---- noise.c --------------------------------------------------------------------- */

/* Gaussian noise of deviation 1 and mean 0, exactly so over the plane, whose power falls with
 * the frequency f (in cycles a pixel, any direction) as f^-slope: violet -2, blue -1, white
 * 0, pink 1, brown 2. */
int distort_spectrum(double *plane, int width, int height, double slope, learn_random *random,
                     char why[LEARN_WHY]);

/* ---- blur.c ---------------------------------------------------------------------- */

/* n planes, by exp(-r^2 / 2 sigma^2) out to 4 sigma, weights of sum 1. */
int distort_gaussian(double *planes, size_t n, int width, int height, double sigma,
                     char why[LEARN_WHY]);

/* ---- spatial.c ------------------------------------------------------------------- */

/* Where the output's pixel x, y comes from; the centre of the first pixel is 0, 0. */
typedef void distort_map(const void *how, double x, double y, double from[2]);

/* Sampled by Keys' cubic convolution (1981), a = -1/2, which is exact for polynomials of
 * degree 2. */
void distort_warp(distort_job *job, distort_map *map, const void *how);

/* A map by a matrix, row by row, of homogeneous coordinates. */
distort_map distort_by_matrix;

/* The matrix that takes the corners of a picture (its outer pixels' centres; upper left,
 * upper right, lower right, lower left) to four points, no three of which lie on a line. */
void distort_corners_matrix(double matrix[9], int width, int height, const double to[4][2]);

/* ---- jpeg.c ---------------------------------------------------------------------- */

/* Baseline JPEG by libjpeg at its quality 1..100, chroma halved both ways; free() the data.
 */
int distort_jpeg_encode(uint8_t **data, size_t *size, const uint8_t *rgb, int width,
                        int height, int quality, char why[LEARN_WHY]);
int distort_jpeg_decode(uint8_t *rgb, int width, int height, const uint8_t *data, size_t size,
                        char why[LEARN_WHY]);

/* ---- lavfi.c --------------------------------------------------------------------- */

typedef struct distort_input {
    int width, height, n;
    const uint8_t *frames[4]; /* packed RGB, shown a second after each other */
} distort_input;

typedef struct distort_graph {
    /* As FFmpeg takes it, "[in0][in1]name=option"; the last filter has one output, no name.
     */
    const char *text;
    /* Filters get green, blue and red as what they take for Y, U and V at full resolution, so
     * that no colour is converted; or else packed RGB. */
    bool planar;
    int inputs;
    distort_input input[2];
    int take; /* which frame of the output is kept, from 0 */
} distort_graph;

/* Keeps the upper left width x height of the output, which must not be smaller. */
int distort_filter(const distort_graph *graph, uint8_t *out, int width, int height,
                   char why[LEARN_WHY]);

#endif
