#!/usr/bin/env python3
"""Write the patch that adds the lpips filter to a clean FFmpeg tree.

usage: make-patch.py TREE PATCH
       make-patch.py --between OLDER NEWER VERSION PATCH

The filter (every .c and .h file beside this script), its documentation and its tests are
new files; what FFmpeg's own files need is said here once, by landmarks that every release
from 5.1 on has.  TREE is only read.  Standard library only.

--between is for a release whose tree cannot be had: it takes the places that the trees of
an older and a newer release have in common.  Its context is cut down to the lines that
surround a place in both of them, so that they can be expected in what lies between; line
numbers are estimates, which patch corrects.
"""
import difflib
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent

# vf_lpips.c, which registers the filter, then its other parts by name.
SOURCES = sorted(HERE.glob("*.c"), key=lambda file: (file.name != "vf_lpips.c", file.name))
HEADERS = sorted(HERE.glob("*.h"))
NEW_FILES = {f"libavfilter/{file.name}": file for file in SOURCES + HEADERS}
NEW_FILES.update((f"tests/ref/fate/{file.name}", file)
                 for file in sorted(HERE.glob("fate/filter-*")))

MESSAGE = """\
Subject: [PATCH] avfilter: add lpips filter

It measures the perceptual distance LPIPS between two videos with liblpips.
For FFmpeg {version}.  Made by `make patches` of liblpips from {origin}; do not edit.
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
    text = before(text, r"^lv2_filter_deps=", 'lpips_filter_deps="liblpips swscale"\n')
    text = before(text, r"^enabled libmodplug ",
                  'enabled liblpips          && require_pkg_config liblpips "liblpips >= 1.2" '
                  "lpips.h lpips_compare\n")
    return before(text, r"^enabled mcdeint_filter ",
                  'enabled lpips_filter        && prepend avfilter_deps "swscale"\n')


def makefile_line(variable, words):
    """An assignment as libavfilter/Makefile lays it out, going on below after 100 columns."""
    lines = [f"{variable:<44} +="]
    for word in words:
        if len(lines[-1]) + len(word) > 98:
            lines[-1] += " \\"
            lines.append(" " * 47)
        lines[-1] += " " + word
    return "\n".join(lines) + "\n"


def makefile(text, _):
    objects = [file.with_suffix(".o").name for file in SOURCES] + ["framesync.o"]
    text = before(text, r"^OBJS-\$\(CONFIG_LUT1D_FILTER\)",
                  makefile_line("OBJS-$(CONFIG_LPIPS_FILTER)", objects))
    # `make checkheaders` compiles each header by itself, also where there is no lpips.h.
    if HEADERS:
        text = before(text, r"^SKIPHEADERS-\$\(CONFIG_LIBVIDSTAB\)",
                      makefile_line("SKIPHEADERS-$(CONFIG_LIBLPIPS)",
                                    [file.name for file in HEADERS]))
    return text


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


def file_head(name, is_new):
    return (f"diff --git a/{name} b/{name}\n" + ("new file mode 100644\n" if is_new else "")
            + f"--- {'/dev/null' if is_new else 'a/' + name}\n+++ b/{name}\n")


def diff(name, old, new):
    """A file's part of the patch: what a unified diff has below its two first lines."""
    lines = difflib.unified_diff((old or "").splitlines(True), new.splitlines(True))
    return file_head(name, old is None) + "".join(list(lines)[2:])


def insertions(old, new):
    """[(number of lines before, added lines)], for a change that only adds."""
    old, new = old.splitlines(True), new.splitlines(True)
    codes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(i1, new[j1:j2]) for kind, i1, _, j1, j2 in codes if kind != "equal"]


def common_length(a, b, most=3):
    n = 0
    while n < most and n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    return n


