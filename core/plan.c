/*
 * plan.c - layers, their tiles and bands.
 */
#include "layout.h"
#include "pack.h"

#include <stdio.h>
#include <string.h>

enum {
    BAND_TILES = 192,     /* rows of a product that a band should give all threads */
    SHARED_BAND = 96,     /* where they work on one group together */
    BAND_BYTES = 2 << 20, /* of a tensor, where there are no tiles */
    DIRECT_BAND = 16,     /* a fused first layer computes one row a band twice */
    LARGE_BLOCK = 512,    /* products in a row, see allowed() */
    SMALL_BLOCK = 8
};

/* ---- layers ------------------------------------------------------------- */

static int add_tensor(lpips_plan *p, int h, int w, int c)
{
    p->tensor[p->tensors] = (lpips_rows){.h = h, .w = w, .c = c};
    return p->tensors++;
}

static lpips_layer *add_layer(lpips_plan *p, lpips_kind kind, int h, int w, int c)
{
    lpips_layer *l = &p->layer[p->layers++];

    memset(l, 0, sizeof *l);
    l->kind = kind;
    l->in = p->tensors - 1;
    l->out = add_tensor(p, h, w, c);
    l->mid_h = l->rows = h;
    l->mid_w = w;
    l->mid_c = c;
    l->tap = -1;
    l->kernel = l->stride = 1;
    l->panels = c / LPIPS_PANEL;
    return l;
}

/* A layer with the window of a step on the last tensor. */
static lpips_layer *add_step(lpips_plan *p, lpips_kind kind, const lpips_step *s)
{
    const lpips_rows *in = &p->tensor[p->tensors - 1];
    lpips_layer *l =
        add_layer(p, kind, lpips_step_size(s, in->h), lpips_step_size(s, in->w), s->out);

    l->kernel = s->kernel;
    l->stride = s->stride;
    l->pad = s->pad;
    l->tap = s->tap;
    if (s->name)
        snprintf(l->name, sizeof l->name, "%s", s->name);
    return l;
}

/* The first convolution decides the form in which pictures are loaded. */
static void add_first(lpips_plan *p, const lpips_step *s)
{
    int h = lpips_step_size(s, p->height), w = lpips_step_size(s, p->width);
    int k = lpips_ceil_div(s->kernel, s->stride);
    lpips_layer *l;

    if (s->stride != 4) {
        p->fold = 1;
        add_layer(p, LPIPS_LOAD, p->height, p->width, s->in);
        add_step(p, LPIPS_DIRECT, s);
        return;
    }
    /* 11x11 with stride 4 is 3x3 over blocks of 4x4 pixels, the first at -pad */
    p->fold = s->stride;
    add_layer(p, LPIPS_LOAD, h + k - 1, w + k - 1, s->in * p->fold * p->fold);
    l = add_layer(p, LPIPS_WINO, h, w, s->out);
    l->kernel = k;
    l->tap = s->tap;
    snprintf(l->name, sizeof l->name, "%s", s->name);
}

/* Layer by layer, nothing left out or pooled before it is stored. */
static int keeps_all(const lpips_plan *p)
{
    return !!(p->flags & LPIPS_WANT_GRADIENT);
}

/* Lets the last layer do what reads its features, instead of keeping them. */
static void append(lpips_plan *p, const lpips_step *pool, int c, const char *point)
{
    lpips_layer *l = &p->layer[p->layers - 1];
    lpips_rows *t = &p->tensor[l->out];

    l->after = LPIPS_THEN;
    l->after_pool = pool ? pool->kernel : 0;
    if (point)
        snprintf(l->after_name, sizeof l->after_name, "%s", point);
    *t = (lpips_rows){.h = l->mid_h, .w = l->mid_w, .c = c};
    if (pool) {
        t->h = lpips_step_size(pool, t->h);
        t->w = lpips_step_size(pool, t->w);
    }
    if (l->kind == LPIPS_DIRECT)
        l->rows = t->h;
}

static void add_squeeze(lpips_plan *p, const lpips_step *s, const lpips_step *pool)
{
    const lpips_layer *last = &p->layer[p->layers - 1];
    const lpips_rows *in = &p->tensor[p->tensors - 1];
    lpips_layer *l;
    char name[48];

    snprintf(name, sizeof name, "%s.squeeze", s->name);
    if (!keeps_all(p) && (last->kind == LPIPS_DIRECT || !pool)) {
        append(p, pool, s->squeezed, name);
        return;
    }
    l = add_layer(p, LPIPS_POINT, pool ? lpips_step_size(pool, in->h) : in->h,
                  pool ? lpips_step_size(pool, in->w) : in->w, s->squeezed);
    if (pool) {
        l->kernel = pool->kernel;
        l->stride = pool->stride;
    }
    memcpy(l->name, name, sizeof name);
}

