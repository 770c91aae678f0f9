/*
 * run.c - works through a plan: bands of loading, pooling and plain products.  Winograd
 * layers are in wino.c, distances in head.c.
 */
#include "frame.h"
#include "reach.h"

#include <string.h>

enum {
    CHUNK = LPIPS_CHUNK,
    LOAD_ROWS = 4,    /* rows a job */
    POOLED_CHUNK = 32 /* columns a job of a fused first layer */
};

/* ---- loading ------------------------------------------------------------ */

void lpips_scaling(const lpips_context *c, const lpips_image *img, float mul[3], float add[3])
{
    int unit = !!(c->plan.flags & LPIPS_RANGE_0_1);
    double white = 1;

    if (img->format == LPIPS_U8)
        white = 255;
    else if (img->format == LPIPS_U16)
        white = img->white ? img->white : 65535;
    for (int i = 0; i < 3; i++) {
        mul[i] = (float)((unit ? 1 : 2) / (white * c->scale[i]));
        add[i] = (float)(((unit ? 0 : -1) - (double)c->shift[i]) / c->scale[i]);
    }
}

static void load_frame(lpips_context *c, const lpips_frame *frame, float *dst, int y, int x0,
                       int x1, const float mul[3], const float add[3])
{
    float line[3][LPIPS_FRAME_TILE];
    lpips_frame_rows rows;

    lpips_frame_prepare(&rows, frame);
    for (int n, x = x0; x < x1; x += n) {
        n = x1 - x < LPIPS_FRAME_TILE ? x1 - x : LPIPS_FRAME_TILE;
        c->kernels.frame_columns(&rows, (float *const[3]){line[0], line[1], line[2]}, y, x,
                                 n);
        if (c->kernels.load_row[LPIPS_F32](dst + 3 * (x - x0),
                                           (const void *[3]){line[0], line[1], line[2]},
                                           sizeof(float), n, mul, add))
            atomic_store(&c->bad, 1);
    }
}

/* Columns [x0, x1) of picture row y as packed RGB floats. */
static void load_columns(lpips_context *c, const lpips_image *img, float *dst, int y, int x0,
                         int x1)
{
    const void *src[3];
    float mul[3], add[3];

    lpips_scaling(c, img, mul, add);
    if (img->format == LPIPS_FRAME) {
        load_frame(c, img->plane[0], dst, y, x0, x1, mul, add);
        return;
    }
    for (int i = 0; i < 3; i++)
        src[i] =
            (const char *)img->plane[i] + y * img->row_stride[i] + x0 * img->pixel_stride;
    if (c->kernels.load_row[img->format](dst, src, img->pixel_stride, x1 - x0, mul, add))
        atomic_store(&c->bad, 1);
}

/* Columns of a picture that LOAD's columns stand for. */
static void picture_columns(const lpips_band *b, int *from, int *to)
{
    int fold = b->c->plan.fold, pad = fold / 2;

    *from = b->l->x0 * fold - pad > 0 ? b->l->x0 * fold - pad : 0;
    *to = b->l->x1 * fold - pad < b->c->plan.width ? b->l->x1 * fold - pad : b->c->plan.width;
}

/* Picture row y of all pictures of a set, to rows[k]. */
static void load_set(const lpips_band *b, int set, int y, float *const *rows)
{
    lpips_context *c = b->c;
    int size = c->set_size, from, to;

    picture_columns(b, &from, &to);
    for (int k = 0; k < size; k++) {
        load_columns(c, c->picture[set * size + k], rows[k], y, from, to);
        if (k)
            lpips_reach_pixels(c, set * (size - 1) + k - 1, y, from, to, rows[0], rows[k]);
    }
}

/* Row y of the folded tensor of a set: block x holds pixels 4 x - 2 ... 4 x + 1 of four rows,
 * zeros outside the picture. */
static void load_folded(const lpips_band *b, float *tmp, int set, int y)
{
    const lpips_context *c = b->c;
    int fold = c->plan.fold, pad = fold / 2, line = 3 * fold, blocks = b->l->x1 - b->l->x0;
    int size = c->set_size, from, to, left = b->l->x0 * fold - pad;
    ptrdiff_t row = (ptrdiff_t)blocks * line;
    float *rows[LPIPS_MAX_PICTURES];

    picture_columns(b, &from, &to);
    for (int k = 0; k < size; k++)
        rows[k] = tmp + k * row + 3 * (from - left);
    for (int dy = 0; dy < fold; dy++) {
        int inside = y * fold - pad + dy >= 0 && y * fold - pad + dy < c->plan.height;

        memset(tmp, 0, sizeof *tmp * (size_t)size * (size_t)row);
        if (inside)
            load_set(b, set, y * fold - pad + dy, rows);
        for (int k = 0; k < size; k++) {
            float *dst = lpips_row_out(b->out, set * size + k, y, b->l->x0) + dy * line;

            for (int x = 0; x < blocks; x++)
                memcpy(dst + (ptrdiff_t)x * b->out->c, tmp + k * row + (ptrdiff_t)x * line,
                       sizeof *tmp * (size_t)line);
        }
    }
}

