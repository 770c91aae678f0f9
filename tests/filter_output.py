#!/usr/bin/env python3
"""What the lpips filter prints and logs, how it ends, and what it refuses."""

import math
import re
import signal
import subprocess
import time
import unittest

from ffmpeg_run import COUNTS, H, N, SOURCE, TIMEOUT, W, Case
from ffmpeg_run import fields, number, three, two
import pooling

POOLS = ["mean", "harmonic_mean", "median", "max"] + [f"p{p}" for p in pooling.PERCENTILES]


def pooled(values):
    """Every number that the filter pools, from the distances."""
    return {"frames": len(values), **pooling.pooled(values)}


class Output(Case):
    def same(self, got, want, places=5e-9):
        """Numbers of which both are rounded to nine places."""
        self.assertEqual(set(want) - set(got), set())
        for key, value in want.items():
            self.assertAlmostEqual(got[key], value, delta=places, msg=key)


# ---- numbers ---------------------------------------------------------------------------


class StatsFile(Output):
    def test_header_and_lines(self):
        """One # line of provenance, then a line a frame, whose layers add up to its distance."""
        run = self.graph(two("stats_file=s"))
        lines = self.read("s").splitlines()
        self.assertRegex(
            lines[0],
            r"^# lpips \d+\.\d+\.\d+ alex v0\.1 weights [0-9a-f]{8,64}; "
            "main: rgb .*; reference: rgb ",
        )
        form = r"n:\d+ pts_time:\d+\.\d{6} lpips:\d\.\d{9}( layer\.[0-4]:\d\.\d{9}){5}"
        self.assertEqual(len(lines), N + 1)
        for i, line in enumerate(lines[1:]):
            self.assertRegex(line, f"^{form}$")
            got = fields(line)
            self.assertEqual((got["n"], got["pts_time"]), (i + 1, i / 25))
            layers = math.fsum(got[f"layer.{k}"] for k in range(5))
            self.assertAlmostEqual(layers, got["lpips"], delta=5e-9)
        self.assertEqual(len(run.said("info", text="LPIPS average:")), 1)

    def test_summary(self):
        """The line at the end pools the distances and names what they were made with."""
        run = self.graph(two("f=s"))
        values = [float(v) for v in self.scores("s")]
        (line,) = run.said("info", by="c", text="LPIPS average:")
        want = pooled(values)
        want = {"average": want["mean"], "min": want["min"], "max": want["max"], "frames": N}
        self.same(fields(line), want)
        self.assertRegex(
            line, r"\(lpips \S+ alex v0\.1 weights \w{8}; main: rgb .*; reference: rgb .*\)$"
        )

    def test_worst_line(self):
        """The worst frames at the end are the worst, the worst first, as many as asked for."""
        for asked in (0, 1, 3, 1000):
            run = self.graph(two(f"f=s:worst={asked}"))
            stats = [(-float(s["lpips"]), int(s["n"])) for s in self.stats("s")]
            lines = run.said(by="c", text="LPIPS worst")
            got = [tuple(map(int, re.findall(r"\bn:(\d+) ", s))) for s in lines]
            want = tuple(n for _, n in sorted(stats)[:asked])
            self.assertEqual(got, [want] if asked else [])

    def test_metadata(self):
        """Metadata has the distance and the layers of the stats file, to the same digits."""
        run = self.graph(two("f=s").replace("[o]", ",metadata=print:file=-[o]"))
        found = re.findall(r"^lavfi\.lpips\.(\S+)=(\S+)$", run.out.decode(), re.M)
        want = []
        for line in self.stats("s"):
            want += [("distance", line["lpips"])]
            want += [(f"layer.{k}", line[f"layer.{k}"]) for k in range(5)]
        self.assertEqual(found, want)

    def test_names_of_metadata(self):
        """With three inputs main1 has keys of its own, beside those of the first main."""
        run = self.graph(three("f=s").replace("[o]", ",metadata=print:file=-[o]"))
        found = re.findall(r"^lavfi\.lpips\.(\S+)=(\S+)$", run.out.decode(), re.M)
        keys = ["distance"] + [f"layer.{k}" for k in range(5)]
        self.assertEqual({k for k, _ in found}, set(keys) | {"main1." + k for k in keys})
        for name, key in (("main0", "distance"), ("main1", "main1.distance")):
            self.assertEqual([v for k, v in found if k == key], self.scores("s", name))

    def test_to_stdout(self):
        """stats_file=- and log_path=- are standard output."""
        lines = self.graph(two("stats_file=-")).out.decode().splitlines()
        self.assertEqual([s[:2] for s in lines], ["# "] + ["n:"] * N)
        self.write("j", self.graph(two("log_path=-")).out)
        self.assertEqual(len(self.log("j")["frames"]), N)

    def test_unchanged(self):
        """The main frames pass through unchanged."""
        blurred = self.pixels(SOURCE.replace(",split=3[a][b][c]", ",avgblur=2[o]"))
        self.assertEqual(self.pixels(two()), blurred)


