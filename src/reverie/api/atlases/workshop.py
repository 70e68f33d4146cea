"""What makes the tasks of an atlas, in this process or another: a plan whose network is open, and the stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reverie.api.atlases.examples_stage import EXAMPLES
from reverie.api.atlases.eyes_stage import EYES
from reverie.api.atlases.features_stage import CLASSES, FEATURES
from reverie.api.atlases.looks_stage import LOOKS
from reverie.api.atlases.maps_stage import MAPS
from reverie.api.atlases.planning import AtlasPlan, plan_atlas
from reverie.api.atlases.speaks_stage import EFFECT, SPEAKS
from reverie.api.atlases.stages import Stage
from reverie.api.atlases.trust_stage import AUDIT, NEAREST, TRUST
from reverie.api.atlases.wiring_stage import WIRING
from reverie.api.elsewhere import NamedNetwork, not_by_name
from reverie.render.noise import threads
from reverie.work import Engine, Make, Opening, Result, Task, ThisProcess
from reverie.work.any_order import Part

STAGES: tuple[Stage, ...] = (EXAMPLES, FEATURES, CLASSES, WIRING, EFFECT, SPEAKS, EYES, LOOKS, TRUST, NEAREST, AUDIT, MAPS)
"""In the order in which they need each other. A new one is a file beside these, and its name here."""


def make_task(plan: AtlasPlan, task: Task, part: Part) -> Result | None:
    """What comes of a task, with the plan's threads; None where it was stopped."""
    stage = next(each for each in STAGES if each.name == task.what["stage"])
    with threads(plan.machine.threads):
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
        named: how the network is opened. sha256: of its weights here.
        choices: as `plan_atlas` takes them, but for the data set, whose pictures tasks name.
    """

    named: NamedNetwork
    sha256: str
    choices: dict[str, Any] = field(default_factory=dict)

    def __call__(self) -> Make:
        network = self.named.opened(self.choices["device"], self.choices["precision"], self.sha256)
        return OpenHere(plan_atlas(network, **self.choices))()


def opening_for(engine: Engine, plan: AtlasPlan, named: NamedNetwork | None, choices: Mapping[str, Any]) -> Opening:
    """What gets the workers of an engine ready for a plan.

    Args:
        named: how its network is opened; None where nobody knows. choices: by which it was planned.

    Raises:
        UsageError: its network cannot be opened elsewhere.
    """
    if isinstance(engine, ThisProcess):
        return OpenHere(plan)
    if named is None:
        raise not_by_name(plan.network)
    machine = plan.machine
    same = {"device": machine.device, "precision": machine.precision, "threads": machine.threads}
    kept = {name: value for name, value in choices.items() if name != "dataset"}
    return OpenByName(named, plan.network.sha256, {**kept, **same})
