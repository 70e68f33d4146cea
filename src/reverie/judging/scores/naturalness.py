"""How natural a picture's light, colours and spectrum are: how far they lie from those of photographs, beside how far photographs lie."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import torch
from torch import Tensor

from reverie.pictures import LIGHT, resize

SIDE = 224  # pixels of the shorter side at which it is looked at
PARTS: dict[str, tuple[str, ...]] = {
    "light": ("mean", "contrast"),
    "colours": ("chroma", "correlation"),
    "spectrum": ("slope", "residual"),
}
MEASURES = tuple(name for names in PARTS.values() for name in names)
_LONGEST = 1024  # pixels of the longer side: a picture that is a line would else be millions
_FAINT = 0.01  # of the light from black to white: what is less is none
_GREY = 0.001  # the same, in all channels alike
_ALIKE = 0.999  # correlation of channels; more is that of grey pictures
_WAVES = (3.0, 80.0)  # cycles along the shorter side, from the lowest that is no part of the frame to the highest that resizing leaves
_BANDS = 12


def natural(pixels: Tensor) -> dict[str, float]:
    """`naturalness`, and of each part `natural light`, `natural colours`, `natural spectrum`: 0..1, and 1 is as photographs are.

    Args:
        pixels: (3, H, W) in 0..1, of any size.
    """
    return compared(measures(pixels), photographs())


def measures(pixels: Tensor) -> tuple[float, ...]:
    """What is compared, in the order of `MEASURES`, of a picture (3, H, W) in 0..1 whose shorter side is brought to 224 pixels.

    Mean of its light, 0..1, and logarithm of its standard deviation; logarithm of the root mean square of what its colours are apart from
    grey, and mean correlation of two of its channels, by Fisher's transform; slope of the logarithm of its light's amplitude over that of
    the wave number, from 3 to 80 cycles along the shorter side, and logarithm of what is left of it about that line (Field 1987).
    """
    scale = SIDE / min(pixels.shape[1:])
    height, width = (min(max(SIDE, round(side * scale)), _LONGEST) for side in pixels.shape[1:])
    seen = resize(pixels, height, width).double()
    light = torch.einsum("c,chw->hw", torch.tensor(LIGHT).double(), seen)
    apart = (seen - light).square().mean().sqrt()
    slope, residual = _line(light)
    faint = [math.log(float(each) + _FAINT) for each in (light.std(), apart, residual)]
    return float(light.mean()), faint[0], faint[1], _correlation(seen), slope, faint[2]


def compared(found: Sequence[float], usual: Mapping[str, Any]) -> dict[str, float]:
    """The scores of measures beside the mean and covariance of those of photographs.

    Of the distance in their own spreads (Mahalanobis 1936): 1 as far as the root mean square of photographs, beyond it as its inverse, so
    that one twice as far away has 1/2.
    """
    mean, covariance = (torch.tensor(usual[name]).double() for name in ("mean", "covariance"))
    away = torch.tensor(found).double() - mean  # (M,)
    scores = {}
    for name, wanted in {"naturalness": MEASURES, **{f"natural {part}": names for part, names in PARTS.items()}}.items():
        rows = torch.tensor([MEASURES.index(each) for each in wanted])
        distance = away[rows] @ torch.linalg.solve(covariance[rows][:, rows], away[rows])
        scores[name] = 1 / max(1.0, math.sqrt(float(distance) / len(rows)))
    return scores


@cache
def photographs() -> Mapping[str, Any]:
    """`mean` (M,) and `covariance` (M, M) of the measures over `photographs`, their names: `python -m bench.scores --write`."""
    found: dict[str, Any] = json.loads((resources.files("reverie.judging.scores") / "measured" / "natural.json").read_text("utf-8"))
    return found


def _correlation(seen: Tensor) -> float:
    """Of the channels (3, H, W), two and two, on average, by Fisher's transform; grey pictures have 1, and so have flat ones."""
    flat = seen.flatten(1)
    away = flat - flat.mean(1, keepdim=True)
    spread = (flat.var(1, correction=0) + _GREY**2).sqrt()  # (3,)
    found = (away @ away.T / flat.shape[1] + _GREY**2) / spread.outer(spread)  # (3, 3)
    mean = float(found[0, 1] + found[0, 2] + found[1, 2]) / 3
    return math.atanh(min(max(mean, -_ALIKE), _ALIKE))


def _line(light: Tensor) -> tuple[float, float]:
    """Slope of the spectrum of light (H, W) and what is left about it, a root mean square of natural logarithms."""
    height, width = light.shape
    window = torch.outer(*(torch.hann_window(side, periodic=False).double() for side in (height, width)))
    power = torch.fft.rfft2((light - light.mean()) * window, norm="ortho").abs().square()
    down, across = (each * min(height, width) for each in (torch.fft.fftfreq(height).double(), torch.fft.rfftfreq(width).double()))
    wave = torch.hypot(down[:, None], across[None])
    bounds = torch.logspace(math.log10(_WAVES[0]), math.log10(_WAVES[1]), _BANDS + 1).double()
    place = torch.bucketize(wave, bounds)  # 1 to _BANDS inside
    counts = torch.bincount(place.flatten(), minlength=_BANDS + 2)[1:-1]
    sums = torch.bincount(place.flatten(), power.flatten(), minlength=_BANDS + 2)[1:-1]
    height_of = 0.5 * (sums / counts + 1e-9).log()
    x = (bounds[:-1] * bounds[1:]).log() / 2
    x = x - x.mean()
    slope = (x * height_of).sum() / x.square().sum()
    left = height_of - height_of.mean() - slope * x
    return float(slope), float(left.square().mean().sqrt())
