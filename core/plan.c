/*
 * plan.c - layers, tiles, bands, strips and the memory for them.
 */
#include "plan.h"
#include "pack.h"

#include <stdio.h>
#include <string.h>

enum {
    BAND_TILES = 128,        /* rows of a product that a band should give */
    BAND_BYTES = 2 << 20,    /* of a tensor, where there are no tiles */
    DIRECT_BAND = 16,        /* a fused first layer computes one row a band twice */
    GROUP_BYTES = 640 << 10, /* of a group, to stay in a core's second cache */
    GROUP_MIN = 24,
    GROUP_MAX = 72,
    SHARE_BYTES = 6 << 20,   /* of packed filters, from which all threads share a group */
    SHARED_ROWS = 120,
    LARGE_BLOCK = 512,       /* products in a row, see tile_allowed() */
    SMALL_BLOCK = 8,
    STRIP_BYTES = 40 << 20,  /* of tensors a picture, above which strips are cut */
    STRIP_MIN = 512
};

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

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
    int k = ceil_div(s->kernel, s->stride);
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
    if (last->kind == LPIPS_DIRECT || !pool) {
        append(p, pool, s->squeezed, name);
        return;
    }
    l = add_layer(p, LPIPS_POINT, lpips_step_size(pool, in->h), lpips_step_size(pool, in->w),
                  s->squeezed);
    l->kernel = pool->kernel;
    l->stride = pool->stride;
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
        } else if (s->op == LPIPS_OP_POOL && s->kernel == 2)
            append(p, s, s->out, NULL); /* tiles have even sides */
        else
            add_step(p, s->op == LPIPS_OP_POOL ? LPIPS_POOL : LPIPS_WINO, s);
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
    double tiles = (double)ceil_div(l->mid_h, my) * ceil_div(l->mid_w, mx);
    double out = l->panels * LPIPS_PANEL, cells = in * out * ny * nx;

    return tiles * (.02 * cells + .2 * ny * nx * in + .3 * my * mx * out) + .12 * cells;
}

/*
 * Relative error of a convolution's result, all with float arithmetic and 48 channels of
 * random data: directly 4e-7, tiles of 5 and 6 samples 6e-7, of 8 samples 2.4e-6, of 8 and 10
 * 6e-6, of 10 both ways 1.7e-5.  It is independent from feature to feature, so that large
 * pictures average it out, and small ones must use small tiles.
 */
static int is_large(const lpips_layer *l)
{
    return (double)l->mid_h * l->mid_w >= 16384;
}

static int tile_allowed(const lpips_plan *p, const lpips_layer *l, int ty, int tx)
{
    if (l->kernel == 5 && (ty < LPIPS_TILE_8 || tx < LPIPS_TILE_8))
        return 0;
    if ((ty == LPIPS_TILE_5) != (tx == LPIPS_TILE_5) || (ty == LPIPS_TILE_5 && l->after_pool))
        return 0;
    if (lpips_pack_heavy(p->tensor[l->in].c, l->panels * LPIPS_PANEL))
        return ty == LPIPS_TILE_6 && tx == LPIPS_TILE_6;
    if (!is_large(l))
        return l->kernel == 5 ? ty == LPIPS_TILE_8 && tx == LPIPS_TILE_8
                              : ty <= LPIPS_TILE_6 && tx <= LPIPS_TILE_6;
    return ty < LPIPS_TILE_10 || tx < LPIPS_TILE_10;
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
            int across = min_int(ceil_div(l->mid_w, l->mx), 1 << 16) * p->pictures;
            int rows = band_rows > 0 ? band_rows : ceil_div(BAND_TILES, across);

            l->band = min_int(rows, ceil_div(l->mid_h, l->my)) * l->my;
        } else {
            int reads = l->kind == LPIPS_POOL || l->kind == LPIPS_POINT;
            const lpips_rows *t = &p->tensor[reads ? l->in : l->out];
            double row = (double)t->w * t->c * (reads ? l->stride : 1) * p->pictures * sizeof(float);

            l->band = l->kind == LPIPS_DIRECT && l->after ? DIRECT_BAND
                                                          : max_int(1, (int)(BAND_BYTES / row));
            l->band = min_int(l->band, l->rows);
        }
    }
}

/* Rows of its input that a layer needs for its rows up to y1. */
static int rows_needed(const lpips_plan *p, const lpips_layer *l, int y1)
{
    int rows = y1;

    if (l->kind == LPIPS_DIRECT && l->after_pool)
        rows = min_int((y1 - 1) * 2 + l->after_pool, l->mid_h);
    if (l->kind == LPIPS_WINO)
        rows = ceil_div(y1, l->my) * l->my;
    return min_int((rows - 1) * l->stride - l->pad + l->kernel, p->tensor[l->in].h);
}

