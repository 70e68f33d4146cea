"""The one loop. It climbs a function of pictures; it knows neither networks nor objectives."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.canvas import Preconditioner, Tone
from reverie.pictures import resample, resize
from reverie.recipe import Ascent

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as <malloc.h> numbers them

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
    alive: Tensor  # (N,), whether there was any gradient to follow
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
        settings: octaves, steps, strength, jitter, smoothing, vivid, tone.
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
        condition = Preconditioner(*size, settings.smoothing, settings.vivid, start.device)
        for step in range(settings.steps):
            pictures, value, alive = _step(pictures, score, settings, condition, tone, generators)
            done = (before + work[number] * (step + 1) / settings.steps) / sum(work)
            yield Progress(number + 1, len(sizes), step + 1, settings.steps, done, value, alive, pictures)
        before += work[number]


@contextmanager
def kept_memory() -> Iterator[None]:
    """Inside, memory that one step frees serves the next.

    By default the C library hands large blocks back to the system, which zeroes them anew page by page: a third of a step on a CPU.
    Only glibc is told; elsewhere this does nothing.
    """
    mallopt = getattr(_c_library(), "mallopt", None)
    if mallopt is None:
        yield
        return
    if mallopt(_MMAP_THRESHOLD, 1 << 30) or mallopt(_MMAP_THRESHOLD, 32 << 20):  # older ones refuse more
        mallopt(_TRIM_THRESHOLD, (1 << 31) - 1)
    try:
        yield
    finally:
        mallopt(_MMAP_THRESHOLD, 32 << 20)  # where the library's own rule ends up once it has seen blocks as large as ours
        mallopt(_TRIM_THRESHOLD, 64 << 20)
        _c_library().malloc_trim(0)


@cache
def _c_library() -> Any:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


def added(pictures: Tensor, base: Tensor, height: int, width: int) -> Tensor:
    """What the dream has added to its start, brought to another size."""
    return resample(pictures - base, height, width)


def _step(
    pictures: Tensor, score: Score, settings: Ascent, condition: Preconditioner, tone: Tone, generators: Sequence[torch.Generator]
) -> tuple[Tensor, Tensor, Tensor]:
    shifts = [_shift(settings.jitter, pictures.shape, generator) for generator in generators]
    with torch.enable_grad():
        pictures = pictures.detach().requires_grad_(True)
        values = score(_moved(pictures, shifts))  # (N,)
        (gradient,) = torch.autograd.grad(values.sum(), pictures)
    gradient = condition(gradient)  # (N, 3, H, W)
    if settings.tone == "keep":  # which takes the mean of a step away again: it must not count as its size
        gradient = gradient - gradient.mean(dim=(2, 3), keepdim=True)
    largest = gradient.abs().amax(dim=(1, 2, 3), keepdim=True)  # (N, 1, 1, 1)
    gradient = gradient / largest.clamp_min(torch.finfo(largest.dtype).tiny)  # so that the squares of a faint one do not vanish
    size = gradient.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()  # (N, 1, 1, 1)
    stepped = torch.addcdiv(pictures.detach(), gradient, size.clamp_min(torch.finfo(size.dtype).tiny), value=settings.strength)
    if settings.tone == "keep":
        stepped = tone.hold(stepped)
    return stepped.clamp_(0, 1), values.detach(), largest.flatten() > 0


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
