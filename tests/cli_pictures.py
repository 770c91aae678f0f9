#!/usr/bin/env python3
"""lpips REFERENCE DISTORTED...: pictures and folders, output, exit status, what is refused."""

import json
import math
import os
import struct
import subprocess
import unittest

from program import LPIPS, SHARED, SIGNATURE, ZERO
from program import Case, adam7, chunk, pattern, picture, png, unpng
from pooling import PERCENTILES, percentile, pooled

PAIRS = os.path.join(SHARED, "data", "pairs")
WEIGHTS = os.path.join(SHARED, "weights")
NAMES = ["mean", "harmonic_mean", "median", "deviation", "min", "max"]
NAMES += [f"p{p}" for p in PERCENTILES]


class Pair(Case):
    def setUp(self):
        super().setUp()
        self.write("a.png", picture(seed=1))
        self.write("b.png", picture(seed=2))

    def test_line(self):
        """Distance, distorted, reference with tabs between; the rest begins with #."""
        run = self.lpips("a.png", "b.png")
        ((score, *names),) = run.rows
        self.assertRegex(score, r"^0\.\d{9}$")
        self.assertGreater(float(score), 0.01)
        self.assertEqual(names, ["b.png", "a.png"])
        self.assertRegex(run.comments[0], r"^# lpips \d+\.\d+\.\d+ alex v0\.1 weights [0-9a-f]{8}$")
        self.assertEqual(
            run.comments[1:], ["# reference: rgb 8 bit full; distorted: rgb 8 bit full"]
        )
        self.assertEqual(run.err, "")

    def test_quiet(self):
        run = self.lpips("-q", "a.png", "b.png")
        self.assertEqual(len(run.out.splitlines()), 1)
        self.assertEqual(run.scores, self.lpips("a.png", "b.png").scores)

    def test_equal_and_symmetric(self):
        self.write("c.png", self.read("a.png"))
        self.assertEqual(self.score("a.png", "a.png"), ZERO)
        self.assertEqual(self.score("a.png", "c.png"), ZERO)
        self.assertEqual(self.score("a.png", "b.png"), self.score("b.png", "a.png"))

    def test_layers(self):
        """The terms of the layers add up to the distance."""
        run = self.lpips("--layers", "a.png", "b.png")
        ((score, *terms, distorted, reference),) = run.rows
        self.assertEqual(len(terms), 5)
        self.assertAlmostEqual(math.fsum(map(float, terms)), float(score), delta=5e-9)
        self.assertEqual((distorted, reference), ("b.png", "a.png"))

    def test_several(self):
        """One reference, several distorted: the numbers of as many single runs."""
        for i in range(5):
            self.write(f"{i}.png", picture(seed=i + 3))
        names = [f"{i}.png" for i in range(5)]
        run = self.lpips("a.png", *names)
        self.assertEqual([row[1] for row in run.rows], names)
        self.assertEqual(run.scores, [self.score("a.png", name) for name in names])
        self.assertEqual(len(set(run.scores)), 5)

    def test_threads(self):
        """Neither threads nor jobs change a digit."""
        want = self.score("a.png", "b.png")
        for option in ("-t1", "-t2", "--threads=5", "-j1", "--jobs=9"):
            self.assertEqual(self.score(option, "a.png", "b.png"), want, option)

    def test_conventions(self):
        """Options that change what is measured do, and the output says so."""
        plain = self.score("a.png", "b.png")
        for option, words in (("--no-lin", " no-lin"), ("--range-0-1", " range 0..1")):
            run = self.lpips(option, "a.png", "b.png")
            self.assertNotEqual(run.scores[0], plain)
            self.assertTrue(run.comments[0].endswith(words), run.comments)

    def test_other_files(self):
        """Pictures that libpng does not read: a PPM, and a PNG by another name."""
        rows = pattern(48, 40, 2)
        self.write("b.ppm", b"P6 48 40 255\n" + b"".join(rows))
        self.write("c.jpg", self.read("b.png"))
        want = self.score("a.png", "b.png")
        self.assertEqual(self.score("a.png", "b.ppm"), want)
        self.assertEqual(self.score("a.png", "c.jpg"), want)
        self.assertEqual(self.score("b.png", "b.ppm"), ZERO)


