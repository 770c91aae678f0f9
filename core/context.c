/*
 * context.c - contexts and the public comparisons.
 */
#include "context.h"
#include "frame.h"
#include "grad.h"
#include "memory.h"
#include "pack.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 1024 };

#define ALL_FLAGS (LPIPS_WANT_MAP | LPIPS_NO_LIN | LPIPS_RANGE_0_1 | LPIPS_WANT_GRADIENT)

/* The caller's options, as far as its version of the struct reaches. */
static int read_options(lpips_options *o, const lpips_options *from)
{
    static const lpips_options defaults = LPIPS_OPTIONS_DEFAULT;

    *o = defaults;
    if (!from)
        return LPIPS_OK;
    if (from->struct_size < sizeof from->struct_size + sizeof from->flags ||
        from->struct_size > 4096)
        return LPIPS_ERR_ARGUMENT;
    memcpy(o, from, from->struct_size < sizeof *o ? from->struct_size : sizeof *o);
    if (o->flags & ~(unsigned)ALL_FLAGS || o->threads < 0 || o->threads > MAX_THREADS ||
        o->pictures < 0 || o->pictures == 1 || o->pictures > LPIPS_MAX_PICTURES ||
        o->band_rows < 0 || o->strip_columns < 0)
        return LPIPS_ERR_ARGUMENT;
    return LPIPS_OK;
}

/* A 1x1 convolution's filter and bias. */
static int fetch_point(lpips_context *c, const char *name, int in, int out, const float **u,
                       const float **bias)
{
    lpips_pack_key key = {.name = name, .in = in, .out = out, .kernel = 1, -1, -1, 1};

    *bias = lpips_weights_tensor(c->weights, name, "bias");
    *u = lpips_pack_get(c->weights, &key, &c->kernels);
    return *u ? LPIPS_OK : LPIPS_ERR_MEMORY;
}

static int fetch_filter(lpips_context *c, lpips_layer *l)
{
    lpips_pack_key key = {.name = l->name,
                          .in = c->plan.tensor[l->in].c,
                          .out = l->panels * LPIPS_PANEL,
                          .kernel = l->kind == LPIPS_POINT ? 1 : l->kernel,
                          .ty = -1,
                          .tx = -1,
                          .fold = 1};

    if (l->kind == LPIPS_WINO) {
        key.ty = l->ty;
        key.tx = l->tx;
    }
    if (l == &c->plan.layer[1] && c->plan.fold > 1) {
        key.fold = c->plan.fold;
        key.in = c->plan.net->step[0].in;
        key.kernel = c->plan.net->step[0].kernel;
    }
    l->bias = lpips_weights_tensor(c->weights, l->name, "bias");
    l->u = lpips_pack_get(c->weights, &key, &c->kernels);
    return l->u ? LPIPS_OK : LPIPS_ERR_MEMORY;
}

/* What leads back to the layer's input (grad.c). */
static int fetch_back(lpips_context *c, int layer)
{
    lpips_layer *l = &c->plan.layer[layer];
    lpips_window w = lpips_back_window(&c->plan, layer);
    lpips_pack_key key = {.name = l->name,
                          .in = layer == 1 ? 3 : c->plan.tensor[l->in].c,
                          .out = l->side[0] ? l->mid_c / 2 : l->mid_c,
                          .kernel = layer == 1 ? c->plan.net->step[0].kernel : w.kernel,
                          .ty = -1,
                          .tx = -1,
                          .fold = w.fold,
                          .side = l->side[0] ? l->side : NULL,
                          .back = 1};

    l->back_u = lpips_pack_get(c->weights, &key, &c->kernels);
    return l->back_u ? LPIPS_OK : LPIPS_ERR_MEMORY;
}

static int fetch_layer(lpips_context *c, int layer)
{
    lpips_layer *l = &c->plan.layer[layer];
    int status = LPIPS_OK, in = c->plan.tensor[l->in].c;

    if (l->kind == LPIPS_POOL)
        return LPIPS_OK;
    status = fetch_filter(c, l);
    if (l->side[0] && !status)
        status =
            fetch_point(c, l->side, in, l->panels * LPIPS_PANEL, &l->side_u, &l->side_bias);
    if (l->after_name[0] && !status)
        status = fetch_point(c, l->after_name, l->mid_c, c->plan.tensor[l->out].c,
                             &l->after_u, &l->after_bias);
    if (c->plan.flags & LPIPS_WANT_GRADIENT && !status)
        status = fetch_back(c, layer);
    return status;
}

