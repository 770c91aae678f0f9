/*
 * l2.c - differences of samples: L2 and PSNR.
 *
 * As lpips.L2, lpips.l2() and lpips.psnr() of the package lpips 0.1.4 (lpips/lpips.py and
 * lpips/__init__.py) have them.  In RGB the former is a mean of squares of samples in -1..1;
 * in Lab half the mean of squares of samples over 100.
 *
 * The package takes tensors and truncates (x + 1) * 127.5 to bytes before it goes to Lab,
 * which makes 63 of the 256 bytes that its BAPPS loader yields, and 95 of those of its
 * im2tensor(), one less.  Here bytes stay what they are.
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
    /* Equal pictures would be infinitely alike.  No pair that differs comes near 200 dB:
     * 10^15 samples of which one is a step off are at 198. */
    *out = mean > 0 ? -10 * log10(255 * 255 / mean) : -200;
    return 0;
}

LEARN_METRIC(l2_lab)
{
    size_t n = 3 * (size_t)a->width * (size_t)a->height;
    double *p = learn_room_doubles(room, 2 * n), *q = p + n, sum = 0;

    if (!p)
        return -1;
    learn_planes_lab(room, a, p);
    learn_planes_lab(room, b, q);
    for (size_t i = 0; i < n; i++)
        sum += (p[i] / 100 - q[i] / 100) * (p[i] / 100 - q[i] / 100);
    *out = 0.5 * sum / (double)n;
    return 0;
}
