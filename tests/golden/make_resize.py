#!/usr/bin/env python3
"""Writes resize.tsv: hashes of what Pillow's antialiased bilinear makes of pictures by formula.

Only developers write it, with Pillow 12.1 or older; test_learn_resize.c reads it, and, where
Python has Pillow and numpy, asks for other sizes on standard output.

Newer ones sometimes resize columns before rows, which rounds otherwise: 12.2 and 12.3 pictures
over 100 times as tall as wide (their pull request 9524), 13 all whose height is reduced more
than the width (9549).  Such sizes are then not asked for.

usage: make_resize.py [SEED]        with SEED: 60 sizes drawn at random, to standard output
"""
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

try:
    import numpy as np
    import PIL
    from PIL import Image

    import pictures
except ImportError as e:
    print(e, file=sys.stderr)
    sys.exit(77)

OLD = [int(n) for n in PIL.__version__.split('.')[:2]] < [12, 2]
PICTURES = ('noise.1', 'scene.2', 'scene.3+grain.8', 'white.0', 'black.0')
SIZES = ((256, 256, 64, 64), (64, 64, 256, 256), (1, 1, 5, 3), (5, 3, 1, 1), (2, 3, 3, 2),
         (7, 5, 7, 3), (7, 5, 4, 5), (7, 5, 7, 5), (33, 31, 47, 61), (101, 67, 13, 200),
         (13, 200, 101, 67), (129, 31, 128, 30), (250, 3, 3, 250), (511, 2, 1, 2), (3, 400, 3, 1),
         (640, 1, 63, 1), (255, 257, 64, 64))


def hash_of(data):
    h = 0xcbf29ce484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return h


def row(name, size):
    w, h, to_w, to_h = size
    made = Image.fromarray(pictures.make(name, w, h)).resize((to_w, to_h), Image.BILINEAR)
    return '%s\t%d\t%d\t%d\t%d\t%016x\n' % (name, w, h, to_w, to_h,
                                          hash_of(np.asarray(made).tobytes()))


def main():
    if len(sys.argv) > 1:
        drawn = random.Random(int(sys.argv[1]))
        done = 0
        while done < 60:
            w, h, to_w, to_h = size = [int(2 ** drawn.uniform(0, 8)) for _ in range(4)]
            if OLD or to_h * w >= to_w * h:
                sys.stdout.write(row(drawn.choice(PICTURES), size))
                done += 1
        return
    if not OLD:
        sys.exit('make_resize.py: Pillow 12.1 or older is needed, not ' + PIL.__version__)
    with open(os.path.join(HERE, 'resize.tsv'), 'w') as f:
        f.write('# Pictures by formula (tests/pictures.h) resized: FNV-1a, 64 bits, of the bytes.\n'
                '# Made by make_resize.py: Image.resize(..., Image.BILINEAR) of Pillow %s\n'
                '# picture\twidth\theight\tto width\tto height\thash\n' % PIL.__version__)
        for i, size in enumerate(SIZES):
            for name in PICTURES[:3] if i else PICTURES:
                f.write(row(name, size))


if __name__ == '__main__':
    main()
