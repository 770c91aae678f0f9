"""`lpips-learn train`: the whole program on a few small trials.

Any run on the same trials with the same seed must leave the same bytes, whatever the threads
and whatever stopped it on the way.
"""

import json
import os
import signal
import struct
import subprocess
import time
import unittest

import program
from trials import LEARN, Trials

TRIALS = 8
FILES = ("weights.safetensors", "state.safetensors", "log.csv", "curves.svg")


class Train(Trials):
    def setUp(self):
        super().setUp()
        self.trials("data")

    def trials(self, folder, size=64, n=TRIALS):
        for i in range(n):
            seen = [
                program.picture(size, size, seed, strength=strength)
                for seed, strength in ((3 * i, 90), (3 * i + 1, 8), (3 * i, 8))
            ]
            people = (0, 0.2, 0.5, 1)[i % 4]
            self.trial_2afc(f"{folder}/2afc/train/mix", f"{i:06d}", people, *seen)

    def train(self, *arguments, code=0):
        """What it said."""
        return self.learn("train", *arguments, code=code).err

    def files(self, folder):
        return {name: self.read(f"{folder}/{name}") for name in FILES}

    def same(self, a, b):
        for name, data in self.files(a).items():
            self.assertTrue(data == self.files(b)[name], f"{name} of {a} and {b} differ")

    LIN = ("data", "--batch", "4", "--epochs", "1", "--decay", "2", "--rate", "0.01")
    SCRATCH = ("data", "--batch", "4", "--epochs", "1", "--decay", "1", "--mode", "scratch")

    # ---- what comes out ------------------------------------------------------------------

    def test_weights_are_read_at_once(self):
        said = self.train(*self.LIN, "--held-out", "data/2afc/train", "-o", "out")
        self.assertIn("at the start", said)
        self.assertIn("epoch 3 of 3", said)
        self.assertEqual(sorted(os.listdir(self.path("out"))), sorted(os.fsencode(f) for f in FILES))
        pair = [f"data/2afc/train/mix/{side}/000000.png" for side in ("ref", "p1")]
        mine = self.score(*pair, "--model", "out/weights.safetensors")
        self.assertNotEqual(mine, self.score(*pair))
        rows = self.csv("out/log.csv")
        self.assertEqual([row["epoch"] for row in rows], ["0", "1", "2", "3"])
        self.assertEqual([row["rate"] for row in rows], ["", "0.01", "0.01", "0.005"])
        self.assertIn(b"</svg>", self.read("out/curves.svg"))

    def test_the_loss_falls(self):
        self.train(*self.LIN[:3], "--epochs", "12", "--rate", "0.01", "--no-dropout", "-o", "out")
        losses = [float(row["loss"]) for row in self.csv("out/log.csv")[1:]]
        self.assertLess(losses[-1], losses[0] - 0.1)

    def test_lin_leaves_the_net_alone(self):
        self.train(*self.LIN, "-o", "out", "--quiet")
        before, after = self.tensors("out/weights.safetensors"), {}
        self.train("data", "--from", "out/weights.safetensors", "--epochs", "1", "-o", "more")
        after = self.tensors("more/weights.safetensors")
        for name, data in before.items():
            self.assertEqual(name.startswith("lin"), data != after[name], name)
            values = struct.unpack(f"<{len(after[name]) // 4}f", after[name])
            self.assertTrue(not name.startswith("lin") or min(values) >= 0, name)

    def tensors(self, name):
        data = self.read(name)
        (size,) = struct.unpack("<Q", data[:8])
        head = json.loads(data[8 : 8 + size])
        head.pop("__metadata__")
        return {
            key: data[8 + size :][slice(*value["data_offsets"])] for key, value in head.items()
        }

    def test_scratch_trains_every_tensor(self):
        self.train("data", "--epochs", "1", "--decay", "0", "--mode", "scratch", "-o", "one")
        self.train("data", "--epochs", "1", "--decay", "0", "--mode", "tune", "--keep-lin",
                   "--from", "one/weights.safetensors", "-o", "two")
        one, two = self.tensors("one/weights.safetensors"), self.tensors("two/weights.safetensors")
        for name, data in one.items():
            self.assertEqual(name.startswith("scaling"), data == two[name], name)

    # ---- the same bytes ------------------------------------------------------------------

    def test_threads_change_nothing(self):
        dropped = ("--no-dropout",)
        for name, how in (("lin", self.LIN), ("all", self.SCRATCH), ("no", self.LIN + dropped)):
            for threads in ("1", "2", "5"):
                self.train(*how, "-j", threads, "-o", name + threads, "--quiet")
                self.same(name + "1", name + threads)
        self.assertNotEqual(self.files("lin1"), self.files("no1"))

    def test_the_seed_changes_all(self):
        self.train(*self.LIN, "-o", "a", "--quiet")
        self.train(*self.LIN, "-o", "b", "--quiet", "--seed", "1")
        self.assertNotEqual(self.files("a")["weights.safetensors"], self.files("b")["weights.safetensors"])

    def stopped(self, how, number):
        """Begins, and sends a signal once there is a checkpoint."""
        run = subprocess.Popen(
            [LEARN, "train", *how, "-o", "stopped", "--every", "1"],
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        end = time.monotonic() + program.TIMEOUT
        while not os.path.exists(self.path("stopped/weights.safetensors")):
            self.assertLess(time.monotonic(), end)
            self.assertIsNone(run.poll(), "ended before its first checkpoint")
            time.sleep(0.01)
        run.send_signal(number)
        return run, run.communicate(timeout=program.TIMEOUT)[1]

    def test_interrupted_and_resumed(self):
        for how in (self.LIN[:4] + ("60",) + self.LIN[5:], self.SCRATCH + ("--epochs", "6")):
            self.train(*how, "-o", "whole")
            for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -9)):
                run, said = self.stopped(how, number)
                self.assertEqual(run.returncode, code, said)
                self.assertEqual("--resume" in said, number == signal.SIGINT)
                self.train(*how, "-o", "stopped", "--resume", "-j", "1")
                self.same("whole", "stopped")
                self.empty("stopped")
            self.empty("whole")

    def empty(self, folder):
        for name in os.listdir(self.path(folder)):
            os.remove(os.path.join(self.path(folder), name))

    # ---- refusals ------------------------------------------------------------------------

    def refused(self, *arguments, says):
        err = self.train(*arguments, code=2)
        for text in says:
            self.assertIn(text, err)

    def test_refusals(self):
        self.train(*self.LIN, "-o", "out", "--quiet")
        self.refused(*self.LIN, "-o", "out", says=["out holds a training", "--resume"])
        self.refused(*self.LIN, "-o", "out", "--resume", "--seed", "3", says=["its seed is \"0\""])
        self.refused(*self.LIN, "-o", "none", "--resume", says=["none/state.safetensors"])
        self.refused("out", "-o", "x", says=["out"])
        self.refused(*self.LIN, "-o", "x", "--size", "30", says=["alex needs 31"])
        self.refused(*self.LIN, "-o", "x", "--net", "vgg", "--from", "out/weights.safetensors",
                     says=["weights of alex", "--net alex"])
        self.refused(*self.LIN, says=["--out is missing"])
        state = self.read("out/state.safetensors")
        for damaged in (state[:-1], state[: len(state) // 2], b"", state.replace(b"curve.loss", b"curve.lass")):
            self.write("out/state.safetensors", damaged)
            self.refused(*self.LIN, "-o", "out", "--resume", says=["out/state.safetensors"])
        self.trials("other", n=3)
        self.write("out/state.safetensors", state)
        self.refused("other", *self.LIN[1:], "-o", "out", "--resume", says=["its data is"])
        self.write("other/2afc/train/mix/p1/000001.png", program.picture(64, 80))
        self.refused("other", "-o", "y", says=["000001.png is not square"])


if __name__ == "__main__":
    unittest.main()
