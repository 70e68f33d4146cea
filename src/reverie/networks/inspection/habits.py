"""How a network has to be handed pictures, found by handing them: together or one by one, in which order of memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from reverie.networks.inspection.chance import Drawn
from reverie.networks.inspection.failures import CannotTake, run
from reverie.networks.inspection.outputs import named

_SAME = 1e-3  # of the largest value: what the order in which numbers are added up may change
_NOTHING = object()


@dataclass(frozen=True)
class Habits:
    """How a network takes pictures.

    Attributes:
        alone: one at a time: it takes no two, or what it says of one depends on the other.
        mixes: it takes two, but what it says of one depends on the other.
        plain: channels first in memory, as PyTorch has tensors by itself: in the order that is faster it fails, or says something else.
        graded: it asks for gradients in its own forward.
        draws: random numbers, in a pass.
        free: what it says of a picture twice as wide does not depend on a second one either.
        pair: what it gave for two pictures; None where it takes no two, or mixes them.
    """

    alone: bool = False
    mixes: bool = False
    plain: bool = False
    graded: bool = False
    draws: bool = False
    free: bool = False
    pair: Any = None


def lay_out(module: nn.Module, *, plain: bool = False) -> None:
    """Put the weights of convolutions into the order of memory in which they are read: channels last, or first."""
    order = torch.contiguous_format if plain else torch.channels_last
    for each in module.parameters():
        if each.dim() == 4:
            each.data = each.data.contiguous(memory_format=order)


def habits_of(
    module: nn.Module, picture: Tensor, output: Any, wide: Any = None, *, graded: bool = False, drawn: Drawn | None = None
) -> Habits:
    """Hand it a picture (1, C, H, W) and two, in both orders of memory where it takes something.

    Args:
        module: a copy, in evaluation mode; the order of its weights is changed.
        output: what it gave for the picture.
        wide: what it gave for the picture put beside itself, where that was a row of as many scores.
        drawn: whether passes before these drew random numbers; each pass draws the same.
    """

    draws = drawn is not None and drawn.any

    def passed(pictures: Tensor, *, plain: bool) -> Any:
        lay_out(module, plain=plain)
        order = torch.contiguous_format if plain else torch.channels_last
        try:
            with torch.no_grad():
                return run(module, pictures.contiguous(memory_format=order), graded=graded)
        except CannotTake:
            return _NOTHING

    def alike(found: Any, alone: Any, row: int | None) -> bool:
        """Whether a pass gave for the picture, its `row`, what it gives for it alone; where chance is at work inside, of that kind."""
        if found is _NOTHING or _pairs(found, alone, row) is None:
            return False
        return draws or _alike(found, alone, row)

    def side_by_side(plain: bool) -> Any:
        """What it gives for two pictures twice as wide; nothing where they are mixed there."""
        pair = _NOTHING if wide is None else passed(_two(torch.cat([picture, picture], 3)), plain=plain)
        return pair if alike(pair, wide, 1) else _NOTHING

    fast = alike(passed(picture, plain=False), output, None)
    pair = side_by_side(not fast)
    if pair is not _NOTHING:
        return Habits(plain=not fast, graded=graded, draws=draws, pair=pair, free=True)
    pair = passed(_two(picture), plain=not fast)
    if fast and not alike(pair, output, 1):
        pair, fast = passed(_two(picture), plain=True), False
    if alike(pair, output, 1):
        return Habits(plain=not fast, graded=graded, draws=draws, pair=pair, free=not fast and side_by_side(True) is not _NOTHING)
    fast = alike(passed(picture, plain=False), output, None)
    return Habits(alone=True, mixes=pair is not _NOTHING, plain=not fast, graded=graded, draws=draws, free=wide is not None)


def _two(picture: Tensor) -> Tensor:
    """A picture behind another one of another mean and spread: (2, C, H, W)."""
    return torch.cat([0.5 * picture.flip(3), picture])


def _pairs(found: Any, output: Any, row: int | None) -> list[tuple[Tensor, Tensor]] | None:
    """What a pass gave for the picture beside what it gave for it alone, tensor by tensor; None where they are not of one kind.

    What has the same shape for one picture and two, as boxes that every picture is offered, is not of a picture.
    """
    both = list(zip(named(found).values(), named(output).values(), strict=False))
    if len(named(found)) != len(named(output)):
        return None
    kept = []
    for here, there in both:
        if row is not None and here.numel() == 2 * there.numel() and here.dim() and len(here) % 2 == 0:
            kept.append((here.reshape(2, -1)[row], there.reshape(-1)))
        elif here.shape != there.shape:
            return None
        elif row is None:
            kept.append((here, there))
    return kept


def _alike(found: Any, output: Any, row: int | None) -> bool:
    pairs = _pairs(found, output, row)
    return pairs is not None and all(_close(here, there) for here, there in pairs)


def _close(here: Tensor, there: Tensor) -> bool:
    here, there = (torch.view_as_real(each) if each.is_complex() else each for each in (here, there))
    here, there = (each.double().nan_to_num(0.0, 0.0, 0.0) for each in (here, there))
    return not here.numel() or bool((here - there).abs().max() <= _SAME * there.abs().max().clamp_min(1e-12))
