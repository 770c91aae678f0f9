#!/usr/bin/env python3
"""The page of a report in a headless Chromium, at a desk and on a phone.

Sorted, hovered, turned dark, flipped; and nothing that it does leaves the machine.
Needs Debian's chromium, chromium-driver and python3-selenium; skipped without.

usage: report_page.py [-v]                      the tests
       report_page.py --shots PAGE PREFIX [ID]  PREFIX-desktop.png, -dark.png, -phone.png of a page, from
                                                element ID on
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import report_store
import report_test
from browser import DESK, PHONE, ActionChains, Browser, By, Keys, PageCase, address, need
from report_store import Store


def setUpModule():
    global browser, folder, pages
    need()
    folder = tempfile.mkdtemp(prefix="report-page-")
    unittest.addModuleCleanup(shutil.rmtree, folder)
    pages = {}
    for name, make in (("vfi", report_store.interpolation), ("codec", report_store.codec), ("hostile", hostile),
                       ("pictures", pictures)):  # fmt: skip
        store, out = os.path.join(folder, name + ".sqlite"), os.path.join(folder, name)
        make(store)
        subprocess.run([report_test.WRITE, store, out], check=True)
        pages[name] = os.path.join(out, "index.html")
    browser = Browser()
    unittest.addModuleCleanup(browser.close)


def hostile(path):
    store = Store(path, "interpolation", title=report_test.HOSTILE[0], colour_rule=report_test.HOSTILE[1],
                  tool=report_test.HOSTILE[0], **{"lpips.alex": report_test.HOSTILE[1]})  # fmt: skip
    for i, name in enumerate(report_test.HOSTILE):
        for k, clip in enumerate(report_test.HOSTILE):
            scores = {m: [0.1 + i / 50 + k / 500, 0.2, 0.3] for m, _, _ in report_store.METRICS}
            store.item(name, clip, scores, subset=clip if k < 2 else "")
        store.item(name, "broken", error=name)
    store.close()


def pictures(path):
    report_test.pictures(os.path.dirname(path), path)


class Case(PageCase):
    def open(self, name, size=DESK, scheme="light"):
        self.driver = browser.driver
        browser.size(*size)
        browser.scheme(scheme)
        self.driver.get_log("browser")
        browser.requests()
        self.driver.get(address(pages[name]))
        self.page = address(pages[name])

    def tearDown(self):
        """Whatever was done: no complaint, and nothing but the page itself was asked for."""
        self.assertEqual([e["message"] for e in self.driver.get_log("browser")], [])
        asked = browser.requests()
        self.assertIn(("Document", self.page), asked)
        self.assertEqual([r for r in asked if not r[1].startswith(("data:image/png;base64,", self.page))], [])

    def column(self, section, n):
        """The text of column n of a section's table, the first line of each cell."""
        cells = self.js("return Array.from(document.querySelectorAll(arguments[0])).map(r => r.children[arguments[1]].innerText)",
                        f"#{section} tbody tr", n)  # fmt: skip
        return [c.split("\n")[0] for c in cells]

    def into_view(self, node):
        self.js("arguments[0].scrollIntoView({block: 'center'})", node)
        return node

    def choose(self, node, text):
        """By name, as the keyboard would: select, then the event that follows."""
        self.js("const s = arguments[0]; s.value = Array.from(s.options).find(o => o.textContent == arguments[1]).value;"
                "s.dispatchEvent(new Event('change'))", node, text)  # fmt: skip

    def hover_point(self, plot, line, index):
        """Moves the mouse onto a point of plot number `plot`; the tooltip's title and body."""
        figure = self.into_view(self.all(".plot")[plot])
        x, y, cx, cy = self.js(
            "const p = arguments[0].chart.getDatasetMeta(arguments[1]).data[arguments[2]].getProps(['x', 'y']);"
            "const r = arguments[0].querySelector('canvas').getBoundingClientRect();"
            "return [r.left + p.x, r.top + p.y, r.left + r.width / 2, r.top + r.height / 2]", figure, line, index)  # fmt: skip
        canvas = figure.find_element(By.TAG_NAME, "canvas")
        ActionChains(self.driver).move_to_element_with_offset(canvas, round(x - cx), round(y - cy)).perform()
        return self.js("const t = arguments[0].chart.tooltip; return [t.opacity, t.title.join(' '), t.body.map(b => b.lines.join(' '))]", figure)


