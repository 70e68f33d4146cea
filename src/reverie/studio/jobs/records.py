"""What the queue tells of jobs, and of what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["waiting", "running", "paused", "done", "failed", "cancelled", "aside"]
STATES: tuple[State, ...] = ("waiting", "running", "paused", "done", "failed", "cancelled", "aside")
OPEN: tuple[State, ...] = ("waiting", "running", "paused")  # of jobs that go on
MOST_CRASHES = 2  # of a job that ends the process that runs it; then it is set aside


@dataclass(frozen=True)
class Job:
    """One wish in the queue.

    Attributes:
        id: grows, and is never given again.
        command, subjects, choices: what was asked for, as it was asked; see `wishes`.
        state: `aside` is one that ended the process that ran it twice.
        place: among those that wait, from 0; -1 of others.
        done: share of the work, 0..1. doing: what is being done, in words; of one that is done what there is to know of its results.
        left: seconds that the rest will take, or None where that is not known.
        crashes: how often the process ended under it since it was last asked for.
        fault: why it failed or is aside, with the remedy; else empty.
        results: names below `pictures/`, in order; one that was cancelled has what it had come to. Of a grid the name of its folder, which
            has its pictures, its sheets and its gallery `index.html`; of `see` and `ask` that of a page.
        made, started, ended: seconds since 1970; started is of its last beginning.
    """

    id: int
    command: str
    subjects: tuple[str, ...]
    choices: Mapping[str, Any]
    state: State
    place: int
    done: float
    doing: str
    left: float | None
    crashes: int
    fault: str
    results: tuple[str, ...]
    made: float
    started: float | None
    ended: float | None

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


Kind = Literal["job", "queue", "preview", "picture"]


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        id: grows, and is never given again, in a home.
        kind, data: `job`: the job as it is now, `Job.as_data`, or `{"id", "state": "cleared"}`; `queue`: `{"held", "order"}`, the ids of
            those that wait, and `"missed": True` where earlier events are no longer kept and the state must be read anew;
            `preview`: `{"preview", "done", "ended", "fault"}`; `picture`: `{"name", "job"}`, a new result below `pictures/`; of
            what no job made the job is None.
    """

    id: int
    kind: Kind
    data: Mapping[str, Any]
