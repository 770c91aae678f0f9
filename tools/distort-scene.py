#!/usr/bin/env python3
"""A clip by formula, to show distortions on: python3 tools/distort-scene.py FOLDER

Nine pictures of 160x160 in FOLDER, 0.png to 8.png: a sky, hills that wood and fields cover, a
lake, a house with a tiled roof, and a ball that rolls by. Hard edges, fine texture, smooth
shades and saturated colours are all near the middle, where a contact sheet looks. docs/ has
the sheets of it.
"""

import math
import os
import struct
import sys
import zlib

SIZE, FRAMES, SAMPLES = 160, 9, 3


def grain(x, y, seed=0):
    """Smooth chance in 0..1: corners of whole numbers hashed, cubic between."""

    def corner(i, j):
        h = (i * 374761393 + j * 668265263 + seed * 2147483647) & 0xFFFFFFFF
        h = ((h ^ h >> 13) * 1274126177) & 0xFFFFFFFF
        return (h ^ h >> 16) / 0xFFFFFFFF

    i, j = math.floor(x), math.floor(y)
    u, v = (t * t * (3 - 2 * t) for t in (x - i, y - j))
    top = corner(i, j) * (1 - u) + corner(i + 1, j) * u
    low = corner(i, j + 1) * (1 - u) + corner(i + 1, j + 1) * u
    return top * (1 - v) + low * v


def mix(a, b, t):
    return [p + (q - p) * t for p, q in zip(a, b)]


def ball(x, y, t):
    """A red ball with a white stripe, lit from the upper left; None beside it."""
    cx, cy, r = 62 + 2 * t, 112, 13
    u, v = (x - cx) / r, (y - cy) / r
    if u * u + v * v > 1:
        return None
    turn = t * 2 / r
    stripe = abs(u * math.sin(turn) - v * math.cos(turn)) < 0.22
    light = 0.45 + 0.6 * max(0, math.sqrt(1 - u * u - v * v) * 0.6 - 0.5 * u - 0.6 * v)
    return [min(1, light * c) for c in ((0.95, 0.92, 0.85) if stripe else (0.85, 0.12, 0.1))]


def house(x, y):
    if 76 < x < 118 and 66 < y < 100:  # wall, with two windows and a door
        u, v = (x - 76) % 21, y - 66
        if 6 < u < 15 and 7 < v < 18:
            return [0.25, 0.35, 0.5] if abs(u - 10.5) > 0.8 and abs(v - 12.5) > 0.8 else [1, 1, 1]
        if 93 < x < 101 and v > 19:
            return [0.35, 0.2, 0.12]
        return [0.9, 0.84, 0.7] if (y % 4 > 0.7) else [0.72, 0.66, 0.52]
    if 44 < y < 66 and abs(x - 97) < (y - 44) * 1.25:  # roof
        tile = 0.75 if (x + (y // 4 % 2) * 3) % 6 < 1 or y % 4 < 1 else 1
        return [0.72 * tile, 0.3 * tile, 0.22 * tile]
    return None


def ground(x, y):
    near = (y - 60) / 100
    wood = grain(x / 2, y / 2, 1) * 0.6 + grain(x / 5, y / 5, 2) * 0.4
    field = 0.5 + 0.5 * math.sin((x + 0.6 * y) * 1.1 / (0.5 + near))
    green = mix([0.1, 0.28, 0.1], [0.38, 0.55, 0.2], wood)
    straw = mix([0.75, 0.66, 0.3], [0.6, 0.5, 0.2], field)
    if y > 118 + 5 * math.sin(x / 19):  # lake
        wave = 0.5 + 0.5 * math.sin(y * 1.3 + 3 * grain(x / 9, y / 3, 5))
        return mix([0.08, 0.25, 0.42], [0.45, 0.65, 0.78], wave * (y - 100) / 90)
    return straw if x < 70 - 0.3 * y + 12 * grain(x / 20, y / 20, 7) + 20 else green


def scene(x, y, t):
    for thing in (ball(x, y, t), house(x, y)):
        if thing:
            return thing
    hills = 62 + 9 * math.sin(x / 23 + 1) + 5 * grain(x / 6, 0, 3)
    if y > hills:
        return ground(x, y)
    cloud = max(0, grain(x / 26 - t / 8, y / 12, 11) * 0.7 + grain(x / 9 - t / 8, y / 5, 12) * 0.3 - 0.45) * 2.2
    return mix(mix([0.25, 0.5, 0.85], [0.75, 0.85, 0.95], y / 70), [1, 1, 1], min(1, cloud))


def pixel(x, y, t):
    """The mean of SAMPLES x SAMPLES places within it."""
    sums = [0, 0, 0]
    for j in range(SAMPLES):
        for i in range(SAMPLES):
            at = scene(x + (i + 0.5) / SAMPLES, y + (j + 0.5) / SAMPLES, t)
            sums = [s + c for s, c in zip(sums, at)]
    return bytes(round(255 * min(1, s / SAMPLES**2)) for s in sums)


def png(t):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(
        b"\0" + b"".join(pixel(x, y, t) for x in range(SIZE)) for y in range(SIZE)
    )
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    for frame in range(FRAMES):
        with open(os.path.join(sys.argv[1], f"{frame}.png"), "wb") as f:
            f.write(png(frame))
