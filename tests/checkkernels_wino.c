/*
 * checkkernels_wino.c - the Winograd transforms one by one, and packed filters (pack.c)
 * with all kernels of a convolution together.
 */
#include "checkkernels.h"
#include "pack.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ROUNDINGS: a term of a transform passes six in C, twice; not all go one way. */
enum { T = LPIPS_MAX_TILE, MAX_CH = 80, ROUNDINGS = 4 };

/* ---- Winograd ----------------------------------------------------------- */

/* The finite points of the tiles; see kernels_template.h for what is made of them. */
static const double points[LPIPS_TILES][T - 1] = {
    [LPIPS_TILE_5] = {0, 1, -1, 2},
    [LPIPS_TILE_6] = {0, .625, -.625, 1.5, -1.5},
    [LPIPS_TILE_8] = {0, 1, -1, 2, -2, .5, -.5},
    [LPIPS_TILE_10] = {0, .375, -.375, .75, -.75, 1.25, -1.25, 2, -2},
};

/* Row i: the coefficients of the product of (x - a_j) over the other finite points. */
static void make_bt(double bt[T][T], int tile)
{
    int n = lpips_tile_len[tile];

    memset(bt, 0, sizeof(double[T][T]));
    for (int i = 0; i < n; i++) {
        bt[i][0] = 1;
        for (int j = 0; j < n - 1; j++)
            for (int c = n - 1; c >= 0 && j != i; c--)
                bt[i][c] = (c ? bt[i][c - 1] : 0) - points[tile][j] * bt[i][c];
    }
}

/* Column i: 1, a_i, a_i^2 ...; that of infinity 0 ... 0 1. */
static void make_at(double at[T][T], int tile, int outputs)
{
    int n = lpips_tile_len[tile];

    memset(at, 0, sizeof(double[T][T]));
    for (int i = 0; i < n - 1; i++) {
        at[0][i] = 1;
        for (int j = 1; j < outputs; j++)
            at[j][i] = at[j - 1][i] * points[tile][i];
    }
    at[outputs - 1][n - 1] = 1;
}

/* (Y x X^T)[i][j] and the sum of its absolute terms; x[y * nx + x] are `step` apart. */
static double sandwich(const double *y, int ny, const double *x, int nx, const float *in,
                       ptrdiff_t step, double *terms)
{
    double sum = 0;

    *terms = 0;
    for (int i = 0; i < ny; i++)
        for (int j = 0; j < nx; j++, in += step)
            if (y[i] * x[j] != 0) {
                sum += y[i] * x[j] * *in;
                *terms += guard_term(y[i] * x[j], *in);
            }
    return sum;
}

static void check_in(lpips_wino_in *kernel, int ty, int tx, int ch, int turn)
{
    enum side side = (enum side)(turn % SIDES);
    int ny = lpips_tile_len[ty], nx = lpips_tile_len[tx], px = ch + turn % 4 * 3;
    ptrdiff_t v_pos = ch + turn % 5 * 4;
    const float **rows = guard_pointers((size_t)ny, side);
    float *v = guard_out(OUT, (size_t)((ny * nx - 1) * v_pos + ch), side), tile[T * T];
    double by[T][T], bx[T][T], terms;

    make_bt(by, ty);
    make_bt(bx, tx);
    for (int y = 0; y < ny; y++)
        rows[y] = guard_input(IN + y, (size_t)((nx - 1) * px + ch), side,
                              (enum style)(turn % STYLES));
    NOW("tile %dx%d, %d channels, side %d", ny, nx, ch, (int)side);
    kernel(v, v_pos, rows, px, ch);
    for (int c = 0; c < ch; c++) {
        for (int p = 0; p < ny * nx; p++)
            tile[p] = rows[p / nx][p % nx * px + c];
        for (int p = 0; p < ny * nx; p++) {
            double want = sandwich(by[p / nx], ny, bx[p % nx], nx, tile, 1, &terms);

            guard_near(guard_take(v + p * v_pos + c), want, ROUNDINGS * FLT_EPSILON * terms);
        }
    }
    guard_untouched(OUT);
}

void check_wino_in(const lpips_kernels *k)
{
    int turn = 0;

    for (int ty = 0; ty < LPIPS_TILES; ty++)
        for (int tx = 0; tx < LPIPS_TILES; tx++)
            for (int ch = 16; ch <= MAX_CH && k->wino_in[ty][tx]; ch += 16)
                for (int i = 0; i < (test_quick() ? 1 : SIDES); i++)
                    check_in(k->wino_in[ty][tx], ty, tx, ch, turn++);
    assert_true(turn > 0);
}

