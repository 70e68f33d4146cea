"""What makes the tasks of an atlas, in this process or another: a plan whose network is open, and the stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reverie.api.atlases.examples_stage import EXAMPLES
from reverie.api.atlases.features_stage import CLASSES, FEATURES
from reverie.api.atlases.planning import AtlasPlan, plan_atlas
from reverie.api.atlases.stages import Stage
from reverie.api.atlases.wiring_stage import WIRING
from reverie.work import Make, Result, Task
from reverie.work.any_order import Part

STAGES: tuple[Stage, ...] = (EXAMPLES, FEATURES, CLASSES, WIRING)
"""In the order in which they need each other. A new one is a file beside these, and its name here."""


def make_task(plan: AtlasPlan, task: Task, part: Part) -> Result | None:
    """What comes of a task; None where it was stopped."""
    stage = next(each for each in STAGES if each.name == task.what["stage"])
    return stage.make(plan, task.what, part)


@dataclass(frozen=True)
class OpenHere:
    """In this process: the plan is at hand."""

    plan: AtlasPlan

    def __call__(self) -> Make:
        return lambda task, part: make_task(self.plan, task, part)


@dataclass(frozen=True)
class OpenByName:
    """In another process: the network is opened there by its name, and planned with the same choices; it can be pickled.

    Attributes:
        network: a built-in one's name, one of a zoo, or a file of weights that is remembered.
        choices: as `plan_atlas` takes them, but for the data set, whose pictures tasks name.
    """

    network: str
    choices: dict[str, Any] = field(default_factory=dict)

    def __call__(self) -> Make:
        return OpenHere(plan_atlas(self.network, **self.choices))()
