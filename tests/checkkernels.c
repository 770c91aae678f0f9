/*
 * checkkernels.c - every kernel of every instruction set of this machine, against sums in
 * double: sizes around each edge of the tiles, ugly values, memory that ends where the
 * arguments end.
 *
 * Inputs and outputs lie against pages that cannot be touched, so a kernel that reaches
 * outside crashes; `now` tells with which arguments.  Outputs are surrounded by canaries.
 *
 * Tolerances are FLT_EPSILON times the sum of the absolute terms (term()), times a small
 * factor for the roundings that lie one behind the other.
 */
#include "kernels.h"
#include "pack.h"
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { MOST = 70, COLS = 5 * LPIPS_PANEL, MARGIN = 64, MAX_CH = 80, T = LPIPS_MAX_TILE };

/* Which end of a block has nothing beside it; ODD is one float after the first. */
enum side { AFTER, BEFORE, ODD, SIDES };

/* One mapping for each buffer a kernel is given. */
enum { IN = 0, OUT = IN + T, WEIGHTS = OUT + LPIPS_MAX_OUT, BIAS, TMP, POINTERS, AREAS };
enum { AREA = 1 << 20, PAGE = 1 << 16 };

static char *areas[AREAS];
static struct {
    uint32_t *from, *to;
} fence[AREAS];
static const uint32_t canary = 0x7fc0dead; /* a NaN */
static char now[160];

#define NOW(...) snprintf(now, sizeof now, __VA_ARGS__)

/* ---- memory ------------------------------------------------------------- */

static int map_areas(void **state)
{
    (void)state;
    for (int i = 0; i < AREAS; i++) {
        char *p = mmap(NULL, AREA + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED || mprotect(p + PAGE, AREA, PROT_READ | PROT_WRITE))
            return -1;
        areas[i] = p + PAGE;
    }
    return 0;
}

static void *place(int area, size_t bytes, enum side side)
{
    assert_true(bytes + sizeof(float) <= AREA);
    if (side == AFTER)
        return areas[area] + AREA - bytes;
    return areas[area] + (side == ODD ? sizeof(float) : 0);
}

static float *place_floats(int area, size_t n, enum side side)
{
    return place(area, n * sizeof(float), side);
}

static void *place_pointers(size_t n, enum side side)
{
    return place(POINTERS, n * sizeof(float *), side == AFTER ? AFTER : BEFORE);
}

/* An output: canaries in it and, where there is room, on both sides. */
static float *out(int area, size_t n, enum side side)
{
    float *p = place_floats(area, n, side);
    uint32_t *first = (uint32_t *)areas[area], *end = first + AREA / sizeof *end;
    uint32_t *from = (uint32_t *)p, *to = from + n;

    fence[area].from = from - first > MARGIN ? from - MARGIN : first;
    fence[area].to = end - to > MARGIN ? to + MARGIN : end;
    for (uint32_t *q = fence[area].from; q < fence[area].to; q++)
        *q = canary;
    return p;
}

/* The value, which makes place for the canary again. */
static float take(float *p)
{
    float x = *p;

    memcpy(p, &canary, sizeof canary);
    return x;
}

/* To be called when all that should have been written has been taken. */
static void untouched(int area)
{
    for (const uint32_t *p = fence[area].from; p < fence[area].to; p++)
        if (*p != canary)
            fail_msg("%s: wrote between its outputs or beside them", now);
}

/* ---- values ------------------------------------------------------------- */

enum style { PLAIN, POSITIVE, TINY, WIDE, STYLES };

static uint64_t seed = 1;

static uint32_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

/* TINY: zeros of both signs, denormals and what has denormal products. */
static float value(enum style style)
{
    float x = (float)draw() / (float)(1 << 30) - 1;

    if (style == POSITIVE)
        return fabsf(x);
    if (style == WIDE)
        return ldexpf(x, (int)(draw() % 101) - 50);
    if (style == TINY)
        switch (draw() % 5) {
        case 0:
            return 0.f;
        case 1:
            return -0.f;
        case 2:
            return x * 0x1p-130f;
        case 3:
            return x * 0x1p-68f;
        }
    return x;
}

static void fill(float *p, size_t n, enum style style)
{
    for (size_t i = 0; i < n; i++)
        p[i] = value(style);
}

