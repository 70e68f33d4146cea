"""Pictures and maps as data URIs: pictures in WebP, maps as small PNGs that lie over a picture."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from reverie.pictures import LIGHT, quantise, resample, resize

RGB = tuple[int, int, int]

FAINT, BRIGHT = (255, 150, 40), (255, 236, 130)  # of what a channel noticed, from a little to most
FOR, AGAINST = (74, 178, 255), (255, 128, 64)  # blue and orange: told apart by colour-blind eyes
OPAQUE = 225  # of 255: the photograph still shows through
STEPS = 48  # shades of a map on either side of nothing
FINEST, COARSEST = 112, 64  # cells on the longer side of a map


@dataclass(frozen=True)
class Shot:
    """A picture as a data URI, and its size in pixels."""

    uri: str
    width: int
    height: int


def photo(pixels: Tensor, longest: int, quality: int) -> Shot:
    """(3, H, W) in 0..1 as WebP, brought down so that no side is longer than `longest`."""
    fitted = _fitted(pixels.detach().float().cpu(), longest)  # (3, H', W')
    image = Image.fromarray(quantise(fitted))
    return Shot(_uri(image, "webp", quality=quality, method=4), image.width, image.height)


def quiet(pixels: Tensor, longest: int, quality: int) -> Shot:
    """The same in grey, dark and of little contrast: the ground on which maps are read."""
    fitted = _fitted(pixels.detach().float().cpu(), longest)
    grey = (fitted * fitted.new_tensor(LIGHT)[:, None, None]).sum(0, keepdim=True)  # (1, H', W')
    return photo((0.06 + 0.62 * grey).expand(3, -1, -1), longest, quality)


def heat(values: Tensor, top: float) -> str:
    """(h, w) in spreads above usual → a PNG over the picture: nothing at 0 and below, brightest at `top`."""
    return _uri(_painted(values.clamp_min(0) / max(top, 1e-12), (FAINT, BRIGHT), (FAINT, BRIGHT), 1.3), "png", optimize=True)


def counted(places: Tensor) -> str:
    """(h, w), signed → a PNG over the picture: blue where it spoke for, orange where against, clear at 0."""
    values = places.detach().float().cpu()
    top = float(values.abs().max()) if values.numel() else 0.0
    return _uri(_painted(values / max(top, 1e-12), (FOR, FOR), (AGAINST, AGAINST), 0.8), "png", optimize=True)


def coarse(values: Tensor, longest: int, *, adding: bool = False) -> Tensor:
    """(h, w) on a grid of at most `longest` cells a side: each cell the largest value it covers, or their sum."""
    height, width = values.shape
    most = max(height, width)
    if most <= longest:
        return values
    size = (max(1, round(height * longest / most)), max(1, round(width * longest / most)))
    if adding:
        return F.adaptive_avg_pool2d(values[None, None], size)[0, 0] * (height * width / (size[0] * size[1]))
    return F.adaptive_max_pool2d(values[None, None], size)[0, 0]


def packed(values: Tensor, low: int, high: int) -> str:
    """Whole numbers (h, w) within low..high, at most 256 of them, as base64, a byte each: the number less `low`, row by row."""
    numbers = values.round().clamp(low, high).sub(low).to(torch.uint8)
    return b64encode(numbers.contiguous().numpy().tobytes()).decode("ascii")


def _fitted(pixels: Tensor, longest: int) -> Tensor:
    _, height, width = pixels.shape
    scale = min(1.0, longest / max(height, width))
    return resize(pixels, max(1, round(height * scale)), max(1, round(width * scale)))


def _painted(values: Tensor, positive: tuple[RGB, RGB], negative: tuple[RGB, RGB], power: float) -> Image.Image:
    """(h, w) in −1..1 → an image with a palette, index 0 clear; a coarse grid is smoothed, a fine one keeps its peaks."""
    clean = torch.nan_to_num(values.detach().float().cpu()).clamp(-1, 1)
    if max(clean.shape) > FINEST:
        clean = torch.where(coarse(clean, FINEST) >= coarse(-clean, FINEST), coarse(clean, FINEST), -coarse(-clean, FINEST))
    elif max(clean.shape) < COARSEST:
        times = -(-COARSEST // max(clean.shape))
        clean = resample(clean[None, None], clean.shape[0] * times, clean.shape[1] * times)[0, 0].clamp(-1, 1)
    shades = (clean * STEPS).round().to(torch.int64)  # (h', w') in −STEPS..STEPS
    indices = torch.where(shades < 0, STEPS - shades, shades)  # 1..STEPS for, above it against
    image = Image.fromarray(indices.to(torch.uint8).numpy())
    palette, clear = [*FAINT], [0]
    for low, high in (positive, negative):
        for step in range(1, STEPS + 1):
            palette += [round(a + (b - a) * step / STEPS) for a, b in zip(low, high, strict=True)]
            clear.append(round(OPAQUE * (step / STEPS) ** power))
    image.putpalette(palette)
    image.info["transparency"] = bytes(clear)
    return image


def _uri(image: Image.Image, kind: str, **options: Any) -> str:
    out = BytesIO()
    image.save(out, kind.upper(), **options)
    return f"data:image/{kind};base64,{b64encode(out.getvalue()).decode('ascii')}"
