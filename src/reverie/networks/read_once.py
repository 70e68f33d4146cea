"""A while in which nobody changes the weights of a network, so that what is read off them is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

_Read = TypeVar("_Read")
_READ: ContextVar[dict[tuple[int, str], tuple[object, Any]] | None] = ContextVar("read", default=None)


@contextmanager
def reading_once() -> Iterator[None]:
    """Inside, in this thread, what is read off the weights of a network is read once: for what asks often, and changes none."""
    token = _READ.set({} if (before := _READ.get()) is None else before)
    try:
        yield
    finally:
        _READ.reset(token)


def once(owner: object, what: str, read: Callable[[], _Read]) -> _Read:
    """What `read` gives: outside of `reading_once` anew, inside what it first gave for this owner."""
    kept = _READ.get()
    if kept is None:
        return read()
    if (id(owner), what) not in kept:
        kept[id(owner), what] = (owner, read())  # held, so that no other has its id
    found: _Read = kept[id(owner), what][1]
    return found
