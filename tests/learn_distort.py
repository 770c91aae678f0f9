#!/usr/bin/env python3
"""The program lpips-learn distort as a whole: pictures, trials, sheets, and what goes wrong.

The program is that of the environment variable LPIPS_LEARN, build/bin/lpips-learn by default.
"""

import importlib.util
import os
import resource
import signal
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import program
from program import LEARN, ROOT, TIMEOUT, png, unpng

SIZE, FRAMES = 96, 9

if not os.access(LEARN, os.X_OK):
    sys.exit(f"{LEARN} is missing; `make learn` builds it, or set LPIPS_LEARN")


def load_scene():
    spec = importlib.util.spec_from_file_location(
        "scene", os.path.join(ROOT, "tools", "distort-scene.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.SAMPLES = 1
    return module


def frames():
    """The middle of the scene that docs/ has, in SIZE x SIZE."""
    scene = load_scene()
    near = range((scene.SIZE - SIZE) // 2 + 8, (scene.SIZE + SIZE) // 2 + 8)
    return [
        png([b"".join(scene.pixel(x - 8, y, t) for x in near) for y in near], SIZE)
        for t in range(FRAMES)
    ]


def rgb(data):
    return unpng(data)[2]


def crop(data, x, y, size):
    """Rows of a part of a PNG."""
    width, _, samples = unpng(data)
    return [
        samples[3 * (row * width + x) : 3 * (row * width + x + size)] for row in range(y, y + size)
    ]


def squares(a, b):
    return sum((p - q) ** 2 for p, q in zip(a, b))


class Case(program.Case):
    @classmethod
    def setUpClass(cls):
        if not hasattr(Case, "scene"):
            Case.scene = frames()

    def learn(self, *arguments, **settings):
        return super().learn("distort", *arguments, **settings)

    def fails(self, words, *arguments, **settings):
        """It says so in one sentence, and its exit status is 2."""
        run = self.learn(*arguments, code=2, **settings)
        text = " ".join(run.err.split())
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word, text)
        self.assertEqual(run.out, "")
        return run

    def kinds(self):
        return self.learn("list").rows

    def clip(self, name="clip", first=0, last=FRAMES):
        for i in range(first, last):
            self.write(f"{name}/{i}.png", self.scene[i])
        return name

    def photos(self, n=5, folder="in"):
        for i in range(n):
            self.write(f"{folder}/p{i}.png", self.scene[i])
        return folder

    def tree(self, folder):
        """All files below: name -> bytes."""
        found = {}
        top = os.path.join(self.folder, folder)
        for path, _, names in os.walk(top):
            for name in names:
                full = os.path.join(path, name)
                with open(full, "rb") as f:
                    found[os.path.relpath(full, top)] = f.read()
        return found

    def left(self):
        return sorted(os.listdir(self.folder))


class Pictures(Case):
    def test_list(self):
        rows = self.kinds()
        self.assertEqual(len(rows), 30)
        self.assertEqual(len({row[0] for row in rows}), 30)
        self.assertTrue(all(len(row) == 8 for row in rows))
        subsets = {}
        for row in rows:
            subsets.setdefault(row[2], []).append(row[0])
        self.assertEqual(
            {name: len(all_of) for name, all_of in subsets.items()},
            {"traditional": 20, "superres": 5, "deblur": 2, "frameinterp": 3},
        )

    def test_more_strength_is_more_harm(self):
        """In squares and in LPIPS, for all; at 0 most of them are the picture itself."""
        self.clip()
        self.write("a.png", png(crop(self.scene[4], 16, 16, 64), 64))
        itself = []
        for name, family, *_ in self.kinds():
            moving = family == "frameinterp"
            source, reference = ("clip", "clip/4.png") if moving else ("a.png", "a.png")
            names = []
            for strength in ("0", "0.33", "0.67", "1"):
                names.append(f"{name}-{strength}.png")
                self.learn("picture", source, names[-1], "--with", f"{name}:{strength}")
            whole = rgb(self.read(reference))
            harm = [squares(whole, rgb(self.read(n))) for n in names]
            distances = [float(s) for s in self.lpips(reference, *names).scores]
            self.assertEqual(harm, sorted(harm), name)
            self.assertEqual(distances, sorted(distances), name)
            self.assertLess(harm[0], harm[-1], name)
            self.assertLess(distances[0], distances[-1], name)
            if not harm[0]:
                itself.append(name)
        self.assertEqual(len(itself), 19, itself)  # all of the paper's but JPEG

    def test_same_seed_same_bytes(self):
        self.write("a.png", self.scene[0])
        for name in ("coloured-noise", "cubic-warp", "affine:0.2+white-noise"):
            made = []
            for seed in ("5", "5", "6"):
                self.learn("picture", "a.png", "b.png", "--with", name, "--seed", seed)
                made.append(self.read("b.png"))
            self.assertEqual(made[0], made[1])
            self.assertNotEqual(made[0], made[2])

    def test_two_are_one_after_the_other(self):
        self.write("a.png", self.scene[0])
        self.learn("picture", "a.png", "b.png", "--with", "pink-noise:0.3", "--seed", "3")
        self.learn("picture", "b.png", "c.png", "--with", "jpeg:0.7", "--seed", "3")
        self.learn("picture", "a.png", "d.png", "--with", "pink-noise:0.3+jpeg:0.7", "--seed", "3")
        self.assertEqual(self.read("c.png"), self.read("d.png"))

    def test_frames(self):
        self.clip()
        self.learn("picture", "clip", "b.png", "--with", "repeat:0", "--frame", "3")
        self.assertEqual(rgb(self.read("b.png")), rgb(self.scene[2]))
        self.learn("picture", "clip", "b.png", "--with", "repeat:1")  # of frame 4
        self.assertEqual(rgb(self.read("b.png")), rgb(self.scene[0]))
        self.fails("needs 4 frames before and after", "picture", "clip", "b.png", "--with", "blend:1", "--frame", "3")
        self.fails("has no frame 9: it has 9", "picture", "clip", "b.png", "--with", "jpeg", "--frame", "9")
        self.write("clip/5.png", program.picture(40, 40))
        self.fails("frame 5 is 40x40", "picture", "clip", "b.png", "--with", "repeat:0")

    def test_natural_order(self):
        for i in range(3):
            self.write(f"clip/{8 + i}.png", self.scene[i])
        self.learn("picture", "clip", "b.png", "--with", "repeat:0", "--frame", "1")  # 9.png
        self.assertEqual(rgb(self.read("b.png")), rgb(self.scene[0]))

    def test_small_and_odd_sizes(self):
        """Nothing reads or writes beyond a picture, be it one pixel."""
        for width, height in ((1, 1), (2, 7), (17, 3)):
            self.write("a.png", program.picture(width, height))
            for name, family, *_ in self.kinds():
                if family == "frameinterp":
                    continue
                self.learn("picture", "a.png", "b.png", "--with", f"{name}:1")
                self.assertEqual(unpng(self.read("b.png"))[:2], (width, height), name)

    def test_errors(self):
        self.write("a.png", self.scene[0])
        self.write("text.png", b"no picture")
        os.mkdir(self.path("none"))
        self.fails("no distortion \"jepg\"", "picture", "a.png", "b.png", "--with", "jepg")
        self.fails("--with is missing", "picture", "a.png", "b.png")
        self.fails("two files", "picture", "a.png", "--with", "jpeg")
        self.fails("needs a clip", "picture", "a.png", "b.png", "--with", "minterpolate")
        self.fails("text.png", "picture", "text.png", "b.png", "--with", "jpeg")
        self.fails("gone.png", "picture", "gone.png", "b.png", "--with", "jpeg")
        self.fails("holds no pictures", "picture", "none", "b.png", "--with", "jpeg")
        self.fails("as PNG", "picture", "a.png", "b.jpg", "--with", "jpeg")
        self.fails("the picture itself", "picture", "a.png", "./a.png", "--with", "jpeg")
        self.fails("cannot be written", "picture", "a.png", "gone/b.png", "--with", "jpeg")
        self.fails("no command 'paint'", "paint")
        self.assertEqual(self.left(), ["a.png", "none", "text.png"])


class Sheets(Case):
    def test_sheet(self):
        self.write("a.png", self.scene[0])
        self.learn("sheet", "a.png", "s.png", "--family", "blur", "--family", "noise")
        width, height, samples = unpng(self.read("s.png"))
        self.assertEqual((width, height), (180 + 6 * 100, 24 + 8 * 100))
        tile = [samples[3 * ((124 + y) * width + 180) :][: 3 * 96] for y in range(96)]
        self.assertEqual(b"".join(tile), rgb(self.scene[0]))  # second row: the picture
        names = {samples[3 * ((24 + 40 + y) * width) :][: 3 * 160] for y in range(30)}
        self.assertGreater(len(names), 10)  # and something is written beside the first

    def test_errors(self):
        self.write("a.png", self.scene[0])
        self.fails("choose a --tile", "sheet", "a.png", "s.png", "--tile", "97")
        self.fails("needs a clip", "sheet", "a.png", "s.png", "--family", "frameinterp")
        self.fails("no \"colour\"", "sheet", "a.png", "s.png", "--family", "colour")
        self.assertEqual(self.left(), ["a.png"])


class Trials(Case):
    def test_layout_and_manifest(self):
        """Files where BAPPS has them; each picture is what its line says."""
        self.photos(4)
        self.clip("in/clip")
        every = [w for s in ("traditional", "superres", "deblur") for w in ("--subset", s)]
        self.learn("make", "in", "-o", "out", "--patches", "2", "--seed", "11", *every)
        files, rows = self.tree("out"), self.csv("out/manifest.csv")
        self.assertEqual(len(rows), 5 * 3 * 2)
        expected = {"manifest.csv", "about.json"}
        for row in rows:
            place = "2afc/{split}/{subset}/%s/{trial}.png".format(**row)
            expected |= {place % kind for kind in ("ref", "p0", "p1")}
            source = row["source"] if row["source"] != "clip" else f"clip/{row['frame']}.png"
            patch = crop(self.read(f"in/{source}"), int(row["x"]), int(row["y"]), 64)
            self.assertEqual(rgb(files[place % "ref"]), b"".join(patch))
            self.write("patch.png", png(patch, 64))
            for side in ("p0", "p1"):
                seed = row[side + "_seed"]
                self.learn("picture", "patch.png", "b.png", "--with", row[side], "--seed", seed)
                self.assertEqual(rgb(self.read("b.png")), rgb(files[place % side]), row)
            if row["subset"] != "traditional":
                (a, s), (b, t) = (row[side].split(":") for side in ("p0", "p1"))
                self.assertTrue(a != b and s == t)
        self.assertEqual(set(files), expected)
        for split in {row["split"] for row in rows}:  # numbers without gaps
            numbers = [r["trial"] for r in rows if (r["split"], r["subset"]) == (split, "deblur")]
            self.assertEqual(numbers, [f"{i:06d}" for i in range(len(numbers))])

    def test_splits_by_source(self):
        self.photos(9)
        self.learn("make", "in", "-o", "out", "--patches", "2", "--held-out", "0.3")
        splits = {}
        for row in self.csv("out/manifest.csv"):
            splits.setdefault(row["source"], set()).add(row["split"])
        self.assertEqual(sorted(len(s) for s in splits.values()), [1] * 9)
        self.assertEqual(sum(s == {"val"} for s in splits.values()), 3)
        for part, val in (("0", 0), ("1", 9), ("0.99", 8)):
            self.learn("make", "in", "-o", "o" + part, "--patches", "1", "--held-out", part)
            rows = self.csv(f"o{part}/manifest.csv")
            self.assertEqual(sum(row["split"] == "val" for row in rows), val)

    def test_same_bytes_whatever_j(self):
        """And a source's trials do not depend on the others, but for their numbers."""
        self.photos(6)
        self.clip("in/clip")
        one = {}
        for jobs in ("1", "4"):
            for family in ("traditional", "superres", "deblur"):
                self.learn("make", "in", "-o", jobs + family, "-j", jobs, "--subset", family)
            one[jobs] = [self.tree(jobs + f) for f in ("traditional", "superres", "deblur")]
        self.assertEqual(one["1"], one["4"])
        self.photos(2, "few")
        self.learn("make", "few", "-o", "out")
        keys = ("source", "x", "y", "p0", "p1", "p0_seed")
        drawn = [
            {tuple(row[k] for k in keys) for row in self.csv(f"{out}/manifest.csv")}
            for out in ("out", "1traditional")
        ]
        self.assertLess(drawn[0], drawn[1])
        rows = self.csv("1traditional/manifest.csv")
        self.assertEqual(len({row["p0_seed"] for row in rows}), len(rows))
        self.learn("make", "few", "-o", "other", "--seed", "1")
        self.assertNotEqual(self.csv("out/manifest.csv"), self.csv("other/manifest.csv"))

    def test_as_large_as_those_of_bapps(self):
        """256 pixels: place i is that of round(i * 63 / 255)."""
        self.photos(1)
        self.learn("make", "in", "-o", "a", "--patches", "1")
        self.learn("make", "in", "-o", "b", "--patches", "1", "--size", "256")
        name = "2afc/train/traditional/p1/000000.png"
        small, (width, height, large) = rgb(self.read("a/" + name)), unpng(self.read("b/" + name))
        self.assertEqual((width, height), (256, 256))
        at = [round(i * 63 / 255) for i in range(256)]
        self.assertEqual(
            large, b"".join(small[3 * (64 * v + u) :][:3] for v in at for u in at)
        )

    def test_jnd(self):
        self.photos(3)
        self.learn("make", "in", "-o", "out", "--task", "jnd", "--patches", "8")
        files = self.tree("out")
        folders = {os.path.dirname(f) for f in files} - {""}
        self.assertEqual(folders, {f"jnd/val/traditional/{p}" for p in ("p0", "p1")})
        for row in self.csv("out/manifest.csv"):
            patch = crop(self.read("in/" + row["source"]), int(row["x"]), int(row["y"]), 64)
            self.assertEqual(
                rgb(files[f"jnd/val/traditional/p0/{row['trial']}.png"]), b"".join(patch)
            )
            self.assertEqual(row["p0"], "")
            for step in row["p1"].split("+"):
                self.assertTrue(0.05 <= float(step.split(":")[1]) <= 0.5, step)
        self.fails("--judge says which", "make", "in", "-o", "x", "--task", "jnd", "--judge", "psnr")

    def test_interpolation(self):
        """Both sides bridge the same gap; triplets have one frame on each side."""
        self.clip("in/long")
        self.clip("in/triplet", 3, 6)
        self.learn("make", "in", "-o", "out", "--subset", "frameinterp", "--patches", "12")
        strengths = {"long": set(), "triplet": set()}
        for row in self.csv("out/manifest.csv"):
            (a, s), (b, t) = (row[side].split(":") for side in ("p0", "p1"))
            self.assertTrue(a != b and s == t)
            strengths[row["source"]].add(s)
            place = "out/2afc/{split}/frameinterp/%s/{trial}.png".format(**row)
            gap = 1 + round(3 * float(s))
            for side in ("p0", "p1"):
                if row[side].startswith("repeat"):
                    before = int(row["frame"]) - gap + (3 if row["source"] == "triplet" else 0)
                    patch = crop(self.scene[before], int(row["x"]), int(row["y"]), 64)
                    self.assertEqual(rgb(self.read(place % side)), b"".join(patch))
        self.assertEqual(strengths["triplet"], {"0.0000"})
        self.assertEqual(strengths["long"], {"0.0000", "0.3333", "0.6667", "1.0000"})
        self.photos(1)
        self.fails(["p0.png has 1 frame", "clips of 3"], "make", "in", "-o", "x", "--subset", "frameinterp")

    def test_videos(self):
        """A file of frames is a clip: its patches are cut from the frame that the line says."""
        self.write("in/clip.y4m", program.clip(7, 96, 80, colour="444"))
        self.learn("make", "in", "-o", "out", "--subset", "frameinterp", "--patches", "6")
        self.assertEqual({row["source"] for row in self.csv("out/manifest.csv")}, {"clip.y4m"})
        for row in self.csv("out/manifest.csv"):
            frame = row["frame"]
            # the picture itself, by a distortion that changes nothing
            self.learn("picture", "in/clip.y4m", "f.png", "--with", "shift:0", "--frame", frame)
            patch = crop(self.read("f.png"), int(row["x"]), int(row["y"]), 64)
            place = f"out/2afc/train/frameinterp/ref/{row['trial']}.png"
            self.assertEqual(rgb(self.read(place)), b"".join(patch))
            self.assertIn(int(frame), range(1, 6))

    def test_judge(self):
        """The distances are those of lpips, to the rounding of its floats, and the judgement
        follows from them."""
        self.photos(2)
        self.learn("make", "in", "-o", "out", "--judge", "lpips:alex", "--patches", "4", "-j", "2")
        verdicts = set()
        for row in self.csv("out/manifest.csv"):
            place = "out/2afc/{split}/traditional/%s/{trial}.%s".format(**row)
            names = [place % (kind, "png") for kind in ("ref", "p0", "p1")]
            scores = [float(s) for s in self.lpips(*names).scores]
            for score, side in zip(scores, ("p0", "p1")):
                self.assertAlmostEqual(score, float(row[side + "_distance"]), delta=1e-6)
            wanted = float(scores[1] < scores[0])
            data = self.read(place % ("judge", "npy"))
            self.assertEqual(struct.unpack("<f", data[-4:])[0], wanted)
            self.assertEqual(float(row["judge"]), wanted)
            verdicts.add(wanted)
        self.assertEqual(verdicts, {0.0, 1.0})
        self.fails("lpips:alexa", "make", "in", "-o", "x", "--judge", "lpips:alexa")


class Nothing(Case):
    """Whatever goes wrong, there is no folder of half the trials."""

    def test_bad_input(self):
        self.photos(3)
        os.mkdir(self.path("none"))
        self.fails("the folder is empty", "make", "none", "-o", "out")
        self.fails("gone", "make", "gone", "-o", "out")
        self.fails("--out is missing", "make", "in")
        self.fails("out: cannot be made", "make", "in", "-o", "gone/out")
        self.fails("no \"color\"", "make", "in", "-o", "out", "--subset", "color")
        self.fails("from 0 to 1", "make", "in", "-o", "out", "--held-out", "20")
        self.write("in/p1x.png", program.picture(80, 63))
        self.fails(["p1x.png is 80x63", "64x64"], "make", "in", "-o", "out", "-j", "1")
        self.write("in/p1x.png", b"\x89PNG no more")
        self.fails("p1x.png", "make", "in", "-o", "out")
        self.write("in/p1x.png", self.scene[0][: len(self.scene[0]) // 2])
        self.fails("p1x.png", "make", "in", "-o", "out")
        self.assertEqual(self.left(), ["in", "none"])

    def test_output_there(self):
        self.photos(2)
        self.write("out/mine.txt", b"kept")
        self.fails(["out is there", "not empty"], "make", "in", "-o", "out")
        self.assertEqual(self.tree("out"), {"mine.txt": b"kept"})
        os.mkdir(self.path("empty"))
        self.learn("make", "in", "-o", "empty/", "--patches", "1")
        self.assertIn("manifest.csv", self.tree("empty"))

    def test_full_disk(self):
        """Files may not grow beyond some size: the same as no room left."""
        self.photos(2)
        for limit in (3000, 200):

            def no_room():
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

            self.fails("cannot be written", "make", "in", "-o", "out", preexec_fn=no_room)
            self.assertEqual(self.left(), ["in"])

    def start(self, *arguments):
        """A run that has begun to write."""
        run = subprocess.Popen(
            [LEARN, "distort", "make", "in", "-o", "out", "--patches", "100000", *arguments],
            cwd=self.folder,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + TIMEOUT
        made = [n for n in self.left() if n != "in"]
        # names alone: files come, and take other names, meanwhile
        while not any(files for name in made for _, _, files in os.walk(self.path(name))):
            made = [n for n in self.left() if n != "in"]
            self.assertIsNone(run.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        return run

    def test_stopped(self):
        self.photos(3)
        for number in (signal.SIGTERM, signal.SIGINT):
            run = self.start("-j", "2")
            run.send_signal(number)
            text = run.communicate(timeout=TIMEOUT)[1]
            self.assertEqual(run.returncode, 128 + number, text)
            self.assertIn(b"nothing is left behind", text)
            self.assertEqual(self.left(), ["in"])

    def test_killed(self):
        """What is left has another name, and the next run is not in its way."""
        self.photos(3)
        run = self.start()
        run.kill()
        run.communicate()
        self.assertNotIn("out", self.left())
        self.learn("make", "in", "-o", "out", "--patches", "1")
        self.assertIn("manifest.csv", self.tree("out"))


if __name__ == "__main__":
    unittest.main()
