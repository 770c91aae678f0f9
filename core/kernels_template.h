/*
 * kernels_template.h - the kernels that look alike on every instruction set, written
 * once over a vector type.  The including file defines
 *     VL             floats in a vector, 16 a multiple of it
 *     vec            the type, with the operators of GCC's vector extensions
 *     LOAD STORE SET1 FMA(a, b, c) = a * b + c, MAX
 *     SUMS           of VL vectors: lane j is the sum of t[j], all added in the same order
 *     LOADU8         VL bytes as floats, or nothing: C's loading is kept then
 * and includes this once.  Contraction is off: FMA is used where it is written.
 *
 * Winograd transforms (Lavin and Gray 2016, section 4; Toom-Cook): with the points
 * 0, +-p1, +-p2 ..., infinity, row i of B^T holds the coefficients of
 * M_i(x) = product over the other finite points (x - a_j), that of infinity those of
 * the product over all; column i of A^T is 1, a_i, a_i^2 ...; G is in pack.c.  For a
 * pair +-p with E(y) = product over the other pairs (y - q^2):
 *     M_+-p(x) = x^2 E(x^2) +- p x E(x^2),
 * so even and odd samples are combined once and used twice.
 */
#define INLINE static inline __attribute__((always_inline))

/* Points 0, 1, -1, 2, infinity: the only set with a point that has no partner. */
INLINE void bt5(vec *o, const vec *d)
{
    vec a = FMA(SET1(-2.f), d[2], d[3]);

    o[0] = FMA(SET1(2.f), d[0], a - d[1]);
    o[1] = FMA(SET1(-2.f), d[1], d[3] - d[2]);
    o[2] = FMA(SET1(2.f), d[1], FMA(SET1(-3.f), d[2], d[3]));
    o[3] = d[3] - d[1];
    o[4] = FMA(SET1(2.f), d[1] - d[3], d[4] - d[2]);
}

/* Points 0, +-5/8, +-3/2, infinity: half the rounding error of +-1, +-2. */
INLINE void bt6(vec *o, const vec *d)
{
    vec e1 = FMA(SET1(-2.25f), d[2], d[4]), o1 = FMA(SET1(-2.25f), d[1], d[3]);
    vec e2 = FMA(SET1(-.390625f), d[2], d[4]), o2 = FMA(SET1(-.390625f), d[1], d[3]);

    o[0] = FMA(SET1(.87890625f), d[0], FMA(SET1(-2.640625f), d[2], d[4]));
    o[1] = FMA(SET1(.625f), o1, e1);
    o[2] = FMA(SET1(-.625f), o1, e1);
    o[3] = FMA(SET1(1.5f), o2, e2);
    o[4] = FMA(SET1(-1.5f), o2, e2);
    o[5] = FMA(SET1(.87890625f), d[1], FMA(SET1(-2.640625f), d[3], d[5]));
}

/* Points 0, +-1, +-2, +-1/2, infinity. */
INLINE void bt8(vec *o, const vec *d)
{
    vec e1 = FMA(SET1(-4.25f), d[4], d[2] + d[6]);
    vec o1 = FMA(SET1(-4.25f), d[3], d[1] + d[5]);
    vec e2 = FMA(SET1(.25f), d[2], FMA(SET1(-1.25f), d[4], d[6]));
    vec o2 = FMA(SET1(.25f), d[1], FMA(SET1(-1.25f), d[3], d[5]));
    vec e3 = FMA(SET1(4.f), d[2], FMA(SET1(-5.f), d[4], d[6]));
    vec o3 = FMA(SET1(4.f), d[1], FMA(SET1(-5.f), d[3], d[5]));

    o[0] = FMA(SET1(5.25f), d[2] - d[4], d[6] - d[0]);
    o[1] = e1 + o1;
    o[2] = e1 - o1;
    o[3] = FMA(SET1(2.f), o2, e2);
    o[4] = FMA(SET1(-2.f), o2, e2);
    o[5] = FMA(SET1(.5f), o3, e3);
    o[6] = FMA(SET1(-.5f), o3, e3);
    o[7] = FMA(SET1(5.25f), d[3] - d[5], d[7] - d[1]);
}