static float *input(int area, size_t n, enum side side, enum style style)
{
    float *p = place_floats(area, n, side);

    fill(p, n, style);
    return p;
}

/* |factor * x|, and what rounding to a denormal may cost. */
static double term(double factor, double x)
{
    return fmax(fabs(factor * x), fmax(fabs(factor), 1) * (double)FLT_MIN);
}

static void near(float got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s: %.9g, expected %.9g within %.3g", now, (double)got, want, tolerance);
}

static int same_bits(float a, float b)
{
    return !memcmp(&a, &b, sizeof a);
}

/* ---- products ----------------------------------------------------------- */

typedef struct product {
    int k, segs, block;
    enum side side;
    enum style style;
    ptrdiff_t stride;
    const float *a[3], *b, *init;
    float alone[MOST][COLS]; /* each row's result, computed as the only row */
} product;

/* Rows apart, close, or overlapping; segments apart or overlapping. */
static void make_product(product *p, int turn)
{
    const int stride[] = {p->k, p->k + 3, (p->k + 1) / 2};
    int apart = turn / 3 % 2 ? 3 : 0;
    size_t floats;

    p->stride = stride[turn % 3];
    floats = (size_t)((MOST - 1) * p->stride + p->k);
    if (apart)
        p->a[0] = input(IN, floats + (size_t)(apart * (p->segs - 1)), p->side, p->style);
    for (int s = 0; s < p->segs; s++)
        p->a[s] = apart ? p->a[0] + s * apart : input(IN + s, floats, p->side, p->style);
    p->b = input(WEIGHTS, (size_t)(COLS * p->segs * p->k), p->side, p->style);
    p->init = input(BIAS, COLS, p->side, p->style);
}

typedef struct part {
    int row, rows, panel, panels, relu;
    ptrdiff_t stride;
} part;

static float *multiply(const lpips_kernels *k, const product *p, const part *t)
{
    const float **a = place_pointers((size_t)p->segs, p->side);
    float *d =
        out(OUT, (size_t)((t->rows - 1) * t->stride + t->panels * LPIPS_PANEL), p->side);

    NOW("k %d, segs %d, block %d, stride %d, %d rows from %d, %d panels from %d, relu %d",
        p->k, p->segs, p->block, (int)p->stride, t->rows, t->row, t->panels, t->panel,
        t->relu);
    for (int s = 0; s < p->segs; s++)
        a[s] = p->a[s] + t->row * p->stride;
    k->gemm(d, t->stride, a, p->stride, p->segs, t->rows,
            p->b + (ptrdiff_t)t->panel * p->segs * p->k * LPIPS_PANEL, p->k, t->panels,
            p->init + t->panel * LPIPS_PANEL, t->relu, p->block);
    return d;
}

/* The sums of one row in double; roundings of random sign grow as the root of their number.
 */
static void check_row(const product *p, int row)
{
    int deep = p->block < p->k ? p->block + p->k / p->block : p->k;

    NOW("k %d, segs %d, block %d, stride %d, row %d", p->k, p->segs, p->block, (int)p->stride,
        row);
    for (int j = 0; j < COLS; j++) {
        int q = j / LPIPS_PANEL;
        const float *b = p->b + (ptrdiff_t)q * p->segs * p->k * LPIPS_PANEL + j % LPIPS_PANEL;
        double sum = p->init[j], terms = term(1, p->init[j]);

        for (int s = 0; s < p->segs; s++)
            for (int l = 0; l < p->k; l++, b += LPIPS_PANEL) {
                double x = p->a[s][row * p->stride + l];

                sum += x * *b;
                terms += fmax(fabs(x * *b), FLT_MIN);
            }
        near(p->alone[row][j], sum, 2 * FLT_EPSILON * sqrt(deep * p->segs + 1) * terms);
    }
}

/* A row's result depends neither on its place nor on the number of rows. */
static void check_part(const lpips_kernels *k, const product *p, const part *t)
{
    float *d = multiply(k, p, t);

    for (int i = 0; i < t->rows; i++)
        for (int j = 0; j < t->panels * LPIPS_PANEL; j++) {
            float got = take(d + i * t->stride + j);
            float want = p->alone[t->row + i][t->panel * LPIPS_PANEL + j];

            if (t->relu ? got != fmaxf(want, 0) : !same_bits(got, want))
                fail_msg("%s: row %d, column %d is %.9g, alone %.9g", now, i, j, (double)got,
                         (double)want);
        }
    untouched(OUT);
}

