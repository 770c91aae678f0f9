#!/usr/bin/env python3
"""`lpips report` that is killed, interrupted, cut in shards and put together: one result."""

import fcntl
import os
import random
import shutil
import signal
import sqlite3
import time
import unittest

from report_clips import Case, planes


class Whole(Case):
    """A run of many short items and a longer one, and of one that fails."""

    @classmethod
    def setUpClass(cls):
        made = cls("runTest")
        made.setUp()
        cls.addClassCleanup(made.doCleanups)
        ref = [planes(t) for t in range(8)]
        made.y4m("ref.y4m", ref)
        made.y4m("long.y4m", ref * 8)
        rows = [("slow", "long", "long.y4m", "long.y4m")]
        for m in range(6):
            made.y4m(f"m{m}.y4m", [planes(t, noise=2 + m) for t in range(8)])
            rows += [(f"m{m}", f"c{k}", "ref.y4m", f"m{m}.y4m") for k in range(6)]
        rows.append(("bad", "c0", "ref.y4m", "gone.y4m"))
        cls.list = made.manifest(rows)
        made.report(cls.list)
        cls.whole = made.results(), made.pages()

    def runTest(self):
        """Not a test: setUpClass makes its files with the means of one."""

    def expect_whole(self):
        """What an undisturbed run came to, to the last byte."""
        results, pages = self.whole
        self.assertEqual(self.results(), results)
        self.assertEqual(self.pages().keys(), pages.keys())
        for name, data in self.pages().items():
            self.assertEqual(data, pages[name], name)

    def done(self):
        """Items that are done with the seconds that they took, which a second time would change."""
        return dict(self.query("SELECT id, seconds FROM item WHERE state <> 0") or [])

    def last_frame(self):
        rows = self.query("SELECT max(frame) FROM score")
        return rows and rows[0][0]

    def wait_until(self, process, true):
        """Until something is true of the store that the process writes to."""
        while True:
            try:
                if true():
                    return
            except (sqlite3.DatabaseError, FileNotFoundError):
                pass  # a copy of what is just being made, or put away
            self.assertIsNone(process.poll(), "it ended before")
            time.sleep(0.02)


