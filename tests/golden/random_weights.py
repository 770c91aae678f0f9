#!/usr/bin/env python3
"""Seeded random weights, byte for byte those of tests/st_writer.c (see st_writer.h).

usage: random_weights.py NET VERSION SEED OUT.safetensors
"""

import math
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "weights"))

import tensors as st  # noqa: E402

MASK = (1 << 64) - 1


def splitmix64(seed):
    """Endless 24-bit integers: the upper bits of splitmix64 started at `seed`."""
    state = seed & MASK
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
        yield (z ^ z >> 31) >> 40


def random_tensors(net, seed):
    """{name: (shape, little-endian float32 bytes)} in file order."""
    out = {}
    draw = splitmix64(seed)
    for name, shape in st.net_tensors(net):
        n = st.count(shape)
        if name in st.SCALING:
            out[name] = st.SCALING[name]
            continue
        if name.startswith("lin"):
            values = [next(draw) / 16777216.0 for _ in range(n)]
        else:
            a = 0.1 if len(shape) == 1 else math.sqrt(6.0 / st.count(shape[1:]))
            values = [(next(draw) - 8388608) / 8388608.0 * a for _ in range(n)]
        out[name] = (shape, struct.pack("<%df" % n, *values))
    return {name: out[name] for name in st.file_order(net)}


def random_weights(net, version, seed):
    """The bytes of the safetensors file, as st_random_weights() makes them."""
    return st.write_safetensors(random_tensors(net, seed), {"net": net, "version": version})


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__.strip())
    net, version, seed, path = sys.argv[1:]
    with open(path, "wb") as f:
        f.write(random_weights(net, version, int(seed, 0)))


if __name__ == "__main__":
    main()
