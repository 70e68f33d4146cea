"""The one loop. It climbs a function of pictures; it knows neither networks nor objectives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor

from reverie.ascent.gradient import Differentiation, Score, SoftGradient
from reverie.ascent.octaves import Climber, ClimbSettings, Size
from reverie.ascent.transforms import IDENTITY, draw
from reverie.pictures import resample

_BETWEEN: ContextVar[Callable[[Progress], object] | None] = ContextVar("between", default=None)
COARSE = 4  # pixels of the result a side over which it is told how much of the gradient went where


@dataclass(frozen=True, repr=False)
class Progress:
    """The state after one step. `octave` and `step` count from 1; `done` is the share of the work, 0..1.

    The pictures of a tiled ascent are those that the next step works on: what shall stay must be copied.
    """

    octave: int
    octaves: int
    step: int
    steps: int
    done: float
    score: Tensor  # (N,)
    alive: Tensor  # (N,), whether there was any gradient to follow
    soft: Tensor  # (N,), whether it was found only by going softly through dead units
    pictures: Tensor  # (N, C, H, W), at the size of this octave
    changed: Tensor  # (N, 1, h, w), how much of the gradient went where, so far; its mean is 1; of the last octave H/4 × W/4

    @property
    def doing(self) -> str:
        """What is being done, in words."""
        return f"octave {self.octave}/{self.octaves}  step {self.step}/{self.steps}  score {float(self.score.mean()):.4g}"

    def __repr__(self) -> str:
        return f"Progress({self.doing}  {self.done:.0%})"


@contextmanager
def between_steps(act: Callable[[Progress], object]) -> Iterator[None]:
    """Inside, `act` is called after each step of every climb, of whatever it is a part: what cannot wait may go first there.

    It may climb itself, with another `act` or none. What it raises ends the climb.
    """
    token = _BETWEEN.set(act)
    try:
        yield
    finally:
        _BETWEEN.reset(token)


def climb(
    start: Tensor, score: Score, settings: ClimbSettings, sizes: Sequence[Size], generators: Sequence[torch.Generator]
) -> Iterator[Progress]:
    """Change pictures so that their score grows, from small sizes to large.

    Args:
        start: (N, C, H, W) in 0..1 at the size of the last octave.
        score: what to climb; a score is maximised.
        settings: how.
        sizes: of the octaves, as `octave_sizes` gives them.
        generators: one for each picture, from which its transforms are drawn.

    Yields:
        the state after each step; the last one is the result.
    """
    steps, rest = settings.ascent.steps, settings.ascent.rest
    gradient_at = SoftGradient(Differentiation(settings.tiles, settings.device), score, settings.soft, start)
    climber = Climber(start, settings, generators)
    gradient_map = GradientMap(start, sizes[-1])
    work = [size.height * size.width * steps for size in sizes]
    for octave, size in enumerate(sizes):
        climber.enter(size)
        gradient_map.enter(size)
        for step in range(steps):
            done = (octave * steps + step) / max(1, len(sizes) * steps - 1)
            if rest and done >= 1 - rest:
                transform = IDENTITY
            else:
                transform = draw(climber.pictures.shape, settings.transforms, settings.ascent.jitter, done, generators, start.device)
            gradient = gradient_at(climber.pictures, transform, gradient_map.cell).masked(climber.mask, gradient_map.cell)
            changed = gradient_map.add(gradient.strength)
            climber.move(gradient, done)
            state = Progress(
                octave + 1, len(sizes), step + 1, steps, (sum(work[:octave]) + work[octave] * (step + 1) / steps) / sum(work),
                gradient.scores, gradient.alive | gradient.soft, gradient.soft, climber.pictures, changed,
            )  # fmt: skip
            if (act := _BETWEEN.get()) is not None:
                act(state)
            yield state


class GradientMap:
    """How much of the gradient went where, over all steps so far: (N, 1, h, w), its mean is 1.

    Args:
        pictures: (N, C, H, W).
        largest: size of the last octave, at which a cell has 4 pixels a side; at the others it has about as much of the picture.
    """

    def __init__(self, pictures: Tensor, largest: Size) -> None:
        self._largest = largest
        self._sum = pictures.new_zeros(len(pictures), 1, 0, 0)  # (N, 1, h, w)
        self._steps = 0
        self.cell = 1  # pixels a side

    def enter(self, size: Size) -> None:
        """Begin an octave."""
        self.cell = max(1, COARSE * size.height // self._largest.height)
        coarse = (-(-size.height // self.cell), -(-size.width // self.cell))
        if self._steps:
            self._sum = resample(self._sum, *coarse).clamp_min(0)
        else:
            self._sum = self._sum.new_zeros(len(self._sum), 1, *coarse)

    def add(self, strength: Tensor) -> Tensor:
        """The map after one more step, of this strength (N, 1, h, w)."""
        self._sum = self._sum + strength / strength.mean(dim=(2, 3), keepdim=True).clamp_min(torch.finfo(strength.dtype).tiny)
        self._steps += 1
        return self._sum / self._steps
