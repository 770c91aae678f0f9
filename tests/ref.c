/*
 * ref.c - LPIPS a second time; see ref.h.
 *
 *     pictures -> -1..1 -> (x - shift) / scale (version 0.1) -> backbone, tapped
 *     n = y / (sqrt(sum_c y^2) + 1e-10)
 *     d(pixel) = sum_c lin_c (n_a - n_b)^2, term = mean over pixels, distance = sum of terms
 *
 * Tensors are planes of doubles, channel by channel.
 */
#include "ref.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct tensor {
    int c, h, w;
    double *v;
} tensor;

/* 'c' convolution and ReLU; 'p', 'P' maximum in floor and ceil mode, step 2; 'f' fire,
 * out the channels of both expands together; '*' before a letter marks a tap. */
typedef struct stage {
    const char *what, *name;
    int out, kernel, stride, pad, squeezed;
} stage;

static const stage alex[] = {
    {"*c", "net.slice1.0", 64, 11, 4, 2, 0},  {"p", NULL, 0, 3, 2, 0, 0},
    {"*c", "net.slice2.3", 192, 5, 1, 2, 0},  {"p", NULL, 0, 3, 2, 0, 0},
    {"*c", "net.slice3.6", 384, 3, 1, 1, 0},  {"*c", "net.slice4.8", 256, 3, 1, 1, 0},
    {"*c", "net.slice5.10", 256, 3, 1, 1, 0}, {NULL, NULL, 0, 0, 0, 0, 0},
};

static const stage vgg[] = {
    {"c", "net.slice1.0", 64, 3, 1, 1, 0},
    {"*c", "net.slice1.2", 64, 3, 1, 1, 0},
    {"p", NULL, 0, 2, 2, 0, 0},
    {"c", "net.slice2.5", 128, 3, 1, 1, 0},
    {"*c", "net.slice2.7", 128, 3, 1, 1, 0},
    {"p", NULL, 0, 2, 2, 0, 0},
    {"c", "net.slice3.10", 256, 3, 1, 1, 0},
    {"c", "net.slice3.12", 256, 3, 1, 1, 0},
    {"*c", "net.slice3.14", 256, 3, 1, 1, 0},
    {"p", NULL, 0, 2, 2, 0, 0},
    {"c", "net.slice4.17", 512, 3, 1, 1, 0},
    {"c", "net.slice4.19", 512, 3, 1, 1, 0},
    {"*c", "net.slice4.21", 512, 3, 1, 1, 0},
    {"p", NULL, 0, 2, 2, 0, 0},
    {"c", "net.slice5.24", 512, 3, 1, 1, 0},
    {"c", "net.slice5.26", 512, 3, 1, 1, 0},
    {"*c", "net.slice5.28", 512, 3, 1, 1, 0},
    {NULL, NULL, 0, 0, 0, 0, 0},
};

static const stage squeeze[] = {
    {"*c", "net.slice1.0", 64, 3, 2, 0, 0},
    {"P", NULL, 0, 3, 2, 0, 0},
    {"f", "net.slice2.3", 128, 3, 1, 1, 16},
    {"*f", "net.slice2.4", 128, 3, 1, 1, 16},
    {"P", NULL, 0, 3, 2, 0, 0},
    {"f", "net.slice3.6", 256, 3, 1, 1, 32},
    {"*f", "net.slice3.7", 256, 3, 1, 1, 32},
    {"P", NULL, 0, 3, 2, 0, 0},
    {"*f", "net.slice4.9", 384, 3, 1, 1, 48},
    {"*f", "net.slice5.10", 384, 3, 1, 1, 48},
    {"*f", "net.slice6.11", 512, 3, 1, 1, 64},
    {"*f", "net.slice7.12", 512, 3, 1, 1, 64},
    {NULL, NULL, 0, 0, 0, 0, 0},
};

static void *need(size_t n)
{
    void *p = calloc(n ? n : 1, sizeof(double));

    if (!p)
        abort();
    return p;
}

static tensor make(int c, int h, int w)
{
    return (tensor){c, h, w, need((size_t)c * (size_t)h * (size_t)w)};
}

static double *plane(const tensor *t, int c)
{
    return t->v + (size_t)c * (size_t)t->h * (size_t)t->w;
}

static tensor padded(const tensor *t, int pad)
{
    tensor p = make(t->c, t->h + 2 * pad, t->w + 2 * pad);

    for (int c = 0; c < t->c; c++)
        for (int y = 0; y < t->h; y++)
            memcpy(plane(&p, c) + (size_t)(y + pad) * (size_t)p.w + pad,
                   plane(t, c) + (size_t)y * (size_t)t->w, (size_t)t->w * sizeof(double));
    return p;
}

