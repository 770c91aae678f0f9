/*
 * bd.c - BD-rate: how much more or less rate a codec needs for equal quality.
 *
 * Quality is what stands on the x axis, log10 of the rate on the y axis; only their order and
 * relative distances matter, so LPIPS is turned round by its sign.
 */
#include "stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct point {
    double rate, value; /* as given, for what is said */
    double x, y;        /* quality, log10 of the rate */
} point;

typedef struct pieces {
    point *p;
    double *slope;
    size_t n;
} pieces;

static int sign(double x)
{
    return (x > 0) - (x < 0);
}

static double secant(const point *p, size_t i)
{
    return (p[i + 1].y - p[i].y) / (p[i + 1].x - p[i].x);
}

/* Three points, one-sided, held back where it would turn or overshoot the curve. */
static double end_slope(double h0, double h1, double m0, double m1)
{
    double d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1);

    if (sign(d) != sign(m0))
        return 0;
    if (sign(m0) != sign(m1) && fabs(d) > 3 * fabs(m0))
        return 3 * m0;
    return d;
}

static void slopes(const point *p, size_t n, double *d)
{
    if (n == 2) {
        d[0] = d[1] = secant(p, 0);
        return;
    }
    for (size_t i = 1; i + 1 < n; i++) {
        double m0 = secant(p, i - 1), m1 = secant(p, i);
        double h0 = p[i].x - p[i - 1].x, h1 = p[i + 1].x - p[i].x;
        double w0 = 2 * h1 + h0, w1 = h1 + 2 * h0;

        d[i] = sign(m0) * sign(m1) <= 0 ? 0 : (w0 + w1) / (w0 / m0 + w1 / m1);
    }
    d[0] = end_slope(p[1].x - p[0].x, p[2].x - p[1].x, secant(p, 0), secant(p, 1));
    d[n - 1] = end_slope(p[n - 1].x - p[n - 2].x, p[n - 2].x - p[n - 3].x, secant(p, n - 2),
                         secant(p, n - 3));
}

/* Coefficients of the cubic from point i on, in powers of x - p[i].x. */
static void cubic(const pieces *f, size_t i, double c[4])
{
    double h = f->p[i + 1].x - f->p[i].x, m = secant(f->p, i);

    c[0] = f->p[i].y;
    c[1] = f->slope[i];
    c[2] = (3 * m - 2 * f->slope[i] - f->slope[i + 1]) / h;
    c[3] = (f->slope[i] + f->slope[i + 1] - 2 * m) / (h * h);
}

static double antiderivative(const double c[4], double t)
{
    return t * (c[0] + t * (c[1] / 2 + t * (c[2] / 3 + t * c[3] / 4)));
}

static double integral(const pieces *f, double from, double to)
{
    double sum = 0;

    for (size_t i = 0; i + 1 < f->n; i++) {
        double a = fmax(from, f->p[i].x), b = fmin(to, f->p[i + 1].x), c[4];

        if (a >= b)
            continue;
        cubic(f, i, c);
        sum += antiderivative(c, b - f->p[i].x) - antiderivative(c, a - f->p[i].x);
    }
    return sum;
}

int report_pchip(const double *x, const double *y, size_t n, double at, double *value)
{
    pieces f = {malloc(n * sizeof *f.p), malloc(n * sizeof *f.slope), n};
    double c[4];
    size_t i = 0;
    int status = -1;

    if (!f.p || !f.slope || n < 2)
        goto fail;
    for (size_t k = 0; k < n; k++)
        f.p[k] = (point){0, 0, x[k], y[k]};
    slopes(f.p, n, f.slope);
    while (i + 2 < n && at >= x[i + 1])
        i++;
    cubic(&f, i, c);
    at -= x[i];
    *value = c[0] + at * (c[1] + at * (c[2] + at * c[3]));
    status = 0;
fail:
    free(f.p);
    free(f.slope);
    return status;
}

