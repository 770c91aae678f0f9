/*
 * head.c - distances: unit-normalised features, squared differences, weights, means
 * (Zhang et al. 2018, equation 1; lpips/lpips.py), and maps.
 */
#include "reach.h"

#include <string.h>

/* Where the distances of row y of a pair are kept, from the first column owned. */
static float *distances(const lpips_band *b, int pair, int y)
{
    const lpips_layer *l = b->l;
    int whole = b->c->plan.flags & LPIPS_WANT_MAP;

    return l->d + ((ptrdiff_t)pair * l->d_rows + (whole ? y : y - b->f0)) * l->d_cols +
           (whole ? l->own0 : 0);
}

void lpips_head(const lpips_band *b, int set, int y, int x0, int x1, const float *f,
                ptrdiff_t step)
{
    const lpips_layer *l = b->l;
    int size = b->c->set_size, from = x0 > l->own0 ? x0 : l->own0;

    x1 = x1 < l->own1 ? x1 : l->own1;
    if (from >= x1)
        return;
    f += (ptrdiff_t)(from - x0) * l->mid_c;
    for (int k = 1; k < size; k++) {
        int pair = set * (size - 1) + k - 1;
        float *d = distances(b, pair, y) + from - l->own0;

        b->c->kernels.head_row(d, f, f + k * step, l->mid_c, x1 - from, b->c->lin[l->tap],
                               l->mid_c);
        lpips_reach_clear(b, pair, y, from, x1, d);
    }
}

/* Each row is added up from left to right over all strips, so that a sum depends on nothing
 * but the distances. */
static void sum_job(void *arg, int worker, int job)
{
    lpips_band *b = arg;
    const lpips_layer *l = b->l;
    int rows = b->f1 - b->f0, pair = job / rows, y = b->f0 + job % rows;
    const float *d = distances(b, pair, y);
    double *sum = &l->sum[(ptrdiff_t)pair * l->mid_h + y], s = *sum;

    (void)worker;
    for (int x = 0; x < l->own1 - l->own0; x++)
        s += d[x];
    *sum = s;
}

void lpips_head_sum(lpips_band *b)
{
    int jobs = lpips_pairs(b->c) * (b->f1 - b->f0);

    if ((int64_t)jobs * (b->l->own1 - b->l->own0) > 16384)
        lpips_pool_run(b->c->pool, sum_job, b, jobs);
    else
        for (int i = 0; i < jobs; i++)
            sum_job(b, 0, i);
}

void lpips_head_result(const lpips_context *c, int pair, lpips_result *r)
{
    memset(r, 0, sizeof *r);
    r->layers = c->plan.net->layers;
    for (int i = 0; i < c->plan.layers; i++) {
        const lpips_layer *l = &c->plan.layer[i];
        double sum = 0;

        if (l->tap < 0)
            continue;
        for (int y = 0; y < l->mid_h; y++)
            sum += l->sum[(ptrdiff_t)pair * l->mid_h + y];
        r->layer[l->tap] = sum / ((double)l->mid_h * l->mid_w);
        r->distance += r->layer[l->tap];
    }
}

/* ---- maps --------------------------------------------------------------- */

typedef struct map_task {
    const lpips_context *c;
    const lpips_map *map;
    int pair;
} map_task;

/* Source position of output i (align_corners = false): (i + 1/2) n_in / n_out - 1/2, not
 * below 0; the two samples around it and the weight of the second. */
static void source(int i, int in, int out, int *first, int *second, float *weight)
{
    double s = (i + .5) * in / out - .5;

    if (s < 0)
        s = 0;
    *first = (int)s;
    *second = *first + 1 < in ? *first + 1 : in - 1;
    *weight = (float)(s - *first);
}

static void enlarge_row(const map_task *m, const lpips_layer *l, int y, float *total,
                        float *own)
{
    int width = m->c->plan.width, y0, y1;
    float wy;

    source(y, l->mid_h, m->c->plan.height, &y0, &y1, &wy);
    const float *d = l->d + (ptrdiff_t)m->pair * l->d_rows * l->d_cols;
    const float *r0 = d + (ptrdiff_t)y0 * l->d_cols, *r1 = d + (ptrdiff_t)y1 * l->d_cols;

    for (int x = 0; x < width; x++) {
        int x0, x1;
        float wx, v;

        source(x, l->mid_w, width, &x0, &x1, &wx);
        v = (1 - wy) * ((1 - wx) * r0[x0] + wx * r0[x1]) +
            wy * ((1 - wx) * r1[x0] + wx * r1[x1]);
        if (total)
            total[x] += v;
        if (own)
            own[x] = v;
    }
}

static float *map_row(float *plane, const lpips_map *map, int y)
{
    return plane ? (float *)((char *)plane + y * map->stride) : NULL;
}

static void map_job(void *arg, int worker, int y)
{
    const map_task *m = arg;
    const lpips_plan *p = &m->c->plan;
    float *total = map_row(m->map->total, m->map, y);

    (void)worker;
    if (total)
        memset(total, 0, sizeof *total * (size_t)p->width);
    for (int i = 0; i < p->layers; i++) {
        const lpips_layer *l = &p->layer[i];

        if (l->tap >= 0 && (total || m->map->layer[l->tap]))
            enlarge_row(m, l, y, total, map_row(m->map->layer[l->tap], m->map, y));
    }
}

void lpips_head_maps(lpips_context *c, int pair, const lpips_map *map)
{
    map_task m = {c, map, pair};

    lpips_pool_run(c->pool, map_job, &m, c->plan.height);
}
