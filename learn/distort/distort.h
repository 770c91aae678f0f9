/*
 * distort.h - pictures made worse: the distortions of the paper's table 2, and the real
 * algorithms that open filters carry.
 *
 * Every distortion has a name, one strength in 0..1 and a seed. The strength stands for a
 * quantity of its own (a deviation, a factor, a quality) that goes from `low` at 0 to `high`
 * at 1, and more of it is never less harm. What is random comes from the seed and the
 * distortion's name alone, so that the same seed gives the same bytes anywhere, and another
 * strength the same direction, the same noise.
 *
 * Pictures are packed 8-bit RGB, sRGB. Lengths are in pixels, or in per cent of the shorter
 * side where the table says so; they were chosen for patches of 64x64. Beyond its edges a
 * picture goes on as its mirror image, the edge pixel twice.
 */
#ifndef LEARN_DISTORT_H
#define LEARN_DISTORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "learn.h"
#include "random.h"

typedef enum distort_family {
    DISTORT_PHOTOMETRIC,
    DISTORT_NOISE,
    DISTORT_BLUR,
    DISTORT_SPATIAL,
    DISTORT_COMPRESSION,
    DISTORT_CNN,
    DISTORT_SUPERRES,
    DISTORT_DEBLUR,
    DISTORT_FRAMEINTERP,
    DISTORT_FAMILIES
} distort_family;

/* "photometric"; the folder of BAPPS that it belongs to, "traditional". */
const char *distort_family_name(distort_family f);
const char *distort_family_subset(distort_family f);

/* How the quantity follows the strength. */
typedef enum distort_scale {
    DISTORT_EVEN,    /* in proportion */
    DISTORT_WHOLE,   /* in proportion, rounded to a whole number */
    DISTORT_DOUBLING /* the power of two whose exponent is in proportion, rounded */
} distort_scale;

enum { DISTORT_REACH = 4 };

/* What stands before and after a picture of a clip, for interpolation: whole frames of one
 * size in which the picture lies at x, y. before[0] is the frame next to it, before[1] the
 * one before that; NULL where the clip has none. */
typedef struct distort_neighbours {
    int width, height, x, y;
    const uint8_t *before[DISTORT_REACH], *after[DISTORT_REACH];
} distort_neighbours;

typedef struct distort_kind distort_kind;

typedef struct distort_job {
    const distort_kind *kind;
    const uint8_t *in; /* 3 * width bytes a row */
    uint8_t *out;      /* the same size, another block */
    int width, height;
    const distort_neighbours *near; /* NULL: the picture is not of a clip */
    double amount;                  /* of the kind's quantity */
    learn_random random;
} distort_job;

struct distort_kind {
    const char *name;
    distort_family family;
    double low, high;
    distort_scale scale;
    const char *unit, *text; /* for people: of the quantity, and what is done */
    int (*apply)(distort_job *job, char why[LEARN_WHY]);
    const void *with; /* of CNN: its network (cnn.h) */
};

/* table.c: those that need no network, by family; ends with a name that is NULL. */
extern const distort_kind distort_kinds[];

/* A table such as that one, and what its kinds need. */
typedef struct distort_set {
    const distort_kind *kinds;
    struct distort_cnn *cnns;
    size_t n;
} distort_set;

/* set.c: all kinds; those of the networks in a folder (NULL: none) follow the others. Close
 * it in any case. */
int distort_set_open(distort_set *set, const char *networks, char why[LEARN_WHY]);
void distort_set_close(distort_set *set);

const distort_kind *distort_find(const distort_kind *kinds, const char *name);

double distort_amount(const distort_kind *kind, double strength);

enum { DISTORT_STEPS = 2, DISTORT_SPEC = 80 };

/* One distortion, or two, the second of what the first made. */
typedef struct distort_spec {
    int n;
    const distort_kind *kind[DISTORT_STEPS];
    double strength[DISTORT_STEPS];
} distort_spec;

/* "NAME[:STRENGTH][+NAME[:STRENGTH]]", of a set's kinds; a strength that is left out is 0.5.
 */
int distort_parse(distort_spec *spec, const distort_kind *kinds, const char *text,
                  char why[LEARN_WHY]);

/* The same in full, strengths to four decimals. */
void distort_print(const distort_spec *spec, char text[DISTORT_SPEC]);

/* out: as large as in, another block. near: of in, or NULL. */
int distort_apply(const distort_spec *spec, uint8_t *out, const uint8_t *in, int width,
                  int height, const distort_neighbours *near, uint64_t seed,
                  char why[LEARN_WHY]);

#endif
