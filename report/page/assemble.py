#!/usr/bin/env python3
"""Puts a page together: one HTML file without its data.

usage: assemble.py [--library FILE LICENCE] [--policy TEXT] FOLDER SCRIPT... > shell.html

FOLDER holds page.html, style.css and the scripts, which become one.  Styles and scripts go
inline, and the Content-Security-Policy names each by its hash; TEXT joins it, and all else is
forbidden.  What is replaced by the data later is @DATA@.
"""

import argparse
import base64
import hashlib
import os
import sys


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read().strip() + "\n"


def source(text):
    digest = hashlib.sha256(text.encode()).digest()
    return "'sha256-" + base64.b64encode(digest).decode() + "'"


def library(path, licence):
    # A map of the sources would be a request to somewhere else.
    lines = [l for l in read(path).splitlines() if not l.startswith("//# sourceMappingURL")]
    return "/*\n" + read(licence) + "*/\n" + "\n".join(lines) + "\n\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", nargs=2)
    parser.add_argument("--policy", default="")
    parser.add_argument("folder")
    parser.add_argument("scripts", nargs="+")
    told = parser.parse_args()
    style = read(told.folder, "style.css")
    scripts = [library(*told.library)] if told.library else []
    own = "".join(read(told.folder, name) for name in told.scripts)
    scripts.append("(function () {\n'use strict';\n" + own + "}());\n")
    for text in scripts + [style]:
        if "</script" in text.lower() or "</style" in text.lower() or "<!--" in text:
            sys.exit("assemble: a script or style would end its element early")
    policy = (
        f"default-src 'none'; {told.policy}; base-uri 'none'; form-action 'none'; "
        f"style-src {source(style)}; script-src {' '.join(map(source, scripts))}"
    )
    page = read(told.folder, "page.html")
    page = page.replace("@POLICY@", policy).replace("@STYLE@", "<style>" + style + "</style>")
    page = page.replace("@SCRIPTS@", "".join(f"<script>{text}</script>\n" for text in scripts))
    if page.count("@DATA@") != 1:
        sys.exit("assemble: @DATA@ must stand once")
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.write(page)


main()
