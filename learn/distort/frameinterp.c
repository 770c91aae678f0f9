/*
 * frameinterp.c - a frame made of its neighbours in the clip.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* The frames as far before and after as the amount says; -1 and why. */
static int neighbours(const distort_job *job, const uint8_t *frame[2], char why[LEARN_WHY])
{
    const int far = (int)job->amount;

    if (!job->near)
        return learn_fail(why, "frame interpolation needs a clip, and this is one picture: "
                               "give a video or a folder of numbered pictures");
    frame[0] = job->near->before[far - 1];
    frame[1] = job->near->after[far - 1];
    if (!frame[0] || !frame[1])
        return learn_fail(why,
                          "frame interpolation of this strength needs %d frame%s before and "
                          "after, and the clip ends sooner: choose another frame or a lower "
                          "strength",
                          far, far > 1 ? "s" : "");
    return 0;
}

/* The part of a whole frame where the picture lies. */
static void cut(const distort_job *job, uint8_t *out, const uint8_t *frame)
{
    distort_crop(out, frame, job->near->width, job->near->x, job->near->y, job->width,
                 job->height);
}

int distort_repeat(distort_job *job, char why[LEARN_WHY])
{
    const uint8_t *frame[2];

    if (neighbours(job, frame, why) < 0)
        return -1;
    cut(job, job->out, frame[0]);
    return 0;
}

/* Halves are rounded up, as `lpips report` does. */
int distort_blend(distort_job *job, char why[LEARN_WHY])
{
    const size_t bytes = 3 * distort_pixels(job);
    const uint8_t *frame[2];
    uint8_t *after;

    if (neighbours(job, frame, why) < 0)
        return -1;
    after = malloc(bytes);
    if (!after)
        return learn_no_memory(why);
    cut(job, job->out, frame[0]);
    cut(job, after, frame[1]);
    for (size_t i = 0; i < bytes; i++)
        job->out[i] = (uint8_t)((job->out[i] + after[i] + 1) >> 1);
    free(after);
    return 0;
}

/* Motion is estimated on green, over the whole frames. The filter looks at two frames on each
 * side: it gets either one twice, a second apart, and is asked for twice the rate. Its search
 * is the one that found the most of shifts of 4 to 32 pixels. */
int distort_minterpolate(distort_job *job, char why[LEARN_WHY])
{
    const distort_neighbours *n = job->near;
    distort_graph g = {.text = "[in0]minterpolate=fps=2:mi_mode=mci:mc_mode=aobmc:me_mode="
                               "bilat:me=umh:mb_size=8:scd=none",
                       .planar = true,
                       .inputs = 1,
                       .take = 3};
    const uint8_t *frame[2];
    uint8_t *whole;
    int status = -1;

    if (neighbours(job, frame, why) < 0)
        return -1;
    whole = malloc(3 * (size_t)n->width * (size_t)n->height);
    if (!whole)
        return learn_no_memory(why);
    g.input[0] =
        (distort_input){n->width, n->height, 4, {frame[0], frame[0], frame[1], frame[1]}};
    status = distort_filter(&g, whole, n->width, n->height, why);
    if (!status)
        cut(job, job->out, whole);
    free(whole);
    return status;
}
