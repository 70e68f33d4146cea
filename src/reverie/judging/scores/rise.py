"""How strongly a target rose: its score on the final picture, against its start, and against photographs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources

import torch
from safetensors.torch import load
from torch import Tensor

from reverie.errors import InputError
from reverie.networks import Network
from reverie.objectives import entry
from reverie.objectives.excite import OfClass, log_odds, logit
from reverie.objectives.table import Material
from reverie.pictures import resize
from reverie.recipe import NetworkUsed, Recipe
from reverie.render.target_checks import layers_of
from reverie.target import CLASSES, Target, Term

LARGEST = 1024  # pixels of the longer side at which a rise is seen: of larger pictures an ascent saw more, at four times the cost
_JUDGED: dict[str, OfClass] = {"excite": logit, "log-odds": log_odds}  # objectives whose scores on photographs are known


def rise(recipe: Recipe, opened: Callable[[NetworkUsed], Network], pixels: Tensor, start: Tensor | None) -> dict[str, float]:
    """`strength among photographs`, and with a start `rise`: standard deviations of photographs; of several networks on average.

    Args:
        recipe: of the picture.
        opened: gives a network of the recipe.
        pixels: the picture as its file has it, (3, H, W) in 0..1. start: what it began with, of any size.

    Raises:
        InputError: the scores of photographs are not known for its networks, objective or target. Else as `opened`.
    """
    if recipe.objective not in _JUDGED or not recipe.networks:
        raise InputError(f"for the objective '{recipe.objective}' no scores of photographs are known")
    found = []
    for used in recipe.networks:
        network, target = opened(used), used.target or recipe.target
        usual = photographs(network, target, recipe.objective)  # (P,)
        spread = float(usual.std())
        if not math.isfinite(spread) or spread <= 0:
            raise InputError(f"'{target}' has the same score on all photographs")
        seen = score(network, target, recipe.objective, at_native_size(pixels, network))
        row = {"strength among photographs": (seen - float(usual.mean())) / spread}
        if start is not None:
            here, before = (score(network, target, recipe.objective, each) for each in at_one_size(pixels, start))
            row["rise"] = (here - before) / spread
        found.append(row)
    return {name: sum(row[name] for row in found) / len(found) for name in found[0]}


def score(network: Network, target: Target, objective: str, pixels: Tensor) -> float:
    """What an ascent would climb on one picture (3, H, W), looked at as large as it is."""
    ready = network.prepare(layers_of(target))
    judge = entry(objective).judge(Material([target], network.class_indices))
    with torch.no_grad():
        return float(judge(ready(pixels[None].to(network.device)))[0])


def photographs(network: Network, target: Target, objective: str) -> Tensor:
    """(P,) float64: the score of a target on each of the photographs, its shorter side at the network's native size.

    Raises:
        InputError: it is not known; says of what.
    """
    known = measured(network.name)
    if not known:
        raise InputError(f"for {network.name} no scores of photographs are known")
    return torch.stack([term.weight * _of_term(term, known, network, _JUDGED[objective]) for term in target.terms]).sum(0)


@cache
def measured(name: str) -> Mapping[str, Tensor]:
    """Of a built-in network, by `class scores` (P, K), by a layer its score (P,), and by `LAYER:` its channels' means (P, C), for each of P
    photographs; empty of any other. `python -m bench.scores --write` measured it."""
    place = resources.files("reverie.judging.scores") / "measured" / f"{name}.safetensors"
    return {each: values.double() for each, values in load(place.read_bytes()).items()} if place.is_file() else {}


def at_native_size(pixels: Tensor, network: Network) -> Tensor:
    """(3, H, W) with its shorter side at the network's native size, its longer no more than 1024, as photographs were looked at."""
    return _scaled(pixels, min(network.size) / min(pixels.shape[1:]))


def at_one_size(pixels: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """A picture and its start as large as the picture, and no longer than 1024 pixels."""
    shown = _scaled(pixels, min(1.0, LARGEST / max(pixels.shape[1:])))
    return shown, resize(start, *shown.shape[1:])


def _of_term(term: Term, known: Mapping[str, Tensor], network: Network, of_class: OfClass) -> Tensor:
    if term.label is not None:
        return torch.stack([of_class(row, network.class_indices(term.label)) for row in known[CLASSES]])
    name = term.layer if term.channel is None else f"{term.layer}:"
    if term.at is not None or name not in known:
        raise InputError(f"for '{term.unit()}' no scores of photographs are known")
    if term.channel is None:
        return known[name]
    if term.channel >= known[name].shape[1]:
        raise InputError(f"'{term.layer}' of {network.name} has no channel {term.channel}")
    return known[name][:, term.channel]


def _scaled(pixels: Tensor, factor: float) -> Tensor:
    height, width = (min(max(1, round(side * factor)), LARGEST) for side in pixels.shape[1:])
    return resize(pixels, height, width)
