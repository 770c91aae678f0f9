/*
 * spatial.c - pictures moved and bent, ghosts, chromatic aberration.
 */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- sampling ---------------------------------------------------------------------- */

/* Weights of the samples at -1, 0, 1 and 2 for a place t in 0..1 (Keys, 1981, a = -1/2). */
static void keys(double weights[4], double t)
{
    weights[0] = t * (-0.5 + t * (1 - 0.5 * t));
    weights[1] = 1 + t * t * (-2.5 + 1.5 * t);
    weights[2] = t * (0.5 + t * (2 - 1.5 * t));
    weights[3] = t * t * (-0.5 + 0.5 * t);
}

/* Channel c at a place that may lie beyond the edges. */
static double sample(const distort_job *job, double x, double y, int c)
{
    const int left = (int)floor(x), top = (int)floor(y);
    double across[4], down[4], sum = 0;

    keys(across, x - left);
    keys(down, y - top);
    for (int v = 0; v < 4; v++) {
        const size_t row =
            (size_t)distort_mirror(top - 1 + v, job->height) * 3 * (size_t)job->width;
        double line = 0;

        for (int u = 0; u < 4; u++)
            line += across[u] *
                    job->in[row + 3 * (size_t)distort_mirror(left - 1 + u, job->width) +
                            (size_t)c];
        sum += down[v] * line;
    }
    return sum;
}

void distort_warp(distort_job *job, distort_map *map, const void *how)
{
    for (int y = 0; y < job->height; y++)
        for (int x = 0; x < job->width; x++) {
            uint8_t *out = job->out + 3 * ((size_t)y * (size_t)job->width + (size_t)x);
            double from[2];

            map(how, x, y, from);
            for (int c = 0; c < 3; c++)
                out[c] = distort_round(sample(job, from[0], from[1], c));
        }
}

static int shorter(const distort_job *job)
{
    return job->width < job->height ? job->width : job->height;
}

/* ---- shift and ghost ---------------------------------------------------------------- */

/* Whole pixels, for which the opposite shift is the exact inverse away from the edges. */
static void whole_step(distort_job *job, double length, int step[2])
{
    const double angle = learn_random_between(&job->random, 0, DISTORT_TURN);

    step[0] = (int)lrint(length * cos(angle));
    step[1] = (int)lrint(length * sin(angle));
}

static const uint8_t *moved(const distort_job *job, int x, int y, const int step[2])
{
    return job->in +
           3 * ((size_t)distort_mirror(y - step[1], job->height) * (size_t)job->width +
                (size_t)distort_mirror(x - step[0], job->width));
}

int distort_shift(distort_job *job, char why[LEARN_WHY])
{
    int step[2];

    (void)why;
    whole_step(job, job->amount, step);
    for (int y = 0; y < job->height; y++)
        for (int x = 0; x < job->width; x++)
            memcpy(job->out + 3 * ((size_t)y * (size_t)job->width + (size_t)x),
                   moved(job, x, y, step), 3);
    return 0;
}

int distort_ghosting(distort_job *job, char why[LEARN_WHY])
{
    int step[2];

    (void)why;
    whole_step(job, 8, step);
    for (int y = 0; y < job->height; y++)
        for (int x = 0; x < job->width; x++) {
            const size_t i = 3 * ((size_t)y * (size_t)job->width + (size_t)x);
            const uint8_t *ghost = moved(job, x, y, step);

            for (size_t c = 0; c < 3; c++)
                job->out[i + c] = distort_round((1 - job->amount) * job->in[i + c] +
                                                job->amount * ghost[c]);
        }
    return 0;
}

/* ---- matrices ------------------------------------------------------------------------- */

void distort_by_matrix(const void *how, double x, double y, double from[2])
{
    const double *m = how;
    const double w = m[6] * x + m[7] * y + m[8];

    from[0] = (m[0] * x + m[1] * y + m[2]) / w;
    from[1] = (m[3] * x + m[4] * y + m[5]) / w;
}

/* A direction among the linear maps, evenly, of length `length` (root of the sum of squares):
 * the picture's middle stays. */
int distort_affine(distort_job *job, char why[LEARN_WHY])
{
    const double cx = (job->width - 1) / 2.0, cy = (job->height - 1) / 2.0;
    double g[4], length = 0, m[9] = {0};

    (void)why;
    for (int i = 0; i < 4; i++) {
        g[i] = learn_random_normal(&job->random);
        length += g[i] * g[i];
    }
    for (int i = 0; i < 4; i++)
        g[i] *= job->amount / 100 / sqrt(length);
    m[0] = 1 + g[0];
    m[1] = g[1];
    m[3] = g[2];
    m[4] = 1 + g[3];
    m[2] = cx - m[0] * cx - m[1] * cy;
    m[5] = cy - m[3] * cx - m[4] * cy;
    m[8] = 1;
    distort_warp(job, distort_by_matrix, m);
    return 0;
}

/* The square to a quadrangle: P. Heckbert, Fundamentals of Texture Mapping and Image Warping
 * (1989), 2.2.3; here the square is the picture. */
