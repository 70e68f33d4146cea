"""`reverie recipe PICTURE --start`: what went into a picture, given back from the cache. It needs no torch."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from reverie.album import kept_inputs
from reverie.cli.console import print_json, remark, say
from reverie.cli.outputs import named, numbered, tell_taken
from reverie.errors import InputError, OutputError, choice
from reverie.files.input_files import READABLE, suffix_of
from reverie.recipe import GivingBack, NoiseInput, Recipe
from reverie.store import Destination, beside, check_place, expanded, sha256_of

_ALIKE = {
    ".jpg": {".jpg", ".jpeg", ".jpe", ".jfif"}, ".tif": {".tif", ".tiff"}, ".png": {".png", ".apng"}, ".heic": {".heic", ".heif"},
    ".mp4": {".mp4", ".m4v", ".mov"},
}  # fmt: skip


def give_back(picture: str, recipe: Recipe, giving: GivingBack, as_json: bool) -> None:
    """Write what went in and is kept, byte for byte. Nothing that is there is written over."""
    kept = kept_inputs(recipe)
    if not giving.inputs:
        kept = {role: place for role, place in kept.items() if role in ("start", "film")}
    if not kept:
        raise InputError(f"'{picture}' began with noise", "there is no start to give back: the seed in its recipe makes it again")
    lost = [role for role, place in kept.items() if place is None]
    if len(lost) == len(kept):
        digests = ", ".join(each.sha256 for each in recipe.inputs if not isinstance(each, NoiseInput) and each.role in lost)
        raise InputError(f"the {' and the '.join(lost)} of '{picture}' is not kept (sha256 {digests})", "look for a copy of your own")
    there = Destination(giving.output, giving.inputs, READABLE)
    rows = []
    for role, place in kept.items():
        if place is None:
            remark(f"the {role} is not kept")
            continue
        suffix = suffix_of(_start_of(place))
        path = _placed(there, named(expanded(picture).stem, f"-{role}{suffix}"), suffix, place)
        rows.append({"path": str(path), "role": role, "sha256": place.name})
        if not as_json:
            say(str(path))
    if as_json:
        print_json(rows)


def _placed(there: Destination, name: str, suffix: str, content: Path) -> Path:
    """The file with this content, written unless it is there already; a name of ours that is taken by another is not used.

    A name that was given and ends as another kind of picture would be read wrongly by others: the file gets its own `suffix`.
    """
    first = given = there.file(name)
    if suffix and given.suffix.lower() not in _ALIKE.get(suffix, {suffix}):
        first = given.with_suffix(suffix)
    for path in numbered(first):
        if not os.path.lexists(path):
            check_place(path) if there.folder is None else there.made()
            if path != first:
                tell_taken(first, path, "with another content")
            elif first != given:
                remark(f"what went in is a {suffix}, and is given back byte for byte: it goes to '{path}', not to '{given}'")
            with beside(path) as part:
                shutil.copyfile(content, part)
            return path
        if path.is_file() and sha256_of(path) == sha256_of(content):
            remark(f"'{path}' is it, and is there already")
            return path
        if there.folder is None:
            raise OutputError(f"'{path}' exists already, and its content is another", f"give another name with {choice('output')}")
    raise AssertionError("numbers end")


def _start_of(place: Path) -> bytes:
    with place.open("rb") as file:
        return file.read(64)
