"""Colours as they go together in photographs."""

from __future__ import annotations

import torch
from torch import Tensor

from reverie.pictures import LIGHT

# covariance of the colours of ImageNet's photographs (measured by the authors of Lucid; Olah et al. 2017), of mean variance 1
PHOTOGRAPHS = torch.tensor([[0.9781, 0.8895, 0.8059], [0.8895, 0.9692, 0.9177], [0.8059, 0.9177, 1.0527]])


def together(vivid: float, channels: int = 3) -> Tensor:
    """(C, C): the covariance along which channels change. Of three colours that of photographs at 0, each colour by itself at 1; of other
    numbers of channels, of which photographs say nothing, each by itself."""
    if channels != 3:
        return torch.eye(channels)
    return (1 - vivid) * PHOTOGRAPHS + vivid * torch.eye(3)


def keep_colour(dream: Tensor, start: Tensor) -> Tensor:
    """Light and dark of `dream`, colours of `start`; both (3, H, W) in 0..1. In YCbCr (BT.601)."""
    weights = torch.tensor(LIGHT).view(3, 1, 1)
    light = (dream * weights).sum(0, keepdim=True)  # (1, H, W)
    own = (start * weights).sum(0, keepdim=True)  # (1, H, W)
    return (start - own + light).clamp(0, 1)
