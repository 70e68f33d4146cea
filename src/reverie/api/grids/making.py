"""The public functions of grids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Unpack, overload

from reverie.api.choices import ClassLike, Climbed, GridChoices, PictureLike
from reverie.api.grids.cells import Told
from reverie.api.grids.folder import GridFolder, earlier_runs
from reverie.api.grids.planning import GridPlan, Watcher, first_fault, planned
from reverie.api.opening import Networks
from reverie.pictures import MadePicture, Pictures
from reverie.pictures.torch_modes import ordinary_modes
from reverie.store import expanded, originals

Subject = PictureLike | ClassLike | Climbed
Vary = Mapping[str, object]  # of each choice a list, a range, or a text


@dataclass(frozen=True)
class Grid:
    """A grid in a folder.

    Attributes:
        folder: it is whole, and can be moved.
        pictures: files, in the order of the axes; of what never fired, or was not made yet, there is none.
        sheets: files. page: of the gallery. Both are there once nothing is left to be made.
        axes: the words for the values of each choice that varies, by its name.
        finished: whether all pictures are made.
    """

    folder: Path
    pictures: list[Path] = field(default_factory=list)
    sheets: list[Path] = field(default_factory=list)
    page: Path | None = None
    axes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    finished: bool = False


@overload
def grid(
    start: Subject | Sequence[Subject] | None = ..., vary: Vary = ..., *, command: Literal["dream", "imagine", "feature"] = ...,
    folder: None = ..., network: Networks = ..., force: bool = ..., progress: Watcher | None = ..., **choices: Unpack[GridChoices],
) -> Pictures: ...  # fmt: skip


@overload
def grid(
    start: Subject | Sequence[Subject] | None = ..., vary: Vary = ..., *, command: Literal["dream", "imagine", "feature"] = ...,
    folder: str | Path, network: Networks = ..., force: bool = ..., progress: Watcher | None = ..., **choices: Unpack[GridChoices],
) -> Grid: ...  # fmt: skip


@ordinary_modes()
def grid(
    start: Subject | Sequence[Subject] | None = None,
    vary: Vary | None = None,
    *,
    command: Literal["dream", "imagine", "feature"] = "dream",
    folder: str | Path | None = None,
    network: Networks = None,
    force: bool = False,
    progress: Watcher | None = None,
    **choices: Unpack[GridChoices],
) -> Pictures | Grid:
    """Pictures over every combination of choices. All are planned before the first is made, so that what is wrong comes to light at once.

    Args:
        start: what the command takes: pictures of `dream`, labels of `imagine`, targets of `feature`; several are the first axis.
        vary: the values of each choice that varies, by its name, such as `{"level": ["edges", "parts"], "seed": range(4)}`; a text is read
            as the command line's. `network`, and `start`, `label` or `target` by name, may vary too.
        command: that makes the pictures.
        folder: where they go as they are made, with `grid.json`, a labelled sheet and a gallery. What is there of the same grid, or of a
            smaller one, is not made again.
        network: as in `dream`; each is opened once.
        force: make all of it anew; files of other people are never replaced.
        progress: is told how far it is; a true answer stops, and what is finished stays.
        **choices: what all pictures share, as the command has them.

    Returns:
        without a folder the pictures, in the order of the axes, the last the fastest; with one a Grid, of files.

    Raises:
        UsageError: a choice that the command has not, values out of bounds or alike, two pictures that would be the same, more than 10,000.
        OutputError: the folder holds something else. ReverieError: what kept a picture from being made, once all others are.
    """
    place = None if folder is None else expanded(folder)
    plan = plan_grid(start, vary, command=command, folder=place, network=network, force=force, **choices)
    if place is None:
        return _in_memory(plan, progress)
    into = GridFolder(place, plan, force)
    with originals(_files_in(start, vary or {}, choices)), into.ready():
        outcome = into.make(progress)
        fault = first_fault(outcome)
        if fault is not None and not outcome.stopped:
            raise fault
        axes = {axis.name: axis.words for axis in plan.axes}
        return Grid(place, into.pictures(), into.sheets, into.page, axes, not outcome.stopped)


def _files_in(start: object, vary: Mapping[str, object], choices: Mapping[str, object]) -> Iterator[Path]:
    """Every file that goes in by its name; what is none counts for nothing."""
    for given in (start, *vary.values(), *choices.values()):
        for each in given if isinstance(given, (list, tuple)) else [given]:
            if isinstance(each, (str, Path)):
                yield expanded(each)


def plan_grid(
    start: Any = None,
    vary: Vary | None = None,
    *,
    command: str = "dream",
    folder: Path | None = None,
    network: Networks = None,
    force: bool = False,
    told: Told | None = None,
    **choices: Any,
) -> GridPlan:
    """All of `grid` but the making.

    Args:
        folder: in which an earlier one may be: pictures that it made together are so again. It is only read.
        told: is handed how many pictures are planned and how many there are; a true answer stops with KeyboardInterrupt.
    """
    return planned(command, start, vary or {}, network, choices, earlier_runs(folder, force), told)


def _in_memory(plan: GridPlan, progress: Watcher | None) -> Pictures:
    """The pictures that are made until it is stopped."""
    made: dict[tuple[int, ...], MadePicture] = {}
    outcome = plan.make(lambda unit, pictures: made.update(zip((cell.at for cell in unit.cells), pictures, strict=True)), progress)
    fault = first_fault(outcome)
    if fault is not None:
        raise fault
    return Pictures(made[at] for at in sorted(made))
