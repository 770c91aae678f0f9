#!/usr/bin/env python3
"""`lpips report`: its numbers, what it says of broken input, and that nothing ends it badly."""

import fcntl
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import time
import unittest

from report_clips import (
    ROOT, SHARED, SINGLE, H, W, Case, mean, nine, planes, png_bytes, psnr, rgb, ssim_plane
)  # fmt: skip


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
        self.assertIn("10 failed", text)
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
        text = self.report(self.manifest([(n, n, f"{n}/r.png", f"{n}/o.png") for n in names]))
        self.assertEqual([r for r, in self.query("SELECT clip FROM item WHERE state = 1 ORDER BY id")], names)
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


class Whole(Case):
    """A run of many short items and a longer one, and of one that fails."""

    @classmethod
    def setUpClass(cls):
        made = cls("runTest")
        made.setUp()
        cls.addClassCleanup(made.doCleanups)
        ref = [planes(t) for t in range(8)]
        made.y4m("ref.y4m", ref)
        made.y4m("long.y4m", ref * 8)
        rows = [("slow", "long", "long.y4m", "long.y4m")]
        for m in range(6):
            made.y4m(f"m{m}.y4m", [planes(t, noise=2 + m) for t in range(8)])
            rows += [(f"m{m}", f"c{k}", "ref.y4m", f"m{m}.y4m") for k in range(6)]
        rows.append(("bad", "c0", "ref.y4m", "gone.y4m"))
        cls.list = made.manifest(rows)
        made.report(cls.list)
        cls.whole = made.results(), made.pages()

    def runTest(self):
        """Not a test: setUpClass makes its files with the means of one."""

    def expect_whole(self):
        """What an undisturbed run came to, to the last byte."""
        results, pages = self.whole
        self.assertEqual(self.results(), results)
        self.assertEqual(self.pages().keys(), pages.keys())
        for name, data in self.pages().items():
            self.assertEqual(data, pages[name], name)

    def done(self):
        """Items that are done with the seconds that they took, which a second time would change."""
        return dict(self.query("SELECT id, seconds FROM item WHERE state <> 0") or [])

    def last_frame(self):
        rows = self.query("SELECT max(frame) FROM score")
        return rows and rows[0][0]

    def wait_until(self, process, true):
        """Until something is true of the store that the process writes to."""
        while True:
            try:
                if true():
                    return
            except sqlite3.DatabaseError:
                pass  # a copy of what is just being made
            self.assertIsNone(process.poll(), "it ended before")
            time.sleep(0.02)


