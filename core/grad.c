/*
 * grad.c - the backward pass; see grad.h.
 *
 * A convolution is passed by one product, as direct as the core's kernels do it.  With z the
 * derivative by its output, of h x w pixels, the derivative by block (y, x) of its input is
 *     sum over j, i < kernel of z[y - j][x - i] times the filter's place (j, i):
 * z lies in rows with zeros at the end of each, which are those before the next one too, and
 * kernel - 1 rows of them above and below, so that pixel n of the result, counted through,
 * reads pixels n minus a constant: any stretch of pixels is one call, whatever rows it spans.
 */
#include "grad.h"

#include "layout.h"
#include "pack.h"

#include <string.h>

enum {
    PIXELS = 120, /* of a product a job, a multiple of every kernel's rows */
    PANELS = 4,   /* of a product a job */
    ROWS = 4,     /* of a pool's input a job */
    MAX_PLACES = 32,
    MAX_CHANNELS = 512 /* of a tap */
};

/* ---- shapes ------------------------------------------------------------- */

lpips_window lpips_back_window(const lpips_plan *p, int layer)
{
    const lpips_layer *l = &p->layer[layer];
    const lpips_step *first = p->net->step;
    lpips_window w = {l->kernel, 1, l->pad, p->tensor[l->in].c};

    if (layer == 1)
        w = (lpips_window){lpips_ceil_div(first->kernel, first->stride), first->stride,
                           first->pad, 3 * first->stride * first->stride};
    if (l->kind == LPIPS_POINT) /* the pool before it is another matter */
        w = (lpips_window){1, 1, 0, w.channels};
    w.channels = lpips_ceil_div(w.channels, LPIPS_PANEL) * LPIPS_PANEL;
    return w;
}

/* A layer's geometry. */
typedef struct shape {
    lpips_window w;
    int h, wide, c;  /* features */
    ptrdiff_t row;   /* pixels of a row of z and of the result */
    int first, rows; /* of the result, in blocks: those that stand for its input */
    int left;        /* columns before it */
} shape;

static shape shape_of(const lpips_plan *p, int layer)
{
    const lpips_layer *l = &p->layer[layer];
    shape s = {lpips_back_window(p, layer), l->mid_h, l->mid_w, l->mid_c, 0, 0, 0, 0};

    s.row = s.wide + (layer > 1 ? s.w.pad : s.w.kernel - 1);
    s.rows = s.h + s.w.kernel - 1;
    if (layer > 1) {
        s.first = s.left = s.w.pad;
        s.rows -= 2 * s.w.pad;
    }
    return s;
}

/* Pixels of zeros before the first row of z. */
static ptrdiff_t pixels_before(const shape *s)
{
    return (s->w.kernel - 1) * (s->row + 1);
}

static double z_floats(const shape *s)
{
    return ((double)pixels_before(s) + (double)(s->h + s->w.kernel - 1) * (double)s->row) *
           s->c;
}

double lpips_back_bytes(const lpips_plan *p)
{
    double most = 0;

    for (int i = 1; i < p->layers; i++) {
        const lpips_layer *l = &p->layer[i];
        const lpips_rows *in = &p->tensor[l->in];
        shape s = shape_of(p, i);
        double pool = i > 1 && l->stride > 1 ? (double)in->h * in->w * in->c : 0;
        double product = (double)s.rows * (double)s.row * s.w.channels;

        if (l->kind == LPIPS_POOL)
            most = pool > most ? pool : most;
        else
            for (int k = 0; k < 3; k++) {
                double floats = k == 0 ? z_floats(&s) : k == 1 ? product : pool;

                most = floats > most ? floats : most;
            }
    }
    return most * sizeof(float);
}

double lpips_back_flop(const lpips_plan *p, int layer)
{
    const lpips_layer *l = &p->layer[layer];
    shape s = shape_of(p, layer);
    double places = s.w.kernel * s.w.kernel, c = s.c;

    if (l->kind == LPIPS_POOL)
        return 0;
    if (l->side[0])
        places = (places + 1) / 2; /* each of half of the features */
    return 2 * (double)s.rows * (double)s.row * s.w.channels * c * places;
}

/* ---- buffers ------------------------------------------------------------ */

