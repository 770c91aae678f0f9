#!/usr/bin/env python3
"""lpips-learn collect serve: what is within reach, and what is kept whatever happens.

usage: learn_collect_serve.py [-v]
"""

import http.client
import json
import os
import random
import signal
import sqlite3
import threading
import time
import unittest

from collect_case import Case, page_of
from collect_raters import answer
from collect_serving import Server


class Serve(Case):
    def setUp(self):
        super().setUp()
        self.made = self.study(24, "--per-rater", "12")
        self.draw = random.Random(9)

    def one(self, rater, index=0, **how):
        return dict(answer(self.made, self.made.asked(rater)[index], 1, self.draw), **how)

    def test_only_three_things(self):
        server = Server(self, "--raters", "3")
        self.assertEqual(set(server.links), {"1", "2", "3"})
        self.assertEqual(len(set(server.links.values())), 3)
        self.assertEqual(server.host, "127.0.0.1")
        picture = self.made.trials[0]["pictures"][0]
        token = server.path(1)[1:-1]
        wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
        fine = [("GET", server.path(1)), ("HEAD", server.path(1)), ("GET", server.path(1, f"p/{picture}.png"))]
        for method, path in fine:
            self.assertEqual(server.ask(method, path)[0], 200, path)
        for method, path, status in (
            ("GET", "/", 404), ("GET", "/favicon.ico", 404), ("GET", f"/{wrong}/", 404), ("GET", f"/{token}", 404), ("GET", f"/{token[:-1]}/", 404),
            ("GET", f"/{token}x/", 404), ("GET", f"/{token.upper()}/", 404), ("GET", f"//{token}/", 404), ("GET", f"/{wrong}/p/{picture}.png", 404),
            ("GET", server.path(1, "study.json"), 404), ("GET", server.path(1, "../study.json"), 404), ("GET", server.path(1, "p/../../study.json"), 404),
            ("GET", server.path(1, "p/..%2f..%2fstudy.json"), 404), ("GET", server.path(1, "%2e%2e/answers.sqlite"), 404),
            ("GET", server.path(1, "p/"), 404), ("GET", server.path(1, f"p/{picture}"), 404), ("GET", server.path(1, f"p/{'0' * 20}.png"), 404),
            ("GET", server.path(1, f"p/{picture}.png%00.html"), 200), ("GET", server.path(1, "p/" + "../" * 5 + "etc/passwd"), 404),
            ("GET", server.path(1, "answer"), 404), ("POST", server.path(1), 404), ("POST", server.path(1, "index.html"), 404),
            ("PUT", server.path(1, "answer"), 405), ("DELETE", server.path(1), 405), ("OPTIONS", server.path(1), 405), ("TRACE", server.path(1), 405),
        ):  # fmt: skip
            with self.subTest(method + " " + path):
                got, headers, text = server.ask(method, path)
                self.assertEqual(got, status)
                if status != 200:
                    self.assertLess(len(text), 100)
                    self.assertNotIn(b"study", text)

    def test_headers(self):
        server = Server(self)
        picture = self.made.trials[0]["pictures"][0]
        for path in (server.path(1), server.path(1, f"p/{picture}.png"), "/nowhere", server.path(2, "answer")):
            _, headers, _ = server.ask("GET", path)
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Cache-Control"], "no-store")
            self.assertEqual(headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(headers["X-Frame-Options"], "DENY")
            self.assertTrue(headers["Content-Security-Policy"].startswith("default-src 'none'; "))
            self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
            self.assertNotIn("unsafe", headers["Content-Security-Policy"])
            self.assertNotIn("Access-Control-Allow-Origin", headers)
        self.assertEqual(server.ask("GET", server.path(1, f"p/{picture}.png"))[2], self.read(f"study/page/p/{picture}.png"))

    def test_answers(self):
        server = Server(self)
        good = self.one(1)
        self.assertEqual(server.answer(1, good)[::2], (200, b"kept\n"))
        self.assertEqual(server.answer(1, good)[0], 200)
        self.assertEqual(server.answer(1, dict(good, choice=0))[0], 409)
        self.assertEqual(server.answer(2, good)[0], 400, "another block's")
        self.assertEqual(server.answer(1, self.one(1, 1, theme="<script>"))[0], 400)
        for body in (b"", b"{", b"[]", b"null", b"\xff", b'{"trial": 0, "trial": 1}', b"[" * 4000):
            self.assertEqual(server.ask("POST", server.path(1, "answer"), body)[0], 400, body[:20])
        page = page_of(server.ask("GET", server.path(1))[2].decode())
        self.assertEqual(page["session"]["rater"], 1)
        self.assertEqual([(a["trial"], a["choice"]) for a in page["session"]["answers"]], [(good["trial"], 1)])
        self.assertEqual(page_of(server.ask("GET", server.path(2))[2].decode())["session"]["answers"], [])

    def test_too_large(self):
        server = Server(self)
        path = server.path(1, "answer")
        padded = json.dumps(self.one(1)).ljust(4096)
        self.assertEqual(server.ask("POST", path, padded + " ")[0], 413)
        self.assertEqual(server.ask("POST", path, iter([b" " * 3000] * 50))[0], 413)
        self.assertEqual(server.ask("POST", path, padded)[0], 200)
        try:
            got = server.ask("GET", server.path(1) + "?" + "x" * 100000)[0]
        except (http.client.HTTPException, OSError):
            got = 0
        self.assertIn(got, (0, 400, 413, 414, 431))
        self.assertEqual(server.ask("GET", server.path(1))[0], 200)

    def test_rates(self):
        """One who floods is slowed down, and nobody else."""
        server = Server(self)
        one = self.one(1)
        got = [server.answer(1, one)[0] for _ in range(90)]
        self.assertEqual(set(got), {200, 429})
        self.assertEqual(got[:60], [200] * 60)
        got = [server.ask("GET", "/" + "0" * 32 + "/")[0] for _ in range(200)]
        self.assertEqual(set(got), {404, 429})
        self.assertEqual(server.answer(2, self.one(2))[0], 200)
        time.sleep(0.5)
        self.assertEqual(server.answer(1, one)[0], 200)

    def test_goes_on(self):
        """The same links after an end; more raters later."""
        server = Server(self, "--raters", "2")
        before = {n: link.split("/")[3] for n, link in server.links.items()}
        self.assertEqual(server.answer(2, self.one(2))[0], 200)
        server.end()
        server = Server(self, "--raters", "4")
        self.assertEqual({n: server.links[n].split("/")[3] for n in before}, before)
        self.assertEqual(len(server.links), 4)
        self.assertEqual(server.answer(2, self.one(2))[0], 200)
        status = self.collect("status", "study", "--trials")
        self.assertEqual([row[3:5] for row in status.rows[1:5]], [["0", "24"], ["1", "24"], ["0", "24"], ["0", "24"]])
        trial = self.made.trials[self.made.asked(2)[0]]
        rows = [row for row in status.rows if row[1:2] == [trial["name"]]]
        self.assertEqual(rows, [[self.made.subsets[trial["subset"]], trial["name"], "2", "1", "2"]])
        self.assertEqual(sum(row[3:4] == ["1"] for row in status.rows[6:]), 1)

    def test_two_at_one_port(self):
        server = Server(self)
        self.assertIn("cannot be listened to", self.collect("serve", "study", "--port", str(server.port), code=2).err)

    def test_private(self):
        server = Server(self)
        for name in os.listdir(self.path("study")):
            if name.startswith(b"answers"):
                self.assertEqual(os.stat(os.path.join(self.path("study"), name)).st_mode & 0o077, 0, name)


class Killed(Case):
    def test_twenty_raters(self):
        """kill -9 in the middle: what was confirmed is there, once; the rest comes later."""
        made = self.study(40, "--per-rater", "40", "--raters", "20")
        draw = random.Random(4)
        wanted = {r: [answer(made, t, draw.randrange(2), draw) for t in made.asked(r)] for r in range(1, 21)}
        confirmed = {r: {} for r in wanted}

        def rate(server, rater):
            for one in wanted[rater]:
                if one["trial"] in confirmed[rater]:
                    continue
                try:
                    if server.answer(rater, one)[0] == 200:
                        confirmed[rater][one["trial"]] = one["choice"]
                    time.sleep(0.03)
                except (OSError, http.client.HTTPException):
                    return

        def kept():
            db = sqlite3.connect(self.path("study/answers.sqlite"))
            rows = db.execute("SELECT number, trial, choice FROM answer JOIN rater ON rater.id = answer.rater").fetchall()
            db.close()
            self.assertEqual(len(rows), len({row[:2] for row in rows}))
            return {row[:2]: row[2] for row in rows}

        for after in (150, 400, 700, None):  # answers, so that no machine is too fast or too slow
            server = Server(self)
            threads = [threading.Thread(target=rate, args=(server, r)) for r in wanted]
            for t in threads:
                t.start()
            if after:
                while sum(map(len, confirmed.values())) < after and any(t.is_alive() for t in threads):
                    time.sleep(0.001)
                server.end(signal.SIGKILL)
            for t in threads:
                t.join()
            there = kept()
            told = {(r, trial): choice for r in confirmed for trial, choice in confirmed[r].items()}
            self.assertLessEqual(set(told.items()), set(there.items()))
            if after:
                self.assertLess(len(told), 20 * 52)
                # Sent, stored, and killed before the reply: one of each at most.
                self.assertLessEqual(len(there) - len(told), 20)
        self.assertEqual(len(told), 20 * 52)
        self.assertEqual(self.collect("import", "study", "--pass", "0").out.count("\t40\t"), 20)


if __name__ == "__main__":
    unittest.main()
