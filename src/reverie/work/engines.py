"""Engines: who makes units that do not follow from each other. This process is one; `reverie.work.ray_engine` has the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reverie.work.any_order import Doing, Outcome, Part, run_in_any_order


@dataclass(frozen=True)
class Task:
    """A unit as data that can travel: what identifies it, and what is to be made; neither tensors nor open networks.

    Attributes:
        name: what it is called, for people: `blocks.4.1:0-7`.
        what: plain data, as JSON has it.
        weight: of it in what is left.
    """

    name: str
    what: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0


Result = Mapping[str, bytes]
"""What came of a task, as contents by name."""
Make = Callable[[Task, Part], Result | None]
"""Makes a task and tells how far it is; None where it was told to stop."""
Opening = Callable[[], Make]
"""Gets ready, in the process that works, what tasks are made with, such as an open network. It can be pickled where an engine says so."""


class Engine(Protocol):
    """Whoever makes tasks."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    def run(
        self,
        tasks: Sequence[Task],
        opening: Opening,
        done: Callable[[Task, Result], object],
        watcher: Callable[[Doing], object] | None = None,
    ) -> Outcome[Task]:
        """Make tasks, in any order; one that fails is set aside, and the others are made.

        Args:
            tasks: those that are missing.
            opening: is called once in each process that works.
            done: is handed what came of each, in this process, one at a time; what it writes is the checkpoint.
            watcher: is told how far it is; a true answer stops.

        Raises:
            OutputError: from `done`: no room, or not writable.
        """
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


@dataclass(frozen=True)
class ThisProcess:
    """The engine that there always is: one task after the other, here."""

    name: str = "this process"

    def run(
        self,
        tasks: Sequence[Task],
        opening: Opening,
        done: Callable[[Task, Result], object],
        watcher: Callable[[Doing], object] | None = None,
    ) -> Outcome[Task]:
        """See `Engine.run`."""
        if not tasks:
            return Outcome(0)
        make = opening()

        def unit(task: Task, part: Part) -> bool:
            result = make(task, part)
            if result is None:
                return False
            done(task, result)
            return True

        return run_in_any_order(tasks, lambda _: False, unit, watcher, lambda task: task.weight)

    def close(self) -> None:
        """There is nothing to give back."""
