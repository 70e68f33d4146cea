"""The gradient of a score by pictures: in one pass or tile by tile, and softly through dead units where there is no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.ascent.memory import sent
from reverie.ascent.tiles import Tiling
from reverie.ascent.transforms import Transform
from reverie.pictures import banded, bands, room

SOFT_STEPS = 64  # before a dead start is given up

Score = Callable[[Tensor, Transform], Tensor]  # pictures (N, C, H, W), transformed, and the transform that they went through → (N,)


class Differentiation:
    """Asks a score for its gradient, in one pass, or by tiles where there is a tiling.

    By tiles: each is shown to the network with a halo around it, and only what the network answers at the tile itself counts. The gradients
    of all tiles, halos included, add up to that of the whole picture: exactly, if the halo is half of what one answer depends on.

    Args:
        tiling: how a single picture is cut; the score must be additive over windows, and the transform do no more than move the picture.
        device: where the network is, if there is a tiling.
    """

    def __init__(self, tiling: Tiling | None = None, device: torch.device | None = None) -> None:
        self.tiling = tiling
        self._device = device
        self._sum: Tensor | None = None  # (1, C, H, W)

    def __call__(self, score: Score, pictures: Tensor, transform: Transform) -> tuple[Tensor, Tensor]:
        """Scores (N,), and their gradient by the pictures (N, C, H, W). By tiles the next call overwrites the gradient."""
        if self.tiling is None:
            return _in_one_pass(score, pictures, transform)
        if self._sum is None or self._sum.shape != pictures.shape:
            self._sum = None  # the room for it is free before the next is taken
            self._sum = room(*pictures.shape)
        return _by_tiles(score, pictures, transform, self.tiling, self._device or pictures.device, self._sum), self._sum


def _in_one_pass(score: Score, pictures: Tensor, transform: Transform) -> tuple[Tensor, Tensor]:
    shown = transform(pictures.detach())
    with torch.enable_grad():
        shown = shown.detach().requires_grad_(True)
        scores = score(shown, transform)  # (N,)
        (gradient,) = torch.autograd.grad(scores.sum(), shown)
    return scores.detach(), transform.back(gradient)


def _by_tiles(score: Score, pictures: Tensor, transform: Transform, tiling: Tiling, device: torch.device, out: Tensor) -> Tensor:
    """Add up the gradient (1, C, H, W) in `out`, whatever was in it, and give the score, (1,)."""
    out.zero_()
    total = torch.zeros(1, device=device)
    for window in tiling.windows(*pictures.shape[2:]):
        rows, columns = transform.read(0, window.rows), transform.read(1, window.columns)
        source = sent(pictures[:, :, rows.begin : rows.end, columns.begin : columns.end].clone(), device)  # (1, C, h, w)
        with torch.enable_grad():
            source.requires_grad_(True)
            scores = score(columns.of(rows.of(source, 2), 3), replace(transform, window=window))
            (gradient,) = torch.autograd.grad(scores.sum(), source)
        out[:, :, rows.begin : rows.end, columns.begin : columns.end] += gradient.to(out.device)
        total += scores.detach()
    return total.to(out.device)


@dataclass(frozen=True, repr=False)
class Gradient:
    """The gradient at one step."""

    scores: Tensor  # (N,), on the CPU, as are `alive` and `soft`
    values: Tensor  # (N, C, H, W)
    strength: Tensor  # (N, 1, h, w), the mean size of the values in each cell of some pixels a side
    alive: Tensor  # (N,), whether there is any
    soft: Tensor  # (N,), whether it was found only by going softly through dead units

    def masked(self, mask: Tensor | None, cell: int) -> Gradient:
        """The same where a mask (1, 1, H, W) lets it be; its values are changed in place."""
        if mask is None:
            return self
        banded(torch.mul, self.values, mask, out=self.values)
        return replace(self, strength=strength(self.values, cell))


class SoftGradient:
    """The gradient of a score; of a picture that has none, that of a soft score, which finds a way through dead units.

    Args:
        differentiate: what is asked for gradients.
        soft: the score for dead starts, or None. After 64 steps of a picture it is no longer asked.
        pictures: (N, C, H, W), those that are about to climb.
    """

    def __init__(self, differentiate: Differentiation, score: Score, soft: Score | None, pictures: Tensor) -> None:
        self._differentiate, self._score, self._soft = differentiate, score, soft
        self._softened = torch.zeros(len(pictures), dtype=torch.long)  # steps

    def __call__(self, pictures: Tensor, transform: Transform, cell: int) -> Gradient:
        """At these pictures, shown like this; its strength in cells of so many pixels a side."""
        scores, values = self._differentiate(self._score, pictures, transform)
        strengths = strength(values, cell)
        scores, alive = _fetched(scores, strengths)
        soft = torch.zeros_like(alive)
        due = ~alive & (self._softened < SOFT_STEPS)
        if self._soft is not None and due.any():
            softly = self._differentiate(self._soft, pictures, transform)[1]
            soft = due & (strength(softly, cell).amax(dim=(1, 2, 3)) > 0).cpu()
            self._softened += due
            values = torch.where(soft.to(values.device).view(-1, 1, 1, 1), softly, values) if len(pictures) > 1 else softly
            strengths = strength(values, cell)
        return Gradient(scores, values, strengths, alive, soft)


def _fetched(scores: Tensor, strengths: Tensor) -> tuple[Tensor, Tensor]:
    """The scores, and whether there is any gradient to follow: (N,) each, on the CPU. In one copy, for which the device is waited for."""
    scores, largest = torch.stack([scores, strengths.amax(dim=(1, 2, 3))]).cpu()
    return scores, largest > 0


def strength(gradient: Tensor, cell: int) -> Tensor:
    """How strong it is where, a value for each square of so many pixels a side: (N, C, H, W) → (N, 1, h, w)."""
    height, width = gradient.shape[2:]
    parts = [gradient[..., rows, :].abs().mean(1, keepdim=True) for rows in bands(height, width, cell)]
    return torch.cat([F.avg_pool2d(each, cell, ceil_mode=True) for each in parts], 2)