class Looks(Case):
    def test_first_screen(self):
        """What, of what, measured how, and the answer: before anyone scrolls."""
        for name, words in (("vfi", "rife has the lowest LPIPS (alex): 0.0"), ("codec", "At equal LPIPS (alex), svt-av1 needs ")):
            for size in (DESK, PHONE):
                with self.subTest(name, size=size):
                    self.open(name, size)
                    self.assertTrue(self.one("#answer").text.replace("\u00a0", " ").startswith(words), self.one("#answer").text)
                    proof = self.one("#proof").text
                    for part in ("alex v0.1 weights 4ed07d1f", "BT.601 up to 576 rows"):
                        self.assertIn(part, proof)
                    top = self.js("return document.querySelector('#result tbody tr:last-child').getBoundingClientRect().bottom")
                    self.assertLess(top, size[1] if size is DESK else 1.4 * size[1])
                    self.assertEqual(self.js("return [innerWidth, document.documentElement.scrollWidth]"), [size[0]] * 2)

    def test_contrast(self):
        """Text 4.5:1, lines of plots 3:1 against what lies behind them, in both themes."""
        def light(colour):
            parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
            r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
            return 0.2126 * r + 0.7152 * g + 0.0722 * b

        for scheme in ("light", "dark"):
            self.open("vfi", scheme=scheme)
            names = ["ground", "card", "ink", "soft", "accent", "warn", "warn-soft"] + [f"c{i}" for i in range(8)]
            colour = dict(zip(names, self.js("const s = getComputedStyle(document.documentElement);"
                          "return arguments[0].map(n => s.getPropertyValue('--' + n).trim())", names)))  # fmt: skip
            for front in names[2:6] + names[7:]:
                for back in ("ground", "card"):
                    a, b = sorted((light(colour[front]), light(colour[back])))
                    with self.subTest(scheme, front=front, back=back):
                        self.assertGreaterEqual((b + 0.05) / (a + 0.05), 3 if front[0] == "c" and front[1:].isdigit() else 4.5)

    def test_themes(self):
        """The system's choice, then the button's; plots are drawn anew in the other ink."""
        def seen():
            return self.js("const c = document.querySelector('.plot').chart;"
                           "return [getComputedStyle(document.body).backgroundColor, c.options.scales.y.ticks.color]")  # fmt: skip
        self.open("vfi")
        light = seen()
        self.one("#theme").click()
        dark = seen()
        self.assertNotIn(dark[0], light)
        self.assertNotEqual(dark[1], light[1])
        self.assertEqual(self.one("#theme").text, "Light")
        self.one("#theme").click()
        self.assertEqual(seen(), light)
        self.open("vfi", scheme="dark")
        self.assertEqual(seen(), dark)
        self.one("#theme").click()
        self.assertEqual(seen(), light)

    def test_words_for_all(self):
        """Every control has a name, every picture of data a description."""
        for name in ("vfi", "codec", "pictures"):
            self.open(name)
            self.assertEqual(self.js("return Array.from(document.querySelectorAll('button')).filter(b => !(b.getAttribute('aria-label') || b.textContent)).length"), 0)
            self.assertEqual(self.js("return Array.from(document.querySelectorAll('select, input')).filter(s => !s.labels.length && !s.getAttribute('aria-label')).length"), 0)
            self.assertEqual(self.js("return Array.from(document.querySelectorAll('canvas')).filter(c => !(c.getAttribute('aria-label') || '').includes('LPIPS') && !(c.getAttribute('aria-label') || '').includes('BD-rate')).length"), 0)
            self.assertEqual(self.js("return Array.from(document.querySelectorAll('img')).filter(i => !i.alt).length"), 0)


