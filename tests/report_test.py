#!/usr/bin/env python3
"""Reports from made-up stores: tables against numbers worked out here, hostile names, equal bytes.

REPORT_WRITE: the program that writes a report, LPIPS: the program lpips; from build/ by default.
"""

import base64
import csv
import hashlib
import json
import math
import os
import re
import shutil
import sqlite3
import statistics
import struct
import subprocess
import tempfile
import unittest
from unittest import mock
import zlib

import report_store
from report_store import METRICS, Store

WRITE = os.environ.get("REPORT_WRITE", "build/tests/report_write")
LPIPS = os.environ.get("LPIPS", "build/bin/lpips")
FILES = ["bdrate.csv", "frames.csv", "index.html", "items.csv", "pairs.csv", "report.json",
         "summary.csv", "tables.md", "tables.tex"]  # fmt: skip
ONE = [("lpips_alex", "LPIPS (alex)", 1)]
HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '=HYPERLINK("x","y")',
    "\\input{x}",
    "_%&$#{}~^",
    "a|b\nc\r\nd",
    "<!--\u2028\u2029]]>",
    "naïve 画像 🎬",
    "-1+1",
    "@SUM(1)",
    "\ttab",
    "' OR 1=1 --",
    "[x](javascript:alert(1)) *b* `c`",
]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="report-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.store = os.path.join(self.folder, "store.sqlite")

    def write(self, out="out", store=None):
        return subprocess.run(
            [WRITE, store or self.store, os.path.join(self.folder, out)],
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    def report(self, out="out", store=None):
        run = self.write(out, store)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.out = os.path.join(self.folder, out)
        self.assertEqual(sorted(os.listdir(self.out)), FILES)

    def refused(self, words, **more):
        run = self.write(**more)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn(words, run.stderr)
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)

    def text(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8", newline="") as f:
            return f.read()

    def rows(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8", newline="") as f:
            return list(csv.DictReader(f))

    def json(self):
        return json.loads(self.text("report.json"))

    def page(self):
        """What the page carries."""
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', self.text("index.html"), re.S)
        return json.loads(data.group(1))

    def three(self, methods, metrics=None, **about):
        """methods: name -> scores of a clip each, as Store.item() takes them; None: failed."""
        store = Store(self.store, "interpolation", metrics or METRICS, **about)
        for method, clips in methods.items():
            for i, scores in enumerate(clips):
                store.item(method, f"c{i}", scores, error=None if scores else "broken: no frames")
        store.close()


# ---- numbers -------------------------------------------------------------------------


def bca(values):
    """report_bootstrap() said again: SplitMix64 from its seed, BCa, percentiles between ranks."""
    state, mask, n = 0x6C70697073, (1 << 64) - 1, len(values)

    def random64():
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    mean = statistics.fmean(values)
    means = sorted(sum(values[((random64() >> 32) * n) >> 32] for _ in range(n)) / n for _ in range(10000))
    normal, u = statistics.NormalDist(), [v - mean for v in values]
    share = sum((m < mean) + (m <= mean) for m in means) / 20000
    bias = normal.inv_cdf(share)
    a = sum(x**3 for x in u) / (6 * sum(x**2 for x in u) ** 1.5)

    def at(z):
        p = normal.cdf(bias + (bias + z) / (1 - a * (bias + z))) * 9999
        low = int(p)
        return means[low] + (p - low) * (means[min(low + 1, 9999)] - means[low])

    return at(normal.inv_cdf(0.025)), at(normal.inv_cdf(0.975))


class Numbers(Case):
    def test_pools(self):
        """The mean, the median, the tail and the worst of frames, in the measure's direction."""
        values = [i / 64 for i in (5, 1, 9, 3, 3)]
        self.three({"a": [{"lpips_alex": values, "psnr": dict(zip((4, 6, 8, 10, 12), values)), "ssim": values}]})
        self.report()
        rows = {r["metric"]: r for r in self.rows("items.csv")}
        lpips, psnr = rows["lpips_alex"], rows["psnr"]
        self.assertEqual([float(lpips[k]) for k in ("mean", "median", "worst")], [4.2 / 64, 3 / 64, 9 / 64])
        self.assertEqual([float(psnr[k]) for k in ("mean", "median", "worst")], [4.2 / 64, 3 / 64, 1 / 64])
        # ranks 3.8 and 0.2 of 0..4
        self.assertAlmostEqual(float(lpips["worst_5_percent"]), (5 + 0.8 * 4) / 64, 9)
        self.assertAlmostEqual(float(psnr["worst_5_percent"]), (1 + 0.2 * 2) / 64, 9)
        self.assertEqual((lpips["worst_frame"], psnr["worst_frame"]), ("2", "6"))
        self.assertEqual(rows["tlpips_alex"]["mean"], "")

    def test_equal_frames(self):
        """Equal frames have no PSNR: counted, and left out of the mean."""
        self.three({"a": [{"lpips_alex": [0, 0.5, 0], "psnr": [None, 30.5, None]}],
                    "b": [{"lpips_alex": [0, 0, 0], "psnr": [None, None, None]}]})  # fmt: skip
        self.report()
        rows = [r for r in self.rows("items.csv") if r["metric"] == "psnr"]
        self.assertEqual([(r["frames"], r["equal_frames"], r["mean"]) for r in rows],
                         [("1", "2", "30.500000000"), ("0", "3", "")])  # fmt: skip
        values = self.json()["items"][1]["values"][2]
        self.assertEqual((values["frames"], values["equal"], values["mean"]), (0, 3, None))

    def test_intervals(self):
        clips = [math.exp(math.sin(7 * i)) / 10 for i in range(11)]
        self.three({"a": [{"lpips_alex": [v]} for v in clips]}, ONE)
        self.report()
        (row,) = self.rows("summary.csv")
        low, high = bca(clips)
        self.assertEqual((row["clips"], row["method"], row["subset"]), ("11", "a", "(all)"))
        self.assertAlmostEqual(float(row["mean"]), statistics.fmean(clips), 9)
        self.assertAlmostEqual(float(row["low"]), low, 9)
        self.assertAlmostEqual(float(row["high"]), high, 9)
        self.assertAlmostEqual(float(row["median"]), statistics.median(clips), 9)

    def test_common_clips(self):
        """A method that fails on the hard clip gains nothing by it."""
        self.three({"a": [{"lpips_alex": [v]} for v in (0.1, 0.2, 0.9)],
                    "b": [{"lpips_alex": [0.11]}, {"lpips_alex": [0.21]}, None],
                    "gone": [None, None, None]}, ONE)  # fmt: skip
        self.report()
        rows = {r["method"]: r for r in self.rows("summary.csv")}
        self.assertEqual([rows[m]["mean"] for m in ("a", "b", "gone")], ["0.150000000", "0.160000000", ""])
        self.assertEqual([rows[m]["clips"] for m in ("a", "b", "gone")], ["2", "2", "0"])
        self.assertEqual([rows[m]["clips_of_this_method"] for m in ("a", "b", "gone")], ["3", "2", "0"])
        self.assertIn("| **0.1500** [", self.text("tables.md"))
        self.assertIn("\\textbf{0.1500} {\\scriptsize [", self.text("tables.tex"))
        failed = [r for r in self.rows("items.csv") if r["state"] == "failed"]
        self.assertEqual({r["error"] for r in failed}, {"broken: no frames"})
        self.assertEqual(len(failed), 4)
        self.assertEqual(self.text("tables.md").count("broken: no frames"), 4)
        self.assertEqual(self.text("tables.tex").count("broken: no frames"), 4)

    def test_pairs(self):
        """Six clips, all in favour: p = 2 / 64, and Holm over three pairs."""
        clips = {"a": 0.1, "b": 0.2, "c": 0.4}
        self.three({m: [{"lpips_alex": [v + i / 1000 * v]} for i in range(6)] for m, v in clips.items()}, ONE)
        self.report()
        rows = self.rows("pairs.csv")
        self.assertEqual([(r["a"], r["b"]) for r in rows], [("a", "b"), ("a", "c"), ("b", "c")])
        for row in rows:
            self.assertEqual((row["p"], row["p_holm"], row["clips"], row["a_above_b"], row["exact"]),
                             ("0.03125", "0.09375", "6", "0", "1"))  # fmt: skip
        self.assertEqual(rows[0]["difference_a_b"], "-0.100250000")

    def test_frames(self):
        report_store.interpolation(self.store, clips=4, n=5)
        self.report()
        db = sqlite3.connect(self.store)
        stored = db.execute("SELECT item, metric.name, frame, value FROM score JOIN metric ON metric = metric.id")
        want = sorted((str(i), m, str(f), f"{v:.9f}") for i, m, f, v in stored)
        db.close()
        self.assertEqual(sorted((r["item"], r["metric"], r["frame"], r["value"]) for r in self.rows("frames.csv")), want)

    def test_subsets(self):
        report_store.interpolation(self.store, clips=6, n=4)
        self.report()
        names = [r["subset"] for r in self.rows("summary.csv") if r["metric"] == "psnr" and r["method"] == "film"]
        self.assertEqual(names, ["(all)", "easy", "medium", "hard"])
        self.assertEqual([g["clips"] for g in self.json()["groups"]], [6, 2, 2, 2])


class Codecs(Case):
    def test_four_fifths(self):
        """The same curve at 4/5 of the rate: -20 %, by any scale, on every clip."""
        store = Store(self.store, "codec", METRICS[:1])
        for c in range(5):
            for codec, factor in (("old", 1), ("new", 0.8)):
                for q, lpips in enumerate((0.02, 0.05, 0.11, 0.3)):
                    store.item(codec, f"c{c}", {"lpips_alex": [lpips + c / 100]}, quality=str(q),
                               rate=factor * (c + 1) * 1000 / 2**q)  # fmt: skip
        store.close()
        self.report()
        rows = self.rows("bdrate.csv")
        self.assertEqual(len(rows), 10)
        for row in rows:
            self.assertEqual((row["anchor"], row["method"]), ("old", "new"))
            self.assertAlmostEqual(float(row["bd_rate_percent"]), -20, 8)
            self.assertEqual((row["overlap"], row["why_not"]), ("1.000000000", ""))
        for delta in self.json()["bd_rate"]:
            self.assertAlmostEqual(delta["mean"]["mean"], -20, 8)
            self.assertEqual((delta["mean"]["n"], delta["test"]["differing"]), (5, 5))
        self.assertIn("−20.0 % [", self.text("tables.md"))

    def test_reasons(self):
        report_store.codec(self.store)
        self.report()
        rows = {(r["method"], r["clip"]): r for r in self.rows("bdrate.csv") if r["scale"] == "-value" and r["metric"] == "lpips_alex"}
        self.assertEqual(len(rows), 16)
        for (method, clip), row in rows.items():
            why = {("x265", "clip 03"): "test: not monotone", ("svt-av1", "clip 06"): "fewer than 4 points"}.get((method, clip))
            if why:
                self.assertIn(why, row["why_not"])
                self.assertEqual(row["bd_rate_percent"], "")
            else:
                self.assertEqual(row["why_not"], "")
        deltas = [d for d in self.json()["bd_rate"] if d["metric"] == 0 and d["scale"] == "-value"]
        self.assertEqual([d["mean"]["n"] for d in deltas], [7, 7])

    def test_as_bjontegaard(self):
        try:
            import bjontegaard
        except ImportError:
            self.skipTest("the package bjontegaard is not installed; its numbers are in test_report_stats.c")
        report_store.codec(self.store)
        self.report()
        doc, compared = self.json(), 0
        for d in doc["bd_rate"]:
            turn = {"value": lambda v: v, "-value": lambda v: -v, "-log value": lambda v: -math.log(v)}[d["scale"]]
            for c, clip in enumerate(d["clips"]):
                if clip["percent"] is None:
                    continue
                curves = []
                for m in (doc["anchor"], d["method"]):
                    points = [i for i in doc["items"] if i["clip"] == c and doc["entries"][i["entry"]]["method"] == m]
                    curves += [i["rate"] for i in points], [turn(i["values"][d["metric"]]["mean"]) for i in points]
                want = bjontegaard.bd_rate(*curves, method="pchip", min_overlap=0)
                # report.json has 12 digits
                self.assertAlmostEqual(clip["percent"], want, 7)
                compared += 1
        self.assertGreater(compared, 80)

    def test_anchor(self):
        report_store.codec(self.store, anchor="x265")
        self.report()
        self.assertEqual({r["anchor"] for r in self.rows("bdrate.csv")}, {"x265"})


# ---- hostile --------------------------------------------------------------------------


class Hostile(Case):
    def make(self):
        store = Store(self.store, "interpolation", [(f"lpips_{HOSTILE[0]}", HOSTILE[1], 1)], title=HOSTILE[0],
                      colour_rule=HOSTILE[1], tool=HOSTILE[2], **{"lpips.alex": HOSTILE[3]})  # fmt: skip
        for method in HOSTILE:
            for clip in HOSTILE:
                scores = {f"lpips_{HOSTILE[0]}": [0.1, 0.2]}
                store.item(method, clip, scores, subset=clip, quality=method)
            store.item(method, "broken", error=method)
        store.close()
        self.report()

    def test_page(self):
        self.make()
        page = self.text("index.html")
        data = re.search(r'<script type="application/json" id="data">([^<]*)</script>', page)
        self.assertIsNotNone(data, "the data ends at its own element's end")
        for sign in "<>&\u2028\u2029":
            self.assertNotIn(sign, data.group(1))
        self.assertTrue(data.group(1).isascii())
        carried = json.loads(data.group(1))
        self.assertEqual(carried["methods"], HOSTILE)
        self.assertEqual([c["name"] for c in carried["clips"]], HOSTILE + ["broken"])
        self.assertEqual(carried["about"]["title"], HOSTILE[0])
        self.assertEqual({i["error"] for i in carried["items"]} - {None}, set(HOSTILE))
        rest = page.replace(data.group(1), "")
        self.assertNotIn("alert(1)", rest)
        self.assertEqual(rest.count("<script"), 3)

    def test_csv(self):
        self.make()
        for name in ("items.csv", "frames.csv", "summary.csv"):
            rows = self.rows(name)
            got = {r["method"] for r in rows} | {r.get("clip") or HOSTILE[0] for r in rows}
            want = {("'" + n if n[0] in "=+-@\t\r" else n) for n in HOSTILE}
            self.assertEqual(got - {"broken"}, want)
            self.assertFalse([r for r in rows if None in r or None in r.values()], "each row has its fields")
        numbers = re.compile(r"-?[0-9.e-]+$")
        for row in self.rows("pairs.csv"):
            self.assertRegex(row["difference_a_b"], numbers)

    def test_json(self):
        self.make()
        self.assertEqual(self.json()["methods"], HOSTILE)

    def test_markdown(self):
        """A name ends neither its cell nor its row, and is no link, no tag, no emphasis."""
        self.make()
        lines = self.text("tables.md").split("\n")
        table = [line for line in lines if line.startswith("|")]
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
        self.assertLessEqual(cells, {3, 5, 8})  # means, not scored, pairs
        for line in lines:
            self.assertNotRegex(line, r"[<>\r]")
            self.assertNotRegex(line, r"(?<!\\)\]\(")
            self.assertNotRegex(re.sub(r"\*\*[−0-9.]+\*\*", "", line), r"(?<!\\)[`$]|(?<!\\)\*b")

    def test_latex(self):
        """Taking away what the tables are written with leaves no command, and braces match."""
        self.make()
        text = self.text("tables.tex")
        body = "\n".join(line for line in text.split("\n") if not line.startswith("%"))
        self.assertFalse("\\input" in text)
        known = (r"\\(begin|end)\{tabular\}(\{[lr]+\})?|\\(top|mid|bottom)rule|\\textbf\{[^{}]*\}|\\\\|"
                 r"\{\\scriptsize \[[^\]]*\]\}|\$(-|\\downarrow|\\uparrow)\$|"
                 r"\\text(backslash|asciitilde|asciicircum|less|greater|bar)\{\}|\\[{}_%&$#]|\{\[\}|\{\*\}| & ")  # fmt: skip
        left = re.sub(known, "", body)
        self.assertNotRegex(left, r"[\\{}_%&$#~^*[]")
        rows = [line for line in body.split("\n") if line.startswith("  ")]
        self.assertTrue(rows)
        for row in rows:
            self.assertTrue(row.endswith(" \\\\"), row)

    @unittest.skipUnless(shutil.which("pdflatex"), "pdflatex is not installed")
    def test_latex_runs(self):
        self.make()
        with open(os.path.join(self.out, "all.tex"), "w", encoding="utf-8") as f:
            f.write("\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs}\\begin{document}\n"
                    + "".join(c if ord(c) < 256 else "?" for c in self.text("tables.tex")) + "\\end{document}\n")  # fmt: skip
        run = subprocess.run(["pdflatex", "-halt-on-error", "-no-shell-escape", "all.tex"], cwd=self.out, capture_output=True)
        self.assertEqual(run.returncode, 0, run.stdout[-2000:])

    def test_bytes(self):
        """Names that are no UTF-8, as file systems allow."""
        store = Store(self.store, "interpolation", ONE)
        item = store.item("m", "c", {"lpips_alex": [0.1]})
        broken = bytes([0x61, 0xFF, 0xC0, 0xAF, 0xED, 0xA0, 0x80, 0xF4, 0x90, 0x80, 0x80,
                        0xF5, 0x80, 0x80, 0x80, 0xC3, 0xA9, 0xC3])  # fmt: skip
        store.db.execute("UPDATE item SET method = CAST(? AS TEXT) WHERE id = ?", (broken, item))
        store.close()
        self.report()
        self.assertEqual(self.json()["methods"], ["a" + "\ufffd" * 14 + "é\ufffd"])
        self.assertEqual(self.page()["methods"], self.json()["methods"])

    def test_policy(self):
        """Scripts and styles are named by their hashes, and nothing else may load."""
        self.make()
        page = self.text("index.html")
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
        rules = dict(r.strip().split(" ", 1) for r in policy.split(";"))
        digest = lambda text: "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
        styles = re.findall(r"<style>(.*?)</style>", page, re.S)
        self.assertEqual(rules["script-src"].split(), [digest(t) for t in scripts])
        self.assertEqual(rules["style-src"].split(), [digest(t) for t in styles])
        self.assertEqual((rules["default-src"], rules["img-src"]), ("'none'", "data:"))
        markup = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.S)
        self.assertEqual(re.findall(r'(?:src|href)="([^#"][^"]*)"', markup), [])
        self.assertNotRegex(markup, r"<(link|iframe|object|embed|base)\b")
        self.assertIn("Permission is hereby granted", page)

    def test_bad_stores(self):
        self.refused("unable to open", store=os.path.join(self.folder, "none.sqlite"))
        with open(self.store, "w") as f:
            f.write("this is no database, whatever its name says" * 100)
        self.refused("the store cannot be read: file is not a database")
        os.remove(self.store)
        sqlite3.connect(self.store).close()
        self.refused("the store cannot be read: no such table")
        os.remove(self.store)
        Store(self.store, "interpolation", []).close()
        self.refused("its table metric is empty")

    def test_bad_folder(self):
        Store(self.store, "interpolation").close()
        self.refused("none/deep: no such folder", out="none/deep")
        self.refused("store.sqlite: no such folder", out="store.sqlite")

    def test_nothing_yet(self):
        """No item, and items that nobody has worked on."""
        Store(self.store, "codec").close()
        self.report()
        os.remove(self.store)
        store = Store(self.store, "interpolation")
        store.item("m", "c")
        store.close()
        self.report("second")
        self.assertIn("not done yet", self.text("tables.md"))
        self.assertEqual(self.page()["done"], 0)


# ---- the same again --------------------------------------------------------------------


class Same(Case):
    def test_bytes(self):
        """Twice the same; and from a store written in another order, at another pace."""
        for make in (report_store.interpolation, report_store.codec):
            with self.subTest(make.__name__):
                first, other = (os.path.join(self.folder, f"{make.__name__}{i}") for i in (1, 2))
                make(first)
                shutil.copy(first, other)
                db = sqlite3.connect(other)
                db.execute("CREATE TEMP TABLE kept AS SELECT * FROM score ORDER BY value")
                db.execute("DELETE FROM score")
                db.execute("INSERT INTO score SELECT * FROM kept ORDER BY value DESC")
                db.execute("UPDATE item SET seconds = id * 3.5")
                db.commit()
                db.execute("VACUUM")
                db.close()
                self.report(make.__name__ + "-a", first)
                before = {name: self.text(name) for name in FILES}
                self.report(make.__name__ + "-a", first)
                self.assertEqual({name: self.text(name) for name in FILES}, before)
                self.report(make.__name__ + "-b", other)
                for name in FILES:
                    self.assertEqual(self.text(name), before[name], name)

    def test_no_paths(self):
        store = Store(self.store, "interpolation", ONE, manifest="/secret/manifest")
        store.item("m", "c", {"lpips_alex": [0.1, 0.2]}, reference="/secret/ref.mp4", output="/secret/out.mp4")
        store.close()
        self.report()
        for name in FILES:
            if name != "index.html":
                self.assertNotIn("/secret/", self.text(name))

    def test_locale(self):
        """Where people write 0,5, reports still say 0.5."""
        made = os.path.join(self.folder, "de_DE.UTF-8")
        if not shutil.which("localedef") or subprocess.run(
            ["localedef", "-c", "-i", "de_DE", "-f", "UTF-8", made], capture_output=True
        ).returncode:
            self.skipTest("the package locales, of which de_DE is made, is not installed")
        report_store.codec(self.store)
        self.report("plain")
        before = {name: self.text(name) for name in FILES}
        # glibc's setlocale() itself loses a few bytes where LOCPATH is set.
        asan = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        changes = {"LOCPATH": self.folder, "LC_ALL": "de_DE.UTF-8", "ASAN_OPTIONS": asan.lstrip(":")}
        environment = mock.patch.dict(os.environ, changes)
        environment.start()
        self.addCleanup(environment.stop)
        self.report("comma")
        for name in FILES:
            self.assertEqual(self.text(name), before[name], name)


# ---- bounds -----------------------------------------------------------------------------


class Bounds(Case):
    def test_long_clip(self):
        """20,000 frames: the peak and the dip stay in the plot, which is short and says so."""
        values = [0.2 + 0.05 * math.sin(i / 300) for i in range(20000)]
        values[7777], values[7778], values[19999] = 0.9, 0.001, 0.8
        self.three({"a": [{"lpips_alex": values}]}, ONE)
        self.report()
        (series,) = self.page()["series"]
        points = dict(zip(series["x"], series["y"]))
        self.assertLessEqual(len(series["x"]), 1200)
        self.assertEqual(series["x"], sorted(series["x"]))
        self.assertEqual([points.get(i) for i in (7777, 7778, 19999)], [0.9, 0.001, 0.8])
        for x, y in points.items():
            self.assertAlmostEqual(y, values[x], 6)
        self.assertTrue([n for n in self.page()["notes"] if "least and the greatest" in n])
        self.assertEqual(len(self.rows("frames.csv")), 20000)

    def test_short_clip(self):
        self.three({"a": [{"lpips_alex": [0.1, 0.2, 0.3]}]}, ONE)
        self.report()
        (series,) = self.page()["series"]
        self.assertEqual((series["x"], series["y"], series["of"]), ([0, 1, 2], [0.1, 0.2, 0.3], 3))

    def test_many_results(self):
        store = Store(self.store, "interpolation", ONE)
        for c in range(6700):
            for method in ("a", "b", "c"):
                store.item(method, f"clip {c}", {"lpips_alex": [0.1 + (c * 7 % 100) / 1000, 0.2, 0.1]})
        store.close()
        self.report()
        page = self.page()
        self.assertEqual((len(page["items"]), page["all_items"], page["frames"]), (20000, 20100, 60300))
        self.assertLess(len(self.text("index.html")), 16 << 20)
        self.assertLessEqual(sum(len(s["x"]) for s in page["series"]), 200000)
        self.assertTrue([n for n in page["notes"] if "first 20000 of 20100" in n])
        self.assertEqual(len(self.rows("items.csv")), 20100)


# ---- pictures ---------------------------------------------------------------------------


def png(path, width, height, colour):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes(v for x in range(width) for v in colour(x, y)) for y in range(height))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))  # fmt: skip


