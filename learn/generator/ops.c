/*
 * ops.c - what the nodes of a network do; see net.h.
 */
#include "net.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

typedef generator_real real;

static const real leak = (real)GENERATOR_LEAK, epsilon = (real)1e-5, momentum = (real)0.1;

/* A node's geometry beside that of the one before it. */
typedef struct shape {
    const generator_node *d;
    int c, h, w, from_c, from_h, from_w;
    size_t pixels, from_pixels;
    const real *x;
    real *y;
} shape;

static shape shape_of(const generator_pass *p, int i)
{
    const generator_node *d = &p->net->node[i];
    const int f = d->from;
    shape s = {.d = d,
               .c = d->channels,
               .h = p->height[i],
               .w = p->width[i],
               .from_c = p->net->node[f].channels,
               .from_h = p->height[f],
               .from_w = p->width[f],
               .x = p->value[f],
               .y = p->value[i]};

    s.pixels = (size_t)s.h * (size_t)s.w;
    s.from_pixels = (size_t)s.from_h * (size_t)s.from_w;
    return s;
}

/* ---- convolution --------------------------------------------------------------
 *
 * With X the matrix whose column is the window of a pixel, y = W X + b; the derivatives are
 * g X^T by W and W^T g by X. X is made for some rows of the output at a time.
 */
enum { BAND_VALUES = 1 << 16 };

int generator_band(const generator_pass *p, int node)
{
    const shape s = shape_of(p, node);
    const int row = s.from_c * s.d->kernel * s.d->kernel * s.w;

    return row >= BAND_VALUES ? 1 : BAND_VALUES / row < s.h ? BAND_VALUES / row : s.h;
}

/* The row of x that element ky of the windows of output row y reads; NULL: outside. */
static real *row_of(const shape *s, const real *x, int y, int ky)
{
    const int v = y * s->d->stride - s->d->pad + ky;

    return v < 0 || v >= s->from_h ? NULL : (real *)x + (ptrdiff_t)v * s->from_w;
}

/* Which pixels of an output row read inside the input with element kx: from *first to before
 * the one returned. */
static int inside(const shape *s, int kx, int *first)
{
    const int stride = s->d->stride, at = kx - s->d->pad; /* of pixel 0 */
    const int end = s->from_w > at ? (s->from_w - at + stride - 1) / stride : 0;

    *first = at < 0 ? (stride - 1 - at) / stride : 0;
    return end < s->w ? end : s->w;
}

static void to_columns(const shape *s, real *to, const real *x, int y0, int rows)
{
    const int kernel = s->d->kernel, stride = s->d->stride;

    for (int c = 0; c < s->from_c; c++, x += s->from_pixels)
        for (int k = 0; k < kernel * kernel; k++) {
            const int at = k % kernel - s->d->pad;
            int first, end = inside(s, k % kernel, &first);

            for (int y = y0; y < y0 + rows; y++, to += s->w) {
                const real *row = row_of(s, x, y, k / kernel);

                memset(to, 0, (size_t)s->w * sizeof *to);
                if (row && stride == 1 && end > first)
                    memcpy(to + first, row + at + first, (size_t)(end - first) * sizeof *to);
                else
                    for (int i = first; row && i < end; i++)
                        to[i] = row[at + i * stride];
            }
        }
}

static void from_columns(const shape *s, real *x, const real *from, int y0, int rows)
{
    const int kernel = s->d->kernel, stride = s->d->stride;

    for (int c = 0; c < s->from_c; c++, x += s->from_pixels)
        for (int k = 0; k < kernel * kernel; k++) {
            const int at = k % kernel - s->d->pad;
            int first, end = inside(s, k % kernel, &first);

            for (int y = y0; y < y0 + rows; y++, from += s->w) {
                real *row = row_of(s, x, y, k / kernel);

                for (int i = first; row && i < end; i++)
                    row[at + i * stride] += from[i];
            }
        }
}

static int window(const shape *s)
{
    return s->from_c * s->d->kernel * s->d->kernel;
}

