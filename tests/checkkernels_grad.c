/*
 * checkkernels_grad.c - the kernels of the backward pass.
 */
#include "checkkernels.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- head --------------------------------------------------------------- */

typedef struct pixel {
    const float *a, *b, *lin, *before;
    int ch;
    double factor;
} pixel;

static double length(const float *x, int ch)
{
    double sum = 0;

    for (int c = 0; c < ch; c++)
        sum += (double)x[c] * x[c];
    return sqrt(sum);
}

/* before + factor d/da of sum of lin (a / (|a| + 1e-10) - b / (|b| + 1e-10))^2. */
static void check_pixel(const pixel *p, const float *got)
{
    const double na = length(p->a, p->ch), ra = 1 / (na + 1e-10),
                 rb = 1 / (length(p->b, p->ch) + 1e-10);
    /* a sum's roundings grow as the root of their number, in lines of 4 at least */
    const double e = 4 * FLT_EPSILON, deep = 2 * FLT_EPSILON * sqrt(p->ch / 4 + 1);
    double along = 0, all = 0;

    for (int c = 0; c < p->ch; c++) {
        along += p->lin[c] * (p->a[c] * ra - p->b[c] * rb) * p->a[c];
        all += p->lin[c] * (fabs(p->a[c] * ra) + fabs(p->b[c] * rb)) * fabs(p->a[c]);
    }
    for (int c = 0; c < p->ch; c++) {
        double scale = 2 * p->factor * ra, q = scale * ra / na * p->a[c];
        double u = p->lin[c] * (p->a[c] * ra - p->b[c] * rb);
        double terms = fabs(scale) * p->lin[c] * (fabs(p->a[c] * ra) + fabs(p->b[c] * rb));

        guard_near(got[c], p->before[c] + scale * u - q * along,
                   e * (fabs((double)p->before[c]) + terms) + (e + deep) * fabs(q) * all);
    }
}

static void check_head_back_size(const lpips_kernels *k, int n, int ch, int turn)
{
    enum side side = (enum side)(turn % SIDES);
    ptrdiff_t px = ch + turn % 3 * 16;
    size_t floats = (size_t)((n - 1) * px + ch);
    float *a = guard_input(IN, floats, side, turn % 2 ? PLAIN : POSITIVE);
    float *d = guard_input(IN + 2, (size_t)n, side, POSITIVE);
    float *g = guard_out(OUT, (size_t)(n * ch), side), before[GUARD_MOST * 64];
    pixel p = {.b = guard_input(IN + 1, floats, side, POSITIVE),
               .lin = guard_input(WEIGHTS, (size_t)ch, side, POSITIVE),
               .ch = ch,
               .factor = .01 * (turn + 1)};

    NOW("%d pixels of %d, %d apart, side %d", n, ch, (int)px, (int)side);
    n = n * ch > (int)COUNT(before) ? (int)COUNT(before) / ch : n;
    guard_fill(before, (size_t)(n * ch), PLAIN);
    memcpy(g, before, sizeof *g * (size_t)(n * ch));
    for (int i = 0; i < n; i++) { /* some pixels that have nothing to say */
        d[i] = i % 5 == 3 ? 0.f : d[i] + .1f;
        if (i % 7 == 4)
            memset(a + i * px, 0, sizeof *a * (size_t)ch);
    }
    k->head_back_row(g, a, p.b, px, d, n, p.lin, ch, p.factor);
    for (int i = 0; i < n; i++) {
        float got[512];

        for (int c = 0; c < ch; c++)
            got[c] = guard_take(g + i * ch + c);
        p.a = a + i * px;
        p.b += i ? px : 0;
        p.before = before + i * ch;
        if (i % 5 != 3 && i % 7 != 4)
            check_pixel(&p, got);
        else if (memcmp(got, p.before, sizeof *got * (size_t)ch))
            fail_msg("%s: pixel %d has a gradient", guard_now, i);
    }
    guard_untouched(OUT);
}

