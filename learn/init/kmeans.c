/*
 * kmeans.c - k-means of rows of length 1, over a pool of threads.
 */
#include "init.h"

#include <cblas.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS = 512,  /* that one job looks at */
    CENTRES = 16 /* that one job adds up */
};

typedef struct clusters {
    const float *rows;
    size_t n;
    int d, k;
    float *centres; /* k * d */
    float *norm;    /* of each centre: its squared length */
    int *label;     /* of each row */
    float *near;    /* of each row: squared distance to its centre */
    float *dots;    /* of each worker: ROWS * k */
    size_t *members;
    double *sum;     /* of each worker: d */
    const float *to; /* k-means++: the newest centre */
} clusters;

static int rows_of(const clusters *c, int job)
{
    size_t left = c->n - (size_t)job * ROWS;

    return (int)(left < ROWS ? left : ROWS);
}

static float squares(const float *x, int d)
{
    double sum = 0;

    for (int i = 0; i < d; i++)
        sum += (double)x[i] * x[i];
    return (float)sum;
}

/* Distances to the newest centre, where that is nearer than all before. */
static void approach(void *arg, int worker, int job)
{
    clusters *c = arg;
    size_t from = (size_t)job * ROWS;
    int rows = rows_of(c, job);
    float *dots = c->dots + (size_t)worker * ROWS * (size_t)c->k;
    float length = squares(c->to, c->d);

    cblas_sgemv(CblasRowMajor, CblasNoTrans, rows, c->d, 1.f, c->rows + from * (size_t)c->d,
                c->d, c->to, 1, 0.f, dots, 1);
    for (int i = 0; i < rows; i++) {
        const float *x = c->rows + (from + (size_t)i) * (size_t)c->d;
        float away = squares(x, c->d) + length - 2 * dots[i];

        if (away < c->near[from + (size_t)i])
            c->near[from + (size_t)i] = away > 0 ? away : 0;
    }
}

/* A row, each as likely as its squared distance to the nearest centre is large. */
static size_t draw(const clusters *c, learn_random *random)
{
    double total = 0, at;
    size_t last = 0;

    for (size_t i = 0; i < c->n; i++)
        total += c->near[i];
    if (total <= 0)
        return learn_random_below(random, c->n);
    at = learn_random_unit(random) * total;
    for (size_t i = 0; i < c->n; i++) {
        if (c->near[i] > 0)
            last = i;
        at -= c->near[i];
        if (at < 0)
            break;
    }
    return last;
}

static void begin(clusters *c, learn_random *random, const learn_crew *crew)
{
    size_t bytes = sizeof *c->rows * (size_t)c->d;

    for (size_t i = 0; i < c->n; i++)
        c->near[i] = FLT_MAX;
    for (int i = 0; i < c->k; i++) {
        size_t row = i ? draw(c, random) : learn_random_below(random, c->n);

        c->to = memcpy(c->centres + (size_t)i * (size_t)c->d, c->rows + row * (size_t)c->d,
                       bytes);
        lpips_pool_run(crew->pool, approach, c, (int)((c->n + ROWS - 1) / ROWS));
    }
}

/* Each row's nearest centre: |x - c|^2 = |x|^2 + |c|^2 - 2 x c, the first of equal ones. */
static void assign(void *arg, int worker, int job)
{
    clusters *c = arg;
    size_t from = (size_t)job * ROWS;
    int rows = rows_of(c, job), k = c->k;
    float *dots = c->dots + (size_t)worker * ROWS * (size_t)k;

    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, k, c->d, 1.f,
                c->rows + from * (size_t)c->d, c->d, c->centres, c->d, 0.f, dots, k);
    for (int i = 0; i < rows; i++) {
        const float *dot = dots + (size_t)i * (size_t)k;
        int best = 0;

        for (int j = 1; j < k; j++)
            if (c->norm[j] - 2 * dot[j] < c->norm[best] - 2 * dot[best])
                best = j;
        c->label[from + (size_t)i] = best;
        c->near[from + (size_t)i] =
            c->norm[best] - 2 * dot[best] +
            squares(c->rows + (from + (size_t)i) * (size_t)c->d, c->d);
    }
}

/* The mean of a centre's rows, in their order; one without rows stays where it is. */
static void average(void *arg, int worker, int job)
{
    clusters *c = arg;
    double *sum = c->sum + (size_t)worker * (size_t)c->d;
    int to = (job + 1) * CENTRES < c->k ? (job + 1) * CENTRES : c->k;

    for (int j = job * CENTRES; j < to; j++) {
        float *centre = c->centres + (size_t)j * (size_t)c->d;
        size_t members = 0;

        memset(sum, 0, sizeof *sum * (size_t)c->d);
        for (size_t i = 0; i < c->n; i++)
            if (c->label[i] == j) {
                const float *x = c->rows + i * (size_t)c->d;

                for (int l = 0; l < c->d; l++)
                    sum[l] += x[l];
                members++;
            }
        for (int l = 0; members && l < c->d; l++)
            centre[l] = (float)(sum[l] / (double)members);
        c->members[j] = members;
    }
}

/* Centres that have lost all their rows take those that lie worst. */
static int refill(clusters *c)
{
    int moved = 0;

    for (int j = 0; j < c->k; j++) {
        size_t worst = 0;

        if (c->members[j])
            continue;
        for (size_t i = 1; i < c->n; i++)
            if (c->near[i] > c->near[worst])
                worst = i;
        if (c->near[worst] <= 0)
            break;
        memcpy(c->centres + (size_t)j * (size_t)c->d, c->rows + worst * (size_t)c->d,
               sizeof *c->rows * (size_t)c->d);
        c->near[worst] = 0;
        moved++;
    }
    return moved;
}

/* One round; whether anything changed. */
static int improve(clusters *c, int *before, const learn_crew *crew)
{
    size_t bytes = sizeof *before * c->n;

    for (int j = 0; j < c->k; j++)
        c->norm[j] = squares(c->centres + (size_t)j * (size_t)c->d, c->d);
    memcpy(before, c->label, bytes);
    lpips_pool_run(crew->pool, assign, c, (int)((c->n + ROWS - 1) / ROWS));
    lpips_pool_run(crew->pool, average, c, (c->k + CENTRES - 1) / CENTRES);
    return refill(c) || memcmp(before, c->label, bytes) != 0;
}

int learn_kmeans(float *centres, int k, const float *rows, size_t n, int d, int rounds,
                 learn_random *random, const learn_crew *crew)
{
    size_t workers = (size_t)crew->workers;
    clusters c = {.rows = rows, .n = n, .d = d, .k = k, .centres = centres};
    int *before = malloc(sizeof *before * n), round = -1;

    c.norm = malloc(sizeof *c.norm * (size_t)k);
    c.label = malloc(sizeof *c.label * n);
    c.near = malloc(sizeof *c.near * n);
    c.dots = malloc(sizeof *c.dots * workers * ROWS * (size_t)k);
    c.members = malloc(sizeof *c.members * (size_t)k);
    c.sum = malloc(sizeof *c.sum * workers * (size_t)d);
    if (before && c.norm && c.label && c.near && c.dots && c.members && c.sum) {
        begin(&c, random, crew);
        for (size_t i = 0; i < n; i++)
            c.label[i] = -1;
        round = 0;
        while (round < rounds && improve(&c, before, crew))
            round++;
    }
    free(before);
    free(c.norm);
    free(c.label);
    free(c.near);
    free(c.dots);
    free(c.members);
    free(c.sum);
    return round;
}
