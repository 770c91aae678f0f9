/*
 * pack.c - filters in the form the kernels read.
 */
#include "pack.h"
#include "memory.h"
#include "kernels.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct lpips_packed {
    struct lpips_packed *next;
    lpips_pack_key key;
    float *data;
    unsigned changes; /* of the weights when it was filled */
};

/* Finite points of the transforms (kernels_template.h), in the order of their rows. */
static const double points[LPIPS_TILES][LPIPS_MAX_TILE - 1] = {
    [LPIPS_TILE_5] = {0, 1, -1, 2},
    [LPIPS_TILE_6] = {0, .625, -.625, 1.5, -1.5},
    [LPIPS_TILE_8] = {0, 1, -1, 2, -2, .5, -.5},
    [LPIPS_TILE_10] = {0, .375, -.375, .75, -.75, 1.25, -1.25, 2, -2},
};

/* G of r columns: row i is 1, a_i, a_i^2 ... over the product of (a_i - a_j) over the
 * other finite points; the last row, of infinity, is 0 ... 0 1. */
static void make_g(lpips_g_row g[LPIPS_MAX_TILE], int tile, int r)
{
    int n = lpips_tile_len[tile];

    memset(g, 0, sizeof *g * LPIPS_MAX_TILE);
    for (int i = 0; i < n - 1; i++) {
        double a = points[tile][i], power = 1;

        for (int j = 0; j < n - 1; j++)
            if (j != i)
                power /= a - points[tile][j];
        for (int x = 0; x < r; x++, power *= a)
            g[i][x] = power;
    }
    g[n - 1][r - 1] = 1;
}

/* Element of the filter of output o and (folded) input i, 0 outside the kernel. */
static inline double filter_at(const lpips_pack_key *k, const float *w, int o, int i, int y,
                               int x)
{
    int f = k->fold;

    y = y * f + i / (f * k->in);
    x = x * f + i / k->in % f;
    i %= k->in;
    if (y >= k->kernel || x >= k->kernel)
        return 0;
    return w[(((ptrdiff_t)o * k->in + i) * k->kernel + y) * k->kernel + x];
}

static int wino_r(const lpips_pack_key *k)
{
    return (k->kernel + k->fold - 1) / k->fold;
}

/* Element (y, x) of the filters of a panel, of one (folded) input. */
static void panel_at(double g[LPIPS_PANEL], const lpips_pack_key *k, const float *w, int o,
                     int i, int y, int x)
{
    for (int j = 0; j < LPIPS_PANEL; j++)
        g[j] = filter_at(k, w, o + j, i, y, x);
}

static void pack_wino(float *dst, const lpips_pack_key *k, const float *w,
                      const lpips_kernels *kernels)
{
    int in = k->in * k->fold * k->fold, r = wino_r(k), panels = k->out / LPIPS_PANEL;
    int ny = lpips_tile_len[k->ty], nx = lpips_tile_len[k->tx];
    ptrdiff_t pos = (ptrdiff_t)panels * in * LPIPS_PANEL;
    lpips_g_row gy[LPIPS_MAX_TILE], gx[LPIPS_MAX_TILE];
    float u[LPIPS_MAX_TILE * LPIPS_MAX_TILE][LPIPS_PANEL];
    double g[LPIPS_MAX_R * LPIPS_MAX_R][LPIPS_PANEL];

    make_g(gy, k->ty, r);
    make_g(gx, k->tx, r);
    for (int q = 0; q < panels; q++)
        for (int i = 0; i < in; i++) {
            for (int y = 0; y < r; y++)
                for (int x = 0; x < r; x++)
                    panel_at(g[y * r + x], k, w, q * LPIPS_PANEL, i, y, x);
            kernels->wino_filters(u[0], gy, ny, gx, nx, g[0], r);
            for (int p = 0; p < ny * nx; p++)
                memcpy(dst + p * pos + ((ptrdiff_t)q * in + i) * LPIPS_PANEL, u[p],
                       sizeof u[p]);
        }
}

