"""How a picture too large for one pass is cut: tiles that cover it, each in a window with a halo around it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor


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


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
