#!/usr/bin/env python3
"""Frames of the lpips filter that have a partner, and those that have none: counted and told.

A reference that is late, short or of another pace gives numbers all the same; what the
tests hold on to is that each of these is seen, said once, and counted exactly.
"""

import re
import unittest

from ffmpeg_run import COUNTS, VERSION, ZERO, Case

N, PART = 20, 15  # frames of a whole clip and of a short one
SOURCE = "testsrc2=s=64x48:r=50:d=0.8,format=gbrp,noise=alls=60:allf=t,split=3[a][b][c]"
SLOW = "select='not(mod(n,2))'"  # every other frame: 25 a second, N of them
# What is warned of, and the number that it belongs to.
WARNINGS = {
    "unpaired_main": r"main at \S+( s)? has no .*reference",
    "reused_reference": r"reference at \S+( s)? is used again for .*main at \S+",
    "unpaired_reference": r"a .*reference .*has no .*main",
}


def slow(more=""):
    return SLOW + ("," + more if more else "")


# name: main, reference, frames: main compared unpaired reference reused unpaired,
# numbers of the main frames whose partner is not the same picture
CASES = {
    "equal": (slow(), slow(), (N, N, 0, N, 0, 0), ()),
    "reference short": (
        slow(),
        slow(f"trim=end_frame={PART}"),
        (N, N, 0, PART, N - PART, 0),
        range(PART, N),
    ),
    "reference long": (
        slow(f"trim=end_frame={PART}"),
        slow(),
        (PART, PART, 0, N, 0, N - PART),
        (),
    ),
    "reference one frame late": (
        slow(),
        slow("setpts=PTS+0.04/TB"),
        (N, N - 1, 1, N, 0, 1),
        range(1, N),
    ),
    "reference one frame early": (
        slow(),
        slow("setpts=PTS-0.04/TB"),
        (N, N, 0, N, 1, 1),
        range(N - 1),
    ),
    "reference half a frame late": (
        slow(),
        slow("setpts=PTS+0.02/TB"),
        (N, N - 1, 1, N, 0, 1),
        range(1, N),
    ),
    "reference starts at the second frame": (
        slow(),
        slow("trim=start_frame=1"),
        (N, N - 1, 1, N - 1, 0, 0),
        (),
    ),
    "main starts at the second frame": (
        slow("trim=start_frame=1"),
        slow(),
        (N - 1, N - 1, 0, N, 0, 1),
        (),
    ),
    "reference lacks a frame": (
        slow(),
        slow("select='not(eq(n,7))'"),
        (N, N, 0, N - 1, 1, 0),
        (7,),
    ),
    "main lacks a frame": (
        slow("select='not(eq(n,7))'"),
        slow(),
        (N - 1, N - 1, 0, N, 0, 1),
        (),
    ),
    "reference of twice the rate": (slow(), "null", (N, N, 0, 2 * N, 0, N), ()),
    "main of twice the rate": (
        "null",
        slow(),
        (2 * N, 2 * N, 0, N, N, 0),
        range(1, 2 * N, 2),
    ),
    "one frame each": (
        "trim=end_frame=1",
        "trim=end_frame=1",
        (1, 1, 0, 1, 0, 0),
        (),
    ),
    "reference of one frame": (
        slow(),
        "trim=end_frame=1",
        (N, N, 0, 1, N - 1, 0),
        range(1, N),
    ),
}


