"""What a picture looks like at a glance, as numbers that can be compared."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.judging.scores.likeness import Look
from reverie.pictures import LIGHT, resize

_SIDE = 32  # pixels to which a picture is brought, its shape not kept
_SPREAD = 3.0  # pixels, of the window in which a contrast is local
_FAINT = 0.03  # of the light from black to white: contrasts that are less count for less


def look(pixels: Tensor) -> Look:
    """(3, H, W) in 0..1 → (3072,): at 32×32 pixels the light, and red and blue apart from it, each without its mean around a place and
    divided by its deviation there.

    So even light does not count, nor how strong a contrast is, but where it is; and a colour counts as much as light and dark. It is the
    numerator of structural similarity, as numbers of one picture: a folder of thousands can be compared by products.
    """
    small = resize(pixels, _SIDE, _SIDE)
    light = torch.einsum("c,chw->hw", torch.tensor(LIGHT), small)
    planes = torch.stack([light, small[0] - light, small[2] - light])  # (3, 32, 32)
    mean = _around(planes)
    spread = (_around(planes.square()) - mean.square()).clamp_min(0)
    found: Look = ((planes - mean) / (spread + _FAINT**2).sqrt()).flatten().half().numpy()
    return found


def _around(planes: Tensor) -> Tensor:
    """(3, H, W) → the same shape: the Gaussian mean around each place."""
    reach = round(3 * _SPREAD)
    weights = torch.exp(-torch.arange(-reach, reach + 1).square() / (2 * _SPREAD**2))
    weights = weights / weights.sum()
    wide = F.pad(planes[:, None], (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(wide, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))[:, 0]
