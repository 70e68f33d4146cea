"""Noise to begin with, and the waves that pictures are made of."""

from __future__ import annotations

import torch
from torch import Tensor

from reverie.recipe import Noise

MEAN, SPREAD = 0.47, 0.23  # of the light of photographs
_SMALL = 1 << 19  # pixels


def noise(kind: Noise, height: int, width: int, generator: torch.Generator, channels: int = 3) -> Tensor:
    """(C, H, W) in 0..1. White: every value by itself. Grey: faint noise around middle grey. Pink: 1/f, as strong at every scale.

    Grey has mean 0.5 and spread 0.01; pink has those of photographs, 0.47 and 0.23, and three colours go together as in photographs. Other
    numbers of channels have nothing in common.
    """
    if kind == "white":
        return torch.rand(channels, height, width, generator=generator)
    normal = torch.randn(channels, height, width, generator=generator)
    if kind == "grey":
        return (0.5 + 0.01 * normal).clamp(0, 1)
    if height * width == 1:
        return torch.full((channels, 1, 1), MEAN)
    spectrum = torch.fft.rfft2(normal)  # (C, H, W/2+1)
    spectrum /= frequencies(height, width).clamp_min(1 / max(height, width))
    spectrum[:, 0, 0] = 0
    pink = torch.fft.irfft2(spectrum, s=(height, width))
    mixed = pink / pink.std(dim=(1, 2), keepdim=True).clamp_min(1e-12)  # (C, H, W)
    if channels == 3:
        light, *colour = mixed
        mixed = torch.stack([light + 0.35 * colour[0], light - 0.2 * colour[0] + 0.2 * colour[1], light - 0.35 * colour[1]])
    found: Tensor = (MEAN + SPREAD * mixed / mixed.std()).clamp(0, 1)
    return found


def frequencies(height: int, width: int) -> Tensor:
    """(H, W//2+1): cycles per pixel of each coefficient of `rfft2`."""
    vertical = torch.fft.fftfreq(height)[:, None]
    horizontal = torch.fft.rfftfreq(width)[None]
    return torch.hypot(vertical, horizontal)


def rfft2(pictures: Tensor, size: tuple[int, int], norm: str = "backward") -> Tensor:
    """(…, H, W) → (…, H', W'//2+1): `torch.fft.rfft2` at a size (H', W') of at least theirs.

    On a CPU it lets threads share small planes, where they wait for each other longer than they compute; these go one side after the other.
    """
    found: Tensor
    if pictures.is_cpu and size[0] * size[1] <= _SMALL:
        found = torch.fft.fft(torch.fft.rfft(pictures, n=size[1], norm=norm), n=size[0], dim=-2, norm=norm)
    else:
        found = torch.fft.rfft2(pictures, s=size, norm=norm)
    return found


def irfft2(waves: Tensor, size: tuple[int, int], norm: str = "backward") -> Tensor:
    """(…, H, W//2+1) → (…, H, W): `torch.fft.irfft2`; its gradient goes as `rfft2` does."""
    found: Tensor
    if waves.is_cpu and size[0] * size[1] <= _SMALL:
        found = torch.fft.irfft(torch.fft.ifft(waves, dim=-2, norm=norm), n=size[1], norm=norm)
    else:
        found = torch.fft.irfft2(waves, s=size, norm=norm)
    return found
