"""Checkpoints for tests, laid out as torch.save() and numpy write them, without either."""

import array
import io
import os
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "weights"))

import checkpoint  # noqa: E402
import tensors as st  # noqa: E402


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
