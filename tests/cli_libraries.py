#!/usr/bin/env python3
"""lpips REFERENCE DISTORTED...: which of FFmpeg's libraries it loads, and when."""

import os
import unittest

from program import ZERO, Case, picture


class Libraries(Case):
    """FFmpeg's large libraries are loaded where something needs them."""

    def setUp(self):
        super().setUp()
        self.write("a.png", picture(seed=1))
        self.write("b.png", picture(seed=2))
        self.write("c.ppm", b"P6\n40 40\n255\n" + bytes(range(160)) * 30)

    def loaded(self, *arguments):
        """Names of the libraries that the C library looked for."""
        run = self.lpips(*arguments, env={**os.environ, "LD_DEBUG": "libs"})
        return {line.split("=")[1].split()[0] for line in run.err.splitlines() if "find lib" in line}

    def test_png_needs_none(self):
        large = ("libavformat.", "libavcodec.", "libavfilter.")
        with_none, with_some = self.loaded("a.png", "b.png"), self.loaded("c.ppm", "c.ppm")
        if not with_none:
            self.skipTest("this C library does not say what it loads")
        self.assertEqual([n for n in with_none if n.startswith(large)], [])
        self.assertEqual(sorted(n.split(".so")[0] for n in with_some if n.startswith(large)),
                         ["libavcodec", "libavformat"])

    def test_missing(self):
        """One that cannot be loaded is an error of the file that needed it."""
        (name,) = (n for n in self.loaded("c.ppm", "c.ppm") if n.startswith("libavformat."))
        self.write(f"lib/{name}", b"no library")
        env = {**os.environ, "LD_LIBRARY_PATH": self.path("lib").decode()}
        self.assertEqual(self.lpips("a.png", "a.png", env=env).scores, [ZERO])
        run = self.lpips("a.png", "c.ppm", code=2, env=env)
        self.assertIn("needs FFmpeg's libraries of the version", run.err)
        self.assertIn(name, run.err)


if __name__ == "__main__":
    unittest.main()
