#!/usr/bin/env python3
"""A list of made-up clips for the tests of clusters.   usage: cluster_clips.py FOLDER"""

import csv
import os
import sys

from report_clips import planes, y4m_bytes

SIZE = (128, 96)
folder = sys.argv[1]


def write(name, noise):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(y4m_bytes([planes(t, noise, SIZE) for t in range(8)] * 3, SIZE))
    return name


rows = [("method", "clip", "reference", "output")]
write("ref.y4m", 0)
for m in range(3):
    out = write(f"m{m}.y4m", 2 + 3 * m)
    rows += [(f"m{m}", f"clip {c}", "ref.y4m", out) for c in range(20)]
rows.append(("m0", "gone", "ref.y4m", "gone.y4m"))
with open(os.path.join(folder, "list.csv"), "w", newline="", encoding="utf-8") as f:
    csv.writer(f).writerows(rows)
