"""Pictures turned, zoomed and shifted without blur, and the strength of their details."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.pictures.resizing import resample

_POLE = math.sqrt(3) - 2  # of the recursive filter that turns pixels into coefficients of cubic B-splines (Unser 1999)
_LEAST_SIDE = 4  # of the coarsest band, in pixels
_REACH = 12  # taps a side at which that filter has died away: 0.268^12 is 1e-7


def moved(pixels: Tensor, zoom: float = 1.0, angle: float = 0.0, right: float = 0.0, down: float = 0.0) -> Tensor:
    """A picture as it is after what it shows has moved, by cubic splines; beyond its borders it goes on mirrored.

    Splines keep fine detail that bicubic or bilinear sampling wears away when it is done again and again.

    Args:
        pixels: (C, H, W), each side at least 2.
        zoom: how much larger what it shows becomes, around the middle.
        angle: degrees by which it is turned clockwise around the middle.
        right, down: pixels by which it is shifted, after the rest.

    Returns:
        the same shape; values may lie slightly beyond those that went in.
    """
    if (zoom, angle, right, down) == (1, 0, 0, 0):
        return pixels
    height, width = pixels.shape[1:]
    turn = math.radians(angle)
    rows = torch.arange(height, dtype=torch.float32, device=pixels.device)[:, None] - (height - 1) / 2 - down  # (H, 1)
    columns = torch.arange(width, dtype=torch.float32, device=pixels.device)[None] - (width - 1) / 2 - right  # (1, W)
    x = (math.cos(turn) * columns + math.sin(turn) * rows) / zoom + (width - 1) / 2  # (H, W), in pixels of what went in
    y = (math.cos(turn) * rows - math.sin(turn) * columns) / zoom + (height - 1) / 2
    return _sampled(_coefficients(pixels), x, y)


def _coefficients(pixels: Tensor) -> Tensor:
    """(C, H, W): what cubic B-splines are weighed by to run through the pixels; mirrored at the borders."""
    values = pixels[:, None]  # (C, 1, H, W)
    for axis in (2, 3):
        reach = min(_REACH, values.shape[axis] - 1)
        taps = -6 * _POLE / (1 - _POLE**2) * _POLE ** torch.arange(-reach, reach + 1, device=pixels.device).abs().float()
        border, shape = ((0, 0, reach, reach), (1, 1, -1, 1)) if axis == 2 else ((reach, reach, 0, 0), (1, 1, 1, -1))
        values = F.conv2d(F.pad(values, border, mode="reflect"), (taps / taps.sum()).view(shape))
    return values[:, 0]


def _sampled(coefficients: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(C, H, W): the spline at places in pixels, (H, W) each, as four samples between neighbours (Sigg & Hadwiger 2005)."""
    height, width = coefficients.shape[1:]
    (left, right), (above, below) = _pairs(x), _pairs(y)
    result = torch.zeros_like(coefficients)
    for column, share in (left, right):
        for row, portion in (above, below):
            grid = torch.stack([2 * column / (width - 1) - 1, 2 * row / (height - 1) - 1], -1)[None]  # (1, H, W, 2)
            found = F.grid_sample(coefficients[None], grid, mode="bilinear", padding_mode="reflection", align_corners=True)[0]
            result += share * portion * found
    return result


def _pairs(place: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Of the four neighbours along one axis two pairs: where a linear sample stands for the pair, and what it counts."""
    floor = place.floor()
    f = place - floor
    weights = (1 - f) ** 3 / 6, (3 * f**3 - 6 * f**2 + 4) / 6, (-3 * f**3 + 3 * f**2 + 3 * f + 1) / 6, f**3 / 6
    first, second = weights[0] + weights[1], weights[2] + weights[3]
    return (floor - 1 + weights[1] / first, first), (floor + 1 + weights[3] / second, second)


def light(pixels: Tensor) -> Tensor:
    """(H, W): luminance of a picture (3, H, W), by Rec. 709's weights on its sRGB values."""
    return 0.2126 * pixels[0] + 0.7152 * pixels[1] + 0.0722 * pixels[2]


def bands(pixels: Tensor) -> list[Tensor]:
    """A picture (C, H, W) taken apart by the size of its details, each an octave (Burt & Adelson 1983): finest first; their sum is it."""
    height, width = pixels.shape[1:]
    parts: list[Tensor] = []
    rest, factor = pixels, 2
    while min(height, width) // factor >= _LEAST_SIDE:
        small = resample(pixels[None], round(height / factor), round(width / factor))
        coarse = resample(small, height, width)[0]
        parts.append(rest - coarse)
        rest, factor = coarse, 2 * factor
    return [*parts, rest]


def opponent(pixels: Tensor) -> Tensor:
    """(3, H, W): light, red minus light, blue minus light, of a picture of that shape. One of a single channel is its own light."""
    if len(pixels) == 1:
        return pixels
    luminance = light(pixels)
    return torch.stack([luminance, pixels[0] - luminance, pixels[2] - luminance])


def from_opponent(values: Tensor) -> Tensor:
    """The picture that `opponent` was given."""
    if len(values) == 1:
        return values
    red, blue = values[0] + values[1], values[0] + values[2]
    return torch.stack([red, (values[0] - 0.2126 * red - 0.0722 * blue) / 0.7152, blue])
