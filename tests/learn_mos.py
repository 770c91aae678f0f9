#!/usr/bin/env python3
"""`lpips-learn eval mos`: its numbers again by counting, its plot, what it says of bad files."""

import math
import os
import re
import unittest
import xml.etree.ElementTree as ElementTree

from program import picture
from trials import Trials, grey

SVG = "{http://www.w3.org/2000/svg}"


def ranks(values):
    """Equal values share the mean of their ranks."""
    return [
        sum(v < x for v in values) + (sum(v == x for v in values) + 1) / 2 for x in values
    ]


def pearson(a, b):
    ma, mb = sum(a) / len(a), sum(b) / len(b)
    ab = sum((x - ma) * (y - mb) for x, y in zip(a, b))
    return ab / math.sqrt(sum((x - ma) ** 2 for x in a) * sum((y - mb) ** 2 for y in b))


def kendall(a, b):
    sign = lambda x: (x > 0) - (x < 0)
    n = range(len(a))
    pairs = [(sign(a[i] - a[k]), sign(b[i] - b[k])) for i in n for k in range(i)]
    return sum(x * y for x, y in pairs) / math.sqrt(
        sum(x != 0 for x, _ in pairs) * sum(y != 0 for _, y in pairs)
    )


class Mos(Trials):
    def make(self, column="MOS", sign=1):
        """Greys further and further from the reference; scores fall, not evenly, with ties."""
        self.write("set/refs/r.png", grey(100))
        rows = [f"distorted,{column},Reference,note"]
        for i in range(24):
            self.write(f"set/{i}.png", grey(100 + 3 * (i + i % 3)))
            score = round(9 / (1 + math.exp((i - 11) / 4)) + (i * 7 % 5) / 6, 1)
            rows.append(f"{i}.png,{sign * score},refs/r.png,\"a, b\"")
        self.write("set/set.csv", "\r\n".join(rows).encode())

    def judge(self, *arguments):
        self.learn("eval", "mos", "set/set.csv", "-qJ", "l2-rgb", "--json", "j", *arguments)
        document = self.json()
        return document["judges"][0], [p["score"] for p in document["pairs"]]

    def test_numbers(self):
        self.make()
        got, scores = self.judge()
        d = got["distances"]
        self.assertAlmostEqual(d[4], (3 * 5 / 127.5) ** 2, delta=1e-9)
        self.assertAlmostEqual(got["SROCC"]["value"], -pearson(ranks(d), ranks(scores)), delta=1e-9)
        self.assertAlmostEqual(got["KROCC"]["value"], -kendall(d, scores), delta=1e-9)
        b = got["curve"]
        fitted = [b[0] * (0.5 - 1 / (1 + math.exp(b[1] * (x - b[2])))) + b[3] * x + b[4] for x in d]
        self.assertEqual(b[3], 0)
        self.assertAlmostEqual(got["PLCC"]["value"], pearson(fitted, scores), delta=1e-9)
        rmse = math.sqrt(sum((f - s) ** 2 for f, s in zip(fitted, scores)) / len(scores))
        self.assertAlmostEqual(got["RMSE"]["value"], rmse, delta=1e-9)
        for name in ("SROCC", "KROCC", "PLCC", "RMSE"):
            interval = got[name]
            self.assertLess(interval["low"], interval["value"])
            self.assertLess(interval["value"], interval["high"])
        five, _ = self.judge("--logistic", "5")
        self.assertLessEqual(five["RMSE"]["value"], got["RMSE"]["value"] * (1 + 1e-9))
        self.assertNotEqual(five["curve"][3], 0)
        again, _ = self.judge("-j", "1")
        self.assertEqual(again, got)

    def test_direction(self):
        """By the name of the column, or as told."""
        self.make()
        mos, _ = self.judge()
        self.assertGreater(mos["SROCC"]["value"], 0.5)
        self.make("dmos", -1)
        self.assertAlmostEqual(self.judge()[0]["SROCC"]["value"], mos["SROCC"]["value"])
        self.assertAlmostEqual(self.judge()[0]["PLCC"]["value"], mos["PLCC"]["value"], delta=1e-6)
        self.assertLess(self.judge("--higher-is-better")[0]["SROCC"]["value"], -0.5)
        self.make("score")
        run = self.learn("eval", "mos", "set/set.csv", "-qJ", "l2-rgb", "--json", "k", code=2)
        self.assertIn("--higher-is-better or --lower-is-better", run.err)
        self.assertFalse(os.path.exists(self.path("k")))
        self.assertEqual(self.judge("--higher-is-better")[0]["SROCC"], mos["SROCC"])

    def test_sizes_and_text(self):
        """Pairs of different sizes, as they are; text and CSV say the same."""
        rows = ["reference,distorted,dmos"]
        for i, (w, h) in enumerate(((64, 64), (70, 50), (64, 64), (200, 90), (64, 64), (33, 41))):
            self.write(f"{i}.png", picture(w, h, seed=0))
            self.write(f"{i}x.png", picture(w, h, seed=0, strength=24 + 30 * i))
            rows.append(f"{i}.png,{i}x.png,{i * i}")
        self.write("s.csv", "\n".join(rows).encode())
        run = self.learn("eval", "mos", "s.csv", "-J", "random:alex,psnr", "--csv", "c", "--plot", "p.svg")
        self.assertIn("6 pairs, lower scores are better; curve of 4 parameters", run.out)
        rows = {(r["judge"], r["statistic"]): r for r in self.csv("c")}
        self.assertEqual(len(rows), 8)
        self.assertIn("%.4f" % float(rows["psnr", "SROCC"]["value"]), run.out)
        single = self.learn("eval", "mos", "s.csv", "-qJ", "random:alex,psnr,ssim", "--json", "-", "-j", "1").out
        many = self.learn("eval", "mos", "s.csv", "-qJ", "random:alex,psnr,ssim", "--json", "-", "-j", "4").out
        self.assertEqual(single, many)

    def test_folder(self):
        self.make()
        os.rename(self.path("set/set.csv"), self.path("elsewhere.csv"))
        self.learn("eval", "mos", "elsewhere.csv", "-qJ", "psnr", "--folder", "set")
        run = self.learn("eval", "mos", "elsewhere.csv", "-qJ", "psnr", code=2)
        self.assertIn("refs/r.png", run.err)

    def test_plot(self):
        """A picture that asks for nothing else, with every pair where it belongs."""
        self.make()
        self.learn("eval", "mos", "set/set.csv", "-qJ", "l2-rgb,psnr", "--plot", "p.svg")
        text = self.read("p.svg").decode()
        self.assertNotRegex(text, r"(?i)href|url\((?!#)|@import|<script")
        root = ElementTree.fromstring(text)
        panels = root.findall(f"{SVG}g")
        self.assertEqual(len(panels), 2)
        for panel in panels:
            points = panel.findall(f".//{SVG}circle")
            self.assertEqual(len(points), 24)
            for axis, low, high in (("cx", 62, 442), ("cy", 58, 312)):
                for p in points:
                    self.assertTrue(low - 0.1 <= float(p.get(axis)) <= high + 0.1)
            (curve,) = panel.findall(f".//{SVG}path[@class='curve']")
            ys = [float(y) for y in re.findall(r"[ML][-\d.]+ ([-\d.]+)", curve.get("d"))]
            self.assertEqual(ys, sorted(ys), "four parameters: it falls all along")
            self.assertGreater(ys[-1] - ys[0], 100)

    def test_bad_files(self):
        self.make()
        head = "reference,distorted,mos\n"
        for text, *words in (
            ("", "no pairs"),
            (head, "no pairs"),
            ("reference,distorted\na,b\n", "no column mos, dmos or score"),
            ("reference,mos\na,b\n", "no column distorted"),
            ("reference,distorted,mos,dmos\na,b,1,2\n", "two columns for mos"),
            (head + "a,b\n", "line 2"),
            (head + "refs/r.png,1.png,good\n", "line 2", '"good" is no number'),
            (head + "refs/r.png,1.png,nan\n", "line 2", "no number"),
            (head + 'refs/r.png,"1.png,3\n', "line 2", "never closed"),
            (head + "refs/r.png,absent.png,3\n", "absent.png"),
        ):
            self.write("set/bad.csv", text.encode())
            run = self.learn("eval", "mos", "set/bad.csv", "-qJ", "psnr", "--json", "k", "--plot", "p", code=2)
            for word in words:
                self.assertIn(word, run.err)
            self.assertFalse({"k", "p"} & set(os.listdir(self.folder)))
        self.assertIn("cannot be opened", self.learn("eval", "mos", "none.csv", code=2).err)
        self.assertIn("FILE.csv is needed", self.learn("eval", "mos", code=2).err)
        self.assertIn("--logistic", self.learn("eval", "mos", "x", "--logistic", "3", code=2).err)

    def test_few_pairs(self):
        """Too few for a curve, or all alike: no numbers rather than wrong ones."""
        self.make()
        self.write("set/few.csv", b"reference,distorted,mos\nrefs/r.png,1.png,3\nrefs/r.png,2.png,3\n")
        self.learn("eval", "mos", "set/few.csv", "-qJ", "psnr", "--json", "j", "--plot", "p.svg")
        (judge,) = self.json()["judges"]
        for name in ("SROCC", "KROCC", "PLCC", "RMSE"):
            self.assertEqual(judge[name], {"value": None, "low": None, "high": None})
        self.assertIsNone(judge["curve"])
        ElementTree.fromstring(self.read("p.svg").decode())


if __name__ == "__main__":
    unittest.main()
