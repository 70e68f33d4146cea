"""How alike two pictures are to the eye."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_SIDE, _SPREAD = 11, 1.5  # of the window, in pixels, as its authors have it
_LOW, _HIGH = 0.01**2, 0.03**2


def similarity(one: Tensor, other: Tensor) -> float:
    """Structural similarity (SSIM; Wang, Bovik, Sheikh & Simoncelli 2004), mean over places and colours: −1..1, and 1 of equal ones.

    Both (C, H, W) in 0..1, of the same shape. A picture narrower than the window of 11 pixels is compared within smaller ones.
    """
    height, width = one.shape[1:]
    kernels = [_gaussian(min(_SIDE, side - (side + 1) % 2)) for side in (height, width)]

    def mean(values: Tensor) -> Tensor:  # (C, 1, H, W) → (C, 1, H', W')
        return F.conv2d(F.conv2d(values, kernels[0].view(1, 1, -1, 1)), kernels[1].view(1, 1, 1, -1))

    x, y = one.detach().double().cpu()[:, None], other.detach().double().cpu()[:, None]  # (C, 1, H, W)
    x_mean, y_mean = mean(x), mean(y)
    x_power, y_power, both = mean(x * x) - x_mean.square(), mean(y * y) - y_mean.square(), mean(x * y) - x_mean * y_mean
    light = (2 * x_mean * y_mean + _LOW) / (x_mean.square() + y_mean.square() + _LOW)
    return float((light * (2 * both + _HIGH) / (x_power + y_power + _HIGH)).mean())


def _gaussian(side: int) -> Tensor:
    places = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
    weights = torch.exp(-places.square() / (2 * _SPREAD**2))
    return weights / weights.sum()
