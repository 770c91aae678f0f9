/*
 * context.h - everything one comparison works on; what runs its layers.
 */
#ifndef LPIPS_CONTEXT_H
#define LPIPS_CONTEXT_H

#include "plan.h"
#include "thread.h"

#include <stdatomic.h>

struct lpips_context {
    lpips_weights *weights;
    lpips_plan plan;
    lpips_kernels kernels;
    lpips_pool *pool;
    char *arena;
    const float *zero;          /* as long as the widest row */
    const float *shift, *scale; /* of the official scaling layer */
    const float *lin[LPIPS_MAX_LAYERS];
    lpips_progress progress;
    void *progress_opaque;

    /* The call: `sets` sets of `set_size` pictures, the first of a set being compared with
     * each of the others.  Set s holds pictures s * set_size ... */
    const lpips_image **picture;
    int sets, set_size;
    int no_reach;                  /* tests: see reach.h */
    atomic_int bad;                /* a float picture was refused */
    double done_before, done_part; /* share of the call done, and of this run */
};

/* Pairs of a call: pair s * (set_size - 1) + k - 1 is picture 0 against k of set s. */
static inline int lpips_pairs(const lpips_context *c)
{
    return c->sets * (c->set_size - 1);
}

static inline int lpips_pictures(const lpips_context *c)
{
    return c->sets * c->set_size;
}

/* Column x of row y of a tensor; rows outside the picture are zeros. */
static inline const float *lpips_row_at(const lpips_context *c, const lpips_rows *t, int pic,
                                        int y, int x)
{
    if (y < 0 || y >= t->h)
        return c->zero;
    return t->data + pic * t->pic + y % t->ring * t->row + (ptrdiff_t)(x - t->x_lo) * t->c;
}

static inline float *lpips_row_out(const lpips_rows *t, int pic, int y, int x)
{
    return t->data + pic * t->pic + y % t->ring * t->row + (ptrdiff_t)(x - t->x_lo) * t->c;
}

/* Scratch memory of one worker. */
static inline float *lpips_scratch(const lpips_context *c, int worker)
{
    return (float *)(c->arena + c->plan.scratch_at + c->plan.scratch_size * (size_t)worker);
}

/* A band of one layer: what a job works on. */
typedef struct lpips_band {
    lpips_context *c;
    lpips_layer *l;
    const lpips_rows *in;
    const lpips_rows *out;
    int y0, y1; /* the layer's rows */
    int f0, f1; /* rows of features whose distances belong to the band */
} lpips_band;

/*
 * x -> (2 x - 1 - shift) / scale for x in 0..1 (official ScalingLayer), as one product and
 * one sum for samples of the picture's format; without the 2 x - 1 where the pictures are
 * left in 0..1.
 */
void lpips_scaling(const lpips_context *c, const lpips_image *img, float mul[3],
                   float add[3]);

/* After the tensors of weights that only this context uses were changed (model.h): packs
 * them again, layers at once. */
void lpips_context_refresh(lpips_context *c);

/* Works through the net for the pictures of the call; LPIPS_OK or an error. */
int lpips_run(lpips_context *c);

/* One band of a Winograd layer (wino.c). */
void lpips_run_wino(lpips_band *b);

/* Distances of features [x0, x1) of row y of one set, as far as the strip owns them.
 * Picture k's features lie at f + k * step. */
void lpips_head(const lpips_band *b, int set, int y, int x0, int x1, const float *f,
                ptrdiff_t step);

/* Adds the band's distances to the sums (head.c). */
void lpips_head_sum(lpips_band *b);

/* Distance and layer terms of a pair from the sums; writes the maps that are asked for. */
void lpips_head_result(const lpips_context *c, int pair, lpips_result *r);
void lpips_head_maps(lpips_context *c, int pair, const lpips_map *map);

#endif
