"""`reverie studio` as people have it: the command, as a process of its own, and what a program asks of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from select import select
from typing import Any

from tests.helpers.studio_server import multipart

OVER = ("done", "failed", "cancelled", "aside")
PATIENCE = 180.0  # seconds for what a slow machine needs a few for


class RealStudio:
    """A studio that runs.

    Args:
        folder: its home. port: 0 takes a free one, which each later start takes again.

    Attributes:
        address: with the token of this start. started: seconds from the command to its address.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder, self.port = folder, port
        self.start()

    def start(self) -> None:
        began = time.monotonic()
        words = [sys.executable, "-m", "reverie", "studio", "--no-browser", "--home", str(self.folder), "--port", str(self.port)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
        assert self.process.stdout is not None and self.process.stderr is not None
        self.address = self.process.stdout.readline().strip()
        self.started = time.monotonic() - began
        assert self.address, self.process.stderr.read()
        self.base, _, self.token = self.address.partition("/?token=")
        self.port = int(self.base.rpartition(":")[2])

    def kill(self) -> None:
        """As the machine does when memory is short. The process that works ends by itself, and is not waited for."""
        self.process.kill()
        self._gone()

    def end(self) -> int:
        """As Ctrl-C does; its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self._gone()

    def _gone(self) -> int:
        self.process.communicate(timeout=60)
        return int(self.process.returncode)

    def answered(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (in small letters) and content."""
        line = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            line.request(method, path, body, {"cookie": f"reverie-{self.port}={self.token}", "x-reverie": "1", **headers})
            answer = line.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            line.close()

    def listened(self, ends: float) -> int:
        """Listen to what happens, as a page does, until that moment of the monotonic clock; how many bytes were told."""
        line, told = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE), 0
        try:
            line.request("GET", "/api/events", headers={"cookie": f"reverie-{self.port}={self.token}"})
            answer, socket = line.getresponse(), line.sock
            assert answer.status == 200
            while (left := ends - time.monotonic()) > 0:
                if select([socket], [], [], left)[0]:  # a read that timed out would be the last of its connection
                    told += len(socket.recv(1 << 16))
        finally:
            line.close()
        return told

    def ask(self, method: str, path: str, data: Any = None) -> Any:
        """What it answers, as JSON has it."""
        body = None if data is None else json.dumps(data).encode()
        status, _, content = self.answered(method, path, body, **{"content-type": "application/json"})
        assert status < 300, (method, path, status, content)
        return json.loads(content) if content else None

    def bring(self, content: bytes, name: str = "sky.png") -> str:
        """The reference of a picture that is handed in."""
        body, kind = multipart(content, name)
        status, _, found = self.answered("POST", "/api/inputs", body, **{"content-type": kind})
        assert status < 300, found
        return f"input:{json.loads(found)['input']}"

    def order(self, command: str, subject: str, choices: dict[str, Any]) -> int:
        """The number of a new job."""
        return int(self.ask("POST", "/api/jobs", {"command": command, "subjects": [subject], "choices": choices})["id"])

    def job(self, number: int) -> dict[str, Any]:
        return dict(self.ask("GET", f"/api/jobs/{number}"))

    def until(self, holds: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Look again and again until it is so."""
        ends = time.monotonic() + patience
        while not holds():
            assert time.monotonic() < ends, self.ask("GET", "/api/state")["jobs"]
            time.sleep(0.05)


@contextmanager
def opened_studio(folder: Path) -> Iterator[RealStudio]:
    found = RealStudio(folder)
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.end()
