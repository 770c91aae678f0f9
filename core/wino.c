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
    int u0, u1;     /* units */
    int q0, panels; /* output channels worked on, in panels */
    float *v, *m;
    float *kept;    /* features that are not stored, see place() */
    float *scratch; /* for what is made of them */
} group;

/* Units side by side in one row of tiles of one set, as far as they lie in the picture. */
typedef struct run {
    int u0, n;
    int set, y, tx;
    int rows, cols; /* pixels */
    int at;         /* pixels of the runs before it, all pictures */
} run;

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
            in(g->v + ((ptrdiff_t)(u - g->u0) * size + k) * l->v_row, l->v_pos, rows,
               b->in->c, b->in->c);
        }
    }
}

/* Products of one position. */
static void products(const group *g, int pos)
{
    const lpips_band *b = g->b;
    const lpips_layer *l = b->l;
    int k = b->in->c;
    const float *a = g->v + pos * l->v_pos;
    const float *u = l->u + ((ptrdiff_t)pos * l->panels + g->q0) * k * LPIPS_PANEL;

    b->c->kernels.gemm(g->m + pos * l->m_pos, l->m_row, &a, l->v_row, 1,
                       (g->u1 - g->u0) * b->c->set_size, u, k, g->panels, b->c->zero, 0,
                       l->block);
}

/* From a run of no units at unit u0: the next one before u1, if there is one. */
static int next_run(const group *g, run *r, int u1)
{
    const lpips_band *b = g->b;
    const lpips_layer *l = b->l;

    r->u0 += r->n;
    r->at += r->rows * r->cols * b->c->set_size;
    r->n = r->rows = 0;
    if (r->u0 >= u1)
        return 0;
    locate(b, r->u0, &r->set, &r->y, &r->tx);
    r->n = u1 - r->u0 < l->t1 - r->tx ? u1 - r->u0 : l->t1 - r->tx;
    r->rows = b->y1 - r->y < l->my ? b->y1 - r->y : l->my;
    r->cols = (r->tx + r->n) * l->mx < l->mid_w ? r->n * l->mx : l->mid_w - r->tx * l->mx;
    return 1;
}

/* Feature row y (from the run's first) of picture k of a run; *step leads to the next
 * picture's.  Features that nothing reads later lie run by run: [picture][row][column]. */
static float *place(const group *g, const run *r, int k, int y, ptrdiff_t *step)
{
    const lpips_band *b = g->b;
    const lpips_layer *l = b->l;
    ptrdiff_t row = (ptrdiff_t)r->cols * l->mid_c;

    if (l->after == LPIPS_KEEP) {
        *step = b->out->pic;
        return lpips_row_out(b->out, r->set * b->c->set_size + k, r->y + y, r->tx * l->mx);
    }
    *step = r->rows * row;
    return g->kept + (ptrdiff_t)r->at * l->mid_c + k * *step + y * row;
}

static void run_out(const group *g, const run *r)
{
    const lpips_band *b = g->b;
    const lpips_layer *l = b->l;
    lpips_wino_out *out = b->c->kernels.wino_out[l->kernel == 5][l->ty][l->tx];
    int size = b->c->set_size, channel = l->out_at + g->q0 * LPIPS_PANEL;
    ptrdiff_t step;

    for (int i = 0; i < r->n; i++)
        for (int k = 0; k < size; k++) {
            float *dst[LPIPS_MAX_OUT];
            int left = r->cols - i * l->mx;

            for (int y = 0; y < r->rows; y++)
                dst[y] = place(g, r, k, y, &step) + (ptrdiff_t)i * l->mx * l->mid_c + channel;
            out(dst, l->mid_c, g->m + ((ptrdiff_t)(r->u0 + i - g->u0) * size + k) * l->m_row,
                l->m_pos, l->bias + g->q0 * LPIPS_PANEL, g->panels * LPIPS_PANEL, r->rows,
                left < l->mx ? left : l->mx);
        }
}

