"""Keywords into the recipe's choices."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any, NamedTuple

from reverie.errors import UsageError, unknown
from reverie.recipe import BASES, GROUPS, MOST_SEED, MOST_THREADS, OF_DREAMS, Ascent, Canvas, Command, Finish, Penalties, Transforms, choose
from reverie.target import brief


class Choices(NamedTuple):
    """What is chosen, and what every command needs beside it."""

    canvas: Canvas
    ascent: Ascent
    transforms: Transforms
    penalties: Penalties
    finish: Finish

    def fields(self) -> dict[str, Any]:
        """By the names of the recipe's fields."""
        return self._asdict()


def chosen(command: Command, preset: Mapping[str, Any], given: Mapping[str, Any]) -> Choices:
    """The command's own choices, what a preset changes, and what was given; a later one goes before.

    Raises:
        UsageError: a choice that does not exist, or a value out of bounds.
    """
    known = {name for group in GROUPS for name in group.model_fields}
    for name in given:
        if name not in known:
            raise unknown("choice", name, known)
    merged = {**BASES[command], **preset, **{name: value for name, value in given.items() if value is not None}}
    groups = [choose(group, **{name: value for name, value in merged.items() if name in group.model_fields}) for group in GROUPS]
    found: Any = Choices(*groups)  # type: ignore[arg-type]
    result: Choices = found
    kind = result.canvas.canvas
    for name in ("tone", "spread", "smoothing") if kind == "maco" else ():
        if given.get(name) not in (None, "free"):
            raise UsageError(f"--{name} on the canvas '{kind}'", "it changes nothing there: leave one of them out")
    for name in OF_DREAMS:
        if command != "dream" and given.get(name):
            raise UsageError(f"--{name.replace('_', '-')} of a picture from noise", "it needs a start: `reverie dream` has one")
    return result


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