static int some_rows(int rows)
{
    return rows < 15 || rows % 12 < 2 || rows % 12 == 11 || rows == MOST;
}

static void check_product(const lpips_kernels *k, product *p, int turn)
{
    int all = p->k <= MOST && !test_quick();

    make_product(p, turn);
    for (int i = 0; i < MOST; i++) {
        float *d = multiply(k, p, &(part){i, 1, 0, COLS / LPIPS_PANEL, 0, COLS});

        for (int j = 0; j < COLS; j++)
            p->alone[i][j] = take(d + j);
        untouched(OUT);
        if (i % 13 == turn % 13)
            check_row(p, i);
    }
    for (int rows = 1; rows <= MOST; rows++) {
        int panels = 1 + (turn + rows) % 5, end = p->side == AFTER;
        part t = {end ? MOST - rows : 0, rows,
                  end ? 5 - panels : 0,  panels,
                  (turn + rows) / 5 % 2, panels * LPIPS_PANEL + (turn + rows) % 3 * 5};

        if (all || some_rows(rows))
            check_part(k, p, &t);
    }
}

static void gemm(void **state)
{
    static const int large[] = {96, 128, 192, 256, 384, 512}, block[] = {8, 16, 512};
    static product p;
    int turn = 0;

    for (int i = 0; i < MOST + (int)COUNT(large); i += test_quick() ? 5 : 1)
        for (int j = 0; j < 3 * SIDES; j++, turn++) {
            p.k = i < MOST ? i + 1 : large[i - MOST];
            p.segs = 1 + j / SIDES;
            p.side = (enum side)(j % SIDES);
            p.block = block[(i + p.segs + j) % 3];
            p.style = (enum style)(turn % STYLES);
            check_product(*state, &p, turn);
        }
}

/* 2^24 + 1 is 2^24 in float: ones count only if blocks of them are summed first. */
static void gemm_blocks(void **state)
{
    const lpips_kernels *k = *state;

    for (int block = 8; block <= 16; block += 8)
        for (int rows = 1; rows <= 26; rows++) {
            float *a = place_floats(IN, 64, AFTER), *init = place_floats(BIAS, 16, AFTER);
            float *b = place_floats(WEIGHTS, 64 * 16, AFTER), *d = out(OUT, 16 * 26, AFTER);

            NOW("block %d, %d rows", block, rows);
            for (int l = 0; l < 64; l++)
                a[l] = l < block - 1 ? 0.f : l < block ? 0x1p24f : 1.f;
            for (int i = 0; i < 64 * 16; i++)
                b[i] = 1.f;
            memset(init, 0, sizeof *init * 16);
            k->gemm(d, 16, &(const float *){a}, 0, 1, rows, b, 64, 1, init, 0, block);
            for (int i = 0; i < rows * 16; i++)
                near(d[i], 0x1p24 + 64 - block, 0);
        }
}

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
                *terms += term(y[i] * x[j], *in);
            }
    return sum;
}

static void check_in(lpips_wino_in *kernel, int ty, int tx, int ch, int turn)
{
    enum side side = (enum side)(turn % SIDES);
    int ny = lpips_tile_len[ty], nx = lpips_tile_len[tx], px = ch + turn % 4 * 3;
    ptrdiff_t v_pos = ch + turn % 5 * 4;
    const float **rows = place_pointers((size_t)ny, side);
    float *v = out(OUT, (size_t)((ny * nx - 1) * v_pos + ch), side), tile[T * T];
    double by[T][T], bx[T][T], terms;

    make_bt(by, ty);
    make_bt(bx, tx);
    for (int y = 0; y < ny; y++)
        rows[y] =
            input(IN + y, (size_t)((nx - 1) * px + ch), side, (enum style)(turn % STYLES));
    NOW("tile %dx%d, %d channels, side %d", ny, nx, ch, (int)side);
    kernel(v, v_pos, rows, px, ch);
    for (int c = 0; c < ch; c++) {
        for (int p = 0; p < ny * nx; p++)
            tile[p] = rows[p / nx][p % nx * px + c];
        for (int p = 0; p < ny * nx; p++) {
            double want = sandwich(by[p / nx], ny, bx[p % nx], nx, tile, 1, &terms);

            near(take(v + p * v_pos + c), want, 2 * FLT_EPSILON * terms);
        }
    }
    untouched(OUT);
}

