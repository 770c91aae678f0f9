/*
 * planes.c - pictures as planes of numbers; see room.h.
 */
#include "metrics/room.h"

#include <math.h>

/* Where row y of a picture begins, and where in a plane. */
static const uint8_t *row_of(const learn_picture *p, int y)
{
    return p->rgb + y * p->stride;
}

static size_t pixels(const learn_picture *p)
{
    return (size_t)p->width * (size_t)p->height;
}

/* Three planes, each a weighted sum of R, G and B. */
static void mix(const learn_picture *p, const double weight[][3], int planes, double *out)
{
    for (int c = 0; c < planes; c++)
        for (int y = 0; y < p->height; y++) {
            const uint8_t *rgb = row_of(p, y);

            for (int x = 0; x < p->width; x++, rgb += 3)
                *out++ =
                    weight[c][0] * rgb[0] + weight[c][1] * rgb[1] + weight[c][2] * rgb[2];
        }
}

/* As in piq (functional/colour_conversion.py): four digits where FeatureSIM.m has three. */
static const double yiq[3][3] = {{0.299, 0.587, 0.114},
                                 {0.5959, -0.2746, -0.3213},
                                 {0.2115, -0.5227, 0.3112}};

void learn_planes_luma(const learn_picture *p, double *plane)
{
    mix(p, yiq, 1, plane);
}

void learn_planes_yiq(const learn_picture *p, double *planes)
{
    mix(p, yiq, 3, planes);
}

void learn_planes_rgb(const learn_picture *p, double *planes)
{
    static const double one[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

    mix(p, one, 3, planes);
}

/* CIE 1976: the cube root, and a line where it would be too steep; t is X/Xn and so on.
 * scikit-image rounds (6/29)^3 and its slope to these digits. */
static double lab_root(double t)
{
    return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116;
}

void learn_planes_lab(const double light[256], const learn_picture *p, double *planes)
{
    size_t n = pixels(p), i = 0;

    for (int y = 0; y < p->height; y++) {
        const uint8_t *rgb = row_of(p, y);

        for (int x = 0; x < p->width; x++, rgb += 3, i++) {
            double r = light[rgb[0]], g = light[rgb[1]], b = light[rgb[2]];
            double fx = lab_root((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.95047);
            double fy = lab_root(0.212671 * r + 0.715160 * g + 0.072169 * b);
            double fz = lab_root((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883);

            planes[i] = 116 * fy - 16;
            planes[n + i] = 500 * (fx - fy);
            planes[2 * n + i] = 200 * (fy - fz);
        }
    }
}

void learn_planes_pool(double *plane, int *width, int *height, int block, int pad)
{
    int w = (*width + pad) / block, h = (*height + pad) / block;
    double *out = plane;

    /* No result is written beyond the samples it comes from, and those after it lie further
     * on: in place is safe. */
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double sum = 0;

            for (int j = y * block - pad; j < (y + 1) * block - pad; j++)
                for (int i = x * block - pad; i < (x + 1) * block - pad; i++)
                    sum += plane[(size_t)(j < 0 ? 0 : j) * (size_t)*width +
                                 (size_t)(i < 0 ? 0 : i)];
            *out++ = sum / (block * block);
        }
    *width = w;
    *height = h;
}

int learn_planes_block(int width, int height)
{
    double block = rint((width < height ? width : height) / 256.0);

    return block < 1 ? 1 : (int)block;
}
