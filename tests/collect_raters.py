#!/usr/bin/env python3
"""Raters made up for `lpips-learn collect`: answers without people, to try a study out.

usage: collect_raters.py STUDY OUT [--raters N] [--careless PART] [--seed N]

Writes a results file for each of the raters 1 to N (as many as the study wants) of the study
in the folder STUDY.  They prefer what differs less by the mean square of its pixels, the more
surely the larger the ratio; the careless among them choose at random.
"""

import argparse
import json
import math
import os
import random

import program


class Study:
    """study.json, as the experimenter has it."""

    def __init__(self, folder):
        with open(os.path.join(os.fsdecode(folder), "study.json"), encoding="utf-8") as f:
            told = json.load(f)
        self.folder, self.hash, self.kind = folder, told["study"], told["kind"]
        self.trials, self.blocks, self.raters = told["trials"], told["blocks"], told["raters"]
        self.subsets, self.wanted = told["subsets"], told["blocks"] * told["raters"]
        self.items = [i for i, t in enumerate(self.trials) if t["role"] == "item"]
        self.sentinels = [i for i, t in enumerate(self.trials) if t["role"] == "sentinel"]

    def asked(self, rater):
        block = (rater - 1) % self.blocks
        return [i for i in self.items if self.trials[i]["block"] == block] + self.sentinels

    def picture(self, trial, which):
        name = self.trials[trial]["pictures"][which] + ".png"
        with open(os.path.join(os.fsdecode(self.folder), "page", "p", name), "rb") as f:
            return program.unpng(f.read())[2]


def answer(study, trial, choice, draw, ms=None):
    """As the page records it."""
    one = {"trial": trial, "flip": draw.randrange(2), "choice": choice, "theme": "dark", "scale": 4,
           "ms": draw.randrange(500, 3000) if ms is None else ms, "at": "2026-11-29T12:00:00.000Z"}  # fmt: skip
    if study.kind == "jnd":
        one["shown"] = [draw.choice((983.4, 1000.0, 1016.7)), 250.0, 1000.1]
    return one


def results(study, rater, choose, draw, trials=None):
    """A results file; choose(trial, flip) is 0 or 1, or (0 or 1, ms)."""
    answers = []
    for trial in study.asked(rater) if trials is None else trials:
        one = answer(study, trial, 0, draw)
        chosen = choose(trial, one["flip"])
        one["choice"], one["ms"] = chosen if isinstance(chosen, tuple) else (chosen, one["ms"])
        answers.append(one)
    draw.shuffle(answers)
    return {"format": "lpips-collect results", "version": 1, "study": study.hash, "kind": study.kind,
            "rater": rater, "session": f"{draw.getrandbits(128):032x}", "started": "2026-11-29T12:00:00.000Z",
            "saved": "2026-11-29T12:30:00.000Z", "answers": answers}  # fmt: skip


def preferences(study):
    """How probable choice 1 is, by trial: from the squares of differences of pixels."""

    def distance(a, b):
        return sum((x - y) ** 2 for x, y in zip(a, b)) / len(a)

    found = {}
    for i in study.asked(1) if study.blocks == 1 else study.items + study.sentinels:
        if "right" in study.trials[i]:
            found[i] = 0.02 + 0.96 * study.trials[i]["right"]
        elif study.kind == "2afc":
            ref, p0, p1 = (study.picture(i, k) for k in range(3))
            d0, d1 = (distance(ref, p) + 1e-3 for p in (p0, p1))
            found[i] = d0 / (d0 + d1)
        else:
            found[i] = math.exp(-distance(study.picture(i, 0), study.picture(i, 1)) / 20)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("study")
    parser.add_argument("out")
    parser.add_argument("--raters", type=int)
    parser.add_argument("--careless", type=float, default=0)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    study, draw = Study(told.study), random.Random(told.seed)
    known = preferences(study)
    os.makedirs(told.out, exist_ok=True)
    for rater in range(1, (told.raters or study.wanted) + 1):
        careless = draw.random() < told.careless
        one = results(study, rater, lambda t, _: int(draw.random() < (0.5 if careless else known[t])), draw)
        with open(os.path.join(told.out, f"results-{rater}.json"), "w", encoding="utf-8") as f:
            json.dump(one, f)


if __name__ == "__main__":
    main()
