#!/usr/bin/env python3
"""`lpips-learn eval`: scores worked out by hand, the data set's own distances, what it says of
damaged folders, and that a killed run goes on as if it had not been."""

import csv
import os
import random
import signal
import sqlite3
import subprocess
import time
import unittest

from program import ROOT, SHARED, pattern, picture, png
from trials import LEARN, Trials, grey, npy

WEIGHTS = f"{ROOT}/build/weights:{SHARED}/weights"
MINI = os.path.join(SHARED, "data", "bapps_mini")
PAPER = ["traditional", "cnn", "superres", "deblur", "color", "frameinterp"]


class Scores(Trials):
    def hand(self, folder="d"):
        """Three trials in two subsets; the smaller difference of greys is the smaller distance
        by l2-rgb.  cnn: p1 nearer, 0.6 agree; p0 nearer, 1 - 0.2 agree.  odd: a tie, 0.5."""
        self.trial_2afc(f"{folder}/cnn", "a", 0.6, grey(130), grey(110))
        self.trial_2afc(f"{folder}/cnn", "b", 0.2, grey(99), grey(110))
        self.trial_2afc(f"{folder}/odd", "a", 0.9, grey(90), grey(90))

    def test_agreement(self):
        """Fractional judgements, a tie, means over subsets of different sizes."""
        self.hand()
        self.learn("eval", "d", "-qJ", "l2-rgb", "--json", "j", "--csv", "c", "--trials", "t")
        (table,) = self.json()["tables"]
        self.assertEqual([c["name"] for c in table["columns"]], ["cnn", "odd", "all"])
        self.assertEqual([c["trials"] for c in table["columns"]], [2, 1, 3])
        people, l2 = table["rows"]
        for got, expected in zip(l2["scores"], (0.7, 0.5, 0.6)):
            self.assertAlmostEqual(got["score"], expected, delta=1e-7)  # judgements are float32
        human = (0.6**2 + 0.4**2 + 0.2**2 + 0.8**2) / 2, 0.9**2 + 0.1**2
        for got, expected in zip(people["scores"], (*human, sum(human) / 2)):
            self.assertAlmostEqual(got["score"], expected, delta=1e-7)
        self.assertEqual(table["columns"][0]["folders"], ["d/cnn"])
        rows = self.csv("t")
        for r, expected in zip(rows, (0.6, 0.8, 0.5)):
            self.assertAlmostEqual(float(r["score"]), expected, delta=1e-7)
        d0, d1 = (float(rows[0][k]) for k in ("d0", "d1"))
        self.assertAlmostEqual(d0, (30 / 127.5) ** 2, delta=1e-9)
        self.assertAlmostEqual(d1, (10 / 127.5) ** 2, delta=1e-9)
        cnn = [r for r in self.csv("c") if r["judge"] == "l2-rgb" and r["column"] == "cnn"][0]
        self.assertAlmostEqual(float(cnn["score"]), 0.7, delta=1e-7)
        self.assertEqual(cnn["published"], "", "the paper has no L2 of RGB")

    def test_jnd(self):
        """By distance `same` is 1, 0, 1/2, 1: see test_learn_eval.c for the arithmetic."""
        for stem, same, shade in (("a", 0.5, 130), ("b", 1, 101), ("c", 1, 160), ("d", 0, 110)):
            self.trial_jnd("d/jnd/val/cnn", stem, same, grey(shade))
        self.trial_jnd("d/jnd/val/traditional", "a", 1, grey(101))
        self.trial_jnd("d/jnd/val/traditional", "b", 1, grey(102))
        self.learn("eval", "d", "-qJ", "l2-rgb", "--json", "j")
        (table,) = self.json()["tables"]
        self.assertEqual([c["name"] for c in table["columns"]], ["traditional", "cnn", "all"])
        self.assertEqual(table["task"], "jnd")
        (row,) = table["rows"]
        for got, expected in zip(row["scores"], (1, 0.775, 0.8875)):
            self.assertAlmostEqual(got["score"], expected, delta=1e-9)

    def test_means(self):
        """Groups are the paper's; its figures stand beside the very subsets that they are of."""
        score = {}
        for i, family in enumerate(PAPER):
            score[family] = 0.5 + 0.0625 * (i + 1)
            self.trial_2afc(f"d/val/{family}", "a", score[family], grey(130), grey(110))
        self.learn("eval", "d", "-qJ", "l2-lab", "--json", "j")
        (table,) = self.json()["tables"]
        self.assertEqual([c["name"] for c in table["columns"]], [*PAPER, "distortions", "real", "all"])
        row = table["rows"][1]
        got = {c["name"]: s["score"] for c, s in zip(table["columns"], row["scores"])}
        mean = lambda names: sum(score[n] for n in names) / len(names)
        self.assertAlmostEqual(got["distortions"], mean(PAPER[:2]), delta=1e-9)
        self.assertAlmostEqual(got["real"], mean(PAPER[2:]), delta=1e-9)
        self.assertAlmostEqual(got["all"], mean(PAPER), delta=1e-9)
        for value, expected in zip(row["paper"]["scores"], (0.599, 0.778, 0.647, 0.582, 0.635, 0.550, 0.6885, 0.60350, 0.632)):
            self.assertAlmostEqual(value, expected, delta=1e-9)
        self.assertIn("HDR-VDP", [p["row"] for p in table["paper_only"]])
        self.trial_2afc("d/val/mix", "a", 1, grey(130), grey(110))
        self.learn("eval", "d", "-qJ", "l2-lab", "--json", "j")
        row = self.json()["tables"][0]["rows"][1]
        self.assertEqual(row["paper"]["scores"][6:], [None, None, 0.6035, None])

    def test_both_tasks_and_splits(self):
        self.hand("d/2afc/val")
        self.trial_2afc("d/2afc/train/mix", "x", 1, grey(110), grey(120))
        self.trial_jnd("d/jnd/val/cnn", "a", 1, grey(101))
        names = {}
        for split in ("val", "train", "all"):
            self.learn("eval", "d", "-qJ", "psnr", "--split", split, "--json", "j")
            names[split] = [[c["name"] for c in t["columns"]] for t in self.json()["tables"]]
        self.assertEqual(names["val"], [["cnn", "odd", "all"], ["cnn"]])
        self.assertEqual(names["train"], [["mix"]])
        self.assertEqual(names["all"], [["cnn", "mix", "odd", "distortions", "all"], ["cnn"]])
        run = self.learn("eval", "d", "-qJ", "psnr", "--task", "jnd")
        self.assertIn("JND", run.out)
        self.assertNotIn("2AFC", run.out)

    def test_size(self):
        """Resized to 64 unless told otherwise; --size 0 leaves pictures as they are."""
        big = [picture(256, 256, seed=i) for i in range(3)]
        self.trial_2afc("d/cnn", "a", 1, big[1], big[2], big[0])
        d = {}
        for size in ("64", "0", "256", "100"):
            self.learn("eval", "d", "-qJ", "l2-rgb", "--size", size, "--trials", "t")
            d[size] = self.csv("t")[0]["d0"]
        self.learn("eval", "d", "-qJ", "l2-rgb", "--trials", "t")
        self.assertEqual(self.csv("t")[0]["d0"], d["64"])
        self.assertEqual(d["0"], d["256"])
        self.assertEqual(len({d["64"], d["100"], d["256"]}), 3)

    def test_output_is_text_or_asked_for(self):
        self.hand()
        run = self.learn("eval", "d", "-qJ", "l2-lab,psnr")
        for words in ("2AFC", "people", "70.0", "paper: L2", "HDR-VDP", "76.8"):
            self.assertIn(words, run.out)
        self.assertTrue(self.learn("eval", "d", "-qJ", "psnr", "--csv", "-").out.startswith("task,row"))


