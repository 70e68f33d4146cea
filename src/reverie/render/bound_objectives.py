"""What an objective is handed of a network's view of its inputs, and its judge on a whole picture or a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.ascent import Transform
from reverie.errors import UsageError
from reverie.networks import Network, Prepared
from reverie.networks.norm_statistics import Statistics
from reverie.objectives import Material, diverse, entry
from reverie.pictures import resize
from reverie.recipe import Recipe
from reverie.render.target_checks import check_objective
from reverie.target import Target

_PLACES = 400  # of a guide that are compared with: more than the eye tells apart

PlacedJudge = Callable[[Mapping[str, Tensor], Tensor, Transform], Tensor]
"""Activations of a batch by layer, its pictures (N, C, H, W) as the network sees them, their transform → scores (N,)."""


@dataclass(frozen=True)
class Inputs:
    """What goes into an objective beside the network.

    Attributes:
        start: (N, C, H, W), what a caricature exaggerates.
        guide: (C, H, W), whose features are wanted, or that is to be rebuilt from them.
        direction: (C,), in a layer's channels.
        mask: (H, W) in 0..1: how much the places of a layer count that lie there.
        usual: what layers give for usual pictures, where the network does not remember it.
    """

    start: Tensor = field(repr=False)
    guide: Tensor | None = field(default=None, repr=False)
    direction: Tensor | None = field(default=None, repr=False)
    mask: Tensor | None = field(default=None, repr=False)
    usual: Statistics = field(default_factory=dict, repr=False)


def judge_of(
    recipe: Recipe, network: Network, targets: Sequence[Target], prepared: Prepared, inputs: Inputs, apart: tuple[str, ...] = ()
) -> PlacedJudge:
    """How a network's activations are judged by a recipe's objective.

    Args:
        targets: one for each picture of the batch.
        apart: layers at which the pictures of a batch shall be unlike each other.

    Raises:
        UsageError: the objective does not take the target, or what it needs is missing.
    """
    row = entry(recipe.objective)
    check_objective(recipe.objective, targets[0], network, inputs.direction)
    plain = Material(targets, network.class_indices)
    if row.needs == "start":

        def beside_the_start(activations: Mapping[str, Tensor], pictures: Tensor, transform: Transform) -> Tensor:
            with torch.no_grad():
                seen = prepared(transform(resize(inputs.start, *pictures.shape[2:])))
            return row.judge(replace(plain, seen=seen))(activations)

        return beside_the_start
    if row.needs == "guide":
        if inputs.guide is None:
            raise UsageError(f"the objective '{recipe.objective}' without a guide", "give a picture")
        seen = aligned(inputs.guide, inputs.start, network, prepared) if row.aligned else guided(inputs.guide, network, prepared)
        plain = replace(plain, seen=seen)
    if row.needs == "direction":
        if inputs.direction is None:
            raise UsageError(f"the objective '{recipe.objective}' without a direction", "give one number for each channel")
        plain = replace(plain, direction=inputs.direction.to(network.device))
    mask = inputs.mask

    if mask is None:
        judge = diverse(row.judge(plain), apart) if apart else row.judge(plain)
        return lambda activations, _pictures, _transform: judge(activations)

    def masked(activations: Mapping[str, Tensor], pictures: Tensor, transform: Transform) -> Tensor:
        judge = row.judge(replace(plain, places=_places(mask, activations, pictures, transform)))
        return (diverse(judge, apart) if apart else judge)(activations)

    return masked


def _places(mask: Tensor, activations: Mapping[str, Tensor], pictures: Tensor, transform: Transform) -> dict[str, Tensor]:
    """How much each place of each layer counts, (N, 1, h, w), 1 on the whole: the mask, moved and turned as the pictures are."""
    whole = resize(mask.to(pictures.device)[None, None], *pictures.shape[2:]).expand(len(pictures), -1, -1, -1)  # (N, 1, H, W)
    moved = replace(transform, contrast=None, noise=None)(whole).clamp_min(0)
    found = {}
    for name, seen in activations.items():
        if seen.dim() == 4:
            here = F.adaptive_avg_pool2d(moved, (seen.shape[2], seen.shape[3]))  # (N, 1, h, w)
            found[name] = here / here.mean(dim=(2, 3), keepdim=True).clamp_min(1e-6)
    return found


def judge_of_windows(recipe: Recipe, network: Network, target: Target, prepared: Prepared, inputs: Inputs) -> PlacedJudge:
    """The same score, as a sum over windows: of each layer's mean over places the part that a window has."""
    layers = {}
    for name in target.layers():
        own = Target(tuple(term for term in target.terms if term.layer == name))
        layers[name] = network.stride(name), judge_of(recipe, network, [own], prepared, inputs)

    def score(activations: Mapping[str, Tensor], pictures: Tensor, transform: Transform) -> Tensor:
        total = []
        for name, (stride, judge) in layers.items():
            if transform.window is None:
                total.append(judge(activations, pictures, transform))
                continue
            counted, share = transform.window.of(activations[name], stride)
            total.append(share * judge({name: counted}, pictures, transform))
        return torch.stack(total).sum(0)  # (1,)

    return score


def aligned(guide: Tensor, start: Tensor, network: Network, prepared: Prepared) -> dict[str, Tensor]:
    """Activations of a guide (C, H, W) brought to the size of the start (N, C, H, W): (1, C, h, w)."""
    with torch.no_grad():
        return prepared(resize(guide, *start.shape[2:])[None].to(network.device))


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
