"""Sizes that a network takes: pictures of others are continued over their edge, and what is seen there is left out.

A network that goes down and up again takes multiples of 32, say; one that cuts pictures into patches, those of 14. Which, is found by
trying, and remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil, gcd

import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int]  # (height, width)
Names = tuple[str, ...]
_MOST = 0.5  # of a side, that is added to it
_LARGEST = 64  # multiple that is looked for


@dataclass
class Fits:
    """What was found of one network, by the layers that are wanted. It does not depend on the order in which pictures came, so that what
    is made again is the same.

    Attributes:
        found: by the layers and the size of a picture, the size that it is brought to; None where it is seen through windows.
        multiples: by the layers, of what sides have to be multiples; None where no such number was found.
    """

    found: dict[tuple[Names, Size], Size | None] = field(default_factory=dict)
    multiples: dict[Names, int | None] = field(default_factory=dict)

    def room(self, wanted: Names, size: Size, native: Size, takes: Callable[[Size], bool]) -> Size | None:
        """A size that a picture is continued to, that the network takes; None where there is none near.

        Args:
            takes: tries whether the network takes pictures of a size.
        """
        if wanted not in self.multiples:
            self.multiples[wanted] = _multiple(native, takes)
        step = self.multiples[wanted]
        if step is None:
            return None
        room = (ceil(size[0] / step) * step, ceil(size[1] / step) * step)
        return room if all(want - have <= _MOST * have for have, want in zip(size, room, strict=True)) else None


def _multiple(native: Size, takes: Callable[[Size], bool]) -> int | None:
    """The smallest number, of which both native sides are multiples, whose next multiples are taken too: one alone may fit by chance."""
    common = gcd(*native)
    for step in (each for each in range(2, min(common, _LARGEST) + 1) if common % each == 0):
        if all(takes((native[0] + more * step, native[1] + more * step)) for more in (1, 2, 3)):
            return step
    return None


def padded(x: Tensor, room: Size) -> Tensor:
    """(N, C, H, W) with its mirror image below and to the right, up to a size; places keep their numbers."""
    below, beside = room[0] - x.shape[2], room[1] - x.shape[3]
    return F.pad(x, (0, beside, 0, below), mode="reflect") if below or beside else x


def cropped(seen: Tensor, size: Size, room: Size) -> Tensor:
    """What was seen in `room`, (N, C, h, w), without the rows and columns that have nothing of the picture, whose size is given."""
    if size == room:
        return seen
    rows, columns = (ceil(side * own / all_) for side, own, all_ in zip(seen.shape[2:], size, room, strict=True))
    return seen[:, :, :rows, :columns]
