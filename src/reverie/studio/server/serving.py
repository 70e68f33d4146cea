"""A studio from its start to its end: the folder is locked, the socket bound, the worker started, the address told."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from reverie.studio.jobs import Home, Queue
from reverie.studio.jobs.worker import Worker
from reverie.studio.server.addresses import LOOPBACK, bound, names, shown
from reverie.studio.server.application import application
from reverie.studio.server.limits import Limits
from reverie.studio.server.studio import Studio

_PATIENCE = 5  # seconds that open requests may take to end
_AT_ONCE = 400  # connections


def serve(folder: Path, *, host: str = LOOPBACK, port: int = 0, ready: Callable[[str], None]) -> None:
    """Serve a studio until SIGTERM or Ctrl-C; a job that runs goes on at the next start.

    Args:
        folder: of the studio, made where it is not there.
        host: the address or name of this machine to listen at. port: 0 takes a free one.
        ready: is told the address with its token, once it answers.

    Raises:
        UsageError: the host is not of this machine. OutputError: the port is taken, or the folder is another studio's or not writable.
    """
    home = Home(folder)
    with home.serving(), bound(host, port) as listening:
        taken = listening.getsockname()[1]
        token = secrets.token_urlsafe(32)
        queue, worker, limits = Queue(home), Worker(home), Limits()
        studio = Studio(home, queue, worker, limits)
        app = application(studio, token=token, hosts=names(host, taken), cookie=f"reverie-{taken}")
        worker.start()
        try:
            Server(configured(app, limits), studio, lambda: ready(f"http://{shown(host)}:{taken}/?token={token}")).run(sockets=[listening])
        finally:
            worker.stop(_PATIENCE)
            studio.close()
            queue.close()


def configured(app: FastAPI, limits: Limits) -> uvicorn.Config:
    """How the application is served: nothing is logged, since addresses hold the token, and no other server's word of a client is taken."""
    return uvicorn.Config(
        app, http=cast(Any, partial(_Line, limits.idle)), log_config=None, access_log=False, server_header=False, proxy_headers=False,
        lifespan="on", limit_concurrency=_AT_ONCE, timeout_graceful_shutdown=_PATIENCE, timeout_keep_alive=30,
        ws_max_size=limits.frame + 1,
    )  # fmt: skip


class _Line(H11Protocol):
    """A connection that is closed where no whole head of a request comes on it in time."""

    def __init__(self, patience: float, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._patience = patience

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(self._patience, self._end_if_nothing_came)

    def _end_if_nothing_came(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


class Server(uvicorn.Server):
    """Uvicorn's server: it says when it answers, and ends streams of events before it waits for what is open."""

    def __init__(self, config: uvicorn.Config, studio: Studio, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._studio, self._ready = studio, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._studio.pulse.close()
        await super().shutdown(sockets=sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Inside, SIGTERM and Ctrl-C end the server. Uvicorn would raise them once more afterwards, and the process would die of it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def end(_number: int, _frame: FrameType | None) -> None:
            self.force_exit, self.should_exit = self.should_exit, True

        before = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
