/*
 * fit.c - the logistic between distances and scores; see correlate.h.
 *
 * Both are brought to mean 0 and deviation 1 first, so that the starts suit any scale.
 */
#include "correlate.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit_nlinear.h>

enum { ROUNDS_MOST = 500 };

typedef struct points {
    const double *x, *y;
    size_t n;
} points;

/* b[0], b[1], b[2], b[4], and last b[3]: four parameters are the first four. */
static double falling(double t)
{
    return 1 / (1 + exp(t));
}

static int residuals(const gsl_vector *b, void *of, gsl_vector *out)
{
    const points *p = of;
    const double slope = b->size > 4 ? gsl_vector_get(b, 4) : 0;

    for (size_t i = 0; i < p->n; i++) {
        const double t = gsl_vector_get(b, 1) * (p->x[i] - gsl_vector_get(b, 2));

        gsl_vector_set(out, i,
                       gsl_vector_get(b, 0) * (0.5 - falling(t)) + slope * p->x[i] +
                           gsl_vector_get(b, 3) - p->y[i]);
    }
    return GSL_SUCCESS;
}

static int slopes(const gsl_vector *b, void *of, gsl_matrix *out)
{
    const points *p = of;

    for (size_t i = 0; i < p->n; i++) {
        const double moved = p->x[i] - gsl_vector_get(b, 2);
        const double f = falling(gsl_vector_get(b, 1) * moved);
        const double steep = gsl_vector_get(b, 0) * f * (1 - f);

        gsl_matrix_set(out, i, 0, 0.5 - f);
        gsl_matrix_set(out, i, 1, steep * moved);
        gsl_matrix_set(out, i, 2, -steep * gsl_vector_get(b, 1));
        gsl_matrix_set(out, i, 3, 1);
        if (b->size > 4)
            gsl_matrix_set(out, i, 4, p->x[i]);
    }
    return GSL_SUCCESS;
}

/* From one start; the sum of squares, or INFINITY where none was reached. */
static double descend(gsl_multifit_nlinear_workspace *w, gsl_multifit_nlinear_fdf *f,
                      gsl_vector *start)
{
    double squares = INFINITY;
    int info;

    if (gsl_multifit_nlinear_init(start, f, w) != GSL_SUCCESS)
        return INFINITY;
    gsl_multifit_nlinear_driver(ROUNDS_MOST, 1e-12, 1e-12, 0, NULL, NULL, &info, w);
    gsl_blas_ddot(gsl_multifit_nlinear_residual(w), gsl_multifit_nlinear_residual(w),
                  &squares);
    return isfinite(squares) ? squares : INFINITY;
}

/* The best of all starts into `best`; 0 where none led anywhere.  With four parameters all
 * lead to one curve, and those in the middle do; with five there are often several, and the
 * best of few starts has been seen to be 5 % off. */
static int search(gsl_multifit_nlinear_workspace *w, gsl_multifit_nlinear_fdf *f,
                  gsl_vector *start, double best[5])
{
    static const double steepness[] = {0.3, 1, 3, 10, 30},
                        middles[] = {-1.5, -0.7, 0, 0.7, 1.5};
    double least = INFINITY;

    for (int i = 0; i < 50; i++) {
        double squares;

        if (start->size == 4 && middles[i / 2 % 5] != 0)
            continue;
        gsl_vector_set_zero(start);
        gsl_vector_set(start, 0, i % 2 ? 2 : -2);
        gsl_vector_set(start, 1, steepness[i / 10]);
        gsl_vector_set(start, 2, middles[i / 2 % 5]);
        squares = descend(w, f, start);
        if (squares < least) {
            least = squares;
            for (size_t k = 0; k < start->size; k++)
                best[k] = gsl_vector_get(gsl_multifit_nlinear_position(w), k);
        }
    }
    return isfinite(least);
}

/* To mean 0 and deviation 1; false where all are equal. */
static bool standardise(const double *values, size_t n, double *out, double *mean,
                        double *deviation)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < n; i++)
        sum += values[i];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - *mean) * (values[i] - *mean);
    *deviation = sqrt(squares / (double)n);
    for (size_t i = 0; i < n; i++)
        out[i] = (values[i] - *mean) / *deviation;
    return *deviation > 0;
}

static int fit_standard(points *p, int parameters, double best[5], bool *fitted)
{
    gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
    gsl_multifit_nlinear_fdf f = {
        .f = residuals, .df = slopes, .n = p->n, .p = (size_t)parameters, .params = p};
    gsl_multifit_nlinear_workspace *w =
        gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &how, p->n, f.p);
    gsl_vector *start = gsl_vector_alloc(f.p);

    if (w && start)
        *fitted = search(w, &f, start, best);
    if (w)
        gsl_multifit_nlinear_free(w);
    if (start)
        gsl_vector_free(start);
    return w && start ? 0 : -1;
}

/* GSL would end the program at an error; the handler is one for all threads. */
static pthread_once_t quiet = PTHREAD_ONCE_INIT;

static void keep_gsl_quiet(void)
{
    gsl_set_error_handler_off();
}

int learn_fit(learn_curve *c, int parameters, const double *x, const double *y, size_t n)
{
    double *room = malloc((2 * n + 1) * sizeof *room), mean[2], deviation[2], b[5] = {0};
    points p = {room, room + n, n};
    int status = room ? 0 : -1;

    pthread_once(&quiet, keep_gsl_quiet);
    *c = (learn_curve){.parameters = parameters};
    if (room && n > (size_t)parameters && standardise(x, n, room, &mean[0], &deviation[0]) &&
        standardise(y, n, room + n, &mean[1], &deviation[1]))
        status = fit_standard(&p, parameters, b, &c->fitted);
    if (c->fitted) {
        c->b[0] = b[0] * deviation[1];
        c->b[1] = b[1] / deviation[0];
        c->b[2] = mean[0] + b[2] * deviation[0];
        c->b[3] = b[4] * deviation[1] / deviation[0];
        c->b[4] = mean[1] + b[3] * deviation[1] - c->b[3] * mean[0];
    }
    free(room);
    return status;
}

double learn_curve_at(const learn_curve *c, double x)
{
    return c->b[0] * (0.5 - falling(c->b[1] * (x - c->b[2]))) + c->b[3] * x + c->b[4];
}