class ThreeInputs(Output):
    def test_as_two_runs(self):
        """inputs=3 gives each main what a run of its own gives, digit for digit."""
        self.graph(three("f=s:log_path=j"))
        self.assertEqual(len(self.stats("s")), 2 * N)
        for name, blur in (("main0", 1), ("main1", 3)):
            self.graph(two("f=t", f"avgblur={blur}"))
            self.assertEqual(self.stats("s", name), self.stats("t"))
        log = self.log("j")
        self.assertEqual([i["name"] for i in log["inputs"]], ["main0", "main1", "reference"])
        self.assertEqual(set(log["pooled"]), {"main0", "main1"})

    def test_summaries(self):
        """Each main has a line at the end, and numbers of its own in the log."""
        run = self.graph(three("f=s:log_path=j"))
        for name in ("main0", "main1"):
            want = pooled([float(v) for v in self.scores("s", name)])
            (line,) = run.said("info", text=f"LPIPS {name} average:")
            self.assertAlmostEqual(fields(line)["average"], want["mean"], delta=5e-9)
            self.same(self.log("j")["pooled"][name], want)

    def test_many(self):
        """inputs=16 is the most; 1 and 17 are refused in a line."""
        pads = "".join(f"[i{k}]" for k in range(16))
        source = SOURCE.replace("3[a][b][c]", f"16{pads}")
        self.graph(f"{source};{pads}lpips=inputs=16:f=s[o]")
        lines = self.stats("s")
        self.assertEqual(len(lines), 15 * N)
        self.assertEqual({s["input"] for s in lines}, {f"main{k}" for k in range(15)})
        for count in (1, 17):
            self.refused("inputs", f"{SOURCE};[a][b][c]lpips=inputs={count}[o]")


# ---- the log ---------------------------------------------------------------------------


