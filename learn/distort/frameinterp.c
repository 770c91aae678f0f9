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

static const uint8_t *row_of(const distort_job *job, const uint8_t *frame, int y)
{
    const distort_neighbours *n = job->near;

    return frame + 3 * ((size_t)(n->y + y) * (size_t)n->width + (size_t)n->x);
}

int distort_repeat(distort_job *job, char why[LEARN_WHY])
{
    const size_t bytes = 3 * (size_t)job->width;
    const uint8_t *frame[2];

    if (neighbours(job, frame, why) < 0)
        return -1;
    for (int y = 0; y < job->height; y++)
        memcpy(job->out + (size_t)y * bytes, row_of(job, frame[0], y), bytes);
    return 0;
}

/* Halves are rounded up, as `lpips report` does. */
int distort_blend(distort_job *job, char why[LEARN_WHY])
{
    const size_t bytes = 3 * (size_t)job->width;
    const uint8_t *frame[2];

    if (neighbours(job, frame, why) < 0)
        return -1;
    for (int y = 0; y < job->height; y++) {
        const uint8_t *a = row_of(job, frame[0], y), *b = row_of(job, frame[1], y);

        for (size_t i = 0; i < bytes; i++)
            job->out[(size_t)y * bytes + i] = (uint8_t)((a[i] + b[i] + 1) >> 1);
    }
    return 0;
}

/* Motion is estimated on green, over the whole frames. The filter looks at two frames on each
 * side: it gets either one twice, a second apart, and is asked for twice the rate. */
int distort_minterpolate(distort_job *job, char why[LEARN_WHY])
{
    const distort_neighbours *n = job->near;
    distort_graph g = {.text = "[in0]minterpolate=fps=2:mi_mode=mci:mc_mode=aobmc:"
                               "me_mode=bidir:vsbmc=1:scd=none[out]",
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
    for (int y = 0; y < job->height && !status; y++)
        memcpy(job->out + 3 * (size_t)y * (size_t)job->width, row_of(job, whole, y),
               3 * (size_t)job->width);
    free(whole);
    return status;
}