/* ---- choices ------------------------------------------------------------ */

typedef struct choices {
    ref_choice *v;
    size_t n, room, layer; /* of them, the first of this layer */
} choices;

static void choose(choices *s, int taken, double margin)
{
    if (s->n == s->room) {
        s->room = s->room ? 2 * s->room : 4096;
        s->v = realloc(s->v, s->room * sizeof *s->v);
        if (!s->v)
            abort();
    }
    s->v[s->n++] = (ref_choice){taken, margin};
}

/* Ends a layer whose inputs have these squares in sum. */
static void end_choices(choices *s, double squares, double count)
{
    for (double scale = sqrt(squares / count); s->layer < s->n; s->layer++)
        s->v[s->layer].margin /= scale;
}

static double squares_of(const tensor *t)
{
    double sum = 0;

    for (size_t i = 0; i < (size_t)t->c * (size_t)t->h * (size_t)t->w; i++)
        sum += t->v[i] * t->v[i];
    return sum;
}

/* ---- layers ------------------------------------------------------------- */

/* acc[j][x] += f[j] * row[x * stride] for four output channels j. */
static void add_row(double *restrict acc, int n, const double *restrict row, int stride,
                    const double f[4])
{
    double *restrict a0 = acc, *restrict a1 = acc + n, *restrict a2 = acc + 2 * n,
                     *restrict a3 = acc + 3 * n;

    if (stride == 1) {
        for (int x = 0; x < n; x++) {
            double v = row[x];

            a0[x] += f[0] * v;
            a1[x] += f[1] * v;
            a2[x] += f[2] * v;
            a3[x] += f[3] * v;
        }
        return;
    }
    for (int x = 0; x < n; x++) {
        double v = row[x * stride];

        a0[x] += f[0] * v;
        a1[x] += f[1] * v;
        a2[x] += f[2] * v;
        a3[x] += f[3] * v;
    }
}

/* Output channels o .. o + 3 at row y; w is [out][in][k][k], p the padded input. */
static void conv_row(tensor *out, const tensor *p, const float *w, const float *bias, int k,
                     int stride, int o, int y, double *acc)
{
    size_t filter = (size_t)p->c * (size_t)(k * k);

    for (int j = 0; j < 4; j++)
        for (int x = 0; x < out->w; x++)
            acc[j * out->w + x] = bias[o + j];
    for (int i = 0; i < p->c; i++)
        for (int t = 0; t < k * k; t++) {
            const float *g = w + (size_t)o * filter + (size_t)(i * k * k + t);
            const double f[4] = {g[0], g[filter], g[2 * filter], g[3 * filter]};

            add_row(acc, out->w,
                    plane(p, i) + (size_t)(y * stride + t / k) * (size_t)p->w + t % k, stride,
                    f);
        }
    for (int j = 0; j < 4; j++)
        for (int x = 0; x < out->w; x++)
            plane(out, o + j)[(size_t)y * (size_t)out->w + (size_t)x] = acc[j * out->w + x];
}

/* The ReLU of all of a tensor. */
static void relu(tensor *t, choices *s)
{
    double squares = s ? squares_of(t) : 0;
    size_t n = (size_t)t->c * (size_t)t->h * (size_t)t->w;

    for (size_t i = 0; i < n; i++) {
        if (s)
            choose(s, t->v[i] > 0, fabs(t->v[i]));
        t->v[i] = fmax(t->v[i], 0);
    }
    if (s)
        end_choices(s, squares, (double)n);
}

/* What a convolution reads besides its input, and where its choices go, or NULL. */
typedef struct source {
    const lpips_weights *w;
    choices *s;
} source;

/* Convolution, bias, ReLU into channels from `at` on. */
static void conv(tensor *out, int at, int channels, const tensor *in, const source *from,
                 const char *name, int k, int stride, int pad)
{
    const float *weight = lpips_weights_tensor(from->w, name, "weight");
    const float *bias = lpips_weights_tensor(from->w, name, "bias");
    tensor p = padded(in, pad), part = *out;
    double *acc = need((size_t)out->w * 4);

    part.v = plane(out, at);
    part.c = channels;
    for (int o = 0; o < channels; o += 4)
        for (int y = 0; y < out->h; y++)
            conv_row(&part, &p, weight, bias, k, stride, o, y, acc);
    relu(&part, from->s);
    free(acc);
    free(p.v);
}

