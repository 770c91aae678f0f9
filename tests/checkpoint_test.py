#!/usr/bin/env python3
"""Tests of weights/checkpoint.py: what it reads, and that a file cannot make it do
anything else."""

import io
import os
import pickle
import struct
import sys
import tempfile
import unittest
import zipfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from torch_files import Storage, Tensor, as_torch, numpy_pickle, small  # noqa: E402
from torch_files import torch_legacy, torch_zip  # noqa: E402
import checkpoint  # noqa: E402

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


if __name__ == "__main__":
    unittest.main()