class Shared(Case):
    def setUp(self):
        super().setUp()
        if not os.path.isdir(PAIRS):
            self.skipTest(f"{PAIRS} is not here")

    def test_goldens(self):
        """The authors' own numbers for their example pictures."""
        settings = {"env": {**os.environ, "LPIPS_WEIGHTS_PATH": WEIGHTS}}
        for net, value in (("alex", 0.721880709), ("vgg", 0.568612821)):
            run = self.lpips("-n", net, f"{PAIRS}/ex_ref.png", f"{PAIRS}/ex_p0.png", **settings)
            self.assertAlmostEqual(float(run.scores[0]), value, delta=1e-6)
            self.assertIn(f" {net} v0.1 ", run.comments[0])

    def test_model(self):
        """--model names the file; the net is the file's."""
        model = os.path.join(WEIGHTS, "lpips-squeeze-v0.1.safetensors")
        self.write("a.png", picture(seed=1))
        self.write("b.png", picture(seed=2))
        run = self.lpips("--model", model, "-l", "a.png", "b.png")
        self.assertIn(" squeeze v0.1 ", run.comments[0])
        self.assertEqual(len(run.rows[0]), 1 + 7 + 2)
        for option in ("--net=vgg", "--net-version=0.0"):
            run = self.lpips("--model", model, option, "a.png", "b.png", code=2)
            self.assertIn("holds net squeeze, version 0.1", run.err)


