"""The file of `--sheet`: found out to be possible before any time is spent, and never put over a sheet of other pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverie.album import sheet_at
from reverie.errors import OutputError, UsageError, choice
from reverie.recipe import Recipe, digest
from reverie.store import Destination, check_place, expanded, is_folder

if TYPE_CHECKING:
    from reverie.pictures import Picture


class SheetFile:
    """Where a sheet goes.

    Args:
        sheet: the name that was given. destination: where the pictures go.
        suffixes: of files that can be written, in lower case. force: put it over whatever is there.

    Raises:
        UsageError: its name ends in none of them. OutputError: it cannot be written, or what is there is no sheet of ours.

    Attributes:
        place: of the file.
    """

    def __init__(self, sheet: str, destination: Destination, suffixes: frozenset[str], force: bool) -> None:
        self.place = expanded(sheet)
        self._destination, self._force = destination, force
        self._there: list[str] = []  # hashes of the pictures on the sheet that is there, and may only be made again
        if self.place.suffix.lower() not in suffixes:
            raise UsageError(choice("sheet", sheet), "name a picture file, such as sheet.png")
        if is_folder(self.place.parent) or not self._is_among_pictures():  # else its folder is made with the first result
            check_place(self.place)
        if self.place.exists() and not force:
            there = sheet_at(self.place)
            if not there:
                raise self._taken("")
            self._there = there

    def check_count(self, count: int) -> None:
        """Raise UsageError for more pictures than a sheet holds; OutputError where one of more than these is there."""
        from reverie.pictures.sheets import MOST

        if count > MOST:
            raise UsageError(f"{choice('sheet')} of {count} pictures", f"it holds {MOST}: make them in several runs")
        if len(self._there) > count:
            raise self._taken(", a sheet of more pictures")

    def fault(self, number: int, recipe: Recipe) -> OutputError | None:
        """What is wrong with putting a picture there as this one of them, counted from 0: the sheet that is there has another."""
        other = number < len(self._there) and self._there[number] != digest(recipe)
        return self._taken(", a sheet of other pictures") if other else None

    def save(self, sheet: Picture, count: int, with_recipe: bool) -> bool:
        """Write a sheet of so many pictures; False where one of more of them is there, and stays."""
        if len(self._there) > count:
            return False
        if self._is_among_pictures():
            self._destination.made()
        sheet.save(self.place, force=self._force or bool(self._there), with_recipe=with_recipe)
        return True

    def _is_among_pictures(self) -> bool:
        folder = self._destination.folder
        return folder is not None and self.place.parent.absolute() == folder.absolute()

    def _taken(self, what: str) -> OutputError:
        return OutputError(
            f"'{self.place}' exists already{what}", f"give {choice('force')} to replace it, or another name with {choice('sheet')}"
        )
