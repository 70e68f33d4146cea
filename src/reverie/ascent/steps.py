"""From a gradient to the next picture: by steepest ascent on pixels, by Adam on every other canvas. Both move the picture as far."""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.canvas import Canvas, Fourier, LightTone, Preconditioner, Tone
from reverie.recipe import Ascent

_GRID = 14  # places a side at which attention is measured
_MEMORY = 0.8  # share of what was measured before in what counts now
_BETAS, _EPSILON = (0.9, 0.999), 1e-8  # of Adam, as its authors recommend


class Step(Protocol):
    """Moves a canvas at one octave."""

    def __call__(self, canvas: Canvas, values: Tensor, gradient: Tensor, back: Tensor | None, strength: float, done: float) -> Canvas:
        """The canvas one step on.

        Args:
            values: the scores, (N,).
            gradient: of the score by pictures, (N, 3, H, W).
            back: what penalties take away, in the units of a step, or None.
            strength: root mean square of the change.
            done: share of all steps made, 0..1.
        """
        ...


class Attention:
    """Where a step goes: more to places that the network looks at, more to the middle. It remembers from octave to octave."""

    def __init__(self, focus: float, centre: float) -> None:
        self.focus, self.centre = focus, centre
        self._looked: Tensor | None = None  # (N, 1, 14, 14)

    def __call__(self, change: Tensor, done: float) -> Tensor:
        """(N, 3, H, W) → the same shape, weighed by place."""
        height, width = change.shape[2:]
        if self.focus:
            here = F.adaptive_avg_pool2d(change.square().mean(1, keepdim=True), _GRID).sqrt()  # (N, 1, 14, 14)
            self._looked = here if self._looked is None else torch.lerp(here, self._looked, _MEMORY)
            mean = self._looked.mean(dim=(2, 3), keepdim=True).clamp_min(torch.finfo(here.dtype).tiny)
            weight = (self._looked / mean).pow(self.focus)
            change = change * F.interpolate(weight, (height, width), mode="bilinear", align_corners=False)
        if self.centre:
            reach = (0.5 + 0.4 * done) / self.centre  # half sides: the ground gets its turn later
            rows, columns = (torch.linspace(-1, 1, side, device=change.device).square() for side in (height, width))
            change = change * torch.exp(-(rows[:, None] + columns[None]) / (2 * reach**2))
        return change


class Steepest:
    """Steepest ascent on pixels, in the measure of photographs: see `Preconditioner`. Light and contrast are held."""

    def __init__(self, settings: Ascent, base: Tensor, attention: Attention) -> None:
        self.attention = attention
        self.condition = Preconditioner(base.shape[2], base.shape[3], settings.smoothing, settings.vivid, base.device)
        self.tone: Tone | LightTone | None = None
        if settings.tone != "free":
            self.tone = Tone.of(base) if settings.tone == "keep" else LightTone.of(base)

    def __call__(self, canvas: Canvas, values: Tensor, gradient: Tensor, back: Tensor | None, strength: float, done: float) -> Canvas:
        change = self.attention(self.condition(gradient), done)  # (N, 3, H, W)
        if isinstance(self.tone, Tone):  # which takes the mean of a step away again: it must not count as its size
            change = change - change.mean(dim=(2, 3), keepdim=True)
        change = _unit(change)
        if back is not None:
            change = change - back
        pixels = torch.add(canvas.parameters, change, alpha=strength)
        if self.tone is not None:
            pixels = self.tone.hold(pixels)
        return canvas.moved(pixels.clamp_(0, 1))


class Adam:
    """Adam (Kingma & Ba 2015) on a canvas's parameters, each step scaled so that the picture changes by `strength`.

    Fourier coefficients keep their contrast, unless tone is free; phases could not change it.
    """

    def __init__(self, attention: Attention, hold: Fourier | None = None) -> None:
        self.attention = attention
        self.hold = hold
        self._mean = self._square = torch.zeros(())
        self._count = 0

    def __call__(self, canvas: Canvas, values: Tensor, gradient: Tensor, back: Tensor | None, strength: float, done: float) -> Canvas:
        pull = _unit(self.attention(gradient, done))  # (N, 3, H, W)
        if back is not None:
            pull = pull - back
        with torch.enable_grad():
            parameters = canvas.parameters.detach().requires_grad_(True)
            painted = canvas.pictures(parameters)  # (N, 3, H, W)
            (slope,) = torch.autograd.grad(painted, parameters, pull)
        self._count += 1
        self._mean = torch.lerp(slope, self._mean, _BETAS[0]) if self._count > 1 else slope * (1 - _BETAS[0])
        self._square = torch.lerp(slope.square(), self._square, _BETAS[1]) if self._count > 1 else slope.square() * (1 - _BETAS[1])
        mean = self._mean / (1 - _BETAS[0] ** self._count)
        square = self._square / (1 - _BETAS[1] ** self._count)
        largest = square.flatten(1).amax(1).view(-1, *[1] * (square.dim() - 1)).sqrt()  # (N, 1, …)
        change = mean / (square.sqrt() + (_EPSILON * largest).clamp_min(torch.finfo(square.dtype).tiny))  # of a dead one 0, no 0/0
        trial = 1e-2  # small enough for the picture to follow in proportion
        moved = canvas.pictures(parameters.detach() + trial * change) - painted.detach()
        size = moved.square().mean(dim=(1, 2, 3)).sqrt().div_(trial).clamp_min(1e-12)  # (N,)
        scale = (strength / size).view(-1, *[1] * (change.dim() - 1))
        stepped = canvas.moved(parameters.detach() + scale.clamp_max(1e3) * change)
        return stepped.held(self.hold) if self.hold is not None and isinstance(stepped, Fourier) else stepped


def _unit(change: Tensor) -> Tensor:
    """Each picture's change at a root mean square of 1; one that is nothing stays so."""
    largest = change.abs().amax(dim=(1, 2, 3), keepdim=True)  # (N, 1, 1, 1)
    change = change / largest.clamp_min(torch.finfo(largest.dtype).tiny)  # so that the squares of a faint one do not vanish
    size = change.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()  # (N, 1, 1, 1)
    return change / size.clamp_min(torch.finfo(size.dtype).tiny)
