"""How large a picture, or a frame of a film, may claim to be: one limit, set once around all that reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_limit: ContextVar[int | None] = ContextVar("_limit", default=None)


@contextmanager
def at_most_pixels(count: int) -> Iterator[None]:
    """Inside, a picture or a frame of more pixels, width × height, is refused before anything of it is decoded.

    It holds for this thread, and for films whose reading begins inside. In the body of a generator it would hold for whoever consumes
    that too: put it around the reading alone, never around a `yield`.
    """
    token = _limit.set(count)
    try:
        yield
    finally:
        _limit.reset(token)


def most_pixels() -> int:
    """How many pixels a picture may have here; `MAX_PIXELS` where nobody said otherwise."""
    limit = _limit.get()
    if limit is None:
        from reverie.recipe import MAX_PIXELS  # a process that decodes is told its limit, and starts without pydantic

        return MAX_PIXELS
    return limit