static int by_rate(const void *a, const void *b)
{
    const point *p = a, *q = b;

    if (p->rate != q->rate)
        return p->rate > q->rate ? 1 : -1;
    return (p->value > q->value) - (p->value < q->value);
}

static double quality(double value, enum report_scale scale)
{
    switch (scale) {
    case REPORT_HIGHER:
        return value;
    case REPORT_LOWER:
        return -value;
    default:
        return -log(value);
    }
}

/* The curve sorted and measured; false, and the reason, where it cannot be scored. */
static bool usable(pieces *f, const report_curve *curve, const char *who,
                   enum report_scale scale, report_bd *out)
{
    f->n = curve->n;
    for (size_t i = 0; i < f->n; i++) {
        point *p = &f->p[i];

        *p = (point){curve->rate[i], curve->value[i], 0, 0};
        if (!(p->rate > 0) || !isfinite(p->rate) || !isfinite(p->value)) {
            snprintf(out->why, sizeof out->why, "%s: a point has no rate or no value", who);
            return false;
        }
        if (scale == REPORT_LOWER_LOG && !(p->value > 0)) {
            snprintf(out->why, sizeof out->why, "%s: a value of 0 has no logarithm", who);
            return false;
        }
        p->x = quality(p->value, scale);
        p->y = log10(p->rate);
    }
    qsort(f->p, f->n, sizeof *f->p, by_rate);
    for (size_t i = 1; i < f->n; i++) {
        const point *p = &f->p[i - 1], *q = &f->p[i];

        if (p->rate == q->rate) {
            snprintf(out->why, sizeof out->why, "%s: two points at %.6g kbit/s", who,
                     p->rate);
            return false;
        }
        if (!(q->x > p->x)) {
            snprintf(out->why, sizeof out->why,
                     "%s: not monotone, %.6g at %.6g kbit/s and %.6g at %.6g kbit/s", who,
                     p->value, p->rate, q->value, q->rate);
            return false;
        }
    }
    slopes(f->p, f->n, f->slope);
    return true;
}

static void delta(const pieces *a, const pieces *t, report_bd *out)
{
    const point *a0 = a->p, *a1 = a->p + a->n - 1, *t0 = t->p, *t1 = t->p + t->n - 1;
    double low = fmax(a0->x, t0->x), high = fmin(a1->x, t1->x);

    if (!(high > low)) {
        out->overlap = 0;
        snprintf(out->why, sizeof out->why,
                 "no overlap: the anchor reaches %.6g to %.6g, the test %.6g to %.6g",
                 a0->value, a1->value, t0->value, t1->value);
        return;
    }
    out->overlap = (high - low) / (fmax(a1->x, t1->x) - fmin(a0->x, t0->x));
    out->percent =
        100 * (pow(10, (integral(t, low, high) - integral(a, low, high)) / (high - low)) - 1);
    out->scored = isfinite(out->percent);
    if (!out->scored)
        snprintf(out->why, sizeof out->why, "the rates are too far apart for a number");
}

int report_bd_rate(const report_curve *anchor, const report_curve *test,
                   enum report_scale scale, report_bd *out)
{
    size_t room = (anchor->n > test->n ? anchor->n : test->n) + 1;
    pieces a = {malloc(room * sizeof *a.p), malloc(room * sizeof *a.slope), 0};
    pieces t = {malloc(room * sizeof *t.p), malloc(room * sizeof *t.slope), 0};
    int status = -1;

    *out = (report_bd){.percent = NAN, .overlap = NAN};
    if (!a.p || !a.slope || !t.p || !t.slope)
        goto fail;
    status = 0;
    if (anchor->n < REPORT_BD_POINTS || test->n < REPORT_BD_POINTS)
        snprintf(out->why, sizeof out->why, "fewer than %d points: anchor %zu, test %zu",
                 REPORT_BD_POINTS, anchor->n, test->n);
    else if (usable(&a, anchor, "anchor", scale, out) && usable(&t, test, "test", scale, out))
        delta(&a, &t, out);
fail:
    free(a.p);
    free(a.slope);
    free(t.p);
    free(t.slope);
    return status;
}
