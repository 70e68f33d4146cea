"""What an atlas is made in: stages, each of tasks that do not follow from each other, in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reverie.api.atlases.planning import AtlasPlan
from reverie.atlases.store import AtlasStore
from reverie.work import Result, Task
from reverie.work.any_order import Part

StageMake = Callable[[AtlasPlan, Mapping[str, Any], Part], Result | None]
"""Makes a task from what it says, `Task.what`; None where it was stopped. It runs in whichever process works, and reads no store."""


def _no_tasks(plan: AtlasPlan, store: AtlasStore) -> Sequence[Task]:
    return []


def _never_made(plan: AtlasPlan, what: Mapping[str, Any], part: Part) -> Result | None:
    raise AssertionError("a stage without tasks")


def _never_done(plan: AtlasPlan, store: AtlasStore, task: Task, result: Result) -> None:
    raise AssertionError("a stage without tasks")


def _nothing(plan: AtlasPlan, store: AtlasStore) -> None:
    """There is nothing to do afterwards."""


@dataclass(frozen=True)
class Stage:
    """A stage of the work; one that needs no more than the store has `after` alone.

    Attributes:
        name: for people, and in `Task.what["stage"]`.
        tasks: those that are missing. make: see `StageMake`.
        done: puts what came of a task into the store. after: what is done here once none is missing.
    """

    name: str
    tasks: Callable[[AtlasPlan, AtlasStore], Sequence[Task]] = _no_tasks
    make: StageMake = _never_made
    done: Callable[[AtlasPlan, AtlasStore, Task, Result], None] = _never_done
    after: Callable[[AtlasPlan, AtlasStore], None] = _nothing
