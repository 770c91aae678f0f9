/*
 * wino.c - a band of a convolution by Winograd's minimal filtering (Lavin and Gray 2016):
 * tiles of the input are transformed, multiplied with the transformed filters position by
 * position, and transformed back.
 *
 * A unit is one tile of one set: the same tile of all its pictures, which are neighbouring
 * rows of the products, so that packed filters are read once for all and the distances are
 * taken while the features are still in the cache.
 *
 * Small filters: each job takes a group of units through all phases in its own memory.
 * Large ones (shared): all threads work on the whole band at once, phase by phase, so that
 * each filter is read once a band.
 */
#include "context.h"

#include <string.h>

/* The products of a group of units. */
typedef struct group {
    const lpips_band *b;
    int u0, u1;       /* units */
    int q0, panels;   /* output channels worked on, in panels */
    float *v, *m;
} group;

static int across(const lpips_layer *l)
{
    return l->t1 - l->t0;
}

static int down(const lpips_band *b)
{
    return (b->y1 - b->y0 + b->l->my - 1) / b->l->my;
}

static int units(const lpips_band *b)
{
    return b->c->sets * down(b) * across(b->l);
}

/* Where a unit's tile lies: first output row and tile column. */
static void locate(const lpips_band *b, int unit, int *set, int *y, int *tx)
{
    int n = across(b->l), rows = down(b);

    *set = unit / (n * rows);
    *y = b->y0 + unit / n % rows * b->l->my;
    *tx = b->l->t0 + unit % n;
}

static void tiles_in(const group *g, int u0, int u1)
{
    const lpips_band *b = g->b;
    const lpips_layer *l = b->l;
    lpips_wino_in *in = b->c->kernels.wino_in[l->ty][l->tx];
    int size = b->c->set_size, ny = lpips_tile_len[l->ty];

    for (int u = u0; u < u1; u++) {
        int set, y, tx;

        locate(b, u, &set, &y, &tx);
        for (int k = 0; k < size; k++) {
            const float *rows[LPIPS_MAX_TILE];

            for (int i = 0; i < ny; i++)
                rows[i] = lpips_row_at(b->c, b->in, set * size + k, y - l->pad + i,
                                       tx * l->mx - l->pad);
            in(g->v + ((ptrdiff_t)(u - g->u0) * size + k) * l->v_row, l->v_pos, rows, b->in->c,
               b->in->c);
        }
    }
}

/* Products of one position.  The bias joins at the point (1, 1), whose columns of A^T are
 * all ones, so that it reaches every output once. */
static void products(const group *g, int pos)
{
    const lpips_band *b = g->b;
    const lpips_layer *l = b->l;
    int at_one = pos == lpips_tile_len[l->tx] + 1, k = b->in->c;
    const float *a = g->v + pos * l->v_pos;
    const float *u = l->u + ((ptrdiff_t)pos * l->panels + g->q0) * k * LPIPS_PANEL;

    b->c->kernels.gemm(g->m + pos * l->m_pos, l->m_row, &a, l->v_row, 1,
                       (g->u1 - g->u0) * b->c->set_size, u, k, g->panels,
                       at_one ? l->bias + g->q0 * LPIPS_PANEL : b->c->zero, 0);
}

static void tiles_out(const group *g, int u0, int u1)
{
    const lpips_band *b = g->b;
    const lpips_layer *l = b->l;
    lpips_wino_out *out = b->c->kernels.wino_out[l->kernel == 5][l->ty][l->tx];
    int size = b->c->set_size, channel = l->out_at + g->q0 * LPIPS_PANEL;

    for (int u = u0; u < u1; u++) {
        int set, y, tx;

        locate(b, u, &set, &y, &tx);
        int rows = b->y1 - y < l->my ? b->y1 - y : l->my;
        int cols = b->out->w - tx * l->mx < l->mx ? b->out->w - tx * l->mx : l->mx;

        for (int k = 0; k < size; k++) {
            float *dst[LPIPS_MAX_OUT];

            for (int i = 0; i < rows; i++)
                dst[i] = lpips_row_out(b->out, set * size + k, y + i, tx * l->mx) + channel;
            out(dst, b->out->c, g->m + ((ptrdiff_t)(u - g->u0) * size + k) * l->m_row, l->m_pos,
                g->panels * LPIPS_PANEL, rows, cols);
        }
    }
}