class Png(Case):
    """Kinds of PNG that mean the same picture."""

    def test_depths(self):
        """16 bits with the value of 8, alpha, grey: the pictures they mean."""
        w, h = 48, 40
        rgb, other = pattern(w, h, 1), pattern(w, h, 2)
        grey = pattern(w, h, 4, 1)
        wide = [bytes(b for v in row for b in (v, v)) for row in rgb]
        alpha = [
            b"".join(row[3 * x : 3 * x + 3] + bytes([x * 5 & 255]) for x in range(w))
            for row in rgb
        ]
        self.write("rgb.png", png(rgb, w))
        self.write("other.png", png(other, w))
        self.write("wide.png", png(wide, w, 16))
        self.write("alpha.png", png(alpha, w, 8, 6))
        self.write("adam7.png", png(rgb, w, interlace=adam7(rgb, w, 3)))
        self.write("grey.png", png(grey, w, 8, 0))
        self.write("greyrgb.png", png([bytes(v for v in row for _ in "rgb") for row in grey], w))
        want = self.score("other.png", "rgb.png")
        for name in ("wide", "alpha", "adam7"):
            self.assertEqual(self.score("rgb.png", f"{name}.png"), ZERO, name)
            # v / 255 and 257 v / 65535 are one number, rounded twice.
            got = float(self.score("other.png", f"{name}.png"))
            self.assertAlmostEqual(got, float(want), delta=1e-7, msg=name)
        self.assertEqual(self.score("greyrgb.png", "grey.png"), ZERO)
        self.assertIn("alpha", self.lpips("rgb.png", "alpha.png").err)
        self.assertEqual(self.lpips("-q", "rgb.png", "alpha.png").err, "")

    def test_sixteen_bits_count(self):
        """The low byte of 16-bit samples is not thrown away."""
        w, h = 48, 40
        rows = [bytes(b for v in row for b in (v, 0)) for row in pattern(w, h, 1)]
        more = [bytes(v + 128 * (i & 1) for i, v in enumerate(row)) for row in rows]
        self.write("a.png", png(rows, w, 16))
        self.write("b.png", png(more, w, 16))
        score = float(self.score("a.png", "b.png"))
        self.assertTrue(0 < score < 1e-3, score)

    def test_palettes(self):
        """Palettes with and without tRNS, and 1 to 4 bits of grey, mean their colours."""
        w, h = 48, 40
        table = [(i * 7 % 256, 255 - i * 3, i * i % 256) for i in range(64)]
        index = [bytes((x * y + x) % 64 for x in range(w)) for y in range(h)]
        plte = chunk(b"PLTE", bytes(v for entry in table for v in entry))
        clear = chunk(b"tRNS", bytes(range(0, 128, 2)))
        self.write("index.png", png(index, w, 8, 3, extra=plte))
        self.write("clear.png", png(index, w, 8, 3, extra=plte + clear))
        self.write("rgb.png", png([bytes(v for i in row for v in table[i]) for row in index], w))
        for name in ("index", "clear"):
            self.assertEqual(self.score("rgb.png", f"{name}.png"), ZERO, name)
        for depth in (1, 2, 4):
            per = 8 // depth
            values = [[(x * 3 + y) % 2**depth for x in range(w)] for y in range(h)]
            packed = [
                bytes(
                    sum(v << depth * (per - 1 - i) for i, v in enumerate(row[x : x + per]))
                    for x in range(0, w, per)
                )
                for row in values
            ]
            scaled = [bytes(v * 255 // (2**depth - 1) for v in row) for row in values]
            self.write("packed.png", png(packed, w, depth, 0))
            self.write("scaled.png", png(scaled, w, 8, 0))
            self.assertEqual(self.score("scaled.png", "packed.png"), ZERO, depth)

    def test_filter(self):
        """The filter's numbers, digit for digit, for every kind of PNG."""
        w, h = 48, 40
        plte = chunk(b"PLTE", bytes(i * 37 % 256 for i in range(768)))

        def kinds(seed):
            rgb, grey = pattern(w, h, seed), pattern(w, h, seed, 1)
            yield "rgb", png(rgb, w)
            yield "rgb16", png([row * 2 for row in rgb], w, 16)
            yield "rgba", png([row + row[:w] for row in rgb], w, 8, 6)
            yield "rgba16", png([row * 2 + row[: 2 * w] for row in rgb], w, 16, 6)
            yield "grey", png(grey, w, 8, 0)
            yield "grey16", png([row * 2 for row in grey], w, 16, 0)
            yield "greyalpha", png([row * 2 for row in grey], w, 8, 4)
            yield "palette", png(grey, w, 8, 3, extra=plte)
            yield "bits", png([row[: w // 8] for row in grey], w, 1, 0)

        for (name, reference), (_, distorted) in zip(kinds(1), kinds(2)):
            self.write("reference.png", reference)
            self.write("distorted.png", distorted)
            # Both of one kind: FFmpeg itself takes 16 bits beside 8 for 8.
            want = self.filter_scores("reference.png", "distorted.png")
            got = self.lpips("reference.png", "distorted.png").scores
            self.assertEqual(got, want, name)
            self.assertGreater(float(got[0]), 0.001)


class Broken(Case):
    def setUp(self):
        super().setUp()
        self.whole = picture(seed=1)
        self.write("a.png", self.whole)

    def refused(self, data, *words, name="b.png"):
        self.write(name, data)
        for order in (("a.png", name), (name, "a.png")):
            run = self.lpips(*order, code=2)
            self.assertEqual(run.scores, ["failed"])
            for word in words:
                self.assertIn(word, run.err)
            self.assertIn(order[1] if "differ" in run.err else name, run.err)
            self.assertEqual(run.rows[0][1:3], [order[1], order[0]])

    def test_damaged(self):
        """Cut at any place, or with a wrong byte: an error that says so, no number."""
        for n in (9, 20, 33, 60, len(self.whole) // 2, len(self.whole) - 13, len(self.whole) - 1):
            self.refused(self.whole[:n], "not a whole PNG")
        for at in (20, 29, len(self.whole) // 2, len(self.whole) - 16):
            damaged = bytearray(self.whole)
            damaged[at] ^= 0x10
            self.refused(bytes(damaged), "not a whole PNG")

    def test_lies(self):
        """Dimensions that no memory holds, or that the data does not fill."""
        rest = self.whole[33:]
        for w, h, words in (
            (2**31 - 1, 2**31 - 1, "PNG"),
            (200000, 200000, "PNG"),
            (16000, 16000, "too short"),
            (0, 40, "PNG"),
            (48, 41, "PNG"),
        ):
            header = chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0))
            self.refused(SIGNATURE + header + rest, words)

    def test_no_pictures(self):
        self.refused(b"", "empty")
        self.refused(b"hello\n" * 100, "no picture", name="b.txt")
        self.refused(b"\0" * 1000)
        self.lpips("a.png", "none.png", code=2)
        self.assertIn("No such file", self.lpips("a.png", "none.png", code=2).err)

    def test_sizes(self):
        """Pictures of two sizes, or too small ones: both sizes are named."""
        self.refused(picture(40, 48, 1), "48x40", "40x48")
        self.write("c.png", picture(30, 40, 1))
        run = self.lpips("c.png", "c.png", code=2)
        self.assertIn("30x40 is too small for net alex, which needs 31x31", run.err)

    def test_one_of_several(self):
        """What is broken does not keep the others from being compared."""
        self.write("b.png", picture(seed=2))
        self.write("small.png", picture(40, 40))
        self.write("cut.png", self.whole[:100])
        run = self.lpips("a.png", "small.png", "b.png", "cut.png", "a.png", code=2)
        want = {"b.png": self.score("a.png", "b.png"), "a.png": ZERO}
        want.update({"small.png": "failed", "cut.png": "failed"})
        self.assertEqual({row[1]: row[0] for row in run.rows}, want)


class Folders(Case):
    def setUp(self):
        super().setUp()
        # Sizes change, so that some are compared together and some alone.
        sizes = [(48, 40)] * 6 + [(40, 48)] * 2 + [(48, 40)] * 3 + [(64, 33)]
        self.names = [f"{i:02}.png" for i in range(len(sizes))]
        for i, (w, h) in enumerate(sizes):
            self.write(f"r/{i:02}.png", picture(w, h, i))
            self.write(f"d/{i:02}.png", picture(w, h, i + 20))
            self.write(f"e/{i:02}.png", picture(w, h, i, strength=60))

    def test_pairs(self):
        """By name, in order, with the numbers of single runs."""
        run = self.lpips("r", "d")
        self.assertEqual([row[1:] for row in run.rows], [[f"d/{n}", f"r/{n}"] for n in self.names])
        want = [self.score(f"r/{n}", f"d/{n}") for n in self.names]
        self.assertEqual(run.scores, want)
        self.assertEqual(len(set(want)), len(want))
        for jobs in ("-j1", "-j7"):
            self.assertEqual(self.lpips(jobs, "r/", "d//", "-q").scores, want)

    def test_several_folders(self):
        run = self.lpips("r", "d", "e")
        for folder in "de":
            rows = {row[1]: row[0] for row in run.rows if row[1].startswith(folder)}
            want = self.lpips("r", folder)
            self.assertEqual(rows, {row[1]: row[0] for row in want.rows})
        self.assertEqual(len(run.rows), 2 * len(self.names))

    def test_summary(self):
        """The pooled numbers at the end are those of the lines."""
        run = self.lpips("r", "d", "--json", "j")
        want = pooled([float(s) for s in run.scores])
        (line,) = [c for c in run.comments if c.startswith("# compared:12 ")]
        got = dict(word.split(":") for word in line[2:].split())
        (summary,) = self.json()["summary"]
        self.assertEqual(summary["compared"], 12)
        self.assertEqual(sorted(summary["statistics"]), sorted(NAMES))
        for name in NAMES:
            self.assertAlmostEqual(float(got[name]), want[name], delta=3e-9, msg=name)
            self.assertAlmostEqual(summary["statistics"][name], want[name], delta=3e-9, msg=name)

    def test_unmatched(self):
        """Names without a partner are told, and an error only if strict."""
        os.remove(self.path("d/03.png"))
        self.write("d/new.png", picture())
        self.write("d/.hidden.png", b"x")
        self.write("d/notes.txt", b"x")
        run = self.lpips("r", "d", "--json", "j", "--csv", "c")
        self.assertEqual(len(run.rows), 11)
        for path in ("r/03.png", "d/new.png"):
            self.assertIn(f"{path} has no partner", run.err)
            self.assertIn(f"# without a partner: {path}", run.comments)
        self.assertEqual(self.json()["unmatched"], ["r/03.png", "d/new.png"])
        kinds = [(row["kind"], row["reference"], row["distorted"]) for row in self.csv()]
        self.assertIn(("unmatched", "r/03.png", ""), kinds)
        self.assertIn(("unmatched", "", "d/new.png"), kinds)
        self.assertEqual(len(kinds), 13)
        strict = self.lpips("r", "d", "--strict", code=2)
        self.assertEqual(strict.rows, run.rows)

    def test_nothing_in_common(self):
        self.write("x/other.png", picture())
        self.assertIn("no name of r", self.lpips("r", "x", code=2).err)
        os.mkdir(self.path("empty"))
        self.assertIn("holds no pictures", self.lpips("empty", "r", code=2).err)

    def test_extensions(self):
        """Names that differ in the extension only are partners, where there is one."""
        body = b"P6 48 40 255\n" + b"".join(pattern(48, 40, 2))
        self.write("p/one.png", picture(seed=1))
        self.write("p/two.png", picture(seed=1))
        self.write("p/three.v1.png", picture(seed=1))
        self.write("q/one.ppm", body)
        self.write("q/two.ppm", body)
        self.write("q/two.pnm", body)
        self.write("q/three.ppm", body)
        run = self.lpips("p", "q")
        self.assertEqual([row[1:] for row in run.rows], [["q/one.ppm", "p/one.png"]])
        self.assertEqual(run.err.count("no partner"), 5)

    def test_recursive(self):
        self.write("r/in/x.png", picture(seed=1))
        self.write("d/in/x.png", picture(seed=2))
        self.write("d/x.png", picture(seed=2))
        self.assertEqual(len(self.lpips("r", "d").rows), 12)
        rows = self.lpips("-r", "r", "d").rows
        self.assertEqual(len(rows), 13)
        self.assertEqual(rows[-1][1:], ["d/in/x.png", "r/in/x.png"])

    def test_broken(self):
        """A broken file is a row; the rest goes on; the status is 2."""
        want = self.lpips("r", "d").scores
        self.write("d/02.png", self.read("d/02.png")[:200])
        self.write("r/05.png", b"")
        self.write("d/06.png", picture(48, 40))
        want[2] = want[5] = want[6] = "failed"
        run = self.lpips("r", "d", "--csv", "c", "--json", "j", code=2)
        self.assertEqual(run.scores, want)
        errors = {row["distorted"]: row["error"] for row in self.csv() if row["kind"] == "failed"}
        self.assertEqual(sorted(errors), ["d/02.png", "d/05.png", "d/06.png"])
        self.assertIn("40x48", errors["d/06.png"])
        pairs = {p["distorted"]: p for p in self.json()["pairs"]}
        for name, words in errors.items():
            self.assertEqual(pairs[name]["error"], words)
            self.assertNotIn("lpips", pairs[name])

    def test_names(self):
        """Any name that a file can have."""
        names = ["a b.png", "it's \"so\".png", "new\nline.png", "tab\tand\\.png", "-n.png", "%d.png"]
        names += ["ümläut.png", "a,b;c.png", "\x1b[31mred.png", "*.png", "https:x.png"]
        names += [os.fsdecode(b"\xff\xfe.png"), "#x.png"]
        for name in names:
            self.write(f"p/{name}", picture(seed=1))
            self.write(f"q/{name}", picture(seed=2))
        score = self.score("p/a b.png", "q/a b.png")
        run = self.lpips("p", "q", "--csv", "c", "--json", "j")
        self.assertEqual(run.scores, [score] * len(names))
        self.assertNotIn("\x1b", run.out)
        self.assertIn("q/new\\nline.png", run.out)
        self.assertIn("q/tab\\tand\\\\.png", run.out)
        self.assertEqual(sorted(r["distorted"] for r in self.csv()), sorted("q/" + n for n in names))
        got = {p["distorted"] for p in self.json()["pairs"]}
        valid = {"q/" + n for n in names if os.fsencode(n).isascii() or n == "ümläut.png"}
        self.assertEqual(got - {"q/\ufffd\ufffd.png"}, valid)
        self.assertEqual(len(got), len(names))
        # As arguments, one by one.
        for name in names:
            self.assertEqual(self.score("-q", f"p/{name}", f"q/{name}"), score, name)
        self.write("=1+1.png", self.read("p/a b.png"))
        self.lpips("=1+1.png", "q/a b.png", "--csv", "c")
        (row,) = self.csv()
        self.assertEqual(row["reference"], "'=1+1.png", "no formula for a spreadsheet")
        run = self.lpips("--", "nothing\n\x1b[2J", "q/a b.png", code=2)
        self.assertIn("nothing\\n\\x1b[2J", run.err)

    def test_mixed(self):
        run = self.lpips("r", "d/01.png", code=2)
        self.assertIn("r is a folder and d/01.png is not", run.err)
        self.lpips("r/01.png", "d", code=2)


class Documents(Case):
    def setUp(self):
        super().setUp()
        for i in range(4):
            self.write(f"r/{i}.png", picture(seed=i))
            self.write(f"d/{i}.png", picture(seed=i + 9))

    def test_json(self):
        """The numbers of the lines, and all that stands behind them."""
        text = self.lpips("-l", "r", "d")
        run = self.lpips("r", "d", "--json", "-")
        j = json.loads(run.out)
        self.assertRegex(j["library"], r"^\d+\.\d+\.\d+$")
        self.assertRegex(j["weights"], "^[0-9a-f]{64}$")
        self.assertEqual(j["by"], f"lpips {j['library']} alex v0.1 weights {j['weights'][:8]}")
        self.assertEqual("# " + j["by"], text.comments[0])
        self.assertEqual((j["net"], j["version"], j["range"]), ("alex", "0.1", "-1..1"))
        self.assertEqual((j["no_lin"], j["tags"], j["pool"]), (False, "own", "mean"))
        self.assertIs(j["complete"], True)
        self.assertNotIn("fail_above", j)
        for pair, row in zip(j["pairs"], text.rows, strict=True):
            got = [f"{pair['lpips']:.9f}"] + [f"{v:.9f}" for v in pair["layers"]]
            self.assertEqual(got + [pair["distorted"], pair["reference"]], row)
            self.assertEqual((pair["width"], pair["height"]), (48, 40))
            self.assertEqual(pair["reference_read_as"], "rgb 8 bit full")
            self.assertEqual(pair["distorted_read_as"], "rgb 8 bit full")

    def test_csv(self):
        text = self.lpips("-l", "r", "d")
        run = self.lpips("r", "d", "--csv", "-", "--no-lin")
        self.write("c", run.out.encode())
        self.assertTrue(all(row["by"].endswith("no-lin") for row in self.csv()))
        self.assertEqual(self.lpips("r", "d", "--csv", "c").rows, self.lpips("r", "d").rows)
        rows = self.csv()
        layers = [f"layer.{i}" for i in range(5)]
        got = [[r[k] for k in ("lpips", *layers, "distorted", "reference")] for r in rows]
        self.assertEqual(got, text.rows)
        for row in rows:
            self.assertEqual(row["kind"], "picture")
            self.assertEqual("# " + row["by"], text.comments[0])
            self.assertRegex(row["weights"], "^[0-9a-f]{64}$")
            self.assertEqual(row["reference_read_as"], "rgb 8 bit full")
            self.assertEqual(row["error"] + row["frame"] + row["frames"], "")

    def test_gate(self):
        """1 above the limit, 0 at or below it, by the statistic that was chosen."""
        scores = sorted(float(s) for s in self.lpips("r", "d").scores)
        top, low = scores[-1], scores[0]
        for pool, value in (("max", top), ("min", low), ("p75", percentile(scores, 75))):
            self.lpips("r", "d", "-p", pool, "-f", f"{value + 1e-8:.9f}", code=0)
            run = self.lpips("r", "d", "-p", pool, "-f", f"{value - 1e-8:.9f}", code=1)
            self.assertIn("is above", run.err)
            self.assertIn(pool, run.err)
        self.lpips("r/1.png", "d/1.png", "-f", "0", "--json", "j", code=1)
        self.assertEqual((self.json()["fail_above"], self.json()["failed"]), (0, True))
        self.lpips("r/1.png", "r/1.png", "-f", "0", "--json", "j")
        self.assertEqual(self.json()["failed"], False)
        self.lpips("r/1.png", "r/1.png", "d/1.png", "-f", "0.0001", code=1)
        self.write("d/1.png", b"")
        self.lpips("r", "d", "-f", "0", code=2)

    def test_files_that_cannot_be_written(self):
        for option in ("--json", "--csv"):
            run = self.lpips("r", "d", option, "none/x", code=2)
            self.assertIn("none/x", run.err)
        for option in ("--json", "--csv"):
            self.lpips("r", "d", option, "/dev/full", code=2)
        with open("/dev/full", "w") as full:
            run = subprocess.run([LPIPS, "r", "d"], cwd=self.folder, stdout=full, stderr=-1)
        self.assertEqual(run.returncode, 2)
        self.write("j", b"before")
        self.write("r/1.png", b"")
        self.lpips("r", "d", "--json", "j", code=2)
        self.json()
        self.assertEqual([n for n in os.listdir(self.folder) if "tmp" in n], [])


class Maps(Case):
    def setUp(self):
        super().setUp()
        self.write("a.png", picture(seed=1))
        self.write("b.png", picture(seed=2))

    def test_map(self):
        """Equal pictures are the first colour; grey is linear in the distance."""
        self.lpips("a.png", "a.png", "-m", "m.png")
        self.assertEqual(unpng(self.read("m.png")), (48, 40, b"\x44\x01\x54" * 48 * 40))
        self.lpips("a.png", "a.png", "-m", "m.png", "--colors", "inferno")
        self.assertEqual(unpng(self.read("m.png"))[2][:3], b"\x00\x00\x04")
        score = float(self.score("a.png", "b.png", "-m", "m.png", "--colors=gray", "--scale-max=2"))
        wide = unpng(self.read("m.png"))[2]
        self.assertEqual(self.score("a.png", "b.png"), f"{score:.9f}")
        self.assertAlmostEqual(2 * sum(wide) / len(wide) / 255, score, delta=0.25 * score)
        self.lpips("a.png", "b.png", "-m", "m.png", "--colors=gray", "--scale-max=4")
        for a, b in zip(wide, unpng(self.read("m.png"))[2], strict=True):
            self.assertLessEqual(abs(a / 2 - b), 1.01)

    def test_several(self):
        """A folder of maps, one for each, none over another."""
        for name in ("r/1.png", "r/in/1.png", "r/in_1.png"):
            self.write(name, picture(seed=1))
            self.write("d" + name[1:], picture(seed=2))
        self.lpips("-r", "r", "d", "-m", "maps")
        self.assertEqual(sorted(os.listdir(self.path("maps"))), [b"1.png.png", b"in", b"in_1.png.png"])
        self.assertEqual(os.listdir(self.path("maps/in")), [b"1.png.png"])
        self.lpips("a.png", "r/1.png", "d/1.png", "-m", "maps3")
        self.assertNotEqual(self.read("maps3/1/1.png.png"), self.read("maps3/2/1.png.png"))
        run = self.lpips("a.png", "b.png", "-m", "none/m.png", code=2)
        self.assertIn("none/m.png", run.err)
        self.assertEqual(len(run.scores), 1)


class Usage(Case):
    def test_help(self):
        run = self.lpips("--help")
        self.assertIn("REFERENCE DISTORTED...", run.out)
        self.assertIn("comes first", run.out)
        self.assertIn("report", run.out)
        run = self.lpips("--version")
        self.assertRegex(run.out, r"^lpips \d+\.\d+\.\d+\nlibavformat \d")

    def test_mistakes(self):
        """Each names what is wrong, and the status is 2."""
        self.write("a.png", picture())
        for arguments, words in (
            ([], "DISTORTED"),
            (["a.png"], "DISTORTED"),
            (["--net", "lenet"], "lenet"),
            (["--pool", "average"], "average"),
            (["--fail-above", "x"], "x is not"),
            (["--fail-above", "nan"], "nan is not"),
            (["--fail-above", "-1"], "-1 is not"),
            (["--threads", "0"], "0 is not"),
            (["--tags", "mine"], "mine"),
            (["--colors", "jet"], "jet"),
            (["--scale-max", "0"], "0 is not"),
            (["--json", "-", "--csv", "-"], "both"),
            (["--nonsense"], "nonsense"),
        ):
            both = ["a.png", "a.png"] if arguments and arguments != ["a.png"] else []
            run = self.lpips(*arguments, *both, code=2)
            self.assertIn(words, run.err, arguments)
            self.assertEqual(run.out, "", arguments)

    def test_weights(self):
        """Weights that are not there are named."""
        self.write("a.png", picture())
        env = {k: v for k, v in os.environ.items() if k != "LPIPS_WEIGHTS_PATH"}
        run = self.lpips("--net-version", "0.7", "a.png", "a.png", code=2, env=env)
        self.assertIn("0.7", run.err)
        run = self.lpips("--model", "a.png", "a.png", "a.png", code=2)
        self.assertIn("a.png", run.err)


if __name__ == "__main__":
    unittest.main()