static int fetch_filters(lpips_context *c)
{
    int status = LPIPS_OK;

    for (int i = 1; i < c->plan.layers && !status; i++)
        status = fetch_layer(c, i);
    return status;
}

static void fetch_job(void *arg, int worker, int job)
{
    (void)worker;
    fetch_layer(arg, job + 1); /* all exist: nothing to fail */
}

void lpips_context_refresh(lpips_context *c)
{
    c->weights->changes++;
    lpips_pool_run(c->pool, fetch_job, c, c->plan.layers - 1);
}

static void set_pointers(lpips_context *c)
{
    lpips_plan *p = &c->plan;
    float *ones = (float *)(c->arena + p->ones_at);

    c->zero = (float *)(c->arena + p->zero_at);
    c->shift = lpips_weights_tensor(c->weights, "scaling_layer", "shift");
    c->scale = lpips_weights_tensor(c->weights, "scaling_layer", "scale");
    for (int i = 0; i < 512; i++)
        ones[i] = 1;
    for (int i = 0; i < p->layers; i++) {
        lpips_layer *l = &p->layer[i];
        char name[32];

        p->tensor[l->out].data = (float *)(c->arena + p->tensor[l->out].at);
        p->tensor[l->out].mask = (unsigned char *)c->arena + p->tensor[l->out].mask_at;
        l->mask = (unsigned char *)c->arena + l->mask_at;
        l->d = (float *)(c->arena + l->d_at);
        l->sum = (double *)(c->arena + l->sum_at);
        if (l->tap < 0)
            continue;
        snprintf(name, sizeof name, "lin%d.model.1", l->tap);
        c->lin[l->tap] =
            p->flags & LPIPS_NO_LIN ? ones : lpips_weights_tensor(c->weights, name, "weight");
    }
}

int lpips_context_create(lpips_context **out, lpips_weights *w, int width, int height,
                         const lpips_options *options)
{
    lpips_context *c = NULL;
    lpips_options o;
    int status;

    if (!out)
        return LPIPS_ERR_ARGUMENT;
    *out = NULL;
    if (!w)
        return LPIPS_ERR_ARGUMENT;
    status = read_options(&o, options);
    if (status)
        return status;
    c = calloc(1, sizeof *c);
    if (!c)
        return LPIPS_ERR_MEMORY;
    c->weights = lpips_weights_ref(w);
    c->progress = o.progress;
    c->progress_opaque = o.progress_opaque;
    lpips_kernels_init(&c->kernels, lpips_cpu() & ~o.cpu_disable);
    status = lpips_plan_make(&c->plan, w->def, width, height, &o);
    if (status)
        goto fail;
    status = LPIPS_ERR_MEMORY;
    c->picture = calloc((size_t)c->plan.pictures, sizeof *c->picture);
    if (!c->picture || (o.memory_limit && c->plan.bytes > o.memory_limit))
        goto fail;
    c->arena = lpips_alloc(c->plan.bytes);
    if (!c->arena)
        goto fail;
    memset(c->arena, 0, c->plan.bytes);
    status = lpips_pool_create(&c->pool, c->plan.threads, o.parallel, o.parallel_opaque);
    if (status)
        goto fail;
    status = fetch_filters(c);
    if (status)
        goto fail;
    set_pointers(c);
    *out = c;
    return LPIPS_OK;
fail:
    lpips_context_free(c);
    return status;
}

void lpips_context_free(lpips_context *c)
{
    if (!c)
        return;
    lpips_pool_free(c->pool);
    lpips_weights_unref(c->weights);
    free(c->arena);
    free(c->picture);
    free(c);
}

size_t lpips_context_memory(lpips_weights *w, int width, int height,
                            const lpips_options *options)
{
    lpips_options o;
    lpips_plan *p;
    size_t bytes = 0;

    if (!w || read_options(&o, options))
        return 0;
    p = malloc(sizeof *p);
    if (p && lpips_plan_make(p, w->def, width, height, &o) == LPIPS_OK)
        bytes = p->bytes + sizeof(lpips_context);
    free(p);
    return bytes;
}