class Json(Output):
    def test_document(self):
        """The JSON log has provenance, the frames of the stats file, and what they pool to."""
        self.graph(two("f=s:log_path=j:worst=3:seed=7"))
        log, stats = self.log("j"), self.stats("s")
        self.assertRegex(log["library"], r"^\d+\.\d+\.\d+$")
        self.assertRegex(log["weights"], r"^[0-9a-f]{64}$")
        self.assertRegex(log["cpu"], r"\w")
        want = {"net": "alex", "version": "0.1", "width": W, "height": H}
        want.update(n_subsample=1, seed=7)
        self.assertEqual({k: log[k] for k in want}, want)
        self.assertEqual([i["name"] for i in log["inputs"]], ["main", "reference"])
        for i in log["inputs"]:
            self.assertRegex(i["read_as"], "^rgb 8 bit full")
        self.assertEqual(len(log["frames"]), N)
        for i, (frame, line) in enumerate(zip(log["frames"], stats)):
            self.assertEqual((frame["input"], frame["n"], frame["frame"]), ("main", i + 1, i))
            self.assertAlmostEqual(frame["pts_time"], i / 25, delta=1e-6)
            self.assertEqual("%.9f" % frame["lpips"], line["lpips"])
            layers = ["%.9f" % v for v in frame["layers"]]
            self.assertEqual(layers, [line[f"layer.{k}"] for k in range(5)])
        found = log["pooled"]["main"]
        self.same(found, pooled([f["lpips"] for f in log["frames"]]))
        ranked = sorted(log["frames"], key=lambda f: (-f["lpips"], f["n"]))[:3]
        self.assertEqual([w["n"] for w in found["worst"]], [f["n"] for f in ranked])
        for got, frame in zip(found["worst"], ranked):
            self.same(got, {k: frame[k] for k in ("frame", "pts_time", "lpips")}, 1e-6)
        self.assertEqual([log["sync"][k] for k in COUNTS], [N, N, 0, N, 0, 0])

    def test_frame_a_line(self):
        """Each frame is one line, so that grep can read the log too."""
        self.graph(two("log_path=j"))
        lines = [s for s in self.read("j").splitlines() if '"lpips"' in s and '"n"' in s]
        self.assertGreaterEqual(len([s for s in lines if s.startswith("{")]), N)

    def test_zero_distances(self):
        """Equal pictures pool to zeros, and nothing becomes NaN or Infinity."""
        self.graph(two("log_path=j", "null"))
        found = self.log("j")["pooled"]["main"]
        self.same(found, pooled([0.0] * N), 0)

    def test_one_frame(self):
        """One frame has deviation 0, and every other number is its distance."""
        self.graph(two("log_path=j", "avgblur=2,trim=end_frame=1"))
        log = self.log("j")
        self.same(log["pooled"]["main"], pooled([f["lpips"] for f in log["frames"]]))
        self.assertEqual(log["pooled"]["main"]["deviation"], 0)

    def test_odd_names(self):
        """A path with quotes and letters beyond ASCII does no harm to the log."""
        self.graph(two('log_path=a\\"é.json'))
        self.assertEqual(len(self.log('a"é.json')["frames"]), N)


class Killed(Output):
    """A log that is read meanwhile, and after SIGKILL, holds the frames so far."""

    def killed(self, options, read, least=5):
        """Feed frames slowly; read() after each; kill when there are enough."""
        size = 3 * W * H
        frame = bytes(i * 37 % 251 for i in range(size))
        self.write("ref", bytes(reversed(frame)) * 400)
        raw = f"-f rawvideo -pix_fmt gbrp -s {W}x{H} -r 25".split()
        command = self.command(
            *raw, "-i", "pipe:0", *raw, "-i", "ref", "-lavfi", f"[0:v][1:v]lpips={options}",
            *"-f null -".split(),
        )  # fmt: skip
        with open(self.path("log"), "wb") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.PIPE, stderr=log, bufsize=0
            )
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        end, seen = time.monotonic() + TIMEOUT / 2, []
        while len(set(seen)) < least:
            self.assertIsNone(process.poll(), "it ended by itself\n" + self.read("log"))
            self.assertLess(time.monotonic(), end, f"{seen}\n{self.read('log')}")
            process.stdin.write(frame)
            time.sleep(0.01)
            seen.append(read())
        process.kill()
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.assertGreaterEqual(read(), max(seen))

    def test_json(self):
        """The JSON log parses whenever it is read, and after SIGKILL."""

        def read():
            try:
                frames = self.log("j")["frames"] if self.read("j") else []
            except FileNotFoundError:
                return 0
            self.assertEqual([f["n"] for f in frames], list(range(1, len(frames) + 1)))
            return len(frames)

        self.killed("log_path=j", read)

    def test_csv(self):
        """The CSV log has whole rows only, after SIGKILL too."""

        def read():
            try:
                rows = self.table("c")[1] if self.read("c") else []
            except FileNotFoundError:
                return 0
            self.assertTrue(all(r["layer.4"] for r in rows), rows)
            return len(rows)

        self.killed("log_path=c:log_fmt=csv", read)

    def test_stats_file(self):
        """The stats file has the frames so far, after SIGKILL too."""

        def read():
            try:
                return len(self.stats("s"))
            except FileNotFoundError:
                return 0

        self.killed("f=s", read)


