"""The gradient of a picture too large for one pass, tile by tile.

Each tile is shown to the network with a halo around it, and only what the network answers at the tile itself counts. The gradients of all
tiles, halos included, add up to that of the whole picture: exactly, if the halo is half of what one answer depends on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from reverie.ascent.memory import sent

if TYPE_CHECKING:
    from reverie.ascent.transforms import View


@dataclass(frozen=True)
class Span:
    """One side of a window, in pixels of the picture as the network is shown it.

    Attributes:
        begin, end: of what is shown.
        first, last: of the tile, whose answers count.
        length: of the whole picture.
    """

    begin: int
    end: int
    first: int
    last: int
    length: int

    def counted(self, stride: int, answers: int) -> slice:
        """Which of the answers of a layer along this side count; there are `answers` of them, `stride` pixels apart."""
        return slice((self.first - self.begin) // stride, answers if self.last == self.length else (self.last - self.begin) // stride)

    def share(self, stride: int, answers: int) -> float:
        """How many of those of the whole picture they are."""
        counted = len(range(answers)[self.counted(stride, answers)])
        return counted / (answers + (self.length - (self.end - self.begin)) // stride)


@dataclass(frozen=True)
class Window:
    """A tile with its halo."""

    rows: Span
    columns: Span

    @property
    def pixels(self) -> int:
        """How many are shown."""
        return (self.rows.end - self.rows.begin) * (self.columns.end - self.columns.begin)

    def of(self, seen: Tensor, stride: int) -> tuple[Tensor, float]:
        """What counts of a layer's activations (N, C, h, w), and its share of those of the whole picture."""
        height, width = seen.shape[2:]
        rows, columns = self.rows.counted(stride, height), self.columns.counted(stride, width)
        return seen[:, :, rows, columns], self.rows.share(stride, height) * self.columns.share(stride, width)


@dataclass(frozen=True)
class Tiling:
    """How a picture is cut.

    Attributes:
        side: of a tile, at most, in pixels.
        halo: pixels around it that are shown with it.
        stride: pixels between answers of the coarsest layer. Tiles begin at multiples of it, and windows leave the same rest as the whole
            picture, so that whatever depends on parity in the network is as there.
    """

    side: int
    halo: int
    stride: int

    def windows(self, height: int, width: int) -> Iterator[Window]:
        """All of them, in reading order; their tiles cover the picture once."""
        across = list(self._spans(width))
        for rows in self._spans(height):
            for columns in across:
                yield Window(rows, columns)

    def _spans(self, length: int) -> Iterator[Span]:
        step = _up(math.ceil(length / math.ceil(length / max(self.side, self.stride))), self.stride)
        halo = _up(self.halo, self.stride)
        for first in range(0, length, step):
            last = min(first + step, length)
            end = last + halo + length % self.stride
            yield Span(max(0, first - halo), end if last < length and end < length else length, first, last, length)


def slope_by_tiles(
    score: Callable[[Tensor, View], Tensor], pictures: Tensor, view: View, tiling: Tiling, device: torch.device, out: Tensor
) -> Tensor:
    """Add up the gradient (1, C, H, W) of a score in `out`, and give the score, (1,).

    Args:
        score: additive over windows; it is told which by its view.
        pictures: (1, C, H, W).
        view: moves the picture and does nothing else.
        device: where the network is.
        out: (1, C, H, W); what was in it is lost.
    """
    out.zero_()
    total = torch.zeros(1, device=device)
    for window in tiling.windows(*pictures.shape[2:]):
        rows, columns = view.read(0, window.rows), view.read(1, window.columns)
        source = sent(pictures[:, :, rows.begin : rows.end, columns.begin : columns.end].clone(), device)  # (1, C, h, w)
        with torch.enable_grad():
            source.requires_grad_(True)
            values = score(columns.shown(rows.shown(source, 2), 3), replace(view, window=window))
            (gradient,) = torch.autograd.grad(values.sum(), source)
        out[:, :, rows.begin : rows.end, columns.begin : columns.end] += gradient.to(out.device)
        total += values.detach()
    return total.to(out.device)


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
