"""Render a sky of clouds over hills, so that there is something to dream on: python examples/sky.py sky.png [seed]"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, Any]


def noise(height: int, width: int, power: float, rng: np.random.Generator) -> Array:
    """Noise whose amplitude falls as 1/f^power: (H, W) of mean 0 and spread 1."""
    spectrum = np.fft.rfft2(rng.standard_normal((height, width)))
    wave = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None] * width / height * 0.6)
    spectrum[0, 0] = 0
    wave[0, 0] = 1
    field: Array = np.fft.irfft2(spectrum / wave**power, s=(height, width))
    evened: Array = (field - field.mean()) / field.std()
    return evened


def smooth(low: float, high: float, values: Array) -> Array:
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def sky(height: int = 720, width: int = 1280, seed: int = 3) -> Array:
    """(H, W, 3) uint8: cumulus lit from the upper left, blue above, haze below, hills in front."""
    rng = np.random.default_rng(seed)
    down = np.linspace(0, 1, height)[:, None]  # (H, 1)
    air = (1 - down**0.8)[..., None] * np.array([0.16, 0.34, 0.66]) + (down**0.8)[..., None] * np.array([0.80, 0.84, 0.86])
    # clouds lie on a plane above: what is near the horizon is seen smaller
    plane = noise(height * 2, width * 2, 1.75, rng)  # (2H, 2W)
    depth = 0.35 / (1.12 - 0.86 * down)
    rows = np.clip((height * 1.9) * (1 - depth), 0, 2 * height - 1).astype(int).repeat(width, 1)  # (H, W)
    columns = ((np.arange(width)[None] - width / 2) * (0.45 + depth) + width).astype(int) % (2 * width)
    body = plane[rows, columns] + 0.16 * noise(height, width, 1.45, rng)
    cover = smooth(0.0, 1.1, body)  # (H, W)
    light = 0.5 + 0.5 * np.tanh(2.2 * (body - np.roll(body, (10, 14), (0, 1))) + 0.9 - 0.35 * smooth(0.6, 2.2, body))
    cloud = light[..., None] * np.array([1.0, 0.985, 0.95]) + (1 - light)[..., None] * np.array([0.46, 0.50, 0.60])
    picture = air * (1 - cover[..., None]) + cloud * cover[..., None]  # (H, W, 3)
    for near, (height_at, colour) in enumerate([(0.80, (0.45, 0.53, 0.55)), (0.86, (0.27, 0.38, 0.30)), (0.93, (0.16, 0.24, 0.13))]):
        ridge = height_at + 0.03 * noise(4, width, 1.6, rng)[1]  # (W,)
        grain = 1 + (0.05 + 0.09 * near) * noise(height, width, 0.9, rng)
        hill = smooth(0, 0.006, down - ridge[None])[..., None]
        picture = picture * (1 - hill) + np.array(colour) * grain[..., None] * hill
    shown: Array = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    return shown


if __name__ == "__main__":
    rendered = sky(seed=int(sys.argv[2]) if len(sys.argv) > 2 else 3)
    Image.fromarray(rendered).resize((640, 360), Image.Resampling.BOX).save(Path(sys.argv[1]))
