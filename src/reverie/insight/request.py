"""What shall be looked at in which picture: layers, at which size, why which label; and how far it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from reverie.errors import UsageError
from reverie.networks import Layer, Network
from reverie.networks.channel_statistics import Usual
from reverie.pictures import Picture
from reverie.recipe.requests import Look
from reverie.recipe.running_requests import Machinery

_AREA = 1.5  # of the network's own, that the picture is looked at with
_MOST_LAYERS = 48  # of a network without blocks


@dataclass(frozen=True)
class Progress:
    """How far the looking is.

    Attributes:
        done: share of the work, 0..1.
        doing: what is being done, in words: `blocks.2.1: rebuilding`.
    """

    done: float
    doing: str


Watcher = Callable[[Progress], object]  # a true answer stops


@dataclass(frozen=True, repr=False)
class SeeRequest:
    """What shall be looked at.

    Attributes:
        network: open. picture: as it was handed in.
        layers: names, lowest first.
        size: (height, width) in pixels at which the network looks.
        usual: what is usual for these layers.
        why: the class to explain; None for none. against: the runner-up.
        choices: how many channels of each layer, how many steps of each rebuilding.
        seed: of the noise from which pictures are rebuilt.
        machinery: how many threads; whether what `redo` needs, and feature pictures, are kept in the cache.
        shown: channels that are looked at as red, green and blue; none of them for what is usual.
    """

    network: Network
    picture: Picture
    layers: tuple[str, ...]
    size: tuple[int, int]
    usual: Usual
    why: int | None = None
    against: int | None = None
    choices: Look = field(default_factory=Look)
    seed: int = 0
    machinery: Machinery = field(default_factory=Machinery)
    shown: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"SeeRequest({len(self.layers)} layers of {self.network.name} at {self.size[1]}×{self.size[0]})"


def blocks(network: Network) -> list[Layer]:
    """Every block of a network that is not part of another; of one without blocks, or with one that is nearly all of it, every convolution.

    Raises:
        UsageError: it has neither.
    """
    found = [each for each in network.layers if each.kind == "block"]
    found = [each for each in found if not any(each.name.startswith(f"{other.name}.") for other in found)]
    convolutions = [each for each in network.layers if each.kind in ("convolution", "depthwise")]
    if not found or (len(found) == 1 and len(convolutions) > 4):  # one that is nearly all of it, as in VGG
        found = convolutions[:_MOST_LAYERS]
    if not found:
        raise UsageError(f"{network.name} has no layer with places", "there is nothing in it that could be looked at")
    return found


def seen_size(picture: Picture, network: Network, width: int | None = None) -> tuple[int, int]:
    """(height, width) at which the network looks at a picture: its shape kept, the shorter side the network's own, a long one smaller.

    A network that takes one size alone gets that.
    """
    height, wide = picture.size
    factor = min(min(network.size) / min(height, wide), math.sqrt(_AREA * network.size[0] * network.size[1] / (height * wide)))
    if width is not None:
        factor = width / wide
    size = max(16, round(height * factor)), max(16, round(wide * factor))
    return size if is_seen_whole(network, size, network.layers[-1].name if network.layers else None) else network.size


def is_seen_whole(network: Network, size: tuple[int, int], layer: str | None) -> bool:
    """Whether a picture of this size, (height, width), is seen whole as far as this layer, not through windows of another size."""
    return network.prepare([] if layer is None else [layer]).sees_whole(size)
