#!/usr/bin/env python3
"""The manual page and the completion of lpips say what the program itself says."""

import os
import re
import shutil
import subprocess
import unittest

from program import ROOT, Case

PAGE = os.path.join(ROOT, "cli", "lpips.1")
COMPLETION = os.path.join(ROOT, "cli", "lpips.bash-completion")


class Manual(Case):
    def options(self, *command):
        """Long options of --help; those that want a value end with =."""
        text = self.lpips(*command, "--help").out
        found = re.findall(r"^ {2,6}(?:-., +)?--([a-z0-9-]+)(=?)", text, re.M)
        self.assertGreater(len(found), 1 if command else 20)
        return {name + value for name, value in found}

    def test_page_is_clean(self):
        """No warning of groff, nor of mandoc, where they are installed."""
        ran = 0
        for command in (["groff", "-ww", "-mandoc", "-Tutf8", "-z"], ["mandoc", "-Tlint", "-Wwarning"]):
            if shutil.which(command[0]):
                run = subprocess.run([*command, PAGE], capture_output=True, text=True)
                self.assertEqual(run.stdout + run.stderr, "")
                ran += 1
        if not ran:
            self.skipTest("neither groff nor mandoc is installed")

    def test_page_knows_all_options(self):
        with open(PAGE) as f:
            page = f.read()
        documented = set(re.findall(r"^\.It .*Fl -([a-z0-9-]+)", page, re.M))
        self.assertEqual(documented, {name.rstrip("=") for name in self.options()})

    def complete(self, *words):
        script = (
            'source "$1"; shift; COMP_WORDS=(lpips "$@"); COMP_CWORD=$#; _lpips;'
            ' printf "%s\\n" "${COMPREPLY[@]}"'
        )
        command = ["bash", "-c", script, "bash", COMPLETION, *words]
        run = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return set(run.stdout.split("\n")) - {""}

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
