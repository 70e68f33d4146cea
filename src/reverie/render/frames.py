"""Frame after frame, with the networks made ready once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from reverie.ascent import IDENTITY, ClimbSettings, Score, Transform, climb, kept_memory, octave_sizes
from reverie.networks import Network
from reverie.recipe import Ascent, Recipe, Stop
from reverie.render.bound_objectives import Inputs
from reverie.render.noise import generator, threads
from reverie.render.scores import drawn_from, even, penalised, scorers, takeable


@dataclass(frozen=True)
class Dreamt:
    """A frame: (C, H, W) in 0..1 on the CPU, and the score at its last step."""

    pixels: Tensor = field(repr=False)
    score: float


class Dreamer:
    """Dreams on one picture after another, all of the recipe's size.

    Args:
        recipe: how; its ascent is that of every frame.
        networks: as the recipe names them.
        stops: targets to be mixed, each with its network; without them the recipe's own target.
    """

    def __init__(self, recipe: Recipe, networks: Sequence[Network], stops: Sequence[Stop] = ()) -> None:
        self.recipe = recipe
        self.device = networks[0].device
        blank = Inputs(torch.full((1, recipe.channels, recipe.height, recipe.width), 0.5, device=self.device))
        parts = []
        for each in stops:
            used = recipe.networks[each.network].model_copy(update={"target": None})
            of_stop = recipe.model_copy(update={"target": each.target, "networks": (used,)})
            parts.append(scorers(of_stop, [networks[each.network]], blank))
        self._parts = parts or [scorers(recipe, networks, blank)]
        smallest = max(each.smallest for each in self._parts)
        self._takeable = takeable(self._parts[0].attempt, blank.start, octave_sizes(recipe.height, recipe.width, recipe.ascent, smallest))[
            0
        ]

    def __call__(
        self, start: Tensor, purpose: str, shares: Sequence[float] = (), mask: Tensor | None = None, ascent: Ascent | None = None
    ) -> Dreamt:
        """Dream on a frame.

        Args:
            start: (C, H, W) in 0..1. Its light and contrast are held.
            purpose: what the frame's random numbers are drawn for, beside the recipe's seed: its number, say.
            shares: how much of each stop, in the order of the stops; none of them means all of the first.
            mask: (H, W) in 0..1, where to dream; None for everywhere.
            ascent: other choices than the recipe's, for this frame.
        """
        recipe, ascent = self.recipe, ascent or self.recipe.ascent
        purpose = f"{recipe.target} | {purpose}"
        parts = [drawn_from(part, recipe.seed, f"{purpose} | {number}") for number, part in enumerate(self._parts)]
        score = self._mixed([part.score for part in parts], shares)
        soft = self._mixed([part.soft or part.score for part in parts], shares)
        settings = ClimbSettings(
            recipe.canvas, ascent, recipe.transforms, penalty=penalised(recipe), soft=soft,
            mask=None if mask is None else mask[None, None].to(self.device),
        )  # fmt: skip
        sizes = octave_sizes(recipe.height, recipe.width, ascent, min(self._takeable))
        with threads(recipe.machine.threads), kept_memory():
            begin = start[None].to(self.device)  # (1, C, H, W)
            *_, last = climb(begin, score, settings, sizes, [generator(recipe.seed, purpose)])
            return Dreamt(last.pictures[0].clamp(0, 1).cpu(), float(last.score[0]))

    def score(self, picture: Tensor, shares: Sequence[float] = ()) -> float:
        """The score of a picture (C, H, W) as it is."""
        with torch.no_grad():
            return float(self._mixed([part.score for part in self._parts], shares)(picture[None].to(self.device), IDENTITY)[0])

    @staticmethod
    def _mixed(scores: Sequence[Score], shares: Sequence[float]) -> Score:
        """The scores by their shares, each with as much say as its share whatever its size."""
        chosen = [(share, score) for share, score in zip(shares or (1.0,), scores, strict=False) if share > 0]
        if len(chosen) == 1:
            return chosen[0][1]

        def mixed(pictures: Tensor, transform: Transform) -> Tensor:
            return torch.stack([share * score(even(pictures), transform) for share, score in chosen]).sum(0)  # (N,)

        return mixed