#define CUBIC(c2, c1, c0, x0, x1, x2, x3) \
    FMA(SET1(c0), x0, FMA(SET1(c1), x1, FMA(SET1(c2), x2, x3)))

/* Points 0, +-3/8, +-3/4, +-5/4, +-2, infinity: half the error of +-1/2, +-3/4, +-1, +-2. */
INLINE void bt10(vec *o, const vec *d)
{
    vec e1 = CUBIC(-6.125f, 9.37890625f, -3.515625f, d[2], d[4], d[6], d[8]);
    vec o1 = CUBIC(-6.125f, 9.37890625f, -3.515625f, d[1], d[3], d[5], d[7]);
    vec e2 = CUBIC(-5.703125f, 7.0322265625f, -.87890625f, d[2], d[4], d[6], d[8]);
    vec o2 = CUBIC(-5.703125f, 7.0322265625f, -.87890625f, d[1], d[3], d[5], d[7]);
    vec e3 = CUBIC(-4.703125f, 2.8916015625f, -.31640625f, d[2], d[4], d[6], d[8]);
    vec o3 = CUBIC(-4.703125f, 2.8916015625f, -.31640625f, d[1], d[3], d[5], d[7]);
    vec e4 = CUBIC(-2.265625f, 1.177734375f, -.12359619140625f, d[2], d[4], d[6], d[8]);
    vec o4 = CUBIC(-2.265625f, 1.177734375f, -.12359619140625f, d[1], d[3], d[5], d[7]);

    o[0] = FMA(SET1(.494384765625f), d[0],
               CUBIC(-6.265625f, 10.240234375f, -4.83453369140625f, d[2], d[4], d[6], d[8]));
    o[1] = FMA(SET1(.375f), o1, e1);
    o[2] = FMA(SET1(-.375f), o1, e1);
    o[3] = FMA(SET1(.75f), o2, e2);
    o[4] = FMA(SET1(-.75f), o2, e2);
    o[5] = FMA(SET1(1.25f), o3, e3);
    o[6] = FMA(SET1(-1.25f), o3, e3);
    o[7] = FMA(SET1(2.f), o4, e4);
    o[8] = FMA(SET1(-2.f), o4, e4);
    o[9] = FMA(SET1(.494384765625f), d[1],
               CUBIC(-6.265625f, 10.240234375f, -4.83453369140625f, d[3], d[5], d[7], d[9]));
}

INLINE void at5(vec *y, const vec *m, int out)
{
    vec s = m[1] + m[2], t = m[1] - m[2];

    (void)out;
    y[0] = m[0] + s + m[3];
    y[1] = FMA(SET1(2.f), m[3], t);
    y[2] = FMA(SET1(4.f), m[3], s + m[4]);
}

/* y_j = sum over pairs p^j (m_+p +- m_-p), plus m_0 for j = 0 and m_inf for the last. */
INLINE void at6(vec *y, const vec *m, int out)
{
    vec s1 = m[1] + m[2], t1 = m[1] - m[2], s2 = m[3] + m[4], t2 = m[3] - m[4];

    (void)out;
    y[0] = m[0] + s1 + s2;
    y[1] = FMA(SET1(.625f), t1, SET1(1.5f) * t2);
    y[2] = FMA(SET1(.390625f), s1, SET1(2.25f) * s2);
    y[3] = FMA(SET1(.244140625f), t1, FMA(SET1(3.375f), t2, m[5]));
}

INLINE void at8(vec *y, const vec *m, int out)
{
    vec s1 = m[1] + m[2], t1 = m[1] - m[2], s2 = m[3] + m[4], t2 = m[3] - m[4];
    vec s3 = m[5] + m[6], t3 = m[5] - m[6];

    y[0] = m[0] + s1 + s2 + s3;
    y[1] = FMA(SET1(.5f), t3, FMA(SET1(2.f), t2, t1));
    y[2] = FMA(SET1(.25f), s3, FMA(SET1(4.f), s2, s1));
    y[3] = FMA(SET1(.125f), t3, FMA(SET1(8.f), t2, t1));
    if (out > 4) {
        y[4] = FMA(SET1(.0625f), s3, FMA(SET1(16.f), s2, s1));
        y[5] = FMA(SET1(.03125f), t3, FMA(SET1(32.f), t2, t1));
    }
    y[out - 1] += m[7];
}

