/*
 * st_writer.h - makes seeded weights in memory, as safetensors files, for tests.
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
#include "../learn/data/checkpoint.h"

/* Complete seeded weights of a net with metadata net and version; malloc()ed. */
unsigned char *st_random_weights(lpips_net net, const char *version, uint64_t seed,
                                 size_t *size);

/*
 * The same in two steps, for tests that damage something in between: the tensors of
 * a net in file order (canonical, but the scaling layer last).  *floats receives one
 * malloc()ed block that all items point into; names lie in `names`.
 */
int st_random_items(lpips_net net, uint64_t seed, learn_tensor items[LPIPS_MAX_TENSORS],
                    lpips_tensor_spec names[LPIPS_MAX_TENSORS], float **floats);

#endif
