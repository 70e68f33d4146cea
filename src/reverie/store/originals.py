"""Files that go in: nothing that Reverie writes goes over them, by whatever name or link they are reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from reverie.errors import OutputError, choice, typed

_Identity = tuple[int, int]  # of a file, whatever it is called: its device and number there
_held: ContextVar[frozenset[_Identity]] = ContextVar("_held", default=frozenset())


@contextmanager
def originals(files: Iterable[Path]) -> Iterator[None]:
    """Inside, these files are written over by nothing, forced or not. What is no file that is there counts for nothing.

    It holds for this thread. In the body of a generator it would hold for whoever consumes that too: never put it around a `yield`.
    """
    token = _held.set(_held.get() | {found for each in files if (found := _identity(each)) is not None})
    try:
        yield
    finally:
        _held.reset(token)


def check_not_original(place: Path) -> None:
    """Raise OutputError where one of them is at this place."""
    if _held.get() and _identity(place) in _held.get():
        raise is_original(place)


def check_no_original_in(folder: Path) -> None:
    """Raise OutputError where one of them is anywhere in a folder of which files will be replaced or removed."""
    if _held.get():
        for each in folder.rglob("*"):
            check_not_original(each)


def is_original(place: Path) -> OutputError:
    return OutputError(f"'{place}' is what goes in, and is never written over", "give another name" + typed(f" with {choice('output')}"))


def _identity(place: Path) -> _Identity | None:
    with suppress(OSError, ValueError):  # no file, or no name of one
        found = place.stat()
        if place.is_file():
            return found.st_dev, found.st_ino
    return None
