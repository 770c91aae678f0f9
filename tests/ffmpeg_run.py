"""What the tests of the filter share: running ffmpeg, raw clips, reading what was printed.

The program is that of the environment variable FFMPEG, build/bin/ffmpeg by default, and
each test must hold on every version that has a patch; VERSION is the program's.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FFMPEG = os.path.abspath(
    os.environ.get("FFMPEG", os.path.join(ROOT, "build", "bin", "ffmpeg"))
)
ZERO = "0.000000000"
COUNTS = "main compared unpaired_main reference reused_reference unpaired_reference".split()
TIMEOUT = 55



def version():
    """The release as a pair of numbers; (99, 0) for one built from git."""
    if not os.access(FFMPEG, os.X_OK):
        sys.exit(f"{FFMPEG} is missing; `make ffmpeg` builds it, or set FFMPEG")
    text = subprocess.run([FFMPEG, "-version"], capture_output=True, text=True).stdout
    found = re.match(r"ffmpeg version n?(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (99, 0)


VERSION = version()
# 5.1 says an error between frames, but ends with 0, where a graph has no input (-i).
# No option changes that: seen with -xerror, -abort_on and -err_detect.
FORGIVES = VERSION < (6, 1)
# What FFmpeg adds in a filter's name to an error; 5.1 to one of options, too.
ADDED = ("Failed to configure output pad", "Unable to parse option value", "Error setting option",
         "Error applying options")

# A clip of N frames that change, and its comparison with blurred copies of itself.
W, H, N = 64, 48, 12
SOURCE = f"testsrc2=s={W}x{H}:r=25:d={N / 25},format=gbrp,split=3[a][b][c]"


def two(options="", change="avgblur=2"):
    """One main and its reference, the filter's name being c."""
    options = "=" + options if options else ""
    source = SOURCE.replace("=3", "=2").replace("[c]", "")
    return f"{source};[a]{change}[m];[m][b]lpips@c{options}[o]"


def three(options):
    """Two mains and their reference."""
    return f"{SOURCE};[a]avgblur=1[m];[b]avgblur=3[n];[m][n][c]lpips@c=inputs=3:{options}[o]"


class Run:
    """A finished run: code, out (bytes) and the log, line by line."""

    line = re.compile(
        r"^\[((?:Parsed_)?lpips[^ \]]*)(?: @ \w+)?\] (?:\[(\w+)\] )?(.*)$"
    )

    def __init__(self, code, out, text):
        self.code, self.out, self.text = code, out, text
        self.lines = [m.groups() for m in map(self.line.match, text.splitlines()) if m]

    def said(self, *levels, by=None, text=""):
        """What filters of the name `by` said at these levels that contains the text."""
        return [
            words
            for name, level, words in self.lines
            if (not levels or level in levels)
            and text in words
            and (by is None or name == "lpips@" + by)
        ]

    def errors(self):
        """What filters said of errors, once each: 5.1 configures a graph twice."""
        said = self.said("error", "fatal")
        return [s for s in dict.fromkeys(said) if not s.startswith(ADDED)]

    def counts(self, by=None):
        """The numbers of the line LPIPS sync: of each input a dictionary, main's first."""
        lines = self.said(by=by, text="LPIPS sync ")
        return [fields(line) for line in lines]


def number(text):
    return float(text) if re.search(r"[.a-z]", text) else int(text)


def fields(line):
    """key:value words of a line as a dictionary; numbers as numbers."""
    found = re.findall(r"([\w.]+):(-?\d[\d.]*)(?= |;|$)", line)
    return {key: number(value) for key, value in found}


class Case(unittest.TestCase):
    """A test in a folder of its own, in which ffmpeg runs: names of files stay short."""

    maxDiff = None
    longMessage = True

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return name

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def command(self, *args, level="level+info"):
        return [FFMPEG, *"-hide_banner -nostats -nostdin -y -v".split(), level, *args]

    def ffmpeg(self, *args, code=0, level="level+info"):
        """Run; code None: must fail, by itself and not by a signal, and without asserts."""
        done = subprocess.run(
            self.command(*args, level=level),
            cwd=self.folder,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT,
        )
        text = done.stderr.decode("utf-8", "replace")
        self.assertGreaterEqual(done.returncode, 0, "killed by a signal\n" + text)
        self.assertNotRegex(text, r"(?i)assertion|segmentation|sanitizer")
        if code is None and FORGIVES and "-i" not in args and done.returncode == 0:
            self.assertIn("Error while filtering", text, "accepted")
        elif code is None:
            self.assertNotEqual(done.returncode, 0, "accepted\n" + text)
        elif code != "any":
            self.assertEqual(done.returncode, code, text)
        return Run(done.returncode, done.stdout, text)

    def graph(self, graph, *inputs, code=0, level="level+info", out=("-f", "null", "-")):
        """Run -lavfi; every output named [o...] is put out."""
        maps = [a for o in re.findall(r"(\[o\w*\])(?:;|$)", graph) for a in ("-map", o)]
        return self.ffmpeg(
            *inputs, "-lavfi", graph, *maps, *out, code=code, level=level
        )

    def pixels(self, graph, **more):
        """What the graph puts out, as it is, frame after frame."""
        return self.graph(graph, out=("-f", "rawvideo", "-"), **more).out

    def refused(self, text, graph, *inputs, options=()):
        """Run, which must fail with one line of ours, which says this."""
        run = self.graph(graph, *inputs, *options, code=None)
        self.assertEqual(len(run.errors()), 1, run.text)
        self.assertRegex(run.errors()[0], text)
        return run

    def stats(self, name, main=None):
        """Lines of a stats file as dictionaries of text; those with # are left out.  Of
        several mains only those of one, as a run of its own has them."""
        lines = [s for s in self.read(name).splitlines() if not s.startswith("#")]
        found = [dict(re.findall(r"(\S+?):(\S+)", line)) for line in lines]
        return [s for s in found if not main or s.pop("input") == main]

    def scores(self, name, main=None):
        return [line["lpips"] for line in self.stats(name, main)]

    def log(self, name):
        """The JSON log; NaN and Infinity are no JSON."""

        def no(word):
            raise AssertionError(f"{word} in {name}")

        return json.loads(self.read(name), parse_constant=no)

    def table(self, name):
        """The CSV log: its comment lines and its rows as dictionaries of text."""
        lines = self.read(name).splitlines()
        rows = csv.DictReader(s for s in lines if not s.startswith("#"))
        return [s for s in lines if s.startswith("#")], list(rows)