int lpips_weights_describe(const lpips_weights *w, unsigned flags, char *text, size_t size)
{
    if (!w)
        return snprintf(text, size, "lpips %d.%d.%d", LPIPS_VERSION_MAJOR,
                        LPIPS_VERSION_MINOR, LPIPS_VERSION_PATCH);
    return snprintf(text, size, "lpips %d.%d.%d %s v%s weights %.8s%s%s", LPIPS_VERSION_MAJOR,
                    LPIPS_VERSION_MINOR, LPIPS_VERSION_PATCH, w->def->name, w->version,
                    w->hash, flags & LPIPS_NO_LIN ? " no-lin" : "",
                    flags & LPIPS_RANGE_0_1 ? " range 0..1" : "");
}

int lpips_describe(const lpips_context *c, char *text, size_t size)
{
    return lpips_weights_describe(c ? c->weights : NULL, c ? c->plan.flags : 0, text, size);
}

const char *lpips_context_cpu(const lpips_context *c)
{
    return c ? c->kernels.name : NULL;
}

/* ---- comparing ---------------------------------------------------------- */

static int check_frame(const lpips_context *c, const lpips_frame *frame)
{
    lpips_frame_rows rows;
    int status = lpips_frame_prepare(&rows, frame);

    if (status < 0)
        return status;
    return frame->width == c->plan.width && frame->height == c->plan.height ? LPIPS_OK
                                                                            : LPIPS_ERR_SIZE;
}

static int check_image(const lpips_context *c, const lpips_image *img)
{
    static const ptrdiff_t size[] = {1, 2, 4};
    ptrdiff_t row = 0;

    if (img && img->format == LPIPS_FRAME)
        return check_frame(c, img->plane[0]);
    if (!img || (unsigned)img->format > LPIPS_F32 || !img->plane[0] || !img->plane[1] ||
        !img->plane[2] || (img->format == LPIPS_U16 && img->white > 65535))
        return LPIPS_ERR_ARGUMENT;
    if (img->width != c->plan.width || img->height != c->plan.height)
        return LPIPS_ERR_SIZE;
    if (img->pixel_stride < size[img->format] && img->pixel_stride > -size[img->format])
        return LPIPS_ERR_ARGUMENT;
    row =
        (img->width - 1) * (img->pixel_stride < 0 ? -img->pixel_stride : img->pixel_stride) +
        size[img->format];
    for (int i = 0; i < 3 && img->height > 1; i++)
        if (img->row_stride[i] < row && img->row_stride[i] > -row)
            return LPIPS_ERR_ARGUMENT;
    return LPIPS_OK;
}

static int check_map(const lpips_context *c, const lpips_map *map)
{
    ptrdiff_t row = (ptrdiff_t)c->plan.width * (ptrdiff_t)sizeof(float);

    if (!(c->plan.flags & LPIPS_WANT_MAP))
        return LPIPS_ERR_UNSUPPORTED;
    if ((map->stride < row && map->stride > -row) || map->stride % (ptrdiff_t)sizeof(float))
        return LPIPS_ERR_ARGUMENT;
    return LPIPS_OK;
}

/* Runs the pictures set up in the context and hands out its pairs. */
static int run_group(lpips_context *c, int sets, int set_size, double before, double part,
                     lpips_result *results, const lpips_map *maps)
{
    int status;

    c->sets = sets;
    c->set_size = set_size;
    c->done_before = before;
    c->done_part = part;
    status = lpips_run(c);
    for (int i = 0; i < lpips_pairs(c) && !status; i++) {
        lpips_head_result(c, i, &results[i]);
        if (maps)
            lpips_head_maps(c, i, &maps[i]);
    }
    return status;
}

static int check_call(const lpips_context *c, const lpips_image *a, int images,
                      const lpips_image *b, int count, const lpips_result *results,
                      const lpips_map *maps)
{
    int status = LPIPS_OK;

    if (!c || !a || !b || !results || count < 1)
        return LPIPS_ERR_ARGUMENT;
    for (int i = 0; i < images && !status; i++)
        status = check_image(c, &a[i]);
    for (int i = 0; i < count && !status; i++)
        status = check_image(c, &b[i]);
    for (int i = 0; i < count && maps && !status; i++)
        status = check_map(c, &maps[i]);
    return status;
}

