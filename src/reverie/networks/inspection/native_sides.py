"""Of which size the pictures are that a network takes, found by handing it some: each of them has to give one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from reverie.networks.inspection.failures import CannotTake, run
from reverie.networks.inspection.outputs import named

USUAL = (28, 32, 64, 96, 128, 224, 256, 299, 384, 512)  # on which most networks are trained
OTHERS = (40, 48, 50, 60, 80, 100, 112, 120, 150, 160, 180, 192, 200, 240, 250, 300, 320)


def takes(module: nn.Module, given: Any) -> bool:
    """Whether a network takes pictures (N, C, H, W), or what is given in their place; of one picture it has to give one row."""
    try:
        with torch.no_grad():
            output = run(module, given)
    except CannotTake:
        return False
    return not isinstance(given, Tensor) or len(given) != 1 or has_one_row(output)


def has_one_row(output: Any) -> bool:
    """Whether an output for one picture can be of one: `x.view(-1, 16 * 5 * 5)` makes several rows of a picture that is too large."""
    found = named(output).values()
    return not found or any(each.shape[:1] == (1,) or each.dim() in (0, 1, 3) for each in found)  # of 1 and 3 the first was taken away


def sides(module: nn.Module, picture: Tensor) -> tuple[int, ...]:
    """The sides of square pictures that a network takes, another than this one (1, C, H, W): of the usual ones, or else of others."""

    def taken(of: Sequence[int]) -> tuple[int, ...]:
        asked = (side for side in of if (side, side) != tuple(picture.shape[2:]))
        return tuple(side for side in asked if takes(module, picture.new_zeros(1, picture.shape[1], side, side)))

    return taken(USUAL) or taken(OTHERS)


def remedy_of(found: Sequence[int]) -> str:
    """What to do where a network takes pictures of these sides alone; empty where there are none."""
    if not found:
        return ""
    shown = " or ".join(f"{side}×{side}" for side in found[:4])
    return f"it takes pictures of {shown}: say its native size, size={found[0]} (on the command line --native {found[0]})"
