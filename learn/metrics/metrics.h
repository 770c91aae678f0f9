/*
 * metrics.h - classic measures of how far apart two pictures are, to judge LPIPS beside.
 *
 *     learn_metric_room *room = learn_metric_room_make();      one for each thread
 *     const learn_metric *m = learn_metric_find("ssim-lab");
 *
 *     if (learn_metric_distance(m, room, &a, &b, &d, why) < 0)  ...
 *     learn_metric_room_free(room);
 *
 * Every one is a distance: lower is more alike, always finite, the same for a and b as for b
 * and a.  All arithmetic is in double, in one order whatever the thread.
 *
 *   name            what is returned               equal    range      smallest side
 *   l2-rgb          mean of squares, -1..1         0        0..4       1
 *   l2-lab          half the mean of squares,      0        0..        1
 *                   CIE Lab over 100
 *   l2-official     the same, as BAPPS was scored  0        0..        1
 *   psnr            - PSNR in dB, RGB              -200     -200..0    1
 *   ssim-rgb        (1 - SSIM) / 2, RGB            0        0..1       7
 *   ssim-lab        (1 - SSIM) / 2, CIE Lab        0        0..1       7
 *   ssim-official   the same, as BAPPS was scored  0        0..1       7
 *   ssim            1 - SSIM, luma                 0        0..2       11
 *   ms-ssim         1 - MS-SSIM, luma              0        0..1       11
 *   fsim            1 - FSIM, luma                 0        0..1       2
 *   fsimc           1 - FSIMc, luma and chroma     0        0..1       2
 *
 * Ranges are those of exact arithmetic; rounding may pass them by some 1e-16.
 *
 * L2 and the first three of SSIM are the baselines of the authors' package lpips 0.1.4
 * (lpips.L2 and lpips.DSSIM of lpips/lpips.py), whose colour space is CIE Lab unless asked
 * for RGB; psnr is lpips.psnr() of the same package, the other way round.  On their way from
 * the package's BAPPS loader to Lab pictures pass through float32 and are truncated to bytes,
 * which makes each byte from 1 to 63 one less.  The metrics called official do that too: they
 * are what the package's test_dataset_model.py scores as l2 and ssim.  On 96 real triplets
 * l2-official is up to 12 % (median 0.9 %) away from l2-lab, ssim-official up to 0.013 from
 * ssim-lab.
 *
 * ssim, ms-ssim, fsim and fsimc are what piq 0.8.0 gives in float64; ssim.c, phase.c and
 * fsim.c name the papers, and where piq departs from the authors' Matlab files.
 */
#ifndef LEARN_METRICS_H
#define LEARN_METRICS_H

#include "learn.h"
#include "picture.h"

/* Memory and prepared transforms that one thread works with; grows with the pictures and is
 * kept between calls, best with pictures of one size in a row. */
typedef struct learn_metric_room learn_metric_room;

/* NULL where memory is short. */
learn_metric_room *learn_metric_room_make(void);
void learn_metric_room_free(learn_metric_room *room);

typedef struct learn_metric {
    const char *name;  /* what users type */
    const char *title; /* for tables, as in the paper: "SSIM (Lab)" */
    int smallest;      /* the least width and height, in pixels */
    /* Two pictures of one size that is large enough; -1 where memory is short. */
    int (*distance)(learn_metric_room *room, const learn_picture *a, const learn_picture *b,
                    double *out);
} learn_metric;

/* All of them in the order of the table above; ends with a name that is NULL. */
extern const learn_metric learn_metrics[];

/* NULL for an unknown name. */
const learn_metric *learn_metric_find(const char *name);

/* The distance of two pictures of one size; 0, or -1 and why: sizes that differ, pictures
 * smaller than the metric's windows, memory. */
int learn_metric_distance(const learn_metric *m, learn_metric_room *room,
                          const learn_picture *a, const learn_picture *b, double *out,
                          char why[LEARN_WHY]);

#endif
