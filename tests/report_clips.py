"""What the tests of `lpips report` share: made-up pictures and clips, running, looking.

The program is that of the environment variable LPIPS, build/bin/lpips by default.
"""

import contextlib
import csv
import math
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LPIPS = os.path.abspath(os.environ.get("LPIPS", os.path.join(ROOT, "build", "bin", "lpips")))
SHARED = os.path.join(os.path.dirname(ROOT), "shared")
TIMEOUT = 600  # no measure of speed: an end to what hangs
os.environ.setdefault(
    "LPIPS_WEIGHTS_PATH", os.path.join(ROOT, "build", "weights") + ":" + os.path.join(SHARED, "weights")
)
W, H = 64, 48
# Not compared: the store, whose seconds differ, and what guards it.
NOT_PAGES = ("report.sqlite", "run.lock", "shards")


def rgb(phase, noise=0, size=(W, H), seed=1):
    """A picture that moves with its phase, as bytes R, G, B."""
    r = random.Random(seed * 1000 + int(phase * 10))
    w, h = size
    out = bytearray()
    for y in range(h):
        for x in range(w):
            u, v = x + 2 * phase, y + phase
            values = (4 * u % 256, (u * v / 8) % 256, 128 + 100 * ((u // 8 + v // 8) % 2) - 50)
            out += bytes(min(255, max(0, int(c) + r.randint(-noise, noise))) for c in values)
    return bytes(out)


def planes(phase, noise=0, size=(W, H), seed=1):
    """The like as Y, Cb and Cr in 4:2:0, limited range."""
    r = random.Random(seed * 1000 + int(phase * 10))
    w, h = size
    luma = bytes(
        min(235, max(16, int(16 + (3 * (x + 2 * phase) + y * phase / 4) % 220) + r.randint(-noise, noise)))
        for y in range(h) for x in range(w)
    )  # fmt: skip
    chroma = [
        bytes(int(100 + k * 30 + (x + phase) % 25) for _ in range(h // 2) for x in range(w // 2))
        for k in (0, 1)
    ]
    return luma + chroma[0] + chroma[1]


def png_bytes(pixels, size=(W, H)):
    w, h = size

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + pixels[3 * w * y : 3 * w * (y + 1)] for y in range(h))
    head = struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def y4m_bytes(frames, size=(W, H)):
    head = b"YUV4MPEG2 W%d H%d F25:1 Ip A1:1 C420jpeg\n" % size
    return head + b"".join(b"FRAME\n" + f for f in frames)


def mean(a, b):
    """Rounded half up."""
    return bytes((x + y + 1) >> 1 for x, y in zip(a, b))


# FFmpeg tells PSNR in single precision, with six digits after the point.
SINGLE = 2**-19 + 0.5e-6  # of values from 32 to 64


def psnr(a, b):
    """Of planes as FFmpeg pools them: the mean square error over all samples."""
    wrong = sum((x - y) ** 2 for x, y in zip(a, b)) / len(a)
    return 10 * math.log10(255**2 / wrong)


def ssim_plane(a, b, w, h):
    """FFmpeg's: windows of 8x8 at every fourth pixel, its constants."""
    c1, c2 = int(0.01**2 * 255**2 * 64 + 0.5), int(0.03**2 * 255**2 * 64 * 63 + 0.5)
    total = 0.0
    for top in range(0, h - 7, 4):
        for left in range(0, w - 7, 4):
            s1 = s2 = ss = s12 = 0
            for y in range(top, top + 8):
                for x in range(left, left + 8):
                    p, q = a[y * w + x], b[y * w + x]
                    s1, s2, ss, s12 = s1 + p, s2 + q, ss + p * p + q * q, s12 + p * q
            variance, covariance = ss * 64 - s1 * s1 - s2 * s2, s12 * 64 - s1 * s2
            total += (2 * s1 * s2 + c1) * (2 * covariance + c2) / ((s1**2 + s2**2 + c1) * (variance + c2))
    return total / (((h - 8) // 4 + 1) * ((w - 8) // 4 + 1))


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="lpips-report-")
        self.addCleanup(shutil.rmtree, self.dir, True)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def put(self, name, data):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())
        return path

    def png(self, name, pixels, size=(W, H)):
        return self.put(name, png_bytes(pixels, size))

    def y4m(self, name, frames, size=(W, H)):
        return self.put(name, y4m_bytes(frames, size))

    def manifest(self, rows, columns="method,clip,reference,output", name="list.csv"):
        path = self.path(name)
        with open(path, "w", newline="", encoding="utf-8") as f:
            csv.writer(f).writerows([columns.split(","), *rows])
        return path

    def run_lpips(self, *args, status=0, **options):
        done = subprocess.run(
            [LPIPS, *args], capture_output=True, cwd=self.dir, timeout=TIMEOUT, check=False, **options
        )
        text = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, status, text)
        return text

    def report(self, *args, out="out", status=0):
        return self.run_lpips("report", *args, "--out", out, status=status)

    def start(self, *args):
        return subprocess.Popen(
            [LPIPS, "report", *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.dir
        )

    def query(self, sql, *values, out="out", store="report.sqlite"):
        """Of a copy, so that looking mends nothing that a killed run left; None without a store."""
        path = self.path(out, store)
        if not os.path.exists(path):
            return None
        # A folder for each: a log that was left from one copy would be taken for the next one's.
        with tempfile.TemporaryDirectory(dir=self.dir) as folder:
            copy = os.path.join(folder, "copy.sqlite")
            for log in "", "-wal", "-journal":
                if os.path.exists(path + log):
                    shutil.copyfile(path + log, copy + log)
            with contextlib.closing(sqlite3.connect(copy)) as db:
                return db.execute(sql, values).fetchall()

    def change(self, sql, out="out", store="report.sqlite"):
        db = sqlite3.connect(self.path(out, store))
        with db:
            db.execute(sql)
        db.close()

    def scores(self, method, clip, metric, out="out"):
        """{frame: value} of an item."""
        return dict(
            self.query(
                "SELECT frame, value FROM score JOIN item ON item.id = item JOIN metric ON metric.id = metric"
                " WHERE method = ? AND clip = ? AND metric.name = ?", method, clip, metric, out=out,
            )
        )  # fmt: skip

    def results(self, out="out"):
        """All but the seconds."""
        items = self.query(
            "SELECT id, method, clip, subset, reference, output, first, last, every, rate, quality, state,"
            " error, frames FROM item ORDER BY id", out=out,
        )  # fmt: skip
        return items, self.query("SELECT * FROM score ORDER BY item, metric, frame", out=out)

    def pages(self, out="out"):
        """All files that people read."""
        found = {}
        for name in sorted(os.listdir(self.path(out))):
            if not name.startswith(NOT_PAGES):
                with open(self.path(out, name), "rb") as f:
                    found[name] = f.read()
        self.assertIn("index.html", found)
        return found

    def distances(self, reference, *distorted, net="alex"):
        """What `lpips REFERENCE DISTORTED...` prints, as text, frame by frame where there are."""
        self.run_lpips("-n", net, "--csv", "frames.csv", reference, *distorted)
        with open(self.path("frames.csv"), newline="", encoding="utf-8") as f:
            rows = list(csv.DictReader(f))
        kind = "frame" if any(r["kind"] == "frame" for r in rows) else "picture"
        return [r["lpips"] for r in rows if r["kind"] == kind]


def nine(values):
    return [f"{v:.9f}" for v in values]
