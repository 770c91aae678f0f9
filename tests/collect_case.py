"""What the tests of `lpips-learn collect` share: running it, and trials by formula."""

import hashlib
import json
import os
import re
import struct

import program
from collect_raters import Study
from trials import Trials, npy


class Case(Trials):
    def collect(self, *arguments, code=0):
        return self.learn("collect", *arguments, code=code)

    def trials(self, n, kind="2afc", folder="trials", subsets=("cnn", "mix"), size=16):
        """Folders of n trials in all."""
        parts = ("ref", "p0", "p1") if kind == "2afc" else ("p0", "p1")
        for i in range(n):
            for k, part in enumerate(parts):
                name = f"{folder}/{subsets[i % len(subsets)]}/{part}/{i:06}.png"
                self.write(name, program.picture(size, size, i, strength=20 + 60 * k))
        return folder

    def study(self, n=20, *arguments, kind="2afc", out="study"):
        self.collect("make", self.trials(n, kind), "--out", out, *arguments)
        return Study(self.path(out))

    def hand_in(self, name, told):
        return self.write(name, json.dumps(told).encode())

    def judged(self, study, folder="trials"):
        """The fractions that import wrote, by trial."""
        found = {}
        for i in study.items:
            t = study.trials[i]
            part = "judge" if study.kind == "2afc" else "same"
            path = self.path(f"{folder}/{study.subsets[t['subset']]}/{part}/{t['name']}.npy")
            if os.path.exists(path):
                with open(path, "rb") as f:
                    data = f.read()
                found[i] = struct.unpack("<f", data[-4:])[0]
                self.assertEqual(data, npy(found[i]))
        return found

    def tree(self, folder):
        """Every file's content, by name."""
        found = {}
        for at, _, names in os.walk(self.path(folder)):
            for name in names:
                with open(os.path.join(at, os.fsencode(name)), "rb") as f:
                    found[os.path.join(at, os.fsencode(name))] = hashlib.sha256(f.read()).hexdigest()
        return found


def page_of(html):
    """The data of a page."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)[1])
