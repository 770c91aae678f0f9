/*
 * train.c - see train.h.
 *
 * A distance is sum over taps and channels of lin[c] s[c], where s[c] is the mean over pixels
 * of the squared differences, those kept by dropout twice.  So s is all that the lin layers
 * need, forward and back.
 */
#include "train.h"

#include "grad.h"
#include "layout.h"
#include "memory.h"
#include "train_filters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGET = 256 << 20, TRIALS_MOST = 64, SET = 3 };

struct lpips_train {
    lpips_weights *w;
    lpips_context *c;
    int trials, n; /* the most; of the last call */
    const lpips_image **picture;
    const uint64_t *keep;
    int channels; /* of all taps */
    double *s;    /* [pair][channels] */
    int tensors, lin;
    float *gradient[LPIPS_MAX_TENSORS];
    float *gradients; /* the block of all */
    size_t floats;
    lpips_filters *filters; /* NULL: lin alone is trained */
    const double *pull;     /* of the call */
    float *buffers;         /* two of each worker for the way back */
};

/* ---- life ----------------------------------------------------------------- */

static size_t count_of(const lpips_tensor_spec *t)
{
    size_t n = 1;

    for (int i = 0; i < t->dims; i++)
        n *= (size_t)t->shape[i];
    return n;
}

static int make_gradients(lpips_train *t, int whole)
{
    lpips_tensor_spec spec[LPIPS_MAX_TENSORS];

    t->tensors = lpips_net_tensors(t->w->def, spec);
    t->lin = t->tensors - t->w->def->layers;
    for (int i = whole ? 2 : t->lin; i < t->tensors; i++)
        t->floats += count_of(&spec[i]);
    t->gradients = calloc(t->floats, sizeof *t->gradients);
    if (!t->gradients)
        return LPIPS_ERR_MEMORY;
    for (size_t at = 0, i = whole ? 2 : (size_t)t->lin; i < (size_t)t->tensors; i++) {
        t->gradient[i] = t->gradients + at;
        at += count_of(&spec[i]);
    }
    for (int i = 0; i < t->w->def->layers; i++)
        t->channels += t->w->def->tap_channels[i];
    return LPIPS_OK;
}

static int make_context(lpips_train *t, int width, int height, int threads)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    double bytes;

    o.flags = LPIPS_WANT_GRADIENT;
    o.pictures = SET;
    bytes = (double)lpips_context_memory(t->w, width, height, &o);
    t->trials = bytes > 0 ? (int)fmin(BUDGET / bytes, TRIALS_MOST) : 1;
    t->trials = lpips_max(t->trials, 1);
    o.pictures = SET * t->trials;
    o.threads = threads;
    return lpips_context_create(&t->c, t->w, width, height, &o);
}

static size_t buffer_floats(const lpips_train *t)
{
    return ((size_t)lpips_back_bytes(&t->c->plan) / sizeof(float) + 15) / 16 * 16;
}

static int make_buffers(lpips_train *t)
{
    t->buffers =
        lpips_alloc(2 * buffer_floats(t) * (size_t)t->c->plan.threads * sizeof(float));
    return !t->buffers;
}

int lpips_train_create(lpips_train **out, const lpips_weights *w, int width, int height,
                       int threads, int whole)
{
    lpips_train *t = calloc(1, sizeof *t);
    int status = LPIPS_ERR_MEMORY;

    *out = NULL;
    if (!t || !(t->w = lpips_weights_copy(w)))
        goto fail;
    if ((status = make_gradients(t, whole)) ||
        (status = make_context(t, width, height, threads)))
        goto fail;
    status = LPIPS_ERR_MEMORY;
    t->s = calloc((size_t)t->trials * 2 * (size_t)t->channels, sizeof *t->s);
    if (!t->s || (whole && (make_buffers(t) || !(t->filters = lpips_filters_make(t->c)))))
        goto fail;
    *out = t;
    return LPIPS_OK;
fail:
    lpips_train_free(t);
    return status;
}

void lpips_train_free(lpips_train *t)
{
    if (!t)
        return;
    lpips_filters_free(t->filters);
    lpips_context_free(t->c);
    lpips_weights_unref(t->w);
    free(t->gradients);
    free(t->buffers);
    free(t->s);
    free(t);
}

int lpips_train_trials(const lpips_train *t)
{
    return t->trials;
}

float *lpips_train_tensor(lpips_train *t, int i)
{
    return i >= 0 && i < t->tensors ? (float *)t->w->tensor[i] : NULL;
}

float *lpips_train_gradient(lpips_train *t, int i)
{
    return i >= 0 && i < t->tensors ? t->gradient[i] : NULL;
}

void lpips_train_changed(lpips_train *t)
{
    lpips_context_refresh(t->c);
}

void lpips_train_clear(lpips_train *t)
{
    memset(t->gradients, 0, t->floats * sizeof *t->gradients);
}

size_t lpips_train_words(const lpips_train *t)
{
    return lpips_kept(&t->c->plan, LPIPS_MAX_LAYERS, 0);
}

/* ---- forward -------------------------------------------------------------- */

static float normal(const float *f, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += (double)f[i] * (double)f[i];
    return (float)(1 / (sqrt(sum) + 1e-10));
}

