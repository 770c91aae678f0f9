#!/usr/bin/env python3
"""Streams that change, end at once or have odd sizes: a right result or a one-line error.

Never a crash: Case.ffmpeg() fails when a signal ended the program.
"""

import functools
import os
import struct
import unittest
import zlib

from ffmpeg_run import ZERO, Case

CODES = {"gray": (0, 1), "rgb24": (2, 3), "rgba": (6, 4)}
SIZES = [(854, 480), (480, 854), (426, 240), (240, 426), (33, 47), (47, 33), (31, 31), (639, 31)]


@functools.lru_cache(maxsize=None)
def png(width, height, fmt="rgb24", seed=0):
    """A PNG of coloured squares."""
    kind, channels = CODES[fmt]

    def chunk(name, data):
        code = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + code

    rows = b"".join(
        b"\x00"
        + bytes(
            (40 * c + 90 * ((x // 8 + y // 8 + seed) % 2) + seed) % 256
            for x in range(width)
            for c in range(channels)
        )
        for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


class Robust(Case):
    def stream(self, name, *pictures):
        """A file of PNG pictures and the arguments that read it at 25 a second."""
        self.write(name, b"".join(png(*p) for p in pictures))
        return ["-f", "png_pipe", "-framerate", "25", "-i", name]

    def outcome(self, run):
        """It went well, or said why in one line of ours; never nothing, never many."""
        if run.code:
            self.assertEqual(len(run.errors()), 1, run.text)
        self.assertLessEqual(len(run.errors()), 1, run.text)

    def two(self, first, second, options="", before=(), code="any"):
        return self.graph(
            f"[0:v][1:v]lpips@c=f=s:log_path=j{options}[o]",
            *before, *first, *before, *second, code=code,
        )  # fmt: skip

    def readable(self, run):
        """Whatever happened, the log parses and its frames are numbered; gives those.  There
        may be no log where nothing could be compared."""
        if run.code and not os.path.exists(self.path("j")):
            return []
        frames = self.log("j")["frames"]
        self.assertEqual([f["n"] for f in frames], list(range(1, len(frames) + 1)))
        os.remove(self.path("j"))
        return frames


class Changes(Robust):
    ODD = [(64, 48), (64, 48), (80, 72), (80, 72)]

    def test_size_of_both(self):
        """Both change size at once: no crash, a log that parses, and equal frames give 0."""
        a, b = (self.stream(n, *self.ODD) for n in "ab")
        for options in ("", ":output=side", ":scale=main", ":scale=reference"):
            with self.subTest(options):
                run = self.two(a, b, options)
                self.outcome(run)
                for frame in self.readable(run):
                    self.assertEqual(frame["lpips"], 0, run.text)

    def test_size_of_one(self):
        """One input changes size: no crash, at most one error."""
        a, b = self.stream("a", *self.ODD), self.stream("b", *[(64, 48)] * 4)
        for first, second in ((a, b), (b, a)):
            for options in ("", ":scale=main", ":scale=reference", ":output=overlay"):
                with self.subTest(options):
                    run = self.two(first, second, options)
                    self.outcome(run)
                    self.readable(run)
                    if not options:
                        self.assertRegex(run.text, "Width and height of input videos")

    def test_size_without_reinit(self):
        """-reinit_filter 0 hands frames of another size to the filter: no crash, a line at most."""
        small = [(64, 48), (64, 48), (40, 32), (40, 32)]
        for sizes in (self.ODD, small):
            a, c = (self.stream(n, *sizes) for n in "ac")
            b = self.stream("b", *[(64, 48)] * 4)
            for first, second in ((a, b), (b, a), (a, c)):
                for options in ("", "output=map", "output=side", "scale=main", "scale=reference"):
                    options = options and ":" + options
                    with self.subTest(f"{sizes[-1]} {options}"):
                        run = self.two(first, second, options, ("-reinit_filter", "0"))
                        self.outcome(run)
                        self.readable(run)

    def test_format(self):
        """A pixel format that changes is read as what it is, with and without -reinit_filter 0."""
        for before in ((), ("-reinit_filter", "0")):
            for fmt in ("gray", "rgba"):
                a = self.stream("a", (64, 48), (64, 48, fmt), (64, 48))
                b = self.stream("b", *[(64, 48)] * 3)
                for first, second in ((a, b), (b, a)):
                    with self.subTest(f"{before} {fmt}"):
                        run = self.two(first, second, before=before)
                        self.outcome(run)
                        scores = [f["lpips"] for f in self.readable(run)]
                        want = [0, None if fmt == "gray" else 0, 0]
                        if not run.code and len(scores) == 3:
                            got = [s if s == 0 else None for s in scores]
                            self.assertEqual(got, want, run.text)

    def test_one_log(self):
        """A graph that is set up anew leaves a log that parses and ends with the last frames."""
        a = self.stream("a", (64, 48), (64, 48, "gray"), (64, 48, "gray"))
        b = self.stream("b", *[(64, 48)] * 3)
        run = self.two(a, b, ":log_fmt=json")
        self.outcome(run)
        self.assertGreaterEqual(len(self.readable(run)), 1, run.text)

    def test_yuv_formats(self):
        """YUV streams that change their subsampling in the middle do no harm."""
        pictures = b""
        for fmt in ("yuvj420p", "yuvj444p", "yuvj422p"):
            pictures += self.ffmpeg(
                *"-f lavfi -i testsrc2=s=64x48:r=25:d=0.08 -c:v mjpeg -pix_fmt".split(),
                *(fmt, "-f", "image2pipe", "-"),
            ).out
        self.write("pictures", pictures)
        stream = "-f image2pipe -framerate 25 -c:v mjpeg -i pictures".split()
        for before in ((), ("-reinit_filter", "0")):
            with self.subTest(before):
                run = self.two(stream, stream, before=before)
                self.outcome(run)
                for frame in self.readable(run):
                    self.assertEqual(frame["lpips"], 0, run.text)


class Ends(Robust):
    def test_no_frames(self):
        """Without frames on one side or both: no crash, no distances, a log that parses."""
        source = "testsrc2=s=64x48:r=25:d=0.2,split[a][b];"
        for a, b in (("0", "1"), ("1", "0"), ("0", "0")):
            for options in ("", ":threshold=0.5", ":output=side", ":eof_action=pass"):
                with self.subTest(main=a, reference=b, options=options):
                    run = self.graph(
                        f"{source}[a]select={a}[m];[b]select={b}[r];"
                        f"[m][r]lpips=f=s:log_path=j{options}[o]",
                        code="any",
                    )
                    self.assertEqual(self.scores("s"), [])
                    self.assertEqual(self.readable(run), [])
                    self.assertEqual(run.said(text="average:"), [])

    def test_one_frame(self):
        """One frame each is scored."""
        a, b = self.stream("a", (64, 48)), self.stream("b", (64, 48, "rgb24", 3))
        run = self.two(a, b, code=0)
        (frame,) = self.readable(run)
        self.assertGreater(frame["lpips"], 0)

    def test_never_enabled(self):
        """enable=0 passes every frame and logs none; a window scores its frames only."""
        graph = (
            "testsrc2=s=64x48:r=25:d=0.4,format=gbrp,split[a][b];[b]avgblur=2[r];"
            "[a][r]lpips=f=s:log_path=j:{}[o]"
        )
        for options in ("enable=0", "enable=0:output=map", "enable=0:output=side"):
            run = self.graph(graph.format(options), code="any")
            self.assertEqual((self.scores("s"), self.readable(run)), ([], []))
        whole = graph.format("worst=0")
        self.graph(whole)
        scores = self.scores("s")
        for output in ("main", "map", "overlay", "side"):
            run = self.graph(graph.format(f"enable='between(n,2,4)':output={output}"), code="any")
            self.outcome(run)
            if not run.code:
                self.assertEqual(self.scores("s"), scores[2:5], output)
                self.assertEqual([f["frame"] for f in self.readable(run)], [2, 3, 4])

    def test_cut_output(self):
        """An output that stops early (-frames:v 3) leaves a log that parses."""
        a, b = (self.stream(n, *[(64, 48)] * 30) for n in "ab")
        run = self.graph(
            "[0:v][1:v]lpips=log_path=j[o]", *a, *b, out="-frames:v 3 -f null -".split()
        )
        self.assertGreaterEqual(len(self.readable(run)), 3)


class Sizes(Robust):
    def test_odd_and_portrait(self):
        """Odd, small and portrait sizes: equal frames give 0, blurred ones do not."""
        for width, height in SIZES:
            for fmt in ("yuv420p", "gbrp"):
                with self.subTest(f"{width}x{height} {fmt}"):
                    run = self.graph(
                        f"testsrc2=s=864x864:r=25:d=0.04,format=yuv444p,crop={width}:{height},"
                        f"format={fmt},split=4[a][b][c][d];[c]avgblur=3[e];"
                        "[a][b]lpips=f=s[o0];[e][d]lpips=f=t:output=side[o1]",
                    )
                    self.assertEqual(self.scores("s"), [ZERO], run.text)
                    (score,) = map(float, self.scores("t"))
                    self.assertTrue(0.001 < score < 1, score)

    def test_too_small(self):
        """A picture that is too small for the net is one line that names the least size."""
        for size in ("30x64", "64x30", "2x2"):
            self.refused(
                "too small for net alex, which needs 31x31",
                f"testsrc2=s={size}:d=0.04,split[a][b];[a][b]lpips[o]",
            )


if __name__ == "__main__":
    unittest.main()