static tensor convolve(const tensor *in, const source *w, const stage *s)
{
    tensor out = make(s->out, (in->h + 2 * s->pad - s->kernel) / s->stride + 1,
                      (in->w + 2 * s->pad - s->kernel) / s->stride + 1);

    conv(&out, 0, s->out, in, w, s->name, s->kernel, s->stride, s->pad);
    return out;
}

static tensor fire(const tensor *in, const source *w, const stage *s)
{
    tensor mid = make(s->squeezed, in->h, in->w), out = make(s->out, in->h, in->w);
    char name[64];

    strcat(strcpy(name, s->name), ".squeeze");
    conv(&mid, 0, s->squeezed, in, w, name, 1, 1, 0);
    strcat(strcpy(name, s->name), ".expand1x1");
    conv(&out, 0, s->out / 2, &mid, w, name, 1, 1, 0);
    strcat(strcpy(name, s->name), ".expand3x3");
    conv(&out, s->out / 2, s->out / 2, &mid, w, name, 3, 1, 1);
    free(mid.v);
    return out;
}

/* Number of windows of length k, 2 apart; ceil: samples left over get one of their own. */
static int windows(int n, int k, int ceil_mode)
{
    return (n - k + (ceil_mode ? 1 : 0)) / 2 + 1;
}

/* The largest of a window, and its place; *second is the next. */
static int largest(const tensor *in, int c, int y, int x, int k, double *most, double *second)
{
    int place = 0;

    *most = *second = -INFINITY;
    for (int j = 0; j < k && y + j < in->h; j++)
        for (int i = 0; i < k && x + i < in->w; i++) {
            double v = plane(in, c)[(size_t)(y + j) * (size_t)in->w + (size_t)(x + i)];

            if (v > *most) {
                *second = *most;
                *most = v;
                place = j * k + i;
            } else
                *second = fmax(*second, v);
        }
    return place;
}

static tensor pool(const tensor *in, int k, int ceil_mode, choices *s)
{
    tensor out = make(in->c, windows(in->h, k, ceil_mode), windows(in->w, k, ceil_mode));

    for (int c = 0; c < in->c; c++)
        for (int y = 0; y < out.h; y++)
            for (int x = 0; x < out.w; x++) {
                double most, second;
                int taken = largest(in, c, 2 * y, 2 * x, k, &most, &second);

                plane(&out, c)[(size_t)y * (size_t)out.w + (size_t)x] = most;
                if (s && most > 0) /* else the ReLUs before it passed nothing */
                    choose(s, taken, most - second);
                else if (s)
                    choose(s, 0, INFINITY);
            }
    if (s)
        end_choices(s, squares_of(in), (double)in->c * in->h * in->w);
    return out;
}

static tensor load(const lpips_weights *w, const ref_picture *p, unsigned flags)
{
    const float *shift = lpips_weights_tensor(w, "scaling_layer", "shift");
    const float *scale = lpips_weights_tensor(w, "scaling_layer", "scale");
    int scaled = strcmp(w->version, "0.0");
    tensor t = make(3, p->height, p->width);
    size_t n = (size_t)p->height * (size_t)p->width;

    for (size_t i = 0; i < 3 * n; i++) {
        double x = flags & LPIPS_RANGE_0_1 ? p->rgb[i] : 2 * p->rgb[i] - 1;

        t.v[i] = scaled ? (x - shift[i / n]) / scale[i / n] : x;
    }
    return t;
}

/* ---- one picture -------------------------------------------------------- */

typedef struct side {
    const lpips_weights *w;
    const ref_picture *picture;
    unsigned flags;
    choices choices;
    tensor tap[LPIPS_MAX_LAYERS];
    int taps;
} side;

static void *features(void *arg)
{
    static const stage *const nets[] = {alex, vgg, squeeze};
    side *s = arg;
    tensor t = load(s->w, s->picture, s->flags), next;
    source from = {s->w, s->flags & REF_WANT_CHOICES ? &s->choices : NULL};
    int kept = 0;

    for (const stage *g = nets[s->w->net]; g->what; g++) {
        int tapped = *g->what == '*';

        switch (g->what[tapped]) {
        case 'c':
            next = convolve(&t, &from, g);
            break;
        case 'f':
            next = fire(&t, &from, g);
            break;
        default:
            next = pool(&t, g->kernel, g->what[tapped] == 'P', from.s);
        }
        if (!kept)
            free(t.v);
        t = next;
        kept = tapped;
        if (tapped)
            s->tap[s->taps++] = t;
    }
    return NULL;
}

