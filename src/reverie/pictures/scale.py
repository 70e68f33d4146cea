"""Pictures at another size."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def resize(pixels: Tensor, height: int, width: int) -> Tensor:
    """(C, H, W) or (N, C, H, W) at another size: bicubic, filtered when it shrinks, kept in 0..1."""
    if pixels.shape[-2:] == (height, width):
        return pixels
    batch = pixels if pixels.dim() == 4 else pixels[None]
    result = resample(batch, height, width).clamp(0, 1)
    return result if pixels.dim() == 4 else result[0]


def resample(values: Tensor, height: int, width: int) -> Tensor:
    """(N, C, H, W) of any range at another size: bicubic, filtered when it shrinks."""
    return F.interpolate(values, (height, width), mode="bicubic", antialias=True, align_corners=False)
