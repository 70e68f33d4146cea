"""A studio for tests: a folder, a queue, an application, and in the place of the process that works one that answers at once."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from PIL import Image

from reverie.errors import OutputError
from reverie.studio.jobs import Home, Queue
from reverie.studio.server import Limits, Studio, application
from reverie.studio.server.addresses import bound, names
from reverie.studio.server.serving import Server, configured

HOST, TOKEN, COOKIE = "127.0.0.1:8123", "t0ken-of-these-tests", "reverie-8123"
HOSTS = frozenset({HOST, "localhost:8123", "[::1]:8123"})
INSIDE = {"host": HOST, "cookie": f"{COOKIE}={TOKEN}", "x-reverie": "1"}
SMALL = Limits(body=4096, upload=200_000, pixels=40_000, seconds=2.0, idle=0.3, uploads=2, inputs=50, streams=3, cameras=2, waiting=6)


def jpeg(side: int = 32, shade: int = 90) -> bytes:
    out = BytesIO()
    Image.new("RGB", (side, side), (shade, 20, 200)).save(out, "JPEG")
    return out.getvalue()


@dataclass
class Worker:
    """Answers what it is told to, and remembers what was asked."""

    answers: dict[str, Any] = field(default_factory=lambda: {
        "checked": None,
        "networks": [{"name": "efficientnet-lite0", "installed": True}],
        "layers": [{"name": "blocks.4.1", "channels": 112}],
        "estimate": {"seconds": 3.0, "bytes": 1000, "words": "about 3 seconds"},
        "recognise": {"labels": [{"index": 1, "label": "goldfish", "probability": 0.5}], "known": None, "remark": ""},
    })  # fmt: skip
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    previews: list[tuple[str, str, Sequence[str], Mapping[str, Any], int]] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    frames: dict[int, bytes] = field(default_factory=dict)
    job_frames: dict[int, bytes] = field(default_factory=dict)
    pages: dict[int, bytes] = field(default_factory=dict)
    cameras: dict[str, list[bytes]] = field(default_factory=dict)
    choices: Mapping[str, Any] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    each: bool = False  # every frame of a camera comes back, not the newest alone
    alive: bool = True
    silent: float = 0.0
    device: str | None = "cpu"

    def start(self) -> None: ...

    def stop(self, timeout: float = 0.0) -> None: ...

    def preview(
        self, session: str, command: str, subjects: Sequence[str], choices: Mapping[str, Any], side: int, patient: bool = False
    ) -> int:
        self.previews.append((session, command, subjects, choices, side))
        return len(self.previews)

    def frame(self, preview: int) -> bytes | None:
        return self.frames.get(preview)

    def job_frame(self, job: int) -> bytes | None:
        return self.job_frames.get(job)

    def job_page(self, job: int) -> bytes | None:
        return self.pages.get(job)

    def cancel_preview(self, preview: int) -> None:
        self.ended.append(preview)

    def ask(self, kind: str, **what: Any) -> Future[Any]:
        self.asked.append((kind, what))
        found: Future[Any] = Future()
        answer = self.answers.get(kind, OutputError("the process ended", "ask again"))
        if isinstance(answer, Exception):
            found.set_exception(answer)
        else:
            found.set_result(answer)
        return found

    def camera(self, session: str, frame: bytes, choices: Mapping[str, Any]) -> None:
        self.cameras.setdefault(session, []).append(frame)
        self.choices = choices

    def camera_frame(self, session: str) -> bytes | None:
        waiting = self.cameras.get(session)
        if not waiting:
            return None
        if self.each:
            return waiting.pop(0)
        newest, self.cameras[session] = waiting[-1], []
        return newest

    def camera_seen(self, session: str) -> Mapping[str, Any] | None:
        return None

    def close_camera(self, session: str) -> None:
        self.closed.append(session)


@dataclass
class Set:
    """A studio, and its application without a server."""

    studio: Studio
    app: FastAPI
    worker: Worker
    queue: Queue
    home: Home
    loop: asyncio.Runner = field(default_factory=asyncio.Runner)

    def close(self) -> None:
        self.loop.close()
        self.studio.close()
        self.queue.close()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """From inside: the right host, the cookie, the page's header."""
        return self.loop.run(asked(self.app, method, path, {**INSIDE, **headers}, body or b""))

    def send(self, method: str, path: str, data: Any) -> Answer:
        """The same with JSON."""
        return self.ask(method, path, json.dumps(data).encode(), **{"content-type": "application/json"})

    def bring(self, content: bytes, name: str = "sky.jpg") -> Answer:
        """The same with a file."""
        body, kind = multipart(content, name)
        return self.ask("POST", "/api/inputs", body, **{"content-type": kind})


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


def made(folder: Path, limits: Limits = SMALL) -> Set:
    home = Home(folder)
    queue, worker = Queue(home), Worker()
    studio = Studio(home, queue, worker, limits)
    return Set(studio, application(studio, token=TOKEN, hosts=HOSTS, cookie=COOKIE), worker, queue, home)


@contextmanager
def served(found: Set) -> Iterator[tuple[str, int]]:
    """Its application behind a real server on this machine: host and port. The port is one of its names."""
    with bound("127.0.0.1", 0) as listening:
        host, port = listening.getsockname()
        app = application(found.studio, token=TOKEN, hosts=names(host, port), cookie=COOKIE)
        ready = threading.Event()
        server = Server(configured(app, found.studio.limits), found.studio, ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert ready.wait(20)
            yield host, port
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def multipart(content: bytes, name: str, field: str = "file") -> tuple[bytes, str]:
    """A body with one file, and its content type."""
    head = f'--edge\r\ncontent-disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode(errors="surrogatepass")
    return head + content + b"\r\n--edge--\r\n", "multipart/form-data; boundary=edge"


def scope_of(method: str, path: str, headers: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """What a server says of a request. Names of headers are in small letters."""
    path, _, query = path.partition("?")
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 8123), "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }  # fmt: skip


async def asked(app: FastAPI, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
    """What an application answers to one request, without a server between."""
    came, gone, found = iter([{"type": "http.request", "body": body, "more_body": False}]), asyncio.Event(), []

    async def receive() -> Any:
        with suppress(StopIteration):
            return next(came)
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        found.append(message)

    await app(scope_of(method, path, headers.items()), receive, send)
    gone.set()
    said = {name.decode().lower(): value.decode("latin-1") for name, value in found[0]["headers"]}
    return Answer(found[0]["status"], said, b"".join(each.get("body", b"") for each in found[1:]))
