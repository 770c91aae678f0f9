#!/usr/bin/env python3
"""Colours of the lpips filter: each input is read rightly, by its own tags, with no scaler.

Raw codes come from pixels.py, which follows H.273 in double, and are tagged by setparams.
"""

import array
import collections
import functools
import os
import subprocess
import unittest

import pixels
from ffmpeg_run import ROOT, ZERO, Case

SCORE_DUMP = os.path.join(
    os.environ.get("TESTS_DIR", os.path.join(ROOT, "build", "tests")), "score_dump"
)
SIZE = W, H = 64, 48
DEPTHS = (8, 10, 12, 16)
FORMATS = [(s, b) for s in ("420", "422", "444", "gray", "rgb") for b in DEPTHS]
RANGES = {"tv": False, "pc": True}
MATRICES = ("bt709", "smpte170m", "bt470bg", "bt2020nc", "fcc", "smpte240m", "ycgco")

# One way to read a file of codes; location is the decoder's, where it knows one.
Clip = collections.namedtuple("Clip", "file fmt tags size location", defaults=("", SIZE, ""))
Pair = collections.namedtuple("Pair", "main ref options name", defaults=("", ""))


def tags(matrix, levels):
    return f"colorspace={matrix}:range={levels}"


@functools.lru_cache(maxsize=None)
def sampled(phase, size, *how):
    return pixels.sample(pixels.smooth(*size, phase=phase), *how)


def codes_of(phase, size, matrix, levels, subsampling, bits, location="left"):
    planes = sampled(phase, size, matrix, subsampling, location)
    return pixels.to_codes(planes, matrix, RANGES[levels], bits, subsampling)


class Colour(Case):
    frames = 2  # that a warning comes once can only be seen with more than one

    def codes(self, phase, *coding, size=SIZE):
        """A file of the smooth picture of this phase coded as in codes_of()."""
        name = ".".join(map(str, (phase, *coding, *size)))
        data = pixels.raw(codes_of(phase, size, *coding), coding[-1])
        return self.write(name, data * self.frames)

    def clip(self, phase, matrix, levels, subsampling, bits, own=None):
        """The same, tagged rightly, or as `own` says."""
        if own is None:
            own = {"gray": "range=" + levels, "rgb": ""}.get(subsampling, tags(matrix, levels))
        name = self.codes(phase, matrix, levels, subsampling, bits)
        return Clip(name, pixels.pix_fmt(subsampling, bits), own)

    def compare(self, pairs):
        """All pairs in one run; gives it and the distance of each, which all its frames have,
        a list of them where main is a list of clips.  Filters are named c0, c1 ..., their
        files s0, s1 ...  Sees to it that no scaler came in."""
        inputs, chains = [], []

        def pad(clip):
            where = ["-chroma_sample_location", clip.location] if clip.location else []
            size = "%dx%d" % clip.size
            i = sum(a == "-i" for a in inputs)
            inputs.extend(f"-f rawvideo -pix_fmt {clip.fmt} -s {size} -r 25".split())
            inputs.extend([*where, "-i", clip.file])
            if not clip.tags:
                return f"[{i}:v]"
            chains.append(f"[{i}:v]setparams={clip.tags}[i{i}]")
            return f"[i{i}]"

        for n, p in enumerate(pairs):
            mains = p.main if isinstance(p.main, list) else [p.main]
            options = [f"f=s{n}:threads=1", p.options]
            if len(mains) > 1:
                options.append(f"inputs={len(mains) + 1}")
            pads = "".join(map(pad, [*mains, p.ref]))
            chains.append(f"{pads}lpips@c{n}={':'.join(filter(None, options))}[o{n}]")
        run = self.graph(";".join(chains), *inputs, level="level+verbose")
        self.assertNotRegex(run.text, "auto_scale|auto-inserting")
        return run, [self.distance(f"s{n}", p.main) for n, p in enumerate(pairs)]

    def distance(self, name, main):
        """The distance of all frames in a stats file, or those of all mains."""
        several = isinstance(main, list) and len(main) > 1
        found = []
        for which in [f"main{k}" for k in range(len(main))] if several else [None]:
            values = self.scores(name, which)
            self.assertEqual(len(values), self.frames, name)
            self.assertEqual(len(set(values)), 1, name)
            found.append(values[0])
        return found if isinstance(main, list) else found[0]

    def once(self, run, name, text, times=1):
        said = run.said("warning", by=name, text=text)
        self.assertEqual(len(said), times, f"{text}\n{said}\n{run.text}")


