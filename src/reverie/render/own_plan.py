"""A plan for a climb of a function of pictures alone, without a network."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from reverie.networks.prepared.device import choose
from reverie.pictures import Picture
from reverie.recipe import OWN, Choices, FileInput, Machinery, NoiseInput, Recipe, Where
from reverie.render.own_objective import PICTURES, PictureScore
from reverie.render.plan import Plan
from reverie.render.provenance import machine


def climb_plan(
    start: Picture,
    score: PictureScore,
    inputs: Sequence[FileInput | NoiseInput],
    choices: Choices,
    *,
    seed: int = 0,
    machinery: Machinery | None = None,
    mask: Tensor | None = None,
    where: Where | None = None,
    kept: tuple[bytes, ...] = (),
    notes: tuple[str, ...] = (),
) -> Plan:
    """A plan that changes a picture so that a score of it grows.

    Args:
        start: what it begins with, at the size of the result.
        score: from pictures (1, C, H, W) in 0..1, as they are shown, moved say, to a score, a number or (1,).
        inputs: what the recipe says of the start, and of the mask.
        choices: canvas, ascent, transforms, penalties, finish.
        machinery: where it runs.
        mask: (H, W) in 0..1, where to change it; None for everywhere.
        where: the part of the picture that it is, if it has a name.
        kept: files that are kept in the cache, once the making begins.
    """
    machinery = machinery or Machinery()
    height, width = start.size
    recipe = Recipe(
        networks=(),
        inputs=tuple(inputs),
        target=PICTURES,
        objective=OWN,
        **choices._asdict(),
        width=width,
        height=height,
        channels=len(start.pixels),
        seed=seed,
        where=where,
        machine=machine(choose(machinery.device), machinery.threads),
    )
    return Plan(recipe, (), start, mask=mask, kept=kept, notes=notes, score=score)