static void load_job(void *arg, int worker, int job)
{
    const lpips_band *b = arg;
    int each = (b->y1 - b->y0 + LOAD_ROWS - 1) / LOAD_ROWS, size = b->c->set_size;
    int set = job / each, y = b->y0 + job % each * LOAD_ROWS;
    float *rows[LPIPS_MAX_PICTURES];

    for (int end = y + LOAD_ROWS; y < end && y < b->y1; y++) {
        if (b->c->plan.fold > 1) {
            load_folded(b, lpips_scratch(b->c, worker), set, y);
            continue;
        }
        for (int k = 0; k < size; k++)
            rows[k] = lpips_row_out(b->out, set * size + k, y, b->l->x0);
        load_set(b, set, y, rows);
    }
}

/* ---- pooling and plain products ----------------------------------------- */

/* A job's part of a band: one row of one picture or set, `chunk` columns. */
typedef struct part {
    int which, y, x0, x1;
} part;

static int chunks(const lpips_band *b)
{
    return (b->l->x1 - b->l->x0 + CHUNK - 1) / CHUNK;
}

static part part_of(const lpips_band *b, int job)
{
    int n = chunks(b), rows = b->y1 - b->y0;
    part p = {job / n / rows, b->y0 + job / n % rows, b->l->x0 + job % n * CHUNK, 0};

    p.x1 = p.x0 + CHUNK < b->l->x1 ? p.x0 + CHUNK : b->l->x1;
    return p;
}

static void input_rows(const lpips_band *b, const float **rows, int pic, int y, int x)
{
    const lpips_layer *l = b->l;

    for (int i = 0; i < l->kernel; i++)
        rows[i] = lpips_row_at(b->c, b->in, pic, y * l->stride - l->pad + i,
                               x * l->stride - l->pad);
}

static void direct_job(void *arg, int worker, int job)
{
    lpips_band *b = arg;
    const lpips_layer *l = b->l;
    part p = part_of(b, job);
    const float *rows[16];

    (void)worker;
    for (int k = 0; k < b->c->set_size; k++) {
        int pic = p.which * b->c->set_size + k;

        input_rows(b, rows, pic, p.y, p.x0);
        b->c->kernels.gemm(lpips_row_out(b->out, pic, p.y, p.x0), b->out->c, rows,
                           (ptrdiff_t)l->stride * b->in->c, l->kernel, p.x1 - p.x0, l->u,
                           l->kernel * b->in->c, l->panels, l->bias, 1, l->block);
    }
    if (l->tap >= 0)
        lpips_head(b, p.which, p.y, p.x0, p.x1,
                   lpips_row_out(b->out, p.which * b->c->set_size, p.y, p.x0), b->out->pic);
}

static void pool_job(void *arg, int worker, int job)
{
    lpips_band *b = arg;
    part p = part_of(b, job);
    const float *rows[16];

    (void)worker;
    input_rows(b, rows, p.which, p.y, p.x0);
    b->c->kernels.pool_row(lpips_row_out(b->out, p.which, p.y, p.x0), rows, b->l->kernel,
                           p.x1 - p.x0, b->in->c);
}

/* Rows of a narrow picture are multiplied together: a job takes as many as fill a chunk. */
static int point_rows(const lpips_band *b)
{
    int n = CHUNK / (b->l->x1 - b->l->x0 > 0 ? b->l->x1 - b->l->x0 : 1);

    return n > 1 ? n : 1;
}

static int point_jobs(const lpips_band *b)
{
    int each = point_rows(b);

    return lpips_pictures(b->c) * ((b->y1 - b->y0 + each - 1) / each) * chunks(b);
}

