"""What a command's own choices, a preset and keywords come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from reverie.errors import UsageError, unknown
from reverie.recipe.choices import GROUPS, Ascent, Canvas, Finish, Penalties, Transforms
from reverie.recipe.model import Command
from reverie.recipe.presets import BASES, OF_DREAMS
from reverie.recipe.reading import choose


class Choices(NamedTuple):
    """What is chosen, by the names of the recipe's fields."""

    canvas: Canvas
    ascent: Ascent
    transforms: Transforms
    penalties: Penalties
    finish: Finish


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
    result = Choices(*cast(Any, groups))
    if result.canvas.canvas == "maco":
        for name in ("tone", "spread", "smoothing"):
            if given.get(name) not in (None, "free"):
                raise UsageError(f"--{name} on the canvas 'maco'", "it changes nothing there: leave one of them out")
    for name in OF_DREAMS:
        if command != "dream" and given.get(name):
            raise UsageError(f"--{name.replace('_', '-')} of a picture from noise", "it needs a start: `reverie dream` has one")
    return result