class Survival(Whole):
    def test_kill(self):
        """kill -9 at 20 random moments and more: nothing that was done is done again, and the
        finished report is the same to the last byte."""
        begun = time.monotonic()
        self.run_lpips("report", "plan", self.list, "--out", "timed")
        start = time.monotonic() - begun
        self.report(self.list, out="timed")
        whole = time.monotonic() - begun - start
        r = random.Random(6)
        before, kills, moved = {}, 0, 0
        while kills < 20 or moved < 5:
            self.assertLess(kills, 60, "no run came far enough to be worth killing")
            p = self.start(self.list, "--out", "out", "-j", str(r.choice([1, 2])))
            # Every other one at a time that knows of nothing, most often while it plans or
            # opens the nets; the others later than some item, however busy the machine is.
            if kills % 2:
                self.wait_until(p, lambda: len(self.done()) > len(before) or p.poll() is not None)
                time.sleep(r.uniform(0, whole / 8))
            else:
                time.sleep(r.uniform(0, 2 * start + whole / 8))
            p.send_signal(signal.SIGKILL)
            ended = p.wait() == 0
            after = self.done()
            for item, seconds in before.items():
                self.assertEqual(after.get(item), seconds, "done twice")
            kills += not ended
            moved += 0 < len(after) < 38 and len(after) > len(before)
            before = after
            if ended:
                self.expect_whole()
                shutil.rmtree(self.path("out"))
                before = {}
        self.report(self.list)
        after = self.done()
        self.assertEqual({i: after[i] for i in before}, before)
        self.expect_whole()

    def test_within_an_item(self):
        """A long clip goes on from the frames that were kept, not from its start."""
        some = [planes(t, size=(320, 240)) for t in range(8)]
        self.y4m("big.y4m", some * 12, (320, 240))
        rows = self.manifest([("m", "c", "big.y4m", "big.y4m")], name="big.csv")
        p = self.start(rows, "--out", "out", "-j", "1")

        def reached():
            # It is kept every two seconds; while it stands still, time goes on.
            p.send_signal(signal.SIGSTOP)
            time.sleep(2.1)
            p.send_signal(signal.SIGCONT)
            time.sleep(0.4)
            return self.last_frame()

        self.wait_until(p, reached)
        p.send_signal(signal.SIGKILL)
        self.assertEqual(p.wait(), -signal.SIGKILL)
        kept = self.last_frame()
        self.change("UPDATE score SET value = -7")
        self.report(rows)
        marked = self.scores("m", "c", "lpips_alex")
        self.assertEqual(list(marked), list(range(96)))
        self.assertTrue(all(marked[t] == (-7 if t <= kept else 0) for t in range(96)))
        self.assertEqual(list(self.scores("m", "c", "tlpips_alex")), list(range(1, 96)))

    def test_interrupt(self):
        """Ctrl-C ends it in order, with status 130, and the same command goes on."""
        for i, (sent, status) in enumerate([(signal.SIGINT, 130), (signal.SIGTERM, 143)]):
            p = self.start(self.list, "--out", "out", "-j", "1")
            self.wait_until(p, lambda: len(self.done()) > 3 * i)
            p.send_signal(sent)
            self.assertEqual(p.wait(), status)
            self.assertFalse(os.path.exists(self.path("out", "report.sqlite-wal")))
        before = self.done()
        self.assertIn("37 of 38 items scored, 1 failed", self.report(self.list))
        after = self.done()
        self.assertEqual({i: after[i] for i in before}, before)
        self.expect_whole()

    def test_workers(self):
        """One worker or many: the same."""
        self.report(self.list, "-j", "1")
        self.expect_whole()

    def test_plan_again(self):
        """The same plan is no mistake, another one is refused and changes nothing."""
        self.run_lpips("report", "plan", self.list, "--out", "out")
        self.assertEqual(self.query("SELECT count(*) FROM item WHERE state = 0"), [(38,)])
        self.run_lpips("report", "plan", self.list, "--out", "out")
        before = self.results()
        for other in ["--factor", "2"], ["--nets", "vgg"], ["--metrics", "lpips"]:
            text = self.run_lpips("report", "plan", self.list, *other, "--out", "out", status=2)
            self.assertIn("holds the report of another list or of other settings", text)
        self.assertEqual(self.results(), before)
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["report.sqlite"])

    def test_one_at_a_time(self):
        self.run_lpips("report", "plan", self.list, "--out", "out")
        with open(self.path("out", "run.lock"), "w", encoding="ascii") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            self.assertIn("another run is at work here", self.run_lpips("report", "run", "out", status=2))

    def test_other_weights(self):
        """What was planned with other weights is not mixed with these."""
        self.run_lpips("report", "plan", self.list, "--out", "out")
        self.change("UPDATE about SET value = replace(value, 'weights 4', 'weights 5')")
        self.assertIn("one report needs one version of weights", self.run_lpips("report", "run", "out", status=2))

    def test_no_doubles(self):
        """The store itself refuses an item twice; rates tell apart what has no quality."""
        self.run_lpips("report", "plan", self.list, "--out", "out")
        add = "INSERT INTO item(method, clip, reference, output, quality, rate) VALUES('m0', 'c0', '', '', {})"
        with self.assertRaises(sqlite3.IntegrityError):
            self.change(add.format("NULL, NULL"))
        for named in "NULL, 100", "NULL, 200", "'', NULL", "'28', NULL":
            self.change(add.format(named))
            with self.assertRaises(sqlite3.IntegrityError):
                self.change(add.format(named))
        with self.assertRaises(sqlite3.IntegrityError):
            self.change(add.format("'28', 100"))

    def test_no_store(self):
        """What is no store, or one of another kind, is told."""
        self.put("out/report.sqlite", "no database at all" * 100)
        self.assertIn("no store of lpips report", self.run_lpips("report", "run", "out", status=2))
        self.put("out/report.sqlite", b"")
        self.assertIn("no store of this version", self.run_lpips("report", "run", "out", status=2))