@unittest.skipUnless(os.path.isdir(MINI), "SKIP: ../shared/data/bapps_mini is not there")
class Official(Trials):
    def test_distances(self):
        """Published ones (three digits) to 6e-4, computed ones to 1e-6."""
        with open(os.path.join(MINI, "index.csv")) as f:
            index = list(csv.DictReader(f))
        self.learn(
            "eval", MINI, "-q", "--store", "s", "-J", "lpips:alex,lpips:squeeze", "--trials", "t",
            env={**os.environ, "LPIPS_WEIGHTS_PATH": WEIGHTS},
        )  # fmt: skip
        got = {(r["subset"], r["trial"], r["judge"]): r for r in self.csv("t")}
        published = 0
        for row in index:
            for net in ("alex", "squeeze"):
                r = got[os.path.basename(row["folder"]), row["stem"], f"lpips:{net}:0.1"]
                self.assertEqual(float(r["people"]), float(row["judge"]))
                for d in ("d0", "d1"):
                    self.assertAlmostEqual(float(r[d]), float(row[f"computed_{net}_v01_{d}"]), delta=1e-6)
                    value = row[f"published_lpips_alex_{d}"]
                    if net == "alex" and value:
                        published += 1
                        self.assertAlmostEqual(float(r[d]), float(value), delta=6e-4)
        self.assertEqual(len(got), 2 * len(index))
        self.assertGreaterEqual(published, 2 * 73)

    def test_resize_matters(self):
        """The loader's trap: without its resize distances are others, by 10 % and more."""
        for size, name in (("64", "t"), ("0", "u")):
            self.learn(
                "eval", os.path.join(MINI, "2afc", "val", "cnn"), "-q", "--store", "s",
                "-J", "lpips:alex", "--size", size, "--trials", name,
            )  # fmt: skip
        for a, b in zip(self.csv("t"), self.csv("u")):
            self.assertGreater(abs(float(a["d0"]) / float(b["d0"]) - 1), 0.1)