static void pack_rows(float *dst, const lpips_pack_key *k, const float *w)
{
    for (int q = 0; q < k->out; q += LPIPS_PANEL)
        for (int y = 0; y < k->kernel; y++)
            for (int x = 0; x < k->kernel; x++)
                for (int i = 0; i < k->in; i++)
                    for (int j = 0; j < LPIPS_PANEL; j++)
                        *dst++ = (float)filter_at(k, w, q + j, i, y, x);
}

/* ---- the way back ------------------------------------------------------- */

static int back_channels(const lpips_pack_key *k)
{
    return (k->in * k->fold * k->fold + LPIPS_PANEL - 1) / LPIPS_PANEL * LPIPS_PANEL;
}

/* One place of the kernel: out rows of a panel. */
static float *pack_place(float *dst, const lpips_pack_key *k, const float *w, int q, int y,
                         int x)
{
    for (int o = 0; o < k->out; o++)
        for (int j = q; j < q + LPIPS_PANEL; j++)
            *dst++ = j < k->in * k->fold * k->fold ? (float)filter_at(k, w, o, j, y, x) : 0;
    return dst;
}

static void pack_back(float *dst, const lpips_pack_key *k, const float *w, const float *side)
{
    lpips_pack_key point = *k;
    int r = wino_r(k);

    point.kernel = 1;
    for (int q = 0; q < back_channels(k); q += LPIPS_PANEL) {
        for (int i = 0; i < r * r; i++)
            dst = pack_place(dst, k, w, q, i / r, i % r);
        if (side)
            dst = pack_place(dst, &point, side, q, 0, 0);
    }
}

/* p = (G^T G)^-1 G^T of 3 columns: p G = 1. */
static void invert_g(double p[3][LPIPS_MAX_TILE], lpips_g_row *g, int n)
{
    double m[3][6] = {{0}};

    for (int i = 0; i < 3; i++) {
        m[i][3 + i] = 1;
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < n; k++)
                m[i][j] += g[k][i] * g[k][j];
    }
    for (int i = 0; i < 3; i++) /* Gauss and Jordan; positive definite: no pivots needed */
        for (int j = 0; j < 3; j++) {
            double f = j == i ? 1 - 1 / m[i][i] : m[j][i] / m[i][i];

            for (int k = 5; k >= i; k--)
                m[j][k] -= f * m[i][k];
        }
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < n; k++)
            p[i][k] = m[i][3] * g[k][0] + m[i][4] * g[k][1] + m[i][5] * g[k][2];
}

/*
 * The tensor read back from its transformed filters, u = G g G^T, for a heavy one: as it
 * came, its memory may have been given back.  Always so, that the result does not depend on
 * which contexts there were.
 */
static float *restore(const lpips_pack_key *k, const float *u)
{
    enum { N = 6 };
    ptrdiff_t pos = (ptrdiff_t)k->out * k->in;
    float *w = lpips_alloc((size_t)pos * 9 * sizeof *w);
    lpips_g_row g[LPIPS_MAX_TILE];
    double p[3][LPIPS_MAX_TILE];

    if (!w)
        return NULL;
    make_g(g, LPIPS_TILE_6, 3);
    invert_g(p, g, N);
    for (ptrdiff_t f = 0; f < pos; f++) {
        ptrdiff_t o = f / k->in, i = f % k->in;
        const float *from = u + (o / LPIPS_PANEL * k->in + i) * LPIPS_PANEL + o % LPIPS_PANEL;

        for (int y = 0; y < 3; y++) {
            double t[N] = {0};

            for (int a = 0; a < N * N; a++)
                t[a % N] += p[y][a / N] * (double)from[a * pos];
            for (int x = 0; x < 3; x++) {
                double s = 0;

                for (int a = 0; a < N; a++)
                    s += p[x][a] * t[a];
                w[f * 9 + y * 3 + x] = (float)s;
            }
        }
    }
    return w;
}

static size_t packed_count(const lpips_pack_key *k)
{
    size_t cell = (size_t)k->in * (size_t)k->out;

    if (k->back)
        return (size_t)back_channels(k) * (size_t)k->out *
               (size_t)(wino_r(k) * wino_r(k) + !!k->side);
    if (k->ty < 0)
        return cell * (size_t)(k->kernel * k->kernel);
    return cell * (size_t)(k->fold * k->fold * lpips_tile_len[k->ty] * lpips_tile_len[k->tx]);
}