static void tiles_out(const group *g, int u0, int u1)
{
    for (run r = {.u0 = u0}; next_run(g, &r, u1);)
        run_out(g, &r);
}

/* The pixel rows of a run between a tensor and `packed`, where they lie as the kept features
 * do, c channels each. */
static void copy_run(const group *g, const run *r, const lpips_rows *t, float *packed, int in)
{
    const lpips_band *b = g->b;
    ptrdiff_t row = (ptrdiff_t)r->cols * t->c;

    packed += (ptrdiff_t)r->at * t->c;
    for (int k = 0; k < b->c->set_size; k++)
        for (int y = 0; y < r->rows; y++, packed += row) {
            int pic = r->set * b->c->set_size + k;
            float *at = lpips_row_out(t, pic, r->y + y, r->tx * b->l->mx);

            memcpy(in ? packed : at, in ? at : packed, sizeof(float) * (size_t)row);
        }
}

/* Returns how many pixels these are. */
static int copy_units(const group *g, int u0, int u1, const lpips_rows *t, float *packed,
                      int in)
{
    run r = {.u0 = u0};

    while (next_run(g, &r, u1))
        copy_run(g, &r, t, packed, in);
    return r.at;
}

/* The 1x1 convolution beside a fire's 3x3: row by row into a tensor, else all at once. */
static void run_side(const group *g, const run *r)
{
    const lpips_band *b = g->b;
    const lpips_layer *l = b->l;
    ptrdiff_t step;

    for (int y = 0; y < r->rows; y++)
        for (int k = 0; k < b->c->set_size; k++) {
            int pic = r->set * b->c->set_size + k;
            const float *a = lpips_row_at(b->c, b->in, pic, r->y + y, r->tx * l->mx);

            b->c->kernels.gemm(place(g, r, k, y, &step), l->mid_c, &a, b->in->c, 1, r->cols,
                               l->side_u, b->in->c, l->panels, l->side_bias, 1, l->block);
        }
}

static void side(const group *g, int u0, int u1)
{
    const lpips_band *b = g->b;
    const lpips_layer *l = b->l;
    const float *a = g->scratch;
    int pixels = copy_units(g, u0, u1, b->in, g->scratch, 1);

    b->c->kernels.gemm(g->kept, l->mid_c, &a, b->in->c, 1, pixels, l->side_u, b->in->c,
                       l->panels, l->side_bias, 1, l->block);
}

/* The next fire's squeeze. */
static void point_after(const group *g, int u0, int u1, int pixels)
{
    const lpips_band *b = g->b;
    const lpips_layer *l = b->l;
    const float *a = g->kept;

    b->c->kernels.gemm(g->scratch, b->out->c, &a, l->mid_c, 1, pixels, l->after_u, l->mid_c,
                       b->out->c / LPIPS_PANEL, l->after_bias, 1, l->block);
    copy_units(g, u0, u1, b->out, g->scratch, 0);
}

/* Pools pairs of rows of a run. */
static void run_pool(const group *g, const run *r)
{
    const lpips_band *b = g->b;
    const lpips_layer *l = b->l;
    ptrdiff_t step;

    for (int y = 0; y + 2 <= r->rows; y += 2)
        for (int k = 0; k < b->c->set_size; k++) {
            const float *rows[2] = {place(g, r, k, y, &step), place(g, r, k, y + 1, &step)};
            float *dst = lpips_row_out(b->out, r->set * b->c->set_size + k, (r->y + y) / 2,
                                       r->tx * l->mx / 2);

            b->c->kernels.pool_row(dst, rows, 2, r->cols / 2, l->mid_c);
        }
}

static void run_head(const group *g, const run *r)
{
    int x = r->tx * g->b->l->mx;
    ptrdiff_t step;

    for (int y = 0; y < r->rows; y++) {
        const float *f = place(g, r, 0, y, &step);

        lpips_head(g->b, r->set, r->y + y, x, x + r->cols, f, step);
    }
}