typedef struct outputs {
    int my, mx, ch;
    enum side side;
    ptrdiff_t m_pos;
    const float *m, *bias;
    double want[LPIPS_MAX_OUT][LPIPS_MAX_OUT][MAX_CH];
    double terms[LPIPS_MAX_OUT][LPIPS_MAX_OUT][MAX_CH];
} outputs;

static void make_outputs(outputs *o, int ty, int tx, int r, enum style style)
{
    int ny = lpips_tile_len[ty], nx = lpips_tile_len[tx];
    double ay[T][T], ax[T][T], *terms;

    o->my = ny - r + 1;
    o->mx = nx - r + 1;
    o->m = guard_input(IN, (size_t)((ny * nx - 1) * o->m_pos + o->ch), o->side, style);
    o->bias = guard_input(BIAS, (size_t)o->ch, o->side, style);
    make_at(ay, ty, o->my);
    make_at(ax, tx, o->mx);
    for (int y = 0; y < o->my; y++)
        for (int x = 0; x < o->mx; x++)
            for (int c = 0; c < o->ch; c++) {
                terms = &o->terms[y][x][c];
                o->want[y][x][c] = sandwich(ay[y], ny, ax[x], nx, o->m + c, o->m_pos, terms);
                o->want[y][x][c] = fmax(o->want[y][x][c] + o->bias[c], 0);
                *terms += guard_term(1, o->bias[c]);
            }
}

static void check_out(lpips_wino_out *kernel, const outputs *o, int rows, int cols)
{
    ptrdiff_t px = o->ch + (rows + cols) % 4 * 3;
    float **dst = guard_pointers((size_t)rows, o->side);

    for (int y = 0; y < rows; y++)
        dst[y] = guard_out(OUT + y, (size_t)((cols - 1) * px + o->ch), o->side);
    NOW("%dx%d of %dx%d outputs, %d channels, side %d", rows, cols, o->my, o->mx, o->ch,
        (int)o->side);
    kernel(dst, px, o->m, o->m_pos, o->bias, o->ch, rows, cols);
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < cols; x++)
            for (int c = 0; c < o->ch; c++)
                guard_near(guard_take(dst[y] + x * px + c), o->want[y][x][c],
                           ROUNDINGS * FLT_EPSILON * o->terms[y][x][c]);
        guard_untouched(OUT + y);
    }
}

void check_wino_out(const lpips_kernels *k)
{
    static outputs o;
    int turn = 0;

    for (int i = 0; i < 2 * LPIPS_TILES * LPIPS_TILES; i++) {
        int five = i / LPIPS_TILES / LPIPS_TILES, ty = i / LPIPS_TILES % LPIPS_TILES;
        lpips_wino_out *kernel = k->wino_out[five][ty][i % LPIPS_TILES];

        for (o.ch = 16; kernel && o.ch <= MAX_CH; o.ch += test_quick() ? 32 : 16, turn++) {
            o.side = (enum side)(turn % SIDES);
            o.m_pos = o.ch + turn % 5 * 4;
            make_outputs(&o, ty, i % LPIPS_TILES, five ? 5 : 3, (enum style)(turn % STYLES));
            for (int n = 0; n < o.my * o.mx; n++)
                check_out(kernel, &o, n / o.mx + 1, n % o.mx + 1);
        }
    }
    assert_true(turn > 0);
}

/* ---- packed filters: all kernels of a convolution together -------------- */

enum { MAX_IN = 64, MAX_N = 192 };

typedef struct filter {
    lpips_net net;
    lpips_pack_key key;
    const float *weights, *bias;
} filter;

static const filter filters[] = {
    {LPIPS_NET_SQUEEZE, {"net.slice2.3.expand3x3", 16, 64, 3, 0, 0, 1, NULL, 0}, NULL, NULL},
    {LPIPS_NET_ALEX, {"net.slice2.3", 64, 192, 5, 0, 0, 1, NULL, 0}, NULL, NULL},
    {LPIPS_NET_ALEX, {"net.slice1.0", 3, 64, 11, 0, 0, 4, NULL, 0}, NULL, NULL},
};