static struct lpips_packed *find(struct lpips_packed *p, const lpips_pack_key *k)
{
    while (p && (strcmp(p->key.name, k->name) || p->key.ty != k->ty || p->key.tx != k->tx ||
                 p->key.back != k->back))
        p = p->next;
    return p;
}

/* Gives the memory of a tensor in the heap back; it will not be read again. */
static void drop(const lpips_weights *w, const float *tensor, size_t count)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)tensor;
    uintptr_t to = (from + count * sizeof *tensor) & ~(page - 1);

    from = (from + page - 1) & ~(page - 1);
    if (w->storage && from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

static struct lpips_packed *get(lpips_weights *w, const lpips_pack_key *k,
                                const lpips_kernels *kernels);

/* Fills data; not 0 when out of memory. */
static int fill_back(float *data, lpips_weights *w, const lpips_pack_key *k,
                     const lpips_kernels *kernels)
{
    const float *side = k->side ? lpips_weights_tensor(w, k->side, "weight") : NULL;
    lpips_pack_key forward = *k;
    struct lpips_packed *p;
    float *tensor = NULL;

    if (!lpips_pack_heavy(k->in, k->out) || w->changes) {
        pack_back(data, k, lpips_weights_tensor(w, k->name, "weight"), side);
        return 0;
    }
    forward.ty = forward.tx = LPIPS_TILE_6;
    forward.back = 0;
    p = get(w, &forward, kernels);
    if (p)
        tensor = restore(k, p->data);
    if (tensor)
        pack_back(data, k, tensor, side);
    free(tensor);
    return !tensor;
}

static int fill(float *data, lpips_weights *w, const lpips_pack_key *k,
                const lpips_kernels *kernels)
{
    const float *src = lpips_weights_tensor(w, k->name, "weight");

    if (k->back)
        return fill_back(data, w, k, kernels);
    if (k->ty < 0)
        pack_rows(data, k, src);
    else
        pack_wino(data, k, src, kernels);
    if (lpips_pack_heavy(k->in, k->out) && !w->changes)
        drop(w, src, (size_t)k->in * (size_t)k->out * (size_t)(k->kernel * k->kernel));
    return 0;
}

static struct lpips_packed *make(lpips_weights *w, const lpips_pack_key *k,
                                 const lpips_kernels *kernels)
{
    struct lpips_packed *p = malloc(sizeof *p + strlen(k->name) + 1);
    float *data = p ? lpips_alloc(packed_count(k) * sizeof *data) : NULL;

    if (!data || fill(data, w, k, kernels)) {
        free(data);
        free(p);
        return NULL;
    }
    p->key = *k;
    p->key.name = strcpy((char *)(p + 1), k->name);
    p->key.side = NULL; /* the caller's; the name says enough */
    p->data = data;
    p->changes = w->changes;
    p->next = w->packed;
    w->packed = p;
    return p;
}

static struct lpips_packed *get(lpips_weights *w, const lpips_pack_key *k,
                                const lpips_kernels *kernels)
{
    struct lpips_packed *p = find(w->packed, k);

    return p ? p : make(w, k, kernels);
}

const float *lpips_pack_get(lpips_weights *w, const lpips_pack_key *key,
                            const lpips_kernels *kernels)
{
    struct lpips_packed *p;

    pthread_mutex_lock(&w->lock);
    p = get(w, key, kernels);
    pthread_mutex_unlock(&w->lock);
    if (p && p->changes != w->changes) { /* one thread a key: context.h */
        fill(p->data, w, key, kernels);  /* cannot fail: nothing is allocated */
        p->changes = w->changes;
    }
    return p ? p->data : NULL;
}

void lpips_packed_free(struct lpips_packed *p)
{
    while (p) {
        struct lpips_packed *next = p->next;

        free(p->data);
        free(p);
        p = next;
    }
}
