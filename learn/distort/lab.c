/*
 * lab.c - CIE 1976 L*a*b* (CIE 15:2004, 8.2.1) of sRGB (IEC 61966-2-1), white D65.
 *
 * XYZ is divided by the white of the matrix itself, so that grey has no colour.
 */
#include "internal.h"

#include <math.h>

static const double to_xyz[3][3] = {{0.4124, 0.3576, 0.1805},
                                    {0.2126, 0.7152, 0.0722},
                                    {0.0193, 0.1192, 0.9505}};

static double linear(double sample)
{
    const double v = sample / 255;

    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static double coded(double v)
{
    v = fmin(fmax(v, 0), 1);
    return 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055);
}

/* Linear below (6/29)^3, where it meets the cube root with the same slope. */
static double compress(double t)
{
    return t > 216 / 24389.0 ? cbrt(t) : t * (841 / 108.0) + 4 / 29.0;
}

static double expand(double t)
{
    return t > 6 / 29.0 ? t * t * t : (t - 4 / 29.0) * (108 / 841.0);
}

static double white(int row)
{
    return to_xyz[row][0] + to_xyz[row][1] + to_xyz[row][2];
}

void distort_to_lab(const double rgb[3], double lab[3])
{
    const double v[3] = {linear(rgb[0]), linear(rgb[1]), linear(rgb[2])};
    double f[3];

    for (int i = 0; i < 3; i++)
        f[i] = compress((to_xyz[i][0] * v[0] + to_xyz[i][1] * v[1] + to_xyz[i][2] * v[2]) /
                        white(i));
    lab[0] = 116 * f[1] - 16;
    lab[1] = 500 * (f[0] - f[1]);
    lab[2] = 200 * (f[1] - f[2]);
}

/* Cramer's rule: the inverse is that of the very matrix above. */
static double determinant(const double a[3], const double b[3], const double c[3])
{
    return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) +
           a[2] * (b[0] * c[1] - b[1] * c[0]);
}

void distort_from_lab(const double lab[3], double rgb[3])
{
    const double y = (lab[0] + 16) / 116;
    const double xyz[3] = {expand(y + lab[1] / 500) * white(0), expand(y) * white(1),
                           expand(y - lab[2] / 200) * white(2)};
    double column[4][3];

    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            column[j][i] = to_xyz[i][j];
        column[3][i] = xyz[i];
    }
    for (int j = 0; j < 3; j++)
        rgb[j] = coded(determinant(column[j == 0 ? 3 : 0], column[j == 1 ? 3 : 1],
                                   column[j == 2 ? 3 : 2]) /
                       determinant(column[0], column[1], column[2]));
}
