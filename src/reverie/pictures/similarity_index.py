"""How alike two pictures are to the eye."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.pictures.resizing import resize

_SIDE, _SPREAD = 11, 1.5  # of the window, in pixels, as its authors have it
_GLANCE = 24  # pixels of the shorter side: fine grain is gone, and main forms, places and colours are left
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


def similarity_at_a_glance(one: Tensor, other: Tensor) -> float:
    """The same of the two brought down to 24 pixels on their shorter side: whether they look alike, whatever became of their fine grain.

    Pixel by pixel a rebuilt picture whose hairs lie a little elsewhere is as unlike the first as one of an even grey.
    """
    height, width = one.shape[1:]
    scale = min(1.0, _GLANCE / min(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    return similarity(resize(one, *size), resize(other, *size))


def _gaussian(side: int) -> Tensor:
    places = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
    weights = torch.exp(-places.square() / (2 * _SPREAD**2))
    return weights / weights.sum()
