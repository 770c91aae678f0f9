/*
 * whiten.c - principal directions of patches: their matrix of products, and its largest
 * eigenvectors by LAPACK.
 */
#include "init.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Eigenvalues below TINY are taken as no variation, and EPSILON keeps the rest from blowing
 * up noise: the values of the authors' program. */
#define TINY    1e-6
#define EPSILON 1e-3

enum {
    COLUMNS = 192, /* of the matrix, made by one job */
    CHUNK = 2048,  /* patches summed in float before they are added in double */
    ROWS = 1024    /* patches that one job projects */
};

/* LAPACK's, in Fortran's manner: the last arguments are the lengths of the strings. */
void dsyevr_(const char *jobz, const char *range, const char *uplo, const int *n, double *a,
             const int *lda, const double *vl, const double *vu, const int *il, const int *iu,
             const double *abstol, int *m, double *w, double *z, const int *ldz, int *isuppz,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t,
             size_t, size_t);

typedef struct products {
    const float *patches;
    size_t n;
    int d;
    double *matrix; /* d * d, entries [i][j] with i >= the job's first column's */
    float *scratch; /* of each worker: COLUMNS * d */
} products;

/* Rows of the lower triangle: the sum over patches of x_i x_j. */
static void multiply(void *arg, int worker, int job)
{
    products *p = arg;
    int d = p->d, from = job * COLUMNS, count = d - from < COLUMNS ? d - from : COLUMNS;
    int width = from + count;
    float *part = p->scratch + (size_t)worker * COLUMNS * (size_t)d;

    for (size_t at = 0; at < p->n; at += CHUNK) {
        int rows = (int)(p->n - at < CHUNK ? p->n - at : CHUNK);
        const float *x = p->patches + at * (size_t)d;

        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, count, width, rows, 1.f,
                    x + from, d, x, d, 0.f, part, width);
        for (int i = 0; i < count; i++)
            for (int j = 0; j < width; j++)
                p->matrix[(size_t)(from + i) * (size_t)d + (size_t)j] +=
                    part[(size_t)i * (size_t)width + (size_t)j];
    }
}

/* The `keep` largest eigenvalues, rising, and their vectors as rows of z.  What is the lower
 * triangle by rows is the upper one by columns, as Fortran has them. */
static int largest(double *matrix, int d, int keep, double *value, double *z)
{
    int il = d - keep + 1, found, info, lwork = -1, liwork = -1, iwant, *iwork = NULL;
    int *support = malloc(sizeof *support * 2 * (size_t)keep);
    double none = 0, want, *work = NULL;

    if (!support)
        return -1;
    dsyevr_("V", "I", "U", &d, matrix, &d, &none, &none, &il, &d, &none, &found, value, z, &d,
            support, &want, &lwork, &iwant, &liwork, &info, 1, 1, 1);
    lwork = (int)want;
    liwork = iwant;
    work = malloc(sizeof *work * (size_t)lwork);
    iwork = malloc(sizeof *iwork * (size_t)liwork);
    info = -1;
    if (work && iwork)
        dsyevr_("V", "I", "U", &d, matrix, &d, &none, &none, &il, &d, &none, &found, value, z,
                &d, support, work, &lwork, iwork, &liwork, &info, 1, 1, 1);
    free(work);
    free(iwork);
    free(support);
    return info || found != keep ? -1 : 0;
}

/* An eigenvector's sign is LAPACK's whim: the entry that is largest is made positive. */
static double scale_of(const double *z, int d, double value)
{
    int most = 0;

    for (int i = 1; i < d; i++)
        if (fabs(z[i]) > fabs(z[most]))
            most = i;
    if (value < TINY)
        return 0;
    return (z[most] < 0 ? -1 : 1) / sqrt(value + EPSILON);
}

int learn_whiten(float *basis, int keep, const float *patches, size_t n, int d,
                 const learn_crew *crew)
{
    size_t cells = (size_t)d * (size_t)d;
    size_t room = (size_t)crew->workers * COLUMNS * (size_t)d;
    products p = {.patches = patches, .n = n, .d = d};
    double *value = malloc(sizeof *value * (size_t)d);
    double *z = malloc(sizeof *z * (size_t)keep * (size_t)d);
    int status = -1, have = keep < d ? keep : d;

    p.matrix = calloc(cells, sizeof *p.matrix);
    p.scratch = malloc(sizeof *p.scratch * room);
    if (value && z && p.matrix && p.scratch) {
        lpips_pool_run(crew->pool, multiply, &p, (d + COLUMNS - 1) / COLUMNS);
        status = largest(p.matrix, d, have, value, z);
    }
    memset(basis, 0, sizeof *basis * (size_t)keep * (size_t)d);
    for (int i = 0; !status && i < have; i++) {
        const double *row = z + (size_t)(have - 1 - i) * (size_t)d;
        double scale = scale_of(row, d, value[have - 1 - i]);

        for (int j = 0; j < d; j++)
            basis[(size_t)i * (size_t)d + (size_t)j] = (float)(row[j] * scale);
    }
    free(value);
    free(z);
    free(p.matrix);
    free(p.scratch);
    return status;
}

typedef struct projection {
    const float *patches, *basis;
    float *out;
    size_t n;
    int d, keep;
} projection;

static void project(void *arg, int worker, int job)
{
    projection *p = arg;
    size_t from = (size_t)job * ROWS;
    int rows = (int)(p->n - from < ROWS ? p->n - from : ROWS);
    float *out = p->out + from * (size_t)p->keep;

    (void)worker;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, p->keep, p->d, 1.f,
                p->patches + from * (size_t)p->d, p->d, p->basis, p->d, 0.f, out, p->keep);
    for (int i = 0; i < rows; i++) {
        float *row = out + (size_t)i * (size_t)p->keep;
        double length = 0;

        for (int j = 0; j < p->keep; j++)
            length += (double)row[j] * row[j];
        for (int j = 0; length > 0 && j < p->keep; j++)
            row[j] = (float)(row[j] / sqrt(length));
    }
}

void learn_project(float *rows, const float *basis, int keep, const float *patches, size_t n,
                   int d, const learn_crew *crew)
{
    projection p = {patches, basis, rows, n, d, keep};

    lpips_pool_run(crew->pool, project, &p, (int)((n + ROWS - 1) / ROWS));
}