class Survival(Whole):
    def test_kill(self):
        """kill -9 at 20 random moments and more: nothing that was done is done again, and the
        finished report is the same to the last byte."""
        begun = time.monotonic()
        self.run_lpips("report", "plan", self.list, "--out", "timed")
        start = time.monotonic() - begun
        self.report(self.list, out="timed")
        whole = time.monotonic() - begun - start
        r = random.Random(6)
        before, kills, moved = {}, 0, 0
        while kills < 20 or moved < 5:
            self.assertLess(kills, 200, "no run came far enough to be worth killing")
            p = self.start(self.list, "--out", "out", "-j", str(r.choice([1, 2])))
            # Planning again and opening the nets comes first, each time; and the machine may
            # be busier than it was.
            time.sleep(r.uniform(0, (2 * start + whole / 8) * (1 + kills / 20)))
            p.send_signal(signal.SIGKILL)
            ended = p.wait() == 0
            after = self.done()
            for item, seconds in before.items():
                self.assertEqual(after.get(item), seconds, "done twice")
            kills += not ended
            moved += 0 < len(after) < 38 and len(after) > len(before)
            before = after
            if ended:
                self.expect_whole()
                shutil.rmtree(self.path("out"))
                before = {}
        self.report(self.list)
        after = self.done()
        self.assertEqual({i: after[i] for i in before}, before)
        self.expect_whole()

    def test_within_an_item(self):
        """A long clip goes on from the frames that were kept, not from its start."""
        some = [planes(t, size=(320, 240)) for t in range(8)]
        self.y4m("big.y4m", some * 12, (320, 240))
        rows = self.manifest([("m", "c", "big.y4m", "big.y4m")], name="big.csv")
        p = self.start(rows, "--out", "out", "-j", "1")

        def reached():
            # It is kept every two seconds; while it stands still, time goes on.
            p.send_signal(signal.SIGSTOP)
            time.sleep(2.1)
            p.send_signal(signal.SIGCONT)
            time.sleep(0.4)
            return self.last_frame()

        self.wait_until(p, reached)
        p.send_signal(signal.SIGKILL)
        self.assertEqual(p.wait(), -signal.SIGKILL)
        kept = self.last_frame()
        self.change("UPDATE score SET value = -7")
        self.report(rows)
        marked = self.scores("m", "c", "lpips_alex")
        self.assertEqual(list(marked), list(range(96)))
        self.assertTrue(all(marked[t] == (-7 if t <= kept else 0) for t in range(96)))
        self.assertEqual(list(self.scores("m", "c", "tlpips_alex")), list(range(1, 96)))

    def test_interrupt(self):
        """Ctrl-C ends it in order, with status 130, and the same command goes on."""
        for i, (sent, status) in enumerate([(signal.SIGINT, 130), (signal.SIGTERM, 143)]):
            p = self.start(self.list, "--out", "out", "-j", "1")
            self.wait_until(p, lambda: len(self.done()) > 3 * i)
            p.send_signal(sent)
            self.assertEqual(p.wait(), status)
            self.assertFalse(os.path.exists(self.path("out", "report.sqlite-wal")))
        before = self.done()
        self.assertIn("37 of 38 items scored, 1 failed", self.report(self.list))
        after = self.done()
        self.assertEqual({i: after[i] for i in before}, before)
        self.expect_whole()

    def test_workers(self):
        """One worker or many: the same."""
        self.report(self.list, "-j", "1")
        self.expect_whole()

    def test_plan_again(self):
        """The same plan is no mistake, another one is refused and changes nothing."""
        self.run_lpips("report", "plan", self.list, "--out", "out")
        self.assertEqual(self.query("SELECT count(*) FROM item WHERE state = 0"), [(38,)])
        self.run_lpips("report", "plan", self.list, "--out", "out")
        before = self.results()
        for other in ["--factor", "2"], ["--nets", "vgg"], ["--metrics", "lpips"]:
            text = self.run_lpips("report", "plan", self.list, *other, "--out", "out", status=2)
            self.assertIn("holds the report of another list or of other settings", text)
        self.assertEqual(self.results(), before)
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["report.sqlite"])

    def test_one_at_a_time(self):
        self.run_lpips("report", "plan", self.list, "--out", "out")
        with open(self.path("out", "run.lock"), "w", encoding="ascii") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            self.assertIn("another run is at work here", self.run_lpips("report", "run", "out", status=2))

    def test_other_weights(self):
        """What was planned with other weights is not mixed with these."""
        self.run_lpips("report", "plan", self.list, "--out", "out")
        self.change("UPDATE about SET value = replace(value, 'weights 4', 'weights 5')")
        self.assertIn("one report needs one version of weights", self.run_lpips("report", "run", "out", status=2))

    def test_no_store(self):
        """What is no store, or one of another kind, is told."""
        self.put("out/report.sqlite", "no database at all" * 100)
        self.assertIn("no store of lpips report", self.run_lpips("report", "run", "out", status=2))
        self.put("out/report.sqlite", b"")
        self.assertIn("no store of this version", self.run_lpips("report", "run", "out", status=2))