class Csv(Output):
    def test_table(self):
        """The CSV log has the rows of the JSON log, comments of provenance and what was pooled."""
        self.graph(two("log_path=c:log_fmt=csv:worst=2"))
        self.graph(two("log_path=j:worst=2"))
        comments, rows = self.table("c")
        log = self.log("j")
        self.assertEqual(
            list(rows[0]),
            "input n frame pts pts_time lpips layer.0 layer.1 layer.2 layer.3 layer.4".split(),
        )
        self.assertEqual(len(rows), N)
        for row, frame in zip(rows, log["frames"]):
            self.assertEqual(row["input"], frame["input"])
            for key in ("n", "frame", "pts", "pts_time", "lpips"):
                self.assertEqual(number(row[key]), frame[key], key)
            layers = [float(row[f"layer.{k}"]) for k in range(5)]
            self.assertEqual(layers, frame["layers"])
        text = "\n".join(comments)
        for value in (log["library"], log["weights"], log["cpu"], log["inputs"][0]["read_as"]):
            self.assertIn(value, text)
        (line,) = [s for s in comments if s.startswith("# pooled input:main ")]
        self.same(fields(line), pooled([f["lpips"] for f in log["frames"]]))
        worst = [fields(s)["n"] for s in comments if s.startswith("# worst input:main ")]
        self.assertEqual(worst, [w["n"] for w in log["pooled"]["main"]["worst"]])
        (line,) = [s for s in comments if s.startswith("# sync main:")]
        self.assertEqual(fields(line), log["sync"])


class Files(Output):
    def test_unwritable(self):
        """A log or stats file that cannot be opened is one line and an error."""
        for option in ("log_path", "stats_file"):
            with self.subTest(option):
                self.refused("no/such.*No such file", two(f"{option}=no/such"))

    def test_full(self):
        """A disk that is full ends the run with one line, whatever is written."""
        for option in ("log_path", "log_fmt=csv:log_path", "stats_file"):
            with self.subTest(option):
                self.refused("Could not write to /dev/full", two(f"{option}=/dev/full"))


# ---- which frames, and how it ends -----------------------------------------------------


