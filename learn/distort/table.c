/*
 * table.c - all distortions, and how they are asked for.
 */
#include "internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const distort_kind distort_kinds[] = {
    {"lightness", DISTORT_PHOTOMETRIC, 0, 40, DISTORT_EVEN, "L*",
     "all lightness up or down, in CIE Lab", distort_lightness, NULL},
    {"colour", DISTORT_PHOTOMETRIC, 0, 50, DISTORT_EVEN, "a*b*",
     "all colours shifted one way, in CIE Lab", distort_colour, NULL},
    {"contrast", DISTORT_PHOTOMETRIC, 0, 2, DISTORT_EVEN, "octaves",
     "lightness stretched or squeezed about its mean, in CIE Lab", distort_contrast, NULL},
    {"saturation", DISTORT_PHOTOMETRIC, 0, 1, DISTORT_EVEN, "of chroma",
     "chroma added or taken away, in CIE Lab", distort_saturation, NULL},
    {"uniform-noise", DISTORT_NOISE, 0, 50, DISTORT_EVEN, "levels",
     "white noise, evenly distributed", distort_uniform_noise, NULL},
    {"white-noise", DISTORT_NOISE, 0, 50, DISTORT_EVEN, "levels", "white Gaussian noise",
     distort_white_noise, NULL},
    {"pink-noise", DISTORT_NOISE, 0, 50, DISTORT_EVEN, "levels",
     "Gaussian noise, power as 1/f", distort_pink_noise, NULL},
    {"blue-noise", DISTORT_NOISE, 0, 50, DISTORT_EVEN, "levels", "Gaussian noise, power as f",
     distort_blue_noise, NULL},
    {"coloured-noise", DISTORT_NOISE, 0, 50, DISTORT_EVEN, "levels",
     "Gaussian noise, power between violet's f^2 and brown's 1/f^2", distort_coloured_noise,
     NULL},
    {"checkerboard", DISTORT_NOISE, 0, 40, DISTORT_EVEN, "levels",
     "squares of 1, 2 or 4 pixels up and down", distort_checkerboard, NULL},
    {"gaussian-blur", DISTORT_BLUR, 0, 5, DISTORT_EVEN, "pixels", "deviation of the kernel",
     distort_gaussian_blur, NULL},
    {"bilateral", DISTORT_BLUR, 0, 50, DISTORT_EVEN, "Lab",
     "smoothing that keeps edges above this", distort_bilateral, NULL},
    {"shift", DISTORT_SPATIAL, 0, 12, DISTORT_EVEN, "pixels", "moved by whole pixels",
     distort_shift, NULL},
    {"affine", DISTORT_SPATIAL, 0, 40, DISTORT_EVEN, "%", "turned, stretched and sheared",
     distort_affine, NULL},
    {"homography", DISTORT_SPATIAL, 0, 20, DISTORT_EVEN, "%",
     "corners pulled, lines kept straight", distort_homography, NULL},
    {"linear-warp", DISTORT_SPATIAL, 0, 10, DISTORT_EVEN, "%",
     "5x5 knots pulled, linear between", distort_linear_warp, NULL},
    {"cubic-warp", DISTORT_SPATIAL, 0, 10, DISTORT_EVEN, "%",
     "5x5 knots pulled, cubic between", distort_cubic_warp, NULL},
    {"ghosting", DISTORT_SPATIAL, 0, 0.5, DISTORT_EVEN, "of it",
     "the picture again, 8 pixels away", distort_ghosting, NULL},
    {"chromatic-aberration", DISTORT_SPATIAL, 0, 15, DISTORT_EVEN, "%",
     "red enlarged and blue reduced, or the other way", distort_aberration, NULL},
    {"jpeg", DISTORT_COMPRESSION, 95, 3, DISTORT_WHOLE, "quality", "JPEG by libjpeg, 4:2:0",
     distort_jpeg, NULL},
    {"bicubic", DISTORT_SUPERRES, 2, 4, DISTORT_WHOLE, "times",
     "reduced, enlarged by libavfilter's scale", distort_bicubic, NULL},
    {"lanczos", DISTORT_SUPERRES, 2, 4, DISTORT_WHOLE, "times",
     "reduced, enlarged by libavfilter's scale", distort_lanczos, NULL},
    {"hqx", DISTORT_SUPERRES, 2, 4, DISTORT_WHOLE, "times",
     "reduced, enlarged by libavfilter's hqx", distort_hqx, NULL},
    {"xbr", DISTORT_SUPERRES, 2, 4, DISTORT_WHOLE, "times",
     "reduced, enlarged by libavfilter's xbr", distort_xbr, NULL},
    {"super2xsai", DISTORT_SUPERRES, 2, 4, DISTORT_DOUBLING, "times",
     "reduced, enlarged by libavfilter's super2xsai, once or twice", distort_super2xsai,
     NULL},
    {"unsharp", DISTORT_DEBLUR, 0.5, 4, DISTORT_EVEN, "pixels",
     "blurred, sharpened by libavfilter's unsharp", distort_unsharp, NULL},
    {"deconvolution", DISTORT_DEBLUR, 0.5, 4, DISTORT_EVEN, "pixels",
     "blurred, undone by libavfilter's deconvolve", distort_deconvolution, NULL},
    {"minterpolate", DISTORT_FRAMEINTERP, 1, DISTORT_REACH, DISTORT_WHOLE, "frames",
     "neighbours so far away, by libavfilter's minterpolate", distort_minterpolate, NULL},
    {"blend", DISTORT_FRAMEINTERP, 1, DISTORT_REACH, DISTORT_WHOLE, "frames",
     "the mean of neighbours so far away", distort_blend, NULL},
    {"repeat", DISTORT_FRAMEINTERP, 1, DISTORT_REACH, DISTORT_WHOLE, "frames",
     "the neighbour so far before", distort_repeat, NULL},
    {.name = NULL},
};

