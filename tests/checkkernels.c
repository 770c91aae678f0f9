/*
 * checkkernels.c - every kernel of every instruction set of this machine, against sums in
 * double: sizes around each edge of the tiles, ugly values, memory that ends where the
 * arguments end.  Here: the product, and the program.
 */
#include "checkkernels.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLS = 5 * LPIPS_PANEL };

/* ---- products ----------------------------------------------------------- */

typedef struct product {
    int k, segs, block;
    enum side side;
    enum style style;
    ptrdiff_t stride;
    const float *a[3], *b, *init;
    float alone[GUARD_MOST][COLS]; /* each row's result, computed as the only row */
} product;

/* Rows apart, close, or overlapping; segments apart or overlapping. */
static void make_product(product *p, int turn)
{
    const int stride[] = {p->k, p->k + 3, (p->k + 1) / 2};
    int apart = turn / 3 % 2 ? 3 : 0;
    size_t floats;

    p->stride = stride[turn % 3];
    floats = (size_t)((GUARD_MOST - 1) * p->stride + p->k);
    if (apart)
        p->a[0] =
            guard_input(IN, floats + (size_t)(apart * (p->segs - 1)), p->side, p->style);
    for (int s = 0; s < p->segs; s++)
        p->a[s] =
            apart ? p->a[0] + s * apart : guard_input(IN + s, floats, p->side, p->style);
    p->b = guard_input(WEIGHTS, (size_t)(COLS * p->segs * p->k), p->side, p->style);
    p->init = guard_input(BIAS, COLS, p->side, p->style);
}

typedef struct part {
    int row, rows, panel, panels, relu;
    ptrdiff_t stride;
} part;

static float *multiply(const lpips_kernels *k, const product *p, const part *t)
{
    const float **a = guard_pointers((size_t)p->segs, p->side);
    float *d = guard_out(OUT, (size_t)((t->rows - 1) * t->stride + t->panels * LPIPS_PANEL),
                         p->side);

    NOW("k %d, segs %d, block %d, stride %d, %d rows from %d, %d panels from %d, relu %d",
        p->k, p->segs, p->block, (int)p->stride, t->rows, t->row, t->panels, t->panel,
        t->relu);
    for (int s = 0; s < p->segs; s++)
        a[s] = p->a[s] + t->row * p->stride;
    k->gemm(d, t->stride, a, p->stride, p->segs, t->rows,
            p->b + (ptrdiff_t)t->panel * p->segs * p->k * LPIPS_PANEL, p->k, t->panels,
            p->init + t->panel * LPIPS_PANEL, t->relu, p->block);
    return d;
}

/* The sums of one row in double; roundings of random sign grow as the root of their number.
 */
static void check_row(const product *p, int row)
{
    int deep = p->block < p->k ? p->block + p->k / p->block : p->k;

    NOW("k %d, segs %d, block %d, stride %d, row %d", p->k, p->segs, p->block, (int)p->stride,
        row);
    for (int j = 0; j < COLS; j++) {
        int q = j / LPIPS_PANEL;
        const float *b = p->b + (ptrdiff_t)q * p->segs * p->k * LPIPS_PANEL + j % LPIPS_PANEL;
        double sum = p->init[j], terms = guard_term(1, p->init[j]);

        for (int s = 0; s < p->segs; s++)
            for (int l = 0; l < p->k; l++, b += LPIPS_PANEL) {
                double x = p->a[s][row * p->stride + l];

                sum += x * *b;
                terms += fmax(fabs(x * *b), FLT_MIN);
            }
        guard_near(p->alone[row][j], sum, 2 * FLT_EPSILON * sqrt(deep * p->segs + 1) * terms);
    }
}

/* A row's result depends neither on its place nor on the number of rows. */
static void check_part(const lpips_kernels *k, const product *p, const part *t)
{
    float *d = multiply(k, p, t);

    for (int i = 0; i < t->rows; i++)
        for (int j = 0; j < t->panels * LPIPS_PANEL; j++) {
            float got = guard_take(d + i * t->stride + j);
            float want = p->alone[t->row + i][t->panel * LPIPS_PANEL + j];

            if (t->relu ? got != fmaxf(want, 0) : !guard_same(got, want))
                fail_msg("%s: row %d, column %d is %.9g, alone %.9g", guard_now, i, j,
                         (double)got, (double)want);
        }
    guard_untouched(OUT);
}

static int some_rows(int rows)
{
    return rows < 15 || rows % 12 < 2 || rows % 12 == 11 || rows == GUARD_MOST;
}

static void check_product(const lpips_kernels *k, product *p, int turn)
{
    int all = p->k <= GUARD_MOST && !test_quick();

    make_product(p, turn);
    for (int i = 0; i < GUARD_MOST; i++) {
        float *d = multiply(k, p, &(part){i, 1, 0, COLS / LPIPS_PANEL, 0, COLS});

        for (int j = 0; j < COLS; j++)
            p->alone[i][j] = guard_take(d + j);
        guard_untouched(OUT);
        if (i % 13 == turn % 13)
            check_row(p, i);
    }
    for (int rows = 1; rows <= GUARD_MOST; rows++) {
        int panels = 1 + (turn + rows) % 5, end = p->side == AFTER;
        part t = {end ? GUARD_MOST - rows : 0, rows,
                  end ? 5 - panels : 0,        panels,
                  (turn + rows) / 5 % 2,       panels * LPIPS_PANEL + (turn + rows) % 3 * 5};

        if (all || some_rows(rows))
            check_part(k, p, &t);
    }
}