void distort_corners_matrix(double matrix[9], int width, int height, const double to[4][2])
{
    double d1[2], d2[2], sum[2], g, h, size[2] = {fmax(width - 1, 1), fmax(height - 1, 1)};

    for (int i = 0; i < 2; i++) {
        d1[i] = to[1][i] - to[2][i];
        d2[i] = to[3][i] - to[2][i];
        sum[i] = to[0][i] - to[1][i] + to[2][i] - to[3][i];
    }
    g = (sum[0] * d2[1] - sum[1] * d2[0]) / (d1[0] * d2[1] - d1[1] * d2[0]);
    h = (d1[0] * sum[1] - d1[1] * sum[0]) / (d1[0] * d2[1] - d1[1] * d2[0]);
    for (int i = 0; i < 2; i++) {
        matrix[3 * i] = (to[1][i] - to[0][i] + g * to[1][i]) / size[0];
        matrix[3 * i + 1] = (to[3][i] - to[0][i] + h * to[3][i]) / size[1];
        matrix[3 * i + 2] = to[0][i];
    }
    matrix[6] = g / size[0];
    matrix[7] = h / size[1];
    matrix[8] = 1;
}

/* Each corner goes as far, in a direction of its own. */
int distort_homography(distort_job *job, char why[LEARN_WHY])
{
    const double far = job->amount / 100 * shorter(job);
    const double right = fmax(job->width - 1, 1), low = fmax(job->height - 1, 1);
    double to[4][2] = {{0, 0}, {right, 0}, {right, low}, {0, low}}, matrix[9];

    (void)why;
    for (int i = 0; i < 4; i++) {
        const double angle = learn_random_between(&job->random, 0, DISTORT_TURN);

        to[i][0] += far * cos(angle);
        to[i][1] += far * sin(angle);
    }
    distort_corners_matrix(matrix, job->width, job->height, to);
    distort_warp(job, distort_by_matrix, matrix);
    return 0;
}

/* ---- bending --------------------------------------------------------------------------- */

enum { KNOTS = 5 }; /* a side */

/* Displacements at knots spread evenly over the picture, and how they go on between. */
typedef struct grid {
    double moves[KNOTS][KNOTS][2], cell[2];
    void (*weigh)(double weights[4], double t);
} grid;

/* Those of linear interpolation, for the same four places. */
static void linear(double weights[4], double t)
{
    weights[0] = weights[3] = 0;
    weights[1] = 1 - t;
    weights[2] = t;
}

static int clamp(int i)
{
    return i < 0 ? 0 : i >= KNOTS ? KNOTS - 1 : i;
}

static void by_grid(const void *how, double x, double y, double from[2])
{
    const grid *g = how;
    const double u = x / g->cell[0], v = y / g->cell[1];
    const int left = clamp((int)u), top = clamp((int)v);
    double across[4], down[4];

    g->weigh(across, u - left);
    g->weigh(down, v - top);
    from[0] = x;
    from[1] = y;
    for (int j = 0; j < 4; j++)
        for (int i = 0; i < 4; i++) {
            const double *move = g->moves[clamp(top - 1 + j)][clamp(left - 1 + i)];

            from[0] += down[j] * across[i] * move[0];
            from[1] += down[j] * across[i] * move[1];
        }
}

/* Each knot goes as far, in a direction of its own. */
static void bend(distort_job *job, void (*weigh)(double[4], double))
{
    const double far = job->amount / 100 * shorter(job);
    grid g = {.weigh = weigh,
              .cell = {fmax(job->width - 1, 1) / (KNOTS - 1),
                       fmax(job->height - 1, 1) / (KNOTS - 1)}};

    for (int j = 0; j < KNOTS; j++)
        for (int i = 0; i < KNOTS; i++) {
            const double angle = learn_random_between(&job->random, 0, DISTORT_TURN);

            g.moves[j][i][0] = far * cos(angle);
            g.moves[j][i][1] = far * sin(angle);
        }
    distort_warp(job, by_grid, &g);
}

int distort_linear_warp(distort_job *job, char why[LEARN_WHY])
{
    (void)why;
    bend(job, linear);
    return 0;
}

int distort_cubic_warp(distort_job *job, char why[LEARN_WHY])
{
    (void)why;
    bend(job, keys);
    return 0;
}

/* ---- chromatic aberration ----------------------------------------------------------------
 */

/* Lateral: red is enlarged about the middle and blue reduced, or the other way round. */
int distort_aberration(distort_job *job, char why[LEARN_WHY])
{
    const double grow = job->amount / 100 * (learn_random_below(&job->random, 2) ? 1 : -1);
    const double cx = (job->width - 1) / 2.0, cy = (job->height - 1) / 2.0;

    (void)why;
    for (int y = 0; y < job->height; y++)
        for (int x = 0; x < job->width; x++) {
            uint8_t *out = job->out + 3 * ((size_t)y * (size_t)job->width + (size_t)x);

            for (int c = 0; c < 3; c++) {
                const double scale = 1 + (c - 1) * grow;

                out[c] = distort_round(
                    sample(job, cx + (x - cx) * scale, cy + (y - cy) * scale, c));
            }
        }
    return 0;
}
