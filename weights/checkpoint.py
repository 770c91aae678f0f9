"""Reads checkpoints of PyTorch and pickled numpy arrays without either, safely.

A pickle is a program for a small machine that may call any importable function.  The
machine here knows only the instructions that make numbers, strings, lists, tuples and
dicts, and every function that a file asks for is looked up in a short table of
stand-ins.  Whatever else a file asks for ends the reading with ValueError.

load(data) -> {name: Array}, names of nested dicts joined by "/".
"""

import io
import pickle
import struct
import zipfile

MAX_FILE = 1 << 30
MAX_PICKLE = 16 << 20  # of a zip checkpoint, whose values lie in other members
MAX_VALUES = 1 << 28  # of one tensor

TORCH_MAGIC = 0x1950A86A20F9469CFC6C
TORCH_PROTOCOL = 1001


class Array:
    """Values of one tensor: dtype "f4", shape, little-endian bytes in C order."""

    def __init__(self):
        self.dtype = self.shape = self.data = None


class DType:
    """numpy.dtype; the byte order arrives by BUILD."""

    def __init__(self, name):
        self.name = name
        self.order = "?"


class Dict(dict):
    """collections.OrderedDict."""


class Storage:
    """A run of values that tensors view."""

    def __init__(self, dtype, count):
        self.dtype, self.count, self.data = dtype, count, None


class StorageType:
    def __init__(self, name, dtype):
        self.name, self.dtype = name, dtype


class View:
    """A tensor before its storage has been read."""

    def __init__(self, storage, offset, shape, stride):
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride


def _whole(value, what, most=MAX_VALUES):
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError("%s is not a number from 0 to %d" % (what, most))
    return value


def _lengths(value, what):
    if type(value) not in (tuple, list) or len(value) > 8:
        raise ValueError("%s is not a list of at most 8 numbers" % what)
    return tuple(_whole(v, what) for v in value)


def _key(value):
    """Hashing a tuple nested deeply enough overflows the C stack, so keys are plain."""
    if type(value) not in (str, int):
        raise ValueError("a dict key that is neither text nor number")
    return value


def _count(shape):
    n = 1
    for length in shape:
        n *= length
    return _whole(n, "the number of values of a tensor")


# ---- stand-ins ---------------------------------------------------------------


def _numpy_array(*ignored):
    return Array()


def _numpy_dtype(name, *ignored):
    return DType(name)


def _ordered_dict(pairs=()):
    if type(pairs) not in (list, tuple) or any(len(p) != 2 for p in pairs):
        raise ValueError("an OrderedDict of something other than pairs")
    return Dict((_key(key), value) for key, value in pairs)


def _tensor(storage, offset, shape, stride, *ignored):
    if not isinstance(storage, Storage):
        raise ValueError("a tensor without a storage")
    return View(
        storage,
        _whole(offset, "a storage offset"),
        _lengths(shape, "a tensor's shape"),
        _lengths(stride, "a tensor's stride"),
    )


def _parameter(tensor, *ignored):
    return tensor


class Name:
    """A global that is passed on but never called."""


_NDARRAY = Name()

NUMPY = {
    ("numpy.core.multiarray", "_reconstruct"): _numpy_array,
    ("numpy._core.multiarray", "_reconstruct"): _numpy_array,
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _numpy_dtype,
}

TORCH = {
    ("collections", "OrderedDict"): _ordered_dict,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}
for _name, _dtype in {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "BFloat16Storage": "bf2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "b1",
}.items():
    TORCH["torch", _name] = StorageType(_name, _dtype)

CALLABLE = (_numpy_array, _numpy_dtype, _ordered_dict, _tensor, _parameter)


# ---- the machine -------------------------------------------------------------

_INSTRUCTIONS = """
    PROTO FRAME STOP MARK POP POP_MARK DUP NONE NEWTRUE NEWFALSE
    BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT
    BINSTRING SHORT_BINSTRING BINUNICODE SHORT_BINUNICODE BINUNICODE8
    BINBYTES SHORT_BINBYTES BINBYTES8
    EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS
    EMPTY_DICT SETITEM SETITEMS
    BINPUT LONG_BINPUT BINGET LONG_BINGET MEMOIZE
    GLOBAL STACK_GLOBAL REDUCE BUILD BINPERSID
""".split()


def _instruction_set():
    out = {}
    for name in _INSTRUCTIONS:
        code = getattr(pickle, name)[0]
        out[code] = pickle._Unpickler.dispatch[code]
    return out