class Table(Colour):
    def each_format(self, check, kinds=("420", "422", "444", "gray", "rgb")):
        for subsampling, bits in FORMATS:
            if subsampling in kinds:
                with self.subTest(fmt=pixels.pix_fmt(subsampling, bits)):
                    check(subsampling, bits)

    def test_same_codes_same_tags(self):
        """Equal codes give 0 with the same tags and with one side untagged; others do not."""

        def check(subsampling, bits):
            chosen = ["", tags("bt2020nc", "pc")]
            if subsampling == "gray":
                chosen = ["", "range=tv", "range=pc"]
            elif subsampling == "rgb":
                chosen = [""]
            elif (subsampling, bits) == ("420", 8):
                chosen += [tags(m, "tv") for m in MATRICES] + ["colorspace=bt2020nc", "range=pc"]
            file = self.codes(0, "bt709", "tv", subsampling, bits)
            other = self.codes(0.8, "bt709", "tv", subsampling, bits)
            fmt = pixels.pix_fmt(subsampling, bits)
            pairs = [
                Pair(Clip(file, fmt, a), Clip(file, fmt, b))
                for t in chosen
                for a, b in {(t, t): 0, (t, ""): 0, ("", t): 0}
                # FFmpeg 7 and later tag gray as full range before a filter sees it.
                if a == b or subsampling != "gray" or t != "range=tv"
            ]
            pairs.append(Pair(Clip(file, fmt), Clip(other, fmt)))
            run, scores = self.compare(pairs)
            self.assertGreater(float(scores.pop()), 0.001)
            for pair, score in zip(pairs, scores):
                self.assertEqual(score, ZERO, pair)
            self.assertEqual(run.said("warning", text="conflicting"), [])

        self.each_format(check)

    def test_conflicting_tags(self):
        """Equal codes under other tags differ, with one warning; with tags= they give 0."""
        conflicts = [
            (tags("bt709", "tv"), tags("smpte170m", "pc")),
            (tags("bt709", "tv"), tags("bt2020nc", "tv")),
            (tags("bt709", "tv"), tags("bt709", "pc")),
            (tags("fcc", "pc"), tags("ycgco", "pc")),
            (tags("smpte240m", "tv"), tags("fcc", "tv")),
        ]
        options = ("", "tags=main", "tags=reference")

        def check(subsampling, bits):
            file = self.codes(0, "bt709", "tv", subsampling, bits)
            fmt = pixels.pix_fmt(subsampling, bits)
            chosen = conflicts if (subsampling, bits) == ("420", 8) else conflicts[:1]
            if subsampling == "gray":
                chosen = [("range=tv", "range=pc")]
            pairs = [
                Pair(Clip(file, fmt, a), Clip(file, fmt, b), o)
                for a, b in chosen
                for o in options
            ]
            run, scores = self.compare(pairs)
            for n in range(0, len(pairs), len(options)):
                self.assertGreater(float(scores[n]), 0, pairs[n])
                self.assertEqual(scores[n + 1 : n + 3], [ZERO] * 2, pairs[n])
                self.once(run, f"c{n}", "conflicting tags")
                self.once(run, f"c{n}", "tags=main")

        self.each_format(check, ("420", "422", "444", "gray"))

    def test_tags_of_one_side(self):
        """tags=main reads the reference as if it had main's tags, and the reverse."""
        for levels in (("tv", "pc"), ("pc", "tv")):
            a, b = tags("bt709", levels[0]), tags("smpte170m", levels[1])
            main = self.clip(0, "bt709", "tv", "420", 8, a)
            ref = self.clip(0.8, "bt709", "tv", "420", 8, b)
            _, scores = self.compare(
                [
                    Pair(main, ref, "tags=main"),
                    Pair(main, ref._replace(tags=a)),
                    Pair(main, ref, "tags=reference"),
                    Pair(main._replace(tags=b), ref),
                ]
            )
            self.assertEqual(scores[0], scores[1])
            self.assertEqual(scores[2], scores[3])
            self.assertNotEqual(scores[0], scores[2])

    def test_coded_rightly(self):
        """One picture under two tags: at most 1e-3 at 8 bit, 1e-4 from 10 bit 4:4:4 on.

        Without subsampling only rounding is left, which halves with each bit; the distance
        goes with its square.  At 16 bit this tells even FCC from BT.601."""

        def check(subsampling, bits):
            limit = 1e-3 * 4.0 ** (8 - bits) if subsampling in ("444", "gray") else 1e-3
            matrices = ("bt709",) if subsampling == "gray" else MATRICES
            clips = [
                self.clip(0, m, r, subsampling, bits) for m in matrices for r in RANGES
            ]
            if subsampling == "444":
                clips.append(self.clip(0, "", "pc", "rgb", bits))
            pair = Pair(clips[1:], clips[0], "tags=own")
            _, (scores,) = self.compare([pair])
            for clip, score in zip(pair.main, scores):
                with self.subTest(coded=clip.tags, reference=pair.ref.tags):
                    self.assertLessEqual(float(score), limit)

        self.each_format(check, ("420", "422", "444", "gray"))

    def test_untagged_by_size(self):
        """Without tags 576 rows are BT.601, 578 are BT.709, limited: equal to the tagged case."""
        for rows, matrix in ((576, "smpte170m"), (578, "bt709")):
            size = (32, rows)
            main, ref = (
                self.codes(p, "bt709", "tv", "420", 8, size=size)
                for p in (0, 0.5)
            )
            one = Clip(main, "yuv420p", "", size), Clip(ref, "yuv420p", "", size)
            own = tags(matrix, "tv")
            cases = [("", ""), (own, own), (own, "")]
            cases += [(tags(m, "tv"),) * 2 for m in MATRICES] + [(tags(matrix, "pc"),) * 2]
            pairs = [Pair(*(c._replace(tags=t) for c, t in zip(one, ts))) for ts in cases]
            run, scores = self.compare(pairs)
            self.assertEqual(scores[1:3], [scores[0]] * 2)
            for case, score in zip(cases[3:], scores[3:]):
                right = case[0] == own or (rows == 576 and case[0] == tags("bt470bg", "tv"))
                self.assertEqual(score == scores[0], right, case)
            said = run.said("info", by="c0", text=" read as ")
            self.assertEqual(len(said), 2, run.text)
            for line in said:
                self.assertRegex(line, "untagged, matrix and range assumed")

    def test_alpha(self):
        """Alpha changes nothing and is warned of, once for each input that has it."""
        for fmt, planes in (("yuva420p", 1.5), ("yuva444p10le", 6), ("gbrap", 3), ("rgba", 3)):
            n = W * H
            colour = bytes(i * 7 % 3 for i in range(int(n * planes)))
            alphas = [bytes([v]) * (n * 2 if "10" in fmt else n) for v in (1, 2)]
            files = []
            for k, alpha in enumerate(alphas):
                data = colour + alpha
                if fmt == "rgba":
                    pixel = zip(colour[::3], colour[1::3], colour[2::3], alpha)
                    data = bytes(v for p in pixel for v in p)
                files.append(self.write(f"{fmt}{k}", data * self.frames))
            main, ref = (Clip(f, fmt) for f in files)
            run, scores = self.compare([Pair(main, ref)])
            self.assertEqual(scores, [ZERO], fmt)
            self.once(run, "c0", "alpha", 2)
            self.once(run, "c0", "main has alpha, which is ignored")

    def test_foreign_formats(self):
        """What cannot be read as it lies goes to the nearest format that can, whatever the
        other input is in."""
        for fmt, read_as in (("rgb48be", "rgb 16 bit full"), ("pal8", "rgb 8 bit full"),
                             ("yuv420p10be", "yuv 4:2:0 10 bit bt601 limited left")):
            for other in ("rgb24", "yuv420p", "gray"):
                graph = (f"testsrc2=s={W}x{H}:d=0.08,split[x][y];[x]format={fmt}[a];"
                         f"[y]format={other}[b];")
                for name, pads in (("main", "[a][b]"), ("reference", "[b][a]")):
                    run = self.graph(f"{graph}{pads}lpips")
                    self.assertIn(f"{name} read as {read_as}", run.text, (fmt, other))

    def test_transfer(self):
        """PQ and HLG are warned of, once for each input; bt709 is not."""
        clip = self.clip(0, "bt2020nc", "tv", "420", 10)
        for trc, name in (("smpte2084", "PQ"), ("arib-std-b67", "HLG")):
            hdr = clip._replace(tags=clip.tags + ":color_trc=" + trc)
            sdr = clip._replace(tags=clip.tags + ":color_trc=bt709")
            run, scores = self.compare([Pair(hdr, hdr), Pair(sdr, sdr), Pair(sdr, hdr)])
            self.assertEqual(scores, [ZERO] * 3)
            self.once(run, "c0", f"is {name} ({trc})", 2)
            self.once(run, "c1", "", 0)
            self.once(run, "c2", "reference is " + name)

    def test_aspect(self):
        """Differing sample aspect ratios are warned of once; a missing one is not."""
        inputs = "-f lavfi -i testsrc2=s=64x64:d=0.12".split()
        for a, b, times in (("1", "4/3", 1), ("1", "1", 0), ("0", "4/3", 0), ("8/9", "0", 0)):
            run = self.graph(
                f"[0:v]split[a][b];[a]setsar={a}[m];[b]setsar={b}[r];[m][r]lpips@c[o]",
                *inputs,
            )
            self.once(run, "c", "sample aspect ratio", times)

    def test_unreadable(self):
        """A colour space without a matrix is refused in one line that names it and a remedy."""
        self.refused(
            "(?i)colou?r ?space ictcp.*setparams",
            "testsrc2=s=64x64:d=0.04,format=yuv420p,setparams=colorspace=ictcp,split[a][b];"
            "[a][b]lpips[o]",
        )


