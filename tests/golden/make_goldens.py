#!/usr/bin/env python3
"""Writes formula.tsv, real.tsv and maps.tsv: distances by an independent implementation.

Only developers run this; the tests read the tables.  It needs numpy, PyTorch and Pillow,
and ../shared beside the checkout: tools/reference.py, an LPIPS in PyTorch that shares no
code with this repository, evaluated in float64.

usage: make_goldens.py            (takes some minutes)
"""
import importlib.util
import os
import platform
import sys
import tempfile

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.path.join(HERE, '..', '..', '..', 'shared')
sys.path.insert(0, HERE)

import pictures  # noqa: E402
import random_weights  # noqa: E402

spec = importlib.util.spec_from_file_location(
    'reference', os.path.join(SHARED, 'tools', 'reference.py'))
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

NETS = ('alex', 'vgg', 'squeeze')
SMALLEST = {'alex': 31, 'vgg': 16, 'squeeze': 17}
SEED = 1
PAIRS = (('scene.1', 'scene.1+blur.2'), ('noise.2', 'scene.2'), ('scene.3', 'scene.3+grain.8'),
         ('scene.4', 'scene.4+shift.2'), ('scene.5', 'scene.5+coarse.32'))
SIZES = ((33, 31), (47, 61), (58, 40), (62, 62), (63, 65), (70, 37), (31, 129), (101, 67))
VARIANTS = (('0.0', '-'), ('0.1', 'no-lin'), ('0.1', 'range01'), ('0.0', 'no-lin,range01'))
# Changes so small that distances come out just above these.
FAINT = (1e-5, 1e-4, 1e-3)
FAINT_CHANGES = (['step.%d' % n for n in (2003, 997, 499, 211, 97, 47, 23, 11, 5, 3, 2)]
                 + ['grain.%d' % n for n in (1, 2, 3, 4, 5, 6, 8)])
SAMPLES = 6


def picture(name, width, height):
    path = os.path.join(SHARED, 'data', 'pairs', name + '.png')
    if os.path.exists(path):
        from PIL import Image
        rgb = np.asarray(Image.open(path).convert('RGB'))[:height, :width]
    else:
        rgb = pictures.make(name, width, height)
    assert rgb.shape == (height, width, 3)
    return torch.tensor(rgb.astype('f8').transpose(2, 0, 1)[None] / 127.5 - 1)


class Nets:
    """Modules by (weights, net, version, lin), made once."""

    def __init__(self, folder):
        self.folder, self.made = folder, {}

    def get(self, weights, net, version, lin):
        key = weights, net, version, lin
        if key not in self.made:
            self.made[key] = self.make(*key)
        return self.made[key]

    def make(self, weights, net, version, lin):
        if weights == 'real':
            return reference.LPIPS(net, lin=lin, dtype=torch.float64, version=version)
        path = os.path.join(self.folder, net)
        if not os.path.exists(path):
            with open(path, 'wb') as f:
                f.write(random_weights.random_weights(net, '0.1', int(weights.split('.')[1])))
        m = reference.LPIPS(net, path=path, lin=lin, dtype=torch.float64)
        if version == '0.0':
            m.w['scaling_layer.shift'] *= 0
            m.w['scaling_layer.scale'] = m.w['scaling_layer.scale'] * 0 + 1
        return m


def evaluate(nets, case, spatial=False):
    weights, net, version, flags, width, height, a, b = case
    m = nets.get(weights, net, version, 'no-lin' not in flags)
    x, y = picture(a, width, height), picture(b, width, height)
    if 'range01' in flags:
        x, y = (x + 1) / 2, (y + 1) / 2
    with torch.no_grad():
        return m(x, y, spatial)


def row(nets, case):
    total, layers = evaluate(nets, case)
    terms = [repr(float(t)) for t in layers]
    print(*case, float(total), flush=True)
    return '\t'.join([str(c) for c in case] + [repr(float(total))] + terms)


