"""How the network is shown a picture at one step: moved, turned, cut, mirrored, faded, under noise. Drawn for each picture by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.ascent.memory import sent
from reverie.ascent.tiles import Span, Window
from reverie.recipe import Transforms

Generators = Sequence[torch.Generator]


@dataclass(frozen=True)
class Read:
    """Rows or columns `begin` to `end` of a picture; those that are shown in another order, and twice, by their index."""

    begin: int
    end: int
    index: Tensor | None = field(default=None, repr=False)

    def of(self, source: Tensor, axis: int) -> Tensor:
        """What is shown, from rows or columns `begin` to `end`."""
        return source if self.index is None else source.index_select(axis, sent(self.index, source.device))


@dataclass(frozen=True)
class Transform:
    """What a batch goes through before the network sees it. The same can be done to anything that has the pictures' size."""

    shifts: tuple[tuple[int, int], ...] = ()  # whole pixels down and right, for each picture
    affine: Tensor | None = field(default=None, repr=False)  # (N, 2, 3), as `affine_grid` takes it
    contrast: Tensor | None = field(default=None, repr=False)  # (N, 1, 1, 1)
    noise: Tensor | None = field(default=None, repr=False)  # (N, C, H, W)
    window: Window | None = None  # the part that is shown; None for all of it

    def read(self, axis: int, span: Span) -> Read:
        """Which rows (axis 0) or columns (1) of a single picture are shown in a span of the result; the transform only moves it."""
        shift = self.shifts[0][axis] if self.shifts else 0
        begin, end = span.begin - shift, span.end - shift
        if begin >= 0 and end <= span.length:
            return Read(begin, end)
        place = torch.arange(begin, end).abs()
        place = torch.where(place < span.length, place, 2 * (span.length - 1) - place)
        first = int(place.min())
        return Read(first, int(place.max()) + 1, place - first)

    def __call__(self, pictures: Tensor) -> Tensor:
        """(N, C, H, W) → as the network is shown it, the same shape."""
        if self.affine is not None:
            grid = F.affine_grid(self.affine, list(pictures.shape), align_corners=False)  # (N, H, W, 2)
            pictures = F.grid_sample(pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
        elif self.shifts:
            pictures = _moved(pictures, self.shifts)
        if self.contrast is not None:
            mean = pictures.mean(dim=(1, 2, 3), keepdim=True)  # (N, 1, 1, 1)
            pictures = mean + (pictures - mean) * self.contrast
        return pictures if self.noise is None else pictures + self.noise


IDENTITY = Transform()


def draw(shape: torch.Size, transforms: Transforms, jitter: int, done: float, generators: Generators, device: torch.device) -> Transform:
    """A transform of a batch of this shape, each picture's part drawn from its own generator.

    Args:
        shape: (N, C, H, W).
        transforms: how far they may go.
        jitter: pixels.
        done: share of all steps that are made, 0..1; noise falls to 0 with it, as half a cosine.
        generators: one for each picture.
    """
    turned = transforms.rotate or transforms.scale > 1 or transforms.crop < 1 or transforms.mirror
    noise = transforms.noise * 0.5 * (1 + math.cos(math.pi * done))
    shifts, affine, contrast, speckle = [], [], [], []
    for generator in generators:
        if turned:
            affine.append(_affine(shape, transforms, jitter, generator))
        else:
            shifts.append(_shift(jitter, shape, generator))
        if transforms.fade < 1:
            contrast.append(transforms.fade + (1 - transforms.fade) * float(torch.rand(1, generator=generator)))
        if noise:
            speckle.append(torch.randn(shape[1:], generator=generator))
    return Transform(
        shifts=tuple(shifts),
        affine=sent(torch.tensor(affine), device) if turned else None,  # (N, 2, 3)
        contrast=sent(torch.tensor(contrast), device).view(-1, 1, 1, 1) if contrast else None,
        noise=sent(torch.stack(speckle).mul_(noise), device) if speckle else None,  # (N, C, H, W)
    )


def _affine(shape: torch.Size, transforms: Transforms, jitter: int, generator: torch.Generator) -> list[list[float]]:
    """Where in the picture each pixel of the result comes from, in units of half a side."""
    height, width = shape[2:]
    angle, scale, part, down, right, at_y, at_x, flip = (torch.rand(8, generator=generator) * 2 - 1).tolist()
    angle = math.radians(angle * transforms.rotate)
    size = transforms.scale**scale
    share = 1 - (1 - transforms.crop) * (part + 1) / 2
    size *= share
    mirror = -1.0 if transforms.mirror and flip > 0 else 1.0
    y = min(2 * jitter / height, 1.0) * down + (1 - share) * at_y
    x = min(2 * jitter / width, 1.0) * right + (1 - share) * at_x
    cos, sin = math.cos(angle) * size, math.sin(angle) * size
    across = height / width  # a turn in pixels is a skew in units of sides, unless they are equal
    return [[mirror * cos, -sin * across, x], [mirror * sin / across, cos, y]]


def _shift(jitter: int, shape: torch.Size, generator: torch.Generator) -> tuple[int, int]:
    reach = (min(jitter, shape[2] // 2), min(jitter, shape[3] // 2))
    y, x = (int(torch.randint(-each, each + 1, (1,), generator=generator)) for each in reach)
    return y, x


def _moved(pictures: Tensor, shifts: Sequence[tuple[int, int]]) -> Tensor:
    """Each picture moved by its shift. What comes in at a border is the mirror image, since a seam there would be dreamt on."""
    each = [_moved_one(pictures[number : number + 1], *shift) for number, shift in enumerate(shifts)]
    return torch.cat(each) if len(each) > 1 else each[0]


def _moved_one(picture: Tensor, y: int, x: int) -> Tensor:
    height, width = picture.shape[2:]
    wider = F.pad(picture, (max(x, 0), max(-x, 0), max(y, 0), max(-y, 0)), mode="reflect")
    return wider[:, :, max(-y, 0) : max(-y, 0) + height, max(-x, 0) : max(-x, 0) + width]
