"""A server on this machine for tests of downloads: it sends files whole, in part, or otherwise, and remembers what was asked of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """What the server does with a path.

    Attributes:
        content: of the file. etag: its label; empty for none. ranges: whether parts can be asked for.
        stop: bytes after which the connection breaks, once, or `always`. hang: seconds before anything is sent.
        more: bytes beyond what was promised.
        code, location: of an answer without a file. extra: headers.
    """

    content: bytes = b""
    etag: str = '"one"'
    ranges: bool = True
    stop: int | None = None
    always: bool = False
    hang: float = 0.0
    more: int = 0
    code: int = 200
    location: str = ""
    extra: dict[str, str] = field(default_factory=dict)


@dataclass
class Server:
    url: str
    files: dict[str, Served]
    asked: list[tuple[str, str, dict[str, str]]]  # method, path, headers
    sent: list[int]  # bytes of each answer


@contextmanager
def server(**files: Served) -> Iterator[Server]:
    """Serve these files under their names until the end of the `with`."""
    state = Server("", dict(files), [], [])

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            state.asked.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
            file = state.files.get(self.path.lstrip("/").partition("?")[0])
            if file is None:
                self.send_error(404)
                return
            time.sleep(file.hang)
            begin = 0
            wanted = self.headers.get("Range", "")
            unchanged = self.headers.get("If-Range", file.etag) == file.etag
            if file.ranges and wanted.startswith("bytes=") and unchanged and file.code == 200:
                begin = int(wanted[6:].partition("-")[0])
            if begin > len(file.content):
                self.send_error(416)
                return
            self.send_response(206 if begin else file.code)
            if file.location:
                self.send_header("Location", file.location)
            if file.etag:
                self.send_header("ETag", file.etag)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(file.content) - 1}/{len(file.content)}")
            for name, value in file.extra.items():
                self.send_header(name, value)
            rest = file.content[begin:]
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            if not body:
                return
            if file.stop is not None:
                rest, file.stop = rest[: file.stop], file.stop if file.always else None
                self.close_connection = True
            rest += bytes(file.more)
            state.sent.append(len(rest))
            self.wfile.write(rest)

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{listening.server_address[1]}"
    try:
        yield state
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