/* ---- distances ---------------------------------------------------------- */

static void normalise(tensor *t)
{
    size_t n = (size_t)t->h * (size_t)t->w;

    for (size_t i = 0; i < n; i++) {
        double sum = 0;

        for (int c = 0; c < t->c; c++)
            sum += t->v[(size_t)c * n + i] * t->v[(size_t)c * n + i];
        for (int c = 0; c < t->c; c++)
            t->v[(size_t)c * n + i] /= sqrt(sum) + 1e-10;
    }
}

static double *local_distances(const tensor *a, const tensor *b, const float *lin)
{
    size_t n = (size_t)a->h * (size_t)a->w;
    double *d = need(n);

    for (int c = 0; c < a->c; c++)
        for (size_t i = 0; i < n; i++) {
            double e = a->v[(size_t)c * n + i] - b->v[(size_t)c * n + i];

            d[i] += (lin ? lin[c] : 1) * e * e;
        }
    return d;
}

/* Where sample i of n lies between the m samples it is interpolated from. */
static double between(int i, int n, int m, int *lo, int *hi)
{
    double at = fmax((i + .5) * m / n - .5, 0);

    *lo = (int)at;
    *hi = *lo + 1 < m ? *lo + 1 : *lo;
    return at - *lo;
}

static double *enlarge(const double *d, int h, int w, int height, int width)
{
    double *out = need((size_t)height * (size_t)width);

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int y0, y1, x0, x1;
            double fy = between(y, height, h, &y0, &y1), fx = between(x, width, w, &x0, &x1);
            double top = d[y0 * w + x0] * (1 - fx) + d[y0 * w + x1] * fx;
            double low = d[y1 * w + x0] * (1 - fx) + d[y1 * w + x1] * fx;

            out[(size_t)y * (size_t)width + (size_t)x] = top * (1 - fy) + low * fy;
        }
    return out;
}

static void add_layer(ref_result *r, int i, tensor *a, tensor *b, const float *lin)
{
    size_t n = (size_t)a->h * (size_t)a->w;
    double sum = 0;

    normalise(a);
    normalise(b);
    r->low[i] = local_distances(a, b, lin);
    r->width[i] = a->w;
    r->height[i] = a->h;
    for (size_t k = 0; k < n; k++)
        sum += r->low[i][k];
    r->layer[i] = sum / (double)n;
    r->distance += r->layer[i];
}

void ref_lpips(const lpips_weights *w, const ref_picture *a, const ref_picture *b,
               unsigned flags, ref_result *r)
{
    side s[2] = {{.w = w, .picture = a, .flags = flags},
                 {.w = w, .picture = b, .flags = flags & ~REF_WANT_CHOICES}};
    size_t n = (size_t)a->width * (size_t)a->height;
    pthread_t thread;

    memset(r, 0, sizeof *r);
    if (pthread_create(&thread, NULL, features, &s[1]))
        abort();
    features(&s[0]);
    pthread_join(thread, NULL);
    r->layers = s[0].taps;
    r->choice = s[0].choices.v;
    r->choices = s[0].choices.n;
    r->total = flags & LPIPS_WANT_MAP ? need(n) : NULL;
    for (int i = 0; i < r->layers; i++) {
        char name[16] = "lin0.model.1";

        name[3] = (char)('0' + i);
        add_layer(r, i, &s[0].tap[i], &s[1].tap[i],
                  flags & LPIPS_NO_LIN ? NULL : lpips_weights_tensor(w, name, "weight"));
        free(s[0].tap[i].v);
        free(s[1].tap[i].v);
        if (!r->total)
            continue;
        r->map[i] = enlarge(r->low[i], r->height[i], r->width[i], a->height, a->width);
        for (size_t k = 0; k < n; k++)
            r->total[k] += r->map[i][k];
    }
}

void ref_result_free(ref_result *r)
{
    for (int i = 0; i < r->layers; i++) {
        free(r->low[i]);
        free(r->map[i]);
    }
    free(r->total);
    free(r->choice);
    memset(r, 0, sizeof *r);
}

ref_picture ref_picture_u8(const uint8_t *rgb, int width, int height)
{
    size_t n = (size_t)width * (size_t)height;
    ref_picture p = {width, height, need(3 * n)};

    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++)
            p.rgb[c * n + i] = rgb[3 * i + c] / 255.;
    return p;
}

void ref_picture_free(ref_picture *p)
{
    free(p->rgb);
    p->rgb = NULL;
}