int lpips_compare_pairs(lpips_context *c, const lpips_image *a, const lpips_image *b,
                        int pairs, lpips_result *results, const lpips_map *maps)
{
    int status = check_call(c, a, pairs, b, pairs, results, maps), most;

    if (status)
        return status;
    most = c->plan.pictures / 2;
    for (int i = 0; i < pairs && !status; i += most) {
        int n = pairs - i < most ? pairs - i : most;

        for (int k = 0; k < n; k++) {
            c->picture[2 * k] = &a[i + k];
            c->picture[2 * k + 1] = &b[i + k];
        }
        status = run_group(c, n, 2, (double)i / pairs, (double)n / pairs, results + i,
                           maps ? maps + i : NULL);
    }
    return status;
}

int lpips_compare_many(lpips_context *c, const lpips_image *reference,
                       const lpips_image *others, int count, lpips_result *results,
                       const lpips_map *maps)
{
    int status = check_call(c, reference, 1, others, count, results, maps), most;

    if (status)
        return status;
    most = c->plan.pictures - 1;
    for (int i = 0; i < count && !status; i += most) {
        int n = count - i < most ? count - i : most;

        c->picture[0] = reference;
        for (int k = 0; k < n; k++)
            c->picture[k + 1] = &others[i + k];
        status = run_group(c, 1, n + 1, (double)i / count, (double)n / count, results + i,
                           maps ? maps + i : NULL);
    }
    return status;
}

int lpips_compare_map(lpips_context *c, const lpips_image *a, const lpips_image *b,
                      lpips_result *result, const lpips_map *map)
{
    return lpips_compare_pairs(c, a, b, 1, result, map);
}

int lpips_compare(lpips_context *c, const lpips_image *a, const lpips_image *b,
                  lpips_result *result)
{
    return lpips_compare_pairs(c, a, b, 1, result, NULL);
}

/* ---- gradients ---------------------------------------------------------- */

static int check_planes(const lpips_context *c, const lpips_planes *p)
{
    ptrdiff_t step = p ? p->pixel_stride : 0, size = sizeof(float), row;

    if (!p || step % size || (step < size && step > -size))
        return LPIPS_ERR_ARGUMENT;
    row = (c->plan.width - 1) * (step < 0 ? -step : step) + size;
    for (int i = 0; i < 3; i++) {
        ptrdiff_t stride = p->row_stride[i];

        if (!p->plane[i] || p->plane[i] == p->plane[(i + 1) % 3] || stride % size ||
            (stride < row && stride > -row && c->plan.height > 1))
            return LPIPS_ERR_ARGUMENT;
    }
    return LPIPS_OK;
}

/* Of the time, that of the comparison; measured, for the progress callback. */
static const double forward_share = .4;

static int backward(lpips_context *c, const lpips_image *a, const lpips_planes *out)
{
    static const lpips_pull pull = {.other = 1, .pair = 0, .weight = 1};
    const lpips_plan *p = &c->plan;
    double all = 0, done = 0;
    lpips_back b;

    for (int i = 1; i < p->layers; i++)
        all += lpips_back_flop(p, i);
    lpips_back_start(&b, c, 0, &pull, 1);
    for (int i = p->layers - 1; i > 0; i--) {
        lpips_back_features(&b, i);
        lpips_back_input(&b, i);
        done += lpips_back_flop(p, i);
        if (c->progress &&
            c->progress(c->progress_opaque, forward_share + (1 - forward_share) * done / all))
            return LPIPS_ERR_ABORTED;
    }
    lpips_back_samples(&b, a, out);
    return LPIPS_OK;
}

int lpips_gradient(lpips_context *c, const lpips_image *a, const lpips_image *b,
                   lpips_result *result, const lpips_planes *gradient)
{
    int status = check_call(c, a, 1, b, 1, result, NULL);

    if (!status && !(c->plan.flags & LPIPS_WANT_GRADIENT))
        status = LPIPS_ERR_UNSUPPORTED;
    if (!status)
        status = check_planes(c, gradient);
    if (status)
        return status;
    c->picture[0] = a;
    c->picture[1] = b;
    status = run_group(c, 1, 2, 0, forward_share, result, NULL);
    return status ? status : backward(c, a, gradient);
}
