"""Numbers that are handed in, checked."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from reverie.errors import UsageError
from reverie.recipe import MOST_SEED, MOST_THREADS
from reverie.target import brief


def seeded(seed: Any) -> int:
    return whole("--seed", seed, 0, MOST_SEED)


def threaded(threads: Any) -> int | None:
    return None if threads is None else whole("--threads", threads, 1, MOST_THREADS)


def sides(size: int | tuple[int, int]) -> tuple[int, int]:
    """(height, width) from a side or both."""
    height, width = size if isinstance(size, tuple) and len(size) == 2 else (size, size)
    return whole("--size", height, 1), whole("--size", width, 1)


def whole(flag: str, value: Any, least: int, most: int | None = None) -> int:
    number = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else least - 1
    if number < least or (most is not None and number > most):
        raise UsageError(f"{flag} {brief(str(value))}", f"it is a whole number from {least} " + ("on" if most is None else f"to {most}"))
    return number