class Works(Case):
    def sorts(self, press):
        self.open("vfi")
        head = self.all("#result thead button")
        self.assertEqual(self.column("result", 1), ["rife", "film", "ema-vfi", "blend", "repeat"])
        index = next(i for i, h in enumerate(head) if h.text.startswith("PSNR"))
        cell = self.js("return arguments[0].parentNode.cellIndex", head[index])
        for expected, told in ((True, "descending"), (False, "ascending")):
            press(head[index])
            values = [float(v.split()[0]) for v in self.column("result", cell)]
            self.assertEqual(values, sorted(values, reverse=expected))
            self.assertEqual(self.js("return arguments[0].parentNode.getAttribute('aria-sort')", head[index]), told)
        self.assertEqual(len(self.all("#result [aria-sort]")), 1)
        press(head[1])
        self.assertEqual(self.column("result", 1), sorted(["rife", "film", "ema-vfi", "blend", "repeat"]))

    def test_sort_by_click(self):
        self.sorts(lambda head: head.click())

    def test_sort_by_keyboard(self):
        def press(head):
            self.js("arguments[0].focus()", head)
            ActionChains(self.driver).send_keys(Keys.ENTER).perform()

        self.sorts(press)

    def test_groups_and_measures(self):
        self.open("vfi")
        before = self.column("result", 2)
        self.one("#result .seg button:nth-child(4)").click()
        hard = self.column("result", 2)
        self.assertNotEqual(before, hard)
        self.choose(self.one("#result select"), "PSNR ↑")
        psnr = [float(v.split()[0]) for v in self.column("result", 2)]
        self.assertEqual(psnr, sorted(psnr, reverse=True))

    def test_hover_clips(self):
        self.open("vfi")
        opacity, title, body = self.hover_point(0, 4, 11)
        want = self.js("const p = document.querySelector('.plot').chart.data.datasets[4].data[11]; return [p.clip, p.y]")
        self.assertEqual(opacity, 1)
        self.assertEqual(title, self.js("const d = JSON.parse(document.getElementById('data').textContent);"
                         "return d.clips[arguments[0]].name + ' (' + d.subsets[d.clips[arguments[0]].subset] + ')'", want[0]))  # fmt: skip
        self.assertEqual(len(body), 5)
        self.assertIn(f" repeat  {want[1]:.4f}", body)

    def test_click_chooses_clip(self):
        self.open("vfi")
        self.hover_point(0, 4, 11)
        ActionChains(self.driver).click().perform()
        clip = self.js("return document.querySelector('.plot').chart.data.datasets[4].data[11].clip")
        self.assertIn(f"clip {clip:02} ", self.all(".plot")[1].find_element(By.TAG_NAME, "p").text)
        self.assertEqual(self.js("return document.querySelectorAll('.plot')[1].querySelector('select').selectedOptions[0].textContent").split()[1], f"{clip:02}")

    def test_hover_frames(self):
        self.open("vfi")
        _, title, body = self.hover_point(1, 0, 10)
        self.assertEqual(title, "Frame 21")
        self.assertEqual(len(body), 5)

    def test_legend(self):
        self.open("vfi")
        button = self.one(".plot .legend button")
        button.click()
        self.assertEqual(button.get_attribute("aria-pressed"), "false")
        self.assertFalse(self.js("return document.querySelector('.plot').chart.isDatasetVisible(0)"))
        self.one("#theme").click()
        self.assertFalse(self.js("return document.querySelector('.plot').chart.isDatasetVisible(0)"))
        self.one(".plot .legend button").click()
        self.assertTrue(self.js("return document.querySelector('.plot').chart.isDatasetVisible(0)"))

    def test_rate_curves(self):
        self.open("codec")
        opacity, title, body = self.hover_point(0, 1, 2)
        self.assertEqual((opacity, title), (1, "x265 crf 32"))
        self.assertRegex(body[0], r"^ 0\.\d{4} at \d+\.\d kbit/s$")
        plot = self.all(".plot")[0]
        self.assertEqual(self.js("return arguments[0].chart.data.datasets.map(d => d.data.length)", plot), [5, 5, 5])
        self.choose(plot.find_elements(By.TAG_NAME, "select")[0], "clip 06")
        self.assertEqual(self.js("return arguments[0].chart.data.datasets.map(d => d.data.length)", plot), [5, 5, 3])
        self.assertEqual(self.js("return arguments[0].chart.scales.x.type", plot), "logarithmic")

    def test_reasons(self):
        self.open("codec")
        self.assertIn("not monotone", self.one("#unscored").text)
        self.assertIn("fewer than 4 points", self.one("#unscored").text)
        self.assertIn("7 of 8 clips", self.one("#result tbody").text)

    def test_filter_and_more(self):
        self.open("vfi")
        self.assertEqual(len(self.all("#results tbody tr")), 25)
        self.into_view(self.one("#results .more")).click()
        self.assertEqual(len(self.all("#results tbody tr")), 120)
        self.into_view(self.one("#results input")).send_keys("film clip 07")
        self.assertEqual(self.column("results", 0), ["film"])

    def test_failed_are_told(self):
        self.open("vfi")
        self.assertEqual(self.one("#facts .bad").text.split(), ["not", "scored", "1"])
        self.assertIn("ends after 12 of 60 frames", self.one("#missing").text)

    def flipped(self, button):
        return [self.js("return getComputedStyle(arguments[0]).visibility", i) for i in button.find_elements(By.TAG_NAME, "img")][1]

    def test_flip(self):
        """By hovering, by the keyboard, by a tap that stays."""
        self.open("pictures")
        button = self.into_view(self.one("#worst button"))
        self.assertEqual(self.js("return Array.from(document.querySelectorAll('#worst img')).every(i => i.naturalWidth > 0)"), True)
        self.assertEqual(self.flipped(button), "hidden")
        ActionChains(self.driver).move_to_element(button).perform()
        self.assertEqual(self.flipped(button), "visible")
        ActionChains(self.driver).move_to_element(self.one("#worst h2")).perform()
        self.assertEqual(self.flipped(button), "hidden")
        self.js("document.getElementById('theme').focus()")
        for _ in range(200):
            ActionChains(self.driver).send_keys(Keys.TAB).perform()
            if self.driver.switch_to.active_element == button:
                break
        self.assertEqual(self.driver.switch_to.active_element, button)
        self.assertEqual(self.flipped(button), "visible")
        self.open("pictures", PHONE)
        button = self.into_view(self.one("#worst button"))
        box = self.js("const r = arguments[0].getBoundingClientRect(); return [r.left + 20, r.top + 20]", button)
        for pressed in ("true", "false"):
            for kind, points in (("touchStart", [{"x": box[0], "y": box[1]}]), ("touchEnd", [])):
                self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            for _ in range(50):
                if button.get_attribute("aria-pressed") == pressed:
                    break
                time.sleep(0.05)
            self.assertEqual(button.get_attribute("aria-pressed"), pressed)

    def test_scale_of_maps(self):
        self.open("pictures")
        self.assertEqual(self.one("#worst .scale").text.split(), ["0", "0.5", "above"])


