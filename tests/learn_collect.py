#!/usr/bin/env python3
"""lpips-learn collect make and import: studies, and what becomes of answers.

The page is collect_page.py's, the server learn_collect_serve.py's.  usage: learn_collect.py [-v]
"""

import json
import math
import os
import random
import re
import sqlite3
import struct
import unittest

import program
from collect_case import Case, page_of
from collect_raters import Study, results

HOSTILE = "</script><script>alert(1)</script><!--&\u2028\"'"


# ---- make ------------------------------------------------------------------------------------


class Make(Case):
    def test_study(self):
        """Every item in one block, blocks of like size and mixture, all pictures there."""
        study = self.study(41, "--per-rater", "10", "--raters", "3", "--seed", "5")
        self.assertEqual((study.blocks, study.raters, len(study.items), len(study.sentinels)), (5, 3, 41, 12))
        sizes = [sum(study.trials[i]["block"] == b for i in study.items) for b in range(5)]
        self.assertEqual(sorted(sizes), [8, 8, 8, 8, 9])
        for subset in (0, 1):
            share = [sum(study.trials[i]["block"] == b and study.trials[i]["subset"] == subset for i in study.items) for b in range(5)]
            self.assertLessEqual(max(share) - min(share), 1)
        for i in study.items:
            t = study.trials[i]
            for k, part in enumerate(("ref", "p0", "p1")):
                whole = program.unpng(self.read(f"trials/{study.subsets[t['subset']]}/{part}/{t['name']}.png"))
                self.assertEqual(program.unpng(self.read(f"study/page/p/{t['pictures'][k]}.png")), whole)

    def test_sentinels(self):
        """Of 2AFC one side is the reference; of JND half are one picture twice."""
        study = self.study(6, "--sentinels", "8")
        for t in (t for t in study.trials if t["role"] != "item"):
            self.assertEqual(t["pictures"][1 + t["right"]], t["pictures"][0])
            self.assertNotEqual(t["pictures"][2 - t["right"]], t["pictures"][0])
        self.assertEqual(sum(study.trials[i]["right"] for i in study.sentinels), 4)
        self.collect("make", self.trials(6, "jnd", "pairs"), "--out", "jnd", "--sentinels", "8")
        study = Study(self.path("jnd"))
        for i in study.sentinels:
            one, other = study.trials[i]["pictures"]
            self.assertEqual(one == other, study.trials[i]["right"] == 1)
            a, b = study.picture(i, 0), study.picture(i, 1)
            self.assertGreater(sum(abs(x - y) for x, y in zip(a, b)) / len(a), -1 if one == other else 15)
        self.assertEqual(sum(study.trials[i]["right"] for i in study.sentinels), 4)

    def test_raters_of_the_paper(self):
        for folder, kind, wanted in (("2afc/train", "2afc", 2), ("2afc/val", "2afc", 5), ("jnd/val", "jnd", 3)):
            self.collect("make", self.trials(2, kind, folder), "--out", folder + "/study")
            self.assertEqual(Study(self.path(folder + "/study")).raters, wanted, folder)

    def test_page_tells_no_names(self):
        self.trials(4, subsets=("superresolution",))
        self.collect("make", "trials", "--out", "study", "--title", HOSTILE)
        html = self.read("study/page/index.html").decode()
        self.assertNotIn("superresolution", html)
        self.assertNotIn("sentinel\"", html)
        self.assertEqual(html.count("<script"), 2)
        self.assertNotIn("alert(1)</script>", html)
        data = page_of(html)
        self.assertEqual(data["title"], HOSTILE)
        self.assertEqual([p["trial"] for p in data["practice"]], [16, 17, 18, 19])
        self.assertEqual(data["sentinels"], list(range(4, 16)))
        self.assertEqual(sorted(os.listdir(self.path("study/page"))), [b"index.html", b"p"])

    def test_same_seed_same_bytes(self):
        self.trials(9)
        for out, seed in (("a", "7"), ("b", "7"), ("c", "8")):
            self.collect("make", "trials", "--out", out, "--seed", seed, "--per-rater", "4")
        a, b, c = ({k.split(b"/", 4)[-1]: v for k, v in self.tree(x).items()} for x in "abc")
        strip = lambda tree: {os.path.basename(k): v for k, v in tree.items()}
        self.assertEqual(strip(a), strip(b))
        self.assertNotEqual(strip(a)[b"study.json"], strip(c)[b"study.json"])

    def test_refusals(self):
        self.trials(4)
        self.trials(2, "jnd", "pairs")
        self.write("odd/p0/1.png", program.picture(16, 16))
        self.write("odd/p1/1.png", program.picture(16, 17))
        self.write("lone/p0/1.png", program.picture(16, 16))
        self.write("lone/p1/2.png", program.picture(16, 16))
        self.write("broken/p0/1.png", b"no picture")
        self.write("broken/p1/1.png", b"no picture")
        self.write("none/ref/1.png", b"")
        self.write("twice/trials/cnn/p0/1.png", b"")
        self.write("twice/trials/cnn/p1/1.png", b"")
        for arguments, words in (
            (["trials", "pairs"], "choose by --kind"),
            (["odd"], "a trial is of one size"),
            (["lone"], "do not hold the same names"),
            (["broken"], "broken/p0/1.png"),
            (["none"], "no trials are in it"),
            (["absent"], "absent: No such file"),
            (["trials", "twice/trials"], "are both called cnn"),
        ):
            with self.subTest(arguments):
                extra = ["--kind", "jnd"] if "twice/trials" in arguments else []
                if extra:
                    self.trials(2, "jnd", "trials2", ("cnn",))
                    arguments = ["trials2", "twice/trials"]
                run = self.collect("make", *arguments, *extra, "--out", "out", code=2)
                self.assertIn(words, run.err)
                self.assertFalse(os.path.exists(self.path("out/study.json")))
        self.collect("make", "trials", "pairs", "--kind", "jnd", "--out", "study")
        self.assertIn("holds a study already", self.collect("make", "trials", "--out", "study", code=2).err)
        self.assertIn("--out DIR is missing", self.collect("make", "trials", code=2).err)

    def test_changed_study(self):
        self.study(4)
        told = json.loads(self.read("study/study.json"))
        told["trials"][0]["name"] = "../../../escape"
        self.write("study/study.json", json.dumps(told).encode())
        self.assertIn("was changed", self.collect("status", "study", code=2).err)
        told["trials"][0]["name"] = "000002"
        self.write("study/study.json", json.dumps(told).encode())
        self.assertIn("was changed after it was made", self.collect("import", "study", code=2).err)


