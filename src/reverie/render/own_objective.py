"""Objectives of one's own: a function of what layers see, or of pictures alone, as what is climbed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from reverie.ascent import IDENTITY, Transform
from reverie.errors import UsageError
from reverie.networks import Network, Prepared
from reverie.render.noise import SMALLEST
from reverie.render.scores import Scores
from reverie.target import CLASSES, Target, Term

Objective = Callable[[dict[str, Tensor]], Tensor]  # what layers see of N pictures, by name, each (N, C, …) → (N,), a number where N is 1
PictureScore = Callable[[Tensor], Tensor]  # pictures (N, C, H, W) in 0..1 → (N,), a number where N is 1

PICTURES = Target((Term(layer="pictures"),))  # of a recipe whose score looked at pictures alone


class Seen(dict[str, Tensor]):
    """Activations by name. Those that are not there, but were asked for, are noted."""

    def __init__(self, seen: Mapping[str, Tensor]) -> None:
        super().__init__(seen)
        self.missing: dict[str, None] = {}

    def __missing__(self, name: str) -> Tensor:
        self.missing[name] = None
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """As of any dictionary, and noted too."""
        if name not in self:
            self.missing[name] = None
        return super().get(name, default)

    def __repr__(self) -> str:
        return f"Seen({', '.join(f'{name} {tuple(each.shape)}' for name, each in self.items())})"


class OwnObjective:
    """A function of somebody's own on what a network sees. Which layers it looks at is found by asking it.

    Attributes:
        layers: those that it has asked for, in order; class scores are `reverie.target.CLASSES` among them.
    """

    def __init__(self, function: Objective, network: Network) -> None:
        self._function, self._network = function, network
        self._prepared: Prepared | None = None
        self._asked: dict[str, str] = {}  # by the name it asks for, which may be a level's word, the layer
        self.layers: tuple[str, ...] = ()

    def __call__(self, pictures: Tensor, *, softly: bool = False) -> Tensor:
        """The scores (N,) of pictures (N, C, H, W) in 0..1; `softly` with a gradient through dead units.

        Raises:
            UsageError: it asks for a layer that does not exist, or gives no scores. Whatever the function raises comes through.
        """
        while True:
            seen = self._seen(pictures, softly)
            asked = Seen({name: seen[layer] for name, layer in self._asked.items()})
            try:
                scores = self._function(asked)
            except Exception:
                if not asked.missing:
                    raise
            if not asked.missing:
                return checked(scores, len(pictures))
            self._add(asked.missing)

    def attempt(self, pictures: Tensor) -> None:
        """Show its layers pictures (N, C, H, W), without asking it."""
        self._seen(pictures, softly=False)

    def _seen(self, pictures: Tensor, softly: bool) -> Mapping[str, Tensor]:
        if self._prepared is None:
            return {}
        return self._prepared.redirected(pictures) if softly else self._prepared(pictures)

    def _add(self, names: Mapping[str, None]) -> None:
        for name in names:
            if not isinstance(name, str):
                raise UsageError(f"a {type(name).__name__} is no layer's name", "activations are found by the names of layers, as text")
            self._asked[name] = name if name == CLASSES else self._network.layer_name(name)
        self.layers = tuple(dict.fromkeys(self._asked.values()))
        self._prepared = self._network.prepare(self.layers)


def own_layers(function: Objective, networks: Sequence[Network], pictures: Tensor) -> tuple[str, ...]:
    """The layers that a function of activations asks for at pictures (N, C, H, W) in 0..1; and whether it is fit to be climbed.

    Raises:
        UsageError: there are several networks; a layer does not exist, with the nearest that does; or what it gives is no score of each
            picture, finite and with a gradient to it. Whatever the function raises comes through.
    """
    return _probed(function, networks, pictures).layers


def _probed(function: Objective, networks: Sequence[Network], pictures: Tensor) -> OwnObjective:
    if len(networks) != 1:
        raise UsageError(f"an objective of one's own with {len(networks)} networks", "give one: it is asked of its layers")
    objective, network = OwnObjective(function, networks[0]), networks[0]
    try:
        probe(objective, pictures.to(network.device))
    except UsageError:
        network.check_gradient(objective.layers)
        raise
    if objective.layers and len(network.without_gradient(objective.layers)) == len(objective.layers):
        network.check_gradient(objective.layers)
    return objective


def own_target(layers: tuple[str, ...]) -> Target:
    """What a recipe says of an objective that looked at these layers: their sum. What a target cannot say, such as a blank, is a `_`."""
    return Target(tuple(Term(layer=re.sub(r"[\s:@*]", "_", name).lstrip("+-") or "_") for name in layers)) if layers else PICTURES


def probe(function: Callable[[Tensor], Tensor], pictures: Tensor) -> None:
    """Raise UsageError where the scores of pictures (N, C, H, W) are not finite, or have no gradient to them."""
    with torch.enable_grad():
        pictures = pictures.detach().clone().requires_grad_(True)
        scores = checked(function(pictures), len(pictures))  # (N,)
        if not torch.isfinite(scores).all():
            raise _unfit(f"gave {scores.tolist()}", len(pictures))
        (gradient,) = torch.autograd.grad(scores.sum(), pictures, allow_unused=True)
    if gradient is None:
        raise _unfit("gave numbers that do not depend on the picture", len(pictures))


def checked(scores: object, count: int) -> Tensor:
    """What a function of somebody's own gave for so many pictures, as scores (count,); UsageError where it is something else."""
    if not isinstance(scores, Tensor):
        raise _unfit(f"gave a {type(scores).__name__}", count)
    if scores.shape != (count,) and not (count == 1 and scores.dim() == 0):
        raise _unfit(f"gave a tensor of shape {tuple(scores.shape)}", count)
    if not scores.is_floating_point():
        raise _unfit(f"gave numbers of {scores.dtype}", count)
    if torch.is_grad_enabled() and not scores.requires_grad:
        raise _unfit("gave numbers without a gradient", count)
    return scores.reshape(count).float()


def _unfit(fault: str, count: int) -> UsageError:
    return UsageError(
        f"an objective of one's own {fault}",
        f"it gives a tensor of {count} finite number{'s' * (count > 1)}, one for each picture, with a gradient to it",
    )


def scores_of_activations(function: Objective, networks: Sequence[Network], start: Tensor) -> Scores:
    """What is climbed where the objective is a function of activations; `start` (N, C, H, W) is where the climb begins."""
    objective, network = _probed(function, networks, start), networks[0]
    strides = [network.stride(name) for name in objective.layers if name != CLASSES]

    def score(pictures: Tensor, transform: Transform = IDENTITY) -> Tensor:
        return objective(pictures)

    def soft(pictures: Tensor, transform: Transform = IDENTITY) -> Tensor:
        return objective(pictures, softly=True)

    return Scores(score, soft, 2 * max(strides or network.anatomy.strides.values(), default=1), objective.attempt)


def scores_of_pictures(function: PictureScore, start: Tensor) -> Scores:
    """What is climbed where the score is a function of pictures alone."""
    probe(function, start)

    def score(pictures: Tensor, transform: Transform = IDENTITY) -> Tensor:
        return checked(function(pictures), len(pictures))

    return Scores(score, None, SMALLEST, lambda pictures: None)
