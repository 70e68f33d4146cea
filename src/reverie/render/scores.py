"""From recipe and networks to the function of pictures that is climbed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from reverie.ascent import STRAIGHT, Score, Size, View
from reverie.canvas import magnitudes
from reverie.errors import UsageError
from reverie.networks import Network, Prepared
from reverie.objectives import Judge, Penalty, caricature, direction, diverse, excite, guide, penalty, rebuild
from reverie.pictures import resize
from reverie.recipe import Recipe
from reverie.render.target_checks import check, check_objective, reach
from reverie.target import CLASSES, Target

_PLACES = 400  # of a guide that are compared with: more than the eye tells apart


@dataclass(frozen=True)
class Inputs:
    """What goes into an objective beside the network.

    Attributes:
        start: (N, C, H, W), what a caricature exaggerates.
        guide: (C, H, W), whose features are wanted, or that is to be rebuilt from them.
        direction: (C,), in a layer's channels.
    """

    start: Tensor
    guide: Tensor | None = None
    direction: Tensor | None = None


def targets_of(recipe: Recipe) -> list[list[Target]]:
    """For each network the targets of each picture of the batch."""
    wanted = recipe.batch.targets if recipe.batch else (recipe.target,)
    return [[used.target or each for each in wanted] for used in recipe.networks]


def scorers(recipe: Recipe, networks: Sequence[Network], inputs: Inputs) -> tuple[Score, Score, int]:
    """The function of pictures to climb, the same with a gradient through dead units, and the least side of a picture for it.

    Raises:
        UsageError: a network has no such layer, channel, place or class.
    """
    parts = []
    smallest = 1
    for network, targets in zip(networks, targets_of(recipe), strict=True):
        for target in dict.fromkeys(targets):
            check(target, network)
        layers = tuple(dict.fromkeys(name for target in targets for name in target.layers()))
        wanted = list(layers)
        if any(term.label is not None for target in targets for term in target.terms):
            wanted.append(CLASSES)
        apart = recipe.batch is not None and recipe.batch.kind == "diverse"
        compared = layers or ((deepest(network),) if apart else ())
        prepared = network.prepare([*wanted, *(name for name in compared if name not in wanted)])
        if recipe.tiles is None:
            judge = _judge(recipe, network, targets, prepared, inputs, compared if apart else ())
        else:
            judge = _judge_of_windows(recipe, network, targets[0], prepared, inputs)
        parts.append((prepared, judge))
        coarsest = max((network.stride(name) for name in layers), default=max(network.anatomy.strides.values(), default=1))
        smallest = max(smallest, 2 * coarsest, *(reach(term, network) for target in targets for term in target.terms))

    def total(run: Callable[[Prepared, Tensor], Mapping[str, Tensor]], pictures: Tensor, view: View) -> Tensor:
        if len(parts) == 1:
            return parts[0][1](run(parts[0][0], pictures), pictures, view)
        scores = [judge(run(prepared, even(pictures)), pictures, view) for prepared, judge in parts]
        return torch.stack(scores).sum(0)  # (N,)

    def score(pictures: Tensor, view: View = STRAIGHT) -> Tensor:
        return total(lambda prepared, shown: prepared(shown), pictures, view)

    def soft(pictures: Tensor, view: View = STRAIGHT) -> Tensor:
        return total(lambda prepared, shown: prepared.softly(shown), pictures, view)

    return score, soft, smallest


def penalised(recipe: Recipe) -> Penalty | None:
    """What each step takes back, by the recipe's penalties."""
    return penalty(recipe.penalties, _natural)


@lru_cache(maxsize=4)
def _natural(height: int, width: int, device: torch.device) -> Tensor:
    """The amplitude of photographs, (H, W//2+1), up to a factor: that of the first decorrelated colour, which is nearly light."""
    return magnitudes(height, width, 0.0)[0].to(device)