#define PAIRS(p, q, r, s, x1, x2, x3, x4) \
    FMA(SET1(p), x1, FMA(SET1(q), x2, FMA(SET1(r), x3, SET1(s) * (x4))))

INLINE void at10(vec *y, const vec *m, int out)
{
    vec s1 = m[1] + m[2], t1 = m[1] - m[2], s2 = m[3] + m[4], t2 = m[3] - m[4];
    vec s3 = m[5] + m[6], t3 = m[5] - m[6], s4 = m[7] + m[8], t4 = m[7] - m[8];

    y[0] = m[0] + s1 + s2 + s3 + s4;
    y[1] = PAIRS(.375f, .75f, 1.25f, 2.f, t1, t2, t3, t4);
    y[2] = PAIRS(.140625f, .5625f, 1.5625f, 4.f, s1, s2, s3, s4);
    y[3] = PAIRS(.052734375f, .421875f, 1.953125f, 8.f, t1, t2, t3, t4);
    y[4] = PAIRS(.019775390625f, .31640625f, 2.44140625f, 16.f, s1, s2, s3, s4);
    y[5] = PAIRS(.007415771484375f, .2373046875f, 3.0517578125f, 32.f, t1, t2, t3, t4);
    if (out > 6) {
        y[6] = PAIRS(.002780914306640625f, .177978515625f, 3.814697265625f, 64.f, s1, s2, s3,
                     s4);
        y[7] = PAIRS(.0010428428649902344f, .13348388671875f, 4.76837158203125f, 128.f, t1,
                     t2, t3, t4);
    }
    y[out - 1] += m[9];
}

/* Large tiles ask for what they will write, and for what the next round of channels reads:
 * they touch as many pages as they have positions, which no hardware foresees. */
#define ASK(ny, nx) ((ny) * (nx) > 36)

#define DEFINE_IN(ny, nx)                                                                \
    static void wino_in_##ny##_##nx(float *v, ptrdiff_t v_pos, const float *const *rows, \
                                    ptrdiff_t px, int ch)                                \
    {                                                                                    \
        for (int c = 0; c < ch; c += VL) {                                               \
            vec t[nx][ny];                                                               \
            for (int x = 0; x < nx; x++) {                                               \
                vec d[ny];                                                               \
                _Pragma("GCC unroll 10") for (int y = 0; y < ny; y++) d[y] =             \
                    LOAD(rows[y] + x * px + c);                                          \
                _Pragma("GCC unroll 10") for (int y = 0; y < ny && ASK(ny, nx); y++)     \
                    __builtin_prefetch(v + (y * nx + x) * v_pos + c, 1);                 \
                bt##ny(t[x], d);                                                         \
            }                                                                            \
            for (int y = 0; y < ny; y++) {                                               \
                vec d[nx], o[nx];                                                        \
                _Pragma("GCC unroll 10") for (int x = 0; x < nx; x++) d[x] = t[x][y];    \
                bt##nx(o, d);                                                            \
                _Pragma("GCC unroll 10") for (int x = 0; x < nx; x++)                    \
                    STORE(v + (y * nx + x) * v_pos + c, o[x]);                           \
            }                                                                            \
        }                                                                                \
    }