/* What is done to finished pixels: rows [y, y1) and columns [x0, x1) of one set. */
static void finish_run(const lpips_band *b, int set, int y, int x0, int x1)
{
    const lpips_layer *l = b->l;
    int y1 = y + l->my < b->y1 ? y + l->my : b->y1;

    for (; y < y1; y++) {
        for (int k = 0; k < b->c->set_size && l->side_u; k++) {
            int pic = set * b->c->set_size + k;
            const float *a = lpips_row_at(b->c, b->in, pic, y, x0);

            b->c->kernels.gemm(lpips_row_out(b->out, pic, y, x0), b->out->c, &a, b->in->c, 1,
                               x1 - x0, l->side_u, b->in->c, l->panels, l->side_bias, 1);
        }
        if (l->tap >= 0)
            lpips_head(b, set, y, x0, x1);
    }
}

/* Units side by side are finished together: longer rows suit the kernels. */
static void finish(const group *g, int u0, int u1)
{
    const lpips_band *b = g->b;
    const lpips_layer *l = b->l;

    for (int u = u0, n; u < u1; u += n) {
        int set, y, tx, left, x1;

        locate(b, u, &set, &y, &tx);
        left = l->t1 - tx;
        n = u1 - u < left ? u1 - u : left;
        x1 = (tx + n) * l->mx < b->out->w ? (tx + n) * l->mx : b->out->w;
        finish_run(b, set, y, tx * l->mx, x1);
    }
}

static int positions(const lpips_layer *l)
{
    return lpips_tile_len[l->ty] * lpips_tile_len[l->tx];
}

/* ---- small filters: one job, one group ---------------------------------- */

static void group_job(void *arg, int worker, int job)
{
    const lpips_band *b = arg;
    const lpips_layer *l = b->l;
    int each = l->group / b->c->set_size > 0 ? l->group / b->c->set_size : 1, n = units(b);
    int jobs = (n + each - 1) / each;
    group g = {.b = b, .v = lpips_scratch(b->c, worker)};

    g.u0 = (int)((int64_t)n * job / jobs);
    g.u1 = (int)((int64_t)n * (job + 1) / jobs);
    g.m = g.v + positions(l) * l->v_pos;
    tiles_in(&g, g.u0, g.u1);
    for (g.q0 = 0; g.q0 < l->panels; g.q0 += l->pass) {
        g.panels = l->pass < l->panels - g.q0 ? l->pass : l->panels - g.q0;
        for (int p = 0; p < positions(l); p++)
            products(&g, p);
        tiles_out(&g, g.u0, g.u1);
    }
    finish(&g, g.u0, g.u1);
}

/* ---- large filters: all threads, one band -------------------------------- */

enum { SHARED_UNITS = 4 };

static void slice(const group *g, int job, int *u0, int *u1)
{
    *u0 = job * SHARED_UNITS;
    *u1 = *u0 + SHARED_UNITS < g->u1 ? *u0 + SHARED_UNITS : g->u1;
}

static void in_job(void *arg, int worker, int job)
{
    int u0, u1;

    (void)worker;
    slice(arg, job, &u0, &u1);
    tiles_in(arg, u0, u1);
}

static void product_job(void *arg, int worker, int job)
{
    (void)worker;
    products(arg, job);
}

static void out_job(void *arg, int worker, int job)
{
    const group *g = arg;
    int u0, u1;

    (void)worker;
    slice(g, job, &u0, &u1);
    tiles_out(g, u0, u1);
    if (g->q0 + g->panels == g->b->l->panels)
        finish(g, u0, u1);
}

static void run_shared(const lpips_band *b)
{
    const lpips_layer *l = b->l;
    lpips_pool *pool = b->c->pool;
    int n = units(b), jobs = (n + SHARED_UNITS - 1) / SHARED_UNITS;
    group g = {.b = b, .u1 = n, .v = (float *)(b->c->arena + b->c->plan.shared_at)};

    g.m = g.v + positions(l) * l->v_pos;
    lpips_pool_run(pool, in_job, &g, jobs);
    for (g.q0 = 0; g.q0 < l->panels; g.q0 += l->pass) {
        g.panels = l->pass < l->panels - g.q0 ? l->pass : l->panels - g.q0;
        lpips_pool_run(pool, product_job, &g, positions(l));
        lpips_pool_run(pool, out_job, &g, jobs);
    }
}

void lpips_run_wino(lpips_band *b)
{
    int each = b->l->group / b->c->set_size > 0 ? b->l->group / b->c->set_size : 1;
    int n = units(b);

    if (!n)
        return;
    if (b->l->shared)
        run_shared(b);
    else
        lpips_pool_run(b->c->pool, group_job, b, (n + each - 1) / each);
}