static void conv(generator_pass *p, int node, real *parameters, learn_random *random)
{
    const shape s = shape_of(p, node);
    const real *weight = parameters + s.d->at, *bias = weight + s.c * window(&s);
    const int band = generator_band(p, node);

    (void)random;
    for (int n = 0; n < p->n; n++) {
        real *y = s.y + (size_t)n * (size_t)s.c * s.pixels;

        for (int c = 0; c < s.c; c++)
            for (size_t i = 0; i < s.pixels; i++)
                y[(size_t)c * s.pixels + i] = bias[c];
        for (int at = 0; at < s.h; at += band) {
            const int rows = band < s.h - at ? band : s.h - at, wide = rows * s.w;

            to_columns(&s, p->columns, s.x + (size_t)n * (size_t)s.from_c * s.from_pixels, at,
                       rows);
            GENERATOR_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, s.c, wide, window(&s),
                           1, weight, window(&s), p->columns, wide, 1, y + at * s.w,
                           (int)s.pixels);
        }
    }
}

/* Rows of one picture: g and x are its slopes and values, gx the slopes before. */
static void conv_back_band(const generator_pass *p, const shape *s, const real *g,
                           const real *x, real *gx, int at, int rows, const real *weight,
                           real *sum)
{
    const int wide = rows * s->w, k = window(s);
    real *slopes = p->columns + (size_t)k * (size_t)wide;

    if (sum) {
        to_columns(s, p->columns, x, at, rows);
        GENERATOR_GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, s->c, k, wide, 1,
                       g + at * s->w, (int)s->pixels, p->columns, wide, 1, sum, k);
    }
    GENERATOR_GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, k, wide, s->c, 1, weight, k,
                   g + at * s->w, (int)s->pixels, 0, slopes, wide);
    from_columns(s, gx, slopes, at, rows);
}

/* In lanes that can be added at once. */
static real sum_of(const real *v, size_t n)
{
    enum { LANES = 16 };
    real lane[LANES] = {0}, sum = 0;
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] += v[i + (size_t)k];
    for (; i < n; i++)
        sum += v[i];
    for (int k = 0; k < LANES; k++)
        sum += lane[k];
    return sum;
}

static void conv_back(generator_pass *p, int node, const real *parameters, real *gradients)
{
    const shape s = shape_of(p, node);
    const int band = generator_band(p, node);
    real *sum = gradients ? gradients + s.d->at : NULL;

    for (int n = 0; n < p->n; n++) {
        const size_t before = (size_t)n * (size_t)s.from_c * s.from_pixels;
        const real *g = p->slope[node] + (size_t)n * (size_t)s.c * s.pixels;

        for (int at = 0; at < s.h; at += band)
            conv_back_band(p, &s, g, s.x + before, p->slope[s.d->from] + before, at,
                           band < s.h - at ? band : s.h - at, parameters + s.d->at, sum);
        for (int c = 0; sum && c < s.c; c++)
            sum[s.c * window(&s) + c] += sum_of(g + (size_t)c * s.pixels, s.pixels);
    }
}

/* ---- value by value -------------------------------------------------------------- */

static void leaky(generator_pass *p, int node, real *parameters, learn_random *random)
{
    const shape s = shape_of(p, node);

    (void)parameters;
    (void)random;
    for (size_t i = 0, n = generator_count(p, node); i < n; i++)
        s.y[i] = s.x[i] > 0 ? s.x[i] : leak * s.x[i];
}

static void leaky_back(generator_pass *p, int node, const real *parameters, real *gradients)
{
    const shape s = shape_of(p, node);

    (void)parameters;
    (void)gradients;
    for (size_t i = 0, n = generator_count(p, node); i < n; i++)
        p->slope[s.d->from][i] += p->slope[node][i] * (s.x[i] > 0 ? 1 : leak);
}

