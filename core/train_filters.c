/*
 * train_filters.c - see train_filters.h.
 *
 * With z the derivative by a convolution's output, of n pixels in all pictures, and X the
 * matrix of n rows that holds the window of each pixel, one column for every element (ky, kx,
 * i) of a filter, the derivative by the filters is z^T X.  z is kept transposed as it comes,
 * [channel][pixel]; X is never made as a whole: a job copies 16 columns of it for some
 * pixels, which is what the core's product wants.
 */
#include "train_filters.h"

#include "layout.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 1024 /* of a product */, BLOCK = 64 };

/* A convolution: some channels of a layer's output. */
typedef struct filter {
    int layer;
    int kernel, pad; /* of a fire's 1x1: 1 and 0 */
    int at, out;     /* channels of the layer's output */
    int weight;      /* its tensor; the bias follows */
} filter;

struct lpips_filters {
    lpips_context *c;
    int filters;
    filter filter[2 * LPIPS_MAX_LAYER_COUNT];
    float *z[LPIPS_MAX_LAYER_COUNT]; /* [channel][picture][pixel] */
    size_t scratch;                  /* floats of a worker: columns, product, sum */
    float *scratches;
};

static int tensor_of(const lpips_context *c, const char *name)
{
    lpips_tensor_spec spec[LPIPS_MAX_TENSORS];
    int n = lpips_net_tensors(c->plan.net, spec);
    char full[64];

    snprintf(full, sizeof full, "%s.weight", name);
    for (int i = 0; i < n; i++)
        if (!strcmp(spec[i].name, full))
            return i;
    return -1;
}

static size_t pixels_of(const lpips_layer *l)
{
    return (size_t)l->mid_h * (size_t)l->mid_w;
}

static void list(lpips_filters *f)
{
    const lpips_plan *p = &f->c->plan;

    for (int i = 1; i < p->layers; i++) {
        const lpips_layer *l = &p->layer[i];
        filter *to = &f->filter[f->filters];

        if (l->kind == LPIPS_POOL)
            continue;
        *to = (filter){
            i, l->kernel, l->pad, l->out_at, l->mid_c - l->out_at, tensor_of(f->c, l->name)};
        if (l->kind == LPIPS_POINT) /* its kernel is the pool's */
            to->kernel = 1;
        f->filters++;
        if (l->side[0])
            f->filter[f->filters++] =
                (filter){i, 1, 0, 0, l->out_at, tensor_of(f->c, l->side)};
    }
}

lpips_filters *lpips_filters_make(lpips_context *c)
{
    lpips_filters *f = calloc(1, sizeof *f);
    const lpips_plan *p = &c->plan;
    int widest = 0;

    if (!f)
        return NULL;
    f->c = c;
    list(f);
    for (int i = 1; i < p->layers; i++) {
        const lpips_layer *l = &p->layer[i];

        widest = lpips_max(widest, l->mid_c);
        if (l->kind == LPIPS_POOL)
            continue;
        f->z[i] = lpips_alloc(pixels_of(l) * (size_t)l->mid_c * (size_t)p->pictures *
                              sizeof(float));
        if (!f->z[i])
            goto fail;
    }
    f->scratch = (size_t)(PIXELS + 2 * widest) * LPIPS_PANEL;
    f->scratches = lpips_alloc(f->scratch * (size_t)p->threads * sizeof(float));
    if (f->scratches)
        return f;
fail:
    lpips_filters_free(f);
    return NULL;
}

void lpips_filters_free(lpips_filters *f)
{
    if (!f)
        return;
    for (int i = 0; i < LPIPS_MAX_LAYER_COUNT; i++)
        free(f->z[i]);
    free(f->scratches);
    free(f);
}

/* ---- keeping z ------------------------------------------------------------ */

typedef struct keeping {
    lpips_filters *f;
    const lpips_layer *l;
    const lpips_back *b;
    float *to;
} keeping;

