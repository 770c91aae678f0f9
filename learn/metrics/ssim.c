/*
 * ssim.c - structural similarity, of one scale and of several.
 *
 * Z. Wang, A. Bovik, H. Sheikh, E. Simoncelli: "Image quality assessment: from error
 * visibility to structural similarity", IEEE Trans. Image Processing 13 (2004), eq. 13:
 *
 *     (2 ma mb + C1) (2 vab + C2) / ((ma^2 + mb^2 + C1) (va + vb + C2)),
 *     C1 = (0.01 L)^2, C2 = (0.03 L)^2,
 *
 * means, variances and covariance below a window, averaged over all places where the window
 * lies within the picture.  Two windows:
 *
 * ssim-rgb, ssim-lab and ssim-official are lpips.dssim() of the package lpips 0.1.4, which
 * calls compare_ssim of scikit-image before 0.18 with its defaults: a square of 7 x 7,
 * variances divided by n - 1, each channel for itself and their mean; L is 255 in RGB and 100
 * in Lab, for a* and b* too.  Later scikit-images have it as
 * structural_similarity(channel_axis=-1).
 *
 * ssim and ms-ssim are those of piq 0.8.0 on luma, which follow the authors' Matlab files: a
 * Gaussian of 11 x 11, sigma 1.5, variances divided by n, L 255; ssim of pictures reduced so
 * that the shorter side is near 256.
 *
 * Z. Wang, E. Simoncelli, A. Bovik: "Multiscale structural similarity for image quality
 * assessment", Asilomar 2003, eq. 7: contrast and structure at five scales, luminance at the
 * last, each to its power.  At the fifth scale the window fits into pictures of 161 x 161 and
 * more; on smaller ones piq refuses and the authors' msssim.m gives minus infinity.  The
 * patches of BAPPS are 64 x 64, so here as many scales are taken as fit (1 from 11 pixels, 2
 * from 21, 3 from 41, 4 from 81), with the powers of these divided by their sum: what piq
 * gives when it is handed those powers.  Negative means count as 0, and odd sizes are
 * padded on the left and on top before they are halved, as in piq (msssim.m pads on the other
 * side).
 */
#include "metrics/room.h"

#include <math.h>
#include <string.h>

enum { MOST_TAPS = 11, MAPS = 5, MOST_SCALES = 5 };

typedef struct window {
    int taps;
    double weight[MOST_TAPS]; /* of a row and of a column; their sum is 1 */
    double variance;          /* what weighted variances are multiplied by */
    double c1, c2;
} window;

typedef struct means {
    double ssim, contrast; /* all of it; the second factor alone */
} means;

static window square_window(double range)
{
    window k = {7, {0}, 49.0 / 48, 1e-4 * range * range, 9e-4 * range * range};

    for (int i = 0; i < k.taps; i++)
        k.weight[i] = 1.0 / k.taps;
    return k;
}

static window gaussian_window(void)
{
    window k = {11, {0}, 1, 1e-4 * 255 * 255, 9e-4 * 255 * 255};
    double sum = 0;

    for (int i = 0; i < k.taps; i++)
        sum += k.weight[i] = exp(-(i - 5) * (i - 5) / (2 * 1.5 * 1.5));
    for (int i = 0; i < k.taps; i++)
        k.weight[i] /= sum;
    return k;
}

/* How many doubles compare() needs for pictures of that width. */
static size_t compare_needs(int width)
{
    return (MOST_TAPS + 1) * MAPS * (size_t)width;
}

/* One row of both pictures: a, b, aa, bb, ab, weighted along the row, n of each. */
static void filter_row(const window *k, const double *restrict a, const double *restrict b,
                       size_t n, double *restrict out)
{
    memset(out, 0, MAPS * n * sizeof *out);
    for (int t = 0; t < k->taps; t++, a++, b++) {
        double w = k->weight[t];

        for (size_t x = 0; x < n; x++) {
            out[x] += w * a[x];
            out[n + x] += w * b[x];
            out[2 * n + x] += w * (a[x] * a[x]);
            out[3 * n + x] += w * (b[x] * b[x]);
            out[4 * n + x] += w * (a[x] * b[x]);
        }
    }
}

/* One row of places: s is what filter_row() made, weighted along columns too. */
static void add_row(const window *k, const double *s, size_t n, means *sum)
{
    for (size_t x = 0; x < n; x++) {
        double a = s[x], b = s[n + x];
        double va = k->variance * (s[2 * n + x] - a * a);
        double vb = k->variance * (s[3 * n + x] - b * b);
        double vab = k->variance * (s[4 * n + x] - a * b);
        double contrast = (2 * vab + k->c2) / (va + vb + k->c2);

        sum->contrast += contrast;
        sum->ssim += (2 * (a * b) + k->c1) / (a * a + b * b + k->c1) * contrast;
    }
}