def deepest(network: Network) -> str:
    """The last layer that still has places."""
    placed = [each.name for each in network.layers if each.height > 1]
    if not placed:
        raise UsageError(f"{network.name} has no layer with places", "name a target with a layer")
    return placed[-1]


_PlacedJudge = Callable[[Mapping[str, Tensor], Tensor, View], Tensor]


def _judge_of_windows(recipe: Recipe, network: Network, target: Target, prepared: Prepared, inputs: Inputs) -> _PlacedJudge:
    """The same score, as a sum over windows: of each layer's mean over places the part that a window has."""
    layers = {}
    for name in target.layers():
        own = Target(tuple(term for term in target.terms if term.layer == name))
        layers[name] = network.stride(name), _judge(recipe, network, [own], prepared, inputs, ())

    def score(activations: Mapping[str, Tensor], pictures: Tensor, view: View) -> Tensor:
        total = []
        for name, (stride, judge) in layers.items():
            if view.window is None:
                total.append(judge(activations, pictures, view))
                continue
            counted, share = view.window.of(activations[name], stride)
            total.append(share * judge({name: counted}, pictures, view))
        return torch.stack(total).sum(0)  # (1,)

    return score


def _judge(
    recipe: Recipe, network: Network, targets: list[Target], prepared: Prepared, inputs: Inputs, apart: tuple[str, ...]
) -> _PlacedJudge:
    target = targets[0]
    check_objective(recipe.objective, target, network, inputs.direction)
    plain: Judge
    if recipe.objective == "caricature":

        def exaggerated(activations: Mapping[str, Tensor], pictures: Tensor, view: View) -> Tensor:
            with torch.no_grad():
                seen = prepared(view(resize(inputs.start, *pictures.shape[2:])))
            return caricature(target, seen)(activations)

        return exaggerated
    if recipe.objective == "rebuild":
        assert inputs.guide is not None
        straight = resize(inputs.guide, *inputs.start.shape[2:])[None]  # (1, C, H, W)
        with torch.no_grad():
            plain = rebuild(targets, prepared(straight.to(network.device)))
    elif recipe.objective == "guide":
        assert inputs.guide is not None
        plain = guide(target, guided(inputs.guide, network, prepared))
    elif recipe.objective == "direction":
        assert inputs.direction is not None
        plain = direction(target, inputs.direction.to(network.device))
    else:
        plain = excite(targets, network.class_index)
    if apart:
        plain = diverse(plain, apart)
    return lambda activations, _pictures, _view: plain(activations)


def guided(picture: Tensor, network: Network, prepared: Prepared) -> dict[str, Tensor]:
    """Activations of a guide (C, H, W), brought to about the network's native size, at no more than 400 places: (1, C, P, 1)."""
    height, width = picture.shape[1:]
    factor = min(network.size) / min(height, width)
    size = (max(1, round(height * factor)), max(1, round(width * factor)))
    with torch.no_grad():
        seen = prepared(resize(picture[None], *size).to(network.device))
    return {name: _thinned(each) for name, each in seen.items()}


def _thinned(seen: Tensor) -> Tensor:
    places = seen.flatten(2)  # (1, C, P)
    every = -(-places.shape[2] // _PLACES)
    return places[:, :, ::every, None]


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
    """Pictures for one network among several."""
    shown: Tensor = _Even.apply(pictures)  # type: ignore[no-untyped-call]
    return shown


def takeable(score: Score, start: Tensor, sizes: list[Size]) -> list[Size]:
    """The sizes from the smallest that the network can take.

    Raises:
        UsageError: it cannot even take the largest.
    """
    for number, size in enumerate(sizes):
        try:
            with torch.no_grad():
                score(resize(start, *size), STRAIGHT)
            return sizes[number:]
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            if "allocate memory" in str(error):
                raise
            fault = str(error).splitlines()[0][:120]
    raise UsageError(
        f"the network cannot take a picture of {sizes[-1].width}×{sizes[-1].height}: {fault}", "give another --width or --size"
    )