def context_between(a, i, b, j):
    """The lines before and after line i of a that are also those around line j of b, as
    many on either side: patch takes fewer on one side for an end of the file."""
    n = min(common_length(a[:i][::-1], b[:j][::-1]), common_length(a[i:], b[j:]))
    context = b[j - n : j + n]
    found = [sum(lines[k : k + 2 * n] == context for k in range(len(lines))) for lines in (a, b)]
    return (context[:n], context[n:]) if n and found == [1, 1] else None


def hunk_between(name, a, i, b, j, added, shift):
    """One insertion at line i of a and line j of b.  A single line of a list may move by a
    few: the order is for the reader."""
    for move in (0, 1, -1, 2, -2, 3, -3) if len(added) == 1 else (0,):
        context = context_between(a, i + move, b, j + move)
        if context:
            break
    else:
        raise SystemExit(f"make-patch: {name} has no lines of its own around {added[0]!r}")
    before, after = context
    start = (i + j) // 2 + move - len(before) + 1
    return "".join([f"@@ -{start},{2 * len(before)} "
                    f"+{start + shift},{2 * len(before) + len(added)} @@\n",
                    *(" " + line for line in before), *("+" + line for line in added),
                    *(" " + line for line in after)])


def diff_between(name, older, newer, change, release):
    parts, shift = [file_head(name, False)], 0
    both = list(zip(insertions(older, change(older, release)),
                    insertions(newer, change(newer, release))))
    for (i, added), (j, also_added) in both:
        if added != also_added:
            raise SystemExit(f"make-patch: {name} needs different lines in the two releases")
        parts.append(hunk_between(name, older.splitlines(True), i, newer.splitlines(True), j,
                                  added, shift))
        shift += len(added)
    return "".join(parts)


# lavfi's number in releases that are made from their neighbours.
MINOR = {"6.1": 12}


def exact_between(name, newer, release):
    """(old, new) of the two files whose state in the release the newer tree shows."""
    if name == "libavfilter/version.h":
        old = re.sub(r"(VERSION_MINOR ) +\d+", rf"\g<1>{MINOR[release]:3}", newer)
        old = re.sub(r"(VERSION_MICRO +)\d+", r"\g<1>100", old)
    else:
        # Of a release's own section on, below the entries of later ones.
        head = newer[: newer.index("version ")]
        old = head + newer[newer.index(f"version {release}:\n") :]
    return old, CHANGES[name](old, release)


def new_parts():
    return {name: diff(name, None, source.read_text()) for name, source in NEW_FILES.items()}


def point_release(tree):
    return (tree / "RELEASE").read_text().strip()


def write(patch, release, origin, parts):
    patch.write_text(MESSAGE.format(version=release, origin=origin) + "---\n"
                     + "".join(parts[name] for name in sorted(parts)))


def clean(tree):
    if (tree / "libavfilter/vf_lpips.c").exists():
        raise SystemExit(f"make-patch: {tree} already has the filter")
    return tree


def main():
    args = sys.argv[1:]
    parts = new_parts()
    if len(args) == 5 and args[0] == "--between":
        older, newer = (clean(pathlib.Path(tree)) for tree in args[1:3])
        release, patch = args[3], pathlib.Path(args[4])
        origin = (f"what {point_release(older)} and {point_release(newer)} have in common, and "
                  "never applied to the release itself")
        for name, change in CHANGES.items():
            text = (newer / name).read_text()
            if name in ("Changelog", "libavfilter/version.h"):
                parts[name] = diff(name, *exact_between(name, text, release))
            else:
                parts[name] = diff_between(name, (older / name).read_text(), text, change,
                                           release)
    elif len(args) == 2:
        tree, patch = clean(pathlib.Path(args[0])), pathlib.Path(args[1])
        origin = point_release(tree)
        release = ".".join(origin.split(".")[:2])
        for name, change in CHANGES.items():
            text = (tree / name).read_text()
            parts[name] = diff(name, text, change(text, release))
    else:
        raise SystemExit(__doc__)
    write(patch, release, origin, parts)


if __name__ == "__main__":
    main()
