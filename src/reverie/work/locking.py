"""A folder that one process works in at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from reverie.errors import OutputError, choice

_ELSEWHERE = f"choose another place with {choice('output')}"
_HIDDEN = ".reverie.lock"  # in folders that people look into


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder is ours for as long as the block lasts, and holds a hidden file. A process that is killed holds it no more.

    Raises:
        OutputError: another process is at work in it, or it cannot be written.
    """
    place = folder / _HIDDEN
    lock = acquired(place, folder)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows cannot remove what is open
            place.unlink()
        lock.release()


def acquired(place: Path, folder: Path) -> FileLock:
    """The lock of a folder at this place, held. Raises as `locked`."""
    lock = FileLock(place, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise OutputError(f"another process is at work in '{folder}'", f"let it finish, or {_ELSEWHERE}") from None
    except OSError as error:
        raise OutputError(f"'{folder}' cannot be locked ({error.strerror or error})", _ELSEWHERE) from error
    return lock