static void point_job(void *arg, int worker, int job)
{
    lpips_band *b = arg;
    const lpips_layer *l = b->l;
    const lpips_kernels *k = &b->c->kernels;
    int each = point_rows(b), strips = (b->y1 - b->y0 + each - 1) / each, n = chunks(b);
    int pic = job / n / strips, y = b->y0 + job / n % strips * each,
        x = l->x0 + job % n * CHUNK;
    int rows = b->y1 - y < each ? b->y1 - y : each,
        cols = l->x1 - x < CHUNK ? l->x1 - x : CHUNK;
    float *pooled = lpips_scratch(b->c, worker), *tmp = pooled + (ptrdiff_t)CHUNK * b->in->c;
    const float *window[16], *a = pooled;

    for (int i = 0; i < rows; i++) {
        float *to = pooled + (ptrdiff_t)i * cols * b->in->c;

        input_rows(b, window, pic, y + i, x);
        if (l->kernel > 1)
            k->pool_row(to, window, l->kernel, cols, b->in->c);
        else
            memcpy(to, window[0], sizeof *to * (size_t)cols * (size_t)b->in->c);
    }
    k->gemm(tmp, b->out->c, &a, b->in->c, 1, rows * cols, l->u, b->in->c, l->panels, l->bias,
            1, l->block);
    for (int i = 0; i < rows; i++)
        memcpy(lpips_row_out(b->out, pic, y + i, x), tmp + (ptrdiff_t)i * cols * b->out->c,
               sizeof *tmp * (size_t)cols * (size_t)b->out->c);
}

/* ---- first layer with pool and 1x1 -------------------------------------- */

/* Some columns of a band: the features of three rows, never stored. */
typedef struct column {
    const lpips_band *b;
    int set;
    int x0, x1;      /* pooled columns */
    int m0, m1;      /* columns of features, those of the neighbour included */
    int own;         /* those before this one are the strip's and this job's */
    int width;       /* pixels a row of scratch: 2 (x1 - x0) + 1 */
    float *features; /* [picture][row mod 3][width][mid_c] */
    ptrdiff_t step;  /* from picture to picture */
    float *scratch;
} column;

static float *feature_row(const column *c, int k, int y)
{
    return c->features + k * c->step + (ptrdiff_t)(y % 3) * c->width * c->b->l->mid_c;
}

static void compute_row(const column *c, int y)
{
    const lpips_band *b = c->b;
    const lpips_layer *l = b->l;
    const float *rows[16];

    for (int k = 0; k < b->c->set_size; k++) {
        float *dst = feature_row(c, k, y);

        input_rows(b, rows, c->set * b->c->set_size + k, y, c->m0);
        b->c->kernels.gemm(dst, l->mid_c, rows, (ptrdiff_t)l->stride * b->in->c, l->kernel,
                           c->m1 - c->m0, l->u, l->kernel * b->in->c, l->panels, l->bias, 1,
                           l->block);
        /* in ceil mode the last window hangs over the edge */
        memset(dst + (ptrdiff_t)(c->m1 - c->m0) * l->mid_c, 0,
               sizeof *dst * (size_t)(c->width - (c->m1 - c->m0)) * (size_t)l->mid_c);
    }
    if (l->tap >= 0 && y >= b->f0 && y < b->f1)
        lpips_head(b, c->set, y, c->m0, c->own, feature_row(c, 0, y), c->step);
}

static void finish_pooled(const column *c, int y)
{
    const lpips_band *b = c->b;
    const lpips_layer *l = b->l;
    int n = c->x1 - c->x0;

    for (int k = 0; k < b->c->set_size; k++) {
        const float *rows[3], *pooled = c->scratch;

        for (int i = 0; i < 3; i++)
            rows[i] = 2 * y + i < l->mid_h ? feature_row(c, k, 2 * y + i) : b->c->zero;
        b->c->kernels.pool_row(c->scratch, rows, l->after_pool, n, l->mid_c);
        b->c->kernels.gemm(lpips_row_out(b->out, c->set * b->c->set_size + k, y, c->x0),
                           b->out->c, &pooled, l->mid_c, 1, n, l->after_u, l->mid_c,
                           b->out->c / LPIPS_PANEL, l->after_bias, 1, l->block);
    }
}

/* As many for each thread. */
static int columns(const lpips_band *b)
{
    int wide = b->l->x1 - b->l->x0, n = (wide + POOLED_CHUNK - 1) / POOLED_CHUNK;
    int threads = b->c->sets > 1 ? 1 : b->c->plan.threads;

    n = (n + threads - 1) / threads * threads;
    return n < wide ? n : wide;
}

