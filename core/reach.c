/*
 * reach.c - follows differences of pictures through the windows of the net.
 */
#include "reach.h"

#include <string.h>

unsigned char *lpips_reach_row(const lpips_context *c, const lpips_rows *t, int pair, int y)
{
    const lpips_plan *p = &c->plan;
    int h = t == p->tensor ? p->height : t->h, shift = t == p->tensor ? p->fold / 2 : 0;

    if (y < 0 || y >= h)
        return NULL;
    return t->mask +
           ((ptrdiff_t)pair * t->mask_ring + (y + shift) % t->mask_ring) * t->mask_row + 1;
}

/* First column of a tensor's mask. */
static int mask_lo(const lpips_context *c, const lpips_rows *t)
{
    const lpips_plan *p = &c->plan;

    return t == p->tensor ? t->x_lo * p->fold - p->fold / 2 : t->x_lo;
}

static int mask_width(const lpips_context *c, const lpips_rows *t)
{
    return t == c->plan.tensor ? c->plan.width : t->w;
}

void lpips_reach_pixels(const lpips_context *c, int pair, int y, int x0, int x1,
                        const float *a, const float *b)
{
    const lpips_rows *t = c->plan.tensor;
    unsigned char *row = lpips_reach_row(c, t, pair, y), *m = row + x0 - mask_lo(c, t);
    unsigned char all = 1;

    for (int x = 0; x < x1 - x0; x++, a += 3, b += 3) {
        m[x] = a[0] != b[0] || a[1] != b[1] || a[2] != b[2];
        all &= m[x];
    }
    row[-1] = all;
}

/* A window of rows and columns of a mask. */
typedef struct window {
    const lpips_context *c;
    const lpips_rows *t;
    int size, stride, pad;
    unsigned char *any; /* a row of pixels, for what the rows of the window hold */
} window;

/* dst[x - x0] for x in [x0, x1): is anything marked in the window of (y, x)? */
static void mark_row(const window *w, int pair, int y, int x0, int x1, unsigned char *dst)
{
    unsigned char *any = w->any;
    int lo = x0 * w->stride - w->pad, hi = (x1 - 1) * w->stride - w->pad + w->size;
    int from = lo > 0 ? lo : 0, width = mask_width(w->c, w->t), to = hi < width ? hi : width;
    int full = 0, shift = mask_lo(w->c, w->t);

    memset(any, 0, (size_t)(hi - lo));
    for (int i = 0; i < w->size && !full; i++) {
        const unsigned char *row =
            lpips_reach_row(w->c, w->t, pair, y * w->stride - w->pad + i);

        if (!row)
            continue;
        full = row[-1];
        for (int x = from; x < to; x++)
            any[x - lo] |= row[x - shift];
    }
    if (full) {
        memset(dst - 1, 1, (size_t)(x1 - x0) + 1);
        return;
    }
    dst[-1] = 1;
    for (int x = 0; x < x1 - x0; x++) {
        unsigned char m = 0;

        for (int i = 0; i < w->size; i++)
            m |= any[x * w->stride + i];
        dst[x] = m;
        dst[-1] &= m;
    }
}

/* Feature row y of a band. */
static unsigned char *feature_row(const lpips_band *b, int pair, int y)
{
    const lpips_layer *l = b->l;

    return l->mask + ((ptrdiff_t)pair * l->mask_rows + y - b->f0) * l->mask_row + 1;
}

/* Columns of features that a layer computes in this strip. */
static void feature_columns(const lpips_layer *l, int *x0, int *x1)
{
    *x0 = l->x0;
    *x1 = l->x1;
    if (l->kind == LPIPS_DIRECT && l->after_pool) {
        *x0 *= 2;
        *x1 = 2 * l->x1 + 1 < l->mid_w ? 2 * l->x1 + 1 : l->mid_w;
    }
}

/* Row y of what is stored, in columns [x0, x1) of features: those of the row, or pooled from
 * rows before `end`. */
static void store_row(const lpips_band *b, int pair, int y, int x0, int x1, int end)
{
    const lpips_layer *l = b->l;
    int down = l->after_pool ? 2 : 1, size = l->after_pool ? l->after_pool : 1;
    int first = x0 / down,
        last = (x1 + down - 1) / down < b->out->w ? (x1 + down - 1) / down : b->out->w;
    unsigned char *dst = lpips_reach_row(b->c, b->out, pair, y) - b->out->x_lo, all = 1;

    for (int i = 0; i < size && y * down + i < end; i++)
        if (feature_row(b, pair, y * down + i)[-1]) {
            memset(dst + first, 1, (size_t)(last - first));
            dst[b->out->x_lo - 1] = 1;
            return;
        }
    for (int x = first; x < last; x++) {
        dst[x] = 0;
        for (int i = 0; i < size && y * down + i < end; i++)
            for (int j = 0; j < size && x * down + j < x1; j++)
                dst[x] |= feature_row(b, pair, y * down + i)[x * down + j - x0];
        all &= dst[x];
    }
    dst[b->out->x_lo - 1] = all;
}

static void store_rows(const lpips_band *b, int pair, int x0, int x1, int end)
{
    int down = b->l->after_pool ? 2 : 1;

    for (int y = b->f0 / down; y < b->out->h && y * down < b->f1; y++)
        store_row(b, pair, y, x0, x1, end);
}

static void band_job(void *arg, int worker, int pair)
{
    const lpips_band *b = arg;
    const lpips_layer *l = b->l;
    window w = {b->c,      b->in,  l->kernel,
                l->stride, l->pad, (unsigned char *)lpips_scratch(b->c, worker)};
    int x0, x1, end = b->f1;

    if (l == &b->c->plan.layer[1]) { /* on pixels, not on folded blocks of them */
        const lpips_step *s = b->c->plan.net->step;

        w.size = s->kernel;
        w.stride = s->stride;
        w.pad = s->pad;
    }
    feature_columns(l, &x0, &x1);
    if (x0 >= x1)
        return;
    if (l->kind == LPIPS_DIRECT && l->after_pool && end < l->mid_h)
        end++;
    for (int y = b->f0; y < end; y++)
        mark_row(&w, pair, y, x0, x1, feature_row(b, pair, y));
    if (l->after != LPIPS_DROP)
        store_rows(b, pair, x0, x1, end);
}

void lpips_reach_band(lpips_band *b)
{
    lpips_pool_run(b->c->pool, band_job, b, lpips_pairs(b->c));
}

void lpips_reach_clear(const lpips_band *b, int pair, int y, int x0, int x1, float *d)
{
    const unsigned char *m = feature_row(b, pair, y);
    int first, last;

    if (b->c->no_reach || m[-1])
        return;
    feature_columns(b->l, &first, &last);
    for (int x = x0; x < x1; x++)
        if (!m[x - first])
            d[x - x0] = 0;
}