class Sync(Case):
    def compare(self, name, options="", code=0):
        main, ref, counts, differ = CASES[name]
        graph = SOURCE.replace("=3", "=2").replace("[c]", "")
        options = ":".join(filter(None, ("f=s:log_path=j", options)))
        run = self.graph(
            f"{graph};[a]{main}[m];[b]{ref}[r];[m][r]lpips@c={options}[o]",
            code=code,
            out=("-f", "framecrc", "-"),
        )
        run.frames = sum(not s.startswith(b"#") for s in run.out.splitlines())
        return run

    def counted(self, run, *want):
        """The line at the end and the log's "sync" have these numbers."""
        want = dict(zip(COUNTS, want))
        self.assertEqual(run.counts("c"), [want], run.text)
        self.assertEqual(self.log("j")["sync"], want)

    def warned(self, run, kinds):
        """Each of the kinds once, no other."""
        for kind, text in WARNINGS.items():
            said = [s for s in run.said("warning", by="c") if re.search(text, s)]
            self.assertEqual(len(said), int(kind in kinds), f"{kind}\n{run.text}")

    def test_counts(self):
        """Exact counts in the last line and the log, one warning a kind, the right partners."""
        for name, (_, _, counts, differ) in CASES.items():
            with self.subTest(name):
                run = self.compare(name)
                self.counted(run, *counts)
                wrong = [k for k in WARNINGS if counts[COUNTS.index(k)]]
                self.warned(run, wrong)
                self.assertEqual(run.frames, counts[0])
                level = "warning" if wrong else "info"
                self.assertEqual(len(run.said(level, text="LPIPS sync main:")), 1, run.text)
                first = counts[2]  # frames without a partner are not scored
                scores = self.scores("s")
                self.assertEqual(len(scores), counts[1])
                for i, score in enumerate(scores, first):
                    self.assertEqual(score != ZERO, i in differ, i)

    def test_ends(self):
        """shortest, repeatlast and eof_action end the comparison where FFmpeg's manual says."""
        short, whole = (PART, PART, 0, PART, 0, 0), (N, PART, N - PART, PART, 0, 0)
        for options, counts in (
            ("shortest=1", short),
            ("eof_action=endall", short),
            ("repeatlast=0", whole),
            ("eof_action=pass", whole),
            ("eof_action=repeat", CASES["reference short"][2]),
            ("repeatlast=1", CASES["reference short"][2]),
        ):
            with self.subTest(options):
                run = self.compare("reference short", options)
                self.counted(run, *counts)
                self.assertEqual(run.frames, counts[0])
                self.warned(run, [k for k in WARNINGS if counts[COUNTS.index(k)]])

    def test_shortest_main(self):
        """shortest=1 with a long reference compares all of main, and warns of nothing re-used."""
        run = self.compare("reference long", "shortest=1")
        got = run.counts("c")[0]
        self.assertEqual([got[k] for k in COUNTS[:3]], [PART, PART, 0])
        self.assertEqual(got["reused_reference"], 0)
        self.assertEqual(got["reference"] - got["unpaired_reference"], PART)
        self.assertEqual(run.frames, PART)
        self.assertEqual(self.scores("s"), [ZERO] * PART)

    def test_nearest(self):
        """ts_sync_mode=nearest pairs frames that are a little late with their own."""
        if VERSION < (6, 0):
            self.skipTest("came with FFmpeg 6.0")
        main, ref, *_ = CASES["equal"]
        CASES["late"] = (main, ref + ",settb=1/1000,setpts=PTS+8", (), ())
        self.addCleanup(CASES.pop, "late")
        for mode, right in (("nearest", True), ("default", False)):
            # Before the first frame of the reference there is none in either mode.
            run = self.compare("late", "ts_sync_mode=" + mode)
            self.counted(run, N, N - 1, 1, N, 0, 1)
            self.assertEqual([s == ZERO for s in self.scores("s")], [right] * (N - 1))

    def test_error(self):
        """sync=error stops with one line that says which frame; equal streams pass."""
        for name, (_, _, counts, _) in CASES.items():
            with self.subTest(name):
                wrong = any(counts[COUNTS.index(k)] for k in WARNINGS)
                run = self.compare(name, "sync=error", None if wrong else 0)
                self.assertEqual(len(run.errors()), int(wrong), run.text)
                if wrong:
                    self.assertRegex(run.errors()[0], "|".join(WARNINGS.values()))
                self.log("j")

    def test_ignore(self):
        """sync=ignore says nothing about frames, and counts all the same."""
        for name, (_, _, counts, _) in CASES.items():
            with self.subTest(name):
                run = self.compare(name, "sync=ignore")
                self.assertEqual(run.said("warning", "error"), [], run.text)
                self.assertEqual(self.log("j")["sync"], dict(zip(COUNTS, counts)))

    def test_subsample(self):
        """Frames left out by n_subsample count as neither compared nor without a partner."""
        run = self.compare("reference lacks a frame", "n_subsample=5")
        got = run.counts("c")[0]
        self.assertEqual((got["main"], got["compared"], got["unpaired_main"]), (N, N // 5, 0))
        self.assertEqual((got["reference"], got["unpaired_reference"]), (N - 1, 0))
        self.assertEqual(len(self.scores("s")), N // 5)

    def test_disabled(self):
        """While enable= is off nothing is compared, counted as re-used or warned of."""
        run = self.compare("equal", "enable='between(t,0.19,0.37)'")
        self.assertEqual(run.frames, N)
        self.assertEqual(run.counts("c")[0]["compared"], 5)
        self.assertEqual(run.said("warning"), [], run.text)

    def test_three_inputs(self):
        """inputs=3: an event is scored when all mains have a frame; each main has its counts."""
        graph = (
            f"{SOURCE};[a]{slow()}[m0];[b]{slow(f'trim=end_frame={PART}')}[m1];[c]{slow()}[r];"
            "[m0][m1][r]lpips@c=inputs=3:log_path=j:f=s:eof_action={}[o]"
        )
        for action, compared, reused in (("pass", PART, 0), ("repeat", N, N - PART)):
            run = self.graph(graph.format(action))
            for name, other in (("main0", 0), ("main1", reused)):
                scores = self.scores("s", name)
                self.assertEqual(len(scores), compared, name)
                self.assertEqual(scores[: N - other], [ZERO] * (compared - other), name)
            want = {"main0": N, "compared": compared, "unpaired_main0": N - compared}
            want.update(main1=PART, reused_main1=reused, unpaired_main1=0)
            want.update(reference=N, reused_reference=0, unpaired_reference=0)
            self.assertEqual(run.counts("c"), [want], run.text)
            self.assertEqual(self.log("j")["sync"], want)
            self.assertEqual(len(run.said("warning", text="main1")), 2, run.text)


if __name__ == "__main__":
    unittest.main()