static void add_fire(lpips_plan *p, const lpips_step *s, const lpips_step *pool)
{
    lpips_layer *l;

    add_squeeze(p, s, pool);
    l = add_step(p, LPIPS_WINO, s);
    l->panels /= 2;
    l->out_at = s->out / 2;
    snprintf(l->name, sizeof l->name, "%s.expand3x3", s->name);
    snprintf(l->side, sizeof l->side, "%s.expand1x1", s->name);
}

static void add_layers(lpips_plan *p)
{
    const lpips_step *s = p->net->step, *end = s + p->net->steps;

    add_first(p, s);
    for (s++; s < end; s++)
        if (s->op == LPIPS_OP_FIRE)
            add_fire(p, s, NULL);
        else if (s->op == LPIPS_OP_POOL && s[1].op == LPIPS_OP_FIRE) {
            add_fire(p, s + 1, s);
            s++;
        } else if (s->op == LPIPS_OP_POOL) {
            p->layer[p->layers - 1].even = s->kernel == 2;
            if (s->kernel == 2 && !keeps_all(p))
                append(p, s, s->out, NULL);
            else
                add_step(p, LPIPS_POOL, s);
        } else
            add_step(p, LPIPS_WINO, s);
    if (!keeps_all(p))
        p->layer[p->layers - 1].after = LPIPS_DROP;
}

/* ---- tiles -------------------------------------------------------------- */

/*
 * Nanoseconds a picture on one core, roughly: products at 50 G multiplications a second,
 * transforms and half the reading of the filters by measurement.  Only the order matters.
 * Nothing but the picture's size goes into it: the same pictures give the same result in a
 * batch and alone, on two threads and on one.
 */
static double tile_cost(const lpips_plan *p, const lpips_layer *l, int ny, int nx)
{
    int my = ny - l->kernel + 1, mx = nx - l->kernel + 1, in = p->tensor[l->in].c;
    double tiles = (double)lpips_ceil_div(l->mid_h, my) * lpips_ceil_div(l->mid_w, mx);
    double out = l->panels * LPIPS_PANEL, cells = in * out * ny * nx;

    return tiles * (.02 * cells + .2 * ny * nx * in + .3 * my * mx * out) + .12 * cells;
}

/*
 * Relative error of a convolution's result, all in float, with 48 channels of random data:
 * directly 4e-7, tiles of 5 and 6 samples 6e-7, of 8 samples 2.4e-6, of 8 and 10 6e-6, of 10
 * both ways 1.7e-5; sums of 384 products in a row 1e-6.  It differs from feature to feature,
 * so that a mean over n of them has it over the root of n: what may be done goes by the
 * features of the last tap, of which there are the fewest.
 */
typedef enum coarseness { FINE, MEDIUM, COARSE } coarseness;

static coarseness allowed(const lpips_plan *p)
{
    const lpips_layer *last = &p->layer[p->layers - 1];
    double features = (double)last->mid_h * last->mid_w;

    return features < 200 ? FINE : features < 2000 ? MEDIUM : COARSE;
}

static int tile_allowed(const lpips_plan *p, const lpips_layer *l, int ty, int tx)
{
    int longest = ty > tx ? ty : tx, both = ty < tx ? ty : tx;

    if (l->kernel == 5 && both < LPIPS_TILE_8)
        return 0;
    if ((ty == LPIPS_TILE_5) != (tx == LPIPS_TILE_5) || (ty == LPIPS_TILE_5 && l->even))
        return 0;
    if (lpips_pack_heavy(p->tensor[l->in].c, l->panels * LPIPS_PANEL))
        return longest == LPIPS_TILE_6 && both == LPIPS_TILE_6;
    switch (allowed(p)) {
    case FINE:
        return longest <= (l->kernel == 5 ? LPIPS_TILE_8 : LPIPS_TILE_6);
    case MEDIUM:
        return longest <= LPIPS_TILE_8;
    default:
        return both < LPIPS_TILE_10;
    }
}

static void choose_tile(const lpips_plan *p, lpips_layer *l)
{
    double best = 0;

    for (int ty = 0; ty < LPIPS_TILES; ty++)
        for (int tx = 0; tx < LPIPS_TILES; tx++) {
            int ny = lpips_tile_len[ty], nx = lpips_tile_len[tx];
            double cost = tile_cost(p, l, ny, nx);

            if (!tile_allowed(p, l, ty, tx) || (best > 0 && cost >= best))
                continue;
            best = cost;
            l->ty = ty;
            l->tx = tx;
            l->my = ny - l->kernel + 1;
            l->mx = nx - l->kernel + 1;
        }
}

/* ---- bands -------------------------------------------------------------- */

