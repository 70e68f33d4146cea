"""How far each direction of change reaches: a gradient divided by the spectrum of photographs, its colours together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from reverie.canvas.colour import together
from reverie.pictures import banded, frequencies, irfft2, rfft2, room

LOWEST = 1 / 64  # cycles per pixel: waves longer than this are not favoured further
_AT_ONCE = 1 << 22  # pixels transformed at once
_BLOCK, _MARGIN = 5120, 512  # side of what is looked at together of a larger picture, and how much of it at each end is left out


class Preconditioner:
    """Turns a gradient into a change in kind with photographs: broad forms grow as fast as fine ones, and colours go together.

    A photograph's amplitude falls as 1/f (Field 1987), so the gradient is divided by f^power. Its colours vary together,
    mostly from dark to light, so the gradient is multiplied by their covariance; `vivid` is how much of it is left alone.

    Args:
        height, width: of the gradients, in pixels.
        power: 0 leaves every frequency as it is.
        vivid: 0..1; at 1 each colour goes its own way.
        channels: of the gradients; other than three go their own way.
    """

    def __init__(self, height: int, width: int, power: float, vivid: float, device: torch.device, channels: int = 3) -> None:
        self.shape = (height, width)
        self.power = power
        self.colours = together(vivid, channels).to(device)  # (C, C)
        # a transform at a size with large prime factors is slow: pad to a friendly one
        self.padded = (friendly(height), friendly(width))
        self.at_once = height * width <= _AT_ONCE
        self.side = self.padded if self.at_once else tuple(_block(*each) for each in zip(self.shape, self.padded, strict=True))
        self.filter = frequencies(*self.side).clamp_min(LOWEST).pow(-power).to(device)  # (H', W'/2+1)

    def __call__(self, gradient: Tensor) -> Tensor:
        """(N, C, H, W) → the same shape."""
        if self.power == 0:
            return banded(self._mixed, gradient)
        if not self.at_once:
            return self._by_blocks(gradient)
        height, width = self.shape
        spectrum = rfft2(self._mixed(gradient), self.padded).mul_(self.filter)
        return irfft2(spectrum, self.padded)[..., :height, :width]

    def _mixed(self, gradient: Tensor) -> Tensor:
        return torch.matmul(self.colours, gradient.flatten(2)).view(gradient.shape)  # (N, C, H, W)

    def _by_blocks(self, gradient: Tensor) -> Tensor:
        """The same in bounded memory: what lies beyond a block's margin hardly tells (docs/benchmarks.md has the error)."""
        result = room(*gradient.shape)
        places = [list(_blocks(*each)) for each in zip(self.shape, self.padded, self.side, strict=True)]
        for rows in places[0]:
            for columns in places[1]:
                place = (..., slice(rows.begin, rows.end), slice(columns.begin, columns.end))
                for channel in range(gradient.shape[1]):
                    block = gradient.new_zeros(len(gradient), *self.side)  # (N, h, w)
                    for source, y in rows.pieces:
                        for part, x in columns.pieces:
                            block[:, y, x] = gradient[:, channel, source, part]
                    spectrum = torch.fft.rfft2(block).mul_(self.filter)
                    # one side after the other: twice as fast as irfft2 at such sizes
                    smoothed = torch.fft.irfft(torch.fft.ifft(spectrum, dim=-2), n=self.side[1])
                    result[:, channel][place] = smoothed[:, rows.inside, columns.inside]
                result[place] = self._mixed(result[place])
        return result


def _block(length: int, padded: int) -> int:
    """How much of a side is looked at together: all of it, or as little as so few blocks need."""
    blocks = -(-length // (_BLOCK - 2 * _MARGIN))
    return padded if padded <= _BLOCK else friendly(-(-length // blocks) + 2 * _MARGIN)


@dataclass(frozen=True)
class _Block:
    """One side of a block: `begin` to `end` of the result, where they are inside what is looked at, and what that is made of."""

    begin: int
    end: int
    inside: slice
    pieces: tuple[tuple[slice, slice], ...]  # from where, to where


def _blocks(length: int, padded: int, side: int) -> Iterator[_Block]:
    """The blocks of a side of `length`, which is padded with zeros, and then begins again."""
    margin, step = (0, length) if side == padded else (_MARGIN, side - 2 * _MARGIN)
    for begin in range(0, length, step):
        end = min(begin + step, length)
        pieces = []
        at = begin - margin  # of what is looked at
        while at < begin - margin + side:
            turn = at // padded * padded  # how often it has begun again
            upto = min(turn + length, begin - margin + side)
            if at < upto:
                pieces.append((slice(at - turn, upto - turn), slice(at - begin + margin, upto - begin + margin)))
            at = turn + padded
        yield _Block(begin, end, slice(margin, margin + end - begin), tuple(pieces))


@lru_cache(maxsize=512)
def friendly(size: int) -> int:
    """The smallest number from `size` on without prime factors above 5."""
    while True:
        rest = size
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return size
        size += 1