def pictures(folder, store_path):
    """A reference, two outputs of different harm, scored by lpips; returns the hash's line."""
    names = {"ref": 0, "near": 40, "far": 160}
    for name, harm in names.items():
        png(os.path.join(folder, name + ".png"), 400, 120, lambda x, y: (
            (x * 5 + y) % 256, (x ^ y) % 256, min(255, harm + (y * 2) % 90) if x > 200 else (y * 2) % 90))  # fmt: skip
    paths = {name: os.path.join(folder, name + ".png") for name in names}
    run = subprocess.run([LPIPS, "-q", "--json", "-", paths["ref"], paths["near"], paths["far"]],
                         capture_output=True, text=True, check=True)  # fmt: skip
    text = run.stdout[run.stdout.index("{"):]
    told = json.JSONDecoder().raw_decode(text)[0]
    near, far = (p["lpips"] for p in told["pairs"])
    by = f"lpips {told['library']} alex v0.1 weights {told['weights']}"
    store = Store(store_path, "interpolation", ONE, **{"lpips.alex": by})
    for method, value in (("near", near), ("far", far)):
        store.item(method, "c", {"lpips_alex": [value]}, reference=paths["ref"], output=paths[method])
    store.close()
    return paths


@unittest.skipUnless(os.path.exists(LPIPS), f"{LPIPS} is not built")
class Pictures(Case):
    def size(self, url):
        data = base64.b64decode(url.split("data:image/png;base64,")[1])
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        return struct.unpack(">II", data[16:24])

    def test_worst(self):
        pictures(self.folder, self.store)
        self.report()
        thumbs = self.page()["thumbs"]
        self.assertEqual([(t["item"], t["frame"]) for t in thumbs], [(0, 0), (1, 0)])
        for t in thumbs:
            self.assertEqual((t["width"], t["height"]), (320, 96))
            for key in ("reference", "output", "map"):
                self.assertEqual(self.size(t[key]), (320, 96))
        self.assertEqual(thumbs[0]["reference"], thumbs[1]["reference"])
        self.assertEqual(len({t[k] for t in thumbs for k in ("reference", "output", "map")}), 5)
        self.assertEqual(self.page()["notes"], [])
        self.assertEqual(self.page()["bar"]["to"], 0.5)

    def test_changed_and_gone(self):
        paths = pictures(self.folder, self.store)
        shutil.copy(paths["near"], paths["far"])
        self.report()
        self.assertEqual([t["item"] for t in self.page()["thumbs"]], [0])
        self.assertIn("the files changed after they were scored", self.page()["notes"][0])
        os.remove(paths["ref"])
        self.report("gone")
        self.assertEqual(self.page()["thumbs"], [])
        self.assertIn("2 of 2 worst frames cannot be shown", self.page()["notes"][0])

    def test_other_weights(self):
        pictures(self.folder, self.store)
        db = sqlite3.connect(self.store)
        db.execute("UPDATE about SET value = 'lpips 1.1.0 alex v0.1 weights 0123abcd' WHERE key = 'lpips.alex'")
        db.commit()
        db.close()
        self.report()
        self.assertEqual([t["map"] for t in self.page()["thumbs"]], [None, None])
        self.assertIn("the weights found are not those that scored", self.page()["notes"][0])


if __name__ == "__main__":
    unittest.main()
