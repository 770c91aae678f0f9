"""A headless Chromium for tests of pages; skipped where it is not installed."""

import base64
import json
import os
import pathlib
import shutil
import tempfile
import unittest

try:
    from selenium import webdriver
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
except ImportError:
    webdriver = ActionChains = By = Keys = None

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
DESK, PHONE = (1280, 900, False), (390, 844, True)


def need():
    """Skips the tests of a module that cannot run here."""
    if not webdriver or not CHROMIUM or not DRIVER:
        raise unittest.SkipTest("Chromium, its driver and selenium are not all here: sh tools/deps.sh browser")


class Browser:
    """A Chromium that knows no name of any host, and a record of what its pages ask for."""

    def __init__(self, *more):
        """more: flags, which come last and so win."""
        self.home = tempfile.mkdtemp(prefix="report-browser-")
        options = Options()
        options.binary_location = CHROMIUM
        for flag in ("--headless=new", "--disable-gpu", "--hide-scrollbars", "--force-color-profile=srgb",
                     "--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking", "--no-first-run",
                     f"--user-data-dir={self.home}/profile", *more):  # fmt: skip
            options.add_argument(flag)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        env = dict(os.environ, HOME=self.home, XDG_CONFIG_HOME=self.home, XDG_CACHE_HOME=self.home)
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER, env=env))
        self.driver.execute_cdp_cmd("Network.enable", {})

    def size(self, width, height, phone, ratio=1):
        """ratio: pixels of the screen in one of CSS."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": ratio, "mobile": phone},
        )
        self.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": phone})

    def scheme(self, name):
        media = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})

    def requests(self):
        """(kind, address) of all that was asked for since the last call, but for what the page's
        own policy held back and what Chromium's own pages, such as its first tab, load late."""
        found = {}
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            told = message["params"]
            if told.get("documentURL", "").startswith("chrome"):
                continue
            if message["method"] == "Network.requestWillBeSent":
                found[told["requestId"]] = (told.get("type"), told["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                found[told["requestId"]] = ("WebSocket", told["url"])
            elif message["method"] == "Network.loadingFailed" and told.get("blockedReason") == "csp":
                found.pop(told["requestId"], None)
        return list(found.values())

    def shot(self, path):
        """What is seen, as a PNG."""
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.driver.execute_cdp_cmd("Page.captureScreenshot", {})["data"]))

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.home, ignore_errors=True)


def address(path):
    return pathlib.Path(path).resolve().as_uri()


class PageCase(unittest.TestCase):
    """What tests of a page say to `driver`."""

    driver = None

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)