static void keep_panel(const keeping *k, int panel)
{
    const lpips_layer *l = k->l;
    ptrdiff_t all = (ptrdiff_t)pixels_of(l) * k->f->c->plan.pictures;

    for (int y = 0; y < l->mid_h; y++)
        for (int x = 0; x < l->mid_w; x++) {
            const float *z = k->b->z.at + y * k->b->z.row + (ptrdiff_t)x * k->b->z.c;
            float *to = k->to + (ptrdiff_t)y * l->mid_w + x;

            for (int o = panel * LPIPS_PANEL; o < (panel + 1) * LPIPS_PANEL; o++)
                to[o * all] = z[o];
        }
}

void lpips_filters_keep(lpips_filters *f, int layer, const lpips_back *b)
{
    keeping k = {f, &f->c->plan.layer[layer], b, f->z[layer]};

    k.to += (size_t)b->picture * pixels_of(k.l);
    for (int i = 0; i < k.l->mid_c / LPIPS_PANEL; i++)
        keep_panel(&k, i);
}

/* ---- products ------------------------------------------------------------- */

typedef struct adding {
    lpips_filters *f;
    const filter *g;
    const lpips_layer *l;
    const lpips_rows *in;
    int pictures;
    float *weight;
} adding;

static int columns(const adding *a)
{
    return a->g->kernel * a->g->kernel * a->in->c;
}

static int pooled_first(const adding *a)
{
    return a->l->kind == LPIPS_POINT && a->l->kernel > 1;
}

/* The input of a 1x1 convolution behind a pool: its channels from `at` on. */
static void pooled(const adding *a, float *to, int picture, int y, int x, int at)
{
    const lpips_context *c = a->f->c;
    const float *rows[3];

    for (int i = 0; i < a->l->kernel; i++)
        rows[i] = lpips_row_at(c, a->in, picture, 2 * y + i, 2 * x) + at;
    for (int j = 0; j < LPIPS_PANEL; j++) {
        float most = 0; /* what comes out of a ReLU is not below */

        for (int i = 0; i < a->l->kernel; i++)
            for (int k = 0; k < a->l->kernel; k++) {
                float v = rows[i][k * a->in->c + j];

                most = v > most ? v : most;
            }
        to[j] = most;
    }
}

/* Columns q .. q + 15 of one pixel's window. */
static void window(const adding *a, float *to, int picture, int y, int x, int q)
{
    const lpips_context *c = a->f->c;
    int k = a->g->kernel, channels = a->in->c, stride = a->l->stride;

    if (pooled_first(a)) {
        pooled(a, to, picture, y, x, q);
        return;
    }
    for (int j = 0; j < LPIPS_PANEL;) {
        int place = (q + j) / channels, at = (q + j) % channels;
        int n = lpips_min(LPIPS_PANEL - j, channels - at);

        if (place < k * k) {
            const float *from =
                lpips_row_at(c, a->in, picture, y * stride - a->g->pad + place / k,
                             x * stride - a->g->pad + place % k);
            memcpy(to + j, from + at, sizeof *to * (size_t)n);
        } else
            memset(to + j, 0, sizeof *to * (size_t)n);
        j += n;
    }
}

/* Columns q .. q + 15 of `some` pixels' windows from pixel `from` of all pictures on, where
 * they are channels of one place: row by row. */
static void place_columns(const adding *a, float *x, int from, int some, int q)
{
    const lpips_context *c = a->f->c;
    int k = a->g->kernel, channels = a->in->c, stride = a->l->stride, wide = a->l->mid_w;
    int each = (int)pixels_of(a->l), place = q / channels;

    for (int i = 0, n; i < some; i += n) {
        int pixel = (from + i) % each;
        const float *row = lpips_row_at(c, a->in, (from + i) / each,
                                        pixel / wide * stride - a->g->pad + place / k,
                                        pixel % wide * stride - a->g->pad + place % k) +
                           q % channels;

        n = lpips_min(some - i, wide - pixel % wide);
        for (int j = 0; j < n; j++, x += LPIPS_PANEL, row += stride * channels)
            memcpy(x, row, sizeof *x * LPIPS_PANEL);
    }
}