static void to_tanh(generator_pass *p, int node, real *parameters, learn_random *random)
{
    const shape s = shape_of(p, node);

    (void)parameters;
    (void)random;
    for (size_t i = 0, n = generator_count(p, node); i < n; i++)
        s.y[i] = (real)tanh((double)s.x[i]);
}

static void tanh_back(generator_pass *p, int node, const real *parameters, real *gradients)
{
    const shape s = shape_of(p, node);

    (void)parameters;
    (void)gradients;
    for (size_t i = 0, n = generator_count(p, node); i < n; i++)
        p->slope[s.d->from][i] += p->slope[node][i] * (1 - s.y[i] * s.y[i]);
}

static void dropout(generator_pass *p, int node, real *parameters, learn_random *random)
{
    const shape s = shape_of(p, node);
    uint64_t bits = 0;
    real factor;

    (void)parameters;
    for (size_t i = 0, n = generator_count(p, node); i < n; i++, bits >>= 1) {
        if (random && i % 64 == 0)
            bits = learn_random_bits(random);
        factor = random ? (real)(2 * (bits & 1)) : 1;
        s.y[i] = s.x[i] * factor;
        if (p->slope[node])
            p->kept[node][i] = factor;
    }
}

static void dropout_back(generator_pass *p, int node, const real *parameters, real *gradients)
{
    (void)parameters;
    (void)gradients;
    for (size_t i = 0, n = generator_count(p, node); i < n; i++)
        p->slope[p->net->node[node].from][i] += p->slope[node][i] * p->kept[node][i];
}

/* ---- norms ------------------------------------------------------------------------
 *
 * y = scale (x - mean) r + shift, r = 1 / sqrt(variance + epsilon), over the planes of one
 * group: a channel of all pictures, or of one. With u = (x - mean) r and averages over the
 * group, the derivative by x is scale r (g - mean(g) - u mean(g u)) where mean and variance
 * are the group's own.
 */
typedef struct group {
    int c, planes;
    size_t first, step, pixels; /* of the first plane, and from plane to plane */
} group;

static int groups(const generator_pass *p, const shape *s)
{
    return s->d->op == GENERATOR_BATCH ? s->c : s->c * p->n;
}

static group group_of(const generator_pass *p, const shape *s, int i)
{
    group g = {i % s->c, 1, (size_t)i * s->pixels, (size_t)s->c * s->pixels, s->pixels};

    if (s->d->op == GENERATOR_BATCH)
        g.planes = p->n;
    return g;
}

static void moments(const group *g, const real *x, double *mean, double *variance)
{
    const double n = (double)g->planes * (double)g->pixels;
    double sum = 0, squares = 0;

    for (int k = 0; k < g->planes; k++)
        for (size_t i = 0; i < g->pixels; i++)
            sum += (double)x[g->first + (size_t)k * g->step + i];
    *mean = sum / n;
    for (int k = 0; k < g->planes; k++)
        for (size_t i = 0; i < g->pixels; i++) {
            const double d = (double)x[g->first + (size_t)k * g->step + i] - *mean;

            squares += d * d;
        }
    *variance = squares / n;
}

/* Those that a group is normalised by; running: of a batch norm. */
static void norm_by(const shape *s, const group *g, real *running, bool learning,
                    double *mean, double *variance)
{
    if (s->d->op == GENERATOR_BATCH && !learning) {
        *mean = (double)running[g->c];
        *variance = (double)running[s->c + g->c];
        return;
    }
    moments(g, s->x, mean, variance);
    if (s->d->op == GENERATOR_BATCH) {
        running[g->c] += momentum * ((real)*mean - running[g->c]);
        running[s->c + g->c] += momentum * ((real)*variance - running[s->c + g->c]);
    }
}