static void check_gemm(const lpips_kernels *k)
{
    static const int large[] = {96, 128, 192, 256, 384, 512}, block[] = {8, 16, 512};
    static product p;
    int turn = 0;

    for (int i = 0; i < GUARD_MOST + (int)COUNT(large); i += test_quick() ? 5 : 1)
        for (int j = 0; j < 3 * SIDES; j++, turn++) {
            p.k = i < GUARD_MOST ? i + 1 : large[i - GUARD_MOST];
            p.segs = 1 + j / SIDES;
            p.side = (enum side)(j % SIDES);
            p.block = block[(i + p.segs + j) % 3];
            p.style = (enum style)(turn % STYLES);
            check_product(k, &p, turn);
        }
}

/* 2^24 + 1 is 2^24 in float: ones count only if blocks of them are summed first. */
static void check_gemm_blocks(const lpips_kernels *k)
{

    for (int block = 8; block <= 16; block += 8)
        for (int rows = 1; rows <= 26; rows++) {
            float *a = guard_floats(IN, 64, AFTER), *init = guard_floats(BIAS, 16, AFTER);
            float *b = guard_floats(WEIGHTS, 64 * 16, AFTER),
                  *d = guard_out(OUT, 16 * 26, AFTER);

            NOW("block %d, %d rows", block, rows);
            for (int l = 0; l < 64; l++)
                a[l] = l < block - 1 ? 0.f : l < block ? 0x1p24f : 1.f;
            for (int i = 0; i < 64 * 16; i++)
                b[i] = 1.f;
            memset(init, 0, sizeof *init * 16);
            k->gemm(d, 16, &(const float *){a}, 0, 1, rows, b, 64, 1, init, 0, block);
            for (int i = 0; i < rows * 16; i++)
                guard_near(d[i], 0x1p24 + 64 - block, 0);
        }
}

/* ---- sets --------------------------------------------------------------- */

#define PART(test, field)                                    \
    {                                                        \
#test, check_##test, offsetof(lpips_kernels, field), \
            sizeof(((lpips_kernels *)0)->field)              \
    }

static const struct part_test {
    const char *name;
    void (*run)(const lpips_kernels *k);
    size_t at, size; /* the entries of the table that it tests */
} parts[] = {
    PART(gemm, gemm),
    PART(gemm_blocks, gemm),
    PART(row_filters, gemm),
    PART(wino_in, wino_in),
    PART(wino_out, wino_out),
    PART(filter_panels, wino_filters),
    PART(wino_filters, wino_in),
    PART(pool_row, pool_row),
    PART(head_row, head_row),
    PART(head_zero, head_row),
    PART(load_row, load_row),
    PART(load_refuses, load_row),
    PART(frame_columns, frame_columns),
    PART(head_back_row, head_back_row),
    PART(relu_back, relu_back),
    PART(pool_back_row, pool_back_row),
};

/* One part for one set; no kernels: the machine lacks the set. */
typedef struct job {
    char name[64];
    const lpips_kernels *kernels;
    void (*run)(const lpips_kernels *k);
} job;

static void run_job(void **state)
{
    const job *j = *state;

    if (!j->kernels)
        skip();
    j->run(j->kernels);
    guard_now[0] = 0;
}

/* cmocka survives a crash but cannot tell what was going on. */
static int finish(void **state)
{
    (void)state;
    if (guard_now[0])
        print_message("# failed at: %s\n", guard_now);
    return 0;
}

static const struct {
    const char *name;
    unsigned cpu;
} sets[] = {
    {"C", 0},
    {"OpenBLAS", LPIPS_CPU_BLAS},
    {"AVX2", LPIPS_CPU_AVX2},
    {"AVX-512", LPIPS_CPU_AVX512},
};

/* Beyond the product a set is tested in what it does not take from C. */
static size_t add_set(struct CMUnitTest *tests, job *jobs, size_t set, lpips_kernels *table)
{
    static lpips_kernels c;
    unsigned missing = sets[set].cpu & ~lpips_cpu_features();
    size_t n = 0;

    lpips_kernels_init(&c, 0);
    lpips_kernels_init(table, sets[set].cpu & ~missing);
    for (size_t i = 0; i < (missing ? 1 : COUNT(parts)); i++) {
        const struct part_test *p = &parts[i];

        if (set && p->at != offsetof(lpips_kernels, gemm) &&
            !memcmp((char *)table + p->at, (char *)&c + p->at, p->size))
            continue;
        jobs[n].kernels = missing ? NULL : table;
        jobs[n].run = p->run;
        snprintf(jobs[n].name, sizeof jobs[n].name, "%s: %s", sets[set].name,
                 missing ? "not on this machine" : p->name);
        tests[n] = (struct CMUnitTest){jobs[n].name, run_job, guard_start, finish, &jobs[n]};
        n++;
    }
    return n;
}

int main(void)
{
    static lpips_kernels tables[COUNT(sets)];
    static job jobs[COUNT(sets) * COUNT(parts)];
    struct CMUnitTest tests[COUNT(jobs)];
    size_t n = 0;
    int failed;

    for (size_t i = 0; i < COUNT(sets); i++)
        n += add_set(tests + n, jobs + n, i, &tables[i]);
    failed = _cmocka_run_group_tests("checkkernels", tests, n, guard_map, NULL);
    test_free_weights();
    return failed;
}
