"""Where results go, under which names, and how they are written and told of."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.cli.console import remark, say
from reverie.errors import Interrupted, OutputError
from reverie.store import check_place, exists, expanded, is_folder

if TYPE_CHECKING:
    from reverie.pictures import Picture
    from reverie.recipe import Recipe


def place_for(output: Path | None, many: bool) -> Path | None:
    """The file or folder asked for, if it can be; a folder where there are several results."""
    if output is None:
        return None
    place = expanded(output)
    if is_folder(place):
        return place
    if many:
        fault = "is not a folder" if place.suffix else "does not exist"
        raise OutputError(f"'{place}' {fault}, and several results need a folder", f"make one first: mkdir -p '{place.with_suffix('')}'")
    if not place.suffix and is_folder(place.parent):
        raise OutputError(f"'{place}' is no folder", f"make it first: mkdir -p '{place}', or name a file such as '{place}.png'")
    check_place(place)
    return place


def within(place: Path | None, name: str) -> Path:
    """The file asked for, or one of this name in the folder asked for, or here."""
    return place if place is not None and not is_folder(place) else (place or Path()) / name


def speakable(text: str, longest: int = 80) -> str:
    """A text as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9._#@+-]+", "_", text).strip("_")[:longest] or "_"


def fitting(stem: str, rest: int) -> str:
    """As much of `stem` as a file's name has room for beside `rest` bytes."""
    while len(os.fsencode(stem)) > 255 - rest:
        stem = stem[:-1]
    return stem


def ready(path: Path, start: Picture, recipe: Recipe, force: bool, no_recipe: bool) -> None:
    """Find out now whether the result can be written, not after minutes of work."""
    from dataclasses import replace

    places = start.places(path)
    check_place(path, room=start.size[0] * start.size[1] // 4)  # a dream is never packed into less
    for each in places[1:]:
        check_place(each, room=4 * start.pixels.numel())
    for edge in (start.pixels[:, :1, :], start.pixels[:, :, :1]):  # as wide and as high as the result, for formats with a limit
        alpha = edge[0] if recipe.finish.opacity else None if start.alpha is None else start.alpha.min().expand(edge.shape[1:])
        replace(start, pixels=edge, alpha=alpha, recipe=recipe).encode(path.suffix, with_recipe=not no_recipe)
    there = next((each for each in places if each.exists()), None)
    if there is not None and not force and not replace(start, recipe=recipe).is_at(path):
        raise exists(there)


def saved(picture: Picture, path: Path, force: bool, no_recipe: bool, json: bool, told: set[str] | None = None) -> dict[str, Any]:
    """Save it and print its path at once; with `json` all are printed at the end. Notes that were `told` are not told again."""
    stopped = picture.recipe is not None and picture.recipe.stopped is not None
    if stopped and not force and path.exists() and not picture.is_at(path):
        raise Interrupted("stopped early", f"'{path}' was there before and is left as it was")
    picture.save(path, force=force, with_recipe=not no_recipe)
    for note in picture.notes:
        if told is None or note not in told:
            remark(note)
        if told is not None:
            told.add(note)
    places = picture.places(path)
    if not json:
        for each in places:
            say(str(each))
    recipe = None if picture.recipe is None else picture.recipe.model_dump(mode="json")
    channels = {"channels": str(places[1])} if len(places) > 1 else {}
    return {"path": str(path), **channels, "recipe": recipe, "seconds": round(picture.seconds or 0.0, 3), "score": picture.score}


def stopped_early(unfinished: int) -> Interrupted:
    so_far = "the last picture is what had been dreamt so far; its recipe says where it stopped"
    return Interrupted("stopped early", so_far if unfinished else "")


def strip_place(path: Path, recipe: Recipe, force: bool) -> Path:
    """Where the pictures from along the way go."""
    from reverie.pictures import made_by

    place = path.with_name(f"{path.stem}-making.png")
    check_place(place)
    if place.exists() and not force and not made_by(place, recipe):
        raise exists(place)
    return place


def save_strip(picture: Picture, place: Path, force: bool, no_recipe: bool, json: bool) -> str:
    from reverie.pictures import Picture, strip

    frames = tuple(picture.colours_of(each) for each in picture.making)
    Picture(strip(frames), recipe=picture.recipe).save(place, force=force, with_recipe=not no_recipe)
    if not json:
        say(str(place))
    return str(place)


def save_sheet(pictures: Sequence[Picture], labels: Sequence[str], place: Path, force: bool, json: bool) -> str:
    """A labelled contact sheet; a unit that never fired has an empty place on it."""
    from reverie.pictures import sheet

    sheet(pictures, labels).save(place, force=force)
    if not json:
        say(str(place))
    return str(place)
