"""The one loop. It climbs a function of pictures; it knows neither networks nor objectives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.ascent.newton import QuasiNewton
from reverie.ascent.steps import Adam, Attention, Steepest, Step
from reverie.ascent.tiles import Tiling, slope_by_tiles
from reverie.ascent.transforms import View, draw
from reverie.canvas import Canvas, Fourier, Pixels, canvas_of
from reverie.pictures import banded, bands, resample, resize, room
from reverie.recipe import Ascent, Transforms
from reverie.recipe import Canvas as CanvasChoice

SOFT_STEPS = 64  # before a dead start is given up
COARSE = 4  # pixels of the result a side over which it is told how much of the gradient went where

Score = Callable[[Tensor, View], Tensor]  # pictures (N, C, H, W) as they are shown, and the view they are shown by → (N,)
Penalty = Callable[[Tensor], Tensor]  # pictures → what to take away from them in the units of a step


class Size(NamedTuple):
    height: int
    width: int


@dataclass(frozen=True)
class Progress:
    """The state after one step. `octave` and `step` count from 1; `done` is the share of the work, 0..1.

    The pictures of a tiled ascent are those that the next step works on: what shall stay must be copied.
    """

    octave: int
    octaves: int
    step: int
    steps: int
    done: float
    score: Tensor  # (N,), on the CPU, as are the next two
    alive: Tensor  # (N,), whether there was any gradient to follow
    soft: Tensor  # (N,), whether it was found only by going softly through dead units
    pictures: Tensor  # (N, C, H, W), at the size of this octave
    changed: Tensor  # (N, 1, h, w), how much of the gradient went where, so far; its mean is 1; of the last octave H/4 × W/4


@dataclass(frozen=True)
class Way:
    """How to climb: the recipe's choices, and what follows from its inputs.

    Attributes:
        canvas, ascent, transforms: as the recipe has them.
        grown: what was painted is carried to the next octave as it is; else it is laid over the start at its new size.
        mask: (1, 1, H, W) in 0..1, where to dream; None for everywhere.
        penalty: what each step takes back.
        matching: the score is 0 at best, for pictures that match something; it is climbed by L-BFGS, which takes no penalty.
        soft: the score whose gradient finds a way through dead units, for starts from which the other finds none.
        tiles: how a single picture of pixels is cut, if it is; its views may move it, and it takes no penalty.
        device: where the network is, if the pictures are elsewhere.
    """

    canvas: CanvasChoice = field(default_factory=CanvasChoice)
    ascent: Ascent = field(default_factory=Ascent)
    transforms: Transforms = field(default_factory=Transforms)
    grown: bool = False
    mask: Tensor | None = None
    penalty: Penalty | None = None
    matching: bool = False
    soft: Score | None = None
    tiles: Tiling | None = None
    device: torch.device | None = None


def octave_sizes(height: int, width: int, settings: Ascent, smallest: int = 1) -> list[Size]:
    """Sizes of the octaves, smallest first; those with a side below `smallest` are left out, but never the last."""
    sizes = []
    for back in reversed(range(settings.octaves)):
        factor = settings.octave_scale**back
        size = Size(max(1, round(height / factor)), max(1, round(width / factor)))
        if back == 0 or min(size) >= smallest:
            sizes.append(size)
    return sizes


def climb(start: Tensor, score: Score, way: Way, sizes: Sequence[Size], generators: Sequence[torch.Generator]) -> Iterator[Progress]:
    """Change pictures so that their score grows, from small sizes to large.

    Args:
        start: (N, C, H, W) in 0..1 at the size of the last octave.
        score: what to climb; a score is maximised.
        way: how.
        sizes: of the octaves, as `octave_sizes` gives them.
        generators: one for each picture, from which its views are drawn.

    Yields:
        the state after each step; the last one is the result.
    """
    settings = way.ascent
    work = [size.height * size.width * settings.steps for size in sizes]
    before, number_of_steps = 0.0, len(sizes) * settings.steps
    attention = Attention(settings.focus, settings.centre)
    softened = torch.zeros(len(start), dtype=torch.long)
    painted, changed = start, start.new_zeros(())
    canvas: Canvas | None = None
    for number, size in enumerate(sizes):
        base = resize(start, *size)  # (N, C, h, w)
        mask = None if way.mask is None else resize(way.mask, *size)  # (1, 1, h, w)
        if canvas is None:
            begin = banded(torch.clone, base) if way.tiles else base  # what is worked on in place must not be the start
            canvas = canvas_of(way.canvas.canvas, begin, settings.smoothing, settings.vivid, generators if way.grown else ())
        elif way.grown:
            canvas = canvas.resized(*size, generators)
        else:
            carried = added(painted, resize(start, *painted.shape[2:]), *size)
            banded(lambda here, more: (here + more).clamp_(0, 1), base, carried, out=carried)
            canvas = canvas_of(way.canvas.canvas, carried, settings.smoothing, settings.vivid)
        if way.matching:
            step: Step = QuasiNewton()
        elif isinstance(canvas, Pixels):
            step = Steepest(settings, base, attention, in_place=way.tiles is not None)
        else:
            step = Adam(attention, canvas if isinstance(canvas, Fourier) and settings.tone != "free" else None)
        slope = _slope(way, base)
        painted = _masked(canvas.pictures(canvas.parameters), base, mask)
        cell = max(1, COARSE * size.height // sizes[-1].height)
        coarse = (-(-size.height // cell), -(-size.width // cell))
        changed = resample(changed, *coarse).clamp_min(0) if number else start.new_zeros(len(start), 1, *coarse)
        for turn in range(settings.steps):
            done = (number * settings.steps + turn) / max(1, number_of_steps - 1)
            view = draw(painted.shape, way.transforms, settings.jitter, done, generators, start.device)
            values, gradient = slope(score, painted, view)
            looked = _looked(gradient, cell)  # (N, 1, h, w)
            values, alive = _fetched(values, looked)
            soft = torch.zeros_like(alive)
            due = ~alive & (softened < SOFT_STEPS)
            if way.soft is not None and due.any():
                through = slope(way.soft, painted, view)[1]
                soft = due & (_looked(through, cell).amax(dim=(1, 2, 3)) > 0).cpu()
                softened += due
                gradient = torch.where(soft.to(gradient.device).view(-1, 1, 1, 1), through, gradient) if len(start) > 1 else through
                looked = _looked(gradient, cell)
            if mask is not None:
                banded(torch.mul, gradient, mask, out=gradient)
                looked = _looked(gradient, cell)
            changed = changed + looked / looked.mean(dim=(2, 3), keepdim=True).clamp_min(torch.finfo(looked.dtype).tiny)
            back = None if way.penalty is None else way.penalty(painted)
            canvas = step(canvas, values, gradient, back, settings.strength * settings.settle**done, done)
            painted = _masked(canvas.pictures(canvas.parameters), base, mask, out=painted if way.tiles and mask is not None else None)
            share = (before + work[number] * (turn + 1) / settings.steps) / sum(work)
            made = number * settings.steps + turn + 1
            yield Progress(number + 1, len(sizes), turn + 1, settings.steps, share, values, alive | soft, soft, painted, changed / made)
        before += work[number]


def added(pictures: Tensor, base: Tensor, height: int, width: int) -> Tensor:
    """What the dream has added to its start, brought to another size."""
    return resample(banded(torch.sub, pictures, base), height, width)


_Slope = Callable[[Score, Tensor, View], tuple[Tensor, Tensor]]  # a score, pictures (N, C, H, W), a view → scores (N,), their gradient


def _slope(way: Way, base: Tensor) -> _Slope:
    """How the gradient is found at one octave."""
    if way.tiles is None:
        return _whole_slope
    tiling, device, gradient = way.tiles, way.device or base.device, room(*base.shape)
    return lambda score, pictures, view: (slope_by_tiles(score, pictures, view, tiling, device, gradient), gradient)


def _whole_slope(score: Score, pictures: Tensor, view: View) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        pictures = pictures.detach().requires_grad_(True)
        values = score(view(pictures), view)  # (N,)
        (gradient,) = torch.autograd.grad(values.sum(), pictures)
    return values.detach(), gradient


def _looked(gradient: Tensor, cell: int) -> Tensor:
    """How strong it is where, a value for each square of so many pixels a side: (N, C, H, W) → (N, 1, h, w)."""
    height, width = gradient.shape[2:]
    parts = [gradient[..., rows, :].abs().mean(1, keepdim=True) for rows in bands(height, width, cell)]
    return torch.cat([F.avg_pool2d(each, cell, ceil_mode=True) for each in parts], 2)


def _fetched(values: Tensor, looked: Tensor) -> tuple[Tensor, Tensor]:
    """The scores, and whether there is any gradient to follow: (N,) each, on the CPU. In one copy, for which the device is waited for."""
    values, largest = torch.stack([values, looked.amax(dim=(1, 2, 3))]).cpu()
    return values, largest > 0


def _masked(painted: Tensor, base: Tensor, mask: Tensor | None, out: Tensor | None = None) -> Tensor:
    painted = painted.detach()
    return painted if mask is None else banded(torch.lerp, base, painted, mask, out=out)
