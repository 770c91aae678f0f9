/*
 * photometric.c - lightness, colour, contrast and saturation, in CIE Lab.
 */
#include "internal.h"

#include <math.h>
#include <stdlib.h>

/* Lab times gain plus offset, about a centre. */
typedef struct change {
    double centre[3], gain[3], offset[3];
} change;

static const change none = {.gain = {1, 1, 1}};

static void apply(distort_job *job, const change *c)
{
    for (size_t i = 0; i < distort_pixels(job); i++) {
        double rgb[3], lab[3];

        for (int k = 0; k < 3; k++)
            rgb[k] = job->in[3 * i + (size_t)k];
        distort_to_lab(rgb, lab);
        for (int k = 0; k < 3; k++)
            lab[k] = (lab[k] - c->centre[k]) * c->gain[k] + c->centre[k] + c->offset[k];
        distort_from_lab(lab, rgb);
        for (int k = 0; k < 3; k++)
            job->out[3 * i + (size_t)k] = distort_round(rgb[k]);
    }
}

/* 1 or -1, as the seed has it. */
static double side(distort_job *job)
{
    return learn_random_below(&job->random, 2) ? 1 : -1;
}

static double mean_lightness(const distort_job *job)
{
    const size_t n = distort_pixels(job);
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        const double rgb[3] = {job->in[3 * i], job->in[3 * i + 1], job->in[3 * i + 2]};
        double lab[3];

        distort_to_lab(rgb, lab);
        sum += lab[0];
    }
    return sum / (double)n;
}

int distort_lightness(distort_job *job, char why[LEARN_WHY])
{
    change c = none;

    (void)why;
    c.offset[0] = side(job) * job->amount;
    apply(job, &c);
    return 0;
}

int distort_colour(distort_job *job, char why[LEARN_WHY])
{
    const double angle = learn_random_between(&job->random, 0, DISTORT_TURN);
    change c = none;

    (void)why;
    c.offset[1] = job->amount * cos(angle);
    c.offset[2] = job->amount * sin(angle);
    apply(job, &c);
    return 0;
}

int distort_contrast(distort_job *job, char why[LEARN_WHY])
{
    change c = none;

    (void)why;
    c.centre[0] = mean_lightness(job);
    c.gain[0] = exp2(side(job) * job->amount);
    apply(job, &c);
    return 0;
}

int distort_saturation(distort_job *job, char why[LEARN_WHY])
{
    change c = none;

    (void)why;
    c.gain[1] = c.gain[2] = 1 + side(job) * job->amount;
    apply(job, &c);
    return 0;
}
