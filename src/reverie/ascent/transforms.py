"""How the network is shown a picture at one step: moved, turned, cut, mirrored, faded, under noise. Drawn for each picture by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.ascent.memory import sent
from reverie.ascent.tiles import Span, Window
from reverie.recipe import Transforms

_BILINEAR_REFLECTED = (0, 2, False)  # as grid_sample's operators number them; corners are not aligned
_LEVELS_SPREAD = math.sqrt((256**2 - 1) / 12)  # of 0..255, each as often

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
            grid = _grid(self.affine, *pictures.shape[2:])
            pictures = F.grid_sample(pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
        elif self.shifts:
            pictures = _each(_moved, pictures, self.shifts)
        if self.contrast is None:
            return pictures if self.noise is None else pictures + self.noise
        rest = pictures.mean(dim=(1, 2, 3), keepdim=True) * (1 - self.contrast)  # (N, 1, 1, 1)
        if self.noise is None:
            return torch.addcmul(rest, pictures, self.contrast)
        return torch.addcmul(self.noise, pictures, self.contrast).add_(rest)

    def back(self, gradient: Tensor) -> Tensor:
        """The gradient by the pictures, from that by what the network is shown; both (N, C, H, W).

        Autograd would find the same. It fills and adds up whole pictures for each piece that is cut out or mirrored in.
        """
        if self.contrast is not None:
            rest = gradient.mean(dim=(1, 2, 3), keepdim=True) * (1 - self.contrast)  # (N, 1, 1, 1)
            gradient = torch.addcmul(rest, gradient, self.contrast)
        if self.affine is not None:
            grid, like = _grid(self.affine, *gradient.shape[2:]), gradient  # of the pictures only the shape tells
            found: Tensor = torch.ops.aten.grid_sampler_2d_backward(gradient, like, grid, *_BILINEAR_REFLECTED, [True, False])[0]
            return found
        return _each(_moved_back, gradient, self.shifts) if self.shifts else gradient


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
    shifts, affine, contrast = [], [], []
    for generator in generators:
        if turned:
            affine.append(_affine(shape, transforms, jitter, generator))
        else:
            shifts.append(_shift(jitter, shape, generator))
        if transforms.fade < 1:
            contrast.append(transforms.fade + (1 - transforms.fade) * float(torch.rand(1, generator=generator)))
    return Transform(
        shifts=tuple(shifts),
        affine=sent(torch.tensor(affine), device) if turned else None,  # (N, 2, 3)
        contrast=sent(torch.tensor(contrast), device).view(-1, 1, 1, 1) if contrast else None,
        noise=_speckle(shape, noise, generators, device) if noise else None,
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


def _speckle(shape: torch.Size, spread: float, generators: Generators, device: torch.device) -> Tensor:
    """(N, C, H, W): noise of mean 0 and this spread, 256 levels as often: bytes are drawn four times as fast as normal numbers."""
    count = math.prod(shape[1:])
    drawn = torch.empty(len(generators), -(-count // 8), dtype=torch.int64)
    for row, generator in zip(drawn, generators, strict=True):
        row.random_(-(2**63), None, generator=generator)  # all 64 bits
    levels = sent(drawn.view(torch.uint8)[:, :count], device).view(shape).float()  # 0..255
    return levels.sub_(255 / 2).mul_(spread / _LEVELS_SPREAD)


def _grid(affine: Tensor, height: int, width: int) -> Tensor:
    """(N, 2, 3) → (N, H, W, 2), as `affine_grid` gives it, without its product of matrices; each coordinate lies together in memory."""
    rows, columns = (torch.arange(1 - side, side, 2, device=affine.device) / side for side in (height, width))
    across, down, middle = affine[:, :, None, None].unbind(4)  # (N, 2, 1, 1)
    return (across * columns + (down * rows[:, None] + middle)).permute(0, 2, 3, 1)


def _each(way: Callable[[Tensor, int, int], Tensor], pictures: Tensor, shifts: Sequence[tuple[int, int]]) -> Tensor:
    """Each picture by its own shift."""
    each = [way(picture, *shift) for picture, shift in zip(torch.split(pictures, 1), shifts, strict=True)]
    return torch.cat(each) if len(each) > 1 else each[0]


def _moved(picture: Tensor, y: int, x: int) -> Tensor:
    """What comes in at a border is the mirror image, since a seam there would be dreamt on."""
    if not (y or x):
        return picture
    height, width = picture.shape[2:]
    wider = F.pad(picture, (max(x, 0), max(-x, 0), max(y, 0), max(-y, 0)), mode="reflect")
    return wider[:, :, max(-y, 0) : max(-y, 0) + height, max(-x, 0) : max(-x, 0) + width]


def _moved_back(gradient: Tensor, y: int, x: int) -> Tensor:
    """The gradient before `_moved`: what was mirrored in is added to where it came from."""
    if not (y or x):
        return gradient
    found = F.pad(gradient, (-x, x, -y, y))
    if y:
        shown, source = _mirrored(y, gradient.shape[2])
        found[:, :, source] += F.pad(gradient[:, :, shown].flip(2), (-x, x))
    if x:
        shown, source = _mirrored(x, gradient.shape[3])
        found[..., source] += _moved_back(gradient[..., shown].flip(3), y, 0)
    return found


def _mirrored(shift: int, length: int) -> tuple[slice, slice]:
    """Which part of a side is a mirror image, and of which part."""
    if shift > 0:
        return slice(0, shift), slice(1, shift + 1)
    return slice(length + shift, length), slice(length - 1 + shift, length - 1)
