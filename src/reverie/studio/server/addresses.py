"""Where a studio listens, and by which names this machine may be called."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
from collections.abc import Iterator

import psutil

from reverie.errors import OutputError, UsageError, choice

LOOPBACK = "127.0.0.1"
_LOOPBACK = (LOOPBACK, "localhost", "[::1]")


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
        return next((_bracketed(each) for each in _addresses() if not is_loopback(each)), LOOPBACK)
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
