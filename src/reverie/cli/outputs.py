"""Where results go, under which names, and how they are written and told of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.album import recipe_at
from reverie.cli.console import Notes, of_file, print_json, remark, say
from reverie.cli.flags import Call
from reverie.cli.sheet_file import SheetFile
from reverie.errors import Interrupted, OutputError, UsageError, choice
from reverie.recipe import CHOSEN, Making, Printing, Sheet, Writing, is_noise
from reverie.recipe.description import told_apart
from reverie.store import Destination, Kept, check_not_original, check_place, exists, is_folder, speakable
from reverie.target import Target, without_members

if TYPE_CHECKING:
    from reverie.pictures import Picture
    from reverie.recipe import Recipe

_NAMED = 3  # choices that are named of those in which two recipes differ


class Outputs:
    """What a command writes: found out to be possible before any time is spent, told as soon as it is there.

    A name of ours never goes over another picture: a free one is taken and told. One that was given is refused if it is taken, unless
    `--force` says otherwise. What goes in is never written over.

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
        self.left: list[Path] = []  # as they were: what stopped early is worth less
        self.start = ""  # that notes are of, where there are several
        self._notes = Notes()
        self._several = several
        self._taken: dict[str, Path] = {}  # by results of this command, under their lower case: some file systems tell no case
        self._there: dict[Path, Recipe] = {}  # the very same, made before
        sheet = call.of(Sheet).sheet
        self.sheet = None if sheet is None else SheetFile(sheet, self.destination, frozenset(SUFFIXES), self.writing.force)
        if self.destination.folder is None:
            check_name(self.destination.file(""), call)

    def ready(self, name: str, start: Picture, recipe: Recipe) -> Path:
        """Where a picture goes that would be called this; what keeps it from being written is found out now, not after minutes of work."""
        path = self._free(name, start, recipe)
        files = self._files(path, start)
        if is_folder(path.parent):
            check_place(path, room=start.size[0] * start.size[1] // 4)  # a dream is never packed into less
            for each in files[1:]:
                check_place(each, room=4 * start.pixels.numel())
        for edge in (start.pixels[:, :1, :], start.pixels[:, :, :1]):  # as wide and as high as the result, for formats with a limit
            alpha = edge[0] if recipe.finish.opacity else None if start.alpha is None else start.alpha.min().expand(edge.shape[1:])
            replace(start, pixels=edge, alpha=alpha, recipe=recipe).encode(path.suffix, with_recipe=self.writing.with_recipe)
        self._taken[str(path).lower()] = path
        return path

    def is_there(self, path: Path) -> bool:
        """Whether the very same picture is there from before, and need not be made."""
        return path in self._there

    def tell_there(self, path: Path, kept: Iterable[bytes] = ()) -> None:
        """Its path, as that of what is made; what goes into it is kept as if it were."""
        for note in Kept().put_all(kept):
            remark(note)
        remark(f"'{path}' is there already, made by the very same recipe; --force makes it again")
        recipe, channels = self._there[path], path.with_suffix(".npy")
        files = [path, *([channels] if recipe.channels not in (1, 3) and channels.is_file() else [])]
        beside = {"channels": str(channels)} if len(files) > 1 else {}
        told = {"recipe": recipe.model_dump(mode="json"), "seconds": 0.0, "score": None, "notes": []}
        self._tell({"path": str(path), **beside, **told}, *files)

    def made_before(self, path: Path, kept: Iterable[bytes] = ()) -> Picture:
        """The same, read back, as it is on a sheet."""
        from reverie.pictures import load

        self.tell_there(path, kept)
        return replace(load(path), recipe=self._there[path])

    def _files(self, path: Path, start: Picture) -> list[Path]:
        """All that is written for a picture at this place."""
        return [*start.places(path), *([strip_of(path)] if self.making else [])]

    def _free(self, name: str, start: Picture, recipe: Recipe) -> Path:
        """The place of this name, or where something else is there the first that is free."""
        first = self.destination.file(name)
        if self.destination.folder is None and str(first).lower() in self._taken:
            raise OutputError(f"'{first}' is one file, and there are several pictures", f"give a folder with {choice('output')}")
        another: Path | None = None
        for path in numbered(first):
            if str(path).lower() in self._taken:
                continue
            files = [each for each in self._files(path, start) if os.path.lexists(each)]
            if self._may_write(path, files, start, recipe):
                break
            if self.destination.folder is None:
                raise exists(files[0])
            another = another or path
        if another is not None:
            tell_taken(another, path, what_is_at(another, recipe))
        elif path != first:
            remark(f"'{self._taken[str(first).lower()]}' is another result of this run: this one goes to '{path}'")
        return path

    def _may_write(self, path: Path, files: list[Path], start: Picture, recipe: Recipe) -> bool:
        """Whether nothing is lost at this place with these files that are there. What goes in and was named is refused."""
        from reverie.pictures import check_not_input

        try:
            for each in files:
                check_not_original(each)
                check_not_input(each, recipe)
        except OutputError:
            if self.destination.folder is None:
                raise
            return False
        if not files or self.writing.force:
            return True
        old = recipe_at(path) if self.writing.with_recipe else None
        if old is None or not (old.is_as(recipe) or old.is_part_of(recipe)):
            return False
        strip = strip_of(path)
        if self.making and strip.exists() and recipe_at(strip) != old:
            return False
        if old.is_part_of(recipe) and old.stopped is not None:
            where = f"octave {old.stopped.octave}, step {old.stopped.step}"
            remark(f"'{path}' was stopped at {where}: it is made from the beginning, and replaced when it is whole")
        elif len(files) == len(self._files(path, start)):
            self._there[path] = old
        return True

    def save(self, picture: Picture, path: Path, *, as_asked: bool = False, **beside: Any) -> bool:
        """Write a picture, and the strip of those from along the way; print their paths at once, or with `--json` at the end.

        Args:
            as_asked: it stopped where it was to stop, as what is made again from a part does, and is finished with that.

        Returns:
            False where it stopped early and what is there is left, which `stopped` will tell.
        """
        stopped = not as_asked and picture.recipe is not None and picture.recipe.stopped is not None
        if stopped and not _is_further(picture, path, self.writing.force):
            self.left.append(path)
            return False
        self.destination.made()
        again = self.writing.force or _is_part(path, picture)
        picture.save(path, force=again, with_recipe=self.writing.with_recipe)
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
            made.save(beside_it, force=again or _is_part(beside_it, picture), with_recipe=self.writing.with_recipe)
            self._tell({**self.results[-1], "path": str(beside_it)}, beside_it)
        return True

    def check_sheet(self, count: int, *paths: Path) -> None:
        """Find out now whether so many pictures fit on the sheet, if one was asked for, and whether it is another file than these."""
        if self.sheet is None:
            return
        self.sheet.check_count(count)
        if self.sheet.place.absolute() in {each.absolute() for path in paths for each in (path, strip_of(path))}:
            raise UsageError(f"{choice('sheet', self.sheet.place)} is also the name of a picture", "give the sheet another name")

    def check_on_sheet(self, recipes: Iterable[Recipe]) -> None:
        """Raise OutputError where a sheet of others than these pictures is there."""
        if self.sheet is not None:
            self.sheet.check_pictures(recipes)

    def note(self, notes: Sequence[str]) -> None:
        """What the user should know, each thing once."""
        self._notes.tell(of_file(note, "the start", self.start) for note in notes)

    def save_sheet(self, pictures: Sequence[Picture], labels: Sequence[str] | None = None) -> None:
        """A sheet of them with these labels, or with what each was made for, if one was asked for."""
        if self.sheet is None or not pictures:
            return
        from reverie.pictures import sheet

        place = self.sheet.place
        if not self.sheet.save(sheet(pictures, labels), (each.recipe for each in pictures), self.writing.with_recipe):
            remark(f"'{place}' has more of these pictures, and is left as it was")
            return
        seconds = round(sum(each.seconds or 0.0 for each in pictures), 3)
        self._tell({"path": str(place), "recipe": None, "seconds": seconds, "score": None}, place)

    def stopped(self, done: int, wanted: int) -> Interrupted:
        """That so many of the pictures are there, one of them perhaps as far as it had come, and what is left as it was."""
        told: list[str] = []
        if wanted > 1 and self.writing.with_recipe:  # by which those that are done are known
            told.append(so_far(done - self.unfinished, wanted, self.writing.force))
        elif self.unfinished:
            told.append(_of_last(self.unfinished, self.writing))
        if self.left:
            one = len(self.left) == 1
            what = f"'{self.left[0]}' was there before and is left as it was"
            told.append(what if one else f"{len(self.left)} pictures were there before and are left as they were")
        return Interrupted("stopped early", "; ".join(told))

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


def check_name(place: Path, call: Call) -> None:
    """Raise OutputError now, before torch is there, for a file that was named and cannot be written: another is there, or what goes in."""
    check_place(place)
    if not os.path.lexists(place) or call.given.get("force"):
        return
    old = recipe_at(place)
    if old is None or call.command.name not in (old.command, "redo") or _differs(old, call):
        raise exists(place)


def _differs(old: Recipe, call: Call) -> bool:
    """Whether a recipe has another choice than what was given, as far as that is told without a network."""
    groups = [getattr(old, name) for name in CHOSEN]
    said = {"seed": old.seed, **{name: value for each in groups if each is not None for name, value in dict(each).items()}}
    said.pop("frames", None)  # a longer film goes over its own beginning
    return any(
        name in said and type(value) in (int, str) and type(value) is type(said[name]) and value != said[name]
        for name, value in call.given.items()
    )


def numbered(path: Path, suffix: str | None = None) -> Iterator[Path]:
    """The path, and the same with -2, -3 … before its suffix."""
    ending = path.suffix if suffix is None else suffix
    yield path
    for turn in count(2):
        yield path.with_name(named(path.name.removesuffix(ending), f"-{turn}{ending}"))


def tell_taken(place: Path, free: Path, what: str) -> None:
    """Say that another thing is there, what it is, and where this one goes."""
    remark(f"'{place}' is there already, and is something else, {what}: this one goes to '{free}'")


def what_is_at(place: Path, recipe: Recipe) -> str:
    """What is there and is not of this recipe."""
    first = place / f"{0:06d}.png"  # of a film in frames
    old = recipe_at(first if is_folder(place) else place)
    if old is None:
        return "without a recipe that says how it was made"
    names = told_apart(old, recipe)
    if names:
        return f"made with other choices ({', '.join(names[:_NAMED])}{' …' * (len(names) > _NAMED)})"
    if (old.machine, old.schema_version) != (recipe.machine, recipe.schema_version):
        return "made on another machine, or by another torch or Reverie, or with other threads or precision"
    return "or lacks what is asked for"


def _is_part(place: Path, picture: Picture) -> bool:
    """Whether what is there stopped on the way to this picture."""
    old, new = recipe_at(place), picture.recipe
    return old is not None and new is not None and old.is_part_of(new.model_copy(update={"stopped": None}))


def _is_further(picture: Picture, place: Path, force: bool) -> bool:
    """Whether a picture that stopped early is worth more than what is there."""
    old, new = recipe_at(place), picture.recipe
    if not os.path.lexists(place) or new is None or new.stopped is None:
        return True
    if old is None or not old.model_copy(update={"stopped": None}).is_as(new.model_copy(update={"stopped": None})):
        return False
    return old.stopped is not None and (old.stopped.octave, old.stopped.step) <= (new.stopped.octave, new.stopped.step)


def strip_of(path: Path) -> Path:
    """Where the pictures from along the way go."""
    return path.with_name(f"{path.stem}-making.png")


def what_for(call: Call, target: Target) -> str:
    """What a dream was made for, as part of a file's name: its target, after the preset that was asked for."""
    preset = call.given.get("preset")
    return ("" if preset is None else f"{preset.lower()}-") + speakable(without_members(target))


def stem_of(start: str) -> str:
    """What a file's name takes of a start: `sky` of sky.jpg, `noise-pink` of noise:pink."""
    return start.replace(":", "-") if is_noise(start) else Path(start).stem


def named(stem: str, ending: str) -> str:
    """`stem` and `ending` as the name of a file, with as much of the stem as it has room for."""
    while len(os.fsencode(stem)) > 255 - 16 - len(ending):
        stem = stem[:-1]
    return stem + ending


def _of_last(count: int, writing: Writing) -> str:
    """What so many unfinished pictures are, and what goes on: without a recipe nobody knows how far they had come."""
    last, them = ("the last picture is", "it") if count == 1 else (f"the last {count} pictures are", "them")
    what = f"{last} what had been dreamt so far"
    if writing.with_recipe:
        return f"{what}, as its recipe says; the same command makes {them} whole"
    forced = "" if writing.force else f" with {choice('force')}"
    return f"{what}; the same command{forced} makes {them} anew"


def so_far(done: int, wanted: int, force: bool) -> str:
    """How many of several pictures are done, and what goes on with the rest; one that is made by force is made anew each time."""
    without = f" without {choice('force')}" if force else ""
    return f"{done} of {wanted} pictures are done, and the same command{without} goes on with the rest"
