#!/usr/bin/env python3
"""Writes metrics.tsv and lab.tsv: what well-kept packages give for learn/metrics/.

Only developers run this; the tests read the tables.  It needs numpy, PyTorch, Pillow,
scikit-image, piq 0.8.0 and lpips 0.1.4 with torchvision, and ../shared beside the checkout.

L2, PSNR and DSSIM are computed by the package lpips itself, on CIE Lab of scikit-image; the
rest by piq.  All is evaluated in float64.  lpips calls compare_ssim(), which scikit-image had
until 0.17 and which is structural_similarity() since.

usage: make_metrics.py            (takes a minute)
"""
import os
import sys

import lpips
import numpy as np
import piq
import skimage
import torch
from skimage import color, measure
from skimage.metrics import structural_similarity
from torchvision import transforms

HERE = os.path.dirname(os.path.abspath(__file__))
PAIRS_FOLDER = os.path.join(HERE, '..', '..', '..', 'shared', 'data', 'pairs')
sys.path.insert(0, HERE)

import pictures  # noqa: E402

CHANGES = (('scene.1', 'scene.1+blur.2'), ('noise.2', 'scene.2'), ('scene.3', 'scene.3+grain.8'),
           ('scene.4', 'scene.4+shift.2'), ('scene.5', 'scene.5+coarse.32'),
           ('scene.6', 'scene.6+step.97'), ('noise.1', 'noise.9'))
SIZES = ((2, 2), (3, 2), (5, 4), (7, 7), (9, 8), (11, 11), (20, 21), (21, 21), (33, 31), (40, 43),
         (41, 47), (64, 64), (62, 63), (71, 58), (31, 129), (81, 83), (101, 167), (161, 171),
         (255, 193), (384, 387), (401, 385), (640, 651))
BIG = 150000
POWERS = torch.tensor([0.0448, 0.2856, 0.3001, 0.2363, 0.1333], dtype=torch.float64)


def compare_ssim(a, b, data_range, multichannel):
    assert multichannel
    return structural_similarity(a, b, data_range=data_range, channel_axis=-1)


measure.compare_ssim = compare_ssim


def picture(name, width, height):
    path = os.path.join(PAIRS_FOLDER, name + '.png')
    if os.path.exists(path):
        from PIL import Image
        return np.asarray(Image.open(path).convert('RGB'))[:height, :width]
    return pictures.make(name, width, height)


def planes(rgb):
    return torch.tensor(rgb.astype('f8').transpose(2, 0, 1)[None])


def luma(rgb):
    return piq.functional.rgb2yiq(planes(rgb))[:, :1]


def scales(shape):
    return max(n for n in range(1, 6) if min(shape) >= 10 * 2 ** (n - 1) + 1)


def ms_ssim(a, b):
    n = scales(a.shape[:2])
    # Handed over, powers are divided by their sum; piq's own are not.
    powers = None if n == 5 else POWERS[:n]
    return float(piq.multi_scale_ssim(luma(a), luma(b), data_range=255., scale_weights=powers))


def l2_rgb(a, b):
    return float(lpips.L2(use_gpu=False, colorspace='RGB')(planes(a) / 127.5 - 1,
                                                           planes(b) / 127.5 - 1))


def official(rgb):
    """Lab as lpips.L2 and lpips.DSSIM make it of what the package's BAPPS loader yields."""
    loaded = transforms.Compose([transforms.ToTensor(), transforms.Normalize((.5,) * 3, (.5,) * 3)])
    return color.rgb2lab(lpips.tensor2im(loaded(rgb.copy())[None]))


def fsim(a, b, chromatic):
    # A flat picture's phase congruency is 0 over 0, and piq's is made of rounding.
    if any(len(np.unique(p.reshape(-1, 3), axis=0)) == 1 for p in (a, b)):
        return None
    return 1 - float(piq.fsim(planes(a), planes(b), data_range=255., chromatic=chromatic))


METRICS = {
    'l2-rgb': (1, l2_rgb),
    'l2-lab': (1, lambda a, b: lpips.l2(color.rgb2lab(a), color.rgb2lab(b), range=100.)),
    'l2-official': (1, lambda a, b: lpips.l2(official(a), official(b), range=100.)),
    'psnr': (1, lambda a, b: -lpips.psnr(a, b)),
    'ssim-rgb': (7, lambda a, b: lpips.dssim(1. * a, 1. * b)),
    'ssim-lab': (7, lambda a, b: lpips.dssim(color.rgb2lab(a), color.rgb2lab(b), range=100.)),
    'ssim-official': (7, lambda a, b: lpips.dssim(official(a), official(b), range=100.)),
    'ssim': (11, lambda a, b: 1 - float(piq.ssim(luma(a), luma(b), data_range=255.))),
    'ms-ssim': (11, lambda a, b: 1 - ms_ssim(a, b)),
    'fsim': (2, lambda a, b: fsim(a, b, False)),
    'fsimc': (2, lambda a, b: fsim(a, b, True)),
}


def cases():
    for i, (w, h) in enumerate(SIZES):
        for k in (i,) if w * h > BIG else (i, i + 2, i + 3):
            yield (w, h) + CHANGES[k % len(CHANGES)]
    for other in ('ex_p0', 'ex_p1'):
        yield 64, 64, 'ex_ref', other
        yield 61, 47, 'ex_ref', other


def write_lab():
    """Corners, greys around both bends of the curves, and a coarse grid of colours."""
    colours = [(v, v, v) for v in (0, 1, 2, 5, 10, 11, 20, 21, 22, 23, 64, 128, 200, 254, 255)]
    colours += [(r, g, b) for r in (0, 10, 90, 255) for g in (0, 11, 150, 255)
                for b in (0, 25, 180, 255)]
    with open(os.path.join(HERE, 'lab.tsv'), 'w') as f:
        f.write('# CIE Lab of sRGB bytes: skimage.color.rgb2lab() of scikit-image %s, made by '
                'make_metrics.py\n# r\tg\tb\tL\ta\tb\n' % skimage.__version__)
        for rgb, lab in zip(colours, color.rgb2lab(np.array([colours], dtype=np.uint8))[0]):
            f.write('\t'.join([str(v) for v in rgb] + [repr(float(v)) for v in lab]) + '\n')


def main():
    write_lab()
    with open(os.path.join(HERE, 'metrics.tsv'), 'w') as f:
        f.write('# Distances of learn/metrics/ between pictures by formula (tests/pictures.h) and '
                'ex_*, cut at the top left.\n'
                '# Made by make_metrics.py: float64, piq %s, lpips 0.1.4, scikit-image %s, '
                'PyTorch %s\n# metric\twidth\theight\ta\tb\tdistance\n'
                % (piq.__version__, skimage.__version__, torch.__version__.split('+')[0]))
        for w, h, a, b in cases():
            p, q = picture(a, w, h), picture(b, w, h)
            for name, (smallest, function) in METRICS.items():
                value = function(p, q) if min(w, h) >= smallest else None
                if value is not None:
                    f.write('\t'.join((name, str(w), str(h), a, b, repr(float(value)))) + '\n')
            print(w, h, a, b, flush=True)


if __name__ == '__main__':
    main()
