"""How far each direction of change reaches, and how light and contrast are held."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from reverie.canvas.colour import together
from reverie.pictures import frequencies

CAST = 0.7  # spreads by which a colour may be stronger or weaker than the light: as far as a photograph's goes
LOWEST = 1 / 64  # cycles per pixel: waves longer than this are not favoured further


class Preconditioner:
    """Turns a gradient into a change in kind with photographs: broad forms grow as fast as fine ones, and colours go together.

    A photograph's amplitude falls as 1/f (Field 1987), so the gradient is divided by f^power. Its colours vary together,
    mostly from dark to light, so the gradient is multiplied by their covariance; `vivid` is how much of it is left alone.

    Args:
        height, width: of the gradients, in pixels.
        power: 0 leaves every frequency as it is.
        vivid: 0..1; at 1 each colour goes its own way.
    """

    def __init__(self, height: int, width: int, power: float, vivid: float, device: torch.device) -> None:
        self.shape = (height, width)
        self.power = power
        self.colours = together(vivid).to(device)  # (3, 3)
        # a transform at a size with large prime factors is slow: pad to a friendly one
        self.padded = (friendly(height), friendly(width))
        wave = frequencies(*self.padded)
        self.filter = wave.clamp_min(LOWEST).pow(-power).to(device)  # (H', W'/2+1)

    def __call__(self, gradient: Tensor) -> Tensor:
        """(N, 3, H, W) → the same shape."""
        gradient = torch.einsum("ij,njhw->nihw", self.colours, gradient)  # (N, 3, H, W)
        if self.power == 0:
            return gradient
        height, width = self.shape
        spectrum = torch.fft.rfft2(gradient, s=self.padded).mul_(self.filter)
        smoothed: Tensor = torch.fft.irfft2(spectrum, s=self.padded)  # (N, 3, H', W')
        return smoothed[..., :height, :width]


@dataclass(frozen=True)
class Tone:
    """Mean and spread of each colour of each picture: (N, 3, 1, 1)."""

    mean: Tensor
    spread: Tensor

    @classmethod
    def of(cls, pixels: Tensor) -> Tone:
        """Measured over (N, 3, H, W)."""
        return cls(*_mean_and_spread(pixels))

    def hold(self, pixels: Tensor) -> Tensor:
        """The same pictures with this mean and spread; of a flat one, which has no spread to scale, the mean alone."""
        mean, spread = _mean_and_spread(pixels)
        gain = torch.where(spread > 1e-6, self.spread / spread.clamp_min(1e-6), torch.ones_like(spread))
        gain = torch.where(self.spread > 1e-6, gain, torch.ones_like(gain))
        return torch.addcmul(self.mean - mean * gain, pixels, gain)


@dataclass(frozen=True)
class LightTone:
    """Mean and spread of all colours together: (N, 1, 1, 1). A picture may take on a colour, up to a point."""

    mean: Tensor
    spread: Tensor

    @classmethod
    def of(cls, pixels: Tensor) -> LightTone:
        """Measured over (N, 3, H, W)."""
        _, spread = _mean_and_spread(pixels)
        return cls(pixels.mean(dim=(1, 2, 3), keepdim=True), spread.square().mean(1, keepdim=True).sqrt())

    def hold(self, pixels: Tensor) -> Tensor:
        """The same pictures with this mean and spread; each colour's mean within `CAST` spreads of it."""
        mean, spread = _mean_and_spread(pixels)  # (N, 3, 1, 1)
        spread = spread.square().mean(1, keepdim=True).sqrt()  # (N, 1, 1, 1)
        cast = mean - mean.mean(1, keepdim=True)
        most = CAST * self.spread / cast.abs().amax(1, keepdim=True).clamp_min(1e-12)  # the hue stays, and so does the light
        gain = torch.where((spread > 1e-6) & (self.spread > 1e-6), self.spread / spread.clamp_min(1e-6), torch.ones_like(spread))
        return torch.addcmul(self.mean + cast * most.clamp_max(1) - mean * gain, pixels, gain)


def _mean_and_spread(pixels: Tensor) -> tuple[Tensor, Tensor]:
    mean = pixels.mean(dim=(2, 3), keepdim=True)  # (N, 3, 1, 1)
    spread = (pixels - mean).square().mean(dim=(2, 3), keepdim=True).sqrt()  # ten times as fast as torch.std
    return mean, spread


@lru_cache(maxsize=512)
def friendly(size: int) -> int:
    """The smallest number from `size` on without prime factors above 5."""
    while True:
        rest = size
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return size
        size += 1
