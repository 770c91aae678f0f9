/*
 * model.h - loaded weights: checked tensors of one net, immutable and counted.
 *
 * Layers packed for a kernel are made from the raw tensors when the first context
 * needs them and are then shared (pack.h); `lock` guards only that list.
 */
#ifndef LPIPS_MODEL_H
#define LPIPS_MODEL_H

#include "net.h"

#include <pthread.h>
#include <stdatomic.h>

struct lpips_packed; /* pack.h */

struct lpips_weights {
    lpips_net net;
    const lpips_netdef *def;
    char version[8];                        /* "0.1" */
    char hash[65];                          /* SHA-256, hexadecimal */
    const float *tensor[LPIPS_MAX_TENSORS]; /* in the order of lpips_net_tensors() */
    void *storage;                          /* what the tensors point into; NULL: static */
    atomic_int refs;
    pthread_mutex_t lock;
    struct lpips_packed *packed;
    unsigned changes; /* training's own copy: how often its tensors changed, from 1 on */
};

/* A copy for training, whose tensors may be written while nothing reads them; what is packed
 * is made anew where `changes` was raised since.  It has no hash.  w must not have been given
 * to a context, which may have given back the memory of tensors.  NULL: memory. */
lpips_weights *lpips_weights_copy(const lpips_weights *w);

/* The tensor NAME.PART, e.g. ("net.slice2.3", "bias"); NULL if the net has none. */
const float *lpips_weights_tensor(const lpips_weights *w, const char *name, const char *part);

/* The bytes of a weights file, and whose they are. */
typedef struct lpips_source {
    const unsigned char *bytes;
    size_t size;
    int keep;    /* they outlive the weights, whose tensors may then point into them */
    void *block; /* malloc()ed block they lie in, or NULL */
} lpips_source;

/* Makes weights of the bytes; from->block is freed or becomes theirs. */
int lpips_weights_build(lpips_weights **out, lpips_source *from, char *detail,
                        size_t detail_size);

/* Whether it is "0.1" or "0.0". */
int lpips_version_known(const char *version);

/* Frees the list of packed layers (pack.c). */
void lpips_packed_free(struct lpips_packed *list);

#endif
