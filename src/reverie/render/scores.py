"""From recipe and networks to the function of pictures that is climbed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from reverie.ascent import IDENTITY, Score, Size, Transform
from reverie.canvas import magnitudes
from reverie.errors import UsageError, choice
from reverie.networks import Network, Prepared
from reverie.networks.inspection.chance import Chance, seed_for
from reverie.networks.inspection.failures import CannotTake, taking_a_picture
from reverie.objectives import Penalty, penalty
from reverie.pictures import resize
from reverie.recipe import Recipe
from reverie.render.bound_objectives import Inputs, PlacedJudge, judge_of, judge_of_windows
from reverie.render.natural import drawn_to, statistics_for
from reverie.render.target_checks import check, layers_of, reach
from reverie.target import Target


class Scores(NamedTuple):
    """What is climbed.

    Attributes:
        score: the function of pictures.
        soft: the same with a gradient through dead units, if there is such a one.
        smallest: the least side of a picture for it.
        attempt: sees whether pictures (N, C, H, W) can be taken; raises what the network raises.
    """

    score: Score
    soft: Score | None
    smallest: int
    attempt: Callable[[Tensor], object]


def targets_of(recipe: Recipe) -> list[list[Target]]:
    """For each network the targets of each picture of the batch."""
    wanted = recipe.batch.targets if recipe.batch else (recipe.target,)
    return [[used.target or each for each in wanted] for used in recipe.networks]


def scorers(recipe: Recipe, networks: Sequence[Network], inputs: Inputs) -> Scores:
    """What a recipe climbs on its networks.

    Raises:
        UsageError: a network has no such layer, channel, place or class. InputError: the objective is not known.
    """
    all_targets = targets_of(recipe)
    parts = [_part(recipe, network, targets, inputs) for network, targets in zip(networks, all_targets, strict=True)]
    smallest = [_smallest(network, targets) for network, targets in zip(networks, all_targets, strict=True)]

    def total(run: Callable[[Prepared, Tensor], Mapping[str, Tensor]], pictures: Tensor, transform: Transform) -> Tensor:
        if len(parts) == 1:
            return parts[0][1](run(parts[0][0], pictures), pictures, transform)
        scores = [judge(run(prepared, even(pictures)), pictures, transform) for prepared, judge in parts]
        return torch.stack(scores).sum(0)  # (N,)

    def score(pictures: Tensor, transform: Transform = IDENTITY) -> Tensor:
        return total(lambda prepared, each: prepared(each), pictures, transform)

    def soft(pictures: Tensor, transform: Transform = IDENTITY) -> Tensor:
        return total(lambda prepared, each: prepared.redirected(each), pictures, transform)

    return Scores(score, soft, max(smallest), score)


def drawn_from(scores: Scores, seed: int, purpose: str) -> Scores:
    """The same; networks that chance has a part in draw from a sequence that follows from the seed and the purpose."""
    chance = Chance(seed_for(seed, f"{purpose} | inside"))
    soft = None if scores.soft is None else chance.within(scores.soft)
    return scores._replace(score=chance.within(scores.score), soft=soft)


def _part(recipe: Recipe, network: Network, targets: list[Target], inputs: Inputs) -> tuple[Prepared, PlacedJudge]:
    """One of the networks, made ready, and how what it sees is judged."""
    for target in dict.fromkeys(targets):
        check(target, network)
    layers = tuple(dict.fromkeys(name for target in targets for name in target.layers()))
    wanted = layers_of(*targets)
    apart = recipe.batch is not None and recipe.batch.kind == "diverse"
    compared = layers or ((deepest(network),) if apart else ())
    usual = statistics_for(recipe.penalties.natural, network, wanted, inputs.usual)
    prepared = network.prepare(dict.fromkeys([*wanted, *compared, *usual])).taped()
    if recipe.tiles is None:
        judge = judge_of(recipe, network, targets, prepared, inputs, compared if apart else ())
        return prepared, drawn_to(usual, recipe.penalties.natural, judge)
    return prepared, judge_of_windows(recipe, network, targets[0], prepared, inputs)


def _smallest(network: Network, targets: list[Target]) -> int:
    """The least side of a picture for these targets."""
    layers = dict.fromkeys(name for target in targets for name in target.layers())
    coarsest = max((network.stride(name) for name in layers), default=max(network.anatomy.strides.values(), default=1))
    return max(1, 2 * coarsest, *(reach(term, network) for target in targets for term in target.terms))


def deepest(network: Network) -> str:
    """The last layer that still has places."""
    placed = [each.name for each in network.layers if each.height > 1]
    if not placed:
        raise UsageError(f"{network.name} has no layer with places", "name a target with a layer")
    return placed[-1]


def penalised(recipe: Recipe) -> Penalty | None:
    """What each step takes back, by the recipe's penalties."""
    return penalty(recipe.penalties, _natural)


@lru_cache(maxsize=4)
def _natural(height: int, width: int, device: torch.device) -> Tensor:
    """The amplitude of photographs, (H, W//2+1), up to a factor: that of the first decorrelated colour, which is nearly light."""
    return magnitudes(height, width, 0.0)[0].to(device)


class _Even(torch.autograd.Function):
    """The same value; a gradient of root mean square 1 for each picture, so that every network has the same say."""

    @staticmethod
    def forward(ctx: Any, pictures: Tensor) -> Tensor:
        return pictures.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        size = gradients[0].square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return gradients[0] / size.clamp_min(torch.finfo(size.dtype).tiny)


def even(pictures: Tensor) -> Tensor:
    """Pictures (N, C, H, W) for one network among several."""
    result: Tensor = _Even.apply(pictures)  # type: ignore[no-untyped-call]
    return result


def takeable(attempt: Callable[[Tensor], object], start: Tensor, sizes: list[Size]) -> list[Size]:
    """The sizes from the smallest that the network can take.

    Raises:
        UsageError: it cannot even take the largest.
    """
    for number, size in enumerate(sizes):
        try:
            with torch.no_grad(), taking_a_picture():
                attempt(resize(start, *size))
            return sizes[number:]
        except CannotTake as error:
            fault = str(error)[:120]
    raise UsageError(
        f"the network cannot take a picture of {sizes[-1].width}×{sizes[-1].height}: {fault}",
        f"give another {choice('width')} or {choice('size')}",
    )