/* Two planes; rows: as many doubles as compare_needs() says. */
static means compare(const window *k, const double *a, const double *b, int width, int height,
                     double *rows)
{
    size_t n = (size_t)(width - k->taps + 1), size = MAPS * n;
    double *column = rows + MOST_TAPS * size;
    double places = (double)n * (height - k->taps + 1);
    means sum = {0, 0};

    for (int y = 0; y < height; y++, a += width, b += width) {
        filter_row(k, a, b, n, rows + (size_t)(y % k->taps) * size);
        if (y < k->taps - 1)
            continue;
        memset(column, 0, size * sizeof *column);
        for (int t = 0; t < k->taps; t++) {
            const double *row = rows + (size_t)((y + 1 + t) % k->taps) * size;

            for (size_t i = 0; i < size; i++)
                column[i] += k->weight[t] * row[i];
        }
        add_row(k, column, n, &sum);
    }
    return (means){sum.ssim / places, sum.contrast / places};
}

/* (1 - SSIM) / 2 over three planes of each picture. */
static double dssim(double range, const double *planes, int width, int height, double *rows)
{
    window k = square_window(range);
    size_t n = (size_t)width * (size_t)height;
    double sum = 0;

    for (int c = 0; c < 3; c++, planes += n)
        sum += compare(&k, planes, planes + 3 * n, width, height, rows).ssim;
    return (1 - sum / 3) / 2;
}

LEARN_METRIC(ssim_rgb)
{
    size_t n = 3 * (size_t)a->width * (size_t)a->height;
    double *planes = learn_room_doubles(room, 2 * n + compare_needs(a->width));

    if (!planes)
        return -1;
    learn_planes_rgb(a, planes);
    learn_planes_rgb(b, planes + n);
    *out = dssim(255, planes, a->width, a->height, planes + 2 * n);
    return 0;
}

static int lab_distance(learn_metric_room *room, const double light[256],
                        const learn_picture *a, const learn_picture *b, double *out)
{
    size_t n = 3 * (size_t)a->width * (size_t)a->height;
    double *planes = learn_room_doubles(room, 2 * n + compare_needs(a->width));

    if (!planes)
        return -1;
    learn_planes_lab(light, a, planes);
    learn_planes_lab(light, b, planes + n);
    *out = dssim(100, planes, a->width, a->height, planes + 2 * n);
    return 0;
}

LEARN_METRIC(ssim_lab)
{
    return lab_distance(room, room->light, a, b, out);
}

LEARN_METRIC(ssim_official)
{
    return lab_distance(room, room->loaded, a, b, out);
}

LEARN_METRIC(ssim)
{
    size_t n = (size_t)a->width * (size_t)a->height;
    double *planes = learn_room_doubles(room, 2 * n + compare_needs(a->width));
    int block = learn_planes_block(a->width, a->height), width, height;
    window k = gaussian_window();

    if (!planes)
        return -1;
    learn_planes_luma(a, planes);
    learn_planes_luma(b, planes + n);
    for (int i = 0; i < 2; i++) {
        width = a->width;
        height = a->height;
        learn_planes_pool(planes + (size_t)i * n, &width, &height, block, 0);
    }
    *out = 1 - compare(&k, planes, planes + n, width, height, planes + 2 * n).ssim;
    return 0;
}

static int scales_that_fit(int width, int height)
{
    int shorter = width < height ? width : height, scales = 1;

    while (scales < MOST_SCALES && shorter >= ((MOST_TAPS - 1) << scales) + 1)
        scales++;
    return scales;
}

LEARN_METRIC(ms_ssim)
{
    /* Of the paper, section 3.2.  All five add up to 1.0001 and are taken as they are. */
    static const double power[MOST_SCALES] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
    int scales = scales_that_fit(a->width, a->height), width = a->width, height = a->height;
    size_t n = (size_t)width * (size_t)height;
    double *planes = learn_room_doubles(room, 2 * n + compare_needs(width));
    double product = 1, sum = 0;
    window k = gaussian_window();

    if (!planes)
        return -1;
    for (int s = 0; s < scales; s++)
        sum += power[s];
    learn_planes_luma(a, planes);
    learn_planes_luma(b, planes + n);
    for (int s = 0; s < scales; s++) {
        means m = compare(&k, planes, planes + n, width, height, planes + 2 * n);
        double factor = s == scales - 1 ? m.ssim : m.contrast;
        int pad = width % 2 || height % 2, w = width, h = height;

        product *= pow(factor > 0 ? factor : 0, power[s] / (scales < MOST_SCALES ? sum : 1));
        learn_planes_pool(planes, &w, &h, 2, pad);
        learn_planes_pool(planes + n, &width, &height, 2, pad);
    }
    *out = 1 - product;
    return 0;
}
