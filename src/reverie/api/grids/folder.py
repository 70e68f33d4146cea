"""The folder of a grid: its pictures, the sheets, the gallery, and `grid.json`. The same grid goes on in it, a larger one adds to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from reverie.album import Album, recipe_at, sheet_at
from reverie.album.entries import hash_of
from reverie.album.grid_listing import NAME, Listing, check_grid_folder, read_listing
from reverie.api.elsewhere import Elsewhere
from reverie.api.grids.axes import words_for
from reverie.api.grids.cells import GridCell, Unit, runs
from reverie.api.grids.planning import GridPlan, Watcher
from reverie.api.grids.sheets import sheets_of
from reverie.errors import InputError, OutputError, choice
from reverie.judging.galleries import GalleryFolder, holds_its_gallery
from reverie.pictures import MadePicture, Picture, load, to_width
from reverie.pictures.sheets import NEVER
from reverie.recipe import digest, sheet_mark
from reverie.recipe.description import told_apart
from reverie.store import check_not_original, check_place, exists, is_folder, made_folder, write_whole
from reverie.work import Outcome, is_whole_png, locked

_LONGEST = 200  # characters of a file's name
_NAMED = 3  # choices that are named of those in which two recipes differ
_FORCE = f"give {choice('force')} to begin anew in it, or another folder with {choice('output')}"
Done = Callable[[GridCell, Path, MadePicture | None], object]
"""Is told of each picture that is there: None of one from before."""


class GridFolder:
    """Where a grid goes.

    Args:
        place: the folder; the one that it lies in must be there. plan: of the grid. force: make all of it anew.

    Attributes:
        listing: what it holds, once it is `ready`. before: how many pictures were there by then. page: of the gallery, once it is written.
        changed: pictures that are there from before, and other than its gallery lists them.
    """

    def __init__(self, place: Path, plan: GridPlan, force: bool = False) -> None:
        self.place, self.plan, self._force = place, plan, force
        self._sheets = sheets_of(plan.wanted)
        self._there: set[str] = set()  # hashes of the pictures that are there, and need not be made
        self._known: Listing | None = None
        self.listing = Listing("", (), {}, (), {}, ())
        self.before = 0
        self.changed: list[Path] = []
        self.page: Path | None = None

    def path(self, cell: GridCell) -> Path:
        """The file of a picture."""
        return self.place / self.listing.names[cell.digest]

    @contextmanager
    def ready(self) -> Iterator[None]:
        """The folder, made, checked and locked, for as long as the block lasts.

        Raises:
            OutputError: it cannot be made, holds another grid or other things, or another process is at work in it.
            InputError: its list is damaged, or a picture that it lists.
        """
        if not is_folder(self.place):
            check_place(self.place)  # a file, or where no folder can be
        made_folder(self.place)
        with locked(self.place):
            self._known = self._checked()
            for part in self.place.glob(".reverie-*.part"):  # of a writer that was killed: nobody else writes here
                _remove(part)
            check_place(self.place / NAME, room=sum(cell.recipe.height * cell.recipe.width // 4 for cell in self._missing()))
            self.listing = self._named(self._known)
            if not self._force:
                self._there = {cell.digest for cell in self.plan.cells if self._is_on_disk(cell)}
                self.changed = self._changed()
            self._check_free()
            self._drop_old()
            self._write_listing()
            self.before = len(self._there)
            yield

    def make(self, watcher: Watcher | None = None, done: Done = lambda *_: None, elsewhere: Elsewhere | None = None) -> Outcome[Unit]:
        """Make what is missing, inside `ready`; where nothing stopped it, the sheets and the gallery too. See `GridPlan.make`."""
        for cell in self.plan.cells:
            if self.is_there(cell):
                done(cell, self.path(cell), None)

        def write(unit: Unit, pictures: Sequence[MadePicture]) -> None:
            for cell, picture in zip(unit.cells, pictures, strict=True):
                if picture.alive:
                    picture.save(self.path(cell), force=self._force)
                    self._there.add(cell.digest)
                else:
                    self._note_never(cell)
                done(cell, self.path(cell), picture)

        outcome = self.plan.make(write, watcher, self._is_finished, elsewhere)
        if not outcome.stopped:
            self._finish({cell.at for unit, _ in outcome.faults for cell in unit.cells})
        return outcome

    def is_there(self, cell: GridCell) -> bool:
        """Whether the very same picture is there, whole; by force only once it is made again."""
        return cell.digest in self._there

    def _changed(self) -> list[Path]:
        """Pictures of the grid that somebody changed since the gallery in the folder was made, whatever their recipes say."""
        before = GalleryFolder(self.place, self.place).before()
        listed = {} if before is None else before.pictures
        return [path for path in self.pictures() if path.name in listed and hash_of(path) != listed[path.name]]

    def _is_on_disk(self, cell: GridCell) -> bool:
        path = self.path(cell)
        recipe = recipe_at(path)
        if recipe is not None and not is_whole_png(path):
            raise InputError(f"'{path}' is cut short", "take it away, and the same command makes it again")
        channels = cell.recipe.channels in (1, 3) or path.with_suffix(".npy").is_file()
        return recipe is not None and recipe.is_as(cell.recipe) and channels

    def pictures(self) -> list[Path]:
        """The files that are there, in the order of the axes."""
        return [self.path(cell) for cell in self.plan.cells if self.is_there(cell)]

    @property
    def sheets(self) -> list[Path]:
        """The files of the sheets that are there."""
        return [self.place / each.name for each in self._sheets if (self.place / each.name).is_file()]

    # ── what was there ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _checked(self) -> Listing | None:
        """What an earlier grid left, of which this one is the rest or more; None where there is nothing.

        Raises:
            OutputError: another grid, or other things.
        """
        try:
            known = read_listing(self.place)
        except InputError:
            if not self._force:
                raise
            return None
        if self._force:
            return known
        check_grid_folder(self.place, force=False)
        if known is None:
            return None
        mine = {cell.digest for cell in self.plan.cells}
        strange = {name: each for name, each in known.pictures.items() if each not in mine}
        if strange:
            count = f"{len(strange):,} of its {len(known.pictures):,} pictures are" if len(strange) > 1 else "one of its pictures is"
            raise OutputError(f"'{self.place}' holds another grid: {count} none of these{self._why(known, strange)}", _FORCE)
        return known

    def _why(self, known: Listing, strange: dict[str, str]) -> str:
        """In which choices a picture of another grid differs from the one that would have its name."""
        mine = {name: cell for cell, name in zip(self.plan.cells, self._wished(), strict=True)}
        for name in strange:
            old = recipe_at(self.place / name)
            if old is not None and name in mine and known.command == self.plan.wanted.command:
                names = told_apart(old, mine[name].recipe)
                if not names:
                    return ": they were made on another machine, or by another torch or Reverie, or with other threads or precision"
                return f" ({', '.join(names[:_NAMED])}{' …' * (len(names) > _NAMED)})"
        return ""

    def _check_free(self) -> None:
        """Raise OutputError where something of somebody else's is in the way of what will be written."""
        ours = {cell: self.path(cell) for cell in self.plan.cells if not self.is_there(cell)}
        for cell, path in ours.items():
            there = os.path.lexists(path)
            if there and not (self._force and self._was_ours(path, cell)):
                raise OutputError(f"'{path}' is there, and is not the picture that the grid has of this name", f"move it away, or {_FORCE}")
        for sheet in self._sheets:
            place = self.place / sheet.name
            if os.path.lexists(place) and sheet_at(place) is None:
                raise exists(place)
        if any(os.path.lexists(self.place / each) for each in ("index.html", "manifest.json")) and not holds_its_gallery(self.place):
            raise OutputError(
                f"'{self.place}' has a page that is no gallery of it", f"move it away, or choose another folder with {choice('output')}"
            )

    def _was_ours(self, path: Path, cell: GridCell) -> bool:
        """Whether a file may be replaced by force: it stands in the list that was there, or carries the recipe."""
        recipe = recipe_at(path)
        return (self._known is not None and path.name in self._known.pictures) or (recipe is not None and recipe.is_as(cell.recipe))

    def _drop_old(self) -> None:
        """Take away what an earlier grid made here and this one does not have: files that are still what its list says.

        Raises:
            OutputError: one of them goes in; nothing was removed then.
        """
        if self._known is None:
            return
        old = {self.place / name: each for name, each in self._known.pictures.items() if name not in self.listing.pictures}
        gone = [path for path, each in old.items() if (recipe := recipe_at(path)) is not None and digest(recipe) == each]
        gone += [each.with_suffix(".npy") for each in gone]
        sheets = [self.place / name for name in self._known.sheets if name not in self.listing.sheets]
        gone += [each for each in sheets if sheet_at(each) is not None]
        for each in gone:
            check_not_original(each)
        for each in gone:
            _remove(each)

    # ── what is written ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _wished(self) -> list[str]:
        """The name that each picture would have, by its values: `edges-0.png`; where all are numbers with what they are: `seed-0.png`."""
        stems = [axis.stems for axis in self.plan.axes]
        if all(isinstance(value, (int, float)) and not isinstance(value, bool) for axis in self.plan.axes for value in axis.values):
            stems = [[f"{axis.name}-{stem}" for stem in each] for axis, each in zip(self.plan.axes, stems, strict=True)]
        return ["-".join(each[place] for each, place in zip(stems, cell.at, strict=True))[:_LONGEST] + ".png" for cell in self.plan.cells]

    def _named(self, known: Listing | None) -> Listing:
        """What the folder will hold. Pictures that are there keep their names, others get one that is free."""
        kept = {} if known is None else known.names
        sheets = tuple(each.name for each in self._sheets)
        taken = (
            {each.name.lower() for each in self.place.iterdir()} - {each.lower() for each in kept.values()} if not self._force else set()
        )
        taken |= {each.lower() for each in sheets}
        names: dict[str, str] = {}
        fresh = [(cell, name) for cell, name in zip(self.plan.cells, self._wished(), strict=True) if cell.digest not in kept]
        taken |= {kept[cell.digest].lower() for cell in self.plan.cells if cell.digest in kept}
        for cell, wished in fresh:
            stem, turn, name = wished.removesuffix(".png"), 1, wished
            while name.lower() in taken or self._is_strange(name, known):
                turn += 1
                name = f"{stem}-{turn}.png"
            taken.add(name.lower())
            names[cell.digest] = name
        asked = self.plan.wanted
        pictures = {kept.get(cell.digest) or names[cell.digest]: cell.digest for cell in self.plan.cells}
        return Listing(
            asked.command, tuple((axis.name, axis.words) for axis in asked.axes),
            {name: _fixed_word(name, value) for name, value in asked.fixed.items() if value is not None},
            _runs(self.plan, known), pictures, sheets, () if known is None or self._force else known.never_fired,
        )  # fmt: skip

    def _is_strange(self, name: str, known: Listing | None) -> bool:
        """Whether a file is there that the list does not have."""
        return os.path.lexists(self.place / name) and (known is None or name not in known.pictures)

    def _missing(self) -> list[GridCell]:
        known = set() if self._known is None else {each for name, each in self._known.pictures.items() if (self.place / name).is_file()}
        return [cell for cell in self.plan.cells if cell.digest not in known]

    def _is_finished(self, unit: Unit) -> bool:
        return all(cell.digest in self.listing.never_fired or self.is_there(cell) for cell in unit.cells)

    def _note_never(self, cell: GridCell) -> None:
        """Remember a unit that never fired, of which there is no picture."""
        self.listing = replace(self.listing, never_fired=tuple(dict.fromkeys((*self.listing.never_fired, cell.digest))))
        self._write_listing()

    def _write_listing(self) -> None:
        write_whole(self.place / NAME, self.listing.text().encode(), replace=True)

    def _finish(self, failed: set[tuple[int, ...]]) -> None:
        """Write the sheets and the gallery, where there is a picture."""
        cells = {cell.at: cell for cell in self.plan.cells}
        there = {at for at, cell in cells.items() if self.is_there(cell)}
        if not there:
            return

        def picture(at: tuple[int, ...]) -> Tensor | str:
            if at not in there:
                return "not made" if at in failed else NEVER
            found = load(self.path(cells[at]))
            return to_width(found, min(found.size[1], 448)).colours

        for sheet in self._sheets:
            shown = [cells[at].recipe for at in sheet.at(len(self.plan.axes)) if at in there]
            if shown:
                Picture(sheet.draw(self.plan.wanted, picture), sheet_of=sheet_mark(shown)).save(self.place / sheet.name, force=True)
        with Album(self.place) as album:
            self.page = GalleryFolder(self.place, self.place).write(album)


def _fixed_word(name: str, value: Any) -> str:
    """The word for a choice that all pictures share; of a switch `yes` or `no`, since its name stands beside it."""
    return ("no", "yes")[value] if isinstance(value, bool) else words_for(name, [value])[0]


def _runs(plan: GridPlan, known: Listing | None) -> tuple[tuple[str, ...], ...]:
    """Labels or targets in the runs in which they are planned together; those of dreams are not."""
    axis = next((each for each in plan.axes if each.name == plan.wanted.subject), None)
    if axis is None or plan.wanted.command == "dream":
        return ()
    earlier = () if known is None else known.together
    return tuple(tuple(axis.words[number] for number in run) for run in runs(plan.wanted, earlier))


def _remove(place: Path) -> None:
    with suppress(FileNotFoundError):
        try:
            place.unlink()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise OutputError(
                f"'{place}' cannot be removed ({error.strerror or error})", f"choose another folder with {choice('output')}"
            ) from error


def earlier_runs(place: Path | None, force: bool) -> tuple[tuple[str, ...], ...]:
    """Which labels or targets a grid that is there planned together; none where there is none, or it will be made anew."""
    if place is None or force:
        return ()
    known: Any = read_listing(place)
    return () if known is None else known.together