class Machine(pickle._Unpickler):
    """The interpreter written in Python, whose table of instructions can be cut down and
    whose memory grows with the file only (the one in C allocates what the file says)."""

    dispatch = _instruction_set()

    def __init__(self, file, known, storages):
        super().__init__(file, encoding="latin-1")
        self.known, self.storages = known, storages

    def find_class(self, module, name):
        try:
            return self.known[module, name]
        except KeyError:
            raise ValueError(
                "it asks for the Python object %s.%s, which is neither a tensor nor an "
                "array; save only a state_dict" % (module[:60], name[:60])
            ) from None

    def load_reduce(self):
        args = self.stack.pop()
        function = self.stack[-1]
        if function not in CALLABLE or type(args) is not tuple:
            raise ValueError("it calls something that is no function")
        try:
            self.stack[-1] = function(*args)
        except TypeError:
            raise ValueError("it builds a tensor from wrong arguments") from None

    def load_build(self):
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, Array):
            _set_array(target, state)
        elif isinstance(target, DType):
            if type(state) is tuple and len(state) > 1 and type(state[1]) is str:
                target.order = state[1]
        elif not isinstance(target, Dict):  # OrderedDict's attributes: PyTorch's _metadata
            raise ValueError("it sets attributes of something that has none")

    def _container(self, stack, kinds):
        if not stack or type(stack[-1]) not in kinds:
            raise ValueError("it adds to something that is neither list nor dict")
        return stack[-1]

    def load_append(self):
        value = self.stack.pop()
        self._container(self.stack, (list,)).append(value)

    def load_appends(self):
        values = self.pop_mark()
        self._container(self.stack, (list,)).extend(values)

    def load_setitem(self):
        value, key = self.stack.pop(), self.stack.pop()
        self._container(self.stack, (dict, Dict))[_key(key)] = value

    def load_setitems(self):
        values = self.pop_mark()
        target = self._container(self.stack, (dict, Dict))
        for i in range(0, len(values), 2):
            target[_key(values[i])] = values[i + 1]

    for _name in "reduce build append appends setitem setitems".split():
        dispatch[getattr(pickle, _name.upper())[0]] = locals()["load_" + _name]

    def persistent_load(self, pid):
        if type(pid) is not tuple or len(pid) < 5 or pid[0] != "storage":
            raise ValueError("it refers to something other than a storage")
        kind, key, count = pid[1], pid[2], pid[4]
        if not isinstance(kind, StorageType) or type(key) is not str:
            raise ValueError("a storage without type or key")
        if len(pid) > 5 and pid[5] is not None:
            raise ValueError("a storage that views another, as PyTorch before 0.4 wrote")
        count = _whole(count, "the length of a storage")
        held = self.storages.setdefault(key, Storage(kind.dtype, count))
        if (held.dtype, held.count) != (kind.dtype, count):
            raise ValueError("storage %s has two types or lengths" % key[:40])
        return held


def _set_array(array, state):
    if type(state) is not tuple or len(state) != 5:
        raise ValueError("an array in an unknown form")
    _, shape, dtype, fortran, data = state
    shape = _lengths(shape, "an array's shape")
    if not isinstance(dtype, DType) or dtype.name != "f4" or dtype.order != "<":
        raise ValueError("an array that is not little-endian float32")
    if fortran or type(data) is not bytes or len(data) != 4 * _count(shape):
        raise ValueError("an array of %s that is not in C order or not whole" % list(shape))
    array.dtype, array.shape, array.data = "f4", shape, data


def _run(file, known, storages):
    try:
        return Machine(file, known, storages).load()
    except KeyError as error:
        code = error.args[0] if error.args else None
        if type(code) is int and 0 <= code < 256:
            raise ValueError(
                "it uses pickle instruction %r, which no list of tensors needs" % chr(code)
            ) from None
        raise ValueError("its pickle is damaged") from None
    except ValueError:
        raise
    except (EOFError, pickle.UnpicklingError):
        raise ValueError("its pickle is cut short or damaged") from None
    except (AttributeError, IndexError, TypeError, OverflowError, struct.error, RecursionError):
        raise ValueError("its pickle is damaged") from None


# ---- tensors out of what the machine built -----------------------------------

_SIZES = {"f4": 4, "f8": 8, "f2": 2, "bf2": 2, "i8": 8, "i4": 4, "i2": 2, "i1": 1, "u1": 1, "b1": 1}


def _contiguous(view):
    expected = 1
    for length, stride in zip(reversed(view.shape), reversed(view.stride)):
        if length != 1 and stride != expected:
            return False
        expected *= length
    return len(view.shape) == len(view.stride)


