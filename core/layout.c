/*
 * layout.c - strips of columns, and the memory for everything.
 */
#include "layout.h"
#include "grad.h"

#include <string.h>

enum {
    GROUP_BYTES = 640 << 10, /* of a group, to stay in a core's second cache */
    GROUP_MIN = 24,
    GROUP_MAX = 72,
    SHARED_ROWS = 120,
    STRIP_BYTES = 54 << 20, /* of tensors a picture, above which strips are cut */
    STRIP_MIN = 512
};

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

    l->own0 = lpips_min(from, l->mid_w);
    l->own1 = p->strip == p->strips - 1 ? l->mid_w : lpips_min(to, l->mid_w);
}

/* The layer's columns: what the reader of its output needs and what the tap owns. */
static void set_columns(lpips_plan *p, lpips_layer *l, int lo, int hi)
{
    int pooled = l->kind == LPIPS_WINO ? 1 : l->after_pool ? 2 : 1;
    int grow = l->kind == LPIPS_WINO && l->after_pool ? 2 : 1;
    int x0 = lpips_max(lo, 0) * grow, x1 = lpips_min(hi, p->tensor[l->out].w) * grow;

    if (l->after == LPIPS_DROP) {
        x0 = l->own0;
        x1 = l->own1;
    }
    if (l->tap >= 0) {
        x0 = lpips_min(x0, l->own0 / pooled);
        x1 = lpips_max(x1, lpips_ceil_div(l->own1, pooled));
    }
    if (l->kind == LPIPS_WINO) {
        l->t0 = x0 / l->mx;
        l->t1 = lpips_ceil_div(x1, l->mx);
        x0 = l->t0 * l->mx;
        x1 = lpips_min(l->t1 * l->mx, l->mid_w);
    } else
        x1 = lpips_min(x1, p->tensor[l->out].w);
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
        t->x_lo = lpips_min(l->x0 / shrink, lo);
        t->cols = lpips_max(l->x1 / shrink, hi) - t->x_lo;
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
        rows = lpips_ceil_div(l->band_max, lpips_ceil_div(l->band_max, SHARED_ROWS));
    else
        rows = lpips_max(GROUP_MIN,
                         lpips_min((int)(GROUP_BYTES / row_bytes) / 12 * 12, GROUP_MAX));
    return lpips_max(lpips_ceil_div(rows, p->pictures), 1) * p->pictures;
}

/* Bytes for the input or output of a 1x1 convolution of some units. */
static double group_scratch(const lpips_plan *p, const lpips_layer *l, double units)
{
    double pixels = units * p->pictures * l->my * l->mx;
    int c = lpips_max(l->side[0] ? p->tensor[l->in].c : 0,
                      l->after_name[0] ? p->tensor[l->out].c : 0);

    return pixels * c * sizeof(float);
}

/* Lays out the products of a group; returns the bytes they take. */
static double size_wino(const lpips_plan *p, lpips_layer *l)
{
    int npos = lpips_tile_len[l->ty] * lpips_tile_len[l->tx], in = p->tensor[l->in].c;
    double kept = l->after == LPIPS_KEEP ? 0 : (double)l->my * l->mx * l->mid_c;

    l->shared = lpips_filter_bytes(p, l) > LPIPS_SHARE_BYTES ||
                l->band_max < (ptrdiff_t)2 * GROUP_MIN * p->threads;
    l->pass = l->shared ? l->panels : lpips_min(l->panels, 4);
    l->v_row = in >= 64 ? in + 16 : in;
    l->m_row = l->pass * LPIPS_PANEL + (l->shared ? LPIPS_PANEL : 0);
    l->group =
        group_rows(p, l, (npos * (double)(l->v_row + l->m_row) + kept) * sizeof(float));
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
        l->d_cols = lpips_max(l->d_cols, l->own1 - l->own0);
        l->mask_row = lpips_max(l->mask_row, 2 * (l->x1 - l->x0) + 2);
        t->mask_row = lpips_max(t->mask_row, t->cols * (i ? 1 : p->fold) + 1);
        if (l->kind == LPIPS_WINO)
            l->band_max =
                lpips_max(l->band_max, l->band / l->my * (l->t1 - l->t0) * p->pictures);
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
    double scratch = p->width + 64., shared = 0; /* at least a row of pixels (reach.c) */
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
    p->shared_at = reserve(p, shared);
    p->scratch_size = scratch > 1e15 ? 0 : ((size_t)scratch + 127) / 64 * 64;
    p->scratch_at = reserve(p, scratch * p->threads + 128. * p->threads);
    for (int i = 0; i < 2 && p->flags & LPIPS_WANT_GRADIENT; i++)
        p->back_at[i] = reserve(p, lpips_back_bytes(p));
}

static void cut_strips(lpips_plan *p, int strips)
{
    p->strip_width = lpips_ceil_div(lpips_ceil_div(p->width, strips), 16) * 16;
    p->strips = lpips_ceil_div(p->width, p->strip_width);
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

int lpips_layout(lpips_plan *p, int strip_columns)
{
    int strips =
        strip_columns > 0 ? lpips_ceil_div(p->width, lpips_max(strip_columns, 16)) : 1;

    cut_strips(p, strips);
    while (!strip_columns && p->strip_width >= 2 * STRIP_MIN && tensor_bytes(p) > STRIP_BYTES)
        cut_strips(p, ++strips);
    lpips_plan_strip(p, 0);
    return p->bytes >= SIZE_MAX / 2 ? LPIPS_ERR_SIZE : LPIPS_OK;
}