/* Enough rows to share out, few enough that what they give stays in the caches. */
static void choose_bands(lpips_plan *p, int band_rows)
{
    for (int i = 0; i < p->layers; i++) {
        lpips_layer *l = &p->layer[i];

        if (l->kind == LPIPS_WINO) {
            int across = lpips_min(lpips_ceil_div(l->mid_w, l->mx), 1 << 16) * p->pictures;
            int tiles =
                lpips_filter_bytes(p, l) > LPIPS_SHARE_BYTES ? SHARED_BAND : BAND_TILES;
            int rows = band_rows > 0 ? band_rows : lpips_ceil_div(tiles, across);

            l->band = lpips_min(rows, lpips_ceil_div(l->mid_h, l->my)) * l->my;
        } else {
            int reads = l->kind == LPIPS_POOL || l->kind == LPIPS_POINT;
            const lpips_rows *t = &p->tensor[reads ? l->in : l->out];
            double row =
                (double)t->w * t->c * (reads ? l->stride : 1) * p->pictures * sizeof(float);

            l->band = l->kind == LPIPS_DIRECT && l->after
                          ? DIRECT_BAND
                          : lpips_max(1, (int)(BAND_BYTES / row));
            l->band = lpips_min(l->band, l->rows);
        }
    }
}

/* Rows of its input that a layer needs for its rows up to y1. */
static int rows_needed(const lpips_plan *p, const lpips_layer *l, int y1)
{
    int rows = y1;

    if (l->kind == LPIPS_DIRECT && l->after_pool)
        rows = lpips_min((y1 - 1) * 2 + l->after_pool, l->mid_h);
    if (l->kind == LPIPS_WINO)
        rows = lpips_ceil_div(y1, l->my) * l->my;
    return lpips_min((rows - 1) * l->stride - l->pad + l->kernel, p->tensor[l->in].h);
}

/* The first row of its input that a layer still needs. */
static int rows_from(const lpips_layer *l)
{
    int rows = l->next;

    if (l->kind == LPIPS_DIRECT && l->after_pool)
        rows *= 2;
    return lpips_max(0, rows * l->stride - l->pad);
}

int lpips_plan_next(const lpips_plan *p, int *y0, int *y1)
{
    for (int i = p->layers - 1; i >= 0; i--) {
        const lpips_layer *l = &p->layer[i];

        *y0 = l->next;
        *y1 = lpips_min(l->next + l->band, l->rows);
        if (*y0 < l->rows && (!i || p->tensor[l->in].next >= rows_needed(p, l, *y1)))
            return i;
    }
    return -1;
}

/* Rows of the output that exist once y1 rows of a layer are done. */
static int rows_out(const lpips_plan *p, const lpips_layer *l, int y1)
{
    if (l->kind == LPIPS_WINO && l->after_pool && y1 < l->rows)
        return y1 / 2;
    return y1 < l->rows ? y1 : p->tensor[l->out].h;
}

void lpips_plan_done(lpips_plan *p, int layer, int y1)
{
    lpips_layer *l = &p->layer[layer];

    l->next = y1;
    p->tensor[l->out].next = rows_out(p, l, y1);
}

/* Runs the plan on counters: a tensor's ring is the most rows that are alive at once. */
static void measure_rings(lpips_plan *p)
{
    int i, y0, y1;

    while ((i = lpips_plan_next(p, &y0, &y1)) >= 0) {
        lpips_rows *t = &p->tensor[p->layer[i].out];
        const lpips_layer *reader = &p->layer[i + 1];
        int from = t->next;

        lpips_plan_done(p, i, y1);
        if (i + 1 < p->layers && reader->next < reader->rows)
            from = lpips_min(from, rows_from(reader));
        t->ring = keeps_all(p) ? t->h : lpips_max(t->ring, t->next - from);
    }
}

/* ---- all of it ----------------------------------------------------------- */

int lpips_plan_make(lpips_plan *p, const lpips_netdef *net, int width, int height,
                    const lpips_options *o)
{
    memset(p, 0, sizeof *p);
    if (width < net->min_size || height < net->min_size || width > LPIPS_MAX_SIDE ||
        height > LPIPS_MAX_SIDE)
        return LPIPS_ERR_SIZE;
    p->net = net;
    p->width = width;
    p->height = height;
    p->flags = o->flags;
    if (keeps_all(p))
        p->flags |= LPIPS_WANT_MAP; /* which distances are 0 is asked later */
    p->pictures = o->pictures ? o->pictures : 2;
    p->threads = o->threads > 1 ? o->threads : 1;
    add_layers(p);
    for (int i = 0; i < p->layers; i++) {
        p->layer[i].block = allowed(p) == FINE ? SMALL_BLOCK : LARGE_BLOCK;
        if (p->layer[i].kind == LPIPS_WINO)
            choose_tile(p, &p->layer[i]);
    }
    choose_bands(p, o->band_rows);
    measure_rings(p);
    return lpips_layout(p, keeps_all(p) ? width : o->strip_columns);
}