def _array_of(name, view):
    storage = view.storage
    size = _SIZES[storage.dtype]
    count = _count(view.shape)
    if storage.data is None or len(storage.data) != size * storage.count:
        raise ValueError("%s: its values are not in the file" % name)
    if not _contiguous(view):
        raise ValueError("%s: not in C order; save tensor.contiguous()" % name)
    if view.offset + count > storage.count:
        raise ValueError("%s: reaches beyond its storage" % name)
    array = Array()
    array.dtype, array.shape = storage.dtype, view.shape
    array.data = memoryview(storage.data)[size * view.offset : size * (view.offset + count)]
    return array


def _flatten(tree):
    """{name: Array} of nested dicts.  Each dict is entered once, whatever refers to it."""
    out, seen, todo = {}, set(), [("", tree)]
    if not isinstance(tree, dict):
        raise ValueError("it holds no dict of tensors; save a state_dict")
    while todo:
        prefix, node = todo.pop()
        if id(node) in seen:
            raise ValueError("one of its dicts occurs twice")
        seen.add(id(node))
        for key, value in node.items():
            name = prefix + key if type(key) is str else None
            if name is None or len(name) > 255:
                continue
            if isinstance(value, dict):
                todo.append((name + "/", value))
            elif isinstance(value, View):
                out[name] = _array_of(name, value)
            elif isinstance(value, Array):
                if value.data is None:
                    raise ValueError("%s: array without values" % name)
                out[name] = value
    if not out:
        raise ValueError("it holds no tensor")
    return out


# ---- containers --------------------------------------------------------------


def _load_zip(data):
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error):
        raise ValueError("its zip directory is damaged or cut short") from None
    pickles = [n for n in names if n.count("/") == 1 and n.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ValueError("a zip archive without one data.pkl: not saved by torch.save()")
    root = pickles[0][: -len("data.pkl")]

    def member(name, most):
        try:
            info = archive.getinfo(name)
            if info.file_size > min(most, len(data)) or info.compress_type != zipfile.ZIP_STORED:
                raise ValueError("member %s is larger than expected or compressed" % name[:80])
            return archive.read(info)
        except KeyError:
            raise ValueError("member %s is missing" % name[:80]) from None
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, struct.error):
            raise ValueError("member %s is damaged" % name[:80]) from None

    if root + "byteorder" in names and member(root + "byteorder", 16) != b"little":
        raise ValueError("it was saved on a big-endian machine")
    storages = {}
    tree = _run(io.BytesIO(member(root + "data.pkl", MAX_PICKLE)), TORCH, storages)
    if sum(_SIZES[s.dtype] * s.count for s in storages.values()) > len(data):
        raise ValueError("its storages are larger than the file")
    for key, storage in storages.items():
        storage.data = member(root + "data/" + key, _SIZES[storage.dtype] * storage.count)
    return _flatten(tree)


def _load_legacy(data):
    """torch.save() before 1.6: five pickles, then each storage's length and values."""
    file = io.BytesIO(data)
    storages = {}
    if _run(file, {}, {}) != TORCH_MAGIC or _run(file, {}, {}) != TORCH_PROTOCOL:
        raise ValueError("not a checkpoint of PyTorch's old format")
    system = _run(file, {}, {})
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ValueError("it was saved on a big-endian machine")
    tree = _run(file, TORCH, storages)
    keys = _run(file, {}, {})
    if type(keys) is not list:
        raise ValueError("its list of storages is damaged")
    for key in keys:
        storage = storages.get(key) if type(key) is str else None
        head = file.read(8)
        if storage is None or storage.data is not None or len(head) != 8:
            raise ValueError("its list of storages is damaged or cut short")
        if struct.unpack("<q", head)[0] != storage.count:
            raise ValueError("storage %s has two lengths" % key[:40])
        storage.data = file.read(_SIZES[storage.dtype] * storage.count)
    return _flatten(tree)


def load(data):
    """The arrays of a checkpoint's bytes; ValueError with a sentence if it is none."""
    if len(data) > MAX_FILE:
        raise ValueError("%d bytes, more than the %d accepted" % (len(data), MAX_FILE))
    if data[:4] == b"PK\3\4":
        return _load_zip(data)
    if data[:1] != b"\x80":
        raise ValueError("neither a PyTorch checkpoint nor a pickle")
    if data[2:14] == b"\x8a\n" + TORCH_MAGIC.to_bytes(10, "little"):
        return _load_legacy(data)
    return _flatten(_run(io.BytesIO(data), NUMPY, {}))