static void wino_in(void **state)
{
    const lpips_kernels *k = *state;
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
    o->m = input(IN, (size_t)((ny * nx - 1) * o->m_pos + o->ch), o->side, style);
    o->bias = input(BIAS, (size_t)o->ch, o->side, style);
    make_at(ay, ty, o->my);
    make_at(ax, tx, o->mx);
    for (int y = 0; y < o->my; y++)
        for (int x = 0; x < o->mx; x++)
            for (int c = 0; c < o->ch; c++) {
                terms = &o->terms[y][x][c];
                o->want[y][x][c] = sandwich(ay[y], ny, ax[x], nx, o->m + c, o->m_pos, terms);
                o->want[y][x][c] = fmax(o->want[y][x][c] + o->bias[c], 0);
                *terms += term(1, o->bias[c]);
            }
}

static void check_out(lpips_wino_out *kernel, const outputs *o, int rows, int cols)
{
    ptrdiff_t px = o->ch + (rows + cols) % 4 * 3;
    float **dst = place_pointers((size_t)rows, o->side);

    for (int y = 0; y < rows; y++)
        dst[y] = out(OUT + y, (size_t)((cols - 1) * px + o->ch), o->side);
    NOW("%dx%d of %dx%d outputs, %d channels, side %d", rows, cols, o->my, o->mx, o->ch,
        (int)o->side);
    kernel(dst, px, o->m, o->m_pos, o->bias, o->ch, rows, cols);
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < cols; x++)
            for (int c = 0; c < o->ch; c++)
                near(take(dst[y] + x * px + c), o->want[y][x][c],
                     2 * FLT_EPSILON * o->terms[y][x][c]);
        untouched(OUT + y);
    }
}

static void wino_out(void **state)
{
    const lpips_kernels *k = *state;
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
    {LPIPS_NET_SQUEEZE, {"net.slice2.3.expand3x3", 16, 64, 3, 0, 0, 1}, NULL, NULL},
    {LPIPS_NET_ALEX, {"net.slice2.3", 64, 192, 5, 0, 0, 1}, NULL, NULL},
    {LPIPS_NET_ALEX, {"net.slice1.0", 3, 64, 11, 0, 0, 4}, NULL, NULL},
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
    fill(d, (size_t)(ny * nx * in), PLAIN);
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
                near(to[y][x * n + o], convolve(f, d, nx, y, x, o, &terms),
                     FLT_EPSILON * output_terms(f, (const double(*)[MAX_N])mt, y, x, o, r));
}

static void wino_filters(void **state)
{
    const lpips_kernels *k = *state;
    lpips_weights *w;
    int tiles = 0;

    for (int i = 0; i < (int)COUNT(filters); i++) {
        filter f = load_filter(i, &w);
        int r = (f.key.kernel + f.key.fold - 1) / f.key.fold;

        for (f.key.ty = 0; f.key.ty < LPIPS_TILES; f.key.ty++)
            for (f.key.tx = 0; f.key.tx < LPIPS_TILES; f.key.tx++)
                if (k->wino_out[r == 5][f.key.ty][f.key.tx]) {
                    const float *u = lpips_pack_get(w, &f.key);

                    assert_non_null(u);
                    check_tile(k, &f, u, r);
                    tiles++;
                }
    }
    assert_true(tiles > (int)COUNT(filters));
}

/* Filters packed by rows, and a picture read in place: a row of outputs is one product. */
static void row_filters(void **state)
{
    enum { WIDTH = 67, HEIGHT = 11 };
    static float picture[WIDTH * HEIGHT * MAX_IN], d[WIDTH * MAX_N];
    const lpips_kernels *k = *state;
    const float *rows[HEIGHT];
    lpips_weights *w;
    double terms;

    fill(picture, COUNT(picture), PLAIN);
    for (int i = 0; i < (int)COUNT(filters); i++) {
        filter f = load_filter(i, &w);
        int in = f.key.in, n = f.key.out, kernel = f.key.kernel;

        NOW("%s by rows", f.key.name);
        f.key.ty = f.key.tx = -1;
        f.key.fold = 1;
        for (int y = 0; y < kernel; y++)
            rows[y] = picture + y * WIDTH * in;
        k->gemm(d, n, rows, in, kernel, WIDTH - kernel + 1, lpips_pack_get(w, &f.key),
                kernel * in, n / LPIPS_PANEL, f.bias, 1, 512);
        for (int j = 0; j < (WIDTH - kernel + 1) * n; j += 11) {
            double want = convolve(&f, picture, WIDTH, 0, j / n, j % n, &terms);

            near(d[j], want, FLT_EPSILON * kernel * terms);
        }
    }
}

