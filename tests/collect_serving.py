"""A running `lpips-learn collect serve`, for tests."""

import http.client
import json
import os
import re
import signal
import subprocess

from trials import LEARN


class Server:
    def __init__(self, case, *arguments, folder="study"):
        self.case = case
        self.process = subprocess.Popen([LEARN, "collect", "serve", folder, "--port", "0", *arguments], cwd=case.folder,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        case.addCleanup(self.end)
        self.said = self.process.stderr.readline()
        os.set_blocking(self.process.stdout.fileno(), False)
        self.links = dict(line.split("\t") for line in self.process.stdout.read().splitlines())
        first = re.fullmatch(r"http://([^/]*):(\d+)/[0-9a-f]{32}/", self.links["1"])
        self.host, self.port = first[1], int(first[2])

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.case.assertEqual(self.process.wait(20), 0 if how == signal.SIGTERM else -how)
        self.process.stdout.close()
        self.process.stderr.close()

    def path(self, rater, rest=""):
        return "/" + self.links[str(rater)].split("/")[3] + "/" + rest

    def ask(self, method, path, body=None):
        """(status, headers, text); a body that is no text goes in chunks."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            c.request(method, path, body, encode_chunked=True)
            r = c.getresponse()
            return r.status, dict(r.getheaders()), r.read()
        finally:
            c.close()

    def answer(self, rater, one):
        return self.ask("POST", self.path(rater, "answer"), json.dumps(one))