void lpips_back_start_alone(lpips_back *b, lpips_context *c, int picture,
                            const lpips_pull *pull, int pulls, float *const buffer[2])
{
    *b = (lpips_back){.c = c,
                      .buffer = {buffer[0], buffer[1]},
                      .picture = picture,
                      .pull = pull,
                      .pulls = pulls};
}

void lpips_back_start(lpips_back *b, lpips_context *c, int picture, const lpips_pull *pull,
                      int pulls)
{
    float *const buffers[2] = {(float *)(c->arena + c->plan.back_at[0]),
                               (float *)(c->arena + c->plan.back_at[1])};

    lpips_back_start_alone(b, c, picture, pull, pulls, buffers);
    b->pool = c->pool;
}

static void run(const lpips_back *b, lpips_job *job, void *arg, int jobs)
{
    if (b->pool)
        lpips_pool_run(b->pool, job, arg, jobs);
    else
        for (int i = 0; i < jobs; i++)
            job(arg, 0, i);
}

/* The buffer that is free, from now on the newest. */
static float *next_buffer(lpips_back *b)
{
    b->used = !b->used;
    return b->buffer[b->used];
}

/* ---- taps and ReLUs ----------------------------------------------------- */

typedef struct task {
    const lpips_back *b;
    const lpips_layer *l;
    int layer;
    shape s;
    lpips_view from, to;
    const float *u; /* filter */
} task;

size_t lpips_kept(const lpips_plan *p, int tap, int y)
{
    size_t words = 0;

    for (int i = 0; i < p->layers; i++) {
        const lpips_layer *l = &p->layer[i];

        if (l->tap >= 0 && l->tap <= tap)
            words += (size_t)(l->tap == tap ? y : l->mid_h) * (size_t)l->mid_w *
                     (size_t)(l->mid_c / 64);
    }
    return words;
}

/* Eight bits as masks of all bits or none. */
#define MASK(b, i) (0u - (b) / (1u << (i)) % 2u)
#define MASKS(b)                                                                            \
    {                                                                                       \
        MASK(b, 0), MASK(b, 1), MASK(b, 2), MASK(b, 3), MASK(b, 4), MASK(b, 5), MASK(b, 6), \
            MASK(b, 7)                                                                      \
    }
#define MASKS_4(b)  MASKS(b), MASKS(b + 1u), MASKS(b + 2u), MASKS(b + 3u)
#define MASKS_16(b) MASKS_4(b), MASKS_4(b + 4u), MASKS_4(b + 8u), MASKS_4(b + 12u)
#define MASKS_64(b) MASKS_16(b), MASKS_16(b + 16u), MASKS_16(b + 32u), MASKS_16(b + 48u)
static const uint32_t masks[256][8] = {MASKS_64(0u), MASKS_64(64u), MASKS_64(128u),
                                       MASKS_64(192u)};

/* n floats, as bits, where keep has a 1, and 0 elsewhere. */
static void keep_some(uint32_t *to, const uint32_t *from, const uint64_t *keep, int n)
{
    for (int i = 0; i < n; i += 8) {
        const uint32_t *m = masks[keep[i / 64] >> i % 64 & 255];

        for (int k = 0; k < 8; k++)
            to[i + k] = from[i + k] & m[k];
    }
}

/* A row with dropout: every pixel has lin weights of its own. */
static void kept_row(const lpips_context *c, const lpips_layer *l, float *g, const float *a,
                     const float *b, const float *d, const uint64_t *keep, double factor)
{
    float twice[MAX_CHANNELS], lin[MAX_CHANNELS];
    uint32_t bits[MAX_CHANNELS], kept[MAX_CHANNELS];
    size_t bytes = sizeof *lin * (size_t)l->mid_c;

    for (int i = 0; i < l->mid_c; i++)
        twice[i] = 2 * c->lin[l->tap][i];
    memcpy(bits, twice, bytes);
    for (int x = 0; x < l->mid_w; x++, keep += l->mid_c / 64) {
        ptrdiff_t at = (ptrdiff_t)x * l->mid_c;

        keep_some(kept, bits, keep, l->mid_c);
        memcpy(lin, kept, bytes);
        c->kernels.head_back_row(g + at, a + at, b + at, l->mid_c, d + x, 1, lin, l->mid_c,
                                 factor);
    }
}

