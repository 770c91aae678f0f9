#!/usr/bin/env python3
"""lpips-learn distort with networks: made, gone on with, applied, and what goes wrong.

The program is that of the environment variable LPIPS_LEARN, build/bin/lpips-learn by default.
The VGG that networks learn by is found as always, by LPIPS_WEIGHTS_PATH.
"""

import json
import math
import os
import signal
import struct
import subprocess
import time
import unittest

import learn_distort
from learn_distort import crop, rgb, squares
from program import LEARN, TIMEOUT, png, unpng

SMALL = ("--steps", "2", "--patches", "9")


def taken(data):
    """A safetensors file as its header and its data."""
    (n,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + n]), data[8 + n :]


def put(header, data):
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


class Case(learn_distort.Case):
    def networks(self, n=4):
        """The first n of six that are made once for all tests: they do not depend on how many."""
        if not hasattr(Case, "six"):
            self.train(count=6)
            Case.six = self.tree("nets")
        self.photos(2)
        for name in sorted(Case.six):
            if int(name[:3]) < n:
                self.write("nets/" + name, Case.six[name])
            elif os.path.exists(self.path("nets/" + name)):
                os.remove(self.path("nets/" + name))

    def train(self, out="nets", *arguments, count=4, **settings):
        self.photos(2)
        return self.learn("train", "in", "-o", out, "--count", str(count), *SMALL, *arguments, **settings)

    def picture(self, with_what, *arguments, of="a.png"):
        self.learn("picture", of, "b.png", "--networks", "nets", "--with", with_what, *arguments)
        return rgb(self.read("b.png"))


class Making(Case):
    def test_same_bytes_whatever_j(self):
        self.train("one", "-j", "1")
        self.train("three", "-j", "3")
        self.train("other", "--seed", "1")
        self.assertEqual(sorted(self.tree("one")), [f"{i:03d}.safetensors" for i in range(4)])
        self.assertEqual(self.tree("one"), self.tree("three"))
        self.assertEqual(len(set(self.tree("one").values())), 4)
        self.assertFalse(set(self.tree("one").values()) & set(self.tree("other").values()))

    def test_more_later(self):
        """Those that are there are kept as they are, and the others the same as at once."""
        self.train("nets", count=2)
        before = [os.stat(self.path(f"nets/00{i}.safetensors")).st_mtime_ns for i in range(2)]
        self.train("nets", count=6)
        self.assertEqual([os.stat(self.path(f"nets/00{i}.safetensors")).st_mtime_ns for i in range(2)], before)
        nets = self.tree("nets")
        self.networks(6)
        self.assertEqual(nets, self.tree("nets"))

    def test_stopped_and_killed(self):
        self.photos(2)
        how = ["train", "in", "--count", "5", "--steps", "6", "--patches", "9", "-j", "2"]
        self.learn(*how, "-o", "whole")
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
            out = f"out{code}"
            run = subprocess.Popen([LEARN, "distort", *how, "-o", out], cwd=self.folder, stderr=subprocess.PIPE)
            end = time.monotonic() + TIMEOUT
            while not os.path.exists(self.path(out + "/000.safetensors")) and time.monotonic() < end:
                time.sleep(0.005)
            run.send_signal(number)
            said = run.communicate(timeout=TIMEOUT)[1]
            self.assertEqual(run.returncode, code, said)
            self.assertEqual(b"the same command goes on" in said, code > 0)
            files = {n for n in self.tree(out) if n.endswith(".safetensors")}
            self.assertIn(len(files), range(1, 5))
            self.learn(*how, "-o", out)
            again = self.tree(out)
            self.assertEqual({n: again[n] for n in again if n.endswith(".safetensors")}, self.tree("whole"))

    def test_another_origin(self):
        self.networks()
        before = self.tree("nets")
        for other in (("--steps", "3"), ("--seed", "1"), ("--patches", "8")):
            self.fails("was made with another", "train", "in", "-o", "nets", "--count", "4", *SMALL, *other)
        self.assertEqual(self.tree("nets"), before)
        self.photos(3)
        self.fails("other pictures", "train", "in", "-o", "nets", "--count", "4", *SMALL)
        self.assertEqual(self.tree("nets"), before)

    def test_what_is_told(self):
        """All that was drawn; the list says how far off each is."""
        self.networks()
        rows = self.learn("list", "--networks", "nets").rows
        self.assertEqual(rows[:30], self.kinds())
        self.assertEqual([r[:6] for r in rows[30:]], [[f"cnn-00{i}", "cnn", "cnn", "0", "1", "of it"] for i in range(4)])
        for i, row in enumerate(rows[30:]):
            about = taken(self.read(f"nets/00{i}.safetensors"))[0]["__metadata__"]
            self.assertEqual((about["seed"], about["number"], about["steps"]), ("0", str(i), "2"))
            off = [float(about[k]) for k in ("restored", "corrupted")]
            self.assertIn("off by {:.1f} levels where {:.1f} were".format(*off), row[7])
            self.assertIn(f"corruption {about['corruption']}, {about['layers']} layers", row[7])

    def test_wrong(self):
        self.write("small/a.png", png([bytes(3 * 63)] * 63, 63))
        self.fails(["a.png is 63x63", "leave it out"], "train", "small", "-o", "nets")
        self.write("bad/a.png", b"no picture")
        self.fails("a.png", "train", "bad", "-o", "nets")
        os.mkdir(self.path("empty"))
        self.fails("the folder is empty", "train", "empty", "-o", "nets")
        self.fails("missing", "train", "missing", "-o", "nets")
        self.fails("--out is missing", "train", "small")
        self.fails("a folder of pictures", "train", "-o", "nets")
        self.photos(1)
        self.fails("cannot be made", "train", "in", "-o", "no/such")
        self.write("file", b"")
        self.fails(["file cannot be made", "a directory"], "train", "in", "-o", "file")
        self.fails("--patches", "train", "in", "-o", "nets", "--patches", "7")
        nowhere = dict(os.environ, LPIPS_WEIGHTS_PATH="/nowhere")
        self.fails("VGG's features", "train", "in", "-o", "nets", *SMALL, env=nowhere)