static filter load_filter(int i, lpips_weights **w)
{
    filter f = filters[i];

    *w = test_random_weights(f.net, "0.1");
    f.weights = lpips_weights_tensor(*w, f.key.name, "weight");
    f.bias = lpips_weights_tensor(*w, f.key.name, "bias");
    assert_true(f.weights && f.bias && f.key.in * f.key.fold * f.key.fold <= MAX_IN &&
                f.key.out <= MAX_N);
    return f;
}

/* One output of the convolution by its definition.  The picture lies folded, in cells of
 * fold x fold pixels, `cells` a row: fold is the stride. */
static double convolve(const filter *f, const float *picture, int cells, int y0, int x0,
                       int o, double *terms)
{
    int n = f->key.fold, in = f->key.in, kernel = f->key.kernel;
    const float *w = f->weights + (ptrdiff_t)o * in * kernel * kernel;
    double sum = f->bias[o];

    *terms = fabs(sum);
    for (int i = 0; i < in; i++)
        for (int y = y0 * n; y < y0 * n + kernel; y++)
            for (int x = x0 * n; x < x0 * n + kernel; x++, w++) {
                int cell = y / n * cells + x / n, pixel = y % n * n + x % n;
                double p = picture[(cell * n * n + pixel) * in + i] * (double)*w;

                sum += p;
                *terms += fabs(p);
            }
    return fmax(sum, 0);
}

/* What the products of one position may hold: |u| times |B^T| |d| |B|. */
static void sum_terms(const filter *f, const float *u, const float *d, double (*m)[MAX_N])
{
    int ny = lpips_tile_len[f->key.ty], nx = lpips_tile_len[f->key.tx];
    int in = f->key.in * f->key.fold * f->key.fold, n = f->key.out;
    double by[T][T], bx[T][T], v;

    make_bt(by, f->key.ty);
    make_bt(bx, f->key.tx);
    for (int p = 0; p < ny * nx; p++, m++) {
        memset(*m, 0, sizeof *m);
        for (int q = 0; q < n; q += LPIPS_PANEL)
            for (int i = 0; i < in; i++, u += LPIPS_PANEL) {
                sandwich(by[p / nx], ny, bx[p % nx], nx, d + i, in, &v);
                for (int j = 0; j < LPIPS_PANEL; j++)
                    (*m)[q + j] += fabs(u[j]) * v;
            }
    }
}

static double output_terms(const filter *f, const double (*m)[MAX_N], int y, int x, int o,
                           int r)
{
    int ny = lpips_tile_len[f->key.ty], nx = lpips_tile_len[f->key.tx];
    double ay[T][T], ax[T][T], sum = fabs(f->bias[o]);

    make_at(ay, f->key.ty, ny - r + 1);
    make_at(ax, f->key.tx, nx - r + 1);
    for (int p = 0; p < ny * nx; p++)
        sum += fabs(ay[y][p / nx] * ax[x][p % nx]) * m[p][o];
    return sum;
}

/* By its definition, bit for bit: so packed filters, which are shared, depend on no
 * context's instruction set. */
static void check_panel(const lpips_kernels *k, int ty, int tx, int r)
{
    enum { R = LPIPS_MAX_R };
    int ny = lpips_tile_len[ty], nx = lpips_tile_len[tx];
    lpips_g_row gy[T], gx[T];
    double g[R * R * LPIPS_PANEL];
    float *u = guard_out(OUT, (size_t)(ny * nx * LPIPS_PANEL), ODD);

    NOW("filters %dx%d, tile %dx%d", r, r, ny, nx);
    for (int i = 0; i < T * R; i++) {
        gy[i / R][i % R] = guard_value(PLAIN) / 3;
        gx[i / R][i % R] = guard_value(PLAIN) / 3;
    }
    for (int i = 0; i < r * r * LPIPS_PANEL; i++)
        g[i] = guard_value(i % 3 ? PLAIN : TINY);
    k->wino_filters(u, gy, ny, gx, nx, g, r);
    for (int p = 0; p < ny * nx; p++)
        for (int j = 0; j < LPIPS_PANEL; j++) {
            double want = 0;

            for (int x = 0; x < r; x++) {
                double column = 0;

                for (int y = 0; y < r; y++)
                    column += gy[p / nx][y] * g[(y * r + x) * LPIPS_PANEL + j];
                want += column * gx[p % nx][x];
            }
            if (!guard_same(guard_take(u + p * LPIPS_PANEL + j), (float)want))
                fail_msg("%s: filter %d, position %d", guard_now, j, p);
        }
    guard_untouched(OUT);
}