static void head_row(const task *t, float *g, int y)
{
    const lpips_context *c = t->b->c;
    const lpips_layer *l = t->l;
    const lpips_rows *f = &c->plan.tensor[l->out];
    double pixels = (double)l->mid_h * l->mid_w;

    for (int i = 0; i < t->b->pulls; i++) {
        const lpips_pull *p = &t->b->pull[i];
        const float *d = l->d + ((ptrdiff_t)p->pair * l->d_rows + y) * l->d_cols;
        const float *mine = lpips_row_at(c, f, t->b->picture, y, 0);
        const float *others = lpips_row_at(c, f, p->other, y, 0);

        if (p->keep)
            kept_row(c, l, g, mine, others, d, p->keep + lpips_kept(&c->plan, l->tap, y),
                     p->weight / pixels);
        else
            c->kernels.head_back_row(g, mine, others, l->mid_c, d, l->mid_w, c->lin[l->tap],
                                     l->mid_c, p->weight / pixels);
    }
}

static void features_job(void *arg, int worker, int y)
{
    const task *t = arg;
    const lpips_context *c = t->b->c;
    ptrdiff_t n = (ptrdiff_t)t->s.wide * t->s.c;
    float *z = t->to.at + y * t->to.row;

    (void)worker;
    if (t->from.at)
        memcpy(z, t->from.at + y * t->from.row, sizeof *z * (size_t)n);
    else
        memset(z, 0, sizeof *z * (size_t)n);
    if (t->l->tap >= 0)
        head_row(t, z, y);
    c->kernels.relu_back(z, lpips_row_at(c, &c->plan.tensor[t->l->out], t->b->picture, y, 0),
                         n);
    memset(z + n, 0, sizeof *z * (size_t)(t->to.row - n));
}

void lpips_back_features(lpips_back *b, int layer)
{
    task t = {.b = b, .l = &b->c->plan.layer[layer], .from = b->d};
    size_t before, after;
    float *at;

    if (t.l->kind == LPIPS_POOL)
        return;
    t.s = shape_of(&b->c->plan, layer);
    before = (size_t)pixels_before(&t.s) * (size_t)t.s.c;
    after = (size_t)((t.s.w.kernel - 1) * t.s.row) * (size_t)t.s.c;
    at = next_buffer(b);
    memset(at, 0, sizeof *at * before);
    t.to = (lpips_view){at + before, t.s.row * t.s.c, t.s.c};
    memset(t.to.at + t.s.h * t.to.row, 0, sizeof *at * after);
    run(b, features_job, &t, t.s.h);
    b->z = t.to;
}

/* ---- convolutions ------------------------------------------------------- */

static int panels(const shape *s)
{
    return s->w.channels / LPIPS_PANEL;
}

/* Where each place of the filter reads for pixel n: of a fire the second half of the
 * channels, then the first for the 1x1 filter.  Returns how many. */
static int places(const task *t, const float **a, ptrdiff_t n)
{
    const shape *s = &t->s;
    int k = s->w.kernel, side = t->l->side[0] != 0;
    const float *z = t->from.at + n * s->c;

    for (int i = 0; i < k * k; i++)
        a[i] = z - (i / k * s->row + i % k) * s->c + t->l->out_at;
    if (side)
        a[k * k] = z - (s->w.pad * s->row + s->w.pad) * s->c;
    return k * k + side;
}

static void product_job(void *arg, int worker, int job)
{
    const task *t = arg;
    const shape *s = &t->s;
    const float *a[MAX_PLACES];
    int groups = lpips_ceil_div(panels(s), PANELS), q = job % groups * PANELS;
    int k = t->l->side[0] ? s->c / 2 : s->c;
    ptrdiff_t n = (ptrdiff_t)(job / groups) * PIXELS, all = s->rows * s->row;
    int segs = places(t, a, s->first * s->row + n);

    (void)worker;
    t->b->c->kernels.gemm(t->to.at + n * s->w.channels + q * LPIPS_PANEL, s->w.channels, a,
                          s->c, segs, (int)(all - n < PIXELS ? all - n : PIXELS),
                          t->u + (ptrdiff_t)q * segs * k * LPIPS_PANEL, k,
                          lpips_min(PANELS, panels(s) - q), t->b->c->zero, 0, 512);
}

