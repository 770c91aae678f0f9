#!/usr/bin/env python3
"""The manual page and the completion of lpips-learn say what the program itself says."""

import csv
import os
import unittest

from manual import check_page, complete, documented, options_of
from program import ROOT
from trials import Trials, grey

PAGE = os.path.join(ROOT, "learn", "lpips-learn.1")
COMPLETION = os.path.join(ROOT, "learn", "lpips-learn.bash-completion")
# Which parts of the page document a command's options.
PARTS = {
    ("eval",): ("EVAL", "OPTIONS OF BOTH"),
    ("eval", "mos"): ("EVAL MOS", "OPTIONS OF BOTH"),
    ("distort", "train"): ("DISTORT TRAIN",),
    ("distort", "picture"): ("DISTORT PICTURE",),
    ("distort", "make"): ("DISTORT MAKE",),
    ("distort", "sheet"): ("DISTORT SHEET",),
    **{("collect", c): ("COLLECT " + c.upper(),) for c in ("make", "serve", "status", "import")},
    ("questions",): ("QUESTIONS",),
    ("train",): ("TRAIN",),
    ("init",): ("INIT",),
    ("optimise",): ("OPTIMISE",),
}


class Manual(Trials):
    def options(self, *command):
        found = options_of(self.learn(*command, "--help").out)
        self.assertLess({"help", "usage"}, found)
        return found

    def complete(self, *words):
        return complete(self, COMPLETION, "_lpips_learn", *words)

    def test_page_is_clean(self):
        check_page(self, PAGE)

    def test_page_knows_all_options(self):
        with open(PAGE) as f:
            parts = dict(part.split("\n", 1) for part in f.read().split("\n.Sh ")[1:])
        for command, titles in PARTS.items():
            said = set().union(*(documented(parts[title]) for title in titles))
            wanted = {name.rstrip("=") for name in self.options(*command)}
            self.assertEqual(said, wanted - {"help", "usage"}, command)

    def test_commands(self):
        """Each command that --help names is in the page and is completed."""
        with open(PAGE) as f:
            page = f.read()
        lines = self.learn("--help").out.split("\n\n")[1].splitlines()
        commands = {line.split()[0] for line in lines}
        for command in commands:
            self.assertRegex(page, rf"\.Cm {command}\b")
        self.assertEqual(self.complete(""), commands)
        self.assertIn('no command "evil"', self.learn("evil", code=2).err.replace("'", '"'))

    def test_completion_knows_all_options(self):
        for command in PARTS:
            self.assertEqual({o[2:] for o in self.complete(*command, "--")}, self.options(*command))

    def test_completion_of_values(self):
        """Every value that is proposed is one the program takes."""
        judges = self.complete("eval", "-J", "")
        self.assertGreater(len(judges), 10)
        text = self.learn("eval", "--help").out
        for judge in judges:
            for part in judge.split(":"):
                self.assertRegex(text, rf"\b{part}\b")
        self.trial_2afc("d", "a", 1, grey(99), grey(98))
        run = self.learn("eval", "d", "-qJ", "all", "--csv", "-")
        known = {row["judge"] for row in csv.DictReader(run.out.splitlines())} - {""}
        classic = {judge for judge in known if ":" not in judge}
        self.assertEqual(classic, {judge for judge in judges if ":" not in judge} - {"all"})
        with open(PAGE) as f:
            page = f.read()
        for judge in classic:
            self.assertRegex(page, rf"(?m)^(\.It Cm |ms-ssim)(.* )?{judge}( |$)|^{judge} ")
        self.assertEqual(self.complete("eval", "-J", "psnr,ms"), {"psnr,ms-ssim"})
        self.assertEqual(self.complete("eval", "-J", "lpips", ":", "v"), {"vgg"})
        self.assertIn("none", self.complete("eval", "-J", "lpips", ":", "vgg", ":"))
        self.assertEqual(self.complete("collect", ""), {"make", "serve", "status", "import"})
        self.assertEqual(self.complete("collect", "make", "--kind", ""), {"2afc", "jnd"})
        for option in ("--task", "--split"):
            values = self.complete("eval", option, "")
            self.assertGreater(len(values), 1)
            for value in values:
                run = self.learn("eval", "none", option, value, code=2)
                self.assertIn("none cannot be read", run.err)
        self.assertEqual(self.complete("eval", "mos", "--logistic", "="), {"4", "5"})
        for option in ("--mode", "--net"):
            for value in self.complete("train", option, ""):
                run = self.learn("train", "none", option, value, "-o", "out", code=2)
                self.assertIn("none cannot be read", run.err)
        self.assertEqual(self.complete("eval", "--threads", ""), set())
        rows = self.learn("distort", "list").rows
        self.assertEqual(self.complete("distort", "make", "--subset", ""), {row[2] for row in rows} | {"cnn", "mix"})
        self.assertEqual(self.complete("distort", "sheet", "--family", ""), {row[1] for row in rows} | {"cnn"})
        self.assertEqual(self.complete("distort", "make", "--judge", "="), judges - {"all"})

    def test_completion_of_files(self):
        self.write("a b.csv", b"")
        self.assertEqual(self.complete("eval", "a"), {"a b.csv"})
        self.assertEqual(self.complete("eval", ""), {"a b.csv", "mos"})
        self.assertEqual(self.complete("eval", "mos", ""), {"a b.csv"})
        self.assertEqual(self.complete("distort", ""), {"list", "picture", "make", "sheet", "train"})
        self.assertEqual(self.complete("distort", "make", ""), {"a b.csv"})


if __name__ == "__main__":
    unittest.main()