/* What is left to do once all channels of units are there. */
static void finish(const group *g, int u0, int u1)
{
    const lpips_layer *l = g->b->l;
    run r = {.u0 = u0};

    if (l->side_u && l->after != LPIPS_KEEP)
        side(g, u0, u1);
    while (next_run(g, &r, u1)) {
        if (l->side_u && l->after == LPIPS_KEEP)
            run_side(g, &r);
        if (l->tap >= 0)
            run_head(g, &r);
        if (l->after_pool)
            run_pool(g, &r);
    }
    if (l->after_name[0])
        point_after(g, u0, u1, r.at);
}

static int positions(const lpips_layer *l)
{
    return lpips_tile_len[l->ty] * lpips_tile_len[l->tx];
}

static void set_buffers(group *g, float *memory)
{
    const lpips_layer *l = g->b->l;

    g->v = memory;
    g->m = g->v + positions(l) * l->v_pos;
    g->kept = g->m + positions(l) * l->m_pos;
}

/* Units of a group of the band, of which there are `jobs`. */
static void cut(group *g, int job, int jobs)
{
    int n = units(g->b);

    g->u0 = (int)((int64_t)n * job / jobs);
    g->u1 = (int)((int64_t)n * (job + 1) / jobs);
}

/* How many groups the band is cut into: where each is one job, as many for each thread. */
static int groups(const lpips_band *b)
{
    int each = b->l->group / b->c->set_size, n = units(b), most = (n + each - 1) / each;
    int threads = b->l->shared ? 1 : b->c->plan.threads;

    most = (most + threads - 1) / threads * threads;
    return most < n ? most : n;
}

/* ---- small filters: one job, one group ---------------------------------- */

static void group_job(void *arg, int worker, int job)
{
    const lpips_band *b = arg;
    const lpips_layer *l = b->l;
    group g = {.b = b};

    cut(&g, job, groups(b));
    set_buffers(&g, lpips_scratch(b->c, worker));
    tiles_in(&g, g.u0, g.u1);
    for (g.q0 = 0; g.q0 < l->panels; g.q0 += l->pass) {
        g.panels = l->pass < l->panels - g.q0 ? l->pass : l->panels - g.q0;
        for (int p = 0; p < positions(l); p++)
            products(&g, p);
        tiles_out(&g, g.u0, g.u1);
    }
    g.scratch = g.v;
    finish(&g, g.u0, g.u1);
}

/* ---- large filters: all threads, one group ------------------------------ */

static void slice(const group *g, int job, int *u0, int *u1)
{
    *u0 = g->u0 + job * LPIPS_SHARED_UNITS;
    *u1 = *u0 + LPIPS_SHARED_UNITS < g->u1 ? *u0 + LPIPS_SHARED_UNITS : g->u1;
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
    group g = *(const group *)arg;
    int u0, u1;

    g.scratch = lpips_scratch(g.b->c, worker);
    slice(&g, job, &u0, &u1);
    g.kept +=
        (ptrdiff_t)(u0 - g.u0) * g.b->c->set_size * g.b->l->my * g.b->l->mx * g.b->l->mid_c;
    tiles_out(&g, u0, u1);
    finish(&g, u0, u1);
}

static void run_shared(const lpips_band *b, int job)
{
    lpips_pool *pool = b->c->pool;
    group g = {.b = b, .panels = b->l->panels};
    int jobs;

    cut(&g, job, groups(b));
    set_buffers(&g, (float *)(b->c->arena + b->c->plan.shared_at));
    jobs = (g.u1 - g.u0 + LPIPS_SHARED_UNITS - 1) / LPIPS_SHARED_UNITS;
    lpips_pool_run(pool, in_job, &g, jobs);
    lpips_pool_run(pool, product_job, &g, positions(b->l));
    lpips_pool_run(pool, out_job, &g, jobs);
}

void lpips_run_wino(lpips_band *b)
{
    if (!units(b))
        return;
    if (!b->l->shared)
        lpips_pool_run(b->c->pool, group_job, b, groups(b));
    else
        for (int i = 0; i < groups(b); i++)
            run_shared(b, i);
}