#define DEFINE_OUT(ny, my, nx, mx)                                                      \
    static void wino_out_##ny##_##my##_##nx##_##mx(float *const *dst, ptrdiff_t px,     \
                                                   const float *m, ptrdiff_t m_pos,     \
                                                   const float *bias, int ch, int rows, \
                                                   int cols)                            \
    {                                                                                   \
        const vec zero = SET1(0.f);                                                     \
        for (int c = 0; c < ch; c += VL) {                                              \
            const vec b = LOAD(bias + c);                                               \
            vec t[my][nx];                                                              \
            for (int y = 0; y < my && y < rows && ASK(ny, nx); y++)                     \
                for (int x = 0; x < mx && x < cols; x++)                                \
                    __builtin_prefetch(dst[y] + x * px + c, 1);                         \
            for (int x = 0; x < nx; x++) {                                              \
                vec d[ny], o[my];                                                       \
                _Pragma("GCC unroll 10") for (int y = 0; y < ny; y++) d[y] =            \
                    LOAD(m + (y * nx + x) * m_pos + c);                                 \
                _Pragma("GCC unroll 10") for (int y = 0; y < ny && ASK(ny, nx); y++)    \
                    __builtin_prefetch(m + (y * nx + x) * m_pos + c + 16);              \
                at##ny(o, d, my);                                                       \
                _Pragma("GCC unroll 10") for (int y = 0; y < my; y++) t[y][x] = o[y];   \
            }                                                                           \
            for (int y = 0; y < my && y < rows; y++) {                                  \
                vec o[mx];                                                              \
                at##nx(o, t[y], mx);                                                    \
                _Pragma("GCC unroll 10") for (int x = 0; x < mx; x++) if (x < cols)     \
                    STORE(dst[y] + x * px + c, MAX(o[x] + b, zero));                    \
            }                                                                           \
        }                                                                               \
    }

#define DEFINE_3(ny, my, nx, mx) DEFINE_IN(ny, nx) DEFINE_OUT(ny, my, nx, mx)

DEFINE_3(5, 3, 5, 3)
DEFINE_3(6, 4, 6, 4)
DEFINE_3(6, 4, 8, 6)
DEFINE_3(6, 4, 10, 8)
DEFINE_3(8, 6, 6, 4)
DEFINE_3(8, 6, 8, 6)
DEFINE_3(8, 6, 10, 8)
DEFINE_3(10, 8, 6, 4)
DEFINE_3(10, 8, 8, 6)
DEFINE_3(10, 8, 10, 8)
DEFINE_OUT(8, 4, 8, 4)
DEFINE_OUT(8, 4, 10, 6)
DEFINE_OUT(10, 6, 8, 4)
DEFINE_OUT(10, 6, 10, 6)

/* The larger of rows at column x of a row of pixels. */
INLINE vec pool_column(const float *const *rows, int size, ptrdiff_t at)
{
    vec m = MAX(LOAD(rows[0] + at), LOAD(rows[1] + at));

    return size == 3 ? MAX(m, LOAD(rows[2] + at)) : m;
}

/* `vecs` vectors of channels; with windows of three a column is the last of one pixel and the
 * first of the next. */
INLINE void pool_channels(float *dst, const float *const *rows, const int size, int n, int ch,
                          const int vecs)
{
    vec first[4];

    for (int i = 0; i < vecs; i++)
        first[i] = pool_column(rows, size, i * VL);
    for (int x = 0; x < n; x++) {
        ptrdiff_t at = (ptrdiff_t)2 * x * ch;

        _Pragma("GCC unroll 4") for (int i = 0; i < vecs; i++)
        {
            vec m = size == 3 ? first[i] : pool_column(rows, size, at + i * VL);

            m = MAX(m, pool_column(rows, size, at + ch + i * VL));
            if (size == 3) {
                first[i] = pool_column(rows, size, at + 2 * ch + i * VL);
                m = MAX(m, first[i]);
            }
            STORE(dst + (ptrdiff_t)x * ch + i * VL, m);
        }
    }
}

INLINE void pool_size(float *dst, const float *const *rows, const int size, int n, int ch)
{
    const float *at[3] = {rows[0], rows[1], rows[size - 1]};
    int left = ch, many;

    for (; left > 0; left -= many, dst += many) {
        many = left >= 4 * VL ? 4 * VL : VL;
        if (many == 4 * VL)
            pool_channels(dst, at, size, n, ch, 4);
        else
            pool_channels(dst, at, size, n, ch, 1);
        for (int i = 0; i < 3; i++)
            at[i] += many;
    }
}

