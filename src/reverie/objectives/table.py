"""All objectives, one row each: what it is handed, how it judges, which targets it takes, whether it can be cut into tiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from reverie.errors import InputError, UsageError
from reverie.objectives.excite import Judge, Places, excite, log_odds
from reverie.objectives.match import caricature, direction, guide, rebuild
from reverie.target import Target

Shape = Callable[[str], tuple[int, ...]]  # a layer → the shape of its activations at the native size, (1, C, …)
Check = Callable[[Target, Shape, Tensor | None], None]  # a target, shapes, a direction (C,) or (N, C); raises UsageError


@dataclass(frozen=True)
class Material:
    """What an objective judges by.

    Attributes:
        targets: one for each picture of the batch.
        class_indices: the numbers of the classes that a label means.
        seen: what layers see in the input that it needs, by name, (1, C, …); empty where it needs no picture.
        direction: (C,), in a layer's channels, where it needs one; or (N, C), one for each picture.
        places: of layers how much each place counts, (N, 1, H, W), 1 on the whole; empty where all count alike.
    """

    targets: Sequence[Target]
    class_indices: Callable[[str], Sequence[int]]
    seen: Mapping[str, Tensor] = field(default_factory=dict, repr=False)
    direction: Tensor | None = field(default=None, repr=False)
    places: Places = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Entry:
    """An objective.

    Attributes:
        judge: makes its judge.
        needs: the input that it is handed: a guide, a direction, what each picture of the batch began with (seen anew at each step, through
            the same transform); or nothing.
        aligned: a guide is seen at the picture's own size, to be compared place by place; else at about the network's native size, some
            hundred places of it, in no order.
        whole_layers: it takes layers, and no channels, neurons or classes of them.
        tiled: its score is a mean over places, so that it can be added up tile by tile.
        check: what else it asks of a target and a direction.
    """

    judge: Callable[[Material], Judge]
    needs: Literal["", "start", "guide", "direction"] = ""
    aligned: bool = False
    whole_layers: bool = False
    tiled: bool = False
    check: Check = lambda target, shape, direction: None


def _positive(target: Target, shape: Shape, direction: Tensor | None) -> None:
    if any(term.weight <= 0 for term in target.terms):
        raise UsageError(f"a rebuild with the target '{target}'", "give its layers weights above 0")


def _placed(objective: str) -> Check:
    def check(target: Target, shape: Shape, direction: Tensor | None) -> None:
        for name in target.layers():
            channels, *places = shape(name)[1:] or (0,)
            if len(places) != 2:
                raise UsageError(f"a {objective} with the target '{name}'", "it has no places: name another layer")
            if direction is not None and channels != direction.shape[-1]:
                raise UsageError(f"a direction of {direction.shape[-1]} numbers", f"'{name}' has {channels} channels")

    return check


def _along(material: Material) -> Judge:
    if material.direction is None:
        raise UsageError("a direction is missing", "give one")
    return direction(material.targets[0], material.direction, material.places)


TABLE: dict[str, Entry] = {
    "excite": Entry(lambda given: excite(given.targets, given.class_indices, given.places), tiled=True),
    "log-odds": Entry(lambda given: excite(given.targets, given.class_indices, given.places, log_odds)),
    "guide": Entry(lambda given: guide(given.targets[0], given.seen), needs="guide", whole_layers=True, tiled=True, check=_placed("guide")),
    "caricature": Entry(lambda given: caricature(given.targets[0], given.seen), needs="start", whole_layers=True),
    "direction": Entry(_along, needs="direction", whole_layers=True, tiled=True, check=_placed("direction")),
    "rebuild": Entry(lambda given: rebuild(given.targets, given.seen), needs="guide", aligned=True, whole_layers=True, check=_positive),
}


def entry(name: str) -> Entry:
    """The row of an objective.

    Raises:
        InputError: there is none of this name; only a recipe can have named it.
    """
    if name not in TABLE:
        raise InputError(f"the objective '{name}' is not known", "it may be of a newer Reverie: the known ones are " + ", ".join(TABLE))
    return TABLE[name]


def check(name: str, target: Target, shape: Shape, direction: Tensor | None = None) -> None:
    """Raise UsageError where an objective does not take a target, or a direction (C,) does not fit its layers."""
    row = entry(name)
    for term in target.terms:
        if row.whole_layers and (term.label is not None or term.channel is not None):
            raise UsageError(f"a {name} with the target '{term.unit()}'", "it needs layers, such as blocks.4.1")
    row.check(target, shape, direction)