void check_filter_panels(const lpips_kernels *k)
{
    for (int ty = 0; ty < LPIPS_TILES; ty++)
        for (int tx = 0; tx < LPIPS_TILES; tx++)
            for (int r = 2; r <= LPIPS_MAX_R; r++)
                check_panel(k, ty, tx, r);
}

/* One tile: A^T [(G g G^T) . (B^T d B)] A + bias is the convolution. */
static void check_tile(const lpips_kernels *k, const filter *f, const float *u, int r)
{
    static float d[T * T * MAX_IN], v[T * T * MAX_IN], m[T * T * MAX_N];
    static float to[LPIPS_MAX_OUT][LPIPS_MAX_OUT * MAX_N];
    static double mt[T * T][MAX_N];
    int ty = f->key.ty, tx = f->key.tx, ny = lpips_tile_len[ty], nx = lpips_tile_len[tx];
    int in = f->key.in * f->key.fold * f->key.fold, n = f->key.out;
    int my = ny - r + 1, mx = nx - r + 1;
    const float *rows[T], *a;
    float *dst[LPIPS_MAX_OUT], zero[MAX_N] = {0};
    double terms;

    NOW("%s, tile %dx%d", f->key.name, ny, nx);
    guard_fill(d, (size_t)(ny * nx * in), PLAIN);
    for (int y = 0; y < ny; y++)
        rows[y] = d + y * nx * in;
    for (int y = 0; y < my; y++)
        dst[y] = to[y];
    k->wino_in[ty][tx](v, in, rows, in, in);
    for (int p = 0; p < ny * nx; p++) {
        a = v + p * in;
        k->gemm(m + p * n, n, &a, in, 1, 1, u + (ptrdiff_t)p * in * n, in, n / LPIPS_PANEL,
                zero, 0, 16);
    }
    k->wino_out[r == 5][ty][tx](dst, n, m, n, f->bias, n, my, mx);
    sum_terms(f, u, d, mt);
    for (int y = 0; y < my; y++)
        for (int x = 0; x < mx; x++)
            for (int o = 0; o < n; o += x + y ? 7 : 1)
                guard_near(to[y][x * n + o], convolve(f, d, nx, y, x, o, &terms),
                           FLT_EPSILON *
                               output_terms(f, (const double(*)[MAX_N])mt, y, x, o, r));
}

void check_wino_filters(const lpips_kernels *k)
{
    lpips_weights *w;
    int tiles = 0;

    for (int i = 0; i < (int)COUNT(filters); i++) {
        filter f = load_filter(i, &w);
        int r = (f.key.kernel + f.key.fold - 1) / f.key.fold;

        for (f.key.ty = 0; f.key.ty < LPIPS_TILES; f.key.ty++)
            for (f.key.tx = 0; f.key.tx < LPIPS_TILES; f.key.tx++)
                if (k->wino_out[r == 5][f.key.ty][f.key.tx]) {
                    const float *u = lpips_pack_get(w, &f.key, k);

                    assert_non_null(u);
                    check_tile(k, &f, u, r);
                    tiles++;
                }
    }
    assert_true(tiles > (int)COUNT(filters));
}

/* Filters packed by rows, and a picture read in place: a row of outputs is one product. */
void check_row_filters(const lpips_kernels *k)
{
    enum { WIDTH = 67, HEIGHT = 11 };
    static float picture[WIDTH * HEIGHT * MAX_IN], d[WIDTH * MAX_N];
    const float *rows[HEIGHT];
    lpips_weights *w;
    double terms;

    guard_fill(picture, COUNT(picture), PLAIN);
    for (int i = 0; i < (int)COUNT(filters); i++) {
        filter f = load_filter(i, &w);
        int in = f.key.in, n = f.key.out, kernel = f.key.kernel;

        NOW("%s by rows", f.key.name);
        f.key.ty = f.key.tx = -1;
        f.key.fold = 1;
        for (int y = 0; y < kernel; y++)
            rows[y] = picture + y * WIDTH * in;
        k->gemm(d, n, rows, in, kernel, WIDTH - kernel + 1, lpips_pack_get(w, &f.key, k),
                kernel * in, n / LPIPS_PANEL, f.bias, 1, 512);
        for (int j = 0; j < (WIDTH - kernel + 1) * n; j += 11) {
            double want = convolve(&f, picture, WIDTH, 0, j / n, j % n, &terms);

            guard_near(d[j], want, FLT_EPSILON * kernel * terms);
        }
    }
}