class Resume(Trials):
    JUDGES = "random:squeeze:1,l2-lab,psnr,ssim-lab"

    def make(self, trials=150):
        """All of one data set: families of noise of different strengths."""
        base = b"".join(pattern(64, 64, 3))
        dice = random.Random(5)
        for i in range(trials):
            shades = [
                png([bytes(min(255, max(0, v + dice.randint(-s, s))) for v in base[192 * y : 192 * y + 192])
                     for y in range(64)], 64)
                for s in dice.sample(range(1, 60), 2)
            ]  # fmt: skip
            family = PAPER[i % 6]
            self.trial_2afc(f"d/{family}", f"{i:03}", dice.choice((0, 0.2, 0.6, 1)), *shades,
                            png([base[192 * y : 192 * y + 192] for y in range(64)], 64))  # fmt: skip

    def run_eval(self, store, *more):
        self.learn("eval", "d", "-q", "--store", store, "-J", self.JUDGES,
                   "--json", "j", "--csv", "c", "--trials", "t", *more)  # fmt: skip
        return [self.read(name) for name in "jct"]

    def test_killed(self):
        """Killed again and again, a run ends with the undisturbed files, byte for byte; whatever
        the number of threads; and measures nothing twice."""
        self.make()
        undisturbed = self.run_eval("whole", "-j", "1")
        self.assertEqual(self.run_eval("threads", "-j", "3"), undisturbed)
        kills = 0
        for i in range(60):
            process = subprocess.Popen(
                [LEARN, "eval", "d", "-q", "--store", "s", "-J", self.JUDGES, "--json", "k", "-j", "2"],
                cwd=self.folder,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
            rows = self.rows("s")
            while process.poll() is None and self.rows("s") == rows:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
            if process.returncode == 0:
                break
        self.assertGreater(kills, 1)
        self.assertGreater(self.rows("s"), 0)
        self.assertEqual(self.run_eval("s", "-j", "2"), undisturbed)
        self.assertEqual(self.run_eval("s", "-j", "2"), undisturbed)

    def rows(self, store):
        try:
            with sqlite3.connect(f"file:{self.folder}/{store}?mode=ro", uri=True, timeout=10) as db:
                return db.execute("SELECT count(*) FROM distance").fetchone()[0]
        except sqlite3.OperationalError:
            return 0

    def test_store_is_used(self):
        """What the store says is believed, so nothing is measured twice; unless the judge, the
        size or the picture is another."""
        self.make(12)
        self.learn("eval", "d", "-qJ", "l2-rgb,random:alex", "--trials", "t")
        before = self.read("t")
        with sqlite3.connect(self.path("d.eval.sqlite").decode()) as db:
            db.execute("UPDATE distance SET d0 = 7")
            self.assertEqual(db.execute("SELECT count(*) FROM distance").fetchone()[0], 24)
        self.learn("eval", "d", "-qJ", "l2-rgb,random:alex", "--trials", "t")
        self.assertEqual({r["d0"] for r in self.csv("t")}, {"7.000000000"})
        self.learn("eval", "d", "-qJ", "random:alex:1", "--trials", "t")
        self.assertNotIn("7.000000000", {r["d0"] for r in self.csv("t")})
        self.learn("eval", "d", "-qJ", "l2-rgb", "--size", "32", "--trials", "t")
        self.assertNotIn("7.000000000", {r["d0"] for r in self.csv("t")})
        path = self.path("d/cnn/p0/001.png")
        os.utime(path, ns=(1, 1))
        self.learn("eval", "d", "-qJ", "l2-rgb,random:alex", "--trials", "t")
        again = [r for r in self.csv("t") if r["d0"] != "7.000000000"]
        self.assertEqual([(r["subset"], r["trial"]) for r in again], [("cnn", "001")] * 2)
        os.unlink(self.path("d.eval.sqlite"))
        self.learn("eval", "d", "-qJ", "l2-rgb,random:alex", "--trials", "t")
        self.assertEqual(self.read("t"), before)

    def test_judgements_are_read_anew(self):
        self.make(6)
        self.learn("eval", "d/cnn", "-qJ", "psnr", "--json", "j")
        first = self.json()["tables"][0]["rows"][1]["scores"][0]["score"]
        self.write("d/cnn/judge/001.npy", npy(0.375))
        self.learn("eval", "d/cnn", "-qJ", "psnr", "--json", "j")
        second = self.json()["tables"][0]["rows"][1]["scores"][0]["score"]
        self.assertNotEqual(first, second)
        self.assertIn(second, (0.375, 0.625))

    def test_foreign_store(self):
        self.make(1)
        self.write("text", b"no database at all, but long enough to be read as one" * 30)
        with sqlite3.connect(self.path("other").decode()) as db:
            db.execute("CREATE TABLE mine(x)")
        for name, words in (("text", "--store"), ("other", "no store of this version"), ("no/folder", "--store")):
            run = self.learn("eval", "d", "-qJ", "psnr", "--store", name, "--json", "j", code=2)
            self.assertIn(words, run.err)
            self.assertFalse(os.path.exists(self.path("j")))
        with sqlite3.connect(self.path("other").decode()) as db:
            self.assertEqual(db.execute("SELECT name FROM sqlite_schema").fetchall(), [("mine",)])


class BadInput(Trials):
    def refused(self, *words, arguments=("d",)):
        """One sentence that holds the words, and nothing is written."""
        before = set(os.listdir(self.folder))
        run = self.learn("eval", *arguments, "-qJ", "l2-rgb", "--json", "j", "--csv", "c", code=2)
        self.assertEqual(run.out, "")
        self.assertEqual(len(run.err.strip().splitlines()), 1, run.err)
        for word in words:
            self.assertIn(word, run.err)
        written = set(os.listdir(self.folder)) - before
        self.assertFalse({n for n in written if not n.startswith("d.eval.sqlite")}, written)

    def test_folders(self):
        self.refused("d cannot be read", "No such file")
        os.makedirs(self.path("d/cnn/p0"))
        self.refused("d/cnn", "neither judge")
        os.makedirs(self.path("d/cnn/judge"))
        self.refused("d/cnn/p1", "No such file")
        self.trial_2afc("d/cnn", "a", 0.5, grey(1), grey(2))
        os.unlink(self.path("d/cnn/judge/a.npy"))
        self.refused("p0/a.png has no partner in judge")
        for data, word in (
            (b"", "no .npy file"),
            (npy(0.5)[:-1], "bytes"),
            (npy(0.5, shape="(2,)"), "needs 8"),
            (npy(0.5, descr="<f8"), "float32"),
            (npy(-0.5), "-0.5, which is no fraction"),
            (npy(float("nan")), "nan, which is no fraction"),
        ):
            self.write("d/cnn/judge/a.npy", data)
            self.refused("d/cnn/judge/a.npy", word)
        self.assertFalse(os.path.exists(self.path("d.eval.sqlite")))

    def test_pictures(self):
        self.trial_2afc("d/cnn", "a", 0.5, grey(1), grey(2))
        self.trial_2afc("d/cnn", "b", 0.5, grey(1), grey(2, 64, 80))
        self.refused("d/cnn/p1/b.png comes to 64x80", "d/cnn/ref/b.png to 64x64")
        self.write("d/cnn/p1/b.png", grey(2)[:200])
        self.refused("d/cnn/p1/b.png")
        self.write("d/cnn/p1/b.png", b"no picture")
        self.refused("d/cnn/p1/b.png")
        self.write("d/cnn/p1/b.png", grey(2))
        for part in ("ref", "p0", "p1"):
            self.write(f"d/cnn/{part}/b.png", grey(2, 20, 20))
        run = self.learn("eval", "d", "-qJ", "random:alex", "--size", "0", code=2)
        self.assertIn("d/cnn/ref/b.png comes to 20x20: random:alex:0 needs 31", run.err)

    def test_first_fault_is_named(self):
        """Whatever the threads, of many broken pictures it is the first: also where it is found
        last (21, as those of other threads are the first that they read) or before others."""
        for first, others in ((21, range(32, 64)), (16, (47, 63))):
            for i in range(64):
                self.trial_2afc("d/cnn", f"{i:03}", 0.5, grey(1), grey(2))
            for i in (first, *others):
                self.write(f"d/cnn/p0/{i:03}.png", b"broken")
            for _ in range(5):
                run = self.learn("eval", "d", "-q", "-j", "4", "--store", ":memory:", "-J", "l2-rgb", code=2)
                self.assertIn(f"d/cnn/p0/{first:03}.png", run.err)

    def test_arguments(self):
        for arguments, words in (
            ((), "FOLDER is needed"),
            (("d", "--task", "x"), '"x"'),
            (("d", "--size", "-1"), "--size"),
            (("d", "-j", "0"), "--threads"),
            (("d", "--json", "-", "--csv", "-"), "cannot both"),
            (("d", "--json", "-", "--trials", "-"), "only one of"),
        ):
            self.assertIn(words, self.learn("eval", *arguments, code=2).err)
        self.trial_2afc("d/cnn", "a", 0.5, grey(1), grey(2))
        for judges, words in (("nothing", '"nothing"'), ("psnr,psnr", "twice"), ("lpips:x", '"x"'), ("", '""')):
            self.assertIn(words, self.learn("eval", "d", "-J", judges, code=2).err)


if __name__ == "__main__":
    unittest.main()