void check_head_back_row(const lpips_kernels *k)
{
    static const int ch[] = {64, 128, 192, 256, 384, 512};
    int turn = 0;

    for (int i = 0; i < (int)COUNT(ch); i++)
        for (int n = 1; n * ch[i] <= GUARD_MOST * 64; n += test_quick() ? 5 : 1)
            check_head_back_size(k, n, ch[i], turn++);
}

/* ---- ReLU and pools ----------------------------------------------------- */

void check_relu_back(const lpips_kernels *k)
{
    for (int n = 16, turn = 0; n <= 1024; n += 16, turn++) {
        enum side side = (enum side)(turn % SIDES);
        float *f = guard_input(IN, (size_t)n, side, (enum style)(turn % STYLES));
        float *g = guard_out(OUT, (size_t)n, side), before[1024];

        NOW("%d floats", n);
        guard_fill(before, (size_t)n, PLAIN);
        memcpy(g, before, sizeof *g * (size_t)n);
        for (int i = 0; i < n; i += 3)
            f[i] = i % 2 ? 0.f : -0.f;
        k->relu_back(g, f, n);
        for (int i = 0; i < n; i++) {
            float got = guard_take(g + i);

            if (!guard_same(got, f[i] > 0 ? before[i] : 0.f))
                fail_msg("%s: %.9g for a feature of %.9g", guard_now, (double)got,
                         (double)f[i]);
        }
        guard_untouched(OUT);
    }
}

/* Pools as the definition says, one window after the other. */
typedef struct pooled {
    const float *rows[3], *g;
    float want[3][2 * GUARD_MOST * 48 + 48];
    int size, width, n, ch;
} pooled;

static void add_windows(pooled *p)
{
    for (int i = 0; i < p->n * p->ch; i++) {
        int x0 = 2 * (i / p->ch), c = i % p->ch, place = -1;
        float most = -INFINITY;

        for (int j = 0; j < p->size * p->size; j++) {
            int x = x0 + j % p->size;

            if (x < p->width && p->rows[j / p->size][x * p->ch + c] > most) {
                most = p->rows[j / p->size][x * p->ch + c];
                place = j;
            }
        }
        p->want[place / p->size][(x0 + place % p->size) * p->ch + c] += p->g[i];
    }
}

static void check_pool_back(const lpips_kernels *k, int size, int n, int ch, int turn)
{
    static pooled p;
    enum side side = (enum side)(turn % SIDES);
    float *dst[3];

    p.size = size;
    p.n = n;
    p.ch = ch;
    p.width = 2 * n + size - 2 - turn % 2 * (size - 2); /* a window over the edge */
    p.g = guard_input(WEIGHTS, (size_t)(n * ch), side, PLAIN);
    NOW("size %d, %d pixels of %d, width %d, turn %d", size, n, ch, p.width, turn);
    for (int y = 0; y < size; y++) {
        size_t floats = (size_t)(p.width * ch);
        float *row = guard_input(IN + y, floats, side, PLAIN);

        for (size_t i = 0; i < floats; i++) /* few values: many are shared */
            row[i] = (float)(int)(row[i] * 3);
        p.rows[y] = row;
        dst[y] = turn % 4 == y ? NULL : guard_out(OUT + y, floats, side);
        guard_fill(p.want[y], floats, PLAIN);
        if (dst[y])
            memcpy(dst[y], p.want[y], floats * sizeof *row);
    }
    k->pool_back_row(dst, p.rows, p.g, size, p.width, n, ch);
    add_windows(&p);
    for (int y = 0; y < size; y++) {
        for (int i = 0; dst[y] && i < p.width * ch; i++)
            if (!guard_same(guard_take(dst[y] + i), p.want[y][i]))
                fail_msg("%s: row %d, float %d", guard_now, y, i);
        if (dst[y])
            guard_untouched(OUT + y);
    }
}

void check_pool_back_row(const lpips_kernels *k)
{
    int turn = 0;

    for (int size = 2; size <= 3; size++)
        for (int n = 1; n <= GUARD_MOST; n += test_quick() ? 9 : 1)
            for (int ch = 16; ch <= 48; ch += 16, turn++)
                check_pool_back(k, size, n, ch, turn);
}
