"""The spectrum of photographs, measured: `python -m bench.spectrum` prints the numbers of src/reverie/canvas/natural.py.

Six colour photographs that scikit-image and scikit-learn carry, each cut to the largest square in its middle and left at its own
resolution, for a resized one would show the resampling filter. Colours decorrelated as at `vivid` 0, a Hann window, and the rms
amplitude around each of 24 wave numbers. Takes a second.
"""

from __future__ import annotations

import math

import torch
from skimage import data
from sklearn.datasets import load_sample_images
from torch import Tensor

from reverie.canvas.natural_statistics import root
from reverie.pictures import frequencies

LIGHT = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)
POINTS, MOST = 24, 128  # beyond 128 cycles per picture only one of the six has waves that its own grid has not weakened
MIDDLE = (4, 64)  # cycles per picture over which the exponent is fitted: neither the frame nor lens and JPEG tell there
TRUSTED = 0.7  # of the highest wave a photograph can hold; above it demosaicing and JPEG show


def photographs() -> dict[str, Tensor]:
    """(3, S, S) each, float64 in 0..1."""
    found = {name: getattr(data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket")}
    found |= dict(zip(("china", "flower"), load_sample_images().images, strict=True))
    return {name: square(torch.tensor(each).permute(2, 0, 1).double() / 255) for name, each in found.items()}


def square(pixels: Tensor) -> Tensor:
    """(3, H, W) → the largest square in its middle."""
    height, width = pixels.shape[1:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[:, top : top + side, left : left + side]


def amplitudes(planes: Tensor, points: Tensor) -> Tensor:
    """(C, S, S) → (C, points): rms amplitude of the waves around each wave number, the same for any S; NaN where none can be trusted."""
    side = planes.shape[-1]
    hann = torch.hann_window(side, dtype=torch.float64)
    window = hann[:, None] * hann[None]  # (S, S)
    window /= window.square().mean().sqrt()  # the energy that it takes away
    planes = planes - (planes * window).mean(dim=(1, 2), keepdim=True) / window.mean()  # else the mean's lobe covers the lowest waves
    power = torch.fft.rfft2(planes * window, norm="forward").abs().square().flatten(1)  # (C, S * (S/2+1))
    wave = (frequencies(side, side).double() * side).flatten()  # cycles per picture
    power, wave = power[:, wave > 0], wave[wave > 0]
    # a soft ring as wide as the points are apart. power * wave² is nearly flat, and 1 / wave² evens out how many waves there are in an
    # octave: neither end of a ring outweighs the other
    away = (wave[None] / points[:, None]).log() / (points[1] / points[0]).log()  # (points, waves)
    weight = (-0.5 * away.square()).exp() / wave.square()
    found: Tensor = ((power * wave.square()) @ weight.T / weight.sum(1)).sqrt() / points  # (C, points)
    found[:, points > TRUSTED * side / 2] = math.nan
    return found


def exponent(points: Tensor, amplitude: Tensor) -> float:
    """n of power ∝ 1/k^n over the middle waves."""
    middle = (points >= MIDDLE[0]) & (points <= MIDDLE[1])
    x, y = points[middle].log(), amplitude[middle].log()
    x = x - x.mean()
    return float(-2 * (x * y).sum() / x.square().sum())


def main() -> None:
    points = torch.logspace(0, math.log10(MOST), POINTS, dtype=torch.float64)
    inverse = torch.linalg.inv(root(0).double())
    logs, exponents = [], []
    for name, pixels in photographs().items():
        decorrelated = torch.einsum("ij,jhw->ihw", inverse, pixels)
        found = amplitudes(decorrelated, points)  # (3, points)
        light = amplitudes(torch.einsum("j,jhw->hw", LIGHT, pixels)[None], points)[0]
        exponents.append(exponent(points, light))
        print(f"# {name}: {pixels.shape[1]} px, power of light as 1/k^{exponents[-1]:.2f}")
        # a strong photograph must not count for more than a faint one
        logs.append(found.log() - light[points <= MIDDLE[1]].log().mean())
    each = torch.stack(logs)  # (photographs, 3, points)
    # the mean of the steps from point to point, for photographs that end early must leave no jump
    steps = each.diff(dim=2).nanmean(0)  # (3, points-1)
    table = torch.cat([each[:, :, :1].mean(0), each[:, :, :1].mean(0) + steps.cumsum(1)], 1)
    table = (table - table[:, 0].mean()).exp()
    print(f"EXPONENT = {sum(exponents) / len(exponents):.2f}  # {min(exponents):.2f} to {max(exponents):.2f}")
    print("SPECTRUM = (")
    for row in torch.cat([points[None], table]).T:
        print("    (" + ", ".join(f"{float(each):.4g}" for each in row) + "),")
    print(")")


if __name__ == "__main__":
    main()
