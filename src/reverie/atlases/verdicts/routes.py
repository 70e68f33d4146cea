"""What a picture leaves on the way to a unit: the channels of each layer below, where the unit looks.

A unit's photographs are alike where it looks, and nowhere else; so what is compared is the part of each layer that the unit sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reverie.networks import Network, Prepared
from reverie.pictures.torch_modes import ordinary_modes

Place = tuple[float, float]
"""Row and column, each 0..1 of the side."""
Left = dict[str, NDArray[np.float32]]
"""By layer, lowest first, (P, C): what is left around each place."""


@dataclass(frozen=True)
class Route:
    """The layers up to a unit's, lowest first, the last its own.

    Attributes:
        ready: gives them. cells: by layer how many of its places, along a side, count around the place of the unit.
    """

    ready: Prepared
    cells: Mapping[str, float]

    @property
    def last(self) -> str:
        return list(self.cells)[-1]


def route(network: Network, layers: Sequence[str], field: float) -> Route:
    """The way to the last of these layers.

    Args:
        layers: names, lowest first. field: the share of the picture's side that a unit of the last one looks at; of the layers between it
            looks at less and less, and of its own at one place.
    """
    steps = max(1, len(layers) - 1)
    cells = {name: max(1.0, field * network.layer(name)[2] * (1 - number / steps)) for number, name in enumerate(layers)}
    return Route(network.prepare(layers), cells)


def left_by(way: Route, pixels: Tensor, places: Sequence[Place] | None = None, channel: int | None = None) -> Left:
    """What a picture leaves on the way.

    Args:
        pixels: (C, H, W) in 0..1, at the size at which it is looked at. places: where; without them where `channel` answers most.
    """
    with ordinary_modes(), torch.no_grad():
        seen = way.ready(pixels[None].to(way.ready.device))
        if places is None:
            assert channel is not None
            places = [_strongest(seen[way.last][0, channel])]
        found = {}
        for name, cells in way.cells.items():
            maps = seen[name][0]  # (C, h, w)
            found[name] = torch.stack([_around(maps, place, cells) for place in places]).float().cpu().numpy()  # (P, C)
    return found


def random_places(number: int, count: int) -> list[Place]:
    """Places of a picture that are always the same for its number."""
    drawn = np.random.default_rng(number).random((count, 2))
    return [(float(row), float(column)) for row, column in drawn]


def joined(parts: Sequence[Left]) -> Left:
    """All places of several pictures."""
    return {name: np.concatenate([each[name] for each in parts]) for name in parts[0]} if parts else {}


def _strongest(answers: Tensor) -> Place:
    at = int(answers.flatten().argmax())
    height, width = answers.shape
    return (at // width + 0.5) / height, (at % width + 0.5) / width


def _around(maps: Tensor, place: Place, cells: float) -> Tensor:
    """(C,): the mean of (C, h, w) over a square around a place, cut off at the border."""
    rows, columns = (_span(share * side, cells, side) for share, side in zip(place, maps.shape[1:], strict=True))
    return maps[:, rows, columns].mean((1, 2))


def _span(middle: float, cells: float, side: int) -> slice:
    first = min(max(0, round(middle - cells / 2)), side - 1)
    return slice(first, max(first + 1, min(side, round(middle + cells / 2))))