static void norm(generator_pass *p, int node, real *parameters, learn_random *random)
{
    const shape s = shape_of(p, node);
    real *v = parameters + s.d->at;

    for (int i = 0; i < groups(p, &s); i++) {
        const group g = group_of(p, &s, i);
        double mean, variance;
        real scale, add;

        norm_by(&s, &g, v + 2 * s.c, random, &mean, &variance);
        p->kept[node][i] = (real)(1 / sqrt(variance + (double)epsilon));
        scale = v[g.c] * p->kept[node][i];
        add = v[s.c + g.c] - (real)mean * scale;
        for (int k = 0; k < g.planes; k++)
            for (size_t j = 0; j < g.pixels; j++) {
                const size_t at = g.first + (size_t)k * g.step + j;

                s.y[at] = scale * s.x[at] + add;
            }
    }
}

static void norm_back(generator_pass *p, int node, const real *parameters, real *gradients)
{
    const shape s = shape_of(p, node);
    const real *v = parameters + s.d->at, *slope = p->slope[node];

    for (int i = 0; i < groups(p, &s); i++) {
        const group g = group_of(p, &s, i);
        const double n = (double)g.planes * (double)g.pixels, r = (double)p->kept[node][i];
        double mean, variance, sum = 0, along = 0;

        moments(&g, s.x, &mean, &variance);
        for (int k = 0; k < g.planes; k++)
            for (size_t j = 0; j < g.pixels; j++) {
                const size_t at = g.first + (size_t)k * g.step + j;

                sum += (double)slope[at];
                along += (double)slope[at] * ((double)s.x[at] - mean) * r;
            }
        if (gradients) {
            gradients[s.d->at + (size_t)g.c] += (real)along;
            gradients[s.d->at + (size_t)(s.c + g.c)] += (real)sum;
        }
        for (int k = 0; k < g.planes; k++)
            for (size_t j = 0; j < g.pixels; j++) {
                const size_t at = g.first + (size_t)k * g.step + j;
                const double u = ((double)s.x[at] - mean) * r;

                p->slope[s.d->from][at] +=
                    (real)((double)v[g.c] * r * ((double)slope[at] - (sum + u * along) / n));
            }
    }
}

/* ---- growing ---------------------------------------------------------------------- */

/* One plane to one of twice the size, or back: the slopes of a linear map are its transpose.
 */
typedef void plane_way(const shape *s, real *small, real *large, bool back);

static void nearest_plane(const shape *s, real *small, real *large, bool back)
{
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            real *a = small + y / 2 * s->from_w + x / 2, *b = large + y * s->w + x;

            *(back ? a : b) = back ? *a + *b : *a;
        }
}

static void zeros_plane(const shape *s, real *small, real *large, bool back)
{
    if (!back)
        memset(large, 0, s->pixels * sizeof *large);
    for (int y = 0; y < s->from_h; y++)
        for (int x = 0; x < s->from_w; x++) {
            real *a = small + y * s->from_w + x, *b = large + 2 * y * s->w + 2 * x;

            *(back ? a : b) = back ? *a + *b : *a;
        }
}

/* Pixel i of a large row lies between these two of the small one, a quarter from the first
 * of them. */
static void between(int i, int n, int at[2])
{
    const int near = i / 2, far = i & 1 ? near + 1 : near - 1;

    at[0] = near;
    at[1] = far < 0 ? 0 : far >= n ? n - 1 : far;
}

static void bilinear_plane(const shape *s, real *small, real *large, bool back)
{
    static const real part[2] = {(real)0.75, (real)0.25};

    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            real *b = large + y * s->w + x, sum = 0;
            int v[2], u[2];

            between(y, s->from_h, v);
            between(x, s->from_w, u);
            for (int k = 0; k < 4; k++) {
                real *a = small + v[k / 2] * s->from_w + u[k % 2];

                if (back)
                    *a += part[k / 2] * part[k % 2] * *b;
                else
                    sum += part[k / 2] * part[k % 2] * *a;
            }
            if (!back)
                *b = sum;
        }
}

static plane_way *plane_way_of(generator_op op)
{
    return op == GENERATOR_NEAREST ? nearest_plane
           : op == GENERATOR_ZEROS ? zeros_plane
                                   : bilinear_plane;
}

