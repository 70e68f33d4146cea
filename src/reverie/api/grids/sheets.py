"""The sheets of a grid: rows are the first axis, columns the second, and each combination of the others has a sheet of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from torch import Tensor

from reverie.api.grids.axes import Axis, Wanted
from reverie.pictures import contact_sheet, table_sheet
from reverie.pictures.sheets import MOST
from reverie.store import file_stems

SIDE = 224  # pixels of the longer side of a picture on a sheet


@dataclass(frozen=True)
class SheetPlan:
    """A sheet of a grid.

    Attributes:
        name: of its file. title: what is above it.
        rows, columns: numbers of the values that it shows, of the first axis and of the second. rest: those of the other axes.
    """

    name: str
    title: str
    rows: range
    columns: range
    rest: tuple[int, ...]

    def at(self, axes: int) -> list[tuple[int, ...]]:
        """The places of its pictures, row by row."""
        return [(row, column, *self.rest)[:axes] for row in self.rows for column in self.columns]

    def draw(self, wanted: Wanted, picture: Callable[[tuple[int, ...]], Tensor | str]) -> Tensor:
        """The sheet, (3, H, W) in 0..1.

        Args:
            picture: gives the one at a place, (3, H, W) in 0..1, or words for an empty place.
        """
        shown = [picture(at) for at in self.at(len(wanted.axes))]
        first = wanted.axes[0]
        if len(wanted.axes) == 1:
            return contact_sheet(shown, [first.words[row] for row in self.rows], side=SIDE, title=self.title)
        second, width = wanted.axes[1], len(self.columns)
        table = [shown[begin : begin + width] for begin in range(0, len(shown), width)]
        rows, columns = [first.words[row] for row in self.rows], [second.words[column] for column in self.columns]
        return table_sheet(table, rows, columns, (said(first), said(second)), side=SIDE, title=self.title)


def sheets_of(wanted: Wanted) -> list[SheetPlan]:
    """All sheets: one, where there are two axes and no more pictures than a sheet holds."""
    first, others = wanted.axes[0], wanted.axes[2:]
    second = range(len(wanted.axes[1].values)) if len(wanted.axes) > 1 else range(1)
    stems = [axis.stems for axis in others]
    found: list[SheetPlan] = []
    for rest in product(*(range(len(axis.values)) for axis in others)):
        name = "-".join(["sheet", *(each[place] for each, place in zip(stems, rest, strict=True))])[:200]
        title = " · ".join(f"{said(axis)} {axis.words[place]}" for axis, place in zip(others, rest, strict=True))
        if len(wanted.axes) == 1:
            title = said(first)
        parts = list(_parts(range(len(first.values)), second))
        for number, (rows, columns) in enumerate(parts, 1):
            found.append(SheetPlan(f"{name}{f'-{number}' if len(parts) > 1 else ''}.png", title, rows, columns, rest))
    return _told_apart(found)


def said(axis: Axis) -> str:
    """What an axis is, as people write it: `octave scale`."""
    return axis.name.replace("_", " ")


def _parts(rows: range, columns: range) -> Iterator[tuple[range, range]]:
    """Parts of a table that a sheet holds."""
    wide = min(len(columns), MOST)
    high = max(1, MOST // wide)
    for top in range(0, len(rows), high):
        for left in range(0, len(columns), wide):
            yield rows[top : top + high], columns[left : left + wide]


def _told_apart(sheets: Sequence[SheetPlan]) -> list[SheetPlan]:
    """The same with names that are all different, also where no case is told."""
    names = file_stems(dict.fromkeys(each.name.removesuffix(".png") for each in sheets))
    if len(names) == len(sheets):
        return [replace(each, name=f"{names[each.name.removesuffix('.png')]}.png") for each in sheets]
    return [replace(each, name=f"sheet-{number}.png") for number, each in enumerate(sheets, 1)]
