"""From a gradient to the next picture: by steepest ascent on pixels, by Adam on every other canvas. Both move the picture as far."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.ascent.gradient import Gradient
from reverie.canvas import Canvas, Fourier, LightTone, Preconditioner, Tone
from reverie.pictures import averaged, bands, mean_square
from reverie.recipe import Ascent

_GRID = 14  # places a side at which attention is measured
_MEMORY = 0.8  # share of what was measured before in what counts now
_BETAS, _EPSILON = (0.9, 0.999), 1e-8  # of Adam, as its authors recommend


class Step(Protocol):
    """Moves a canvas at one octave."""

    def __call__(self, canvas: Canvas, gradient: Gradient, penalty_step: Tensor | None, strength: float, done: float) -> Canvas:
        """The canvas one step on.

        Args:
            gradient: of the scores by the pictures.
            penalty_step: what penalties take away, in the units of a step, or None.
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
        """Weighs (N, C, H, W) by place; it is changed and given back."""
        if not self.focus and not self.centre:
            return change
        height, width = change.shape[2:]
        if self.focus:
            across = [F.adaptive_avg_pool2d(each.square().mean(1, keepdim=True), (each.shape[2], _GRID)) for each in _parts(change)]
            here = F.adaptive_avg_pool2d(torch.cat(across, 2), _GRID).sqrt()  # (N, 1, 14, 14)
            self._looked = here if self._looked is None else torch.lerp(here, self._looked, _MEMORY)
            mean = self._looked.mean(dim=(2, 3), keepdim=True).clamp_min(torch.finfo(here.dtype).tiny)
            grid = (self._looked / mean).pow(self.focus)
            down, right = (_spread(side, change.device) for side in (height, width))  # (H, 14), (W, 14)
            for rows in bands(height, width):
                change[..., rows, :] *= down[rows] @ grid @ right.T
        if self.centre:
            reach = (0.5 + 0.4 * done) / self.centre  # half sides: the ground gets its turn later
            falls = [torch.exp(-torch.linspace(-1, 1, side, device=change.device).square() / (2 * reach**2)) for side in (height, width)]
            for rows in bands(height, width):
                change[..., rows, :] *= falls[0][rows, None] * falls[1]
        return change


def _spread(side: int, device: torch.device) -> Tensor:
    """(side, 14): how each place of a side is mixed from the grid's, linearly."""
    return F.interpolate(torch.eye(_GRID, device=device)[None, None], (side, _GRID), mode="bilinear", align_corners=False)[0, 0]


class Steepest:
    """Steepest ascent on pixels, in the measure of photographs: see `Preconditioner`. Light and contrast are held.

    Everything is done in bands, and `in_place` on the canvas's own numbers, so that a picture may be larger than memory.
    """

    def __init__(self, settings: Ascent, base: Tensor, attention: Attention, in_place: bool = False, bounded: bool = False) -> None:
        self.attention = attention
        self.in_place = in_place
        self.bounded = bounded and settings.tone == "free" and not in_place
        self.precondition = Preconditioner(base.shape[2], base.shape[3], settings.smoothing, settings.vivid, base.device, base.shape[1])
        self.tone: Tone | LightTone | None = None
        if settings.tone != "free":
            self.tone = Tone.of(base) if settings.tone == "keep" else LightTone.of(base)

    def __call__(self, canvas: Canvas, gradient: Gradient, penalty_step: Tensor | None, strength: float, done: float) -> Canvas:
        values = _inward(gradient.values, canvas.parameters) if self.bounded else gradient.values
        change = self.attention(self.precondition(values), done)  # (N, C, H, W)
        pixels = canvas.parameters if self.in_place else torch.empty_like(canvas.parameters)
        # of a tone of each colour, which takes the mean of a step away again, the mean must not count as its size
        scale = strength / _normalised(change, centred=isinstance(self.tone, Tone))  # (N, 1, 1, 1)
        for rows in bands(*pixels.shape[2:]):
            torch.addcmul(canvas.parameters[..., rows, :], change[..., rows, :], scale, out=pixels[..., rows, :])
            if penalty_step is not None:
                pixels[..., rows, :].sub_(penalty_step[..., rows, :], alpha=strength)
        gain, offset = (None, None) if self.tone is None else self.tone.correction(pixels)
        for part in _parts(pixels):
            if gain is not None and offset is not None:
                torch.addcmul(offset, part, gain, out=part)
            part.clamp_(0, 1)
        return canvas.moved(pixels)


def _inward(values: Tensor, pixels: Tensor) -> Tensor:
    """The gradient (N, C, H, W) without what pulls black and white pixels further out: smoothed it would hold their neighbours there."""
    return values.masked_fill(((pixels <= 0) & (values < 0)) | ((pixels >= 1) & (values > 0)), 0)


def _normalised(change: Tensor, centred: bool) -> Tensor:
    """Brings each picture's change to numbers of at most 1, so that the squares of a faint one do not vanish; gives their root mean square.

    Args:
        change: (N, C, H, W), changed in place; one that is nothing stays so.
        centred: take away the mean of each colour first.
    """
    if centred:
        mean = averaged(lambda part: part.mean(dim=(2, 3), keepdim=True), change)  # (N, C, 1, 1)
        for part in _parts(change):
            part -= mean
    largest = torch.stack([part.abs().amax(dim=(1, 2, 3), keepdim=True) for part in _parts(change)]).amax(0)  # (N, 1, 1, 1)
    tiny = torch.finfo(change.dtype).tiny
    for part in _parts(change):
        part /= largest.clamp_min(tiny)
    return averaged(mean_square, change).mean(1, keepdim=True).sqrt().clamp_min(tiny)  # (N, 1, 1, 1)


def _parts(values: Tensor) -> Iterator[Tensor]:
    """(N, C, H, W) → views of it, band by band."""
    return (values[..., rows, :] for rows in bands(*values.shape[2:]))


class Adam:
    """Adam (Kingma & Ba 2015) on a canvas's parameters, each step scaled so that the picture changes by `strength`.

    Fourier coefficients keep their contrast, unless tone is free; phases could not change it.
    """

    def __init__(self, attention: Attention, hold: Fourier | None = None) -> None:
        self.attention = attention
        self.hold = hold
        self._mean = self._square = torch.zeros(())
        self._count = 0

    def __call__(self, canvas: Canvas, gradient: Gradient, penalty_step: Tensor | None, strength: float, done: float) -> Canvas:
        pull = self.attention(gradient.values, done)  # (N, C, H, W)
        pull = pull / _normalised(pull, centred=False)
        if penalty_step is not None:
            pull = pull - penalty_step
        with torch.enable_grad():
            parameters = canvas.parameters.detach().requires_grad_(True)
            painted = canvas.pictures(parameters)  # (N, C, H, W)
            (uphill,) = torch.autograd.grad(painted, parameters, pull)
        self._count += 1
        self._mean = torch.lerp(uphill, self._mean, _BETAS[0]) if self._count > 1 else uphill * (1 - _BETAS[0])
        self._square = torch.lerp(uphill.square(), self._square, _BETAS[1]) if self._count > 1 else uphill.square() * (1 - _BETAS[1])
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
