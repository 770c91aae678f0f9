"""What the tests of the program lpips share: running it, and files made by definition.

The program is that of the environment variable LPIPS, build/bin/lpips by default.
"""

import base64
import csv
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = os.path.abspath(os.environ.get("LPIPS_SHARED", os.path.join(ROOT, "..", "shared")))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
LPIPS = os.path.abspath(os.environ.get("LPIPS", os.path.join(BUILD, "bin", "lpips")))
LEARN = os.path.abspath(os.environ.get("LPIPS_LEARN", os.path.join(BUILD, "bin", "lpips-learn")))
FFMPEG = os.path.abspath(os.environ.get("FFMPEG", os.path.join(BUILD, "bin", "ffmpeg-7.1")))
ZERO = "0.000000000"
TIMEOUT = 100

if not os.access(LPIPS, os.X_OK):
    sys.exit(f"{LPIPS} is missing; `make cli` builds it, or set LPIPS")


class Run:
    """A finished run: code, out and err (text), rows: the lines of out that are data, split
    at tabs."""

    def __init__(self, code, out, err):
        self.code = code
        self.out, self.err = (os.fsdecode(t) for t in (out, err))
        self.rows = [l.split("\t") for l in self.out.splitlines() if not l.startswith("#")]
        self.comments = [l for l in self.out.splitlines() if l.startswith("#")]
        self.scores = [row[0] for row in self.rows]


class Case(unittest.TestCase):
    """A test in a folder of its own, in which lpips runs: names stay short."""

    maxDiff = None
    longMessage = True

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="lpips-test-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        path = os.path.join(os.fsencode(self.folder), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return name

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def execute(self, program, *arguments, code=0, **settings):
        run = subprocess.run(
            [program, *arguments], cwd=self.folder, capture_output=True, timeout=TIMEOUT, **settings
        )
        run = Run(run.returncode, run.stdout, run.stderr)
        self.assertEqual(run.code, code, f"{arguments}\n{run.out}\n{run.err}")
        return run

    def lpips(self, *arguments, **settings):
        return self.execute(LPIPS, *arguments, **settings)

    def learn(self, *arguments, **settings):
        """The program lpips-learn, in the same way."""
        return self.execute(LEARN, *arguments, **settings)

    def score(self, *arguments):
        """The distance of one pair, as printed."""
        (score,) = self.lpips(*arguments).scores
        return score

    def json(self, name="j"):
        return json.loads(self.read(name).decode())

    def csv(self, name="c"):
        text = os.fsdecode(self.read(name))
        return list(csv.DictReader(text.splitlines(keepends=True), strict=True))

    def filter_scores(self, reference, distorted, options=""):
        """The same comparison by FFmpeg's filter: its distances, as printed."""
        if not os.access(FFMPEG, os.X_OK):
            self.skipTest(f"{os.path.basename(FFMPEG)} is not built (make ffmpeg)")
        graph = "lpips=stats_file=stats" + (":" + options if options else "")
        subprocess.run(
            [FFMPEG, "-v", "error", "-nostdin", "-i", distorted, "-i", reference, "-lavfi", graph]
            + ["-f", "null", "-"],
            cwd=self.folder,
            check=True,
            timeout=TIMEOUT,
        )
        lines = self.read("stats").decode().splitlines()[1:]
        return [line.split("lpips:")[1].split()[0] for line in lines]


# ---- pictures --------------------------------------------------------------------------


def noise(n, seed):
    """n bytes that look like chance (xorshift)."""
    state, out = seed * 2654435761 % 2**32 | 1, bytearray(n)
    for i in range(n):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        out[i] = state & 255
    return bytes(out)


def pattern(width, height, seed=0, channels=3, strength=24):
    """Samples of stripes and noise, row by row; `seed` moves both."""
    grain = noise(width * channels, seed + 1)
    return [
        bytes(
            min(
                255,
                (x * (3 + c) + y * (5 - c) + 17 * seed) % 200
                + grain[(x * channels + c + 7 * y) % len(grain)] * strength // 256,
            )
            for x in range(width)
            for c in range(channels)
        )
        for y in range(height)
    ]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}  # PNG's number by channels


def png(rows, width, depth=8, colour=2, interlace=None, extra=b""):
    """A PNG of rows of packed samples; interlace: its seven passes as lists of rows."""
    lines = rows if interlace is None else interlace
    data = zlib.compress(b"".join(b"\0" + row for row in lines), 1)
    header = struct.pack(
        ">IIBBBBB", width, len(rows), depth, colour, 0, 0, int(interlace is not None)
    )
    return (
        SIGNATURE
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", data)
        + chunk(b"IEND", b"")
    )


def adam7(rows, width, size):
    """Rows of the passes of a picture whose pixels take `size` bytes (PNG, 8.2)."""
    passes = []
    for x0, y0, dx, dy in (
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
    ):
        for row in rows[y0::dy]:
            line = b"".join(row[x * size : (x + 1) * size] for x in range(x0, width, dx))
            if line:
                passes.append(line)
    return passes


def unpng(data):
    """Width, height and samples of an 8-bit RGB PNG, filters undone (PNG, 9.2)."""
    assert data.startswith(SIGNATURE)
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
            assert body[8:10] == b"\x08\x02"
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    raw, stride, out = zlib.decompress(packed), 3 * width, bytearray()
    before = bytes(stride)
    for y in range(height):
        kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for i in range(stride):
            a, b = row[i - 3] if i > 2 else 0, before[i]
            c = before[i - 3] if i > 2 else 0
            near = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            row[i] = row[i] + (0, a, b, (a + b) // 2, near)[kind] & 255
        out += row
        before = row
    return width, height, bytes(out)


def picture(width=48, height=40, seed=0, **how):
    """A PNG of a pattern."""
    return png(pattern(width, height, seed, **how), width)


# ---- videos ----------------------------------------------------------------------------


def y4m(frames, width, height, colour="420jpeg", rate="25:1"):
    """A raw video of frames, each the bytes of its planes."""
    head = f"YUV4MPEG2 W{width} H{height} F{rate} Ip A1:1 C{colour}\n".encode()
    return head + b"".join(b"FRAME\n" + frame for frame in frames)


def clip(n, width=64, height=48, seed=0, colour="420jpeg"):
    """n frames that move; `seed` changes the grain."""
    chroma = {"420jpeg": (2, 2), "422": (2, 1), "444": (1, 1), "mono": None}[colour]
    frames = []
    for i in range(n):
        grey = pattern(width, height + i, seed, 1)[i:]
        planes = b"".join(grey)
        if chroma:
            w, h = -(-width // chroma[0]), -(-height // chroma[1])
            planes += b"".join(pattern(w, h, seed + 3 + i, 1)) + b"".join(pattern(w, h, i + 9, 1))
        frames.append(planes)
    return y4m(frames, width, height, colour)


# A grey JPEG of 32x32, by libjpeg.
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71////m8H/"
    "///6/+b9//j/wAALCAAgACABAREA/8QAFwAAAwEAAAAAAAAAAAAAAAAAAAEEBf/EAB4QAAIBBAMBAAAAAAAAAAAAAAACARMyUXEDEiEx/9oA"
    "CAEBAAA/AACtLF0MjArSxdDM+suJCsuJK05l6L5PwdZcSZoFaWLoZ//Z"
)


def turned(orientation):
    """The same, to be shown otherwise: Exif 2.32, tag 0x112."""
    tiff = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x112, 3, 1, orientation, 0) + bytes(4)
    exif = b"Exif\0\0" + tiff
    return JPEG[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(exif)) + exif + JPEG[2:]
