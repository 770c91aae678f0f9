"""Test pictures by formula, byte for byte those of ../pictures.c.  Needs numpy."""
import re

import numpy as np


def mix(x):
    x = x.astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x


def hash_at(x, y, c, seed):
    at = (y * 8192 + x) * 3 + c + seed * 0x9E3779B9
    return mix((at & 0xFFFFFFFF).astype(np.uint32)).astype(np.int64)


def wave(t, period):
    m = 2 * (t % period)
    return np.where(m < period, m, 2 * period - m) * 255 // period


def scene(x, y, c, seed):
    v = (wave(3 * x + 5 * y * (c + 1) + 17 * seed, 197)
         + wave(2 * x * (3 - c) + y + 29 * seed + 400, 331)) // 2
    v = np.where((x // 11 + y // 13 + seed) % 5 == 0, 255 - v, v)
    flat = (x // 16 + 3 * (y // 12) + c + seed) % 7 == 0
    v = np.where(flat, 40 * (seed % 5) + 30, v + hash_at(x, y, c, seed) % 13 - 6)
    return np.clip(v, 0, 255)


BASES = {
    'black': lambda x, y, c, seed: 0 * x * y * c,
    'white': lambda x, y, c, seed: 0 * x * y * c + 255,
    'noise': lambda x, y, c, seed: hash_at(x, y, c, seed) >> 24,
    'scene': scene,
}


def blur(v):
    p = np.pad(v, ((1, 1), (1, 1), (0, 0)), mode='edge')
    h, w = v.shape[:2]
    return (4 + sum(p[i:i + h, j:j + w] for i in range(3) for j in range(3))) // 9


def make(name, width, height):
    """uint8 array of height x width x 3."""
    m = re.fullmatch(r'([a-z]+)\.(\d+)(?:\+([a-z]+)\.(\d+))?', name)
    base, seed, change, n = m[1], int(m[2]), m[3], int(m[4] or 1)
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing='ij')
    index = (y * width + x) * 3 + c
    v = BASES[base](np.maximum(x - n, 0) if change == 'shift' else x, y, c, seed)
    if change == 'step':
        v = np.where(index % n == n // 2, np.where(v == 255, 254, v + 1), v)
    elif change == 'grain':
        v = np.clip(v + hash_at(x, y, c, seed + 77) % (2 * n + 1) - n, 0, 255)
    elif change == 'coarse':
        v = np.clip(v // n * n + n // 2, 0, 255)
    elif change == 'blur':
        for _ in range(n):
            v = blur(v)
    elif change not in (None, 'shift'):
        raise ValueError(name)
    return v.astype(np.uint8)
