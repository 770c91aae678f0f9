"""Pictures by formula, and their coding per ITU-T H.273 in double: both ways, by definition.

Shares nothing with core/frame.c.  A picture is three lists of rows of numbers 0..1, R, G, B.
"""

import array
import math
import sys

# H.273 table 4: Kr and Kb.  YCgCo has none.
LUMA = {
    "bt709": (0.2126, 0.0722),
    "fcc": (0.30, 0.11),
    "bt470bg": (0.299, 0.114),
    "smpte170m": (0.299, 0.114),
    "smpte240m": (0.212, 0.087),
    "bt2020nc": (0.2627, 0.0593),
}
SAMPLING = {"420": (2, 2), "422": (2, 1), "444": (1, 1), "440": (1, 2), "411": (4, 1)}
# Where chroma sample 0 lies, in luma samples: part of the way (0 first, 1 last).
PLACES = {
    "left": (0, 0.5),
    "center": (0.5, 0.5),
    "topleft": (0, 0),
    "top": (0.5, 0),
    "bottomleft": (0, 1),
    "bottom": (0.5, 1),
}


def smooth(width, height, phase=0.0):
    """Waves of at least 24 pixels between 0.15 and 0.85: no coding of it clips."""
    waves = ((0.0, 30, 41), (1.9, 37, -29), (4.1, -26, 33))
    return [
        [
            [
                0.5
                + 0.2 * math.sin(2 * math.pi * (x / a + y / b) + s + phase)
                + 0.15 * math.cos(2 * math.pi * (x / 48 - y / a) + 2 * s)
                for x in range(width)
            ]
            for y in range(height)
        ]
        for s, a, b in waves
    ]


def flat(width, height, *rgb):
    return [[[v] * width for _ in range(height)] for v in rgb]


def each(function, *planes):
    return [[function(*v) for v in zip(*rows)] for rows in zip(*planes)]


# ---- RGB to codes ------------------------------------------------------------------


def separate(rgb, matrix):
    """E'Y, E'PB, E'PR of E'R, E'G, E'B (H.273, 8.3)."""
    if matrix == "ycgco":
        return [
            each(lambda r, g, b: 0.5 * g + 0.25 * (r + b), *rgb),
            each(lambda r, g, b: 0.5 * g - 0.25 * (r + b), *rgb),
            each(lambda r, g, b: 0.5 * (r - b), *rgb),
        ]
    kr, kb = LUMA[matrix]
    y = each(lambda r, g, b: kr * r + (1 - kr - kb) * g + kb * b, *rgb)
    return [
        y,
        each(lambda b, v: 0.5 * (b - v) / (1 - kb), rgb[2], y),
        each(lambda r, v: 0.5 * (r - v) / (1 - kr), rgb[0], y),
    ]


def scales(matrix, full, bits):
    """Codes of one unit of luma and chroma, code of luma 0 and of chroma 0.  What YCgCo
    is computed from are codes of R, G, B, so its chroma has the excursion of luma."""
    unit = 1 << (bits - 8)
    if full:
        return (1 << bits) - 1, (1 << bits) - 1, 0, 128 * unit
    return 219 * unit, (219 if matrix == "ycgco" else 224) * unit, 16 * unit, 128 * unit


def quantise(plane, scale, offset, bits):
    top = (1 << bits) - 1
    return each(lambda v: min(max(math.floor(v * scale + offset + 0.5), 0), top), plane)


def at(plane, x, y):
    """The sample at a place between samples: linear, the border goes on outside."""
    height, width = len(plane), len(plane[0])
    x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    i, j = min(int(x), width - 2), min(int(y), height - 2)
    i, j = max(i, 0), max(j, 0)
    u, v = x - i, y - j
    right, lower = min(i + 1, width - 1), min(j + 1, height - 1)
    return (1 - v) * ((1 - u) * plane[j][i] + u * plane[j][right]) + v * (
        (1 - u) * plane[lower][i] + u * plane[lower][right]
    )


def place(subsampling, location):
    """Luma coordinates of chroma sample (0, 0)."""
    (sx, sy), (u, v) = SAMPLING[subsampling], PLACES[location]
    return u * (sx - 1), v * (sy - 1)


def thin(plane, subsampling, location):
    """Chroma where its samples lie, by the values of a smooth picture at those places."""
    (sx, sy), (x0, y0) = SAMPLING[subsampling], place(subsampling, location)
    height, width = len(plane), len(plane[0])
    return [
        [at(plane, i * sx + x0, j * sy + y0) for i in range(-(-width // sx))]
        for j in range(-(-height // sy))
    ]


def sample(rgb, matrix, subsampling="444", location="left"):
    """Planes of E' where samples lie.  Subsampling "gray" keeps luma only, "rgb" is G, B, R."""
    if subsampling == "rgb":
        return [rgb[c] for c in (1, 2, 0)]
    luma, *chroma = separate(rgb, matrix)
    if subsampling == "gray":
        return [luma]
    return [luma] + [thin(plane, subsampling, location) for plane in chroma]


def to_codes(planes, matrix, full, bits, subsampling="444"):
    """Codes of what sample() gives; RGB is full range."""
    if subsampling == "rgb":
        return [quantise(plane, (1 << bits) - 1, 0, bits) for plane in planes]
    luma, chroma, black, neutral = scales(matrix, full, bits)
    return [quantise(planes[0], luma, black, bits)] + [
        quantise(plane, chroma, neutral, bits) for plane in planes[1:]
    ]


def raw(planes, bits):
    """Planes of codes as rawvideo has them."""
    return b"".join(
        array.array("B" if bits == 8 else "H", row).tobytes() for p in planes for row in p
    )


def pix_fmt(subsampling, bits):
    name = {"gray": "gray", "rgb": "gbrp"}.get(subsampling, "yuv" + subsampling + "p")
    if bits == 8:
        return name
    return f"{name}{bits}{'le' if sys.byteorder == 'little' else 'be'}"


# ---- codes to RGB ------------------------------------------------------------------


def together(matrix):
    """E'R, E'G, E'B of one E'Y, E'PB, E'PR: the equations above, solved."""
    if matrix == "ycgco":
        return lambda y, u, v: (y - u + v, y + u, y - u - v)
    kr, kb = LUMA[matrix]

    def convert(y, u, v):
        r, b = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
        return r, (y - kr * r - kb * b) / (1 - kr - kb), b

    return convert


def clip(v):
    return min(max(v, 0.0), 1.0)


def decode(codes, matrix, full, bits, subsampling="444", location="left"):
    """The picture that the codes mean, chroma linear between where its samples lie."""
    if subsampling == "rgb":
        top = (1 << bits) - 1
        return [each(lambda v: v / top, codes[c]) for c in (2, 0, 1)]
    luma, chroma, black, neutral = scales(matrix, full, bits)
    y = each(lambda v: (v - black) / luma, codes[0])
    if subsampling == "gray":
        return [each(clip, y)] * 3
    (sx, sy), (x0, y0) = SAMPLING[subsampling], place(subsampling, location)
    convert = together(matrix)
    rows = []
    for j, row in enumerate(y):
        v = (j - y0) / sy
        where = [((i - x0) / sx, v) for i in range(len(row))]
        u, w = ([(at(p, *xy) - neutral) / chroma for xy in where] for p in codes[1:])
        rows.append([tuple(map(clip, convert(*c))) for c in zip(row, u, w)])
    return [[[v[c] for v in row] for row in rows] for c in range(3)]