/* ---- pooling ------------------------------------------------------------ */

static void check_pool(const lpips_kernels *k, int size, int n, int ch, int turn)
{
    enum side side = (enum side)(turn % SIDES);
    size_t wide = (size_t)((2 * n + size - 2) * ch);
    const float **rows = place_pointers((size_t)size, side);
    float *tmp = out(TMP, wide, side), *dst = out(OUT, (size_t)(n * ch), side);

    for (int y = 0; y < size; y++)
        rows[y] = input(IN + y, wide, side, (enum style)(turn % STYLES));
    NOW("size %d, %d pixels of %d, side %d", size, n, ch, (int)side);
    k->pool_row(dst, rows, size, n, ch, tmp);
    for (int i = 0; i < n * ch; i++) {
        float want = -INFINITY, got = take(dst + i);

        for (int j = 0; j < size * size; j++)
            want = fmaxf(want, rows[j / size][(2 * (i / ch) + j % size) * ch + i % ch]);
        if (got != want)
            fail_msg("%s: %.9g, expected %.9g", now, (double)got, (double)want);
    }
    untouched(OUT);
    for (size_t i = 0; i < wide; i++)
        take(tmp + i);
    untouched(TMP);
}

static void pool_row(void **state)
{
    int turn = 0;

    for (int size = 2; size <= 3; size++)
        for (int n = 1; n <= MOST; n += test_quick() ? 9 : 1)
            for (int ch = 16; ch <= MAX_CH; ch += 16, turn++)
                check_pool(*state, size, n, ch, turn);
}

/* ---- head --------------------------------------------------------------- */

static double length(const float *x, int ch)
{
    double sum = 0;

    for (int c = 0; c < ch; c++)
        sum += (double)x[c] * x[c];
    return sqrt(sum) + 1e-10;
}

/* With x = a / |a| and y = b / |b| each off by e (|x| + |y|), a term d^2 is off by
 * 2 e |d| (|x| + |y|) + e^2 (|x| + |y|)^2 and by its own roundings. */
static void check_pixel(float got, const float *a, const float *b, const float *lin, int ch)
{
    const double e = 2 * FLT_EPSILON, la = length(a, ch), lb = length(b, ch);
    double sum = 0, terms = 0;

    for (int c = 0; c < ch; c++) {
        double d = a[c] / la - b[c] / lb, both = fabs(a[c] / la) + fabs(b[c] / lb);

        sum += lin[c] * d * d;
        terms += lin[c] * (2 * fabs(d) * both + e * both * both) + (double)FLT_MIN;
    }
    near(got, sum, e * terms);
}

static void check_head(const lpips_kernels *k, int n, int ch, int turn)
{
    enum side side = (enum side)(turn % SIDES);
    enum style style = (enum style)(turn % STYLES);
    ptrdiff_t px = ch + turn % 3 * 16;
    size_t floats = (size_t)((n - 1) * px + ch);
    const float *a = input(IN, floats, side, style);
    float *b = input(IN + 1, floats, side, style),
          *lin = input(WEIGHTS, (size_t)ch, side, POSITIVE);
    float *ab = out(OUT, (size_t)n, side), *ba = out(OUT + 1, (size_t)n, side), x;

    NOW("%d pixels of %d, %d apart, side %d, style %d", n, ch, (int)px, (int)side,
        (int)style);
    if (turn % 2) /* nearly equal */
        for (size_t i = 0; i < floats; i++)
            b[i] = i % 17 ? a[i] : a[i] * 1.0001f;
    k->head_row(ab, a, b, px, n, lin, ch);
    k->head_row(ba, b, a, px, n, lin, ch);
    for (int i = 0; i < n; i++) {
        x = take(ab + i);
        check_pixel(x, a + i * px, b + i * px, lin, ch);
        assert_true(same_bits(x, take(ba + i)));
    }
    memcpy(b, a, floats * sizeof *b);
    k->head_row(ab, a, b, px, n, lin, ch);
    for (int i = 0; i < n; i++)
        if (!same_bits(take(ab + i), 0))
            fail_msg("%s: equal pixels differ", now);
    untouched(OUT);
    untouched(OUT + 1);
}

