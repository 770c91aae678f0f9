/*
 * st_writer.h - makes safetensors files in memory for tests.
 *
 * The seeded weights let every net be tested without a download.  Python's twin
 * (golden/random_weights.py) produces the same bytes, so goldens can be computed
 * elsewhere.
 *
 * The generator: splitmix64 started at `seed`; each value takes one output r, and
 *     k = r >> 40                      0 .. 2^24 - 1
 *     weights, biases   (float)((k - 2^23) / 2^23 * a)     in (-a, a)
 *     lin layers        k / 2^24                           in [0, 1)
 * with a = sqrt(6 / fan_in) for weights (variance 2 / fan_in, which keeps the size of
 * activations from layer to layer) and a = 0.1 for biases.  Everything but the last
 * rounding to float is exact or one correctly rounded double operation.  Tensors
 * are drawn in the order of lpips_net_tensors(); the scaling layer is not drawn but
 * holds the official shift and scale, in 0.0 too.
 */
#ifndef LPIPS_TESTS_ST_WRITER_H
#define LPIPS_TESTS_ST_WRITER_H

#include "../core/net.h"

/* One tensor to write; floats NULL: zeros. */
typedef struct st_item {
    const char *name;
    int shape[4], dims;
    const float *floats;
} st_item;

/*
 * A safetensors file of n F32 tensors in the order given, the header padded with
 * blanks to a multiple of 64 bytes.  metadata is the JSON text of the string map,
 * e.g. {"net":"alex"}; NULL: none.  Returns malloc()ed bytes, NULL without memory.
 */
unsigned char *st_write(const st_item *items, int n, const char *metadata, size_t *size);

/* Complete seeded weights of a net with metadata net and version; malloc()ed. */
unsigned char *st_random_weights(lpips_net net, const char *version, uint64_t seed,
                                 size_t *size);

/*
 * The same in two steps, for tests that damage something in between: the tensors of
 * a net in file order (canonical, but the scaling layer last).  *floats receives one
 * malloc()ed block that all items point into; names lie in `names`.
 */
int st_random_items(lpips_net net, uint64_t seed, st_item items[LPIPS_MAX_TENSORS],
                    lpips_tensor_spec names[LPIPS_MAX_TENSORS], float **floats);

#endif