static void grow(generator_pass *p, int node, real *parameters, learn_random *random)
{
    const shape s = shape_of(p, node);

    (void)parameters;
    (void)random;
    for (size_t i = 0; i < (size_t)p->n * (size_t)s.c; i++)
        plane_way_of(s.d->op)(&s, p->value[s.d->from] + i * s.from_pixels, s.y + i * s.pixels,
                              false);
}

static void grow_back(generator_pass *p, int node, const real *parameters, real *gradients)
{
    const shape s = shape_of(p, node);

    (void)parameters;
    (void)gradients;
    for (size_t i = 0; i < (size_t)p->n * (size_t)s.c; i++)
        plane_way_of(s.d->op)(&s, p->slope[s.d->from] + i * s.from_pixels,
                              p->slope[node] + i * s.pixels, true);
}

/* Where value `at` of the shuffled node comes from: channel 4 c + 2 (y mod 2) + x mod 2. */
static size_t unshuffled(const shape *s, size_t at)
{
    const size_t x = at % (size_t)s->w, y = at / (size_t)s->w % (size_t)s->h;
    const size_t plane = at / s->pixels; /* 4 planes before make one */

    return (4 * plane + 2 * (y & 1) + (x & 1)) * s->from_pixels + y / 2 * (size_t)s->from_w +
           x / 2;
}

static void shuffle(generator_pass *p, int node, real *parameters, learn_random *random)
{
    const shape s = shape_of(p, node);

    (void)parameters;
    (void)random;
    for (size_t i = 0, n = generator_count(p, node); i < n; i++)
        s.y[i] = s.x[unshuffled(&s, i)];
}

static void shuffle_back(generator_pass *p, int node, const real *parameters, real *gradients)
{
    const shape s = shape_of(p, node);

    (void)parameters;
    (void)gradients;
    for (size_t i = 0, n = generator_count(p, node); i < n; i++)
        p->slope[s.d->from][unshuffled(&s, i)] += p->slope[node][i];
}

/* ---- joining ---------------------------------------------------------------------- */

static void join(generator_pass *p, int node, real *parameters, learn_random *random)
{
    const shape s = shape_of(p, node);
    const size_t all = (size_t)s.c * s.pixels, first = (size_t)s.from_c * s.pixels;

    (void)parameters;
    (void)random;
    for (size_t n = 0; n < (size_t)p->n; n++) {
        memcpy(s.y + n * all, s.x + n * first, first * sizeof(real));
        memcpy(s.y + n * all + first, p->value[s.d->other] + n * (all - first),
               (all - first) * sizeof(real));
    }
}

static void join_back(generator_pass *p, int node, const real *parameters, real *gradients)
{
    const shape s = shape_of(p, node);
    const size_t all = (size_t)s.c * s.pixels, first = (size_t)s.from_c * s.pixels;

    (void)parameters;
    (void)gradients;
    for (size_t n = 0; n < (size_t)p->n; n++)
        for (size_t i = 0; i < all; i++) {
            real *to = i < first ? p->slope[s.d->from] + n * first + i
                                 : p->slope[s.d->other] + n * (all - first) + i - first;

            *to += p->slope[node][n * all + i];
        }
}

const generator_way generator_ways[GENERATOR_OPS] = {
    [GENERATOR_CONV] = {conv, conv_back},     [GENERATOR_LEAKY] = {leaky, leaky_back},
    [GENERATOR_TANH] = {to_tanh, tanh_back},  [GENERATOR_BATCH] = {norm, norm_back},
    [GENERATOR_INSTANCE] = {norm, norm_back}, [GENERATOR_DROPOUT] = {dropout, dropout_back},
    [GENERATOR_NEAREST] = {grow, grow_back},  [GENERATOR_BILINEAR] = {grow, grow_back},
    [GENERATOR_ZEROS] = {grow, grow_back},    [GENERATOR_SHUFFLE] = {shuffle, shuffle_back},
    [GENERATOR_JOIN] = {join, join_back},
};
