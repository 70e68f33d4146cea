"""Colours as they go together in photographs."""

from __future__ import annotations

import torch
from torch import Tensor

# covariance of the colours of ImageNet's photographs (measured by the authors of Lucid; Olah et al. 2017), of mean variance 1
PHOTOGRAPHS = torch.tensor([[0.9781, 0.8895, 0.8059], [0.8895, 0.9692, 0.9177], [0.8059, 0.9177, 1.0527]])


def together(vivid: float) -> Tensor:
    """(3, 3): the covariance along which colours change: that of photographs at 0, each colour by itself at 1."""
    return (1 - vivid) * PHOTOGRAPHS + vivid * torch.eye(3)


def keep_colour(dream: Tensor, start: Tensor) -> Tensor:
    """Light and dark of `dream`, colours of `start`; both (3, H, W) in 0..1. In YCbCr (BT.601)."""
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    light = (dream * weights).sum(0, keepdim=True)  # (1, H, W)
    own = (start * weights).sum(0, keepdim=True)  # (1, H, W)
    return (start - own + light).clamp(0, 1)