# (name of the pixel format, subsampling, bits): planes are made as planar ones
DUMPED = [
    ("420", 8, "bt709", "tv", "left"),
    ("420", 8, "smpte170m", "tv", "center"),
    ("420", 10, "bt2020nc", "tv", "topleft"),
    ("420", 8, "bt709", "pc", "bottom"),
    ("420", 8, "bt709", "pc", "top"),
    ("420", 12, "fcc", "pc", "bottomleft"),
    ("422", 8, "bt709", "tv", "left"),
    ("422", 10, "smpte240m", "tv", "center"),
    ("422", 16, "bt709", "pc", "topleft"),
    ("440", 8, "bt709", "pc", "left"),
    ("411", 8, "smpte170m", "tv", "left"),
    ("444", 8, "ycgco", "pc", "left"),
    ("444", 8, "ycgco", "tv", "left"),
    ("444", 12, "bt2020nc", "pc", "left"),
    ("444", 16, "bt470bg", "tv", "left"),
    ("gray", 8, "bt709", "tv", "left"),
    ("gray", 10, "bt709", "pc", "left"),
    ("rgb", 8, "", "pc", "left"),
    ("rgb", 12, "", "pc", "left"),
]


class Dump(Colour):
    frames = 1

    def check(self, size, dumped):
        """Pictures in the dump against decode(), to what floats can hold, and their scores."""
        pairs, wanted = [], []
        for k, (subsampling, bits, matrix, levels, location) in enumerate(dumped):
            full = RANGES[levels]
            two = [
                codes_of(p, size, matrix, levels, subsampling, bits, location)
                for p in (k, k + 0.5)
            ]
            # Codes beyond the range of the picture must clip.
            two[0][0][0][:4] = [0, 1, (1 << bits) - 1, (1 << bits) - 2]
            wanted += [
                pixels.decode(c, matrix, full, bits, subsampling, location) for c in two
            ]
            own = "" if subsampling == "rgb" else "range=" + levels
            if subsampling not in ("gray", "rgb"):
                own = tags(matrix, levels)
            fmt = pixels.pix_fmt(subsampling, bits)
            clips = [
                Clip(self.write(f"{k}.{i}", pixels.raw(c, bits)), fmt, own, size, location)
                for i, c in enumerate(two)
            ]
            pairs.append(Pair(*clips, f"dump=d{k}", dumped[k]))
        run, scores = self.compare(pairs)
        for k, pair in enumerate(pairs):
            with self.subTest(codes=pair.name):
                self.near(f"d{k}", wanted[2 * k : 2 * k + 2])
                self.assertEqual(len(scores), len(pairs))
                self.assertAlmostEqual(
                    float(scores[k]), self.score(f"d{k}", size)[0], delta=1e-6
                )

    def near(self, name, pictures):
        """The same values to 1e-6 (a float near 1 has steps of 6e-8, and a few add up)."""
        with open(self.path(name), "rb") as f:
            got = array.array("f", f.read())
        want = [v for p in pictures for plane in p for row in plane for v in row]
        self.assertEqual(len(got), len(want))
        worst = max(range(len(want)), key=lambda i: abs(got[i] - want[i]))
        self.assertAlmostEqual(got[worst], want[worst], delta=1e-6, msg=f"value {worst}")

    def score(self, name, size, inputs=2):
        done = subprocess.run(
            [SCORE_DUMP, self.path(name), *map(str, size), str(inputs)],
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return [float(line) for line in done.stdout.split()]

    def test_pixels_and_scores(self):
        """What was scored is what the codes mean to 1e-6, and has the logged distance to 1e-6."""
        self.check((48, 32), DUMPED)

    def test_odd_size(self):
        """The same for a width and a height that no subsampling divides."""
        self.check((47, 33), [row for row in DUMPED if row[0] in ("420", "422", "411")])

    def test_records(self):
        """A dump has for each frame the mains in order, then the reference; a row of it a score."""
        run = self.graph(
            "testsrc2=s=48x40:r=25:d=0.12,format=gbrp,split=3[a][b][r];[a]avgblur=1[m0];"
            "[b]avgblur=3[m1];[m0][m1][r]lpips=inputs=3:dump=d:f=s[o]"
        )
        logged = [float(v) for v in self.scores("s")]
        self.assertEqual(len(logged), 6)
        for got, want in zip(self.score("d", (48, 40), 3), logged):
            self.assertAlmostEqual(got, want, delta=1e-6)
        self.assertEqual(os.path.getsize(self.path("d")), 3 * 3 * 3 * 48 * 40 * 4)

    def test_unwritable(self):
        """A dump that cannot be written is one line and an error."""
        self.refused(
            "none/d", "testsrc2=s=48x48:d=0.04,split[a][b];[a][b]lpips=dump=none/d[o]"
        )


if __name__ == "__main__":
    unittest.main()