def faint(nets, weights, net, base, width, height):
    """The changes with the smallest distances from each of FAINT up."""
    cases = [(weights, net, '0.1', '-', width, height, base, base + '+' + change)
             for change in FAINT_CHANGES]
    found = sorted((float(evaluate(nets, c)[0]), c) for c in cases)
    return [next(c for d, c in found if d >= t) for t in FAINT]


def formula_cases(nets):
    for net in NETS:
        weights, n = 'random.%d' % SEED, SMALLEST[net]
        for i, (w, h) in enumerate(((n, n), (n, n + 7), (n + 2, n)) + SIZES):
            for k in (i, i + 2):
                yield (weights, net, '0.1', '-', w, h) + PAIRS[k % len(PAIRS)]
        for version, flags in VARIANTS:
            yield (weights, net, version, flags, 57, 43) + PAIRS[0]
            yield (weights, net, version, flags, 35, 66) + PAIRS[1]
        yield (weights, net, '0.1', '-', 64, 64, 'black.0', 'white.0')
        yield from faint(nets, weights, net, 'scene.6', 61, 47)


def real_cases(nets):
    for net in NETS:
        for version, flags in (('0.1', '-'), ('0.0', '-'), ('0.1', 'no-lin')):
            for other in ('ex_p0', 'ex_p1'):
                yield 'real', net, version, flags, 64, 64, 'ex_ref', other
        for w, h in ((47, 61), (58, 40), (62, 62)):
            yield 'real', net, '0.1', '-', w, h, 'ex_ref', 'ex_p0'
        yield 'real', net, '0.1', 'range01', 64, 64, 'ex_ref', 'ex_p0'
        yield 'real', net, '0.1', '-', 64, 64, 'black.0', 'white.0'
        yield from faint(nets, 'real', net, 'scene.7', 95, 73)
        yield ('real', net, '0.1', '-', 71, 53) + PAIRS[0]


def map_rows(nets, case):
    weights, net, version, flags, width, height, a, b = case
    total, layers = evaluate(nets, case, True)
    for name, m in [('total', total)] + [(str(i), m) for i, m in enumerate(layers)]:
        corners = [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)]
        inside = [((7 + 31 * k) % width, (5 + 43 * k) % height) for k in range(SAMPLES)]
        for x, y in corners + inside:
            yield '\t'.join([str(c) for c in case] + [name, str(x), str(y),
                                                      repr(float(m[0, 0, y, x]))])


def write(name, what, columns, rows):
    with open(os.path.join(HERE, name), 'w') as f:
        f.write('# %s\n' % what)
        f.write('# Made by make_goldens.py: float64, PyTorch %s, %s, ../shared/tools/reference.py\n'
                % (torch.__version__.split('+')[0], platform.machine()))
        f.write('# %s\n' % '\t'.join(columns))
        f.writelines(r + '\n' for r in rows)


def main():
    torch.set_num_threads(1)
    case = ['weights', 'net', 'version', 'flags', 'width', 'height', 'a', 'b']
    with tempfile.TemporaryDirectory() as folder:
        nets = Nets(folder)
        write('formula.tsv', 'Distances of pictures by formula (tests/pictures.h) under seeded '
              'random weights (tests/st_writer.h).', case + ['distance', 'layers ...'],
              [row(nets, c) for c in formula_cases(nets)])
        write('real.tsv', 'Distances under the published weights; ex_* are 64x64 pictures, cut '
              'at the top left.', case + ['distance', 'layers ...'],
              [row(nets, c) for c in real_cases(nets)])
        maps = []
        for net in NETS:
            for c in (('random.%d' % SEED, net, '0.1', '-', 61, 47) + PAIRS[0],
                      ('random.%d' % SEED, net, '0.1', 'no-lin', 38, 83) + PAIRS[2],
                      ('real', net, '0.1', '-', 64, 64, 'ex_ref', 'ex_p0'),
                      ('real', net, '0.1', '-', 71, 53) + PAIRS[0]):
                maps += map_rows(nets, c)
        write('maps.tsv', 'Samples of local distance maps, whole and by layer.',
              case + ['layer', 'x', 'y', 'value'], maps)


if __name__ == '__main__':
    main()