# ---- import ----------------------------------------------------------------------------------


def tail(k, n, p):
    """P(X <= k) of a binomial distribution."""
    return sum(math.exp(math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
               + i * math.log(p) + (n - i) * math.log1p(-p)) for i in range(k + 1))  # fmt: skip


class Thousand(Case):
    """Known preferences, 10 % careless."""

    def raters(self, study, draw):
        """(results, careless): people who prefer by `self.known` with a slip now and then and
        a habit to the left, and those who do not look."""
        for rater in range(1, 1001):
            careless, lean = rater % 10 == rater // 10 % 10, draw.random() < 0.2
            if not careless:
                def choose(trial, flip):
                    if lean and study.kind == "2afc" and draw.random() < 0.05:
                        return flip
                    right = study.trials[trial].get("right")
                    p = self.known[trial] if right is None else 0.01 + 0.98 * right
                    return int(draw.random() < p)
            else:
                choose = (lambda t, flip: draw.randrange(2), lambda t, flip: flip,
                          lambda t, flip: (study.trials[t].get("right", 1), draw.randrange(80, 260)))[rater // 10 % 3]  # fmt: skip
                if study.kind == "jnd" and rater // 10 % 3 == 1:
                    choose = lambda t, flip: 1
            # One closed the page half way: so not all items have equally many answers.
            trials = study.asked(rater)[::2] if rater == 998 else None
            yield results(study, rater, choose, draw, trials), careless

    def recovered(self, kind):
        draw = random.Random(kind)
        study = self.study(40, "--sentinels", "24", "--per-rater", "20", kind=kind)
        self.known = {i: draw.uniform(0.03, 0.97) for i in study.items}
        files, careless, said = [], set(), {}
        for told, bad in self.raters(study, draw):
            files.append(self.hand_in(f"in/{told['rater']}.json", told))
            said[told["rater"]] = told
            careless |= {told["rater"]} if bad else set()
        run = self.collect("import", "study", *files)
        left = {int(row[0]): row[5] for row in run.rows[1:1001] if row[5] != "-"}
        for row in run.rows[1:1001]:
            right, shown = map(int, row[3].split("/"))
            self.assertEqual(row[5] == "-", right >= 0.85 * shown and float(row[4]) >= 300, row)
        self.assertLessEqual(careless, set(left))
        self.assertLess(len(set(left) - careless), 10)
        reasons = set(re.sub(r"[0-9.]+", "N", why) for why in left.values())
        self.assertEqual(reasons, {"N of N sentinels right, N % wanted", "half of the answers came within N ms, less than N"})
        kept = [told for rater, told in said.items() if rater not in left]
        self.fractions(study, kept)
        self.ceiling(study, kept, run)
        return study, run, files, kept

    def fractions(self, study, kept):
        """Exactly those of the raters that count, and so near to what they prefer as chance
        allows: in 1 of 1000 studies it would not."""
        judged, outside = self.judged(study), 0
        self.assertEqual(set(judged), set(study.items))
        for i in study.items:
            votes = [a["choice"] for told in kept for a in told["answers"] if a["trial"] == i]
            n, k, p = len(votes), sum(votes), self.known[i]
            self.assertGreater(n, 440)
            self.assertEqual(judged[i], struct.unpack("f", struct.pack("f", k / n))[0])
            # A fifth of the raters lean to the left, 5 % of the time: both sides get it alike.
            p = p * 0.99 + 0.005 if study.kind == "2afc" else p
            least = min(tail(k, n, p), 1 - tail(k - 1, n, p) if k else 1)
            self.assertGreater(least, 0.0005 / len(study.items), (i, k / n, p))
            outside += least < 0.025
        # Expected are 2 of 40; 8 or more come in 1 of 1000 studies.
        self.assertLess(outside, 8)

    def ceiling(self, study, kept, run):
        """What was handed in summed up in another way."""
        said = "\n".join(run.comments)
        if study.kind == "2afc":
            per = []
            for subset in range(2):
                votes = {i: [] for i in study.items if study.trials[i]["subset"] == subset}
                for told in kept:
                    for a in told["answers"]:
                        if a["trial"] in votes:
                            votes[a["trial"]].append(a["choice"])
                p = [sum(v) / len(v) for v in votes.values()]
                per.append(sum(x * x + (1 - x) * (1 - x) for x in p) / len(p))
            self.assertIn(f"human ceiling, p^2 + (1 - p)^2, mean of the subsets: {50 * sum(per):.1f} %", said)
        votes = {i: [a["choice"] for told in kept for a in told["answers"] if a["trial"] == i] for i in study.items}
        # Krippendorff's alpha by his matrix of coincidences, pair by pair.
        o = [[0.0, 0.0], [0.0, 0.0]]
        for v in votes.values():
            n1, n = sum(v), len(v)
            n0 = n - n1
            o[0][0] += n0 * (n0 - 1) / (n - 1)
            o[1][1] += n1 * (n1 - 1) / (n - 1)
            o[0][1] += n0 * n1 / (n - 1)
            o[1][0] += n1 * n0 / (n - 1)
        total = sum(map(sum, o))
        n0, n1 = o[0][0] + o[0][1], o[1][0] + o[1][1]
        alpha = 1 - (o[0][1] + o[1][0]) / total / (2 * n0 * n1 / (total * (total - 1)))
        self.assertIn(f"Krippendorff's alpha {alpha:.3f} over 40 items", said)

    def test_2afc(self):
        study, first, files, _ = self.recovered("2afc")
        before = self.tree("trials")
        again = self.collect("import", "study", *files[:50], *files[:50])
        self.assertEqual(self.tree("trials"), before)
        self.assertIn("0 new", again.out)
        self.assertEqual(again.rows, first.rows)

    def test_jnd(self):
        self.recovered("jnd")


class Import(Case):
    def setUp(self):
        super().setUp()
        self.draw = random.Random(3)

    def honest(self, study, rater, value=1, **how):
        """Right in sentinels; of items `value`, or what it says of the trial."""
        def choose(trial, _):
            right = study.trials[trial].get("right")
            return right if right is not None else value(trial) if callable(value) else value
        return results(study, rater, choose, self.draw, **how)

    def test_kappas(self):
        """Of worked examples: two raters, then the same number each."""
        study = self.study(10, "--raters", "3")
        ones = [{0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 6}, {0, 1, 7}]
        files = [self.hand_in(f"{r}.json", self.honest(study, r + 1, lambda t: int(t in ones[r]))) for r in range(3)]
        run = self.collect("import", "study", *files[:2])
        # Alike in 4 + 3 of 10; by chance 0.6 * 0.5 + 0.4 * 0.5.
        self.assertIn(f"Cohen's kappa {(0.7 - 0.5) / 0.5:.3f} over 10 items; two raters of an item agree in 70.0 %", run.out)
        run = self.collect("import", "study", *files)
        n1 = [sum(t in o for o in ones) for t in range(10)]
        pairs = sum(1 if n in (0, 3) else 1 / 3 for n in n1) / 10
        p = sum(n1) / 30
        chance = p * p + (1 - p) ** 2
        self.assertIn(f"Fleiss' kappa {(pairs - chance) / (1 - chance):.3f} over 10 items", run.out)
        self.assertEqual(self.judged(study)[0], 1)
        self.assertAlmostEqual(self.judged(study)[2], 2 / 3, 6)

    def test_halves_add_up(self):
        """An unfinished file first, the finished one later; a rater number twice is two people."""
        study = self.study(6)
        whole = self.honest(study, 1)
        half = dict(whole, answers=whole["answers"][:9])
        self.collect("import", "study", self.hand_in("half.json", half))
        run = self.collect("import", "study", self.hand_in("whole.json", whole))
        self.assertIn("9 new, 9 known already" if len(whole["answers"]) == 18 else "?", run.out)
        run = self.collect("import", "study", self.hand_in("other.json", self.honest(study, 1, 0)))
        self.assertIn("# raters: 2 count, 0 left out", run.out)
        self.assertIn("# sessions whose number another has, too: 1", run.out)
        self.assertEqual(set(self.judged(study).values()), {0.5})

    def test_database(self):
        """What a server stored elsewhere counts like files, and counts once."""
        study = self.study(6)
        self.collect("make", "trials", "--out", "copy")
        told = self.honest(study, 2)
        self.collect("import", "copy", self.hand_in("a.json", told), "--into", "elsewhere")
        run = self.collect("import", "study", "copy/answers.sqlite", "a.json")
        self.assertIn("18 new, 18 known already, from 2 files", run.out)
        self.assertEqual(self.judged(study), self.judged(study, "elsewhere"))

    def test_jnd_shown_wrongly(self):
        study = self.study(4, kind="jnd")
        one, other = self.honest(study, 1), self.honest(study, 2, 0)
        bad = next(a for a in one["answers"] if a["trial"] == 0)
        bad["shown"] = [1000.0, 250.0, 1250.0]
        run = self.collect("import", "study", self.hand_in("1", one), self.hand_in("2", other))
        self.assertIn("# 1 answers left out: a picture was shown over 100 ms too long or short", run.out)
        self.assertEqual(self.judged(study), {0: 0.0, 1: 0.5, 2: 0.5, 3: 0.5})
        self.collect("import", "study", "--off", "300")
        self.assertEqual(self.judged(study)[0], 0.5)

    def test_left_out_later(self):
        """Judgements follow when a rater no longer counts."""
        study = self.study(4)
        told = self.honest(study, 1)
        for a in told["answers"]:
            a["ms"] = 400
        self.collect("import", "study", self.hand_in("1", told))
        self.assertEqual(len(self.judged(study)), 4)
        run = self.collect("import", "study", "--fastest", "500")
        self.assertIn("half of the answers came within 400 ms, less than 500", run.out)
        self.assertEqual(self.judged(study), {})

    def test_judgements_of_others(self):
        study = self.study(4)
        told = self.hand_in("1", self.honest(study, 1))
        self.write("trials/mix/judge/000001.npy", b"theirs")
        before = self.tree("trials")
        self.assertIn("--into another folder, or --force", self.collect("import", "study", told, code=2).err)
        self.assertEqual(self.tree("trials"), before)
        self.collect("import", "study", told, "--dry-run")
        self.assertEqual(self.tree("trials"), before)
        self.collect("import", "study", told, "--into", "mine/deep")
        self.assertEqual(self.tree("trials"), before)
        self.assertEqual(len(self.judged(study, "mine/deep")), 4)
        self.collect("import", "study", "--force")
        self.assertEqual(len(self.judged(study)), 4)

    def test_pictures_moved(self):
        study = self.study(4)
        told = self.hand_in("1", self.honest(study, 1))
        os.rename(self.path("trials"), self.path("elsewhere"))
        self.assertIn("no longer there: give --into", self.collect("import", "study", told, code=2).err)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "trials")))
        self.collect("import", "study", told, "--into", "elsewhere")
        self.assertEqual(len(self.judged(study, "elsewhere")), 4)

    def test_dry_run_keeps_nothing(self):
        study = self.study(4)
        run = self.collect("import", "study", "-n", self.hand_in("1", self.honest(study, 1)))
        self.assertIn("# raters: 1 count", run.out)
        self.assertEqual(len(self.collect("status", "study").rows), 1)