/* The first row of its input that a layer still needs. */
static int rows_from(const lpips_layer *l)
{
    int rows = l->next;

    if (l->kind == LPIPS_DIRECT && l->after_pool)
        rows *= 2;
    return max_int(0, rows * l->stride - l->pad);
}

int lpips_plan_next(const lpips_plan *p, int *y0, int *y1)
{
    for (int i = p->layers - 1; i >= 0; i--) {
        const lpips_layer *l = &p->layer[i];

        *y0 = l->next;
        *y1 = min_int(l->next + l->band, l->rows);
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
            from = min_int(from, rows_from(reader));
        t->ring = max_int(t->ring, t->next - from);
    }
}

/* ---- strips ------------------------------------------------------------- */

/* Columns that a layer reads for its own, padding included. */
static void columns_read(const lpips_layer *l, int *lo, int *hi)
{
    int x0 = l->x0, x1 = l->x1;

    if (l->kind == LPIPS_DIRECT && l->after_pool) {
        x0 *= 2;
        x1 = (x1 - 1) * 2 + l->after_pool;
    }
    if (l->kind == LPIPS_WINO)
        x1 = l->t1 * l->mx;
    *lo = x0 * l->stride - l->pad;
    *hi = (x1 - 1) * l->stride - l->pad + l->kernel;
}

/* Input pixels per column of a layer's features; a strip's edges are multiples of 16, which
 * is the most. */
static int total_stride(const lpips_plan *p, int layer)
{
    int s = p->fold;

    for (int i = 1; i <= layer; i++)
        s *= p->layer[i].stride * (p->layer[i - 1].after_pool ? 2 : 1);
    return s;
}

/* Columns of features that the strip owns, in input pixels / stride. */
static void set_own(const lpips_plan *p, lpips_layer *l, int stride)
{
    int from = p->strip * p->strip_width / stride;
    int to = (p->strip + 1) * p->strip_width / stride;

    l->own0 = min_int(from, l->mid_w);
    l->own1 = p->strip == p->strips - 1 ? l->mid_w : min_int(to, l->mid_w);
}

/* The layer's columns: what the reader of its output needs and what the tap owns. */
static void set_columns(lpips_plan *p, lpips_layer *l, int lo, int hi)
{
    int pooled = l->kind == LPIPS_WINO ? 1 : l->after_pool ? 2 : 1;
    int grow = l->kind == LPIPS_WINO && l->after_pool ? 2 : 1;
    int x0 = max_int(lo, 0) * grow, x1 = min_int(hi, p->tensor[l->out].w) * grow;

    if (l->after == LPIPS_DROP) {
        x0 = l->own0;
        x1 = l->own1;
    }
    if (l->tap >= 0) {
        x0 = min_int(x0, l->own0 / pooled);
        x1 = max_int(x1, ceil_div(l->own1, pooled));
    }
    if (l->kind == LPIPS_WINO) {
        l->t0 = x0 / l->mx;
        l->t1 = ceil_div(x1, l->mx);
        x0 = l->t0 * l->mx;
        x1 = min_int(l->t1 * l->mx, l->mid_w);
    } else
        x1 = min_int(x1, p->tensor[l->out].w);
    l->x0 = x0;
    l->x1 = x1;
}

void lpips_plan_strip(lpips_plan *p, int strip)
{
    int lo = 0, hi = 0; /* what the reader reads */

    p->strip = strip;
    for (int i = p->layers - 1; i >= 0; i--) {
        lpips_layer *l = &p->layer[i];
        lpips_rows *t = &p->tensor[l->out];
        int shrink = l->kind == LPIPS_WINO && l->after_pool ? 2 : 1;

        if (l->tap >= 0)
            set_own(p, l, total_stride(p, i));
        set_columns(p, l, lo, hi);
        t->x_lo = min_int(l->x0 / shrink, lo);
        t->cols = max_int(l->x1 / shrink, hi) - t->x_lo;
        if (l->after == LPIPS_DROP)
            t->x_lo = t->cols = 0;
        l->next = t->next = 0;
        columns_read(l, &lo, &hi);
    }
}

/* ---- memory ------------------------------------------------------------- */

/* Appends a block to the arena; an absurd size stays absurd. */
static size_t reserve(lpips_plan *p, double bytes)
{
    size_t at = p->bytes;

    if (bytes > 1e15 || (double)at + bytes > 1e15) {
        p->bytes = SIZE_MAX / 2;
        return 0;
    }
    p->bytes += ((size_t)bytes + 127) / 64 * 64;
    return at;
}