static void back_convolution(lpips_back *b, int layer)
{
    task t = {.b = b, .l = &b->c->plan.layer[layer], .layer = layer, .from = b->z};
    ptrdiff_t all;

    t.s = shape_of(&b->c->plan, layer);
    t.u = t.l->back_u;
    t.to = (lpips_view){next_buffer(b), t.s.row * t.s.w.channels, t.s.w.channels};
    all = t.s.rows * t.s.row;
    run(b, product_job, &t,
        (int)((all + PIXELS - 1) / PIXELS) * lpips_ceil_div(panels(&t.s), PANELS));
    b->d = t.to;
    b->d.at += (ptrdiff_t)t.s.left * t.s.w.channels;
}

/* ---- pools -------------------------------------------------------------- */

/* Some rows of the input: all windows that reach into them. */
static void pool_job(void *arg, int worker, int job)
{
    const task *t = arg;
    const lpips_context *c = t->b->c;
    const lpips_layer *l = t->l;
    const lpips_rows *in = &c->plan.tensor[l->in];
    int y0 = job * ROWS, y1 = lpips_min(y0 + ROWS, in->h);
    int first = lpips_max(0, (y0 - l->kernel + 2) / 2),
        last = lpips_min((y1 - 1) / 2, l->mid_h - 1);

    (void)worker;
    for (int y = y0; y < y1; y++)
        memset(t->to.at + y * t->to.row, 0, sizeof(float) * (size_t)t->to.row);
    for (int y = first; y <= last; y++) {
        const float *rows[3];
        float *dst[3];

        for (int i = 0; i < l->kernel; i++) {
            int at = 2 * y + i;

            rows[i] = lpips_row_at(c, in, t->b->picture, at, 0);
            dst[i] = at < y0 || at >= y1 ? NULL : t->to.at + at * t->to.row;
        }
        c->kernels.pool_back_row(dst, rows, t->from.at + y * t->from.row, l->kernel, in->w,
                                 l->mid_w, in->c);
    }
}

static void back_pool(lpips_back *b, int layer)
{
    task t = {.b = b, .l = &b->c->plan.layer[layer], .layer = layer, .from = b->d};
    const lpips_rows *in = &b->c->plan.tensor[t.l->in];

    t.to = (lpips_view){next_buffer(b), (ptrdiff_t)in->w * in->c, in->c};
    run(b, pool_job, &t, lpips_ceil_div(in->h, ROWS));
    b->d = t.to;
}

void lpips_back_input(lpips_back *b, int layer)
{
    const lpips_layer *l = &b->c->plan.layer[layer];

    if (l->kind != LPIPS_POOL)
        back_convolution(b, layer);
    if (l->kind == LPIPS_POOL || (l->kind == LPIPS_POINT && l->kernel > 1))
        back_pool(b, layer);
}

/* ---- samples ------------------------------------------------------------ */

typedef struct samples {
    const lpips_back *b;
    const lpips_planes *out;
    shape s;
    float mul[3];
} samples;

/* Pixel y of a picture lies in block (y + pad) / fold; pixels behind the last block are
 * seen by no window. */
static void samples_job(void *arg, int worker, int y)
{
    const samples *t = arg;
    const lpips_window *w = &t->s.w;
    int by = (y + w->pad) / w->fold, dy = (y + w->pad) % w->fold;

    (void)worker;
    for (int x = 0; x < t->b->c->plan.width; x++) {
        int bx = (x + w->pad) / w->fold, dx = (x + w->pad) % w->fold;
        int seen = by < t->s.rows && bx < t->s.row;
        const float *g = t->b->d.at + by * t->b->d.row + (ptrdiff_t)bx * w->channels +
                         3 * (dy * w->fold + dx);

        for (int i = 0; i < 3; i++) {
            char *to = (char *)t->out->plane[i] + y * t->out->row_stride[i] +
                       x * t->out->pixel_stride;

            *(float *)(void *)to = seen ? g[i] * t->mul[i] : 0;
        }
    }
}

void lpips_back_samples(const lpips_back *b, const lpips_image *img, const lpips_planes *out)
{
    samples t = {.b = b, .out = out, .s = shape_of(&b->c->plan, 1)};
    float add[3];

    lpips_scaling(b->c, img, t.mul, add);
    run(b, samples_job, &t, b->c->plan.height);
}
