/*
 * checkpoint.h - makes files of weights: safetensors, in memory.
 *
 * Nothing here knows a net; lpips_net_tensor() says which tensors one of LPIPS has.
 */
#ifndef LEARN_CHECKPOINT_H
#define LEARN_CHECKPOINT_H

#include <stddef.h>

/* One tensor to write; floats NULL: zeros.  The name goes into JSON as it is. */
typedef struct learn_tensor {
    const char *name;
    int shape[4], dims;
    const float *floats;
} learn_tensor;

/* Numbers in a tensor. */
size_t learn_tensor_count(const int *shape, int dims);

/*
 * A safetensors file of n F32 tensors in the order given, the header padded with
 * blanks to a multiple of 64 bytes.  metadata is the JSON text of the string map,
 * e.g. {"net":"alex"}; NULL: none.  Returns malloc()ed bytes, NULL without memory.
 */
unsigned char *learn_checkpoint(const learn_tensor *tensors, int n, const char *metadata,
                                size_t *size);

#endif
