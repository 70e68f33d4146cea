"""The one loop. It climbs a function of pictures; it knows neither networks nor objectives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from reverie.canvas import Smoothing, Tone
from reverie.pictures import resample, resize
from reverie.recipe import Ascent

Score = Callable[[Tensor], Tensor]  # pictures (N, 3, H, W) → (N,)


class Size(NamedTuple):
    height: int
    width: int


@dataclass(frozen=True)
class Progress:
    """The state after one step. `octave` and `step` count from 1; `done` is the share of the work, 0..1."""

    octave: int
    octaves: int
    step: int
    steps: int
    done: float
    score: Tensor  # (N,)
    pictures: Tensor  # (N, 3, H, W), at the size of this octave


def octave_sizes(height: int, width: int, settings: Ascent, smallest: int = 1) -> list[Size]:
    """Sizes of the octaves, smallest first; those with a side below `smallest` are left out, but never the last."""
    sizes = []
    for back in reversed(range(settings.octaves)):
        factor = settings.octave_scale**back
        size = Size(max(1, round(height / factor)), max(1, round(width / factor)))
        if back == 0 or min(size) >= smallest:
            sizes.append(size)
    return sizes


def climb(
    start: Tensor, score: Score, settings: Ascent, sizes: Sequence[Size], generators: Sequence[torch.Generator]
) -> Iterator[Progress]:
    """Change pictures so that their score grows, from small sizes to large, carrying upward what was added.

    Args:
        start: (N, 3, H, W) in 0..1 at the size of the last octave.
        score: what to climb; a score is maximised.
        settings: octaves, steps, strength, jitter, smoothing, tone.
        sizes: of the octaves, as `octave_sizes` gives them.
        generators: one for each picture, from which its jitter is drawn.

    Yields:
        the state after each step; the last one is the result.
    """
    work = [size.height * size.width * settings.steps for size in sizes]
    before = 0.0
    pictures = start
    for number, size in enumerate(sizes):
        base = resize(start, *size)  # (N, 3, h, w)
        tone = Tone.of(base)
        pictures = base if number == 0 else (base + added(pictures, resize(start, *pictures.shape[2:]), *size)).clamp(0, 1)
        smooth = Smoothing(*size, settings.smoothing, start.device)
        for step in range(settings.steps):
            pictures, value = _step(pictures, score, settings, smooth, tone, generators)
            done = (before + work[number] * (step + 1) / settings.steps) / sum(work)
            yield Progress(number + 1, len(sizes), step + 1, settings.steps, done, value, pictures)
        before += work[number]


def added(pictures: Tensor, base: Tensor, height: int, width: int) -> Tensor:
    """What the dream has added to its start, brought to another size."""
    return resample(pictures - base, height, width)


def _step(
    pictures: Tensor, score: Score, settings: Ascent, smooth: Smoothing, tone: Tone, generators: Sequence[torch.Generator]
) -> tuple[Tensor, Tensor]:
    shifts = [_shift(settings.jitter, pictures.shape, generator) for generator in generators]
    moved = _roll(pictures, shifts).requires_grad_(True)  # (N, 3, H, W)
    values = score(moved)  # (N,)
    (gradient,) = torch.autograd.grad(values.sum(), moved)
    gradient = smooth(_roll(gradient, [(-y, -x) for y, x in shifts]))  # (N, 3, H, W)
    spread = gradient.std(dim=(1, 2, 3), keepdim=True, correction=0)  # (N, 1, 1, 1)
    stepped = torch.addcdiv(pictures.detach(), gradient, spread.clamp_min(torch.finfo(spread.dtype).tiny), value=settings.strength)
    if settings.tone == "keep":
        stepped = tone.hold(stepped)
    return stepped.clamp_(0, 1), values.detach()


def _shift(jitter: int, shape: torch.Size, generator: torch.Generator) -> tuple[int, int]:
    reach = (min(jitter, shape[2] // 2), min(jitter, shape[3] // 2))
    y, x = (int(torch.randint(-each, each + 1, (1,), generator=generator)) for each in reach)
    return y, x


def _roll(pictures: Tensor, shifts: Sequence[tuple[int, int]]) -> Tensor:
    if len(shifts) == 1:
        return torch.roll(pictures, shifts[0], dims=(2, 3))
    return torch.stack([torch.roll(each, shift, dims=(1, 2)) for each, shift in zip(pictures, shifts, strict=True)])
