"""How light and contrast are held while a picture changes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reverie.pictures import averaged, mean_square

CAST = 0.7  # spreads by which a colour may be stronger or weaker than the light: as far as a photograph's goes


@dataclass(frozen=True, repr=False)
class Tone:
    """Mean and spread of each colour of each picture: (N, C, 1, 1)."""

    mean: Tensor
    spread: Tensor

    @classmethod
    def of(cls, pixels: Tensor) -> Tone:
        """Measured over (N, C, H, W)."""
        return cls(*_mean_and_spread(pixels))

    def correction(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Gain and offset that give pictures this mean and spread; of a flat one, which has no spread to scale, the mean alone."""
        mean, spread = _mean_and_spread(pixels)
        gain = torch.where(spread > 1e-6, self.spread / spread.clamp_min(1e-6), torch.ones_like(spread))
        gain = torch.where(self.spread > 1e-6, gain, torch.ones_like(gain))
        return gain, self.mean - mean * gain

    def hold(self, pixels: Tensor) -> Tensor:
        """The same pictures with this mean and spread."""
        gain, offset = self.correction(pixels)
        return torch.addcmul(offset, pixels, gain)


@dataclass(frozen=True, repr=False)
class LightTone:
    """Mean and spread of all colours together: (N, 1, 1, 1). A picture may take on a colour, up to a point."""

    mean: Tensor
    spread: Tensor

    @classmethod
    def of(cls, pixels: Tensor) -> LightTone:
        """Measured over (N, C, H, W)."""
        mean, spread = _mean_and_spread(pixels)
        return cls(mean.mean(1, keepdim=True), spread.square().mean(1, keepdim=True).sqrt())

    def correction(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Gain and offset that give pictures this mean and spread; each colour's mean within `CAST` spreads of it."""
        mean, spread = _mean_and_spread(pixels)  # (N, C, 1, 1)
        spread = spread.square().mean(1, keepdim=True).sqrt()  # (N, 1, 1, 1)
        cast = mean - mean.mean(1, keepdim=True)
        most = CAST * self.spread / cast.abs().amax(1, keepdim=True).clamp_min(1e-12)  # the hue stays, and so does the light
        gain = torch.where((spread > 1e-6) & (self.spread > 1e-6), self.spread / spread.clamp_min(1e-6), torch.ones_like(spread))
        return gain, self.mean + cast * most.clamp_max(1) - mean * gain

    def hold(self, pixels: Tensor) -> Tensor:
        """The same pictures with this mean and spread."""
        gain, offset = self.correction(pixels)
        return torch.addcmul(offset, pixels, gain)


def _mean_and_spread(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Of each colour of each picture (N, C, H, W): (N, C, 1, 1) each."""
    mean = averaged(lambda part: part.mean(dim=(2, 3), keepdim=True), pixels)
    return mean, averaged(lambda part: mean_square(part - mean), pixels).sqrt()  # many times as fast as torch.std
