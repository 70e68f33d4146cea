"""The recipes of pictures on disk, read without torch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from reverie import files
from reverie.errors import InputError, ReverieError, choice
from reverie.recipe import NoiseInput, Recipe, of_camera, on_sheet, read
from reverie.store import Kept, expanded


def read_recipe(picture: str | Path) -> Recipe:
    """The recipe that a picture's file carries.

    Raises:
        InputError: it carries none, or one that cannot be used. UnsafeError: one of a size that no recipe has.
    """
    place = expanded(picture)
    text = files.recipe_text(place)
    if text is None:
        raise InputError(f"'{place}' carries no recipe", f"pictures made by Reverie do, unless {choice('with_recipe')} left it out")
    if on_sheet(text) is not None:
        raise InputError(f"'{place}' is a sheet of pictures, which has no recipe of its own", "ask each of them")
    if of_camera(text) is not None:
        raise InputError(f"'{place}' is a film of a camera, which cannot be made again", "dream on a picture, or a film of your own")
    return read(text)


def recipe_at(place: Path) -> Recipe | None:
    """The recipe of what is there; None where nothing is, or nothing that carries one that can be used."""
    try:
        return read_recipe(place) if place.is_file() else None
    except ReverieError:
        return None


def camera_at(place: Path) -> str | None:
    """In words, what film of a camera is there; None where none is."""
    try:
        return of_camera(files.recipe_text(place)) if place.is_file() else None
    except ReverieError:
        return None


def sheet_at(place: Path) -> list[str] | None:
    """What the sheet that is there says of its pictures, see `on_sheet`; None where no sheet of ours is."""
    try:
        return on_sheet(files.recipe_text(place)) if place.is_file() else None
    except ReverieError:
        return None


def made_by_reverie(pictures: Iterable[Path]) -> set[Path]:
    """Those that carry a recipe, or say that they are a sheet; and, of a film in frames, all of its frames."""
    given = list(pictures)
    found: set[Path] = set()
    for each in given:
        try:
            text = files.recipe_text(each)
        except ReverieError:  # damaged: who reads the picture says so
            continue
        if text is None:
            continue
        found.add(each)
        recipe = recipe_at(each)
        if recipe is not None and recipe.moves and each.stem.isdecimal():
            found |= {other for other in given if other.parent == each.parent and other.stem.isdecimal() and other.suffix == each.suffix}
    return found


def kept_inputs(recipe: Recipe) -> dict[str, Path | None]:
    """By its role each file that went in, as the cache holds it; None of one that it does not hold."""
    return {each.role: Kept().find(each.sha256) for each in recipe.inputs if not isinstance(each, NoiseInput)}
