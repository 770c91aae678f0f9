#!/usr/bin/env python3
"""Weights of version 0.0 for the tests: the backbone of a 0.1 file, other lin layers.

usage: make_v00.py NET V01.safetensors LIN.pth OUT.safetensors
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "weights"))

import convert  # noqa: E402
import tensors as st  # noqa: E402


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__.strip())
    net, old, lin, out = sys.argv[1:]
    found, _ = st.read_safetensors(convert.read(old))
    found.update(convert.from_lin(net, "0.0", convert.read(lin), lin))
    convert.write(out, net, "0.0", convert.check(net, found, old), "made for a test")


if __name__ == "__main__":
    main()