static void head_row(void **state)
{
    static const int ch[] = {64, 128, 192, 256, 384, 512};
    int turn = 0;

    for (int i = 0; i < (int)COUNT(ch); i++)
        for (int n = 1; n <= MOST; n += test_quick() ? 9 : 1)
            check_head(*state, n, ch[i], turn++);
}

/* Pixels of zeros have length 1e-10: no NaN, and a fixed distance to others. */
static void head_zero(void **state)
{
    static float zero[64], one[64], lin[64], d[2];
    const lpips_kernels *k = *state;

    NOW("zeros");
    one[3] = 5;
    lin[3] = .75f;
    k->head_row(d, zero, one, 64, 1, lin, 64);
    k->head_row(d + 1, zero, zero, 64, 1, lin, 64);
    near(d[0], .75, 4 * FLT_EPSILON * .75);
    assert_true(same_bits(d[1], 0));
}

/* ---- pixels ------------------------------------------------------------- */

static const int sample_size[3] = {1, 2, 4};
static const float mul[3] = {1 / 127.5f, .25f, -3}, add[3] = {-1, .125f, 7};

/* Where the samples lie: in units of the sample, the step and the three first ones; planes
 * when `step` is 1. */
static const struct {
    int step, at[3];
} layouts[] = {
    {3, {0, 1, 2}}, {3, {2, 1, 0}}, {4, {0, 1, 2}}, {4, {3, 2, 1}}, {1, {0, 0, 0}}};

/* Fills `src` with n pixels; odd: at an odd address; back: from the last pixel to the first.
 */
static ptrdiff_t make_pixels(const void *src[3], int layout, int format, int n, int odd,
                             int back)
{
    int size = sample_size[format], step = layouts[layout].step, high = 0, low = 3;

    for (int c = 0; c < 3; c++) {
        high = layouts[layout].at[c] > high ? layouts[layout].at[c] : high;
        low = layouts[layout].at[c] < low ? layouts[layout].at[c] : low;
    }
    for (int c = 0; c < 3; c++) {
        int area = IN + (step == 1 ? c : 0), count = (n - 1) * step + high - low + 1;
        char *p = place(area, (size_t)(count * size + odd),
                        odd     ? AFTER
                        : n % 2 ? BEFORE
                                : AFTER);

        for (int i = 0; i < count * size && (c == 0 || step == 1); i++)
            p[i] = (char)draw();
        for (int i = 0; i < count && format == 2 && (c == 0 || step == 1); i++) {
            float x = value((enum style)(n % POSITIVE));

            memcpy(p + i * size, &x, sizeof x);
        }
        src[c] = p + (layouts[layout].at[c] - low + (back ? (n - 1) * step : 0)) * size;
    }
    return (back ? -step : step) * size;
}

static double sample(const void *p, int format)
{
    uint16_t u16;
    float f;

    memcpy(&u16, p, format == 1 ? sizeof u16 : 1);
    memcpy(&f, p, format == 2 ? sizeof f : 1);
    return format == 0 ? *(const uint8_t *)p : format == 1 ? (double)u16 : (double)f;
}

static void load_row(void **state)
{
    const lpips_kernels *k = *state;
    const void *src[3];

    for (int i = 0; i < 3 * (int)COUNT(layouts) * 4; i++)
        for (int n = 1; n <= MOST; n++) {
            int format = i % 3, layout = i / 3 % (int)COUNT(layouts),
                way = i / 3 / (int)COUNT(layouts);
            ptrdiff_t step = make_pixels(src, layout, format, n, way % 2, way / 2);
            float *d = out(OUT, (size_t)(3 * n), (enum side)(i % SIDES));

            NOW("format %d, layout %d, way %d, %d pixels", format, layout, way, n);
            assert_int_equal(k->load_row[format](d, src, step, n, mul, add), 0);
            for (int j = 0; j < 3 * n; j++) {
                double x = sample((const char *)src[j % 3] + j / 3 * step, format);

                near(take(d + j), x * mul[j % 3] + add[j % 3],
                     FLT_EPSILON * (term(mul[j % 3], x) + term(1, add[j % 3])));
            }
            untouched(OUT);
        }
}

