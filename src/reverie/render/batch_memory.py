"""How many pictures fit into memory together."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from reverie.networks import Network
from reverie.networks.prepared.device import free_memory

_SHARE = 0.8  # of the free memory that may be planned with
WASTE = 2.1  # times what is kept: what comes and goes, and what lies idle between while freed memory is held, as measured
_BESIDE = 40 * 4  # bytes a pixel, of three channels, for the picture, its spectrum, its gradient and their copies


def fitting(count: int, network: Network, wanted: Iterable[str], height: int, width: int) -> int:
    """The largest number of pictures, up to `count`, that fit into memory together; at least 1.

    It is known before the ascent begins: a batch is part of the recipe, and must not depend on what happens on the way.
    """
    if count < 2:
        return count
    each = (WASTE * bytes_per_pixel(network, wanted) + _BESIDE * max(3, network.channels) / 3) * height * width
    return max(1, min(count, int(_SHARE * free_memory(network.device) / each)))


def bytes_per_pixel(network: Network, wanted: Iterable[str]) -> float:
    """What a pass keeps for its gradient, in bytes for each pixel of the picture, as counted in one at the native size.

    Args:
        wanted: layers that are looked at.
    """
    prepared = network.prepare(dict.fromkeys(wanted))
    own = {each.untyped_storage().data_ptr() for each in prepared.module.parameters()}
    kept: dict[int, int] = {}  # bytes of each block of memory, by its address

    def count(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor  # which keeps it, so that no other comes to lie at its address

    picture = torch.full((1, network.channels, *network.size), 0.5, device=network.device, requires_grad=True)
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        seen = prepared(picture)
    del seen
    return sum(kept.values()) / (network.size[0] * network.size[1])
