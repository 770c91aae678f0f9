#!/usr/bin/env python3
"""lpips-learn init: a file of weights out of a folder of pictures.

usage: LPIPS=build/bin/lpips LPIPS_LEARN=build/bin/lpips-learn tests/learn_init.py
"""

import os
import unittest

from program import pattern, png
from trials import Trials

SQUEEZE = ("--net", "squeeze", "--crops", "12", "--size", "96", "--memory", "40")


class Init(Trials):
    def folder_of_pictures(self, n=3, width=130, height=110):
        for i in range(n):
            self.write(f"pictures/{i}.png", png(pattern(width, height, i), width))

    def init(self, *arguments, code=0):
        return self.learn("init", *arguments, code=code)

    def test_weights(self):
        """What it writes is a file that lpips scores with, the same whatever the threads."""
        self.folder_of_pictures()
        self.write("pictures/notes.txt", b"no picture")
        self.write("pictures/small.png", png(pattern(16, 40), 16))
        said = self.init("pictures", "-o", "a", *SQUEEZE, "-t", "1").out
        self.init("pictures", "-o", "b", *SQUEEZE, "-t", "3", "-q")
        self.assertEqual(self.read("a"), self.read("b"))
        self.assertIn("12 crops of 3 pictures", said)
        self.assertIn("2 files were passed over", said)
        self.assertNotEqual(self.score("pictures/0.png", "pictures/1.png", "--model", "a"), "0")
        self.init("pictures", "-o", "c", *SQUEEZE, "--seed", "2", "-q")
        self.assertNotEqual(self.read("a"), self.read("c"))
        self.assertFalse([n for n in os.listdir(self.folder) if n not in ("a", "b", "c", "pictures")])

    def test_refusals(self):
        """Each says what is wrong; nothing is written."""
        self.folder_of_pictures(1, 40, 40)
        os.mkdir(self.path("empty"))
        for arguments, word in (
            (("nowhere", "-o", "x"), "nowhere: cannot be opened"),
            (("empty", "-o", "x"), "empty: no picture"),
            (("pictures", "-o", "x", "--crops", "1"), "too few"),
            (("pictures", "-o", "no/x"), "no/x: no file can be made there"),
        ):
            with self.subTest(arguments=arguments):
                self.assertIn(word, self.init(*arguments, "-q", code=2).err)
        for arguments in (("pictures",), ("-o", "x"), ("pictures", "-o", "x", "--net", "lenet")):
            self.init(*arguments, code=64)
        self.assertEqual(sorted(os.listdir(self.folder)), ["empty", "pictures"])


if __name__ == "__main__":
    unittest.main()