class Hostile(Case):
    def test_names_are_text(self):
        self.open("hostile")
        self.assertEqual(self.js("return [document.scripts.length, document.querySelectorAll('img').length,"
                         "document.querySelectorAll('iframe, object, embed, link, form, video').length]"), [3, 0, 0])  # fmt: skip
        text = self.js("return document.body.textContent")
        for name in report_test.HOSTILE:
            self.assertIn(name, text)
        self.assertEqual(self.driver.title, report_test.HOSTILE[0])
        for select in self.all("select"):
            self.js("arguments[0].value = arguments[0].options[1].value; arguments[0].dispatchEvent(new Event('change'))", select)
        self.hover_point(0, 3, 3)
        self.assertEqual(self.js("return document.scripts.length"), 3)

    def test_policy_holds(self):
        """Were a name to become markup, nothing would run and nothing would load."""
        self.open("hostile")
        self.js("const d = document.createElement('div'); document.body.appendChild(d); window.ran = 0;"
                "d.innerHTML = '<img src=\"https://leak.invalid/x.png\" onerror=\"window.ran = 1\"><i style=\"color:red\">x</i>';"
                "const s = document.createElement('script'); s.textContent = 'window.ran = 2'; d.appendChild(s);")  # fmt: skip
        time.sleep(0.3)
        self.assertEqual(self.js("return window.ran"), 0)
        self.assertTrue([e for e in self.driver.get_log("browser") if "Content Security Policy" in e["message"]])


class Recorder(unittest.TestCase):
    def test_it_sees_leaks(self):
        """A page that leaks on purpose, in three ways, is seen to."""
        path = os.path.join(folder, "leak.html")
        with open(path, "w", encoding="utf-8") as f:
            f.write("<!doctype html><img src='http://leak.invalid/img.png'><script>"
                    "fetch('http://leak.invalid/fetch').catch(() => 0); new WebSocket('ws://leak.invalid/ws');</script>")  # fmt: skip
        browser.requests()
        browser.driver.get(address(path))
        time.sleep(0.5)
        asked = {url for _, url in browser.requests()}
        self.assertLessEqual({"http://leak.invalid/img.png", "http://leak.invalid/fetch", "ws://leak.invalid/ws"}, asked)
        browser.driver.get_log("browser")


def shots(page, prefix, place=""):
    shown = Browser()
    try:
        for name, size, scheme in (("desktop", DESK, "light"), ("dark", DESK, "dark"), ("phone", PHONE, "light")):
            shown.size(*size)
            shown.scheme(scheme)
            shown.driver.get(address(page))
            shown.driver.execute_script("if (arguments[0]) document.getElementById(arguments[0]).scrollIntoView()", place)
            time.sleep(0.5)
            shown.shot(f"{prefix}-{name}.png")
    finally:
        shown.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--shots"]:
        shots(*sys.argv[2:])
    else:
        unittest.main()
