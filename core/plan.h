/*
 * plan.h - what a context computes and where it keeps it.
 *
 * A net is worked through in rolling bands of rows: each layer turns a band of rows of its
 * input into a band of its output as soon as those rows exist, and a tensor keeps only the
 * rows that its one reader still needs.  Memory is constant in height.  Wide pictures are
 * also cut into strips of columns, with as much of the neighbours as a strip's taps see, so
 * that it is bounded in width too.
 *
 * Tiles lie on one grid over the whole picture, so neither bands nor strips change a result.
 *
 * For gradients (LPIPS_WANT_GRADIENT) every tensor keeps all of its rows and every layer its
 * features; what is computed is the same, bit for bit.
 */
#ifndef LPIPS_PLAN_H
#define LPIPS_PLAN_H

#include "kernels.h"
#include "model.h"

enum {
    LPIPS_MAX_LAYER_COUNT = 28,
    LPIPS_MAX_SIDE = 1 << 20, /* pixels */
    LPIPS_MAX_PICTURES = 1024,
    LPIPS_CHUNK = 60,          /* pixels of a row a job, a multiple of every kernel's rows */
    LPIPS_SHARED_UNITS = 4,    /* tiles a job where all threads share a group */
    LPIPS_POINT_SCRATCH = 200, /* pixels: a pooled chunk and its product */
    LPIPS_DIRECT_SCRATCH = 300 /* pixels a picture: three rows, pooled chunk */
};

/* A tensor as far as it is kept: NHWC, `ring` rows, some columns, one plane a picture. */
typedef struct lpips_rows {
    int h, w, c;
    int x_lo;      /* column at the start of a row; < 0 with padding */
    int cols;      /* columns held in this strip */
    int ring;      /* rows held: row y lies in slot y mod ring */
    int next;      /* rows produced so far */
    ptrdiff_t row; /* floats from row to row */
    ptrdiff_t pic; /* floats from picture to picture */
    size_t at;     /* in the arena, bytes */
    float *data;
    int mask_ring, mask_row; /* what differences reach (reach.h): rows, bytes a row */
    size_t mask_at;
    unsigned char *mask;
} lpips_rows;

typedef enum lpips_kind {
    LPIPS_LOAD,   /* picture to floats, scaled; alex: 4x4 pixels folded into 48 channels */
    LPIPS_DIRECT, /* first convolution of vgg and squeeze: product over rows of the filter */
    LPIPS_POOL,
    LPIPS_POINT, /* 1x1 convolution, a pool before it where kernel > 1 */
    LPIPS_WINO   /* convolution by Winograd tiles; fire: 1x1 beside it */
} lpips_kind;

/*
 * A layer's features ("mid") need not be kept: where their only reader can be served from
 * the tile or row at hand, its work is done there and only its result is stored.
 */
typedef enum lpips_after {
    LPIPS_KEEP, /* features are the output tensor */
    LPIPS_DROP, /* nothing reads them: the last tap */
    LPIPS_THEN  /* pooled where after_pool > 0, then a 1x1 convolution where after_name */
} lpips_after;

typedef struct lpips_layer {
    lpips_kind kind;
    char name[48];           /* of the tensors, "net.slice2.3.expand3x3" */
    char side[48];           /* of the 1x1 convolution beside it, or "" */
    int in, out;             /* tensors; LOAD has no input, DROP no output */
    int mid_h, mid_w, mid_c; /* features */
    int kernel, stride, pad; /* window on the input */
    int tap;                 /* or -1 */
    lpips_after after;
    int after_pool;      /* 0, 2 (WINO) or 3 (DIRECT) */
    int even;            /* WINO: a pool of 2 follows, here or as a layer of its own */
    char after_name[48]; /* or "" */
    const float *after_bias, *after_u;

    int rows;              /* rows to do: of the output (DIRECT) or of the features */
    int band;              /* of them at once */
    int next;              /* of them, the next one */
    int x0, x1;            /* columns of this strip, counted alike */
    int own0, own1;        /* columns of features whose distances this strip counts */
    const float *bias, *u; /* u: packed filter */
    const float *side_bias, *side_u;
    const float *back_u; /* filter of the way back (pack.h), for gradients */
    int panels;
    int out_at; /* first output channel */
    int block;  /* products added up before sums are */

    int ty, tx;   /* WINO: LPIPS_TILE_* */
    int my, mx;   /* outputs of a tile */
    int t0, t1;   /* tile columns of this strip */
    int band_max; /* rows of the product in a whole band */
    int group;    /* rows of the product that are worked on together */
    int shared;   /* by all threads, so that weights are read less often */
    int pass;     /* panels computed before they are transformed back */
    ptrdiff_t v_row, v_pos, m_row, m_pos; /* floats */

    int mask_rows, mask_row; /* of the band's features (reach.h) */
    size_t mask_at;
    unsigned char *mask;
    float *d; /* tap: distances of the band, or of all with WANT_MAP */
    size_t d_at;
    int d_rows, d_cols;
    double *sum; /* tap: [pair][row], added up from left to right */
    size_t sum_at;
} lpips_layer;

typedef struct lpips_plan {
    const lpips_netdef *net;
    int width, height;
    int fold;     /* 4: LOAD makes the folded tensor (alex) */
    int pictures; /* held at once */
    int threads;
    unsigned flags;
    int strips, strip; /* how many, and the one being worked on */
    int strip_width;
    int layers, tensors;
    lpips_layer layer[LPIPS_MAX_LAYER_COUNT];
    lpips_rows tensor[LPIPS_MAX_LAYER_COUNT];
    size_t zero_at, ones_at, shared_at, scratch_at, scratch_size;
    size_t back_at[2]; /* for gradients (grad.h) */
    size_t bytes;      /* of the arena */
} lpips_plan;

/*
 * Fills the plan, all but pointers.  band_rows, strip_columns: as in lpips_options.
 * LPIPS_ERR_SIZE where the picture is too small for the net or too large for the address
 * space.
 */
int lpips_plan_make(lpips_plan *p, const lpips_netdef *net, int width, int height,
                    const lpips_options *o);

/* Sets the columns of all layers and tensors for strip s, and starts at the top. */
void lpips_plan_strip(lpips_plan *p, int s);

/*
 * The layer to work on next, or -1 at the end: the deepest one whose input rows exist.
 * *y0 and *y1 are its rows.  lpips_plan_done() then counts them as done.
 */
int lpips_plan_next(const lpips_plan *p, int *y0, int *y1);
void lpips_plan_done(lpips_plan *p, int layer, int y1);

#endif
