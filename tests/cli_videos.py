#!/usr/bin/env python3
"""lpips REFERENCE DISTORTED...: videos, their frames, their ends, and the filter's numbers."""

import os
import shutil
import signal
import subprocess
import time
import unittest

from program import LPIPS, SHARED, ZERO
from program import Case, clip, pattern, picture, png, y4m
from pixels import smooth, sample, to_codes, raw

CLIPS = os.path.join(SHARED, "data", "clips")


class Video(Case):
    def setUp(self):
        super().setUp()
        self.write("r.y4m", clip(30, seed=1))
        self.write("d.y4m", clip(30, seed=2))

    def frames(self, name="c"):
        return [row for row in self.csv(name) if row["kind"] == "frame"]

    def test_frames(self):
        """Each frame of a grey video has the number of the same picture as a PNG."""
        w, h, n = 48, 40, 25
        for name, seed in (("r", 1), ("d", 2)):
            rows = [pattern(w, h, seed + 5 * i, 1) for i in range(n)]
            self.write(f"{name}.y4m", y4m([b"".join(r) for r in rows], w, h, "mono"))
            for i, r in enumerate(rows):
                self.write(f"{name}/{i:03}.png", png(r, w, 8, 0))
        run = self.lpips("r.y4m", "d.y4m", "--csv", "c", "--json", "j")
        want = self.lpips("r", "d").scores
        self.assertEqual(len(set(want)), n)
        self.assertEqual([row["lpips"] for row in self.frames()], want)
        self.assertEqual([row["frame"] for row in self.frames()], [str(i) for i in range(n)])
        (pair,) = self.json()["pairs"]
        self.assertEqual([f"{f['lpips']:.9f}" for f in pair["per_frame"]], want)
        mean = sum(map(float, want)) / n
        self.assertAlmostEqual(float(run.scores[0]), mean, delta=2e-9)
        self.assertEqual(run.rows[0][1:], ["d.y4m", "r.y4m"])
        worst = sorted(range(n), key=lambda i: -float(want[i]))[:10]
        self.assertEqual(pair["worst_frames"], worst)

    def test_pool(self):
        """--pool chooses what stands for a video."""
        self.lpips("r.y4m", "d.y4m", "--csv", "c")
        scores = [float(row["lpips"]) for row in self.frames()]
        self.assertEqual(self.score("r.y4m", "d.y4m", "-p", "max"), f"{max(scores):.9f}")
        self.assertEqual(self.score("r.y4m", "d.y4m", "-p", "min"), f"{min(scores):.9f}")
        limit = f"{max(scores) - 1e-6:.9f}"
        self.lpips("r.y4m", "d.y4m", "-p", "max", "-f", limit, code=1)
        self.lpips("r.y4m", "d.y4m", "-p", "mean", "-f", limit)

    def test_equal(self):
        self.assertEqual(self.score("r.y4m", "r.y4m", "-p", "max"), ZERO)

    def test_several(self):
        """Several encodes: the numbers of single runs, though they end at different frames."""
        self.write("e.y4m", clip(12, seed=3))
        self.write("f.y4m", clip(35, seed=4))
        names = ["d.y4m", "e.y4m", "f.y4m"]
        run = self.lpips("r.y4m", *names, "--csv", "c", "--json", "j")
        self.assertEqual([row[1] for row in run.rows], names)
        both = self.csv()
        for name, score in zip(names, run.scores):
            self.assertEqual(self.score("r.y4m", name, "--csv", "one"), score)
            self.assertEqual([row for row in both if row["distorted"] == name], self.csv("one"))
        unpaired = [(p["unpaired_reference"], p["unpaired_distorted"]) for p in self.json()["pairs"]]
        self.assertEqual(unpaired, [(0, 0), (18, 0), (0, 5)])
        self.assertEqual([len(p["per_frame"]) for p in self.json()["pairs"]], [30, 12, 30])

    def test_lengths(self):
        """Of unequal lengths the common part is compared, and that is said."""
        self.write("short.y4m", clip(20, seed=2))
        for reference, distorted, counts in (
            ("r.y4m", "short.y4m", ("20", "10", "0")),
            ("short.y4m", "r.y4m", ("20", "0", "10")),
        ):
            run = self.lpips(reference, distorted, "--csv", "c")
            self.assertIn("the first 20 of each were compared", run.err)
            row = self.csv()[-1]
            names = ("frames", "unpaired_reference", "unpaired_distorted")
            self.assertEqual(tuple(row[n] for n in names), counts)
            self.assertEqual(len(self.frames()), 20)
            strict = self.lpips(reference, distorted, "--strict", code=2)
            self.assertEqual(strict.scores, run.scores)

    def test_cut_off(self):
        """A file that ends too early is broken; the frames before are in the CSV."""
        whole = self.read("d.y4m")
        frame = 6 + 64 * 48 * 3 // 2
        for n, frames in ((len(whole) - 1, 29), (len(whole) - 10 * frame - 5, 19)):
            self.write("cut.y4m", whole[:n])
            for order in (("r.y4m", "cut.y4m"), ("cut.y4m", "r.y4m")):
                run = self.lpips(*order, "--csv", "c", "--json", "j", code=2)
                self.assertEqual(run.scores, ["failed"])
                self.assertIn(f"cut.y4m cannot be decoded after frame {frames}", run.err)
                self.assertEqual(len(self.frames()), frames)
                self.assertIn("cut off", self.json()["pairs"][0]["error"])
        run = self.lpips("r.y4m", "cut.y4m", "d.y4m", code=2)
        self.assertEqual(run.scores, ["failed", self.score("r.y4m", "d.y4m")])

    def test_sizes(self):
        self.write("wide.y4m", clip(30, 80, 48))
        run = self.lpips("r.y4m", "wide.y4m", "d.y4m", code=2)
        self.assertIn("64x48", run.err)
        self.assertIn("80x48", run.err)
        self.assertEqual(run.scores, ["failed", self.score("r.y4m", "d.y4m")])
        run = self.lpips("r.y4m", "wide.y4m", code=2)
        self.assertRegex(run.err, "64x48.*80x48; scale one of them first")

    def test_kinds(self):
        """A picture is not compared with a video, nor drawn as a map."""
        self.write("a.png", picture(64, 48))
        run = self.lpips("a.png", "r.y4m", code=2)
        self.assertIn("the reference is a picture, the distorted a video", run.err)
        run = self.lpips("r.y4m", "d.y4m", "-m", "m.png", code=2)
        self.assertIn("--map draws pictures only", run.err)

    def test_folders(self):
        """Videos in folders, pictures between them."""
        for i in range(3):
            self.write(f"p/{i}.y4m", clip(5 + i, seed=i))
            self.write(f"q/{i}.y4m", clip(5 + i, seed=i + 5))
        self.write("p/1a.png", picture(seed=1))
        self.write("q/1a.png", picture(seed=2))
        names = ["0.y4m", "1.y4m", "1a.png", "2.y4m"]
        for jobs in ("-j1", "-j4"):
            run = self.lpips("p", "q", jobs)
            self.assertEqual([row[1] for row in run.rows], ["q/" + n for n in names])
            self.assertEqual(run.scores, [self.score(f"p/{n}", f"q/{n}") for n in names])

    def test_standard_input(self):
        with open(self.path("d.y4m"), "rb") as f:
            run = self.lpips("r.y4m", "-", stdin=f)
        self.assertEqual(run.scores, [self.score("r.y4m", "d.y4m")])

    def test_series(self):
        """Numbered pictures are a video, unless a file has that very name."""
        for i in range(4):
            self.write(f"s{i}.png", picture(seed=i))
            self.write(f"t{i}.png", picture(seed=i + 7))
        self.lpips("s%d.png", "t%d.png", "--csv", "c")
        want = [self.score(f"s{i}.png", f"t{i}.png") for i in range(4)]
        self.assertEqual([row["lpips"] for row in self.frames()], want)

    def test_interrupted(self):
        """After SIGINT what was known is whole, and the status is 130."""
        w = h = 512
        frame = bytes(w * h * 3 // 2)
        self.write("long.y4m", y4m([frame] * 40, w, h))
        for code, number in ((130, signal.SIGINT), (143, signal.SIGTERM)):
            for name in "jc":
                if os.path.exists(self.path(name)):
                    os.remove(self.path(name))
            command = [LPIPS, "long.y4m", "-", "--json", "j", "--csv", "c"]
            p = subprocess.Popen(command, cwd=self.folder, stdin=-1, stdout=-1, stderr=-1)
            p.stdin.write(y4m([frame] * 9, w, h))
            p.stdin.flush()
            end = time.monotonic() + 60
            while time.monotonic() < end and not (
                os.path.exists(self.path("c")) and self.read("c").count(b"\n") > 3
            ):
                time.sleep(0.05)
            # Frames are awaited from a pipe that gives no more.
            p.send_signal(number)
            p.wait(30)
            for stream in (p.stdin, p.stdout, p.stderr):
                stream.close()
            self.assertEqual(p.returncode, code)
            self.assertIs(self.json()["complete"], False)
            (pair,) = self.json()["pairs"]
            self.assertIn("interrupted", pair["error"])
            frames = self.frames()
            self.assertEqual(len(pair["per_frame"]), len(frames))
            self.assertGreaterEqual(len(frames), 3)
            self.assertEqual({row["lpips"] for row in frames}, {ZERO})


class Filter(Case):
    """The same numbers as FFmpeg's filter lpips, to the last printed digit."""

    def same(self, reference, distorted, tags=None, text=None):
        options = {None: "", "reference": "tags=reference", "distorted": "tags=main"}[tags]
        want = self.filter_scores(reference, distorted, options)
        arguments = [reference, distorted, "--csv", "c"] + (["--tags", tags] if tags else [])
        run = self.lpips(*arguments)
        got = [row["lpips"] for row in self.csv() if row["kind"] in ("frame", "picture")]
        self.assertEqual(got, want, (reference, distorted))
        self.assertGreater(len(want), 0)
        if text:
            self.assertRegex("\n".join(run.comments), text)
        return run

    def test_clips(self):
        """Decoded, of the chroma samplings that y4m has."""
        for colour in ("420jpeg", "422", "444", "mono"):
            self.write("r.y4m", clip(9, 67, 51, 1, colour))
            self.write("d.y4m", clip(9, 67, 51, 2, colour))
            self.same("r.y4m", "d.y4m")

    def test_kinds_side_by_side(self):
        """YUV beside RGB and grey."""
        self.write("r.y4m", clip(1, 64, 48, 1))
        self.write("d.y4m", clip(1, 64, 48, 2, "444"))
        self.write("m.y4m", clip(1, 64, 48, 2, "mono"))
        self.same("r.y4m", "d.y4m")
        self.same("d.y4m", "m.y4m")

    def encode(self, out, *options):
        """A clip encoded by FFmpeg."""
        program = shutil.which("ffmpeg")
        if not program:
            self.skipTest("no ffmpeg is installed that encodes")
        command = [program, "-v", "error", "-nostdin", "-y", "-i", "source.y4m", *options, out]
        run = subprocess.run(command, cwd=self.folder, capture_output=True, timeout=60)
        if run.returncode:
            self.skipTest(f"the ffmpeg that is installed does not encode {out}")
        return out

    def test_encodes(self):
        """Codecs with their tags: depths, ranges, matrices, frames out of order."""
        self.write("source.y4m", clip(20, 96, 80, 1))
        self.same("source.y4m", self.encode("h.mp4", "-c:v", "libx264", "-bf", "3", "-crf", "30"))
        self.same("h.mp4", self.encode("i.mp4", "-c:v", "libx264", "-crf", "45", "-preset", "fast"))
        self.same(
            "source.y4m",
            self.encode("ten.mkv", "-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-crf", "28"),
            text="10 bit",
        )
        full = ("-vf", "scale=out_range=pc:out_color_matrix=bt709", "-color_range", "pc")
        full += ("-colorspace", "bt709", "-pix_fmt", "yuv444p", "-c:v", "ffv1")
        run = self.same("source.y4m", self.encode("full.mkv", *full), text="bt709 full")
        self.assertNotEqual(self.same("source.y4m", "full.mkv", "reference").scores, run.scores)
        self.same("source.y4m", "full.mkv", "distorted")
        self.same("full.mkv", self.encode("m.avi", "-c:v", "mjpeg", "-q:v", "6"))
        self.same("full.mkv", self.encode("g.mkv", "-c:v", "ffv1", "-pix_fmt", "gray10le"))

    def test_cut_off_encodes(self):
        """Containers whose end libavformat does not miss: cut off is an error all the same."""
        self.write("source.y4m", clip(20, 96, 80, 1))
        for name, codec in (("a.mkv", "ffv1"), ("a.avi", "ffv1"), ("a.mp4", "libx264")):
            more = ["-movflags", "faststart"] if name == "a.mp4" else []
            self.encode(name, "-c:v", codec, *more)
            whole = self.read(name)
            self.assertEqual(len(self.lpips("source.y4m", name).scores), 1)
            self.write(name, whole[: len(whole) * 6 // 10])
            run = self.lpips("source.y4m", name, code=2)
            self.assertEqual(run.scores, ["failed"], name)
            self.assertRegex(run.err, f"{name} cannot be decoded after frame [1-9]")

    def test_conflict(self):
        """The filter's warnings, in its words."""
        self.write("source.y4m", clip(4, 96, 80, 1))
        limited = ("-c:v", "ffv1", "-color_range", "tv", "-pix_fmt", "yuv420p")
        full = ("-c:v", "ffv1", "-color_range", "pc", "-pix_fmt", "yuv420p")
        a, b = self.encode("a.mkv", *limited), self.encode("b.mkv", *full)
        run = self.same(a, b)
        self.assertIn("conflicting tags: distorted is pc, reference tv", run.err)

    def test_shared(self):
        """A real clip and its encode."""
        if not os.path.isdir(CLIPS):
            self.skipTest(f"{CLIPS} is not here")
        pristine, distorted = (f"{CLIPS}/carphone_{n}.mp4" for n in ("pristine", "distorted"))
        run = self.same(pristine, distorted, text="bt601 limited")
        self.assertEqual(run.scores, ["0.249317958"])

    def test_foreign_formats(self):
        """Byte orders and packings that go through libswscale first."""
        self.write("source.y4m", clip(3, 96, 80, 1))
        for fmt in ("rgb565le", "rgb555be", "rgb24", "gray16be", "rgb48be", "pal8", "monob"):
            made = []
            for name, change in (("r", "null"), ("d", "avgblur=2")):
                raw_video = fmt.startswith("rgb") and fmt != "rgb48be"
                codec = ["-c:v", "rawvideo"] if raw_video else []
                out = f"{name}{fmt}.mov" if raw_video else f"{name}{fmt}%d.png"
                made.append(self.encode(out, "-vf", change, *codec, "-pix_fmt", fmt))
            self.same(*made)


class Colours(Case):
    """Videos of one picture by definition, so that no other program is needed."""

    def test_range_matters(self):
        """A picture coded in limited range, beside the same as RGB: nearly equal."""
        w, h = 64, 48
        rgb = smooth(w, h)
        codes = to_codes(sample(rgb, "bt470bg", "444"), "bt470bg", False, 8, "444")
        self.write("yuv.y4m", y4m([raw(codes, 8)], w, h, "444"))
        rows = [
            bytes(round(255 * rgb[c][y][x]) for x in range(w) for c in range(3)) for y in range(h)
        ]
        self.write("rgb.png", png(rows, w))
        run = self.lpips("rgb.png", "yuv.y4m")
        self.assertLess(float(run.scores[0]), 0.003)
        self.assertIn("yuv 4:4:4 8 bit bt601 limited", "".join(run.comments))


if __name__ == "__main__":
    unittest.main()
