"""The file of `--sheet`: found out to be possible before any time is spent, and never put over a sheet of other pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reverie.album import sheet_at
from reverie.errors import OutputError, UsageError, choice
from reverie.recipe import Recipe, digest
from reverie.store import Destination, check_not_original, check_place, expanded, is_folder

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
        place: of the file. there: hashes of the pictures on the sheet that is there, and may only be made again.
    """

    def __init__(self, sheet: str, destination: Destination, suffixes: frozenset[str], force: bool) -> None:
        self.place = expanded(sheet)
        self._destination, self._force = destination, force
        self.there: list[str] = []
        if self.place.suffix.lower() not in suffixes:
            raise UsageError(choice("sheet", sheet), "name a picture file, such as sheet.png")
        if is_folder(self.place.parent) or not self._is_among_pictures():  # else its folder is made with the first result
            with _named_by_sheet():
                check_place(self.place)
        if self.place.exists() and not force:
            there = sheet_at(self.place)
            if not there:
                raise self._taken("")
            self.there = there

    def check_count(self, count: int) -> None:
        """Raise UsageError for more pictures than a sheet holds; OutputError where one of more than these is there, or what goes in."""
        from reverie.pictures.sheets import MOST

        if count > MOST:
            raise UsageError(f"{choice('sheet')} of {count} pictures", f"it holds {MOST}: make them in several runs")
        if len(self.there) > count:
            raise self._taken(", a sheet of more pictures")
        with _named_by_sheet():
            check_not_original(self.place)

    def check_pictures(self, recipes: Iterable[Recipe]) -> None:
        """Raise OutputError where the sheet that is there has others than these; some may lack, on it or here, as what failed once does."""
        wanted = [digest(each) for each in recipes]
        if not (_are_among(self.there, wanted) or _are_among(wanted, self.there)):
            raise self._taken(", a sheet of other pictures")

    def save(self, sheet: Picture, recipes: Iterable[Recipe | None], with_recipe: bool) -> bool:
        """Write a sheet of pictures with these recipes; False where one is there that has others too, and stays."""
        if not _are_among(self.there, [digest(each) for each in recipes]):
            return False
        if self._is_among_pictures():
            self._destination.made()
        with _named_by_sheet():
            sheet.save(self.place, force=self._force or bool(self.there), with_recipe=with_recipe)
        return True

    def _is_among_pictures(self) -> bool:
        folder = self._destination.folder
        return folder is not None and self.place.parent.absolute() == folder.absolute()

    def _taken(self, what: str) -> OutputError:
        return OutputError(
            f"'{self.place}' exists already{what}", f"give {choice('force')} to replace it, or another name with {choice('sheet')}"
        )


def _are_among(some: Sequence[str], all_: Sequence[str]) -> bool:
    """Whether all of some are there, in the same order."""
    left = iter(all_)
    return all(each in left for each in some)


@contextmanager
def _named_by_sheet() -> Iterator[None]:
    """Inside, what is wrong with a place is mended by another name for the sheet, not for the pictures."""
    try:
        yield
    except OutputError as error:
        fault, remedy = error.with_flags(lambda name: choice("sheet" if name == "output" else name))
        raise OutputError(fault, remedy) from error
