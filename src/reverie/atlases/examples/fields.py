"""How much of a picture a unit really looks at: the effective receptive field (Luo et al. 2016), measured by the gradient."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from reverie.networks import Network
from reverie.pictures.torch_modes import ordinary_modes

_SHARE = 0.8  # of the gradient's magnitude that lies inside


def effective_fields(network: Network, layers: Sequence[str], pictures: Tensor) -> dict[str, float]:
    """By layer the side of the square around a place that holds most of what moves its values there, as a share of the picture's side.

    Args:
        layers: names. pictures: (N, C, H, W) in 0..1, at the native size: photographs, or noise for want of them.
    """
    found: dict[str, float] = {}
    for name in layers:
        ready = network.prepare([name])
        with ordinary_modes(), torch.enable_grad():
            x = pictures.to(network.device).clone().requires_grad_(True)
            seen = ready(x)[name]  # (N, C, h, w)
            row, column = seen.shape[2] // 2, seen.shape[3] // 2
            (gradient,) = torch.autograd.grad(seen[:, :, row, column].abs().sum(), x, allow_unused=True)
        if gradient is None or not torch.isfinite(gradient).all():
            found[name] = 1.0
            continue
        energy = gradient.abs().sum((0, 1)).cpu()  # (H, W)
        height, width = energy.shape
        middle = ((row + 0.5) / seen.shape[2] * height, (column + 0.5) / seen.shape[3] * width)
        found[name] = _side(energy, middle)
    return found


def _side(energy: Tensor, middle: tuple[float, float]) -> float:
    height, width = energy.shape
    away = torch.maximum(
        (torch.arange(height) + 0.5 - middle[0]).abs()[:, None] / height, (torch.arange(width) + 0.5 - middle[1]).abs()[None] / width
    ).flatten()  # shares of a side
    order = away.argsort()
    held = energy.flatten()[order].cumsum(0)
    if held[-1] <= 0:
        return 1.0
    return min(1.0, 2 * float(away[order][int((held >= _SHARE * held[-1]).float().argmax())]))
