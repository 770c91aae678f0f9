#!/usr/bin/env python3
"""Writes the corpus of fuzz_weights: small files that each lead somewhere else.

usage: make_corpus.py [FOLDER]      default: corpus, beside this file
"""

import json
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "weights"))

import tensors as st  # noqa: E402


def file_of(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(begin, end, shape=None, dtype="F32"):
    shape = [(end - begin) // 4] if shape is None else shape
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


ONE = b'{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'


def named(*names):
    """Tensors of one value by names as they stand in JSON."""
    places = (b"[%d,%d]" % (4 * i, 4 * i + 4) for i in range(len(names)))
    entries = (b'"%s":' % n + ONE.replace(b"[0,4]", p) for n, p in zip(names, places))
    return file_of(b"{" + b",".join(entries) + b"}", bytes(4 * len(names)))


def header_of(net, metadata=None):
    header = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name, shape in st.net_tensors(net):
        end = at + 4 * st.count(shape)
        header[name] = entry(at, end, list(shape))
        at = end
    return header


def tiny(net):
    """Every name of a net, each with one value: shapes are refused, not structure."""
    header = {"__metadata__": {"net": net, "version": "0.1"}}
    for i, (name, _) in enumerate(st.net_tensors(net)):
        header[name] = entry(4 * i, 4 * i + 4)
    return file_of(header, bytes(4 * (len(header) - 1)))


def corpus():
    yield "empty", b""
    yield "seven-bytes", b"\2\0\0\0\0\0\0"
    yield "no-tensors", file_of({})
    yield "length-0", file_of(b"", length=0)
    yield "length-huge", file_of({}, length=(1 << 64) - 1)
    yield "length-limit", file_of({}, length=1 << 20)
    yield "length-beyond", file_of({}, length=3)
    yield "zip", b"PK\3\4" + bytes(30)
    yield "pickle", b"\x80\2\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
    yield "page", b"<!DOCTYPE html><html><body>404</body></html>"
    yield "one", file_of({"a": entry(0, 4)}, bytes(4))
    yield "blanks", file_of(
        b'{ "a"\n:\t{"shape":[ 1 ],"dtype" :"F32","data_offsets":[0 , 4]} }  ', bytes(4)
    )
    yield "scalar", file_of({"a": entry(0, 4, [])}, bytes(4))
    yield "eight-dims", file_of({"a": entry(0, 4, [1] * 8)}, bytes(4))
    yield "nine-dims", file_of({"a": entry(0, 4, [1] * 9)}, bytes(4))
    yield "all-dtypes", all_dtypes()
    yield "overlap", file_of({"a": entry(0, 8), "b": entry(4, 12)}, bytes(12))
    yield "hole", file_of({"a": entry(0, 4), "b": entry(8, 12)}, bytes(12))
    yield "same-place", file_of({"a": entry(0, 4), "b": entry(0, 4)}, bytes(4))
    yield "backwards", file_of({"a": entry(4, 0, [1])}, bytes(4))
    yield "wraps", file_of({"a": entry(0, 0, [1 << 62, 8])})
    yield "offset-max", file_of({"a": entry((1 << 63) - 5, (1 << 63) - 1)}, bytes(4))
    yield "offset-over", file_of({"a": entry(0, 1 << 64, [1])}, bytes(4))
    yield "twice", named(b"a", b"\\u0061")
    yield "key-twice", file_of(ONE.replace(b"{", b'{"dtype":"F32",', 1).join((b'{"a":', b"}")))
    yield "escapes", named(b'\\ud83d\\ude00\\n\\"\\\\\\/\\b')
    yield "surrogate", file_of(b'{"\\ud83d\\u0041":{}}')
    yield "utf-8", named("\u00e9\u20ac\U0001f600".encode())
    yield "overlong", file_of(b'{"\xc0\x80\xe0\x80\xaf\xf4\x90\x80\x80":{}}')
    yield "nested", file_of(b'{"a":' * 300 + b"1" + b"}" * 300)
    yield "lists", file_of(b'{"a":{"shape":' + b"[" * 500)
    yield "metadata-twice", file_of(b'{"__metadata__":{"a":"1"},"__metadata__":{"a":"1"}}')
    yield "metadata-key-twice", file_of(b'{"__metadata__":{"a":"1","a":"2"}}')
    yield "metadata-number", file_of(b'{"__metadata__":{"a":1}}')
    yield "metadata-many", file_of({"__metadata__": {"k%d" % i: "" for i in range(65)}})
    yield "name-long", file_of({"n" * 256: entry(0, 4)}, bytes(4))
    yield "name-terminal", file_of({"\x1b]0;x\x07\x1b[2J": entry(0, 4, [2])}, bytes(4))
    many = {"t%d" % i: entry(4 * i, 4 * i + 4) for i in range(100)}
    yield "tensors-many", file_of(many, bytes(400))
    for net in st.CONVS:
        yield net + "-tiny", tiny(net)
        metadata = {"net": net, "version": "0.1"}
        yield net + "-header", file_of(header_of(net, metadata), bytes(48))
    for name, metadata in ("version", {"version": "0.2"}), ("contradiction", {"net": "vgg"}):
        lin = entry(0, 768, [1, 192, 1, 1])
        header = {"__metadata__": metadata, "lin1.model.1.weight": lin}
        yield name, file_of(header, bytes(768))


def all_dtypes():
    sizes = {"F64": 8, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1}
    sizes.update({"U16": 2, "U32": 4, "U64": 8, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1})
    header, at = {}, 0
    for name, size in sizes.items():
        header[name] = entry(at, at + size, [1], name)
        at += size
    return file_of(header, bytes(at))


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "corpus")
    os.makedirs(folder, exist_ok=True)
    for name, data in corpus():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)


if __name__ == "__main__":
    main()
