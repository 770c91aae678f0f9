"""What the tests of `lpips-learn collect` share: running it, and trials by formula."""

import hashlib
import json
import os
import re
import struct
import subprocess

import program
from collect_raters import Study

LEARN = os.path.abspath(os.environ.get("LPIPS_LEARN", os.path.join(program.BUILD, "bin", "lpips-learn")))


class Case(program.Case):
    def collect(self, *arguments, code=0):
        run = subprocess.run([LEARN, "collect", *arguments], cwd=self.folder, capture_output=True, timeout=program.TIMEOUT)
        run = program.Run(run.returncode, run.stdout, run.stderr)
        self.assertEqual(run.code, code, f"{arguments}\n{run.out}\n{run.err}")
        return run

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
                self.assertTrue(data.startswith(b"\x93NUMPY\x01\x00"))
                self.assertIn(b"'descr': '<f4', 'fortran_order': False, 'shape': (1,)", data)
                found[i] = struct.unpack("<f", data[-4:])[0]
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