static void first_job(void *arg, int worker, int job)
{
    lpips_band *b = arg;
    const lpips_layer *l = b->l;
    int n = columns(b), wide = l->x1 - l->x0, done = 2 * b->y0;
    column c = {.b = b,
                .set = job / n,
                .x0 = l->x0 + (int)((int64_t)wide * (job % n) / n),
                .x1 = l->x0 + (int)((int64_t)wide * (job % n + 1) / n)};

    c.width = 2 * (c.x1 - c.x0) + 1;
    c.m0 = 2 * c.x0;
    c.m1 = c.m0 + c.width < l->mid_w ? c.m0 + c.width : l->mid_w;
    c.own = c.x1 < b->out->w ? 2 * c.x1 : l->mid_w;
    c.step = (ptrdiff_t)3 * c.width * l->mid_c;
    c.features = lpips_scratch(b->c, worker);
    c.scratch = c.features + b->c->set_size * c.step;
    for (int y = b->y0; y < b->y1; y++) {
        for (; done < 2 * y + 3 && done < l->mid_h; done++)
            compute_row(&c, done);
        finish_pooled(&c, y);
    }
}

/* ---- the net ------------------------------------------------------------ */

static void run_band(lpips_context *c, int layer, int y0, int y1)
{
    lpips_layer *l = &c->plan.layer[layer];
    lpips_band b = {
        c,  l, l->in >= 0 ? &c->plan.tensor[l->in] : NULL, &c->plan.tensor[l->out], y0, y1,
        y0, y1};
    int rows = y1 - y0, pictures = lpips_pictures(c);

    if (l->kind == LPIPS_DIRECT && l->after) {
        b.f0 = 2 * y0;
        b.f1 = y1 < l->rows ? 2 * y1 : l->mid_h;
    }
    if (layer)
        lpips_reach_band(&b);
    switch (l->kind) {
    case LPIPS_LOAD:
        lpips_pool_run(c->pool, load_job, &b, c->sets * ((rows + LOAD_ROWS - 1) / LOAD_ROWS));
        break;
    case LPIPS_DIRECT:
        if (l->after == LPIPS_KEEP)
            lpips_pool_run(c->pool, direct_job, &b, c->sets * rows * chunks(&b));
        else
            lpips_pool_run(c->pool, first_job, &b, c->sets * columns(&b));
        break;
    case LPIPS_POOL:
        lpips_pool_run(c->pool, pool_job, &b, pictures * rows * chunks(&b));
        break;
    case LPIPS_POINT:
        lpips_pool_run(c->pool, point_job, &b, point_jobs(&b));
        break;
    case LPIPS_WINO:
        lpips_run_wino(&b);
        break;
    }
    if (l->tap >= 0)
        lpips_head_sum(&b);
}

static int report(lpips_context *c)
{
    const lpips_plan *p = &c->plan;
    double rows = (double)p->layer[0].next / p->tensor[0].h;
    double done = (p->strip + rows) / p->strips;

    return c->progress &&
           c->progress(c->progress_opaque, c->done_before + c->done_part * done);
}

/* Columns outside the picture are zeros and stay so; with strips a buffer holds another
 * part of the picture each time. */
static void start_strip(lpips_context *c, int strip)
{
    lpips_plan *p = &c->plan;

    lpips_plan_strip(p, strip);
    for (int i = 0; p->strips > 1 && i < p->tensors; i++)
        memset(p->tensor[i].data, 0,
               sizeof(float) * (size_t)p->tensor[i].pic * (size_t)lpips_pictures(c));
}

static int run_strip(lpips_context *c)
{
    int i, y0, y1;

    while ((i = lpips_plan_next(&c->plan, &y0, &y1)) >= 0) {
        run_band(c, i, y0, y1);
        lpips_plan_done(&c->plan, i, y1);
        if (atomic_load(&c->bad))
            return LPIPS_ERR_NOT_FINITE;
        if (!i && report(c))
            return LPIPS_ERR_ABORTED;
    }
    return LPIPS_OK;
}

int lpips_run(lpips_context *c)
{
    int status = LPIPS_OK;

    atomic_store(&c->bad, 0);
    for (int i = 0; i < c->plan.layers; i++) {
        lpips_layer *l = &c->plan.layer[i];

        if (l->tap >= 0)
            memset(l->sum, 0, sizeof *l->sum * (size_t)l->mid_h * (size_t)lpips_pairs(c));
    }
    for (int s = 0; s < c->plan.strips && !status; s++) {
        start_strip(c, s);
        status = run_strip(c);
    }
    return status;
}
