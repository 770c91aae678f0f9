#!/usr/bin/env python3
"""Puts the page of a report together: one HTML file without its data.

usage: assemble.py FOLDER CHART_JS > shell.html

Styles and scripts go inline, and the Content-Security-Policy names each by its hash.  What
report/page.c replaces by the data is @DATA@.
"""

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


def main():
    folder, chart = sys.argv[1:]
    style = read(folder, "style.css")
    # A map of the sources would be a request to somewhere else.
    library = "\n".join(
        line for line in read(chart).splitlines() if not line.startswith("//# sourceMappingURL")
    )
    scripts = [
        "/*\n" + read(folder, "chart.js-licence.txt") + "*/\n" + library + "\n",
        "(function () {\n'use strict';\n"
        + "".join(read(folder, name) for name in ("tables.js", "charts.js", "page.js"))
        + "}());\n",
    ]
    for text in scripts + [style]:
        if "</script" in text.lower() or "</style" in text.lower() or "<!--" in text:
            sys.exit("assemble: a script or style would end its element early")
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {source(style)}; script-src {' '.join(map(source, scripts))}"
    )
    page = read(folder, "page.html")
    page = page.replace("@POLICY@", policy).replace("@STYLE@", "<style>" + style + "</style>")
    page = page.replace("@SCRIPTS@", "".join(f"<script>{text}</script>\n" for text in scripts))
    if page.count("@DATA@") != 1:
        sys.exit("assemble: @DATA@ must stand once")
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.write(page)


main()
