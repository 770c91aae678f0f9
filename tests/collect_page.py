#!/usr/bin/env python3
"""The page of `lpips-learn collect` in a headless Chromium, at a desk and on a phone.

Answered by keys, mouse and touch, closed and gone on with, measured to the pixel and to the
frame; and nothing that it does leaves its folder, or its server.

usage: collect_page.py [-v]                     the tests
       collect_page.py --shots 2AFC JND PREFIX  PREFIX-NAME.png of the pages of two studies
"""

import json
import os
import re
import sqlite3
import sys
import time
import unittest

import program
from browser import DESK, PHONE, ActionChains, Browser, By, Keys, PageCase, address, need
from collect_case import Case as Collecting
from collect_raters import Study
from collect_serving import Server

LOCAL = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
FRAME = 1000 / 60  # ms, of a headless Chromium


def setUpModule():
    global browser
    need()
    browser = Browser(LOCAL)
    unittest.addModuleCleanup(browser.close)


class Case(Collecting, PageCase):
    def setUp(self):
        super().setUp()
        self.driver = browser.driver
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        browser.requests()
        os.mkdir(self.path("downloads"))
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": os.path.join(self.folder, "downloads")})
        self.expected = []  # of messages, patterns
        self.begun = False

    def tearDown(self):
        """No complaint, and nothing was asked for but what lies beside the page."""
        for entry in self.driver.get_log("browser"):
            self.assertTrue(any(re.search(p, entry["message"]) for p in self.expected), entry["message"])
        asked = browser.requests()
        self.assertIn("Document", {kind for kind, _ in asked})
        self.assertEqual([url for _, url in asked if not url.startswith((self.home, "blob:", "about:"))], [])

    def make(self, *arguments, n=6, kind="2afc", size=32):
        self.collect("make", self.trials(n, kind, size=size), "--out", "study", "--per-rater", "50", *arguments)
        self.made = Study(self.path("study"))
        self.home = address(os.path.join(self.folder, "study", "page")) + "/"

    def open(self, rater, size=DESK, ratio=1, scheme="light"):
        browser.size(*size, ratio)
        browser.scheme(scheme)
        self.driver.get(f"{self.home}index.html#{rater}")
        if not self.begun:
            # Every file's page shares one memory, and studies by formula are all the same.
            self.js("localStorage.clear()")
            self.driver.refresh()
            self.begun = True

    def wait(self, what, seconds=20):
        """Until a script gives something true; that."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            got = self.js("return " + what)
            if got:
                return got
            time.sleep(0.02)
        self.fail(f"never came: {what}; the page says: {self.js('return document.body.innerText')}")

    # ---- what a rater does ------------------------------------------------------------------

    def by_key(self, side):
        keys = ((Keys.ARROW_LEFT, "f", "1"), (Keys.ARROW_RIGHT, "j", "2"))[side]
        self.count += 1
        ActionChains(self.driver).send_keys(keys[self.count % 3]).perform()

    def by_mouse(self, side):
        """On the picture itself; of JND, and every third time, on the button below."""
        self.count += 1
        panes = self.all("button.pane")
        target = panes[side] if panes and self.count % 3 else self.all("#answers button")[side]
        ActionChains(self.driver).move_to_element(target).click().perform()

    def by_touch(self, side):
        panes = self.all("button.pane") or self.all("#answers button")
        x, y = self.js("const r = arguments[0].getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]", panes[side])
        for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
            self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def shown(self):
        """Names of the pictures on the stage, once it can be answered: 2AFC left, reference,
        right; JND first, second."""
        self.wait("document.querySelector('#answers button[aria-disabled=false]')")
        time.sleep(0.16)
        return [re.search(r"([0-9a-f]{20})\.png$", img.get_attribute("src"))[1] for img in self.all("#stage img")]

    def pair(self):
        names = self.shown()
        return (names[0], names[2]) if self.made.kind == "2afc" else tuple(names)

    def go(self, act):
        self.count = 0
        self.one("#go").click()
        while self.wait("!document.getElementById('trial').hidden || !document.getElementById('ready').hidden") and self.one("#trial").is_displayed():
            self.practice(act)
        self.one("#begin").click()

    def practice(self, act, right=True):
        pair = self.pair()
        trial = next(t for t in self.made.trials if t["role"] == "practice" and set(pair) == set(t["pictures"][-2:]))
        if self.made.kind == "2afc":
            side = pair.index(trial["pictures"][1 + trial["right"]])
        else:
            side = 1 - trial["right"]
        act(side if right else 1 - side)
        self.wait("document.querySelector('#answers .main')")
        self.assertIn("Right:" if right else "Not quite:", self.one("#said").text)
        self.one("#answers .main").click()

    def answer(self, act, rule):
        """One trial: rule(pair) says which side; what was seen and done."""
        before = self.one("#where").text
        pair = self.pair()
        side = rule(pair)
        act(side)
        self.wait(f"document.getElementById('where').textContent != {json.dumps(before)}")
        return pair, side

    def total(self):
        return len(self.made.asked(1))

    def results(self):
        self.wait("!document.getElementById('done').hidden")
        self.one("#save").click()
        # Chromium holds the name with an empty file until the whole one takes its place.
        end = time.monotonic() + 20
        while time.monotonic() < end:
            names = [n for n in os.listdir(self.path("downloads")) if n.endswith(b".json")]
            if names and os.path.getsize(self.path(b"downloads/" + names[0])):
                break
            time.sleep(0.05)
        (name,) = names
        return "downloads/" + os.fsdecode(name), self.json("downloads/" + os.fsdecode(name))

    def whole(self, rater, act, size=DESK, ratio=1, rule=lambda pair: int(pair[0] < pair[1])):
        """Answers everything; the results file, checked against what was seen."""
        self.open(rater, size, ratio)
        self.go(act)
        seen = [self.answer(act, rule) for _ in range(self.total())]
        name, told = self.results()
        self.check(told, seen, rater)
        return name, told

    def check(self, told, seen, rater):
        """Choices by what stood where on the screen."""
        self.assertEqual((told["study"], told["rater"], told["kind"]), (self.made.hash, rater, self.made.kind))
        self.assertEqual(sorted(a["trial"] for a in told["answers"]), sorted(self.made.asked(rater)))
        for a, (pair, side) in zip(told["answers"], seen):
            pictures = self.made.trials[a["trial"]]["pictures"][-2:]
            self.assertEqual(list(pair), pictures[::-1] if a["flip"] else pictures)
            if self.made.kind == "2afc":
                self.assertEqual(pair[side], pictures[a["choice"]])
            else:
                self.assertEqual(a["choice"], 1 - side)
            self.assertGreater(a["ms"], 100)

    def imported(self, name, told):
        """What import makes of it."""
        self.collect("import", "study", name, "--pass", "0", "--fastest", "0", "--off", "1e6")
        self.assertEqual(self.judged(self.made), {a["trial"]: a["choice"] for a in told["answers"] if a["trial"] in self.made.items})


class Whole(Case):
    def test_2afc_keys(self):
        self.make("--sentinels", "4")
        name, told = self.whole(1, self.by_key)
        self.assertEqual(sorted(a["flip"] for a in told["answers"] if a["trial"] in self.made.items), [0, 0, 0, 1, 1, 1])
        self.assertEqual(sorted(a["flip"] for a in told["answers"] if a["trial"] in self.made.sentinels), [0, 0, 1, 1])
        # A sentinel in each half.
        at = [i for i, a in enumerate(told["answers"]) if a["trial"] in self.made.sentinels]
        self.assertEqual([i * 4 // 10 for i in at], [0, 1, 2, 3])
        self.imported(name, told)

    def test_2afc_mouse(self):
        self.make("--sentinels", "2")
        self.imported(*self.whole(2, self.by_mouse))

    def test_2afc_touch(self):
        self.make("--sentinels", "2")
        _, told = self.whole(3, self.by_touch, PHONE, 3)
        self.assertEqual({a["scale"] for a in told["answers"]}, {16})

    def jnd(self, act, size, ratio):
        self.make("--sentinels", "2", n=2, kind="jnd")
        name, told = self.whole(1, act, size, ratio, lambda pair: int(pair[0] != pair[1]))
        for a in told["answers"]:
            for ms, asked in zip(a["shown"], (1000, 250, 1000)):
                self.assertGreaterEqual(ms, asked - FRAME)
        # A busy machine is late now and then, and says so; not each time.
        for i, asked in enumerate((1000, 250, 1000)):
            self.assertLess(min(abs(a["shown"][i] - asked) for a in told["answers"]), 2 * FRAME)
        self.imported(name, told)

    def test_jnd_keys(self):
        self.jnd(self.by_key, DESK, 1)

    def test_jnd_touch(self):
        self.jnd(self.by_touch, PHONE, 3)

    def test_order(self):
        """A number's own, the same whenever it is asked; another's is another."""
        self.make("--sentinels", "2", n=10)
        orders = []
        for rater in (1, 1, 3):
            self.open(rater)
            self.js("localStorage.clear()")
            self.driver.refresh()
            self.go(self.by_key)
            orders.append([self.answer(self.by_key, lambda pair: 0)[0] for _ in range(4)])
        self.assertEqual(orders[0], orders[1])
        self.assertNotEqual(orders[0], orders[2])


class Parts(Case):
    def test_closed_and_resumed(self):
        self.make("--sentinels", "2")
        self.open(5)
        self.go(self.by_key)
        seen = [self.answer(self.by_key, lambda pair: 0) for _ in range(3)]
        self.driver.get("about:blank")
        self.open("")
        self.assertEqual(self.one("#number").get_attribute("value"), "5")
        self.assertEqual(self.one("#resumes").text, "3 of 8 are answered already; you go on from there.")
        self.assertEqual(self.one("#go").text, "Go on")
        self.count = 0
        self.one("#go").click()
        self.wait("document.getElementById('where').textContent == '4 of 8'")
        seen += [self.answer(self.by_key, lambda pair: 1) for _ in range(5)]
        self.check(self.results()[1], seen, 5)
        self.driver.get("about:blank")
        self.open(5)
        self.assertEqual(self.one("#resumes").text, "All are answered already.")
        self.open(6)
        self.assertEqual(self.one("#go").text, "Begin with practice")

    def test_practice_until_right(self):
        self.make("--sentinels", "2")
        self.open(7)
        self.one("#go").click()
        self.count = 0
        self.practice(self.by_key, right=False)
        for _ in range(4):
            self.assertTrue(self.one("#trial").is_displayed())
            self.practice(self.by_key)
        self.assertTrue(self.one("#ready").is_displayed())

    def test_pixel_for_pixel(self):
        """Each of a picture's pixels is a square of the screen's, of its very colour."""
        self.make("--sentinels", "2", size=31)
        self.open(8)
        # Ratios that are emulated are not drawn as those of a screen are.
        for ratio, scale in ((1, 6), (1.1, 6), (1.5, 9)):
            with self.subTest(ratio=ratio):
                other = Browser(f"--force-device-scale-factor={ratio}", "--window-size=660,560")
                self.driver = other.driver
                try:
                    self.driver.get(f"{self.home}index.html#8")
                    self.one("#go").click()
                    names = self.shown()
                    other.shot(os.path.join(self.folder, "shot.png"))
                    for name, img in zip(names, self.all("#stage img")):
                        self.drawn(name, img, ratio, scale)
                finally:
                    self.driver = browser.driver
                    other.close()

    def drawn(self, name, img, ratio, scale):
        width, _, got = program.unpng(self.read("shot.png"))
        box = self.js("const r = arguments[0].getBoundingClientRect(); return [r.x, r.y, r.width, r.height]", img)
        x, y, w, h = (round(n * ratio) for n in box)
        for n, whole in zip(box, (x, y, w, h)):
            self.assertAlmostEqual(n * ratio, whole, delta=0.01)
        self.assertEqual((w, h), (31 * scale, 31 * scale))
        source = program.unpng(self.read(f"study/page/p/{name}.png"))[2]
        for row in range(31):
            line = b"".join(source[3 * (31 * row + i) : 3 * (31 * row + i + 1)] * scale for i in range(31))
            for k in range(scale):
                at = 3 * (width * (y + row * scale + k) + x)
                self.assertEqual(got[at : at + len(line)], line)

    def test_sizes(self):
        """Each trial is as large as it can be, whatever others are."""
        self.trials(2, size=64, subsets=("large",))
        self.make("--sentinels", "2", n=2)
        name, told = self.whole(1, self.by_key)
        for a in told["answers"]:
            size = program.unpng(self.read(f"study/page/p/{self.made.trials[a['trial']]['pictures'][0]}.png"))[0]
            self.assertEqual(a["scale"], {64: 4, 32: 9}[size])

    def test_too_small(self):
        self.make("--sentinels", "2", "--scale", "8")
        self.open(9)
        self.go(self.by_key)
        browser.size(300, 500, False)
        self.wait("!document.getElementById('small').hidden")
        self.assertIn("Make the window larger", self.one("#small").text)
        self.by_key(0)
        time.sleep(0.3)
        self.assertEqual(self.one("#where").get_attribute("textContent"), "1 of 8")
        browser.size(*DESK)
        self.wait("document.getElementById('small').hidden")
        self.answer(self.by_key, lambda pair: 0)

    def test_times_as_seen(self):
        """What the page says it showed beside what a second look at every frame saw."""
        self.make("--sentinels", "2", n=2, kind="jnd")
        self.open(1)
        self.go(self.by_key)
        self.js("""window.seen = []; (function look(now) {
          const on = Array.from(document.querySelectorAll('#stage img')).map(i => getComputedStyle(i).visibility == 'visible');
          seen.push([now, on.indexOf(true)]); requestAnimationFrame(look); })(performance.now())""")  # fmt: skip
        for _ in range(self.total()):
            self.answer(self.by_key, lambda pair: 0)
        told = self.results()[1]
        frames = self.js("return seen")
        turns = [i for i in range(1, len(frames)) if frames[i][1] != frames[i - 1][1]]
        seen = [t for t in zip(turns, turns[1:], turns[2:], turns[3:]) if [frames[i][1] for i in t] == [0, -1, 1, -1]]
        said = [a["shown"] for a in told["answers"]][-len(seen) :]
        self.assertGreaterEqual(len(seen), 3)
        for at, times in zip(seen, said):
            # Both looks have the time of their frame; which comes first in one is not known.
            for i, j, ms in zip(at, at[1:], times):
                between = [frames[j - b][0] - frames[i - a][0] for a in (0, 1) for b in (0, 1)]
                self.assertLess(min(abs(ms - b) for b in between), 0.2, (ms, between))

    def test_for_all(self):
        """Names of controls, pictures and bars; the surroundings are grey in both themes."""
        self.make("--sentinels", "2", "--title", "</title><script>alert(1)</script>")
        self.open(10, scheme="dark")
        self.assertEqual(self.one("#title").text, "</title><script>alert(1)</script>")
        self.go(self.by_key)
        self.shown()
        self.assertEqual([i.get_attribute("alt") for i in self.all("#stage img")], ["Left picture", "Reference picture", "Right picture"])
        self.assertEqual([b.accessible_name for b in self.all("#answers button")],
                         ["Left picture is more like the reference", "Right picture is more like the reference"])  # fmt: skip
        self.assertEqual(self.one("#bar").accessible_name, "0 of 8 done")
        self.assertEqual(self.js("return document.querySelectorAll('[role=status][aria-live=polite], [role=status]').length") > 0, True)
        grounds = []
        for _ in range(2):
            colour = self.js("return getComputedStyle(document.body).backgroundColor")
            r, g, b = map(int, re.findall(r"\d+", colour))
            self.assertEqual((r, g), (g, b))
            grounds.append(r)
            self.one("#theme").click()
        self.assertLess(grounds[0], 80)
        self.assertGreater(grounds[1], 160)
        # By the keyboard alone: the focus stays where it was from one trial to the next.
        self.js("document.querySelectorAll('#answers button')[1].focus()")
        pair = self.pair()
        ActionChains(self.driver).send_keys(Keys.ENTER).perform()
        self.wait("document.getElementById('where').textContent == '2 of 8'")
        self.assertNotEqual(self.pair(), pair)
        self.assertEqual(self.driver.switch_to.active_element.accessible_name, "Right picture is more like the reference")

    def test_number(self):
        self.make("--sentinels", "2")
        self.open("")
        self.js("localStorage.clear()")
        self.driver.refresh()
        for text in ("", "0", "-1", "1.5", "x<b>"):
            self.one("#number").clear()
            self.one("#number").send_keys(text)
            self.one("#go").click()
            self.assertIn("Your number is missing", self.one("#trouble").text)
        self.one("#number").clear()
        self.one("#number").send_keys("12", Keys.ENTER)
        self.assertTrue(self.one("#trial").is_displayed())

    def test_lost_pictures(self):
        self.make("--sentinels", "2")
        os.rename(self.path("study/page/p"), self.path("study/page/q"))
        self.expected = ["ERR_FILE_NOT_FOUND"]
        self.open(11)
        self.one("#go").click()
        self.wait("!document.getElementById('trouble').hidden")
        self.assertIn("A picture could not be loaded", self.one("#trouble").text)


class Served(Case):
    def test_with_a_break(self):
        """From the server, which is killed half way and comes back."""
        self.make("--sentinels", "2")
        server = Server(self, "--raters", "2")
        port = str(server.port)
        self.home = f"http://127.0.0.1:{port}{server.path(2)}"
        browser.size(*DESK)
        self.driver.get(self.home)
        self.assertFalse(self.one("#who").is_displayed())
        self.go(self.by_key)
        rule = lambda pair: int(pair[0] < pair[1])
        seen = [self.answer(self.by_key, rule) for _ in range(2)]
        self.expected = ["ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET"]
        for n, closed in ((2, False), (3, True)):
            self.wait_kept(n)
            server.end(9)
            # The pictures of the next trial were loaded before.
            seen.append(self.answer(self.by_key, rule))
            if closed:
                self.driver.get("about:blank")
            server = Server(self, "--port", port)
            if closed:
                self.driver.get(self.home)
                self.assertEqual(self.one("#go").text, "Go on")
                self.one("#go").click()
            self.wait_kept(n + 1)
        seen += [self.answer(self.by_key, rule) for _ in range(4)]
        self.wait("document.getElementById('donetext').textContent.includes('all saved')")
        self.assertFalse(self.one("#hand").is_displayed())
        rows = self.wait_kept(8)
        for trial, flip, choice in rows:
            pictures = self.made.trials[trial]["pictures"][1:]
            (side,) = [side for pair, side in seen if list(pair) == (pictures[::-1] if flip else pictures)]
            self.assertEqual(choice, side ^ flip)

    def wait_kept(self, n):
        """Rows of rater 2, when there are so many."""
        for _ in range(400):
            db = sqlite3.connect(self.path("study/answers.sqlite"))
            rows = db.execute("SELECT trial, flip, choice FROM answer JOIN rater ON rater.id = rater WHERE number = 2").fetchall()
            db.close()
            if len(rows) >= n:
                break
            time.sleep(0.05)
        self.assertEqual(len(rows), n)
        return rows


def shots(afc, jnd, prefix):
    shown = Browser()

    def one(name, folder, size, ratio, scheme, began):
        study = Study(folder)
        kept = {"study": study.hash, "kind": study.kind, "rater": 1, "session": "0" * 32, "practised": True, "sent": 0, "answers": []}
        shown.size(*size, ratio)
        shown.scheme(scheme)
        shown.driver.get("about:blank")
        shown.driver.get(address(os.path.join(folder, "page", "index.html")) + "#1")
        shown.driver.execute_script("localStorage.clear(); if (arguments[1]) localStorage.setItem(arguments[0], arguments[1])",
                                    f"lpips-collect:{study.hash}:1", began and json.dumps(kept))  # fmt: skip
        shown.driver.refresh()
        if began:
            shown.driver.find_element(By.ID, "go").click()
            while not shown.driver.find_elements(By.CSS_SELECTOR, ".pane img:not(.off)"):
                time.sleep(0.05)
        time.sleep(0.3)
        shown.shot(f"{prefix}-{name}.png")

    try:
        one("welcome", afc, DESK, 1, "light", False)
        one("2afc", afc, DESK, 1, "light", True)
        one("2afc-dark", afc, DESK, 1, "dark", True)
        one("2afc-phone", afc, PHONE, 2, "dark", True)
        one("jnd", jnd, DESK, 1, "light", True)
    finally:
        shown.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--shots"]:
        shots(*sys.argv[2:])
    else:
        unittest.main()
