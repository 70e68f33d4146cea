"""Whether a network has what a target names, and on which pictures."""

from __future__ import annotations

from torch import Tensor

from reverie import objectives
from reverie.errors import UsageError, choice
from reverie.networks import Network
from reverie.target import CLASSES, Target, Term


def reach(term: Term, network: Network) -> int:
    """The least side of a picture on which the layer has the place that a term names; 1 where it names none."""
    if term.at is None or term.at == "centre":
        return 1
    rows, columns = network.layer(term.layer)[2:]
    stride = network.stride(term.layer)
    return max(
        1,
        network.size[0] + (term.at[0] + 1 - rows) * stride,
        network.size[1] + (term.at[1] + 1 - columns) * stride,
    )


def check_reach(target: Target, network: Network, height: int, width: int) -> None:
    """Raise UsageError for a neuron that a layer does not have on a picture of this size."""
    for term in target.terms:
        if reach(term, network) > min(height, width):
            raise UsageError(
                f"no place {term.place} in '{term.layer}' on a picture of {width}×{height}",
                f"a picture of {reach(term, network)} pixels a side has it, with {choice('width')} or {choice('size')}",
            )


def check(target: Target, network: Network) -> None:
    """Raise UsageError for whatever of a target the network does not have, or from which no gradient comes to the picture."""
    for term in target.terms:
        if term.label is not None:
            network.class_indices(term.label)
            continue
        try:
            shape = network.layer(term.layer)
        except UsageError as error:
            raise _or_class(error, term, network) from error
        if term.channel is not None and (len(shape) < 2 or term.channel >= shape[1]):
            has = f"it has {shape[1]}, numbered from 0" if len(shape) > 1 else "it has none"
            raise UsageError(f"no channel {term.channel} in '{term.layer}'", has)
        if term.at is not None and len(shape) != 4:
            raise UsageError(f"no place {term.place} in '{term.layer}'", "it has no places")
        if isinstance(term.at, tuple) and (term.at[0] >= shape[2] or term.at[1] >= shape[3]):
            has = f"at the native size it has {shape[2]} rows and {shape[3]} columns"
            raise UsageError(f"no place {term.at[0]},{term.at[1]} in '{term.layer}'", has)
    network.check_gradient(layers_of(target))


def layers_of(*targets: Target) -> list[str]:
    """The layers that targets are judged by, each once; CLASSES at the end where one has a class."""
    layers = dict.fromkeys(name for target in targets for name in target.layers())
    return [*layers, *([CLASSES] if any(term.label is not None for target in targets for term in target.terms) else [])]


def check_places(target: Target, network: Network) -> None:
    """Raise UsageError for what of a target has no places that a mask could choose among."""
    for term in target.terms:
        if term.label is not None:
            raise UsageError(f"a mask with the target '{term.unit()}'", "a class has no places: name a layer or a channel")
        if term.at is not None:
            raise UsageError(f"a mask with the target '{term.unit()}'", "it is in one place already: name its channel")
        if max(network.layer(term.layer)[2:], default=1) == 1:
            raise UsageError(f"a mask with the target '{term.unit()}'", "it has no places: name another layer")


def _or_class(error: UsageError, term: Term, network: Network) -> UsageError:
    """The error for a layer that there is not, which may be the name of a class."""
    try:
        network.class_indices(term.layer)
    except UsageError:
        return error
    is_name = term.channel is None and not term.layer.isdecimal()
    return UsageError(error.fault, f"it is a class: write class:{term.layer}") if is_name else error


def check_objective(objective: str, target: Target, network: Network, direction: Tensor | None = None) -> None:
    """Raise UsageError where an objective does not take a target, or a direction (C,) does not fit; InputError for one not known."""
    objectives.check(objective, target, network.layer, direction)
