#!/usr/bin/env python3
"""lpips-learn questions: differences of agreement, held against those worked out from the
trials that lpips-learn eval writes."""

import csv
import os
import random
import unittest
import xml.etree.ElementTree

from program import pattern, png
from trials import Trials, grey

JUDGES = {"L2": "l2-official", "SSIM": "ssim-official", "FSIMc": "fsimc", "Alex, random": "random:alex:0",
          "Alex": "lpips:alex:none", "Alex, lin": "lpips:alex:0.1"}  # fmt: skip


def distorted(draw):
    """A picture made worse in a way that metrics differ about."""
    kind, amount = draw.randrange(5), draw.random()
    rows = pattern(64, 64, 3, strength=round(60 * amount) if kind == 0 else 0)
    if kind == 1:  # lighter
        rows = [bytes(min(255, v + round(80 * amount)) for v in row) for row in rows]
    elif kind == 2:  # moved
        rows = [row[3 * n :] + row[: 3 * n] for n in [1 + round(3 * amount)] for row in rows]
    elif kind == 3:  # flat
        rows = [bytes(round(100 + (1 - amount) * (v - 100)) for v in row) for row in rows]
    elif kind == 4:  # coarse
        rows = [bytes(v - v % (8 + round(60 * amount)) for v in row) for row in rows]
    return png(rows, 64)


class Questions(Trials):
    def trials(self, n=16):
        """Two subsets, one of distortions and one of real algorithms."""
        draw = random.Random(4)
        reference = png(pattern(64, 64, 3, strength=0), 64)
        for subset in ("traditional", "deblur"):
            for i in range(n):
                people = draw.choice((0, 0.25, 0.6, 1))
                self.trial_2afc(f"d/{subset}", f"{i:02}", people, distorted(draw), distorted(draw), reference)

    def ask(self, *arguments, **settings):
        return self.learn("questions", "d", "-q", "-j", "2", *arguments, **settings)

    def answers(self, name):
        with open(self.path(name)) as f:
            rows = list(csv.DictReader(f))
        return {(r["more"], r["less"], r["column"]): r for r in rows}

    def by_hand(self):
        """{judge: {column: mean over its subsets of mean agreement}}"""
        self.learn("eval", "d", "-qJ", ",".join(JUDGES.values()), "--trials", "t", "-j", "2")
        scores = {"people": {}, "chance": {}}
        with open(self.path("t")) as f:
            for row in csv.DictReader(f):
                p = float(row["people"])
                (title,) = (t for t, j in JUDGES.items() if j == row["judge"])
                for who, score in ((title, float(row["score"])), ("people", p * p + (1 - p) ** 2), ("chance", 0.5)):
                    scores.setdefault(who, {}).setdefault(row["subset"], {})[row["trial"]] = score
        means = {w: {s: sum(t.values()) / len(t) for s, t in subsets.items()} for w, subsets in scores.items()}
        for columns in means.values():
            columns["all"] = sum(columns.values()) / 2
        return means

    def test_differences(self):
        self.trials()
        self.ask("--csv", "c")
        means, answers, seen = self.by_hand(), self.answers("c"), 0
        for (more, less, column), row in answers.items():
            if more in means and less in means:
                expected = means[more][column] - means[less][column]
                self.assertAlmostEqual(float(row["difference"]), expected, delta=1e-7)
                low, high = float(row["low"]), float(row["high"])
                self.assertLessEqual(low, expected + 1e-9)
                self.assertGreaterEqual(high, expected - 1e-9)
                self.assertEqual(row["verdict"], "yes" if low > 0 else "no" if high < 0 else "open")
                seen += 1
        self.assertGreater(seen, 30)
        judges = [means[title]["all"] for title in JUDGES]
        self.assertGreater(len(set(judges)), 3, "they must differ for this test to tell them apart")
        self.assertEqual(answers["Alex, tune", "Alex, lin", "all"]["difference"], "")
        self.assertAlmostEqual(float(answers["Alex, tune", "Alex, lin", "deblur"]["paper"]), 0.605 - 0.612, places=9)
        self.assertAlmostEqual(float(answers["Alex", "chance", "traditional"]["paper"]), 0.706 - 0.5, places=9)

    def test_certain(self):
        """One who is right each time over one who is wrong each time: yes, and the other way no."""
        for i in range(8):
            self.trial_2afc("d/deblur", f"{i}", 1, grey(130 + i), grey(101))
        self.ask("--csv", "c")
        self.assertEqual(self.answers("c")["Alex, random", "L2", "deblur"]["verdict"], "open")
        self.assertEqual(self.answers("c")["Alex", "people", "deblur"]["verdict"], "open")
        self.assertEqual(self.answers("c")["Alex", "chance", "deblur"]["verdict"], "yes")
        for i in range(8):
            self.trial_2afc("e/deblur", f"{i}", 0, grey(130 + i), grey(101))
        self.learn("questions", "e", "-q", "--csv", "c")
        self.assertEqual(self.answers("c")["Alex", "chance", "deblur"]["verdict"], "no")

    def test_text_and_picture(self):
        self.trials()
        run = self.ask("--plot", "p.svg", "--json", "j")
        for words in ("1. Do distances", "6. The limit", "Alex, lin over Alex, random", "not asked",
                      "# Alex, tune was not asked: lpips-learn train TRIALS --mode tune"):  # fmt: skip
            self.assertIn(words, run.out)
        root = xml.etree.ElementTree.parse(os.fsdecode(self.path("p.svg"))).getroot()
        texts = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
        for title in ("people", "L2", "Alex, random", "Alex, lin"):
            self.assertIn(title, texts)
        answers = self.json()["answers"]
        self.assertEqual(answers[0]["less"], "chance")
        self.assertEqual([c["name"] for c in answers[0]["columns"]], ["traditional", "deblur", "all"])

    def test_files(self):
        """A file in place of the released layers; one that is none is an error, before any work."""
        self.trials(3)
        self.write("x.safetensors", b"nothing")
        run = self.ask("--tune", "x.safetensors", code=2)
        self.assertIn("x.safetensors", run.err)
        self.assertFalse(os.path.exists(self.path("d.eval.sqlite")))
        self.learn("questions", code=2)
        self.ask("--judges", "psnr", code=2)


if __name__ == "__main__":
    unittest.main()
