#!/usr/bin/env python3
"""`lpips report`: its numbers, what it says of broken input, and that nothing ends it badly."""

import json
import os
import re
import unittest

from report_clips import (
    ROOT, SHARED, SINGLE, H, W, Case, mean, nine, planes, png_bytes, psnr, rgb, ssim_plane
)  # fmt: skip
from program import JPEG, turned


class Numbers(Case):
    def test_video(self):
        """Each frame's LPIPS is what `lpips` prints, by every net; PSNR and SSIM are right."""
        ref = [planes(t) for t in range(6)]
        out = [planes(t, noise=6 + t) for t in range(6)]
        out[4] = ref[4]
        self.y4m("ref.y4m", ref)
        self.y4m("out.y4m", out)
        nets = ["alex", "vgg"]
        self.report(self.manifest([("m", "c", "ref.y4m", "out.y4m")]), "--nets", ",".join(nets))
        for net in nets:
            got = self.scores("m", "c", "lpips_" + net)
            self.assertEqual(list(got), list(range(6)))
            self.assertEqual(nine(got.values()), self.distances("ref.y4m", "out.y4m", net=net))
        p, s = self.scores("m", "c", "psnr"), self.scores("m", "c", "ssim")
        self.assertIsNone(p[4], "equal frames have no finite PSNR")
        self.assertEqual(s[4], 1)
        n, q = W * H, W * H // 4
        for t in (0, 1, 2, 3, 5):
            self.assertAlmostEqual(p[t], psnr(ref[t], out[t]), delta=SINGLE)
            parts = [(0, n, W, H), (n, n + q, W // 2, H // 2), (n + q, n + 2 * q, W // 2, H // 2)]
            expected = sum(
                ssim_plane(ref[t][i:k], out[t][i:k], w, h) * w * h for i, k, w, h in parts
            ) / (n + 2 * q)  # fmt: skip
            # FFmpeg adds windows up in single precision and prints six digits.
            self.assertAlmostEqual(s[t], expected, delta=2e-6)

    def test_pictures(self):
        """RGB: PSNR over the three planes; a folder of pictures is a clip, in natural order."""
        ref, out = [rgb(t) for t in range(11)], [rgb(t, noise=20) for t in range(11)]
        for t in range(11):
            self.png(f"ref/f{t}.png", ref[t])
            self.png(f"out/x_{t:03d}.png", out[t])
        self.put("ref/readme.txt", "no picture")
        self.report(self.manifest([("m", "c", "ref", "out"), ("m", "one", "ref/f3.png", "out/x_003.png")]))
        for t in range(11):
            single = self.distances(f"ref/f{t}.png", f"out/x_{t:03d}.png")
            self.assertEqual(nine([self.scores("m", "c", "lpips_alex")[t]]), single)
            self.assertAlmostEqual(self.scores("m", "c", "psnr")[t], psnr(ref[t], out[t]), delta=SINGLE)
        self.assertEqual(self.scores("m", "one", "lpips_alex"), {0: self.scores("m", "c", "lpips_alex")[3]})
        self.assertEqual(self.scores("m", "one", "tlpips_alex"), {})

    def test_temporal(self):
        """tLP is |d(ref t-1, ref t) - d(out t-1, out t)| over all frames, kept ones too."""
        for t in range(5):
            self.png(f"ref/{t}.png", rgb(t))
            self.png(f"out/{t}.png", rgb(t * 1.5, noise=9))
        self.report(self.manifest([("m", "c", "ref", "out")]), "--factor", "2")
        got = self.scores("m", "c", "tlpips_alex")
        self.assertEqual(list(got), [1, 2, 3, 4])
        for t in range(1, 5):
            a = float(self.distances(f"ref/{t - 1}.png", f"ref/{t}.png")[0])
            b = float(self.distances(f"out/{t - 1}.png", f"out/{t}.png")[0])
            # Both were printed with nine digits.
            self.assertAlmostEqual(got[t], abs(a - b), delta=1.01e-9)
        self.assertGreater(max(got.values()), 1e-3)

    def test_factor(self):
        """Only synthesised frames are scored; a column goes before the option."""
        self.y4m("ref.y4m", [planes(t) for t in range(7)])
        self.y4m("out.y4m", [planes(t, noise=5) for t in range(7)])
        rows = [("m", c, "ref.y4m", "out.y4m", e) for c, e in (("a", ""), ("b", "3"), ("all", "0"))]
        self.report(self.manifest(rows, "method,clip,reference,output,every"), "--factor", "2")
        for clip, frames in ("a", [1, 3, 5]), ("b", [1, 2, 4, 5]), ("all", list(range(7))):
            for metric in "lpips_alex", "psnr", "ssim":
                self.assertEqual(list(self.scores("m", clip, metric)), frames, (clip, metric))
            self.assertEqual(list(self.scores("m", clip, "tlpips_alex")), [1, 2, 3, 4, 5, 6])
        self.assertEqual({f for f, in self.query("SELECT frames FROM item")}, {7})

    def test_metrics(self):
        self.png("a.png", rgb(0))
        self.png("b.png", rgb(1))
        self.report(self.manifest([("m", "c", "a.png", "b.png")]), "--metrics", "lpips")
        self.assertEqual(self.query("SELECT name, lower FROM metric"), [("lpips_alex", 1)])
        about = dict(self.query("SELECT key, value FROM about"))
        self.assertRegex(about["lpips.alex"], r"^lpips [0-9.]+ alex v0.1 weights [0-9a-f]{64}$")
        self.assertEqual(about["kind"], "interpolation")
        self.assertIn("FloLPIPS is left out", about["colour_rule"])

    def test_codec(self):
        """A rate is the manifest's, or else measured; both make it a report of codecs."""
        self.y4m("ref.y4m", [planes(t) for t in range(5)])
        data = self.y4m("out.y4m", [planes(t, noise=5) for t in range(5)])
        rows = [("x", "c", "ref.y4m", "out.y4m", q, r) for q, r in ((20, 800.5), (30, ""), ("", 70), ("", 80))]
        self.report(self.manifest(rows, "method,clip,reference,output,quality,rate"))
        self.assertEqual(dict(self.query("SELECT key, value FROM about"))["kind"], "codec")
        found = self.query("SELECT quality, rate FROM item ORDER BY id")
        self.assertEqual([found[0], found[2], found[3]], [("20", 800.5), (None, 70), (None, 80)])
        self.assertEqual(found[1][0], "30")
        self.assertAlmostEqual(found[1][1], os.path.getsize(data) * 8 / 0.2 / 1000, delta=0.02 * found[1][1])

    def test_colours(self):
        """An output in RGB beside a reference in YUV is converted to it for PSNR and SSIM."""
        self.y4m("ref.y4m", [planes(0)])
        self.png("grey.png", bytes([128]) * (3 * W * H))
        self.png("same.png", self.as_rgb(planes(0)))
        rows = [("grey", "c", "ref.y4m", "grey.png"), ("same", "c", "ref.y4m", "same.png")]
        self.report(self.manifest(rows))
        self.assertLess(self.scores("grey", "c", "psnr")[0], 20)
        # What is lost is the rounding to RGB and back, and chroma that is enlarged and reduced.
        self.assertGreater(self.scores("same", "c", "psnr")[0], 38)
        self.assertGreater(self.scores("same", "c", "ssim")[0], 0.97)

    @staticmethod
    def as_rgb(yuv):
        """BT.601, limited range, which is what nobody tagged; each chroma sample four times."""
        out = bytearray()
        for y in range(H):
            for x in range(W):
                luma = (yuv[y * W + x] - 16) / 219
                at = W * H + y // 2 * (W // 2) + x // 2
                b, r = (yuv[at] - 128) / 224, (yuv[at + W * H // 4] - 128) / 224
                values = luma + 1.402 * r, luma - 0.344136 * b - 0.714136 * r, luma + 1.772 * b
                out += bytes(min(255, max(0, int(255 * v + 0.5))) for v in values)
        return bytes(out)


class Baselines(Case):
    def same(self, a, b, clips):
        for clip in clips:
            for metric in "lpips_alex", "tlpips_alex", "psnr", "ssim":
                got = self.scores(a, clip, metric)
                self.assertEqual(got, self.scores(b, clip, metric), (clip, metric))
                self.assertTrue(got or metric == "tlpips_alex")

    def test_triplet(self):
        """Blend is the mean of both neighbours, repeat the first of them."""
        first, truth, last = rgb(0), rgb(1, noise=3), rgb(2, noise=1)
        for name, pixels in ("1", first), ("2", truth), ("3", last), ("mean", mean(first, last)):
            self.png(f"{name}.png", pixels)
        rows = [("mean", "c", "2.png", "mean.png", "1.png", "3.png"), ("one", "c", "2.png", "1.png", "1.png", "3.png")]
        self.report(
            self.manifest(rows, "method,clip,reference,output,first,last"),
            "--baseline", "blend", "--baseline", "repeat",
        )  # fmt: skip
        self.same("blend", "mean", ["c"])
        self.same("repeat", "one", ["c"])
        self.assertNotEqual(self.scores("blend", "c", "psnr"), self.scores("repeat", "c", "psnr"))

    def test_clips(self):
        """The reference's kept frames are the neighbours; the last one is repeated."""
        ref = [planes(t, noise=2) for t in range(9)]
        rows = []
        for k in 2, 3, 4:
            blend, repeat = [], []
            for t in range(9):
                before, after = ref[t // k * k], ref[t // k * k + k] if t // k * k + k < 9 else None
                kept = t % k == 0
                repeat.append(before)
                blend.append(ref[t] if kept else mean(before, after) if after else before)
            self.y4m(f"b{k}.y4m", blend)
            self.y4m(f"r{k}.y4m", repeat)
            rows += [(m, f"c{k}", "ref.y4m", f"{m[0]}{k}.y4m", k) for m in ("by hand", "repeated by hand")]
        self.y4m("ref.y4m", ref)
        self.report(
            self.manifest(rows, "method,clip,reference,output,every"), "--baseline", "blend", "--baseline", "repeat"
        )
        self.same("blend", "by hand", ["c2", "c3", "c4"])
        self.same("repeat", "repeated by hand", ["c2", "c3", "c4"])

    @unittest.skipUnless(os.path.isdir(SHARED + "/data/vfi"), "../shared is not here")
    def test_middlebury(self):
        data = os.path.join(SHARED, "data", "vfi", "middlebury_others")
        self.report("--layout", "middlebury", data, "--baseline", "blend", "--baseline", "repeat")
        clips = [c for c, in self.query("SELECT clip FROM item WHERE method = 'repeat' AND state = 1 ORDER BY id")]
        self.assertEqual(len(clips), 12)
        for clip in clips:
            truth, first = f"{data}/gt/{clip}/frame10i11.png", f"{data}/input/{clip}/frame10.png"
            self.assertEqual(nine(self.scores("repeat", clip, "lpips_alex").values()), self.distances(truth, first))
            # The mean halves the error of what does not move, noise included.
            self.assertGreater(self.scores("blend", clip, "psnr")[0], self.scores("repeat", clip, "psnr")[0])


class Layouts(Case):
    def test_xiph_flat(self):
        """Pictures CLIP-001.png beside one another: every other one is scored."""
        for t in range(5):
            self.png(f"xiph/4K/Tango-{t + 1:03d}.png", rgb(t))
            self.png(f"m/4K/Tango_{t}.png", rgb(t, noise=5))
        self.report("xiph", "--layout", "xiph", "--method", "m=m", "--baseline", "repeat")
        got = self.scores("m", "Tango", "lpips_alex")
        self.assertEqual(list(got), [1, 3])
        for t in got:
            single = self.distances(f"xiph/4K/Tango-{t + 1:03d}.png", f"m/4K/Tango_{t}.png")
            self.assertEqual(nine([got[t]]), single)
        self.assertEqual({f for f, in self.query("SELECT frames FROM item")}, {5})
        self.assertIn(b"Tango", self.pages()["index.html"])


class BadInput(Case):
    def failure(self, clip, out="out"):
        return self.query("SELECT state, error, frames FROM item WHERE clip = ?", clip, out=out)[0]

    def test_bad_manifests(self):
        """A sentence with the line, status 2, and nothing planned; C tests have each mistake."""
        cases = {
            "method,clip,reference,output\nm,c,r.png\n": "line 2: 3 field",
            "method,clip,reference,output\nm,c,r.png,o.png\nm,c,r.png,p.png\n": "line 3",
            "method,clip,reference,ouput\n": '"ouput"',
            "[{": "line 1",
            "": "empty",
        }
        for text, said in cases.items():
            self.put("list", text)
            self.assertIn(said, self.report("list", status=2))
            self.assertIn("list: ", self.report("list", status=2))
            self.assertFalse(os.path.exists(self.path("out")), text)
        self.assertIn("No such file", self.report("nowhere.csv", status=2))
        self.assertIn("is a folder", self.report(".", status=2))

    def test_broken_clips(self):
        """Each is a row that says what is wrong, and the others are scored."""
        frames = [planes(t) for t in range(6)]
        whole = self.y4m("ref.y4m", frames)
        self.y4m("good.y4m", [planes(t, noise=4) for t in range(6)])
        self.y4m("short.y4m", frames[:4])
        self.y4m("long.y4m", frames + frames[:2])
        self.y4m("small.y4m", [planes(t, size=(32, 32)) for t in range(6)], (32, 32))
        self.put("empty.y4m", b"")
        self.put("text.mp4", "this is no video\n" * 20)
        with open(whole, "rb") as f:
            data = f.read()
        self.put("cut.y4m", data[: len(data) - 1000])
        self.put("cut.png", png_bytes(rgb(0))[:-2000])
        self.put("shown.jpg", JPEG)
        self.put("turned/1.jpg", turned(6))
        os.makedirs(self.path("nothing"))
        expected = {
            "gone": ("ref.y4m", "gone.y4m", "gone.y4m: No such file"),
            "no ref": ("gone.y4m", "good.y4m", "gone.y4m: No such file"),
            "empty": ("ref.y4m", "empty.y4m", "empty.y4m is empty (0 bytes)"),
            "text": ("ref.y4m", "text.mp4", "text.mp4"),
            "cut": ("ref.y4m", "cut.y4m", "cut.y4m"),
            "cut png": ("ref.y4m", "cut.png", "cut.png"),
            "short": ("ref.y4m", "short.y4m", "the output ends after 4 frames, the reference goes on"),
            "long": ("ref.y4m", "long.y4m", "the reference ends after 6 frames, the output goes on"),
            "small": ("ref.y4m", "small.y4m", "the output is 32x32 and the reference 64x48"),
            "turned": ("shown.jpg", "turned", "the reference by 0 degrees, and the distorted by 90"),
            "folder": ("ref.y4m", "nothing", "nothing: the folder holds no pictures"),
        }
        rows = [("m", clip, ref, out) for clip, (ref, out, _) in expected.items()]
        text = self.report(self.manifest([*rows, ("m", "good", "ref.y4m", "good.y4m")]))
        for clip, (_, _, said) in expected.items():
            state, error, frames = self.failure(clip)
            self.assertEqual((state, frames), (2, None), clip)
            self.assertIn(said, error, clip)
            self.assertIn(f"failed: m / {clip}: ", text)
            self.assertEqual(self.scores("m", clip, "lpips_alex"), {})
        self.assertEqual(self.failure("good"), (1, None, 6))
        self.assertIn("11 failed", text)
        with open(self.path("out", "items.csv"), encoding="utf-8") as f:
            self.assertIn("is empty (0 bytes)", f.read())

    def test_retry(self):
        """What failed stays so until it is asked for again."""
        self.png("a.png", rgb(0))
        rows = self.manifest([("m", "c", "a.png", "b.png")])
        self.report(rows)
        self.png("b.png", rgb(1))
        self.report(rows)
        self.assertEqual(self.failure("c")[0], 2)
        self.report(rows, "--retry")
        self.assertEqual(self.failure("c"), (1, None, 1))

    def test_names(self):
        """Names that would be markup, commands or lines are names."""
        names = ["a b", "it's", '"q"', "two\nlines", "<b>&amp;", "$(touch x);`touch x`", "%d%s\\", "é 漢", "-n", "a,b;c"]
        for i, name in enumerate(names):
            self.png(f"{name}/r.png", rgb(i))
            self.png(f"{name}/o.png", rgb(i, noise=5))
        rows = [(n, n, f"{n}/r.png", f"{n}/o.png") for n in names]
        # One that is warned of: it names a file that would colour the terminal.
        self.put("\x1b[31m.jpg", turned(6))
        rows.append(("-n", "turned", "\x1b[31m.jpg", "\x1b[31m.jpg"))
        text = self.report(self.manifest(rows))
        found = [r for r, in self.query("SELECT clip FROM item WHERE state = 1 ORDER BY id")]
        self.assertEqual(found, [*names, "turned"])
        self.assertIn("31m.jpg asks players to turn it", text)
        self.assertNotIn("\x1b", text)
        self.assertNotIn("two\nlines", text)
        self.assertFalse(os.path.exists(self.path("x")))
        pages = self.pages()
        self.assertNotIn(b"<b>&amp;", pages["index.html"])
        self.assertEqual(set(json.loads(pages["report.json"])["methods"]), set(names))

    def test_command_line(self):
        cases = {
            (): "manifest is missing",
            ("a.csv",): "--out DIR is missing",
            ("a.csv", "-o", "x", "--nets", "alex,vg"): '"vg"',
            ("a.csv", "-o", "x", "--factor", "1"): "2 to 64",
            ("a.csv", "-o", "x", "--method", "a=b"): "goes with --layout",
            ("r", "--layout", "ucf101", "-o", "x"): "needs a --method",
            ("r", "--layout", "ucf", "--baseline", "blend", "-o", "x"): "there are vimeo90k",
            ("run", "x", "--shard", "0/3"): "from 1 to 3",
            ("run", "x", "--shard", "3"): "of the form 3/8",
            ("run", "x"): "no such store",
            ("merge", "x"): "no such store",
            ("write", "x"): "no such store",
            ("run", "x", "--shard", "1/2"): "there is no plan",
        }
        for args, said in cases.items():
            self.assertIn(said, self.run_lpips("report", *args, status=2), args)
        self.assertFalse(os.path.exists(self.path("x")))
        with open(os.path.join(ROOT, "report", "lpips-report.1"), encoding="utf-8") as f:
            manual = set(re.findall(r"^\.It .*Fl -([a-z]+)", f.read(), re.M))
        options = set()
        for command in [], ["plan"], ["run"], ["merge"], ["write"]:
            text = self.run_lpips("report", *command, "--help")
            self.assertIn("lpips report", text)
            options |= set(re.findall(r"^ {2,6}(?:-., +)?--([a-z]+)", text, re.M))
        self.assertEqual(manual, options - {"help", "usage"})


if __name__ == "__main__":
    unittest.main()