static void copy_columns(const adding *a, float *x, int from, int some, int q)
{
    int each = (int)pixels_of(a->l), wide = a->l->mid_w;

    if (a->in->c % LPIPS_PANEL == 0 && !pooled_first(a)) {
        place_columns(a, x, from, some, q);
        return;
    }
    for (int i = 0; i < some; i++) {
        int pixel = (from + i) % each;

        window(a, x + i * LPIPS_PANEL, (from + i) / each, pixel / wide, pixel % wide, q);
    }
}

/* Where column q lies in a filter of the tensor, whose numbers are *count; -1: in none,
 * beyond a folded kernel. */
static ptrdiff_t place_of(const adding *a, int q, ptrdiff_t *count)
{
    const lpips_step *first = a->f->c->plan.net->step;
    int k = a->g->kernel, c = a->in->c, place = q / c, i = q % c, y = place / k,
        x = place % k, inside = place < k * k;

    if (a->g->layer == 1 && a->f->c->plan.fold > 1) {
        int fold = a->f->c->plan.fold;

        c = first->in;
        k = first->kernel;
        y = y * fold + i / (fold * c);
        x = x * fold + i / c % fold;
        i %= c;
    }
    *count = (ptrdiff_t)c * k * k;
    return inside && y < k && x < k ? ((ptrdiff_t)i * k + y) * k + x : -1;
}

static void filter_job(void *arg, int worker, int job)
{
    const adding *a = arg;
    const lpips_filters *f = a->f;
    int q = job * LPIPS_PANEL, out = a->g->out;
    int each = (int)pixels_of(a->l), all = each * f->c->plan.pictures, n = each * a->pictures;
    float *x = f->scratches + f->scratch * (size_t)worker, *d = x + PIXELS * LPIPS_PANEL,
          *sum = d + out * LPIPS_PANEL;

    memset(sum, 0, sizeof *sum * (size_t)out * LPIPS_PANEL);
    for (int from = 0; from < n; from += PIXELS) {
        int some = lpips_min(PIXELS, n - from);
        const float *z = f->z[a->g->layer] + (ptrdiff_t)a->g->at * all + from;

        copy_columns(a, x, from, some, q);
        f->c->kernels.gemm(d, LPIPS_PANEL, &z, all, 1, out, x, some, 1, f->c->zero, 0, BLOCK);
        for (int i = 0; i < out * LPIPS_PANEL; i++)
            sum[i] += d[i];
    }
    for (int j = 0; j < LPIPS_PANEL; j++) {
        ptrdiff_t count, at = place_of(a, q + j, &count);

        for (int o = 0; o < out && at >= 0; o++)
            a->weight[o * count + at] += sum[o * LPIPS_PANEL + j];
    }
}

static void add_bias(const adding *a, float *bias)
{
    ptrdiff_t each = (ptrdiff_t)pixels_of(a->l), all = each * a->f->c->plan.pictures;

    for (int o = 0; o < a->g->out; o++) {
        const float *z = a->f->z[a->g->layer] + (a->g->at + o) * all;
        double sum = 0;

        for (ptrdiff_t i = 0; i < each * a->pictures; i++)
            sum += (double)z[i];
        bias[o] += (float)sum;
    }
}

void lpips_filters_add(lpips_filters *f, int pictures, float *const *gradient)
{
    const lpips_plan *p = &f->c->plan;

    for (int i = 0; i < f->filters; i++) {
        const filter *g = &f->filter[i];
        const lpips_layer *l = &p->layer[g->layer];
        adding a = {f, g, l, &p->tensor[l->in], pictures, gradient[g->weight]};

        lpips_pool_run(f->c->pool, filter_job, &a, lpips_ceil_div(columns(&a), LPIPS_PANEL));
        add_bias(&a, gradient[g->weight + 1]);
    }
}
