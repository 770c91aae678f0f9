/*
 * checkkernels_guard.c - guarded memory, canaries, values.
 */
#include "checkkernels.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { AREA = 1 << 20, PAGE = 1 << 16, MARGIN = 64 };

static char *areas[AREAS];
static struct {
    uint32_t *from, *to;
} fence[AREAS];
static const uint32_t canary = 0x7fc0dead; /* a NaN */
char guard_now[160];

/* ---- memory ------------------------------------------------------------- */

int guard_map(void **state)
{
    (void)state;
    for (int i = 0; i < AREAS; i++) {
        char *p = mmap(NULL, AREA + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED || mprotect(p + PAGE, AREA, PROT_READ | PROT_WRITE))
            return -1;
        areas[i] = p + PAGE;
    }
    return 0;
}

void *guard_place(int area, size_t bytes, enum side side)
{
    assert_true(bytes + sizeof(float) <= AREA);
    if (side == AFTER)
        return areas[area] + AREA - bytes;
    return areas[area] + (side == ODD ? sizeof(float) : 0);
}

float *guard_floats(int area, size_t n, enum side side)
{
    return guard_place(area, n * sizeof(float), side);
}

void *guard_pointers(size_t n, enum side side)
{
    return guard_place(POINTERS, n * sizeof(float *), side == AFTER ? AFTER : BEFORE);
}

float *guard_out(int area, size_t n, enum side side)
{
    float *p = guard_floats(area, n, side);
    uint32_t *first = (uint32_t *)areas[area], *end = first + AREA / sizeof *end;
    uint32_t *from = (uint32_t *)p, *to = from + n;

    fence[area].from = from - first > MARGIN ? from - MARGIN : first;
    fence[area].to = end - to > MARGIN ? to + MARGIN : end;
    for (uint32_t *q = fence[area].from; q < fence[area].to; q++)
        *q = canary;
    return p;
}

float guard_take(float *p)
{
    float x = *p;

    memcpy(p, &canary, sizeof canary);
    return x;
}

void guard_untouched(int area)
{
    for (const uint32_t *p = fence[area].from; p < fence[area].to; p++)
        if (*p != canary)
            fail_msg("%s: wrote between its outputs or beside them", guard_now);
}

/* ---- values ------------------------------------------------------------- */

static uint64_t seed;

int guard_start(void **state)
{
    (void)state;
    guard_now[0] = 0;
    seed = 1;
    return 0;
}

uint32_t guard_draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

float guard_value(enum style style)
{
    float x = (float)guard_draw() / (float)(1 << 30) - 1;

    if (style == POSITIVE)
        return fabsf(x);
    if (style == WIDE)
        return ldexpf(x, (int)(guard_draw() % 101) - 50);
    if (style == TINY)
        switch (guard_draw() % 5) {
        case 0:
            return 0.f;
        case 1:
            return -0.f;
        case 2:
            return x * 0x1p-130f;
        case 3:
            return x * 0x1p-68f;
        }
    return x;
}

void guard_fill(float *p, size_t n, enum style style)
{
    for (size_t i = 0; i < n; i++)
        p[i] = guard_value(style);
}

float *guard_input(int area, size_t n, enum side side, enum style style)
{
    float *p = guard_floats(area, n, side);

    guard_fill(p, n, style);
    return p;
}

double guard_term(double factor, double x)
{
    return fmax(fabs(factor * x), fmax(fabs(factor), 1) * (double)FLT_MIN);
}

void guard_near(float got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s: %.9g, expected %.9g within %.3g", guard_now, (double)got, want,
                 tolerance);
}

int guard_same(float a, float b)
{
    return !memcmp(&a, &b, sizeof a);
}
