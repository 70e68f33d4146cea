"""Where results go, under which names, and how they are written and told of."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.cli.console import print_json, remark, say
from reverie.cli.flags import Call
from reverie.errors import Interrupted, UsageError, choice
from reverie.recipe import Making, Printing, Sheet, Writing
from reverie.store import Destination, check_place, exists, expanded, is_folder, speakable
from reverie.target import Target, without_members

if TYPE_CHECKING:
    from reverie.pictures import Picture
    from reverie.recipe import Recipe


class Outputs:
    """What a command writes: found out to be possible before any time is spent, told as soon as it is there.

    Args:
        call: the command.
        several: whether there may be more than one result.
    """

    def __init__(self, call: Call, several: bool) -> None:
        from reverie.files import SUFFIXES

        self.writing, self.printing, self.making = call.of(Writing), call.of(Printing), call.of(Making).making
        self.destination = Destination(self.writing.output, several, frozenset(SUFFIXES))
        self.results: list[dict[str, Any]] = []
        self.unfinished = 0
        self._told: set[str] = set()
        self._several = several
        self.sheet = self._sheet_place(call.of(Sheet).sheet, frozenset(SUFFIXES))

    def ready(self, path: Path, start: Picture, recipe: Recipe) -> None:
        """Find out now whether a picture and what lies beside it can be written, not after minutes of work."""
        files = start.places(path)
        if is_folder(path.parent):
            check_place(path, room=start.size[0] * start.size[1] // 4)  # a dream is never packed into less
            for each in files[1:]:
                check_place(each, room=4 * start.pixels.numel())
        for edge in (start.pixels[:, :1, :], start.pixels[:, :, :1]):  # as wide and as high as the result, for formats with a limit
            alpha = edge[0] if recipe.finish.opacity else None if start.alpha is None else start.alpha.min().expand(edge.shape[1:])
            replace(start, pixels=edge, alpha=alpha, recipe=recipe).encode(path.suffix, with_recipe=self.writing.with_recipe)
        there = next((each for each in files if each.exists()), None)
        if there is not None and not self.writing.force and not replace(start, recipe=recipe).is_at(path):
            raise exists(there)
        strip = strip_of(path)
        if self.making and strip.exists() and not self.writing.force and not replace(start, recipe=recipe).is_at(strip):
            raise exists(strip)

    def save(self, picture: Picture, path: Path, **beside: Any) -> None:
        """Write a picture, and the strip of those from along the way; print their paths at once, or with `--json` at the end."""
        stopped = picture.recipe is not None and picture.recipe.stopped is not None
        if stopped and not self.writing.force and path.exists() and not picture.is_at(path):
            raise Interrupted("stopped early", f"'{path}' was there before and is left as it was")
        self.destination.made()
        picture.save(path, force=self.writing.force, with_recipe=self.writing.with_recipe)
        self.unfinished += stopped
        self.note(picture.notes)
        files = picture.places(path)
        recipe = None if picture.recipe is None else picture.recipe.model_dump(mode="json")
        channels = {"channels": str(files[1])} if len(files) > 1 else {}
        told = {
            "recipe": recipe,
            "seconds": round(picture.seconds or 0.0, 3),
            "score": picture.score,
            "notes": list(picture.notes),
            **beside,
        }
        self._tell({"path": str(path), **channels, **told}, *files)
        if self.making:
            from reverie.pictures import Picture, strip

            frames = tuple(picture.colours_of(each) for each in picture.making)
            beside_it = strip_of(path)
            made = Picture(strip(frames), recipe=picture.recipe)
            made.save(beside_it, force=self.writing.force, with_recipe=self.writing.with_recipe)
            self._tell({**self.results[-1], "path": str(beside_it)}, beside_it)

    def check_sheet(self, count: int, *paths: Path) -> None:
        """Find out now whether so many pictures fit on the sheet, if one was asked for, and whether it is another file than these."""
        if self.sheet is None:
            return
        from reverie.pictures.sheets import MOST

        if count > MOST:
            raise UsageError(f"{choice('sheet')} of {count} pictures", f"it holds {MOST}: make them in several runs")
        if self.sheet.absolute() in {each.absolute() for path in paths for each in (path, strip_of(path))}:
            raise UsageError(f"{choice('sheet', self.sheet)} is also the name of a picture", "give the sheet another name")

    def note(self, notes: Sequence[str]) -> None:
        """What the user should know, each thing once."""
        for each in dict.fromkeys(notes):
            if each not in self._told:
                remark(each)
            self._told.add(each)

    def save_sheet(self, pictures: Sequence[Picture], labels: Sequence[str] | None = None) -> None:
        """A sheet of them with these labels, or with what each was made for, if one was asked for."""
        if self.sheet is None or not pictures:
            return
        from reverie.pictures import sheet

        if self._is_among_pictures(self.sheet):
            self.destination.made()
        sheet(pictures, labels).save(self.sheet, force=self.writing.force)
        seconds = round(sum(each.seconds or 0.0 for each in pictures), 3)
        self._tell({"path": str(self.sheet), "recipe": None, "seconds": seconds, "score": None}, self.sheet)

    def tell(self, result: dict[str, Any], text: str = "") -> None:
        """A result that is no picture."""
        self._tell(result, *([text] if text else []))

    @contextmanager
    def printed(self) -> Iterator[None]:
        """After it, or what broke it off, all results are printed as JSON, if that was asked for."""
        try:
            yield
        finally:
            if self.printing.as_json and (self.results or self._several):
                print_json(self.results)

    def _tell(self, result: dict[str, Any], *lines: object) -> None:
        self.results.append(result)
        if not self.printing.as_json:
            for each in lines:
                say(str(each))

    def _sheet_place(self, sheet: str | None, suffixes: frozenset[str]) -> Path | None:
        if sheet is None:
            return None
        place = expanded(sheet)
        if place.suffix.lower() not in suffixes:
            raise UsageError(choice("sheet", sheet), "name a picture file, such as sheet.png")
        if not self._is_among_pictures(place):  # else its folder is made with the first result
            check_place(place)
        if place.exists() and not self.writing.force:
            raise exists(place)
        return place

    def _is_among_pictures(self, sheet: Path) -> bool:
        folder = self.destination.folder
        return folder is not None and sheet.parent.absolute() == folder.absolute()


def strip_of(path: Path) -> Path:
    """Where the pictures from along the way go."""
    return path.with_name(f"{path.stem}-making.png")


def what_for(call: Call, target: Target) -> str:
    """What a dream was made for, as part of a file's name: its target, after the preset that was asked for."""
    preset = call.given.get("preset")
    return ("" if preset is None else f"{preset}-") + speakable(without_members(target))


def named(stem: str, ending: str) -> str:
    """`stem` and `ending` as the name of a file, with as much of the stem as it has room for."""
    while len(os.fsencode(stem)) > 255 - 16 - len(ending):
        stem = stem[:-1]
    return stem + ending


def stopped_early(unfinished: int) -> Interrupted:
    so_far = "the last picture is what had been dreamt so far; its recipe says where it stopped"
    return Interrupted("stopped early", so_far if unfinished else "")
