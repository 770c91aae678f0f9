"""Made-up stores for the tests of reports: report.h's own schema, numbers from a fixed seed."""

import math
import os
import random
import re
import sqlite3

HEADER = os.path.join(os.path.dirname(__file__), "..", "report", "report.h")
METRICS = [
    ("lpips_alex", "LPIPS (alex)", 1),
    ("tlpips_alex", "tLP (alex)", 1),
    ("psnr", "PSNR", 0),
    ("ssim", "SSIM", 0),
]
ABOUT = {
    "title": "A made-up comparison",
    "manifest": "method,clip,...",
    "colour_rule": "tags of each file; untagged: BT.601 up to 576 rows, BT.709 above, limited range",
    "tool": "lpips 1.1.0",
    "lpips.alex": "lpips 1.1.0 alex v0.1 weights " + "4ed07d1f" * 8,
}


def schema():
    """The text of REPORT_SCHEMA, its C strings joined."""
    with open(HEADER, encoding="utf-8") as f:
        text = f.read()
    text = text[text.index("#define REPORT_SCHEMA") :].split("\n\n")[0]
    return "".join(re.findall(r'"([^"]*)"', text))


class Store:
    def __init__(self, path, kind, metrics=METRICS, **about):
        self.db = sqlite3.connect(path)
        self.db.execute("PRAGMA synchronous = OFF")  # a busy disk would hold up the tests
        self.db.executescript(schema())
        facts = dict(ABOUT, kind=kind, **about)
        self.db.executemany("INSERT INTO about VALUES(?, ?)", facts.items())
        self.db.executemany("INSERT INTO metric(name, text, lower, pooled) VALUES(?, ?, ?, 'mean')", metrics)
        self.id = {name: i + 1 for i, (name, _, _) in enumerate(metrics)}

    def item(self, method, clip, scores=None, error=None, subset="", rate=None, quality=None, **more):
        """scores: name of a metric -> values of frames 0, 1 ..., or a dict by frame."""
        state = 2 if error else 0 if scores is None else 1
        made = self.db.execute(
            "INSERT INTO item(method, clip, subset, reference, output, first, last, rate, quality, state,"
            " error, frames, seconds) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (method, clip, subset, more.get("reference", ""), more.get("output", ""), "", "", rate,
             quality, state, error, more.get("frames"), random.random()),
        )  # fmt: skip
        for name, values in (scores or {}).items():
            pairs = values.items() if isinstance(values, dict) else enumerate(values)
            self.db.executemany(
                "INSERT INTO score VALUES(?, ?, ?, ?)",
                [(made.lastrowid, self.id[name], frame, v) for frame, v in pairs],
            )
        return made.lastrowid

    def close(self):
        self.db.commit()
        self.db.close()


def frames(rng, level, n, kind="lpips_alex"):
    """A plausible course of one clip; every other frame, as with a factor of 2."""
    course = {}
    for i in range(1, 2 * n, 2):
        wave = 1 + 0.35 * math.sin(i / 7) + 0.15 * rng.random()
        lpips = level * wave + (level * 2.2 if i == 2 * (n // 3) + 1 else 0)
        course[i] = {
            "lpips_alex": lpips,
            "tlpips_alex": lpips * 0.3 * rng.random(),
            "psnr": 20 - 6 * math.log2(lpips + 0.004),
            "ssim": 1 - lpips * 0.9,
        }[kind]
    return course


def interpolation(path, clips=24, n=30, **about):
    """Five methods over clips of three subsets; one output is broken."""
    rng = random.Random(1)
    store = Store(path, "interpolation", **dict({"title": "Frame interpolation on 24 clips"}, **about))
    methods = {"rife": 1.0, "film": 1.02, "ema-vfi": 1.22, "blend": 1.9, "repeat": 2.6}
    for c in range(clips):
        base = 0.02 * math.exp(rng.gauss(0, 0.5)) * (1 + c % 3)
        subset = ("easy", "medium", "hard")[c % 3]
        for method, factor in methods.items():
            if method == "ema-vfi" and c == 4:
                store.item(method, f"clip {c:02}", error="clip 04.mp4: ends after 12 of 60 frames", subset=subset)
                continue
            level = base * factor * math.exp(rng.gauss(0, 0.05))
            scores = {name: frames(rng, level, n, name) for name, _, _ in METRICS}
            store.item(method, f"clip {c:02}", scores, subset=subset)
    store.close()


def codec(path, **about):
    """Three codecs, five rates, eight clips; one curve is not monotone, one has three points."""
    rng = random.Random(2)
    store = Store(path, "codec", **dict({"title": "Three codecs, eight clips"}, **about))
    need = {"x264": 1.0, "x265": 0.72, "svt-av1": 0.58}
    for c in range(8):
        hard = math.exp(rng.gauss(0, 0.6))
        for method, factor in need.items():
            own = factor * math.exp(rng.gauss(0, 0.08))
            for q, step in enumerate((22, 27, 32, 37, 42)):
                if method == "svt-av1" and c == 6 and q > 2:
                    continue
                rate = 6000 * hard * own * 0.52**q * math.exp(rng.gauss(0, 0.02))
                level = 0.012 * (rate / (6000 * hard * own)) ** -0.95
                if method == "x265" and c == 3 and q == 2:
                    level *= 2.4
                scores = {name: frames(rng, level, 40, name) for name, _, _ in METRICS}
                store.item(method, f"clip {c:02}", scores, rate=rate, quality=f"crf {step}")
    store.close()