/* A stride that does not map many rows onto few cache sets. */
static ptrdiff_t odd_lines(ptrdiff_t floats)
{
    return ((floats + 15) / 16 | 1) * 16;
}

static int pairs_of(const lpips_plan *p)
{
    return p->pictures - 1;
}

/* Rows of the product in a group: small ones stay in a core's cache with their products;
 * shared ones are as many as pay for reading the filters. */
static int group_rows(const lpips_plan *p, const lpips_layer *l, double row_bytes)
{
    int rows;

    if (l->shared)
        rows = ceil_div(l->band_max, ceil_div(l->band_max, SHARED_ROWS));
    else
        rows = max_int(GROUP_MIN, min_int((int)(GROUP_BYTES / row_bytes) / 12 * 12, GROUP_MAX));
    return max_int(ceil_div(rows, p->pictures), 1) * p->pictures;
}

/* Floats for what is made of the features of some units: a row of tiles pooled, or the input
 * or output of a 1x1 convolution. */
static double group_scratch(const lpips_plan *p, const lpips_layer *l, double units)
{
    double pixels = units * p->pictures * l->my * l->mx;
    int c = max_int(l->side[0] ? p->tensor[l->in].c : 0,
                    l->after_name[0] ? p->tensor[l->out].c : 0);

    return (l->after_pool ? units * l->mx * l->mid_c : pixels * c) * sizeof(float);
}

/* Lays out the products of a group; returns the bytes they take. */
static double size_wino(const lpips_plan *p, lpips_layer *l)
{
    int npos = lpips_tile_len[l->ty] * lpips_tile_len[l->tx], in = p->tensor[l->in].c;
    double weights = (double)npos * in * l->panels * LPIPS_PANEL * sizeof(float);
    double kept = l->after == LPIPS_KEEP ? 0 : (double)l->my * l->mx * l->mid_c;

    l->shared =
        weights > SHARE_BYTES || l->band_max < (ptrdiff_t)2 * GROUP_MIN * p->threads;
    l->pass = l->shared ? l->panels : min_int(l->panels, 4);
    l->v_row = in >= 64 ? in + 16 : in;
    l->m_row = l->pass * LPIPS_PANEL + (l->shared ? LPIPS_PANEL : 0);
    l->group = group_rows(p, l, (npos * (double)(l->v_row + l->m_row) + kept) * sizeof(float));
    l->v_pos = odd_lines(l->group * l->v_row);
    l->m_pos = odd_lines(l->group * l->m_row);
    return (npos * (double)(l->v_pos + l->m_pos) + kept * l->group) * sizeof(float);
}

/* Sizes of one strip; the arena takes the largest of all strips. */
static void grow(lpips_plan *p)
{
    for (int i = 0; i < p->layers; i++) {
        lpips_layer *l = &p->layer[i];
        lpips_rows *t = &p->tensor[l->out];
        ptrdiff_t row = odd_lines((ptrdiff_t)t->cols * t->c);

        t->row = row > t->row ? row : t->row;
        t->pic = l->after == LPIPS_DROP ? 0 : t->row * t->ring;
        l->d_cols = max_int(l->d_cols, l->own1 - l->own0);
        l->mask_row = max_int(l->mask_row, 2 * (l->x1 - l->x0) + 2);
        t->mask_row = max_int(t->mask_row, t->cols * (i ? 1 : p->fold) + 1);
        if (l->kind == LPIPS_WINO)
            l->band_max = max_int(l->band_max, l->band / l->my * (l->t1 - l->t0) * p->pictures);
    }
}

/* Scratch of a worker that does not belong to tiles: a loaded row, or a chunk of columns
 * with what pooling needs (run.c). */
static double row_scratch(const lpips_plan *p, const lpips_layer *l)
{
    if (l->kind == LPIPS_LOAD)
        return (p->width + 16.) * 3 * sizeof(float) * p->pictures;
    if (l->kind == LPIPS_DIRECT && l->after)
        return LPIPS_DIRECT_SCRATCH * (double)l->mid_c * p->pictures * sizeof(float);
    if (l->kind == LPIPS_WINO)
        return group_scratch(p, l, LPIPS_SHARED_UNITS);
    if (l->kind == LPIPS_POINT || l->kind == LPIPS_POOL)
        return LPIPS_POINT_SCRATCH * (double)p->tensor[l->in].c * sizeof(float);
    return 0;
}

