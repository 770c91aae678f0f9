#!/usr/bin/env python3
"""Writes gradients.tsv: derivatives of distances by PyTorch's autograd in float64.

Only developers run this, as make_goldens.py, whose nets and pictures it uses.

A row tells of the gradient by picture a's codes (0..255): the largest absolute value and the
mean of all, both in size; single samples; and derivatives along directions of +-1 / n on
patches of 6x5 samples. Samples are counted plane by plane, row by row, R first.

Float rounding may turn a ReLU or a maximum that is near a change, and with it the gradient of
some samples: pairs are taken whose gradient stays when the features are shaken that much.

usage: make_gradients.py            (takes a minute)
"""
import platform
import tempfile

import torch

import make_goldens

SAMPLES, PATCHES = 14, 5
SIZES = {'alex': ((64, 64), (45, 71)), 'vgg': ((48, 40), (33, 52)), 'squeeze': ((64, 64), (41, 58))}
VARIANTS = (('random.1', '0.1', '-'), ('real', '0.1', '-'), ('real', '0.0', '-'),
            ('real', '0.1', 'no-lin'), ('real', '0.1', 'range01'))


def gradient(nets, case, shake=0):
    weights, net, version, flags, width, height, a, b = case
    m = nets.get(weights, net, version, 'no-lin' not in flags)
    conv = type(m).conv

    def shaken(self, x, name, **k):
        y = torch.nn.functional.conv2d(x, self.w[name + '.weight'], self.w[name + '.bias'], **k)
        return torch.relu(y + shake * y.detach().std() * torch.randn_like(y))

    x, y = (make_goldens.picture(name, width, height) for name in (a, b))
    x.requires_grad_(True)
    u, v = ((x + 1) / 2, (y + 1) / 2) if 'range01' in flags else (x, y)
    type(m).conv = shaken
    try:
        distance = m(u, v)[0]
    finally:
        type(m).conv = conv
    distance.backward()
    return float(distance.detach()), (x.grad / 127.5).flatten()


def steady(nets, case, g):
    """Whether rounding of 1e-6 of the features leaves the gradient as it is."""
    for seed in range(6):
        torch.manual_seed(seed)
        off = (gradient(nets, case, 1e-6)[1] - g).abs().max()
        if off > 2e-5 * g.abs().max():
            return False
    return True


def patch(k, width, height):
    """(index, sign) of the samples of patch k."""
    c, x0, y0 = k % 3, (7 + 31 * k) % (width - 6), (5 + 17 * k) % (height - 5)
    for i in range(30):
        yield (c * height + y0 + i // 6) * width + x0 + i % 6, 1 if (i * i + k) % 3 else -1


def row(nets, weights, net, version, flags, width, height):
    for seed in range(1, 200):
        case = (weights, net, version, flags, width, height, 'scene.%d+grain.9' % seed,
                'scene.%d+blur.2' % seed)
        distance, g = gradient(nets, case)
        if steady(nets, case, g):
            break
    else:
        raise SystemExit('%s %s: no steady pair' % (weights, net))
    print(*case, distance, flush=True)
    at = [int(g.abs().argmax())] + [(101 + 7919 * k) % len(g) for k in range(SAMPLES)]
    slopes = [sum(float(g[i]) * s for i, s in patch(k, width, height)) / 30
              for k in range(PATCHES)]
    return '\t'.join([str(c) for c in case] + [repr(distance), repr(float(g.abs().max())),
                                               repr(float(g.abs().mean()))]
                     + ['%d:%r' % (i, float(g[i])) for i in at] + [repr(s) for s in slopes])


def rows(nets):
    for net in make_goldens.NETS:
        for i, (weights, version, flags) in enumerate(VARIANTS):
            yield row(nets, weights, net, version, flags, *SIZES[net][i % 2])


def main():
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        nets = make_goldens.Nets(folder)
        with open(make_goldens.os.path.join(make_goldens.HERE, 'gradients.tsv'), 'w') as f:
            f.write('# Derivatives of distances by the codes of picture a.\n'
                    '# Made by make_gradients.py: float64, PyTorch %s, %s, '
                    '../shared/tools/reference.py\n'
                    % (torch.__version__.split('+')[0], platform.machine()))
            f.write('# weights\tnet\tversion\tflags\twidth\theight\ta\tb\tdistance\tlargest'
                    '\tmean\tsample:value ...\tpatches ...\n')
            f.writelines(r + '\n' for r in rows(nets))


if __name__ == '__main__':
    main()
