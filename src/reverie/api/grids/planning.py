"""The plan of a grid: every picture planned, none made; what it will take; and the making, unit by unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch

from reverie.api.elsewhere import Elsewhere, Wish, make_elsewhere
from reverie.api.grids.axes import Axis, Wanted, wanted
from reverie.api.grids.cells import GridCell, Opened, Told, Unit, units_of
from reverie.api.opening import Networks
from reverie.errors import InputError, ReverieError
from reverie.files import packed_size
from reverie.networks.read_once import reading_once
from reverie.pictures import MadePicture
from reverie.work import Doing, Outcome, run_in_any_order

_MEASURED = 8  # kinds of pictures of which time is measured; others take the mean of these

Watcher = Callable[[Doing], object]
"""Is told how far a grid is; a true answer stops."""


@dataclass(frozen=True)
class GridEstimate:
    """What a grid will take: its pictures, seconds, bytes of memory and of disk for the work at most, and bytes of the results."""

    pictures: int
    seconds: float
    memory: int
    disk: int
    result: int


@dataclass(frozen=True)
class GridPlan:
    """A grid about to be made.

    Attributes:
        wanted: what was asked for. units: pictures that are made together, in the order in which they are made.
    """

    wanted: Wanted
    units: tuple[Unit, ...]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """What varies, in order; the first are rows of a sheet, the second columns."""
        return self.wanted.axes

    @cached_property
    def cells(self) -> list[GridCell]:
        """Every picture, in the order of the axes."""
        return sorted((cell for unit in self.units for cell in unit.cells), key=lambda each: each.at)

    def make(
        self,
        done: Callable[[Unit, Sequence[MadePicture]], object],
        watcher: Watcher | None = None,
        is_finished: Callable[[Unit], bool] = lambda _: False,
        elsewhere: Elsewhere | None = None,
    ) -> Outcome[Unit]:
        """Make the units that are not finished; `done` is handed the pictures of each. One that is stopped on the way is not kept.

        Args:
            elsewhere: who makes them; without it this process.

        Raises:
            OutputError: from `done`: no room, or not writable.
        """

        if elsewhere is not None:
            return self._make_elsewhere(elsewhere, done, watcher, is_finished)

        def make(unit: Unit, part: Callable[[float, str], bool]) -> bool:
            try:
                with reading_once():
                    pictures = unit.plan().make_all(lambda progress: part(progress.done, progress.doing))
            except (MemoryError, torch.OutOfMemoryError):
                raise InputError("there is not enough memory for this", "vary sizes that are smaller") from None
            if any(each.recipe.stopped is not None for each in pictures):
                return False
            done(unit, pictures)
            return True

        return run_in_any_order(self.units, is_finished, make, watcher, lambda unit: unit.weight)

    def _make_elsewhere(
        self,
        elsewhere: Elsewhere,
        done: Callable[[Unit, Sequence[MadePicture]], object],
        watcher: Watcher | None,
        is_finished: Callable[[Unit], bool],
    ) -> Outcome[Unit]:
        missing = [each for each in self.units if not is_finished(each)]
        before = len(self.units) - len(missing)

        def told(doing: Doing) -> bool:
            return watcher is not None and bool(watcher(replace(doing, before=before)))

        wishes = [Wish(", ".join(self.wanted.words(unit.cells[0].at)), unit.plan, unit.weight) for unit in missing]
        with reading_once():
            found = make_elsewhere(elsewhere, wishes, lambda number, pictures: done(missing[number], pictures), told)
        faults = [(missing[number], error) for number, error in found.faults]
        return Outcome(before + found.finished, faults, found.stopped)

    def estimate(self) -> GridEstimate:
        """What it will take, from a measurement on a small part of one picture of each kind, which takes some seconds each."""
        pace: dict[tuple[object, ...], float] = {}  # seconds by weight
        memory = disk = 0
        for unit in self.units:
            if len(pace) < _MEASURED and _kind(unit) not in pace:
                found = unit.plan().estimate()
                pace[_kind(unit)] = found.seconds / unit.weight
                memory, disk = max(memory, found.memory), max(disk, found.disk)
        mean = sum(pace.values()) / len(pace)
        seconds = sum(pace.get(_kind(unit), mean) * unit.weight for unit in self.units)
        recipes = [cell.recipe for cell in self.cells]
        result = sum(packed_size(each.height, each.width, each.channels, ".png", deep=each.finish.deep) for each in recipes)
        return GridEstimate(len(recipes), seconds, memory, disk, result)


def _kind(unit: Unit) -> tuple[object, ...]:
    """What decides how long a step takes for a pixel."""
    recipe = unit.cells[0].recipe
    return (
        *(net.sha256 for net in recipe.networks),
        recipe.target.layers(),
        recipe.objective,
        bool(recipe.penalties.natural),
        recipe.together,
    )


def planned(
    command: str, start: Any, vary: Mapping[str, Any], network: Networks, choices: Mapping[str, Any], earlier: Sequence[Sequence[str]] = (),
    told: Told | None = None,
) -> GridPlan:  # fmt: skip
    """Every picture of a grid planned; see `plan_grid`."""
    opened = Opened()
    asked = wanted(
        command, start, vary, network, choices,
        lambda first: opened(first, choices.get("device"), choices.get("precision"))[0].names,
    )  # fmt: skip
    with reading_once():
        return GridPlan(asked, tuple(units_of(asked, opened, earlier, told)))


def first_fault(outcome: Outcome[Unit]) -> ReverieError | None:
    """What was wrong with the first unit that failed; None where none did."""
    return outcome.faults[0][1] if outcome.faults else None
