"""Pictures at another size. Large ones are made window by window, in bounded memory, with the same result."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.pictures.disk_backed import room

_WHOLE = 1 << 23  # pixels, before or after, up to which it is done in one go
_WINDOW = 512  # side of what is made at once of a larger one
_CUBIC = -0.5  # Keys' cubic convolution (1981), as torch takes it where it filters


def resize(pixels: Tensor, height: int, width: int) -> Tensor:
    """(C, H, W) or (N, C, H, W) at another size: bicubic, filtered when it shrinks, kept in 0..1."""
    if pixels.shape[-2:] == (height, width):
        return pixels
    batch = pixels if pixels.dim() == 4 else pixels[None]
    result = resample(batch, height, width).clamp_(0, 1)
    return result if pixels.dim() == 4 else result[0]


def resample(values: Tensor, height: int, width: int) -> Tensor:
    """(N, C, H, W) of any range at another size: bicubic, filtered when it shrinks."""
    if max(height * width, values.shape[-2] * values.shape[-1]) <= _WHOLE:
        return F.interpolate(values, (height, width), mode="bicubic", antialias=True, align_corners=False)
    result = room(*values.shape[:2], height, width)
    columns = [_weights(values.shape[-1], width, left, min(left + _WINDOW, width)) for left in range(0, width, _WINDOW)]
    for top in range(0, height, _WINDOW):
        rows, first, last = _weights(values.shape[-2], height, top, min(top + _WINDOW, height))
        for number, (across, left, right) in enumerate(columns):
            window = values[..., first:last, left:right]  # (N, C, h, w)
            at = number * _WINDOW
            result[..., top : top + len(rows), at : at + len(across)] = rows @ window @ across.T
    return result


def _weights(old: int, new: int, begin: int, end: int) -> tuple[Tensor, int, int]:
    """How values `begin` to `end` of `new` are mixed from `old` ones: (end - begin, last - first), first, last."""
    scale = old / new
    wide = max(scale, 1.0)
    centre = scale * (torch.arange(begin, end, dtype=torch.float64) + 0.5)  # (n,)
    first = max(0, math.floor(float(centre[0]) - 2 * wide))
    last = min(old, math.ceil(float(centre[-1]) + 2 * wide) + 1)
    low = (centre - 2 * wide + 0.5).floor().clamp_min(0)
    high = (centre + 2 * wide + 0.5).floor().clamp_max(old)
    place = torch.arange(first, last, dtype=torch.float64)  # (m,)
    inside = (place >= low[:, None]) & (place < high[:, None])
    weights = torch.where(inside, _cubic((place + 0.5 - centre[:, None]) / wide), 0.0)  # (n, m)
    return (weights / weights.sum(1, keepdim=True)).float(), first, last


def _cubic(x: Tensor) -> Tensor:
    x = x.abs()
    near = ((_CUBIC + 2) * x - (_CUBIC + 3)) * x * x + 1
    far = ((_CUBIC * x - 5 * _CUBIC) * x + 8 * _CUBIC) * x - 4 * _CUBIC
    return torch.where(x <= 1, near, torch.where(x < 2, far, 0.0))