class Applied(Case):
    def setUp(self):
        super().setUp()
        self.networks()
        self.write("a.png", self.scene[3])

    def test_strength(self):
        """0: the picture. 1: what the network makes. Between: so much of the way."""
        a, all_of = rgb(self.scene[3]), self.picture("cnn-002:1")
        self.assertEqual(self.picture("cnn-002:0"), a)
        self.assertGreater(squares(a, all_of), 1000)
        for part in (0.25, 0.5):
            mixed = self.picture(f"cnn-002:{part}")
            most = max(abs(p + part * (q - p) - m) for p, q, m in zip(a, all_of, mixed))
            self.assertLessEqual(most, 1)

    def test_seeds(self):
        """What is random is the noise that the network was to take away."""
        for i in range(4):
            about = taken(self.read(f"nets/00{i}.safetensors"))[0]["__metadata__"]
            once, again, other = (self.picture(f"cnn-00{i}:1", "--seed", s) for s in "112")
            self.assertEqual(once, again)
            self.assertEqual(once != other, about["corruption"].endswith("noise"), about)

    def test_sizes(self):
        """Any size; the upper left of a picture that goes on as its mirror image."""
        row = bytes(range(0, 240, 3))
        for w, h in ((1, 1), (17, 5), (64, 80)):
            self.write("s.png", png([row[: 3 * w].ljust(3 * w, b"\x40")] * h, w))
            for i in range(4):
                self.learn("picture", "s.png", "t.png", "--networks", "nets", "--with", f"cnn-00{i}:1")
                self.assertEqual(unpng(self.read("t.png"))[:2], (w, h))

    def test_after_each_other(self):
        self.picture("cnn-001:1")
        os.rename(self.path("b.png"), self.path("c.png"))
        two = self.picture("jpeg:0.6", of="c.png")
        self.assertEqual(self.picture("cnn-001:1+jpeg:0.6"), two)

    def test_sheet(self):
        self.learn("sheet", "a.png", "s.png", "--networks", "nets", "--family", "cnn", "--tile", "32")
        width, height, _ = unpng(self.read("s.png"))
        self.assertEqual(height, 24 + 4 * 36)
        self.fails("--networks, which is missing", "sheet", "a.png", "s.png", "--family", "cnn")

    def test_without(self):
        for words in (("list",), ("picture", "a.png", "b.png", "--with", "jpeg")):
            self.fails("has no networks", *words, "--networks", "in")
            self.fails("nowhere", *words, "--networks", "nowhere")
        self.fails("with --networks those that learnt", "picture", "a.png", "b.png", "--with", "cnn-001")
        self.fails("--subset cnn wants --networks", "make", "in", "-o", "x", "--subset", "cnn")
        self.fails("--subset mix wants --networks", "make", "in", "-o", "x", "--subset", "mix")