class Subsample(Output):
    def chosen(self, step, seed=0, frames=26):
        graph = two(f"n_subsample={step}:seed={seed}:log_path=j:f=s")
        graph = graph.replace(f"d={N / 25}", f"d={frames / 25}")
        self.graph(graph)
        log = self.log("j")
        self.assertEqual((log["n_subsample"], log["seed"]), (step, seed))
        self.assertEqual([f["n"] for f in log["frames"]], list(range(1, len(log["frames"]) + 1)))
        for f in log["frames"]:
            self.assertAlmostEqual(f["pts_time"], f["frame"] / 25, delta=1e-6)
        return {f["frame"]: f["lpips"] for f in log["frames"]}

    def test_one_of_each_group(self):
        """Of each whole group one frame is scored, at offsets that vary, and scored as always."""
        full = self.chosen(1)
        self.assertEqual(sorted(full), list(range(26)))
        some = self.chosen(4)
        self.assertEqual([f // 4 for f in sorted(some) if f < 24], list(range(6)))
        self.assertLessEqual(len(some), 7)
        self.assertGreater(len({f % 4 for f in some}), 1)
        for frame, distance in some.items():
            self.assertEqual(distance, full[frame])

    def test_seeds(self):
        """The same seed chooses the same frames, other seeds others."""
        chosen = [tuple(self.chosen(5, seed)) for seed in (0, 1, 2, 3, -1, 2**62)]
        self.assertEqual(chosen[0], tuple(self.chosen(5, 0)))
        self.assertGreaterEqual(len(set(chosen)), 5)

    def test_pooled(self):
        """The numbers at the end are of the frames that were scored."""
        some = list(self.chosen(4).values())
        self.same(self.log("j")["pooled"]["main"], pooled(some))

    def test_output(self):
        """All frames are put out, scored or not."""
        self.assertEqual(self.pixels(two("n_subsample=5")), self.pixels(two()))


class Threshold(Output):
    def test_each_pool(self):
        """The status at the end is that of the pooled number that was asked for."""
        self.graph(two("f=s"))
        values = pooled([float(v) for v in self.scores("s")])
        for pool in POOLS:
            with self.subTest(pool):
                above, below = values[pool] - 1e-6, values[pool] + 1e-6
                run = self.graph(two(f"threshold={below:.9f}:pool={pool}:log_path=j"))
                self.assertEqual(run.said("error"), [])
                run = self.refused(
                    rf"LPIPS {pool} .*{values[pool]:.9f}"[:-3] + ".*is above the threshold",
                    two(f"threshold={above:.9f}:pool={pool}:log_path=j"),
                )
                self.same(self.log("j")["pooled"]["main"], values)

    def test_zero(self):
        """threshold=0 passes equal pictures and no others; mean is the default."""
        self.graph(two("threshold=0", "null"))
        self.refused("LPIPS mean", two("threshold=0"))

    def test_status(self):
        """With inputs, files or lavfi, every version ends with an error where the filter does."""
        source = f"testsrc2=s={W}x{H}:r=25:d={N / 25}"
        self.ffmpeg("-f", "lavfi", "-i", source, "-c:v", "ffv1", "a.mkv")
        for inputs in (["-i", "a.mkv"], ["-f", "lavfi", "-i", source]):
            for cause, options, change in (
                ("start", "log_path=no/such", "null"),
                ("middle", "sync=error", "select='not(eq(n,7))'"),
                ("last frame", "sync=error", f"trim=end_frame={N - 1}"),
                ("end", "threshold=0.001", "avgblur=2"),
            ):
                with self.subTest(f"{inputs[0]} {cause}"):
                    graph = f"[0:v]split[a][b];[b]{change}[r];[a][r]lpips={options}[o]"
                    self.assertEqual(len(self.graph(graph, *inputs, code=None).errors()), 1)

    def test_any_main(self):
        """With three inputs one main above the threshold is enough, whichever it is."""
        for swap in (False, True):
            graph = three("f=s")
            if swap:
                graph = graph.replace("[m][n][c]", "[n][m][c]")
            self.graph(graph)
            means = [
                math.fsum(map(float, self.scores("s", name))) / N for name in ("main0", "main1")
            ]
            between = graph.replace("f=s", f"threshold={sum(means) / 2:.9f}")
            self.refused("is above the threshold", between)
            above = graph.replace("f=s", f"threshold={max(means) + 1e-6:.9f}")
            self.graph(above)


# value, what the one line of the error has to say
REFUSED = [
    ("net=vgg16", "net"),
    ("version=0.3", "0.3"),
    ("model=none", "none"),
    ("log_fmt=xml", "log_fmt"),
    ("worst=-1", "worst"),
    ("worst=1001", "worst"),
    ("n_subsample=0", "n_subsample"),
    ("seed=x", "seed"),
    ("threshold=x", "threshold"),
    ("pool=average", "pool"),
    ("sync=loose", "sync"),
    ("scale=both", "scale"),
    ("scale=main:scale_flags=bicubical", "bicubical"),
    ("tags=mine", "tags"),
    ("output=heat", "output"),
    ("colormap=jet", "colormap"),
    ("full_scale=0", "full_scale"),
    ("full_scale=-1", "full_scale"),
    ("full_scale=nan", "full_scale"),
    ("opacity=1.5", "opacity"),
    ("opacity=-0.1", "opacity"),
]


class Refused(Output):
    def test_values(self):
        """A value that an option does not have is refused, by a line with the option or value."""
        for option, text in REFUSED:
            with self.subTest(option):
                run = self.graph(two(option), code=None)
                said = [s for s in run.text.splitlines() if text in s]
                self.assertGreaterEqual(len(said), 1, run.text)
                self.assertLessEqual(len(run.errors()), 1, run.text)
                self.assertNotIn("Option not found", run.text)
                self.assertEqual(run.said(text="LPIPS"), [], run.text)

    def test_unknown(self):
        """An option that the filter does not have is refused."""
        self.graph(two("heatmap=1"), code=None)


if __name__ == "__main__":
    unittest.main()
