"""Climbing a function of pictures, with no network at all."""

from __future__ import annotations

from typing import Any, Unpack

from reverie.api.choices import ClimbChoices, PictureLike, documented
from reverie.api.planning import Before
from reverie.api.start_guide_mask import beside_of, start_of
from reverie.api.where_to_dream import part_of
from reverie.errors import UsageError
from reverie.files.limits import at_most_pixels
from reverie.pictures import MadePicture
from reverie.pictures.torch_modes import ordinary_modes
from reverie.recipe import CLIMB, FileInput, Machinery, Mask, Request, Seed
from reverie.render import PictureScore, Plan, Watcher, climb_plan

COLOURS = 3  # channels of what begins with noise


@documented(CLIMB)
@ordinary_modes()
def climb(
    start: PictureLike,
    score: PictureScore,
    *,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Unpack[ClimbChoices],
) -> MadePicture:
    """Change a picture so that a score of it grows: an objective of one's own, which needs no network of ours.

    Its picture cannot be made again from its recipe alone, and the recipe says so.

    Args:
        start: a path, a PIL image, a tensor (3, H, W) in 0..1, or `noise:white`, `noise:grey`, `noise:pink`.
        score: a function from pictures (N, 3, H, W) in 0..1, as they are shown (moved, turned), to scores (N,), which are maximised.
        progress: is shown every step; a true answer stops, and the picture is marked as partial.
        making: keep so many pictures from along the way.

    Raises:
        UsageError: a value out of bounds, or a score that is no finite number with a gradient. InputError: a start that cannot be used.
    """
    return plan_climb(start, score, **choices).make(progress, making)


def plan_climb(start: PictureLike, score: PictureScore, *, before: Before | None = None, **choices: Any) -> Plan:
    """All of `climb` but the climbing."""
    if not callable(score):
        raise UsageError(f"a score that is a {type(score).__name__}", "give a function from pictures (N, 3, H, W) to scores (N,)")
    request = Request(CLIMB, choices, None if before is None else before.choices)
    machinery = request[Machinery]
    with at_most_pixels(machinery.max_pixels):
        picture, used = start_of(start, request, COLOURS)
        beside = beside_of(request, (), None, picture.size)
    where = request[Mask].where
    part = part_of(where, picture, (), machinery.threads)
    kept = (*((picture.content,) if isinstance(used, FileInput) else ()), *beside.kept) if machinery.keep else ()
    return climb_plan(
        picture, score, [used, *[each for each in beside.used if isinstance(each, FileInput)]], request.choices,
        seed=request[Seed].seed, machinery=machinery, mask=beside.mask if where is None else part.mask, kept=kept,
        notes=beside.notes, where=where,
    )  # fmt: skip
