"""Film a balloon that drifts before clouds, so that there is a film to dream on: python examples/balloon.py balloon.gif [seconds]"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sky import Array, sky, smooth

RATE = 12.5  # frames a second
SIZE = (272, 480)  # height, width


def balloon(height: int, width: int, x: float, y: float, radius: float, turn: float) -> tuple[Array, Array]:
    """A striped balloon with its basket: colours (H, W, 3) and how much of each pixel it covers (H, W), both in 0..1."""
    rows, columns = np.mgrid[:height, :width].astype(float)
    across, down = (columns - x) / radius, (rows - y) / radius
    narrow = np.clip(1 - 0.45 * smooth(0.2, 1.3, down), 0.1, 1)  # it tapers to the basket
    inside = across**2 / narrow**2 + (down / 1.2) ** 2
    round_ = np.sqrt(np.clip(1 - inside, 0, 1))  # how much it faces us
    angle = np.arctan2(across / narrow, round_ + 1e-3) + turn
    stripes = smooth(-0.15, 0.15, np.sin(6 * angle))[..., None]  # (H, W, 1)
    colour = stripes * np.array([0.82, 0.16, 0.12]) + (1 - stripes) * np.array([0.95, 0.85, 0.55])
    light = 0.45 + 0.55 * np.clip(0.6 * round_ - 0.35 * across - 0.35 * down + 0.25, 0, 1)
    cover = smooth(0, 3 / radius, 1 - inside)
    basket = smooth(0, 2 / radius, 0.14 - np.abs(across)) * smooth(0, 2 / radius, 0.12 - np.abs(down - 1.55))
    ropes = smooth(0, 1.5 / radius, 0.02 - np.abs(np.abs(across) - 0.13)) * (np.abs(down - 1.3) < 0.2)
    colour = np.where((basket + ropes > cover)[..., None], np.array([0.36, 0.24, 0.14]), colour * light[..., None])
    return colour, np.clip(np.maximum(cover, np.maximum(basket, ropes)), 0, 1)


def film(seconds: float) -> list[Image.Image]:
    height, width = SIZE
    ground = np.asarray(Image.fromarray(sky()).resize((width * 3 // 2, height * 3 // 2), Image.Resampling.LANCZOS)) / 255.0
    frames = []
    count = max(2, round(seconds * RATE))
    for number in range(count):
        part = number / (count - 1)
        left, top = 0.25 * width * part, 0.2 * height * (1 - 0.3 * part)
        box = (left, top, left + 1.15 * width, top + 1.15 * height)
        seen = Image.fromarray((ground * 255).astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC, box)
        colour, cover = balloon(height, width, width * (0.12 + 0.7 * part), height * (0.52 - 0.2 * part), height * 0.2, 2.2 * part)
        whole = np.asarray(seen) / 255.0 * (1 - cover[..., None]) + colour * cover[..., None]
        frames.append(Image.fromarray((whole * 255).round().astype(np.uint8)))
    return frames


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else "balloon.gif")
    made = film(float(sys.argv[2]) if len(sys.argv) > 2 else 4.0)
    made[0].save(place, save_all=True, append_images=made[1:], duration=round(1000 / RATE), loop=0)
    print(place)
