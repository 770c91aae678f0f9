/*
 * judge.h - what says how far apart two pictures are, by name.
 *
 *     lpips:NET[:VERSION]   alex, vgg, squeeze; 0.1 (the default), 0.0, or none: without lin
 *     random:NET[:SEED]     a net nobody trained, without lin (random.c); seed 0 by default
 *     FILE.safetensors      weights of a file
 *     l2-lab, psnr ...      the classic metrics of metrics/metrics.h
 *
 * A judge is read-only once open: share it between threads, each of which works in a room of
 * its own.
 */
#ifndef LEARN_JUDGE_H
#define LEARN_JUDGE_H

#include <stdint.h>

#include <lpips.h>

#include "metrics/metrics.h"

typedef struct learn_judge {
    char *name;     /* as above, parts left out filled in: "lpips:alex:0.1" */
    char *title;    /* for tables: "LPIPS alex 0.1" */
    char *identity; /* equal where every digit of every distance is: the hash of the
                       weights, the kernels, the version of this program */
    int smallest;   /* the least side of a picture, in pixels */
    const learn_metric *metric; /* NULL: a net */
    lpips_weights *weights;
    unsigned flags; /* LPIPS_NO_LIN or 0 */
} learn_judge;

int learn_judge_open(learn_judge **out, const char *name, char why[LEARN_WHY]);
void learn_judge_free(learn_judge *j);

/* Sentences and options of --help. */
#define LEARN_JUDGE_NAMES                                            \
    "lpips:NET[:VERSION], random:NET[:SEED], a file of weights, or " \
    "a classic metric"

/* ---- working ------------------------------------------------------------------------ */

/* What one thread works with: contexts of the judge's net for the size at hand. */
typedef struct learn_judge_room learn_judge_room;

learn_judge_room *learn_judge_room_make(void);
void learn_judge_room_free(learn_judge_room *r);

/* out[i]: the distance of a[i] and b[i], all of one size; lower is more alike.  One judge's
 * pictures of one size in a row are fastest, and many pairs a call. */
int learn_judge_distances(const learn_judge *j, learn_judge_room *r, const learn_picture *a,
                          const learn_picture *b, int n, double *out, char why[LEARN_WHY]);

/* ---- random.c ------------------------------------------------------------------------ */

/*
 * Weights of a net nobody trained, as the paper's row "random": of every convolution drawn
 * from a normal distribution of mean 0 and variance 2 / fan-in (K. He et al. 2015), biases 0,
 * lin weights 1.  As the features are divided by their own length, only the kind of
 * distribution matters, not its variance.  The same for a seed everywhere.
 */
int learn_random_weights(lpips_weights **out, lpips_net net, uint64_t seed,
                         char why[LEARN_WHY]);

#endif
