"""What people bring: checked as a stranger's, kept by its hash, and never named by a path from then on."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Literal

from reverie import files
from reverie.errors import InputError, ReverieError, UnsafeError, printable
from reverie.files.input_files import kind_of, reading
from reverie.files.limits import at_most_pixels
from reverie.networks.builtin.catalogue import level_at
from reverie.recipe import Recipe, of_camera, on_sheet, read
from reverie.recipe.description import summary
from reverie.studio.jobs import Home
from reverie.studio.server.limits import Limits
from reverie.studio.server.refusals import Refused, told
from reverie.studio.server.seen import first_frame, reduced

SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_NAME = 120
Kind = Literal["picture", "film", "array"]


@dataclass(frozen=True)
class Input:
    """What went in.

    Attributes:
        input: the sha256 of its bytes. name: that its file had, for people.
        width, height: pixels, upright.
        recipe: that it carries, or None. words: the recipe in words, or why there is none that can be used; empty where there is none.
    """

    input: str
    name: str
    width: int
    height: int
    kind: Kind
    recipe: dict[str, Any] | None
    words: str


class Inputs:
    """The files that were brought to a studio."""

    def __init__(self, home: Home, limits: Limits) -> None:
        self._home, self._limits = home, limits
        self._one = threading.Lock()  # decoding takes memory: one after another
        self.reduced = lru_cache(maxsize=64)(self._reduced)

    def put(self, file: IO[bytes], name: str) -> Input:
        """Look at a file, and keep it.

        Raises:
            Refused: it is no picture, film or array that can be read, claims too much, or too many files are kept.
        """
        called = short_name(name)
        if sum(1 for each in self._home.inputs.folder.glob("*/*") if SHA256.fullmatch(each.name)) >= self._limits.inputs:
            raise Refused(413, "too many files were brought here", "empty the folder `inputs` of the studio")
        with tempfile.NamedTemporaryFile(dir=self._home.inputs.folder, prefix=".reverie-", suffix=".part") as part:
            shutil.copyfileobj(file, part)
            part.flush()
            place = Path(part.name)
            try:
                with self._one, at_most_pixels(self._limits.pixels):
                    kind, width, height = _looked_at(place)
                recipe, words = _carried(place)
                digest = self._home.keep(place, called)
            except ReverieError as error:
                raise _of_file(error, place, called) from error
        return Input(digest, called, width, height, kind, recipe, words)

    def bring(self, place: Path, name: str) -> str:
        """Keep a file of this machine that is sound, and say by which hash."""
        with place.open("rb") as file:
            return self.put(file, name).input

    def find(self, digest: str) -> Path | None:
        """The file with this content; None where there is none."""
        return self._home.inputs.find(digest) if SHA256.fullmatch(digest) else None

    def _reduced(self, digest: str, side: int) -> tuple[bytes, str]:
        """As `seen.reduced`; LookupError where it is not there."""
        place = self.find(digest)
        if place is None:
            raise LookupError(digest)
        try:
            with self._one:
                return reduced(place, side, self._limits.pixels)
        except ReverieError as error:
            raise _of_file(error, place, self._home.name_of(digest)) from error


def short_name(name: str) -> str:
    """A name as it is shown: without folders, without what cannot be printed, not too long."""
    last = re.split(r"[/\\]", printable(name))[-1].strip()
    return (last if len(last) <= _LONGEST_NAME else f"{last[: _LONGEST_NAME - 13]}…{last[-12:]}") or "unnamed"


def recipe_in(place: Path) -> Recipe | None:
    """The recipe in a file of a stranger's; None where it carries none. ReverieError of one that cannot be used."""
    text = files.recipe_text(place)
    return None if text is None or on_sheet(text) is not None or of_camera(text) is not None else read(text)


def words_of(recipe: Recipe) -> str:
    return summary(recipe, level_at(recipe.networks[0].name, str(recipe.target)) if recipe.networks else None)


def _carried(place: Path) -> tuple[dict[str, Any] | None, str]:
    try:
        recipe = recipe_in(place)
    except ReverieError as error:  # the picture is sound without it
        return None, _named(error.fault, place, "it")
    return (None, "") if recipe is None else (json.loads(recipe.text()), words_of(recipe))


def _looked_at(place: Path) -> tuple[Kind, int, int]:
    """Kind, width and height of what can be read."""
    with reading(place) as file:
        start = file.read(64)
    if files.is_array(start):
        height, width, _ = files.read_array(place).values.shape
        return "array", width, height
    if kind_of(start) is None:
        try:
            image = first_frame(place)
        except InputError:
            files.read(place)  # says best what it is instead
            raise
        return "film", image.width, image.height
    decoded = files.read(place, fit=256)
    height, width = decoded.size
    return "picture", width, height


def _named(text: str, place: Path, name: str) -> str:
    return text.replace(str(place), name).replace(place.name, name)


def _of_file(error: ReverieError, place: Path, name: str) -> Refused:
    """The error with the name that people know, in the place of where the file lies."""
    status, data = told(error)
    if isinstance(error, InputError):
        status = 415
    remedy = "bring a smaller one" if isinstance(error, UnsafeError) and "max_pixels" in error.remedy else data["remedy"]
    return Refused(status, _named(data["fault"], place, name), _named(remedy, place, name))
