#!/usr/bin/env python3
"""Write the patch that adds the lpips filter to a clean FFmpeg tree.

usage: make-patch.py TREE PATCH

The filter, its documentation and its tests lie beside this script; what FFmpeg's own
files need is said here once, by landmarks that every release from 5.1 on has.  TREE is
only read.  Standard library only.
"""
import difflib
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent

NEW_FILES = {
    "libavfilter/vf_lpips.c": "vf_lpips.c",
    "tests/ref/fate/filter-refcmp-lpips-rgb": "fate/filter-refcmp-lpips-rgb",
    "tests/ref/fate/filter-refcmp-lpips-yuv": "fate/filter-refcmp-lpips-yuv",
}

MESSAGE = """\
Subject: [PATCH] avfilter: add lpips filter

It measures the perceptual distance LPIPS between two videos with liblpips.
Made by `make patches` of liblpips for FFmpeg {version}; do not edit.
"""


def before(text, pattern, addition):
    """text with addition in front of the first line that matches pattern."""
    found = re.search(pattern, text, re.M)
    if not found:
        raise SystemExit(f"make-patch: no line like {pattern!r}; is this a clean FFmpeg tree?")
    return text[: found.start()] + addition + text[found.start() :]


def configure(text, _):
    text = before(text, r"^  --enable-libmodplug ",
                  "  --enable-liblpips        enable LPIPS via liblpips [no]\n")
    text = before(text, r"^    libmodplug$", "    liblpips\n")
    text = before(text, r'^lv2_filter_deps=', 'lpips_filter_deps="liblpips"\n')
    return before(text, r"^enabled libmodplug ",
                  'enabled liblpips          && require_pkg_config liblpips "liblpips >= 1.0" '
                  "lpips.h lpips_compare\n")


def makefile(text, _):
    return before(text, r"^OBJS-\$\(CONFIG_LUT1D_FILTER\)",
                  "OBJS-$(CONFIG_LPIPS_FILTER)                  += vf_lpips.o framesync.o\n")


def allfilters(text, _):
    kind = re.search(r"^extern const (\w+) ff_vf_lumakey;", text, re.M).group(1)
    return before(text, r"^extern const \w+ ff_vf_lumakey;",
                  f"extern const {kind} ff_vf_lpips;\n")


def version(text, _):
    def bumped(found):
        return found.group(1) + str(int(found.group(2)) + 1)

    text = re.sub(r"(LIBAVFILTER_VERSION_MINOR +)(\d+)", bumped, text)
    return re.sub(r"(LIBAVFILTER_VERSION_MICRO +)\d+", r"\g<1>100", text)


def changelog(text, release):
    """At the end of the release's own section: a point release puts others above it."""
    start = re.search(rf"^version {re.escape(release)}:\n", text, re.M)
    if not start:
        raise SystemExit(f"make-patch: Changelog has no section of version {release}")
    end = re.search(r"\n\n+version ", text[start.end() :])
    at = start.end() + end.start() + 1
    return text[:at] + "- lpips video filter\n" + text[at:]


def filters_texi(text, _):
    return before(text, r"^@section lut1d$", (HERE / "vf_lpips.texi").read_text() + "\n")


def fate(text, _):
    return before(text, r"^FATE_FILTER_REFCMP_METADATA-\$\(call ALLYES, PSNR_FILTER SCALE_FILTER\)",
                  (HERE / "fate/fate-lpips.mak").read_text() + "\n")


CHANGES = {
    "Changelog": changelog,
    "configure": configure,
    "doc/filters.texi": filters_texi,
    "libavfilter/Makefile": makefile,
    "libavfilter/allfilters.c": allfilters,
    "libavfilter/version.h": version,
    "tests/fate/filter-video.mak": fate,
}


def diff(name, old, new):
    is_new = old is None
    head = f"diff --git a/{name} b/{name}\n" + ("new file mode 100644\n" if is_new else "")
    lines = difflib.unified_diff((old or "").splitlines(True), new.splitlines(True),
                                 "/dev/null" if is_new else f"a/{name}", f"b/{name}")
    return head + "".join(lines)


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    tree, patch = map(pathlib.Path, sys.argv[1:])
    if (tree / "libavfilter/vf_lpips.c").exists():
        raise SystemExit(f"make-patch: {tree} already has the filter")
    point_release = (tree / "RELEASE").read_text().strip()
    release = ".".join(point_release.split(".")[:2])
    parts = [MESSAGE.format(version=release), "---\n"]
    texts = {name: (None, (HERE / source).read_text()) for name, source in NEW_FILES.items()}
    for name, change in CHANGES.items():
        old = (tree / name).read_text()
        texts[name] = (old, change(old, release))
    for name in sorted(texts):
        parts.append(diff(name, *texts[name]))
    patch.write_text("".join(parts))


if __name__ == "__main__":
    main()