class Broken(Case):
    """Files that nobody should have sent: a sentence each, and nothing is kept, not even of the
    good file beside them."""

    def setUp(self):
        super().setUp()
        self.made = self.study(6, "--per-rater", "3")
        self.good = results(self.made, 1, lambda t, f: self.made.trials[t].get("right", 1), random.Random(1))

    def refused(self, name, words):
        before = self.tree("trials")
        run = self.collect("import", "study", "good.json", name, code=2)
        self.assertIn(words, run.err)
        self.assertNotIn("\x1b", run.err)
        self.assertEqual(len(run.err.splitlines()), 1, run.err)
        self.assertEqual(self.tree("trials"), before)
        self.assertEqual(len(self.collect("status", "study").rows), 1)

    def changed(self, **how):
        return dict(json.loads(json.dumps(self.good)), **how)

    def first(self, **how):
        told = self.changed()
        told["answers"][0].update(how)
        return told

    def test_files(self):
        self.hand_in("good.json", self.good)
        other = next(i for i in self.made.items if self.made.trials[i]["block"] == 1)
        practice = next(i for i, t in enumerate(self.made.trials) if t["role"] == "practice")
        cases = [
            ({}, "no results file of this page"), ([], "no results file"), (self.changed(version=2), "of version 2"),
            (self.changed(study="0" * 64), "answers another study"), (self.changed(study="\x1b[2J"), "another study"),
            (self.changed(rater=0), "its rater, session"), (self.changed(rater=2**32 + 1), "its rater, session"),
            (self.changed(rater="1"), "no results file"), (self.changed(session="../../x"), "its rater, session"),
            (self.changed(session="A" * 32), "its rater, session"), (self.changed(answers={}), "its rater, session"),
            (self.changed(answers=[{}] * 1000), "its rater, session"), (self.changed(answers=[7]), "not of the form"),
            (self.first(trial=other), "none that rater 1 was asked"), (self.first(trial=practice), "none that rater 1 was asked"),
            (self.first(trial=-1), "none that rater"), (self.first(trial=2**40), "none that rater"),
            (self.first(trial=self.good["answers"][1]["trial"]), "twice"),
            (self.first(choice=2), "out of its range"), (self.first(choice=2**32), "out of its range"), (self.first(choice=0.5), "not of the form"),
            (self.first(flip=-1), "out of its range"), (self.first(ms=-1), "out of its range"), (self.first(ms=1e300), "not of the form"),
            (self.first(theme="<b>"), "out of its range"), (self.first(at="<script>"), "out of its range"), (self.first(at="2" * 40), "out of its range"),
            (self.first(shown=[1000, 250, 1000]), "out of its range"), (self.first(choice=None), "not of the form"),
        ]  # fmt: skip
        for i, (told, words) in enumerate(cases):
            with self.subTest(i, words=words):
                self.refused(self.hand_in("bad.json", told), words)

    def test_bytes(self):
        self.hand_in("good.json", self.good)
        whole = json.dumps(self.good).encode()
        for data, words in (
            (b"", "damaged or no results file"), (whole[:-9], "damaged or no results file"), (b"\0" * 100, "damaged"),
            (b"[" * 100000, "damaged"), (whole.replace(b'"rater": 1', b'"rater": 1, "rater": 1'), "damaged"),
            (whole.replace(b"lpips", b"l\xffpips"), "damaged"), (b" " * (16 << 20) + whole, "larger than 16 MiB"),
            (b"SQLite format 3\0" + b"x" * 5000, "damaged or no database"),
        ):  # fmt: skip
            with self.subTest(words, data=data[:20]):
                self.refused(self.write("bad.json", data), words)
        self.refused("absent.json", "cannot be opened")
        self.refused("trials", "cannot be read")

    def test_databases(self):
        self.hand_in("good.json", self.good)
        self.collect("make", "trials", "--out", "copy", "--per-rater", "3")
        self.collect("import", "copy", "good.json", "--into", "other")
        whole = self.read("copy/answers.sqlite")
        for sql, words in (
            ("UPDATE about SET value = 'x'", "answers to another study"),
            ("UPDATE answer SET choice = 7 WHERE trial = (SELECT min(trial) FROM answer)", "out of its range"),
            ("UPDATE answer SET ms = 'soon'", "not of the form"), ("UPDATE rater SET session = '<b>'", "is none"),
            ("UPDATE rater SET number = 2", "none that rater 2 was asked"), ("PRAGMA user_version = 9", "no database of"),
            ("DROP TABLE answer; CREATE VIEW answer AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x FROM n", "no database of"),
        ):  # fmt: skip
            with self.subTest(sql):
                path = self.path("bad.sqlite")
                self.write("bad.sqlite", whole)
                db = sqlite3.connect(path)
                db.executescript(sql)
                db.close()
                self.refused("bad.sqlite", words)

    def test_contradiction(self):
        """One session cannot have said both."""
        self.hand_in("good.json", self.good)
        self.refused(self.hand_in("bad.json", self.first(choice=1 - self.good["answers"][0]["choice"])), "answered otherwise before")
        self.refused(self.hand_in("bad.json", self.changed(rater=3)), "is rater 1's, and now says it is 3's")


if __name__ == "__main__":
    unittest.main()
