"""A studio from its start to its end: the folder is locked, the socket bound, the worker started, the address told."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import psutil
import uvicorn
from fastapi import FastAPI

from reverie.errors import OutputError, UsageError, choice
from reverie.studio.jobs import Home, Queue
from reverie.studio.jobs.worker import Worker
from reverie.studio.server.application import application
from reverie.studio.server.limits import Limits
from reverie.studio.server.studio import Studio

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_PATIENCE = 5  # seconds that open requests may take to end
_AT_ONCE = 400  # connections


def serve(folder: Path, *, host: str = "127.0.0.1", port: int = 0, ready: Callable[[str], None]) -> None:
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
        app, log_config=None, access_log=False, server_header=False, proxy_headers=False, lifespan="on", limit_concurrency=_AT_ONCE,
        timeout_graceful_shutdown=_PATIENCE, timeout_keep_alive=30, ws_max_size=limits.frame + 1,
    )  # fmt: skip


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


@contextlib.contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens there.

    Raises:
        UsageError: no such host on this machine, or no such port. OutputError: the port is taken, or not for everybody.
    """
    if not 0 <= port <= 65535:
        raise UsageError(choice("port", port), "give a number from 1 to 65535, or 0 for any that is free")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        found = socket.create_server(address[:2], family=family)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            why = "is taken" if error.errno == errno.EADDRINUSE else "is not for everybody"
            raise OutputError(f"the port {port} {why}", f"give another with {choice('port', 'N')}, or 0 for any that is free") from error
        raise UsageError(f"{choice('host', host)} is no address of this machine", "give one of its own, or 0.0.0.0 for all") from error
    with found:
        yield found


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can reach a server there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def names(host: str, port: int) -> frozenset[str]:
    """How browsers may call a server there: every name and address of this machine that leads to it, with the port."""
    found = {*_LOOPBACK, shown(host)}
    if _is_everywhere(host):
        own = socket.gethostname().lower()
        found |= {own, f"{own}.local", *(_bracketed(each) for each in _addresses())}
    return frozenset({f"{each.lower()}:{port}" for each in found} | (set(found) if port == 80 else set()))


def shown(host: str) -> str:
    """The host as an address has it; of a server at every address of this machine, one that others reach it by."""
    if _is_everywhere(host):
        return next((_bracketed(each) for each in _addresses() if not is_loopback(each)), _LOOPBACK[0])
    return _bracketed(host)


def _is_everywhere(host: str) -> bool:
    return host in ("", "0.0.0.0", "::", "[::]")


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address and not address.startswith("[") else address


def _addresses() -> list[str]:
    """Of this machine: IPv4 before IPv6, without those that need the name of an interface."""
    wanted = {socket.AF_INET: 0, socket.AF_INET6: 1}
    found = [each for rows in psutil.net_if_addrs().values() for each in rows if each.family in wanted and "%" not in each.address]
    return [each.address for each in sorted(found, key=lambda each: wanted[each.family])]
