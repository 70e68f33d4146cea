"""Parts of a picture as soft masks: its halves, its middle, its edges; and masks that follow the contours of a picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_SOFT = 0.24  # of a side over which a half ends
_INNER, _OUTER = 0.5, 0.95  # of half the sides: the ellipse up to which the middle counts fully, and that from which it does not
_FLAT = 1e-3  # variance of light up to which a contour is none: a spread of 8 grey levels


def region(name: str, height: int, width: int) -> Tensor:
    """(H, W) in 0..1, white in the part of this name: `top`, `bottom`, `left`, `right`, `centre` or `edges`."""
    down = ((torch.arange(height) + 0.5) / height)[:, None].expand(height, width)  # (H, W)
    across = ((torch.arange(width) + 0.5) / width)[None].expand(height, width)  # (H, W)
    if name in ("top", "bottom", "left", "right"):
        along = down if name in ("top", "bottom") else across
        first = 1 - smooth_step((along - 0.5) / _SOFT + 0.5)
        return first if name in ("top", "left") else 1 - first
    away = ((2 * down - 1).square() + (2 * across - 1).square()).sqrt()
    edges = smooth_step((away - _INNER) / (_OUTER - _INNER))
    return edges if name == "edges" else 1 - edges


def smooth_step(values: Tensor) -> Tensor:
    """0 up to 0, 1 from 1 on, and without a corner between."""
    inside = values.clamp(0, 1)
    return inside * inside * (3 - 2 * inside)


def along_contours(mask: Tensor, picture: Tensor, radius: int) -> Tensor:
    """A coarse mask (H, W) with the contours of a picture (C, H, W), by the guided filter of each channel (He, Sun & Tang 2010)."""
    guides, coarse = picture[:, None], mask[None, None].expand(len(picture), 1, -1, -1)  # (C, 1, H, W)
    guide_mean, coarse_mean = _box(guides, radius), _box(coarse, radius)
    together = _box(guides * coarse, radius) - guide_mean * coarse_mean
    slope = together / (_box(guides * guides, radius) - guide_mean.square() + _FLAT)
    offset = coarse_mean - slope * guide_mean
    return (_box(slope, radius) * guides + _box(offset, radius)).mean((0, 1))  # (H, W)


def parting(values: Tensor) -> float:
    """Between what is dark and what is light in (H, W) of 0..1, where it falls into two as clearly as it can (Otsu 1979)."""
    counts = torch.histc(values, 64, 0, 1)
    middles = (torch.arange(64) + 0.5) / 64
    below = counts.cumsum(0) / counts.sum()
    mean = (counts * middles).cumsum(0) / counts.sum()
    between = (mean[-1] * below - mean).square() / (below * (1 - below)).clamp_min(1e-9)
    return float(middles[between >= 0.9999 * between.max()].mean())


def _box(values: Tensor, radius: int) -> Tensor:
    """The mean of a square around each place of (C, 1, H, W); beyond the border it goes on as it ends."""
    side = 2 * radius + 1
    wide = F.avg_pool2d(F.pad(values, (radius, radius, 0, 0), mode="replicate"), (1, side), 1)
    return F.avg_pool2d(F.pad(wide, (0, 0, radius, radius), mode="replicate"), (side, 1), 1)