/* The official data set has one folder for all of the paper's table. */
static const struct {
    const char *name, *subset;
} families[DISTORT_FAMILIES] = {
    {"photometric", "traditional"}, {"noise", "traditional"},
    {"blur", "traditional"},        {"spatial", "traditional"},
    {"compression", "traditional"}, {"cnn", "cnn"},
    {"superres", "superres"},       {"deblur", "deblur"},
    {"frameinterp", "frameinterp"},
};

const char *distort_family_name(distort_family f)
{
    return families[f].name;
}

const char *distort_family_subset(distort_family f)
{
    return families[f].subset;
}

const distort_kind *distort_find(const distort_kind *kinds, const char *name)
{
    for (const distort_kind *k = kinds; k->name; k++)
        if (!strcmp(k->name, name))
            return k;
    return NULL;
}

double distort_amount(const distort_kind *kind, double strength)
{
    if (kind->scale == DISTORT_DOUBLING)
        return exp2(rint(log2(kind->low) + strength * log2(kind->high / kind->low)));
    strength = kind->low + strength * (kind->high - kind->low);
    return kind->scale == DISTORT_WHOLE ? rint(strength) : strength;
}

/* ---- asking -------------------------------------------------------------------------- */

static int parse_step(distort_spec *spec, const distort_kind *kinds, const char *text,
                      size_t length, char why[LEARN_WHY])
{
    char part[DISTORT_SPEC], *colon, *end;
    double strength = 0.5;

    if (length >= sizeof part)
        return learn_fail(why, "\"%.40s...\" is too long for a distortion", text);
    memcpy(part, text, length);
    part[length] = 0;
    colon = strchr(part, ':');
    if (colon) {
        *colon = 0;
        strength = strtod(colon + 1, &end);
        if (end == colon + 1 || *end || !(strength >= 0 && strength <= 1))
            return learn_fail(why, "\"%s\" is no strength of %s: give a number from 0 to 1",
                              colon + 1, part);
    }
    spec->kind[spec->n] = distort_find(kinds, part);
    if (!spec->kind[spec->n])
        return learn_fail(
            why, "there is no distortion \"%s\": `lpips-learn distort list` has all%s", part,
            strncmp(part, "cnn-", 4) ? "" : ", with --networks those that learnt");
    spec->strength[spec->n++] = strength;
    return 0;
}

int distort_parse(distort_spec *spec, const distort_kind *kinds, const char *text,
                  char why[LEARN_WHY])
{
    spec->n = 0;
    for (const char *at = text;;) {
        const size_t length = strcspn(at, "+");

        if (spec->n == DISTORT_STEPS)
            return learn_fail(why, "\"%.80s\": at most %d distortions follow each other",
                              text, DISTORT_STEPS);
        if (parse_step(spec, kinds, at, length, why) < 0)
            return -1;
        if (spec->n > 1 && spec->kind[spec->n - 1]->family == DISTORT_FRAMEINTERP)
            return learn_fail(why, "%s makes its picture of the neighbours: put it first",
                              spec->kind[spec->n - 1]->name);
        if (!at[length])
            return 0;
        at += length + 1;
    }
}

void distort_print(const distort_spec *spec, char text[DISTORT_SPEC])
{
    int at = 0;

    for (int i = 0; i < spec->n; i++)
        at += snprintf(text + at, (size_t)(DISTORT_SPEC - at), "%s%s:%.4f", i ? "+" : "",
                       spec->kind[i]->name, spec->strength[i]);
}

/* ---- doing --------------------------------------------------------------------------- */

/* One that comes twice has other numbers the second time. */
static void start(distort_job *job, const distort_spec *spec, int i, uint64_t seed)
{
    uint64_t times = 0;

    for (int k = 0; k < i; k++)
        times += spec->kind[k] == spec->kind[i];
    job->kind = spec->kind[i];
    learn_random_start(&job->random, seed, learn_random_key(times, spec->kind[i]->name));
    job->amount = distort_amount(spec->kind[i], spec->strength[i]);
}

int distort_apply(const distort_spec *spec, uint8_t *out, const uint8_t *in, int width,
                  int height, const distort_neighbours *near, uint64_t seed,
                  char why[LEARN_WHY])
{
    const size_t bytes = 3 * (size_t)width * (size_t)height;
    distort_job job = {.in = in, .out = out, .width = width, .height = height, .near = near};
    uint8_t *between = spec->n > 1 ? malloc(bytes) : NULL;
    int status = 0;

    if (spec->n > 1 && !between)
        return learn_no_memory(why);
    for (int i = 0; i < spec->n && !status; i++) {
        if (i) {
            memcpy(between, out, bytes);
            job.in = between;
        }
        start(&job, spec, i, seed);
        status = spec->kind[i]->apply(&job, why);
    }
    free(between);
    return status;
}
