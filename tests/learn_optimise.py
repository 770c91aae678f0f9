#!/usr/bin/env python3
"""lpips-learn optimise: one picture into another.

usage: LPIPS=build/bin/lpips LPIPS_LEARN=build/bin/lpips-learn tests/learn_optimise.py
"""

import os
import signal
import subprocess
import time
import unittest

from program import LEARN, Case, noise, pattern, png, unpng

W, H = 48, 40
QUICK = ("-q", "--steps", "24", "--every", "8")


class Optimise(Case):
    def setUp(self):
        super().setUp()
        self.write("a", png([noise(3 * W, y + 1) for y in range(H)], W))
        self.write("b", png(pattern(W, H, 3, strength=4), W))

    def optimise(self, *arguments, code=0):
        return self.learn("optimise", *arguments, code=code)

    def files(self, folder):
        return sorted(os.fsdecode(n) for n in os.listdir(self.path(folder)))

    def whole(self, folder):
        return {n: self.read(f"{folder}/{n}") for n in self.files(folder)}

    def test_files(self):
        """Frames, the last of which is the result, and what the distances were."""
        self.optimise("a", "b", "-o", "out", *QUICK)
        frames = [f"frame-{i:06d}.png" for i in (0, 8, 16, 24)]
        self.assertEqual(self.files("out"), ["final.png"] + frames + ["log.csv", "run.json"])
        self.assertEqual(unpng(self.read("out/" + frames[0])), unpng(self.read("a")))
        self.assertEqual(self.read("out/" + frames[3]), self.read("out/final.png"))
        rows = self.csv("out/log.csv")
        self.assertEqual([int(r["step"]) for r in rows], list(range(25)))
        for r in rows:
            layers = sum(float(r[f"layer{k}"]) for k in range(1, 6))
            self.assertAlmostEqual(float(r["distance"]), layers, delta=5e-9)
        run = self.json("out/run.json")
        self.assertEqual((run["steps"], run["every"], run["width"], run["height"]), (24, 8, W, H))
        self.assertIn("alex v0.1 weights", run["tool"])
        self.assertAlmostEqual(run["first"], float(rows[0]["distance"]), delta=1e-9)
        self.assertAlmostEqual(run["last"], float(rows[-1]["distance"]), delta=1e-9)

    def test_distances(self):
        """What the log says is what lpips says of the pictures: of START exactly, of frames as
        far as eight bits go. And it goes down."""
        self.optimise("a", "b", "-o", "out", "-q", "--steps", "60", "--every", "20")
        d = [float(r["distance"]) for r in self.csv("out/log.csv")]
        self.assertAlmostEqual(d[0], float(self.score("a", "b")), delta=2e-7)
        for i in (20, 40, 60):
            self.assertAlmostEqual(d[i], float(self.score(f"out/frame-{i:06d}.png", "b")), delta=0.01)
        self.assertLess(d[20], d[0] * 0.75)
        self.assertLess(d[60], d[20])

    def test_settings(self):
        """Each reaches the metric: START's distance is that of lpips with the same options."""
        for i, options in enumerate((("--net-version", "0.0"), ("--no-lin",), ("--range-0-1",))):
            with self.subTest(options=options):
                self.optimise("a", "b", "-o", f"o{i}", "-q", "--steps", "0", *options)
                (row,) = self.csv(f"o{i}/log.csv")
                score = float(self.score("a", "b", *options))
                self.assertAlmostEqual(float(row["distance"]), score, delta=2e-6 * max(1, score))
                self.assertEqual(self.files(f"o{i}"), ["final.png", "frame-000000.png", "log.csv", "run.json"])
        self.optimise("a", "b", "-o", "slow", "-q", "--steps", "8", "--rate", "0.001")
        self.optimise("a", "b", "-o", "fast", "-q", "--steps", "8", "--rate", "0.02")
        start, slow, fast = (unpng(self.read(n))[2] for n in ("a", "slow/final.png", "fast/final.png"))
        moved = [max(abs(p - q) for p, q in zip(end, start)) for end in (slow, fast)]
        self.assertLessEqual(moved[0], 3)  # 8 steps of 0.255 codes
        self.assertGreater(moved[1], 15)

    def test_same(self):
        """The same bytes again, on any number of threads."""
        for name, threads in (("one", "1"), ("again", "1"), ("three", "3")):
            self.optimise("a", "b", "-o", name, "-t", threads, *QUICK)
        self.assertEqual(self.whole("one"), self.whole("again"))
        self.assertEqual(self.whole("one"), self.whole("three"))

    def test_equal(self):
        """A picture that is there already stays."""
        self.optimise("b", "b", "-o", "out", *QUICK)
        self.assertEqual({r["distance"] for r in self.csv("out/log.csv")}, {"0.000000000"})
        self.assertEqual(unpng(self.read("out/final.png")), unpng(self.read("b")))

    def test_stopped(self):
        """What a killed run leaves is whole."""
        run = subprocess.Popen([LEARN, "optimise", "a", "b", "-o", "out", "-q", "-s", "100000", "-e", "1"], cwd=self.folder)
        end = time.monotonic() + 60
        while time.monotonic() < end and not os.path.exists(self.path("out/frame-000004.png")):
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.wait()
        frames = [n for n in self.files("out") if n.startswith("frame-") and n.endswith(".png")]
        self.assertGreater(len(frames), 4)
        for n in frames:
            unpng(self.read("out/" + n))
        self.assertTrue(all(None not in r.values() for r in self.csv("out/log.csv")))
        self.json("out/run.json")

    def test_told(self):
        """How it went, on standard error; with -q nothing."""
        run = self.optimise("a", "b", "-o", "out", "--steps", "5")
        self.assertRegex(run.err, r"5 steps: distance 0\.\d{9} to 0\.\d{9}")
        self.assertEqual(run.out, "")
        quiet = self.optimise("a", "b", "-o", "quiet", "--steps", "5", "-q")
        self.assertEqual((quiet.out, quiet.err), ("", ""))

    def test_refusals(self):
        """Each says what is wrong, and what to do."""
        self.write("small", png(pattern(W, H - 1), W))
        self.write("tiny", png(pattern(20, 20), 20))
        self.write("text", b"no picture at all")
        self.write("full/of", b"things")
        for arguments, word in (
            (("a", "small", "-o", "x"), "48x39; both must be of one size"),
            (("a", "nothing", "-o", "x"), "nothing"),
            (("text", "b", "-o", "x"), "text"),
            (("tiny", "tiny", "-o", "x"), "too small"),
            (("a", "b", "-o", "full"), "full holds files already"),
            (("a", "b", "-o", "no/where"), "no/where: cannot be made"),
            (("a", "b", "-o", "x", "--model", "text"), "text"),
            (("a", "b", "-o", "x", "--net", "lenet"), 'no "lenet"'),
            (("a", "b", "-o", "x", "--steps", "-1"), '"-1" is no whole number'),
            (("a", "b", "-o", "x", "--every", "0"), '"0" is no whole number'),
            (("a", "b", "-o", "x", "--rate", "nan"), '"nan" is no number'),
            (("a", "b", "c", "-o", "x"), 'not "c" too'),
            (("a", "b"), "--out DIR are needed"),
            (("a", "-o", "x"), "a TARGET"),
        ):
            with self.subTest(arguments=arguments):
                self.assertIn(word, self.optimise(*arguments, code=2).err)
                self.assertFalse(os.path.exists(self.path("x")))


if __name__ == "__main__":
    unittest.main()
