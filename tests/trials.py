"""What the tests of lpips-learn eval share: running it, and folders of trials made by hand.

The program is that of the environment variable LPIPS_LEARN, build/bin/lpips-learn by default.
"""

import os
import struct
import sys

from program import LEARN, Case, png

if not os.access(LEARN, os.X_OK):
    sys.exit(f"{LEARN} is missing; `make learn` builds it, or set LPIPS_LEARN")


def npy(value, shape="(1,)", descr="<f4"):
    """A .npy file of one float32."""
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00\x76\x00" + head.ljust(117).encode() + b"\n" + struct.pack("<f", value)


def grey(value, width=64, height=64):
    """A PNG of one grey."""
    return png([bytes([value]) * (3 * width)] * height, width)


class Trials(Case):
    def trial_2afc(self, folder, stem, people, p0, p1, ref=None):
        """Pictures are PNGs as bytes; the reference is a grey of 100 where none is given."""
        parts = {"ref": ref or grey(100), "p0": p0, "p1": p1}
        for part, data in parts.items():
            self.write(f"{folder}/{part}/{stem}.png", data)
        self.write(f"{folder}/judge/{stem}.npy", npy(people))

    def trial_jnd(self, folder, stem, same, p1):
        self.write(f"{folder}/p0/{stem}.png", grey(100))
        self.write(f"{folder}/p1/{stem}.png", p1)
        self.write(f"{folder}/same/{stem}.npy", npy(same))
