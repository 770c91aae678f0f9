/*
 * plan.c - layers, tiles, bands, strips and the memory for them.
 */
#include "plan.h"

#include <stdio.h>
#include <string.h>

enum {
    BAND_ROWS = 288,            /* rows of a product that a band should give */
    GROUP_BYTES = 640 << 10,    /* of tiles and products, to stay in the second cache */
    GROUP_MIN = 24,
    GROUP_MAX = 72,
    SHARE_BYTES = 6 << 20,      /* of packed weights, from which they are read once a band */
    SHARED_BYTES = 6 << 20,     /* of products held between the phases of a shared layer */
    STRIP_BYTES = 48 << 20,     /* of tensors a picture, above which strips are cut */
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

static lpips_layer *add_layer(lpips_plan *p, lpips_kind kind, int h, int w, int c)
{
    lpips_layer *l = &p->layer[p->layers];

    memset(l, 0, sizeof *l);
    l->kind = kind;
    l->in = p->tensors - 1;
    l->out = p->tensors;
    l->tap = -1;
    l->kernel = l->stride = 1;
    l->panels = c / LPIPS_PANEL;
    p->tensor[p->tensors] = (lpips_rows){.h = h, .w = w, .c = c};
    p->layers++;
    p->tensors++;
    return l;
}

/* The first convolution decides the form in which pictures are loaded. */
static void add_first(lpips_plan *p, const lpips_step *s)
{
    int h = lpips_step_size(s, p->height), w = lpips_step_size(s, p->width);
    lpips_layer *l;

    p->fold = s->stride == 4 ? 4 : 1;
    if (p->fold > 1) {
        /* 11x11 with stride 4 is 3x3 over blocks of 4x4 pixels, the first at -pad */
        int k = ceil_div(s->kernel, p->fold);

        add_layer(p, LPIPS_LOAD, h + k - 1, w + k - 1, s->in * p->fold * p->fold);
        l = add_layer(p, LPIPS_WINO, h, w, s->out);
        l->kernel = k;
    } else {
        add_layer(p, LPIPS_LOAD, p->height, p->width, s->in);
        l = add_layer(p, LPIPS_DIRECT, h, w, s->out);
        l->kernel = s->kernel;
        l->stride = s->stride;
        l->pad = s->pad;
    }
    l->tap = s->tap;
    snprintf(l->name, sizeof l->name, "%s", s->name);
}

static void add_fire(lpips_plan *p, const lpips_step *s, const lpips_step *pool)
{
    const lpips_rows *in = &p->tensor[p->tensors - 1];
    int h = in->h, w = in->w;
    lpips_layer *l;

    if (pool) {
        h = lpips_step_size(pool, h);
        w = lpips_step_size(pool, w);
    }
    l = add_layer(p, LPIPS_POINT, h, w, s->squeezed);
    if (pool) {
        l->kernel = pool->kernel;
        l->stride = pool->stride;
    }
    snprintf(l->name, sizeof l->name, "%s.squeeze", s->name);
    l = add_layer(p, LPIPS_WINO, h, w, s->out);
    l->kernel = s->kernel;
    l->pad = s->pad;
    l->tap = s->tap;
    l->panels /= 2;
    l->out_at = s->out / 2;
    snprintf(l->name, sizeof l->name, "%s.expand3x3", s->name);
    snprintf(l->side, sizeof l->side, "%s.expand1x1", s->name);
}

static void add_step(lpips_plan *p, const lpips_step *s)
{
    const lpips_rows *in = &p->tensor[p->tensors - 1];
    lpips_layer *l = add_layer(p, s->op == LPIPS_OP_POOL ? LPIPS_POOL : LPIPS_WINO,
                               lpips_step_size(s, in->h), lpips_step_size(s, in->w), s->out);

    l->kernel = s->kernel;
    l->stride = s->stride;
    l->pad = s->pad;
    l->tap = s->tap;
    if (s->name)
        snprintf(l->name, sizeof l->name, "%s", s->name);
}

static void add_layers(lpips_plan *p)
{
    const lpips_step *s = p->net->step;

    add_first(p, s);
    for (int i = 1; i < p->net->steps; i++) {
        if (s[i].op == LPIPS_OP_FIRE)
            add_fire(p, &s[i], NULL);
        else if (s[i].op == LPIPS_OP_POOL && s[i + 1].op == LPIPS_OP_FIRE) {
            add_fire(p, &s[i + 1], &s[i]);
            i++;
        } else
            add_step(p, &s[i]);
    }
}

/* ---- tiles -------------------------------------------------------------- */

/*
 * Nanoseconds on one core, roughly: products at 50 G multiplications a second, transforms
 * and reading the filters by measurement.  Only the order matters.
 */
static double tile_cost(const lpips_plan *p, const lpips_rows *in, const lpips_rows *out,
                        int panels, int ny, int nx, int r)
{
    int my = ny - r + 1, mx = nx - r + 1, channels = panels * LPIPS_PANEL;
    double tiles = (double)ceil_div(out->h, my) * ceil_div(out->w, mx) * p->pictures;
    double cells = (double)in->c * channels * ny * nx;
    double transforms = .2 * ny * nx * in->c + .3 * my * nx * channels;

    return tiles * (.02 * cells + transforms) + .25 * cells;
}

/* Layers whose filters are so large that they are transformed one way only, the smallest:
 * all of vgg's with F(6,3) would take 418 MB. */
static int is_heavy(const lpips_rows *in, const lpips_rows *out)
{
    return in->c * out->c >= 256 * 512;
}

static void choose_tile(const lpips_plan *p, lpips_layer *l)
{
    const lpips_rows *in = &p->tensor[l->in], *out = &p->tensor[l->out];
    double best = 0;

    for (int ty = 0; ty < LPIPS_TILES; ty++)
        for (int tx = 0; tx < LPIPS_TILES; tx++) {
            int ny = lpips_tile_len[ty], nx = lpips_tile_len[tx];
            double cost;

            if (l->kernel == 5 ? ty < LPIPS_TILE_8 || tx < LPIPS_TILE_8
                               : (ty == LPIPS_TILE_5) != (tx == LPIPS_TILE_5))
                continue;
            if (ty == LPIPS_TILE_10 && tx == LPIPS_TILE_10)
                continue; /* eleven times the rounding error for a few percent */
            if (is_heavy(in, out) && (ty != LPIPS_TILE_6 || tx != LPIPS_TILE_6))
                continue;
            cost = tile_cost(p, in, out, l->panels, ny, nx, l->kernel);
            if (best > 0 && cost >= best)
                continue;
            best = cost;
            l->ty = ty;
            l->tx = tx;
            l->my = ny - l->kernel + 1;
            l->mx = nx - l->kernel + 1;
        }
}

/* ---- bands -------------------------------------------------------------- */

static void choose_bands(lpips_plan *p, int band_rows)
{
    for (int i = p->layers - 1; i >= 0; i--) {
        lpips_layer *l = &p->layer[i];
        int h = lpips_layer_h(p, i);

        if (l->kind == LPIPS_WINO) {
            int across = min_int(ceil_div(lpips_layer_w(p, i), l->mx), 1 << 16) * p->pictures;
            int rows = band_rows > 0 ? band_rows : ceil_div(BAND_ROWS, across);

            l->band = min_int(rows, ceil_div(h, l->my)) * l->my;
        } else {
            const lpips_layer *reader = l + 1;

            l->band = max_int(1, min_int(h, reader->band * reader->stride));
        }
    }
}

/* Rows of its input that a layer needs for output rows up to y1. */
static int rows_needed(const lpips_plan *p, const lpips_layer *l, int y1)
{
    int rows = (y1 - 1) * l->stride - l->pad + l->kernel;

    if (l->kind == LPIPS_WINO)
        rows = ceil_div(y1, l->my) * l->my - l->pad + l->kernel - 1;
    return min_int(rows, p->tensor[l->in].h);
}

int lpips_plan_next(const lpips_plan *p, int *y0, int *y1)
{
    for (int i = p->layers - 1; i >= 0; i--) {
        const lpips_layer *l = &p->layer[i];
        int h = lpips_layer_h(p, i);

        *y0 = l->next;
        *y1 = min_int(l->next + l->band, h);
        if (*y0 < h && (!i || p->tensor[l->in].next >= rows_needed(p, l, *y1)))
            return i;
    }
    return -1;
}

void lpips_plan_done(lpips_plan *p, int layer, int y1)
{
    p->layer[layer].next = y1;
    p->tensor[p->layer[layer].out].next = y1;
}

/* Runs the plan on counters: a tensor's ring is the most rows that are alive at once. */
static void measure_rings(lpips_plan *p)
{
    int i, y0, y1;

    while ((i = lpips_plan_next(p, &y0, &y1)) >= 0) {
        lpips_rows *t = &p->tensor[p->layer[i].out];
        const lpips_layer *reader = &p->layer[i + 1];
        int from = y0;

        if (i + 1 < p->layers && reader->next < lpips_layer_h(p, i + 1))
            from = min_int(from, max_int(0, reader->next * reader->stride - reader->pad));
        t->ring = max_int(t->ring, y1 - from);
        lpips_plan_done(p, i, y1);
    }
}

/* ---- strips ------------------------------------------------------------- */

/* Columns that a layer reads for its output columns, padding included. */
static void columns_read(const lpips_layer *l, int *lo, int *hi)
{
    *lo = l->x0 * l->stride - l->pad;
    *hi = (l->x1 - 1) * l->stride - l->pad + l->kernel;
    if (l->kind == LPIPS_WINO) {
        *lo = l->t0 * l->mx - l->pad;
        *hi = l->t1 * l->mx - l->pad + l->kernel - 1;
    }
}

/* Input pixels per output column; a strip's edges are multiples of 16, the largest. */
static int total_stride(const lpips_plan *p, int layer)
{
    int s = p->fold;

    for (int i = 1; i <= layer; i++)
        s *= p->layer[i].stride;
    return s;
}

void lpips_plan_strip(lpips_plan *p, int strip)
{
    int lo = 0, hi = 0; /* what the layer below in this loop reads */

    p->strip = strip;
    for (int i = p->layers - 1; i >= 0; i--) {
        lpips_layer *l = &p->layer[i];
        lpips_rows *t = &p->tensor[l->out];
        int x0 = max_int(lo, 0), x1 = min_int(hi, t->w), s = total_stride(p, i);

        if (i == p->layers - 1)
            x0 = t->w, x1 = 0;
        if (l->tap >= 0) {
            l->own0 = min_int(strip * p->strip_width / s, t->w);
            l->own1 = strip == p->strips - 1 ? t->w
                                             : min_int((strip + 1) * p->strip_width / s, t->w);
            x0 = min_int(x0, l->own0);
            x1 = max_int(x1, l->own1);
        }
        if (l->kind == LPIPS_WINO) {
            l->t0 = x0 / l->mx;
            l->t1 = ceil_div(x1, l->mx);
            x0 = l->t0 * l->mx;
            x1 = min_int(l->t1 * l->mx, t->w);
        }
        l->x0 = x0;
        l->x1 = x1;
        t->x_lo = i == p->layers - 1 ? x0 : min_int(x0, lo);
        t->cols = (i == p->layers - 1 ? x1 : max_int(x1, hi)) - t->x_lo;
        l->next = t->next = 0;
        columns_read(l, &lo, &hi);
    }
}

/* ---- memory ------------------------------------------------------------- */

/* Appends a block to the arena; sizes are doubles' integers, so an absurd one is seen. */
static size_t reserve(lpips_plan *p, double bytes)
{
    size_t at = p->bytes;

    if (bytes > 1e15 || (double)at + bytes > (double)(SIZE_MAX / 2)) {
        p->bytes = SIZE_MAX / 2;
        return at;
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

static void size_wino(lpips_plan *p, lpips_layer *l, double *scratch, double *shared)
{
    int npos = lpips_tile_len[l->ty] * lpips_tile_len[l->tx], in = p->tensor[l->in].c;
    ptrdiff_t rows = l->group_max, v_row = in >= 64 ? in + 16 : in;
    double weights = (double)npos * in * l->panels * LPIPS_PANEL * sizeof(float), tile;

    l->shared = weights > SHARE_BYTES || rows < (ptrdiff_t)2 * GROUP_MIN * p->threads;
    l->pass = min_int(l->panels, 4);
    tile = (double)npos * (double)(v_row + l->pass * LPIPS_PANEL) * sizeof(float);
    if (l->shared) {
        while (2 * l->pass <= l->panels && l->panels % (2 * l->pass) == 0 &&
               (double)npos * (double)rows * 2 * l->pass * LPIPS_PANEL * 4 <= SHARED_BYTES)
            l->pass *= 2;
        l->group = (int)rows;
    } else {
        l->group = (int)(GROUP_BYTES / tile) / 12 * 12;
        l->group = max_int(GROUP_MIN, min_int(l->group, GROUP_MAX));
        l->group = max_int(l->group / p->pictures, 1) * p->pictures;
    }
    l->v_row = v_row;
    l->v_pos = odd_lines(l->group * v_row);
    l->m_row = l->pass * LPIPS_PANEL;
    l->m_pos = odd_lines(l->group * l->m_row);
    tile = (double)npos * (double)(l->v_pos + l->m_pos) * sizeof(float);
    if (l->shared)
        *shared = tile > *shared ? tile : *shared;
    else
        *scratch = tile > *scratch ? tile : *scratch;
}

/* Sizes of one strip; the arena takes the largest of all strips. */
static void grow(lpips_plan *p)
{
    for (int i = 0; i < p->layers; i++) {
        lpips_layer *l = &p->layer[i];
        lpips_rows *t = &p->tensor[l->out];
        ptrdiff_t row = odd_lines((ptrdiff_t)t->cols * t->c);

        t->row = row > t->row ? row : t->row;
        t->pic = t->row * t->ring;
        l->d_cols = max_int(l->d_cols, l->own1 - l->own0);
        if (l->kind == LPIPS_WINO)
            l->group_max = max_int(l->group_max, l->band / l->my * (l->t1 - l->t0) * p->pictures);
    }
}

/* Scratch for a chunk of columns: pooled pixels and what pooling needs, or a loaded row. */
static double row_scratch(const lpips_plan *p)
{
    double most = 0;

    for (int i = 0; i < p->layers; i++) {
        const lpips_layer *l = &p->layer[i];
        double bytes = 0;

        if (l->kind == LPIPS_LOAD)
            bytes = (p->width + 16.) * 3 * sizeof(float);
        else if (l->kind == LPIPS_POINT || l->kind == LPIPS_POOL)
            bytes = 200. * p->tensor[l->in].c * sizeof(float);
        most = bytes > most ? bytes : most;
    }
    return most;
}

static void lay_out(lpips_plan *p)
{
    double scratch = row_scratch(p), shared = 0;
    ptrdiff_t widest = 0;

    for (int s = 0; s < p->strips; s++) {
        lpips_plan_strip(p, s);
        grow(p);
    }
    for (int i = 0; i < p->layers; i++)
        if (p->layer[i].kind == LPIPS_WINO)
            size_wino(p, &p->layer[i], &scratch, &shared);
    p->bytes = 0;
    for (int i = 0; i < p->layers; i++) {
        lpips_layer *l = &p->layer[i];
        lpips_rows *t = &p->tensor[l->out];

        t->at = reserve(p, (double)t->pic * p->pictures * sizeof(float));
        widest = t->row > widest ? t->row : widest;
        if (l->tap < 0)
            continue;
        l->d_rows = p->flags & LPIPS_WANT_MAP ? t->h : l->band;
        if (p->flags & LPIPS_WANT_MAP)
            l->d_cols = t->w;
        l->d_at = reserve(p, (double)l->d_rows * l->d_cols * pairs_of(p) * sizeof(float));
        l->sum_at = reserve(p, (double)t->h * pairs_of(p) * sizeof(double));
    }
    p->zero_at = reserve(p, (double)widest * sizeof(float));
    p->ones_at = reserve(p, 512 * sizeof(float));
    p->shared_at = reserve(p, shared);
    p->scratch_size = ((size_t)scratch + 127) / 64 * 64;
    p->scratch_at = reserve(p, (double)p->scratch_size * p->threads);
}

static void cut_strips(lpips_plan *p, int strips)
{
    p->strip_width = ceil_div(ceil_div(p->width, strips), 16) * 16;
    p->strips = ceil_div(p->width, p->strip_width);
    for (int i = 0; i < p->tensors; i++)
        p->tensor[i].row = p->layer[i].d_cols = p->layer[i].group_max = 0;
    lay_out(p);
}

static size_t tensor_bytes(const lpips_plan *p)
{
    const lpips_rows *last = &p->tensor[p->tensors - 1];

    return last->at + (size_t)last->pic * (size_t)p->pictures * sizeof(float);
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
    for (int i = 0; i < p->layers; i++)
        if (p->layer[i].kind == LPIPS_WINO)
            choose_tile(p, &p->layer[i]);
    choose_bands(p, o->band_rows);
    measure_rings(p);
    strips = o->strip_columns > 0 ? ceil_div(width, max_int(o->strip_columns, 16)) : 1;
    cut_strips(p, strips);
    while (!o->strip_columns && p->strip_width >= 2 * STRIP_MIN &&
           tensor_bytes(p) > (size_t)STRIP_BYTES * (size_t)p->pictures)
        cut_strips(p, ++strips);
    lpips_plan_strip(p, 0);
    return p->bytes >= SIZE_MAX / 2 ? LPIPS_ERR_SIZE : LPIPS_OK;
}
