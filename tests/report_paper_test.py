#!/usr/bin/env python3
"""What people make of a report: tables set by a real LaTeX, and how far intervals are trusted."""

import math
import os
import re
import shutil
import subprocess
import unittest

import report_store
import report_test

FEW = "fewer than 5 clips"


def has_latex():
    try:
        found = subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return found.returncode == 0 and shutil.which("pdflatex")


@unittest.skipUnless(has_latex(), "pdflatex with booktabs is not installed (sh tools/deps.sh latex)")
class Latex(report_test.Case):
    """What is beyond T1 and UTF-8 a paper needs other fonts for: those characters are replaced."""

    def typeset(self):
        with open(os.path.join(self.out, "paper.tex"), "w", encoding="utf-8") as f:
            f.write(
                "\\documentclass{article}\n\\usepackage[T1]{fontenc}\\usepackage[utf8]{inputenc}\n"
                "\\usepackage{booktabs}\n\\begin{document}\n"
                + re.sub("[\u0250-\U0010ffff]", "?", self.text("tables.tex").replace("–", "--"))
                + "\n\\end{document}\n"
            )
        run = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
            cwd=self.out, capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        log = run.stdout.decode(errors="replace")
        self.assertEqual(run.returncode, 0, log[-2000:])
        self.assertNotRegex(log, r"(?m)^!|Missing character|undefined")
        self.assertIn("Output written", log)

    def test_methods(self):
        report_store.interpolation(self.store, clips=6, n=4)
        self.report()
        self.typeset()

    def test_codecs(self):
        report_store.codec(self.store)
        self.report()
        self.typeset()

    def test_hostile(self):
        report_test.Hostile.make(self)
        self.assertIn("\\textbackslash{}input", self.text("tables.tex"))
        self.typeset()


class FewClips(report_test.Case):
    """A note, where there are intervals that rest on fewer than five."""

    def said(self, clips):
        values = [math.exp(math.sin(7 * i)) / 10 for i in range(clips)]
        if os.path.exists(self.store):
            os.remove(self.store)
        self.three({m: [{"lpips_alex": [f * v]} for v in values] for m, f in (("a", 1), ("b", 1.1))}, report_test.ONE)
        self.report(f"out{clips}")
        places = self.text("tables.md"), self.text("tables.tex"), self.page()["statistics"]["few_clips"] or ""
        found = {FEW in text for text in places}
        self.assertEqual(len(found), 1, places)
        self.assertEqual(FEW in (self.json()["statistics"]["few_clips"] or ""), True in found)
        return True in found

    def test_note(self):
        # One clip has no interval at all.
        self.assertEqual([self.said(n) for n in range(1, 7)], [False, True, True, True, False, False])

    def test_comment(self):
        """The note's line in LaTeX is a comment."""
        self.said(3)
        (line,) = (l for l in self.text("tables.tex").split("\n") if FEW in l)
        self.assertTrue(line.startswith("% "))


if __name__ == "__main__":
    unittest.main()
