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

static size_t packed_count(const lpips_pack_key *k)
{
    size_t cell = (size_t)k->in * (size_t)k->out;

    if (k->ty < 0)
        return cell * (size_t)(k->kernel * k->kernel);
    return cell * (size_t)(k->fold * k->fold * lpips_tile_len[k->ty] * lpips_tile_len[k->tx]);
}

static struct lpips_packed *find(struct lpips_packed *p, const lpips_pack_key *k)
{
    while (p && (strcmp(p->key.name, k->name) || p->key.ty != k->ty || p->key.tx != k->tx))
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

static struct lpips_packed *make(lpips_weights *w, const lpips_pack_key *k,
                                 const lpips_kernels *kernels)
{
    const float *src = lpips_weights_tensor(w, k->name, "weight");
    struct lpips_packed *p = malloc(sizeof *p + strlen(k->name) + 1);
    float *data = p ? lpips_alloc(packed_count(k) * sizeof *data) : NULL;

    if (!data) {
        free(p);
        return NULL;
    }
    p->key = *k;
    p->key.name = strcpy((char *)(p + 1), k->name);
    p->data = data;
    if (k->ty < 0)
        pack_rows(data, k, src);
    else
        pack_wino(data, k, src, kernels);
    if (lpips_pack_heavy(k->in, k->out))
        drop(w, src, (size_t)k->in * (size_t)k->out * (size_t)(k->kernel * k->kernel));
    p->next = w->packed;
    w->packed = p;
    return p;
}

const float *lpips_pack_get(lpips_weights *w, const lpips_pack_key *key,
                            const lpips_kernels *kernels)
{
    struct lpips_packed *p;

    pthread_mutex_lock(&w->lock);
    p = find(w->packed, key);
    if (!p)
        p = make(w, key, kernels);
    pthread_mutex_unlock(&w->lock);
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
