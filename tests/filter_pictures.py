#!/usr/bin/env python3
"""What the lpips filter draws (output=map, overlay, side), and inputs of other sizes (scale=)."""

import unittest

from ffmpeg_run import H, N, W, Case, two

# First colours as matplotlib prints them.
FIRST = {
    "": b"\x44\x01\x54",
    "inferno": b"\x00\x00\x04",
    "magma": b"\x00\x00\x04",
    "viridis": b"\x44\x01\x54",
    "cividis": b"\x00\x22\x4e",
    "gray": b"\x00\x00\x00",
}
RGB = "format=rgb24[o]"


class Pictures(Case):
    def setUp(self):
        super().setUp()
        self.main = self.pixels(two().replace("[o]", "," + RGB))
        self.assertEqual(len(self.main), N * 3 * W * H)

    def test_equal(self):
        """The map of equal pictures is the first colour of the colormap everywhere."""
        for name, colour in FIRST.items():
            options = "output=map" + (":colormap=" + name if name else "")
            got = self.pixels(two(options, "null"))
            self.assertEqual(got, colour * (N * W * H), name)

    def test_map(self):
        """A gray map is the distances: linear in full_scale, and its mean near the distance."""
        scale = 2
        maps = [
            self.pixels(two(f"output=map:colormap=gray:full_scale={s}:f=s"))
            for s in (scale, 2 * scale)
        ]
        self.assertEqual([len(m) for m in maps], [N * 3 * W * H] * 2)
        self.assertGreater(max(maps[0]), 40)
        for a, b in zip(*maps):
            self.assertLessEqual(abs(a / 2 - b), 1.01)
        mean = scale * sum(maps[0]) / len(maps[0]) / 255
        distances = [float(v) for v in self.scores("s")]
        self.assertAlmostEqual(mean, sum(distances) / N, delta=0.25 * sum(distances) / N)

    def test_over(self):
        """Distances beyond full_scale have a colour that the map does not have."""
        got = self.pixels(two("output=map:full_scale=0.000001"))
        colours = {got[i : i + 3] for i in range(0, len(got), 3)}
        self.assertEqual(len(colours), 1, colours)
        self.assertNotIn(colours.pop(), {FIRST["viridis"], b"\xfd\xe7\x25"})

    def test_side(self):
        """side is twice as wide: main as it is on the left, the map on the right."""
        chart = self.pixels(two("output=map"))
        rows = [
            half[i : i + 3 * W]
            for i in range(0, len(chart), 3 * W)
            for half in (self.main, chart)
        ]
        self.assertEqual(self.pixels(two("output=side")), b"".join(rows))

    def test_overlay(self):
        """overlay is the map over main in grey (luma of BT.709), mixed by opacity."""
        chart = self.pixels(two("output=map"))
        rgb = zip(*(self.main[c::3] for c in range(3)))
        grey = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in rgb]
        for option, part in (("", 0.6), ("opacity=0", 0), ("opacity=1", 1), ("opacity=.25", 0.25)):
            got = self.pixels(two("output=overlay:" + option if option else "output=overlay"))
            self.assertEqual(len(got), len(chart))
            want = (g + part * (c - g) for g, c in zip((v for v in grey for _ in "rgb"), chart))
            self.assertLessEqual(max(abs(a - b) for a, b in zip(got, want)), 0.51, option)

    def test_numbers_stay(self):
        """What is put out changes no number."""
        self.graph(two("f=s"))
        for output in ("map", "overlay", "side"):
            self.graph(two(f"f=t:output={output}"))
            self.assertEqual(self.stats("t"), self.stats("s"), output)

    def test_yuv_source(self):
        """Pictures of a YUV source have the same size, and its left half shows it."""
        graph = two("output=side").replace("format=gbrp", "format=yuv420p")
        got = self.pixels(graph)
        self.assertEqual(len(got), 2 * N * 3 * W * H)
        left = b"".join(got[i : i + 3 * W] for i in range(0, len(got), 6 * W))
        main = self.pixels(
            two().replace("format=gbrp", "format=yuv420p")
            .replace("[o]", ",scale=flags=bilinear+accurate_rnd+full_chroma_int," + RGB)
        )  # fmt: skip
        far = sum(abs(a - b) > 24 for a, b in zip(left, main)) / len(main)
        self.assertLess(far, 0.05)


class Scale(Case):
    SIZES = (
        "testsrc2=s=64x48:r=25:d=0.08,format=gbrp[m];"
        "testsrc2=s=96x80:r=25:d=0.08,format=gbrp[r]"
    )

    def test_refused(self):
        """Without scale other sizes are FFmpeg's own error."""
        self.refused(
            "^Width and height of input videos must be same", self.SIZES + ";[m][r]lpips[o]"
        )

    def test_equal_sizes(self):
        """With equal sizes scale changes nothing."""
        self.graph(two("f=s"))
        for which in ("main", "reference"):
            self.graph(two(f"f=t:scale={which}"))
            self.assertEqual(self.stats("t"), self.stats("s"))

    def test_sizes(self):
        """scale=main scores at the reference's size, scale=reference at main's; main passes."""
        for which, width, height in (("main", 96, 80), ("reference", 64, 48)):
            with self.subTest(which):
                graph = f"{self.SIZES};[m][r]lpips=scale={which}:f=s:log_path=j[o]"
                got = self.pixels(graph)
                log = self.log("j")
                self.assertEqual((log["width"], log["height"]), (width, height))
                for v in self.scores("s"):
                    self.assertTrue(0 < float(v) < 1, v)
                self.assertEqual(len(got) // 2, 3 * 64 * 48)

    def test_flat(self):
        """One colour scaled is that colour: near 0 whatever the flags; another colour is not."""
        pair = (
            "color={}:s=64x48:r=25:d=0.04,format=gbrp[m];"
            "color=#406080:s=80x96:r=25:d=0.04,format=gbrp[r]"
        )
        for flags in ("", ":scale_flags=lanczos", ":scale_flags=bilinear"):
            for which in ("main", "reference"):
                for colour, low, high in (("#406080", 0, 1e-5), ("#806040", 1e-3, 2)):
                    options = f"f=s:scale={which}{flags}"
                    self.graph(f"{pair.format(colour)};[m][r]lpips={options}[o]")
                    (score,) = map(float, self.scores("s"))
                    self.assertTrue(low <= score <= high, (options, colour, score))

    def test_flags(self):
        """scale_flags are those of libswscale: others give another picture."""
        scores = set()
        for flags in ("neighbor", "bilinear", "bicubic", "lanczos"):
            self.graph(f"{self.SIZES};[m][r]lpips=scale=main:scale_flags={flags}:f=s[o]")
            scores.add(self.scores("s")[0])
        self.assertEqual(len(scores), 4)


if __name__ == "__main__":
    unittest.main()