/* Adds one pixel's squared differences to s; keep NULL: all. */
static void add_pixel(double *s, const float *a, const float *b, int n, const uint64_t *keep)
{
    float ra = normal(a, n), rb = normal(b, n);

    for (int i = 0; i < n; i++) {
        float x = a[i] * ra, y = b[i] * rb, e = x - y;
        float factor = keep ? (float)(keep[i / 64] >> i % 64 & 1) * 2 : 1;

        s[i] += (double)(e * e * factor);
    }
}

/* One tap of one pair. */
static void mean_job(void *arg, int worker, int job)
{
    lpips_train *t = arg;
    const lpips_context *c = t->c;
    int taps = c->plan.net->layers, pair = job / taps, tap = job % taps;
    int first = pair / 2 * SET, other = first + 1 + pair % 2;
    double *s = t->s + (size_t)pair * (size_t)t->channels;
    size_t words = lpips_train_words(t);

    (void)worker;
    for (int i = 0; i < tap; i++)
        s += c->plan.net->tap_channels[i];
    for (int i = 1; i < c->plan.layers; i++) {
        const lpips_layer *l = &c->plan.layer[i];
        const lpips_rows *f = &c->plan.tensor[l->out];

        if (l->tap != tap)
            continue;
        memset(s, 0, sizeof *s * (size_t)l->mid_c);
        for (int y = 0; y < l->mid_h; y++) {
            const float *a = lpips_row_at(c, f, first, y, 0);
            const float *b = lpips_row_at(c, f, other, y, 0);
            const uint64_t *keep = t->keep;

            if (keep)
                keep += (size_t)pair * words + lpips_kept(&c->plan, tap, y);
            for (int x = 0; x < l->mid_w; x++, a += l->mid_c, b += l->mid_c) {
                add_pixel(s, a, b, l->mid_c, keep);
                keep = keep ? keep + l->mid_c / 64 : NULL;
            }
        }
        for (int k = 0; k < l->mid_c; k++)
            s[k] /= (double)l->mid_h * l->mid_w;
    }
}

static double distance(const lpips_train *t, int pair)
{
    const double *s = t->s + (size_t)pair * (size_t)t->channels;
    double d = 0;

    for (int i = 0; i < t->w->def->layers; i++)
        for (int k = 0; k < t->w->def->tap_channels[i]; k++)
            d += (double)t->c->lin[i][k] * *s++;
    return d;
}

int lpips_train_forward(lpips_train *t, const lpips_image *pictures, int n,
                        const uint64_t *keep, double *d)
{
    lpips_context *c = t->c;
    int status;

    if (n < 1 || n > t->trials)
        return LPIPS_ERR_ARGUMENT;
    t->n = n;
    t->keep = keep;
    for (int i = 0; i < SET * n; i++) {
        if (pictures[i].width != c->plan.width || pictures[i].height != c->plan.height)
            return LPIPS_ERR_SIZE;
        c->picture[i] = &pictures[i];
    }
    c->sets = n;
    c->set_size = SET;
    status = lpips_run(c);
    if (status)
        return status;
    lpips_pool_run(c->pool, mean_job, t, 2 * n * c->plan.net->layers);
    for (int i = 0; i < 2 * n; i++)
        d[i] = distance(t, i);
    return LPIPS_OK;
}

/* ---- backward ------------------------------------------------------------- */

static void back_lin(lpips_train *t, const double *pull)
{
    int at = 0;

    for (int i = 0; i < t->w->def->layers; i++)
        for (int k = 0; k < t->w->def->tap_channels[i]; k++, at++) {
            double g = 0;

            for (int j = 0; j < 2 * t->n; j++)
                g += pull[j] * t->s[(size_t)j * (size_t)t->channels + (size_t)at];
            t->gradient[t->lin + i][k] += (float)g;
        }
}

/* From the distances of one picture to the z of all its layers: a job each, since what there
 * is to do in a layer of one small picture is too little to be shared. */
static void picture_job(void *arg, int worker, int picture)
{
    lpips_train *t = arg;
    int set = picture / SET, k = picture % SET, n = 0;
    size_t words = lpips_train_words(t), floats = buffer_floats(t);
    float *buffer = t->buffers + 2 * floats * (size_t)worker;
    lpips_pull pulls[2];
    lpips_back b;

    for (int i = 0; i < 2; i++) {
        int pair = 2 * set + i;

        if (k && k != i + 1)
            continue;
        pulls[n++] = (lpips_pull){.other = set * SET + (k ? 0 : i + 1),
                                  .pair = pair,
                                  .weight = t->pull[pair],
                                  .keep = t->keep ? t->keep + (size_t)pair * words : NULL};
    }
    lpips_back_start_alone(&b, t->c, picture, pulls, n,
                           (float *const[2]){buffer, buffer + floats});
    for (int i = t->c->plan.layers - 1; i > 0; i--) {
        lpips_back_features(&b, i);
        if (t->c->plan.layer[i].kind != LPIPS_POOL)
            lpips_filters_keep(t->filters, i, &b);
        if (i > 1)
            lpips_back_input(&b, i);
    }
}

void lpips_train_backward(lpips_train *t, const double *pull)
{
    back_lin(t, pull);
    if (!t->filters)
        return;
    t->pull = pull;
    lpips_pool_run(t->c->pool, picture_job, t, SET * t->n);
    lpips_filters_add(t->filters, SET * t->n, t->gradient);
}
