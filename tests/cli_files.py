#!/usr/bin/env python3
"""lpips REFERENCE DISTORTED...: what files ask for: addresses, being turned."""

import os
import socket
import subprocess
import threading
import time
import unittest

from program import JPEG, LPIPS, TIMEOUT, ZERO
from program import Case, png, turned


class Turned(Case):
    """What is stored turned is compared as it is stored, with its like only."""

    def test_turned(self):
        self.write("1.jpg", JPEG)
        for orientation, words in (2, "180 degrees and mirror it"), (3, "180"), (6, "90"), (8, "270"):
            name = self.write(f"{orientation}.jpg", turned(orientation))
            run = self.lpips(name, name)
            self.assertEqual(run.scores, [ZERO])
            self.assertIn(f"{name} asks players to turn it; it is compared as it is stored", run.err)
            run = self.lpips(name, "1.jpg", "-q", code=2)
            self.assertRegex(run.err, f"turn the reference by {words}.*, and the distorted by 0, but")
        run = self.lpips("6.jpg", "8.jpg", "6.jpg", code=2)
        self.assertEqual(run.scores, ["failed", ZERO])


class Pipes(Case):
    def test_picture_by_a_name(self):
        """A named pipe gives what is in it but once: it is not looked into first."""
        pictures = [png([bytes((x * k * 3 + y) % 256 for x in range(144)) for y in range(48)], 48) for k in (1, 2)]
        for name, data in zip(("a.png", "b.png"), pictures):
            self.write(name, data)
        wanted = self.score("a.png", "b.png")
        os.mkfifo(self.path("pipe"))
        writer = threading.Thread(target=self.write, args=("pipe", pictures[1]))
        writer.start()
        self.assertEqual(self.score("a.png", "pipe"), wanted)
        writer.join()


class Strangers(Case):
    """Files that name addresses: none is asked, unless the user wrote it."""

    FILES = {
        "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}/a.ts\n#EXT-X-ENDLIST\n",
        "b.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{url}/b.m3u8\n",
        "c.ffconcat": "ffconcat version 1.0\nfile '{url}/c.ts'\n",
        "d.mpd": '<MPD type="static"><Period><BaseURL>{url}/</BaseURL><AdaptationSet contentType="video">'
        '<Representation id="1"><SegmentList><SegmentURL media="d.mp4"/></SegmentList>'
        "</Representation></AdaptationSet></Period></MPD>",
    }

    def setUp(self):
        super().setUp()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.server.close)
        self.server.setblocking(False)
        self.url = "http://127.0.0.1:%d" % self.server.getsockname()[1]

    def asked(self):
        try:
            self.server.accept()[0].close()
            return True
        except BlockingIOError:
            return False

    def test_addresses(self):
        for name, text in self.FILES.items():
            data = text.format(url=self.url).encode()
            self.write(name, data)
            self.lpips(name, name, code=2)
            self.assertFalse(self.asked(), name)
            self.lpips("-", name, code=2, input=data)
            self.assertFalse(self.asked(), f"{name} by standard input")

    def test_users_own(self):
        """What the user wrote is asked; so the test above would notice."""
        null = subprocess.DEVNULL
        p = subprocess.Popen([LPIPS, self.url + "/a.png", "b.png"], cwd=self.folder, stdout=null, stderr=null)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        deadline = time.monotonic() + TIMEOUT
        while not (asked := self.asked()) and time.monotonic() < deadline and p.poll() is None:
            time.sleep(0.02)
        self.assertTrue(asked)


if __name__ == "__main__":
    unittest.main()