static void lay_out_tap(lpips_plan *p, lpips_layer *l)
{
    int whole = p->flags & LPIPS_WANT_MAP;
    int rows = l->kind == LPIPS_DIRECT && l->after_pool ? 2 * l->band + 1 : l->band;

    l->d_rows = whole ? l->mid_h : rows;
    if (whole)
        l->d_cols = l->mid_w;
    l->d_at = reserve(p, (double)l->d_rows * l->d_cols * pairs_of(p) * sizeof(float));
    l->sum_at = reserve(p, (double)l->mid_h * pairs_of(p) * sizeof(double));
}

static void lay_out_masks(lpips_plan *p, lpips_layer *l, lpips_rows *t)
{
    t->mask_ring = t->ring * (l->kind == LPIPS_LOAD ? p->fold : 1);
    t->mask_at = reserve(p, (double)t->mask_ring * t->mask_row * pairs_of(p));
    l->mask_rows = 2 * l->band + 1;
    l->mask_at = reserve(p, (double)l->mask_rows * l->mask_row * pairs_of(p));
}

static void lay_out(lpips_plan *p)
{
    double scratch = 0, shared = 0;
    /* the row of zeros also stands for a missing bias and a missing row of features */
    ptrdiff_t widest = LPIPS_DIRECT_SCRATCH * 64;

    for (int s = 0; s < p->strips; s++) {
        lpips_plan_strip(p, s);
        grow(p);
    }
    p->bytes = 0;
    for (int i = 0; i < p->layers; i++) {
        lpips_layer *l = &p->layer[i];
        lpips_rows *t = &p->tensor[l->out];
        double rows = row_scratch(p, l), group = l->kind == LPIPS_WINO ? size_wino(p, l) : 0;
        double *most = l->shared ? &shared : &scratch;

        scratch = rows > scratch ? rows : scratch;
        *most = group > *most ? group : *most;
        t->at = reserve(p, (double)t->pic * p->pictures * sizeof(float));
        lay_out_masks(p, l, t);
        widest = t->row > widest ? t->row : widest;
        if (l->tap >= 0)
            lay_out_tap(p, l);
    }
    p->zero_at = reserve(p, (double)widest * sizeof(float));
    p->ones_at = reserve(p, 512 * sizeof(float));
    p->reach_at = reserve(p, p->width + 64.);
    p->shared_at = reserve(p, shared);
    p->scratch_size = scratch > 1e15 ? 0 : ((size_t)scratch + 127) / 64 * 64;
    p->scratch_at = reserve(p, scratch * p->threads + 128. * p->threads);
}

static void cut_strips(lpips_plan *p, int strips)
{
    p->strip_width = ceil_div(ceil_div(p->width, strips), 16) * 16;
    p->strips = ceil_div(p->width, p->strip_width);
    for (int i = 0; i < p->layers; i++) {
        p->tensor[p->layer[i].out].row = 0;
        p->tensor[p->layer[i].out].mask_row = p->layer[i].mask_row = 0;
        p->layer[i].d_cols = p->layer[i].band_max = 0;
    }
    lay_out(p);
}

static double tensor_bytes(const lpips_plan *p)
{
    double bytes = 0;

    for (int i = 0; i < p->tensors; i++)
        bytes += (double)p->tensor[i].pic * sizeof(float);
    return bytes;
}

int lpips_plan_make(lpips_plan *p, const lpips_netdef *net, int width, int height,
                    const lpips_options *o)
{
    int strips;

    memset(p, 0, sizeof *p);
    if (width < net->min_size || height < net->min_size || width > LPIPS_MAX_SIDE ||
        height > LPIPS_MAX_SIDE)
        return LPIPS_ERR_SIZE;
    p->net = net;
    p->width = width;
    p->height = height;
    p->flags = o->flags;
    p->pictures = o->pictures ? o->pictures : 2;
    p->threads = o->threads > 1 ? o->threads : 1;
    add_layers(p);
    for (int i = 0; i < p->layers; i++) {
        p->layer[i].block = is_large(&p->layer[i]) ? LARGE_BLOCK : SMALL_BLOCK;
        if (p->layer[i].kind == LPIPS_WINO)
            choose_tile(p, &p->layer[i]);
    }
    choose_bands(p, o->band_rows);
    measure_rings(p);
    strips = o->strip_columns > 0 ? ceil_div(width, max_int(o->strip_columns, 16)) : 1;
    cut_strips(p, strips);
    while (!o->strip_columns && p->strip_width >= 2 * STRIP_MIN && tensor_bytes(p) > STRIP_BYTES)
        cut_strips(p, ++strips);
    lpips_plan_strip(p, 0);
    return p->bytes >= SIZE_MAX / 2 ? LPIPS_ERR_SIZE : LPIPS_OK;
}
