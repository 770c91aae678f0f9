/*
 * checkkernels.h - the parts of checkkernels: memory that ends where the arguments of a
 * kernel end, ugly values, and the checks of each kernel.
 *
 * Inputs and outputs lie against pages that cannot be touched, so a kernel that reaches
 * outside crashes; guard_now tells with which arguments.  Outputs are surrounded by
 * canaries.
 *
 * Tolerances are FLT_EPSILON times the sum of the absolute terms (guard_term()), times a
 * small factor for the roundings that lie one behind the other.
 */
#ifndef LPIPS_TESTS_CHECKKERNELS_H
#define LPIPS_TESTS_CHECKKERNELS_H

#include "kernels.h"
#include "support.h"

enum { GUARD_MOST = 70 }; /* rows and pixels are counted up to here */

/* Which end of a block has nothing beside it; ODD is one float after the first. */
enum side { AFTER, BEFORE, ODD, SIDES };

/* One mapping of 1 MiB for each buffer that a kernel is given. */
enum { IN, OUT = IN + LPIPS_MAX_TILE, WEIGHTS = OUT + LPIPS_MAX_OUT, BIAS, POINTERS, AREAS };

/* TINY: zeros of both signs, denormals and what has denormal products. */
enum style { PLAIN, POSITIVE, TINY, WIDE, STYLES };

/* What is being tested; "" between tests. */
extern char guard_now[160];
#define NOW(...) snprintf(guard_now, sizeof guard_now, __VA_ARGS__)

/* Setup of the group; and of each test, which starts the values anew. */
int guard_map(void **state);
int guard_start(void **state);

void *guard_place(int area, size_t bytes, enum side side);
float *guard_floats(int area, size_t n, enum side side);
void *guard_pointers(size_t n, enum side side);
float *guard_input(int area, size_t n, enum side side, enum style style);

/* An output: canaries in it and, where there is room, on both sides. */
float *guard_out(int area, size_t n, enum side side);

/* The value, which makes place for the canary again. */
float guard_take(float *p);

/* To be called when all that should have been written has been taken. */
void guard_untouched(int area);

uint32_t guard_draw(void);
float guard_value(enum style style);
void guard_fill(float *p, size_t n, enum style style);

/* |factor * x|, and what rounding to a denormal may cost. */
double guard_term(double factor, double x);

/* Fails unless |got - want| <= tolerance. */
void guard_near(float got, double want, double tolerance);

/* Bit for bit. */
int guard_same(float a, float b);

/* checkkernels_rows.c */
void check_pool_row(const lpips_kernels *k);
void check_head_row(const lpips_kernels *k);
void check_head_zero(const lpips_kernels *k);
void check_load_row(const lpips_kernels *k);
void check_load_refuses(const lpips_kernels *k);
void check_frame_columns(const lpips_kernels *k);

/* checkkernels_grad.c */
void check_head_back_row(const lpips_kernels *k);
void check_relu_back(const lpips_kernels *k);
void check_pool_back_row(const lpips_kernels *k);

/* checkkernels_wino.c */
void check_wino_in(const lpips_kernels *k);
void check_wino_out(const lpips_kernels *k);
void check_filter_panels(const lpips_kernels *k);
void check_wino_filters(const lpips_kernels *k);
void check_row_filters(const lpips_kernels *k);

#endif