class Shards(Whole):
    def plan(self, out="out"):
        self.run_lpips("report", "plan", self.list, "--out", out)

    def shard(self, i, n, status=0):
        return self.run_lpips("report", "run", "--shard", f"{i}/{n}", "-j", "1", "out", status=status)

    def merge(self, status=0):
        text = self.run_lpips("report", "merge", "out", status=status)
        if not status:
            self.run_lpips("report", "write", "out")
        return text

    def test_shards(self):
        """In any order, one twice: merged they are the report of an undivided run."""
        self.plan()
        untouched = self.results()
        for i in 3, 1:
            self.shard(i, 3)
        self.assertIn("of 3 shards, 1 lack: 2; complete each by `lpips report run --shard 2/3", self.merge(2))
        self.assertEqual(self.results(), untouched)
        self.shard(2, 3)
        self.shard(2, 3)
        self.assertEqual(sorted(os.listdir(self.path("out", "shards"))), [f"{i}-of-3.sqlite" for i in (1, 2, 3)])
        self.merge()
        self.expect_whole()
        self.merge()
        self.expect_whole()
        # What is complete needs no run.
        self.run_lpips("report", "run", "out")
        self.expect_whole()

    def test_one_shard(self):
        self.plan()
        self.assertIn("no complete shards", self.merge(2))
        self.shard(1, 1)
        self.merge()
        self.expect_whole()

    def test_more_shards_than_items(self):
        self.plan()
        for i in range(1, 41):
            self.shard(i, 40)
        self.merge()
        self.expect_whole()

    def test_two_copies(self):
        """Schedulers start a shard twice at once: both are right."""
        self.plan()
        self.shard(1, 2)
        both = [self.start("run", "--shard", "2/2", "-j", "1", "out") for _ in range(2)]
        self.assertEqual([p.wait() for p in both], [0, 0])
        self.merge()
        self.expect_whole()

    def test_killed_shard(self):
        """What killed attempts had done is taken over, even while one of them still runs."""
        self.plan()
        shards, stores = self.path("out", "shards"), {}

        def look(part):
            return self.query("SELECT id, seconds FROM item WHERE state <> 0", store=f"shards/{part}") or []

        def parts():
            found = os.listdir(shards) if os.path.isdir(shards) else []
            return {n for n in found if n.endswith(".part")} - set(stores)

        for n in range(3):
            p = self.start("run", "--shard", "1/2", "-j", "1", "out")
            self.wait_until(p, lambda: any(len(look(part)) > 3 * n + 2 for part in parts()))
            p.send_signal(signal.SIGKILL if n < 2 else signal.SIGSTOP)
            if n < 2:
                p.wait()
            (part,) = parts()
            stores[part] = dict(look(part))
        first, second, third = stores.values()
        # What comes later has what was there before, and took the same time.
        self.assertEqual({i: second[i] for i in first}, first)
        self.assertEqual({i: third[i] for i in second}, second)
        self.shard(1, 2)
        after = dict(look("1-of-2.sqlite"))
        self.assertEqual({i: after[i] for i in third}, third)
        p.send_signal(signal.SIGCONT)
        self.assertEqual(p.wait(), 0)
        self.shard(2, 2)
        self.merge()
        self.expect_whole()

    def test_foreign_shards(self):
        """Shards of another plan are not merged, and not taken for done."""
        self.plan()
        self.shard(1, 2)
        self.shard(2, 2)
        os.remove(self.path("out", "report.sqlite"))
        self.run_lpips("report", "plan", self.list, "--factor", "2", "--out", "out")
        self.assertIn("belongs to another plan: remove it", self.merge(2))
        self.assertIn("belongs to another plan: remove it", self.shard(1, 2, status=2))

    def test_damaged_shard(self):
        self.plan()
        self.shard(1, 2)
        self.shard(2, 2)
        self.put("out/shards/2-of-2.sqlite", b"SQLite format 3\0" + bytes(5000))
        before = self.results()
        self.merge(2)
        self.assertEqual(self.results(), before)


if __name__ == "__main__":
    unittest.main()
