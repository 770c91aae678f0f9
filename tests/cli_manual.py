#!/usr/bin/env python3
"""The manual page and the completion of lpips say what the program itself says."""

import os
import unittest

from manual import check_page, complete, documented, options_of
from program import ROOT, Case

PAGE = os.path.join(ROOT, "cli", "lpips.1")
COMPLETION = os.path.join(ROOT, "cli", "lpips.bash-completion")


class Manual(Case):
    def options(self, *command):
        found = options_of(self.lpips(*command, "--help").out)
        self.assertGreater(len(found), 1 if command else 20)
        return found

    def test_page_is_clean(self):
        check_page(self, PAGE)

    def test_page_knows_all_options(self):
        with open(PAGE) as f:
            page = f.read()
        self.assertEqual(documented(page), {name.rstrip("=") for name in self.options()})

    def complete(self, *words):
        return complete(self, COMPLETION, "_lpips", *words)

    def test_completion_knows_all_options(self):
        self.assertEqual({o[2:] for o in self.complete("--")}, self.options())
        for command in ([], ["plan"], ["run"], ["merge"], ["write"]):
            found = {o[2:] for o in self.complete("report", *command, "--")}
            self.assertEqual(found, self.options("report", *command))

    def test_completion_of_values(self):
        """Every value that is proposed is one the program takes."""
        self.assertEqual(self.complete("--net", ""), {"alex", "vgg", "squeeze"})
        self.assertEqual(self.complete("--net", "=", "v"), {"vgg"})
        self.assertEqual(self.complete("--net", "="), {"alex", "vgg", "squeeze"})
        for option in ("--pool", "--tags", "--colors"):
            values = self.complete(option, "")
            self.assertGreater(len(values), 2)
            for value in values:
                run = self.lpips(option, value, "none", "none", code=2)
                self.assertIn("none: No such file", run.err)
        for option in ("--baseline", "--kind", "--layout", "--metrics", "--nets"):
            for value in self.complete("report", option, ""):
                self.assertRegex(self.lpips("report", "--help").out, rf"\b{value}\b")
        text = self.lpips("--help").out
        for value in self.complete("-p", ""):
            self.assertRegex(text, rf"\b{value}\b")

    def test_completion_of_files(self):
        self.write("a b.png", b"")
        self.write("ab.png", b"")
        self.assertEqual(self.complete("a"), {"a b.png", "ab.png"})
        self.assertEqual(self.complete("rep"), {"report"})
        self.assertEqual(self.complete("report", ""), {"a b.png", "ab.png", "plan", "run", "merge", "write"})
        self.assertEqual(self.complete("report", "run", ""), {"a b.png", "ab.png"})
        self.assertEqual(self.complete("--fail-above", ""), set())


if __name__ == "__main__":
    unittest.main()
