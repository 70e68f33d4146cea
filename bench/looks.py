"""How pictures look, whatever they show: spectrum, contrast, colour, and how far what networks see in them is from photographs."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.spectrum import LIGHT
from reverie.networks import Network
from reverie.pictures import resize

DEPTHS = ("blocks.2.1", "blocks.6.0")  # of the judges: where textures are seen, and the last block
LEAST_WAVE, BINS = 4, 16  # cycles per picture, and parts of the way from there to the highest frequency


def looks(judges: dict[str, Network], pixels: Tensor) -> dict[str, Any]:
    """How a picture (3, H, W) looks, whatever it shows.

    Returns:
        features: for each judge and depth the mean of each channel, (C,) each. slope: of its spectrum, None if it is flat.
        contrast: the standard deviation of its light. colour: the root mean square of what its channels differ by from their mean.
    """
    plane = light(pixels)
    slope: float | None = spectrum(plane)[0]
    with torch.no_grad():
        seen = {name: net.prepare(DEPTHS)(resize(pixels, *net.size)[None]) for name, net in judges.items()}
    colour = (pixels - pixels.mean(0)).square().mean().sqrt()
    features = {name: {depth: each[depth][0].mean((1, 2)).tolist() for depth in DEPTHS} for name, each in seen.items()}
    slope = None if slope is None or math.isnan(slope) else slope
    return {"features": features, "slope": slope, "contrast": float(plane.std()), "colour": float(colour)}


def light(pixels: Tensor) -> Tensor:
    """(3, H, W) → (H, W)."""
    return torch.einsum("c,chw->hw", LIGHT, pixels.double())


def spectrum(plane: Tensor) -> tuple[float, float]:
    """Slope and start, at 1 cycle per picture, of log power against log frequency in a square plane (S, S); NaN if it is flat.

    Hann window; the mean power of the waves in each of 16 rings that divide the logarithm of frequency evenly from 4 cycles per picture
    to the highest frequency; a straight line through them, every ring counting alike.
    """
    side = plane.shape[-1]
    hann = torch.hann_window(side, dtype=torch.float64)
    window = hann[:, None] * hann[None]  # (S, S)
    even = plane.double() - (plane * window).sum() / window.sum()
    power = torch.fft.fft2(even * window).abs().square()  # (S, S)
    waves = torch.fft.fftfreq(side, dtype=torch.float64) * side
    wave = torch.hypot(waves[:, None], waves[None])  # (S, S), cycles per picture
    edges = torch.logspace(math.log10(LEAST_WAVE), math.log10(side / 2), BINS + 1, dtype=torch.float64)
    rings = [(wave >= least) & (wave < most) for least, most in pairwise(edges.tolist())]
    points = [(float(wave[ring].log().mean()), float(power[ring].mean())) for ring in rings if ring.any()]
    if len(points) < 2 or min(strength for _, strength in points) < 1e-12:
        return math.nan, math.nan
    slope, start = np.polyfit([x for x, _ in points], [math.log(strength) for _, strength in points], 1)
    return float(slope), float(start)


def distance(here: Tensor, there: Tensor) -> float:
    """How far two sets of features (N, C) and (M, C) are apart: the kernel distance of Binkowski et al. 2018, without bias.

    The square of the maximum mean discrepancy with the kernel (x·y / C + 1)³, each feature in units of its spread among `there`.
    It is about 0, above or below, for two draws of one kind.
    """
    mean, spread = there.mean(0), there.std(0).clamp_min(1e-6)  # (C,)
    one, other = ((each - mean) / spread for each in (here, there))
    own, theirs, across = (_kernel(*pair) for pair in ((one, one), (other, other), (one, other)))
    parts = [(each.sum() - each.diagonal().sum()) / (len(each) * (len(each) - 1)) for each in (own, theirs)]
    return float(parts[0] + parts[1] - 2 * across.mean())


def _kernel(one: Tensor, other: Tensor) -> Tensor:
    found: Tensor = (one @ other.T / one.shape[1] + 1).pow(3)
    return found


def interval(here: Tensor, there: Tensor, draws: int = 400) -> tuple[float, float, float]:
    """The distance, between the bounds in which it lies for 95 % of draws of two thirds of the pictures, drawn without replacement."""
    generator = torch.Generator().manual_seed(0)
    parts = [
        [each[torch.randperm(len(each), generator=generator)[: max(2, 2 * len(each) // 3)]] for each in (here, there)] for _ in range(draws)
    ]
    found = sorted(distance(*pair) for pair in parts)
    return found[draws // 40], distance(here, there), found[-draws // 40]
