"""The recipes of pictures on disk, read without torch."""

from __future__ import annotations

from pathlib import Path

from reverie import files
from reverie.errors import InputError, choice
from reverie.recipe import Recipe, read
from reverie.store import expanded


def read_recipe(picture: str | Path) -> Recipe:
    """The recipe that a picture's file carries.

    Raises:
        InputError: it carries none, or one that cannot be used. UnsafeError: one of a size that no recipe has.
    """
    place = expanded(picture)
    text = files.recipe_text(place)
    if text is None:
        raise InputError(f"'{place}' carries no recipe", f"pictures made by Reverie do, unless {choice('with_recipe')} left it out")
    return read(text)
