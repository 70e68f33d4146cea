"""The grid of a folder beside the pictures that are there: which are missing, what the values of each are, and how to say so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from reverie.album.grid_listing import NAME, Listing, read_listing, sizes_in_words
from reverie.errors import InputError, printable
from reverie.judging.galleries.known import Known
from reverie.recipe import digest


@dataclass(frozen=True)
class SeenGrid:
    """What is there of a grid.

    Attributes:
        listing: what it is made of.
        there: the number in the order of its axes, of each of its pictures that is there, by the name of its file.
        missing: names of its pictures that are not there, in that order; of those that never fired there are none.
        never_fired: names of pictures that there are none of, since nothing moved their target.
        strange: names of files that are other pictures than the grid has of these names; they are missing too.
        sheets: how many of its sheets are there. missing_sheets: names of the others.
    """

    listing: Listing
    there: dict[str, int]
    missing: tuple[str, ...]
    never_fired: tuple[str, ...]
    strange: tuple[str, ...]
    sheets: int
    missing_sheets: tuple[str, ...]

    @property
    def axes(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Names of what varies, and the words for the values; none where the pictures are not every combination of them."""
        return self.listing.axes if prod(len(words) for _, words in self.listing.axes) == len(self.listing.pictures) else ()

    @property
    def sizes(self) -> str:
        """`3 starts × 4 levels × 2 seeds`; empty where it has no axes."""
        return sizes_in_words(self.axes)

    def sentence(self, most: int) -> str:
        """How much of it is there, without a full stop. Only of a whole grid it says that none is left out.

        Args:
            most: names that are told of those that are missing.
        """
        count, there = len(self.listing.pictures), len(self.there)
        if self.missing_sheets:
            sheets = f"{self.sheets} of its {_counted(len(self.listing.sheets), 'sheet')}"
        else:
            sheets = _counted(self.sheets, "sheet")
        if there == count and not self.missing_sheets:
            return f"all {_counted(count, 'picture')} of the grid, none left out, and {sheets}"
        parts = [f"{there:,} of the {_counted(count, 'picture')} of the grid, and {sheets}"]
        gone = (*self.missing, *self.missing_sheets)
        if gone:
            parts.append(f"missing {'is' if len(gone) == 1 else 'are'} {named(gone, most)}")
        if self.strange:
            parts.append(f"not the picture that the grid has of this name: {named(self.strange, most)}")
        if self.never_fired:
            parts.append(f"never fired, so that there is no picture: {named(self.never_fired, most)}")
        return "; ".join(parts)


def seen_grid(folder: Path, pictures: Iterable[Known]) -> SeenGrid | None:
    """What is there of the grid of a folder; None where it is none.

    Args:
        pictures: all that were found in the folder, sheets too.

    Raises:
        InputError: its list is damaged.
    """
    listing = read_listing(folder)
    if listing is None:
        return None
    known = {each.entry.path: each for each in pictures}
    there: dict[str, int] = {}
    strange: list[str] = []
    for at, (name, recipe) in enumerate(listing.pictures.items()):
        found = known.get(name)
        if found is not None and found.recipe is not None and digest(found.recipe) == recipe:
            there[name] = at
        elif found is not None:
            strange.append(name)
    never = {name for name, recipe in listing.pictures.items() if recipe in listing.never_fired and name not in there}
    missing = tuple(name for name in listing.pictures if name not in there and name not in never)
    gone = () if never else tuple(name for name in listing.sheets if name not in known)  # of nothing that fired there is no sheet
    sheets = sum(name in known for name in listing.sheets)
    return SeenGrid(listing, there, missing, tuple(each for each in listing.pictures if each in never), tuple(strange), sheets, gone)


def missing_files(folder: Path) -> list[str]:
    """The files that a folder's grid lists and that are not there, but for pictures that never fired; none where it is no grid, or its
    list is damaged."""
    listing = _listing_or_none(folder)
    if listing is None:
        return []
    names = [name for name, recipe in listing.pictures.items() if recipe not in listing.never_fired]
    names += () if listing.never_fired else listing.sheets
    return [name for name in names if not (folder / name).is_file()]


def never_fired(folder: Path) -> list[str]:
    """The pictures of a folder's grid that there are none of, since nothing moved their target."""
    listing = _listing_or_none(folder)
    return [] if listing is None else [name for name, recipe in listing.pictures.items() if recipe in listing.never_fired]


def is_grid(folder: Path) -> bool:
    """Whether a folder is that of a grid."""
    return _listing_or_none(folder) is not None


def _listing_or_none(folder: Path) -> Listing | None:
    try:
        return read_listing(folder)
    except InputError:  # damaged: making the gallery says so
        return None


def damage_in(folder: Path) -> str:
    """What is wrong with the list of a folder's grid; empty where nothing is, or there is none."""
    try:
        read_listing(folder)
    except InputError as error:
        return damage_of(error, folder)
    return ""


def damage_of(error: InputError, folder: Path) -> str:
    """What is wrong with the list of a grid, without its path."""
    return printable(error.fault.replace(f"'{folder / NAME}'", NAME, 1))


def named(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(printable(each) for each in names[:most]) + (f" and {more:,} more" if more > 0 else "")


def all_told(grid: SeenGrid | None, pictures: int, sheets: int, most: int) -> str:
    """What the page of a folder has, without a full stop: of a grid how much of it is there, else how many pictures, none left out.

    Args:
        pictures, sheets: how many were found. most: names that are told of those that are missing.
    """
    if grid is None:
        return f"{counted_files(pictures, sheets)}, none left out"
    others, more = pictures - len(grid.there) - len(grid.strange), sheets - grid.sheets
    said = grid.sentence(most)
    if others > 0:
        said += f"; beside them {counted_files(others, more).replace('picture', 'other picture', 1)}"
    elif more > 0:
        said += f"; beside them {_counted(more, 'other sheet')}"
    return said


def counted_files(pictures: int, sheets: int) -> str:
    """`24 pictures and 2 sheets`; sheets only where there are any."""
    return _counted(pictures, "picture") + (f" and {_counted(sheets, 'sheet')}" if sheets else "")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
