"""What a weights file holds: names and shapes per net, writing, reading and hashing.

Used by convert.py and by the tests.  Standard library only.  A tensor is a pair
(shape, data): a tuple of lengths and the values as little-endian float32 bytes.
"""

import hashlib
import json
import struct

# (layer in the official state_dict, outputs, inputs, kernel side), in the order of
# core/net.c.  The number after the slice is the layer's in torchvision's `features`.
ALEX = [
    ("net.slice1.0", 64, 3, 11),
    ("net.slice2.3", 192, 64, 5),
    ("net.slice3.6", 384, 192, 3),
    ("net.slice4.8", 256, 384, 3),
    ("net.slice5.10", 256, 256, 3),
]

VGG = [
    ("net.slice1.0", 64, 3, 3),
    ("net.slice1.2", 64, 64, 3),
    ("net.slice2.5", 128, 64, 3),
    ("net.slice2.7", 128, 128, 3),
    ("net.slice3.10", 256, 128, 3),
    ("net.slice3.12", 256, 256, 3),
    ("net.slice3.14", 256, 256, 3),
    ("net.slice4.17", 512, 256, 3),
    ("net.slice4.19", 512, 512, 3),
    ("net.slice4.21", 512, 512, 3),
    ("net.slice5.24", 512, 512, 3),
    ("net.slice5.26", 512, 512, 3),
    ("net.slice5.28", 512, 512, 3),
]


def _fire(layer, inputs, squeezed, outputs):
    return [
        (layer + ".squeeze", squeezed, inputs, 1),
        (layer + ".expand1x1", outputs // 2, squeezed, 1),
        (layer + ".expand3x3", outputs // 2, squeezed, 3),
    ]


SQUEEZE = [("net.slice1.0", 64, 3, 3)]
for _args in [
    ("net.slice2.3", 64, 16, 128),
    ("net.slice2.4", 128, 16, 128),
    ("net.slice3.6", 128, 32, 256),
    ("net.slice3.7", 256, 32, 256),
    ("net.slice4.9", 256, 48, 384),
    ("net.slice5.10", 384, 48, 384),
    ("net.slice6.11", 384, 64, 512),
    ("net.slice7.12", 512, 64, 512),
]:
    SQUEEZE += _fire(*_args)

CONVS = {"alex": ALEX, "vgg": VGG, "squeeze": SQUEEZE}
TAPS = {
    "alex": [64, 192, 384, 256, 256],
    "vgg": [64, 128, 256, 512, 512],
    "squeeze": [64, 128, 256, 384, 384, 512, 512],
}
VERSIONS = ("0.1", "0.0")
MAX_HEADER = 1 << 20

# The scaling layer that the official package's state_dict holds for both versions, and
# the one that takes effect in 0.0, which does not apply it.
SCALING = {
    "scaling_layer.shift": ((1, 3, 1, 1), struct.pack("<3f", -0.030, -0.088, -0.188)),
    "scaling_layer.scale": ((1, 3, 1, 1), struct.pack("<3f", 0.458, 0.448, 0.450)),
}

IDENTITY = {
    "scaling_layer.shift": ((1, 3, 1, 1), struct.pack("<3f", 0, 0, 0)),
    "scaling_layer.scale": ((1, 3, 1, 1), struct.pack("<3f", 1, 1, 1)),
}


def net_tensors(net):
    """[(name, shape)] in canonical order, that of lpips_net_tensors() in core/net.c."""
    out = [("scaling_layer.shift", (1, 3, 1, 1)), ("scaling_layer.scale", (1, 3, 1, 1))]
    for layer, outputs, inputs, kernel in CONVS[net]:
        out.append((layer + ".weight", (outputs, inputs, kernel, kernel)))
        out.append((layer + ".bias", (outputs,)))
    for i, channels in enumerate(TAPS[net]):
        out.append(("lin%d.model.1.weight" % i, (1, channels, 1, 1)))
    return out


def count(shape):
    n = 1
    for length in shape:
        n *= length
    return n


def write_safetensors(tensors, metadata):
    """The bytes of a file holding `tensors` (a dict) in its own order.

    Blanks behind the header bring the data to a multiple of 64 bytes.
    """
    header = {"__metadata__": metadata}
    offset = 0
    for name, (shape, data) in tensors.items():
        if len(data) != 4 * count(shape):
            raise ValueError("%s: %d bytes for shape %s" % (name, len(data), list(shape)))
        header[name] = {
            "dtype": "F32",
            "shape": list(shape),
            "data_offsets": [offset, offset + len(data)],
        }
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-(8 + len(text)) % 64)
    parts = [struct.pack("<Q", len(text)), text]
    parts += [data for _, data in tensors.values()]
    return b"".join(parts)


def file_order(net):
    """Canonical order with the scaling layer last: 24 bytes that would otherwise put
    every tensor behind them off its 64-byte line."""
    names = [name for name, _ in net_tensors(net)]
    return names[2:] + names[:2]


def read_safetensors(data):
    """(tensors, metadata) of an F32 file, or ValueError.

    Enough for converting; what decides about a file in use is safetensors.c."""
    try:
        (length,) = struct.unpack_from("<Q", data, 0)
        if length > min(len(data) - 8, MAX_HEADER):
            raise ValueError("not a safetensors file")
        header = json.loads(data[8 : 8 + length])
        metadata = header.pop("__metadata__", {})
        return {k: _tensor(k, v, data, 8 + length) for k, v in header.items()}, metadata
    except (struct.error, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("not a safetensors file, or damaged") from None


def _tensor(name, entry, data, start):
    begin, end = entry["data_offsets"]
    shape = tuple(entry["shape"])
    if entry["dtype"] != "F32":
        raise ValueError("%s: dtype %s; save tensor.float()" % (name, entry["dtype"]))
    if any(type(n) is not int or n < 1 for n in shape + (begin + 1,)):
        raise ValueError("%s: shape or place is damaged" % name)
    if end - begin != 4 * count(shape) or start + end > len(data):
        raise ValueError("%s: its values are not in the file" % name)
    return shape, data[start + begin : start + end]


def canonical_hash(net, version, tensors):
    """SHA-256 that names the weights whatever file they lie in; README.md defines it."""
    if version == "0.0":
        tensors = {**tensors, **IDENTITY}
    h = hashlib.sha256()
    h.update(net.encode("ascii") + b"\0" + version.encode("ascii") + b"\0")
    for name, shape in net_tensors(net):
        held, data = tensors[name]
        if held != shape:
            raise ValueError("%s: shape %s, expected %s" % (name, list(held), list(shape)))
        h.update(name.encode("ascii") + b"\0")
        h.update(struct.pack("<%dI" % (1 + len(shape)), len(shape), *shape))
        h.update(data)
    return h.hexdigest()
