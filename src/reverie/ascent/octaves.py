"""The sizes of an ascent, and what is worked on at each: a canvas, the step that moves it, what is held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from reverie.ascent.gradient import Gradient, Score
from reverie.ascent.quasi_newton import QuasiNewton
from reverie.ascent.step_rules import Adam, Attention, Steepest, Step
from reverie.ascent.tiles import Tiling
from reverie.canvas import Canvas, Fourier, Pixels, canvas_of
from reverie.pictures import banded, resample, resize
from reverie.recipe import Ascent, Transforms
from reverie.recipe import Canvas as CanvasChoice

Penalty = Callable[[Tensor], Tensor]  # pictures → what to take away from them in the units of a step


class Size(NamedTuple):
    height: int
    width: int


@dataclass(frozen=True, repr=False)
class ClimbSettings:
    """How to climb: the recipe's choices, and what follows from its inputs.

    Attributes:
        canvas, ascent, transforms: as the recipe has them.
        grown: what was painted is carried to the next octave as it is; else it is laid over the start at its new size.
        mask: (1, 1, H, W) in 0..1, where to dream; None for everywhere.
        penalty: what each step takes back.
        matching: the score is 0 at best, for pictures that match something; it is climbed by L-BFGS, which takes no penalty.
        soft: the score whose gradient finds a way through dead units, for starts from which the other finds none.
        tiles: how a single picture of pixels is cut, if it is; its transforms may move it, and it takes no penalty.
        device: where the network is, if the pictures are elsewhere.
        bounded: pixels whose tone is free are not pulled beyond black and white; else one flat colour may be where a climb ends.
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
    bounded: bool = False

    def __repr__(self) -> str:
        return f"ClimbSettings({self.canvas.canvas}, {self.ascent.octaves} octaves of {self.ascent.steps} steps)"


def octave_sizes(height: int, width: int, settings: Ascent, smallest: int = 1) -> list[Size]:
    """Sizes of the octaves, smallest first; those with a side below `smallest` are left out, but never the last."""
    sizes = []
    for smaller in reversed(range(settings.octaves)):
        factor = settings.octave_scale**smaller
        size = Size(max(1, round(height / factor)), max(1, round(width / factor)))
        if smaller == 0 or min(size) >= smallest:
            sizes.append(size)
    return sizes


def added(pictures: Tensor, base: Tensor, height: int, width: int) -> Tensor:
    """What the dream has added to its start, brought to another size."""
    return resample(banded(torch.sub, pictures, base), height, width)


class Climber:
    """Pictures on their way up: `enter` brings them to an octave's size, `move` takes a step.

    Args:
        start: (N, C, H, W) in 0..1 at the size of the last octave.
        settings: how to climb.
        generators: one for each picture.
    """

    def __init__(self, start: Tensor, settings: ClimbSettings, generators: Sequence[torch.Generator]) -> None:
        self._start, self._settings, self._generators = start, settings, generators
        self._attention = Attention(settings.ascent.focus, settings.ascent.centre)
        self._canvas: Canvas | None = None
        self._step: Step | None = None
        self.pictures = start  # (N, C, h, w), at the size of this octave
        self.mask: Tensor | None = None  # (1, 1, h, w)

    def enter(self, size: Size) -> None:
        """Begin an octave."""
        self._base = resize(self._start, *size)  # (N, C, h, w)
        self.mask = None if self._settings.mask is None else resize(self._settings.mask, *size)
        self._canvas = self._canvas_at(size)
        self._step = self._step_on(self._canvas)
        self.pictures = self._masked(self._canvas.pictures(self._canvas.parameters))

    def move(self, gradient: Gradient, done: float) -> None:
        """One step along a gradient; `done` is the share of all steps that were made, 0..1."""
        if self._canvas is None or self._step is None:
            raise AssertionError("an octave is entered before the first step")
        ascent, penalty = self._settings.ascent, self._settings.penalty
        penalty_step = None if penalty is None else penalty(self.pictures)
        strength = ascent.strength * ascent.settle**done
        self._canvas = self._step(self._canvas, gradient, penalty_step, strength, done)
        self.pictures = self._masked(self._canvas.pictures(self._canvas.parameters), out=self.pictures)

    def _canvas_at(self, size: Size) -> Canvas:
        kind, ascent, grown = self._settings.canvas.canvas, self._settings.ascent, self._settings.grown
        if self._canvas is None:
            begin = banded(torch.clone, self._base) if self._settings.tiles else self._base  # it is worked on in place
            return canvas_of(kind, begin, ascent.smoothing, ascent.vivid, self._generators if grown else ())
        if grown:
            return self._canvas.resized(*size, self._generators)
        carried = added(self.pictures, resize(self._start, *self.pictures.shape[2:]), *size)  # (N, C, h, w)
        banded(lambda base, dream: (base + dream).clamp_(0, 1), self._base, carried, out=carried)
        return canvas_of(kind, carried, ascent.smoothing, ascent.vivid)

    def _step_on(self, canvas: Canvas) -> Step:
        if self._settings.matching:
            return QuasiNewton()
        if isinstance(canvas, Pixels):
            tiled, bounded = self._settings.tiles is not None, self._settings.bounded
            return Steepest(self._settings.ascent, self._base, self._attention, in_place=tiled, bounded=bounded)
        return Adam(self._attention, canvas if isinstance(canvas, Fourier) and self._settings.ascent.tone != "free" else None)

    def _masked(self, pictures: Tensor, out: Tensor | None = None) -> Tensor:
        """The start where the mask is black; of a tiled picture in the room of `out`."""
        pictures = pictures.detach()
        if self.mask is None:
            return pictures
        return banded(torch.lerp, self._base, pictures, self.mask, out=out if self._settings.tiles else None)
