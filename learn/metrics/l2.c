/*
 * l2.c - differences of samples: L2 and PSNR.
 *
 * As lpips.L2, lpips.l2() and lpips.psnr() of the package lpips 0.1.4 (lpips/lpips.py and
 * lpips/__init__.py) have them.  In RGB the former is a mean of squares of samples in -1..1;
 * in Lab half the mean of squares of samples over 100.
 */
#include "metrics/room.h"

#include <math.h>

/* Mean of squares of differences of bytes; exact but for the division. */
static double mean_square(const learn_picture *a, const learn_picture *b)
{
    uint64_t sum = 0;

    for (int y = 0; y < a->height; y++) {
        const uint8_t *p = a->rgb + y * a->stride, *q = b->rgb + y * b->stride;

        for (size_t i = 0; i < 3 * (size_t)a->width; i++)
            sum += (uint64_t)((p[i] - q[i]) * (p[i] - q[i]));
    }
    return (double)sum / (3.0 * a->width * a->height);
}

LEARN_METRIC(l2_rgb)
{
    (void)room;
    *out = mean_square(a, b) / (127.5 * 127.5);
    return 0;
}

LEARN_METRIC(psnr)
{
    double mean = mean_square(a, b);

    (void)room;
    /* Equal pictures would be infinitely alike.  No pair that differs comes near 200 dB: the
     * largest with one sample a step off is at 150. */
    *out = mean > 0 ? 10 * log10(mean / (255 * 255)) : -200;
    return 0;
}

static int lab_distance(learn_metric_room *room, const double light[256],
                        const learn_picture *a, const learn_picture *b, double *out)
{
    size_t n = 3 * (size_t)a->width * (size_t)a->height;
    double *p = learn_room_doubles(room, 2 * n), *q = p + n, sum = 0;

    if (!p)
        return -1;
    learn_planes_lab(light, a, p);
    learn_planes_lab(light, b, q);
    for (size_t i = 0; i < n; i++)
        sum += (p[i] / 100 - q[i] / 100) * (p[i] / 100 - q[i] / 100);
    *out = 0.5 * sum / (double)n;
    return 0;
}

LEARN_METRIC(l2_lab)
{
    return lab_distance(room, room->light, a, b, out);
}

LEARN_METRIC(l2_official)
{
    return lab_distance(room, room->loaded, a, b, out);
}