/* Wherever they stand. */
static void load_refuses(void **state)
{
    const float bad[] = {NAN,
                         -NAN,
                         INFINITY,
                         -INFINITY,
                         nextafterf(65536, INFINITY),
                         nextafterf(-65536, -INFINITY),
                         FLT_MAX};
    const float good[] = {65536, -65536, 0.f, -0.f, FLT_TRUE_MIN};
    const lpips_kernels *k = *state;

    for (int n = 1; n <= MOST; n += test_quick() ? 9 : 1)
        for (int at = 0; at < 3 * n; at++)
            for (int i = 0; i < (int)(COUNT(bad) + COUNT(good)); i++) {
                int fine = i >= (int)COUNT(bad);
                float *p = place_floats(IN, (size_t)(3 * n), AFTER),
                      *d = out(OUT, 3 * MOST, AFTER);

                memset(p, 0, sizeof *p * (size_t)(3 * n));
                p[at] = fine ? good[i - (int)COUNT(bad)] : bad[i];
                NOW("%g at %d of %d", (double)p[at], at, 3 * n);
                if (k->load_row[2](d, (const void *[3]){p, p + 1, p + 2}, 12, n, mul, add) !=
                    (fine ? 0 : -1))
                    fail_msg("%s: %s", now, fine ? "refused" : "accepted");
            }
}

/* ---- sets --------------------------------------------------------------- */

static int start(void **state)
{
    (void)state;
    now[0] = 0;
    seed = 1;
    return 0;
}

/* cmocka survives a crash but cannot tell what was going on. */
static int finish(void **state)
{
    (void)state;
    if (now[0])
        print_message("# last: %s\n", now);
    return 0;
}

static void absent(void **state)
{
    (void)state;
    skip();
}

#define PART(test, field)                                                                \
    {                                                                                    \
#test, test, offsetof(lpips_kernels, field), sizeof(((lpips_kernels *)0)->field) \
    }

static const struct {
    const char *name;
    CMUnitTestFunction run;
    size_t at, size; /* the entries of the table that it tests */
} parts[] = {
    PART(gemm, gemm),         PART(gemm_blocks, gemm),      PART(row_filters, gemm),
    PART(wino_in, wino_in),   PART(wino_out, wino_out),     PART(wino_filters, wino_in),
    PART(pool_row, pool_row), PART(head_row, head_row),     PART(head_zero, head_row),
    PART(load_row, load_row), PART(load_refuses, load_row),
};

static const struct {
    const char *name;
    unsigned cpu;
} sets[] = {
    {"C", 0},
    {"OpenBLAS", LPIPS_CPU_BLAS},
    {"AVX2", LPIPS_CPU_AVX2},
    {"AVX-512", LPIPS_CPU_AVX512},
};

/* A set is tested in what it does not take from C. */
int main(void)
{
    static lpips_kernels tables[COUNT(sets)];
    static char names[COUNT(sets) * COUNT(parts)][64];
    struct CMUnitTest tests[COUNT(sets) * COUNT(parts)];
    size_t n = 0;
    int failed;

    for (size_t s = 0; s < COUNT(sets); s++) {
        unsigned missing = sets[s].cpu & ~lpips_cpu_features();

        lpips_kernels_init(&tables[s], sets[s].cpu & lpips_cpu_features());
        for (size_t i = 0; i < (missing ? 1 : COUNT(parts)); i++) {
            const char *own = (char *)&tables[s] + parts[i].at,
                       *c = (char *)tables + parts[i].at;

            if (s && !missing && !memcmp(own, c, parts[i].size))
                continue;
            snprintf(names[n], sizeof names[n], "%s %s", sets[s].name,
                     missing ? "is missing on this machine" : parts[i].name);
            tests[n] = (struct CMUnitTest){names[n], missing ? absent : parts[i].run, start,
                                           finish, &tables[s]};
            n++;
        }
    }
    failed = _cmocka_run_group_tests("checkkernels", tests, n, map_areas, NULL);
    test_free_weights();
    return failed;
}