static void pool_row(float *dst, const float *const *rows, int size, int n, int ch)
{
    if (size == 3)
        pool_size(dst, rows, 3, n, ch);
    else
        pool_size(dst, rows, 2, n, ch);
}

/* Sums run in four lines: shorter chains, and less rounding. */
#define LINES 4

INLINE vec squares(const float *x, int ch)
{
    vec n[LINES];

    for (int i = 0; i < LINES; i++)
        n[i] = SET1(0.f);
    for (int c = 0; c < ch; c += LINES * VL)
        for (int i = 0; i < LINES; i++) {
            vec v = LOAD(x + c + i * VL);

            n[i] = FMA(v, v, n[i]);
        }
    return (n[0] + n[1]) + (n[2] + n[3]);
}

/* Both sides are rounded before they are subtracted: a fused a * ra - b * rb would
 * round one only, and equal pictures would no longer give 0. */
INLINE vec differences(const float *a, const float *b, const float *lin, int ch, float na,
                       float nb)
{
    vec ra = SET1(na), rb = SET1(nb), sum[LINES];

    for (int j = 0; j < LINES; j++)
        sum[j] = SET1(0.f);
    for (int c = 0; c < ch; c += LINES * VL)
        for (int j = 0; j < LINES; j++) {
            int at = c + j * VL;
            vec x = LOAD(a + at) * ra, y = LOAD(b + at) * rb, d = x - y;

            sum[j] = FMA(LOAD(lin + at) * d, d, sum[j]);
        }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* A vector of pixels at a time, so that roots and quotients are vectors too and the last
 * steps of VL sums are taken together. */
static void head_row(float *dst, const float *a, const float *b, ptrdiff_t px, int n,
                     const float *lin, int ch)
{
    float r[2 * VL], d[VL];
    vec t[VL];

    for (int j = 0; j < VL; j++)
        t[j] = SET1(0.f);
    for (int i = 0; i < n; i += VL, a += VL * px, b += VL * px) {
        int m = n - i < VL ? n - i : VL;

        for (int j = 0; j < m; j++)
            t[j] = squares(a + j * px, ch);
        STORE(r, SUMS(t));
        for (int j = 0; j < m; j++)
            t[j] = squares(b + j * px, ch);
        STORE(r + VL, SUMS(t));
        for (int j = 0; j < 2 * VL; j++)
            r[j] = (float)(1 / (sqrt((double)r[j]) + 1e-10));
        for (int j = 0; j < m; j++)
            t[j] = differences(a + j * px, b + j * px, lin, ch, r[j], r[VL + j]);
        STORE(d, SUMS(t));
        memcpy(dst + i, d, sizeof *d * (size_t)m);
    }
}

/* Floats from any step, side by side. */
INLINE void gather(float *dst, const char *src, ptrdiff_t step, int n)
{
    if (step == sizeof *dst)
        memcpy(dst, src, sizeof *dst * (size_t)n);
    else
        for (int i = 0; i < n; i++)
            memcpy(dst + i, src + i * step, sizeof *dst);
}

/* Some at a time and without a branch, so that the compiler makes vectors of it. */
static int load_float(float *dst, const void *const src[3], ptrdiff_t step, int n,
                      const float mul[3], const float add[3])
{
    float x[3][64];
    int bad = 0;

    for (int from = 0, many; from < n; from += many, dst += 3 * many) {
        many = n - from < 64 ? n - from : 64;
        for (int p = 0; p < 3; p++)
            gather(x[p], (const char *)src[p] + from * step, step, many);
        for (int i = 0; i < many; i++) {
            bad |= !(fabsf(x[0][i]) <= 65536.f) | !(fabsf(x[1][i]) <= 65536.f) |
                   !(fabsf(x[2][i]) <= 65536.f); /* NaN too */
            dst[3 * i] = x[0][i] * mul[0] + add[0];
            dst[3 * i + 1] = x[1][i] * mul[1] + add[1];
            dst[3 * i + 2] = x[2][i] * mul[2] + add[2];
        }
    }
    return -bad;
}

#ifdef LOADU8
/* Packed RGB is a row of bytes whose factors repeat every third; the rest goes one by one. */
static int load_u8(float *dst, const void *const src[3], ptrdiff_t step, int n,
                   const float mul[3], const float add[3])
{
    const uint8_t *r = src[0], *g = src[1], *b = src[2];
    float factor[3 * VL], offset[3 * VL];
    int i = 0;

    for (int j = 0; j < 3 * VL; j++) {
        factor[j] = mul[j % 3];
        offset[j] = add[j % 3];
    }
    if (step == 3 && (uintptr_t)g - (uintptr_t)r == 1 && (uintptr_t)b - (uintptr_t)r == 2)
        for (; i + VL <= n; i += VL)
            for (int j = 0; j < 3 * VL; j += VL)
                STORE(dst + 3 * i + j,
                      LOADU8(r + 3 * i + j) * LOAD(factor + j) + LOAD(offset + j));
    for (; i < n; i++) {
        dst[3 * i] = (float)r[i * step] * mul[0] + add[0];
        dst[3 * i + 1] = (float)g[i * step] * mul[1] + add[1];
        dst[3 * i + 2] = (float)b[i * step] * mul[2] + add[2];
    }
    return 0;
}
#endif

/* ---- filters -------------------------------------------------------------- */

/* VL / 2 doubles, at any address. */
typedef double dvec __attribute__((vector_size(4 * VL), aligned(8), may_alias));
typedef float half __attribute__((vector_size(2 * VL), aligned(4), may_alias));
enum { DVECS = 2 * LPIPS_PANEL / VL };

static void wino_filters(float *u, const lpips_g_row *gy, int ny, const lpips_g_row *gx,
                         int nx, const double *g, int r)
{
    const dvec *from = (const void *)g;
    half *to = (void *)u;

    for (int i = 0; i < ny; i++) {
        dvec t[LPIPS_MAX_R][DVECS];

        for (int x = 0; x < r; x++)
            for (int k = 0; k < DVECS; k++) {
                dvec sum = {0};

                for (int y = 0; y < r; y++)
                    sum += gy[i][y] * from[(y * r + x) * DVECS + k];
                t[x][k] = sum;
            }
        for (int j = 0; j < nx; j++)
            for (int k = 0; k < DVECS; k++) {
                dvec sum = {0};

                for (int x = 0; x < r; x++)
                    sum += t[x][k] * gx[j][x];
                *to++ = __builtin_convertvector(sum, half);
            }
    }
}

#include "frame_template.h"
#include "grad_template.h"

static void init_template(lpips_kernels *k)
{
    k->frame_columns = frame_columns;
    k->wino_filters = wino_filters;
#ifdef LOADU8
    k->load_row[0] = load_u8;
#endif
    k->load_row[2] = load_float;

#define SET_3(ny, my, nx, mx)                                           \
    k->wino_in[LPIPS_TILE_##ny][LPIPS_TILE_##nx] = wino_in_##ny##_##nx; \
    k->wino_out[0][LPIPS_TILE_##ny][LPIPS_TILE_##nx] = wino_out_##ny##_##my##_##nx##_##mx;
#define SET_5(ny, my, nx, mx) \
    k->wino_out[1][LPIPS_TILE_##ny][LPIPS_TILE_##nx] = wino_out_##ny##_##my##_##nx##_##mx;

    SET_3(5, 3, 5, 3)
    SET_3(6, 4, 6, 4)
    SET_3(6, 4, 8, 6)
    SET_3(6, 4, 10, 8)
    SET_3(8, 6, 6, 4)
    SET_3(8, 6, 8, 6)
    SET_3(8, 6, 10, 8)
    SET_3(10, 8, 6, 4)
    SET_3(10, 8, 8, 6)
    SET_3(10, 8, 10, 8)
    SET_5(8, 4, 8, 4)
    SET_5(8, 4, 10, 6)
    SET_5(10, 6, 8, 4)
    SET_5(10, 6, 10, 6)
    k->pool_row = pool_row;
    k->head_row = head_row;
    k->head_back_row = head_back_row;
    k->relu_back = relu_back;
    k->pool_back_row = pool_back_row;
}