class Shards(Whole):
    def plan(self, out="out"):
        self.run_lpips("report", "plan", self.list, "--out", out)

    def shard(self, i, n, status=0):
        return self.run_lpips("report", "run", "--shard", f"{i}/{n}", "-j", "1", "out", status=status)

    def merge(self, status=0):
        text = self.run_lpips("report", "merge", "out", status=status)
        if not status:
            self.run_lpips("report", "write", "out")
        return text

    def test_shards(self):
        """In any order, one twice: merged they are the report of an undivided run."""
        self.plan()
        untouched = self.results()
        for i in 3, 1:
            self.shard(i, 3)
        self.assertIn("of 3 shards, 1 lack: 2; complete each by `lpips report run --shard 2/3", self.merge(2))
        self.assertEqual(self.results(), untouched)
        self.shard(2, 3)
        self.shard(2, 3)
        self.assertEqual(sorted(os.listdir(self.path("out", "shards"))), [f"{i}-of-3.sqlite" for i in (1, 2, 3)])
        self.merge()
        self.expect_whole()
        self.merge()
        self.expect_whole()
        # What is complete needs no run.
        self.run_lpips("report", "run", "out")
        self.expect_whole()

    def test_one_shard(self):
        self.plan()
        self.assertIn("no complete shards", self.merge(2))
        self.shard(1, 1)
        self.merge()
        self.expect_whole()

    def test_more_shards_than_items(self):
        self.plan()
        for i in range(1, 41):
            self.shard(i, 40)
        self.merge()
        self.expect_whole()

    def test_two_copies(self):
        """Schedulers start a shard twice at once: both are right."""
        self.plan()
        self.shard(1, 2)
        both = [self.start("run", "--shard", "2/2", "-j", "1", "out") for _ in range(2)]
        self.assertEqual([p.wait() for p in both], [0, 0])
        self.merge()
        self.expect_whole()

    def test_killed_shard(self):
        """What killed attempts had done is taken over, even while one of them still runs."""
        self.plan()
        shards, stores = self.path("out", "shards"), {}

        def look(part):
            return self.query("SELECT id, seconds FROM item WHERE state <> 0", store=f"shards/{part}") or []

        def parts():
            found = os.listdir(shards) if os.path.isdir(shards) else []
            return {n for n in found if n.endswith(".part")} - set(stores)

        for n in range(3):
            p = self.start("run", "--shard", "1/2", "-j", "1", "out")
            self.wait_until(p, lambda: any(len(look(part)) > 3 * n + 2 for part in parts()))
            p.send_signal(signal.SIGKILL if n < 2 else signal.SIGSTOP)
            if n < 2:
                p.wait()
            (part,) = parts()
            stores[part] = dict(look(part))
        first, second, third = stores.values()
        # What comes later has what was there before, and took the same time.
        self.assertEqual({i: second[i] for i in first}, first)
        self.assertEqual({i: third[i] for i in second}, second)
        self.shard(1, 2)
        after = dict(look("1-of-2.sqlite"))
        self.assertEqual({i: after[i] for i in third}, third)
        p.send_signal(signal.SIGCONT)
        self.assertEqual(p.wait(), 0)
        self.shard(2, 2)
        self.merge()
        self.expect_whole()

    def test_foreign_shards(self):
        """Shards of another plan are not merged, and not taken for done."""
        self.plan()
        self.shard(1, 2)
        self.shard(2, 2)
        os.remove(self.path("out", "report.sqlite"))
        self.run_lpips("report", "plan", self.list, "--factor", "2", "--out", "out")
        self.assertIn("belongs to another plan: remove it", self.merge(2))
        self.assertIn("belongs to another plan: remove it", self.shard(1, 2, status=2))

    def test_damaged_shard(self):
        self.plan()
        self.shard(1, 2)
        self.shard(2, 2)
        self.put("out/shards/2-of-2.sqlite", b"SQLite format 3\0" + bytes(5000))
        before = self.results()
        self.merge(2)
        self.assertEqual(self.results(), before)


if __name__ == "__main__":
    unittest.main()
