"""Units that do not follow from each other, as cells of a grid or pages of an atlas: those that are missing are made."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from reverie.errors import OutputError, ReverieError

Unit = TypeVar("Unit")


@dataclass(frozen=True)
class Doing:
    """How far a job is, or the making of one of its units.

    Attributes:
        number: of the unit that is being made, among those that this process makes, counted from 0.
        units: how many these are.
        before: how many were there from before.
        share: of this unit that is done, 0..1.
        part: what is being done to it, in words.
        done: the share of what this process makes that is done, 0..1, each unit by its weight.
        left: seconds that the rest will take at this pace; None until a unit is finished.
    """

    number: int
    units: int
    before: int
    share: float
    part: str
    done: float
    left: float | None

    @property
    def doing(self) -> str:
        """The same in words."""
        return f"{self.before + self.number + 1}/{self.before + self.units}" + (f"  {self.part}" if self.part else "")


@dataclass
class Outcome(Generic[Unit]):
    """What became of the units.

    Attributes:
        finished: how many are there now. faults: units that failed, and why. stopped: whether it was told to stop.
    """

    finished: int
    faults: list[tuple[Unit, ReverieError]] = field(default_factory=list)
    stopped: bool = False


Part = Callable[[float, str], bool]
"""Is told the share of a unit that is done and what is being done; a true answer stops."""


def run_in_any_order(
    units: Sequence[Unit],
    is_finished: Callable[[Unit], bool],
    make: Callable[[Unit, Part], bool],
    watcher: Callable[[Doing], object] | None = None,
    weight: Callable[[Unit], float] = lambda _: 1.0,
) -> Outcome[Unit]:
    """The engine of this process: it makes the units that are missing. One that fails is set aside, and the others are made.

    Args:
        units: all of them, in the order in which they are made.
        is_finished: whether the files of a unit are there, whole, and those of this unit.
        make: makes a unit and writes its files, each whole or not at all; it tells its progress, and where the answer to that is true it
            stops. It answers whether the unit is finished.
        watcher: is told how far it is; a true answer stops. weight: of a unit in what is left, such as its gradient steps.

    Raises:
        OutputError: no room, or not writable, which it is for the others too; what is finished is kept.
    """
    missing = [each for each in units if not is_finished(each)]
    outcome: Outcome[Unit] = Outcome(len(units) - len(missing))
    before, whole, began = outcome.finished, sum(weight(each) for each in missing), time.monotonic()
    behind = 0.0  # the weight of the units that were tried

    def told(number: int, share: float, part: str) -> bool:
        here = behind + share * weight(missing[number])
        left = (whole - here) * (time.monotonic() - began) / here if behind or (here and share == 1) else None
        return watcher is not None and bool(watcher(Doing(number, len(missing), before, share, part, here / whole if whole else 1.0, left)))

    for number, unit in enumerate(missing):
        try:
            is_whole = make(unit, partial(told, number))
        except OutputError as error:
            raise kept_so_far(error, outcome.finished, len(units)) from error
        except ReverieError as error:
            outcome.faults.append((unit, error))
        else:
            if not is_whole:
                outcome.stopped = True
                break
            outcome.finished += 1
        wants_stop = told(number, 1.0, "")
        behind += weight(unit)
        if wants_stop and number + 1 < len(missing):
            outcome.stopped = True
            break
    return outcome


def kept_so_far(error: OutputError, finished: int, units: int) -> OutputError:
    """The error that ends a job, with what is there of it."""
    kept = f"{finished} of {units} are finished and kept, and the same command goes on"
    return OutputError(error.fault, f"{error.remedy}; {kept}" if error.remedy else kept)