class Trials(Case):
    def made(self, out="out", *arguments):
        self.learn("make", "in", "-o", out, "--networks", "nets", *arguments)
        return self.csv(out + "/manifest.csv")

    def test_make(self):
        self.networks()
        rows = self.made("out", "--patches", "6", "--seed", "3", "-j", "2")
        self.made("again", "--patches", "6", "--seed", "3", "-j", "1")
        files = self.tree("out")
        self.assertEqual(files, self.tree("again"))
        self.assertEqual({r["subset"] for r in rows}, {"traditional", "cnn", "mix"})
        about = json.loads(files["about.json"])
        self.assertEqual(list(about["networks"]), [f"cnn-00{i}" for i in range(4)])
        self.assertEqual(len(set(about["networks"].values())), 4)
        seconds = set()
        for row in rows:
            names = [row[p].split(":")[0] for p in ("p0", "p1")]
            learnt = [n.startswith("cnn-") for n in names]
            if row["subset"] == "cnn":
                self.assertTrue(all(learnt) and names[0] != names[1], row)
            elif row["subset"] == "mix":
                self.assertEqual(sum(learnt), 1, row)
                seconds.add(learnt[1])
            for side, is_learnt in zip(("p0", "p1"), learnt):
                self.assertEqual(is_learnt, row[side].endswith(":1.0000") and "cnn" in row[side], row)
            self.check(row, files)
        self.assertEqual(seconds, {False, True})

    def check(self, row, files):
        """Both sides are what the line says."""
        place = "2afc/{split}/{subset}/%s/{trial}.png".format(**row)
        patch = crop(self.read("in/" + row["source"]), int(row["x"]), int(row["y"]), 64)
        self.assertEqual(rgb(files[place % "ref"]), b"".join(patch))
        self.write("patch.png", png(patch, 64))
        for side in ("p0", "p1"):
            made = self.picture(row[side], "--seed", row[side + "_seed"], of="patch.png")
            self.assertEqual(made, rgb(files[place % side]), row)

    def test_jnd(self):
        self.networks()
        rows = self.made("out", "--task", "jnd", "--subset", "cnn", "--patches", "12")
        strengths = [float(r["p1"].split(":")[1]) for r in rows]
        self.assertTrue(all(0.05 <= s <= 0.5 for s in strengths))
        self.assertGreater(len(set(strengths)), 20)
        self.assertEqual({r["p0"] for r in rows}, {""})

    def test_one_is_not_two(self):
        self.networks(1)
        self.fails("2 or more", "make", "in", "-o", "x", "--subset", "cnn", "--networks", "nets")
        self.assertNotIn("x", self.left())
        self.made("out", "--subset", "mix")


class Hostile(Case):
    def refused(self, words, data, name="000.safetensors"):
        self.write("bad/" + name, data)
        run = self.fails(words, "list", "--networks", "bad")
        self.assertIn("bad/", run.err)
        os.remove(self.path("bad/" + name))

    def test_files(self):
        self.networks(6)
        whole = [self.read(f"nets/00{i}.safetensors") for i in range(6)]
        header, data = taken(whole[0])
        tensors = [k for k in header if k != "__metadata__"]
        self.refused("cannot be used", b"")
        self.refused("cannot be used", whole[0][:-4])
        self.refused("cannot be used", whole[0] + b"\0\0\0\0")
        for key in list(header["__metadata__"]):
            if key == "made_by":
                continue
            broken = json.loads(json.dumps(header))
            del broken["__metadata__"][key]
            self.refused(f"its {key}", put(broken, data))
            for value in ("", "-1", "nan", "0x1p900", "none of them", "9" * 40):
                broken["__metadata__"][key] = value
                with self.subTest(key=key, value=value):
                    self.refused("cannot be used", put(broken, data))
        broken = json.loads(json.dumps(header))
        broken[tensors[0]]["shape"].reverse()
        self.refused("of another shape", put(broken, data))
        broken = json.loads(json.dumps(header))
        broken["x"] = broken.pop(tensors[-1])
        self.refused("is missing", put(broken, data))
        for bad in (math.nan, math.inf):
            self.refused("cannot be", put(header, data[:-4] + struct.pack("<f", bad)))
        self.variance(whole)
        self.refused("letters, digits and hyphens", whole[0], "a b.safetensors")
        self.refused("letters, digits and hyphens", whole[0], "a" * 25 + ".safetensors")

    def variance(self, whole):
        """A batch norm's, which is below 0."""
        for header, data in map(taken, whole):
            name = next((k for k in header if k.endswith(".variance")), None)
            if name:
                at = header[name]["data_offsets"][0]
                self.refused(name, put(header, data[:at] + struct.pack("<f", -1) + data[at + 4 :]))
                return
        self.fail("no network with a batch norm")

    def test_large_numbers(self):
        """Finite numbers whose products are not: a picture all the same."""
        self.networks(2)
        for i in range(2):
            header, data = taken(self.read(f"nets/00{i}.safetensors"))
            self.write(f"nets/00{i}.safetensors", put(header, struct.pack("<f", 3e38) * (len(data) // 4)))
        self.write("a.png", self.scene[0])
        for i in range(2):
            self.assertEqual(len(self.picture(f"cnn-00{i}:1")), 3 * learn_distort.SIZE**2)

    def test_too_large(self):
        self.networks(1)
        self.write("a.png", png([bytes(3 * 2100)] * 2100, 2100))
        self.fails("up to 4 million pixels", "picture", "a.png", "b.png", "--networks", "nets", "--with", "cnn-000")


if __name__ == "__main__":
    unittest.main()
