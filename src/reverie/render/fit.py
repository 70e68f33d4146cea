"""How many pictures fit into memory together."""

from __future__ import annotations

import torch
from torch import Tensor

from reverie.networks import Network
from reverie.networks.device import free_memory

_SHARE = 0.8  # of the free memory that may be planned with
_BESIDE = 40 * 4  # bytes a pixel for the picture, its spectrum, its gradient and their copies


def fitting(count: int, network: Network, wanted: list[str], height: int, width: int) -> int:
    """The largest number of pictures, up to `count`, that fit into memory together; at least 1.

    It is known before the ascent begins: a batch is part of the recipe, and must not depend on what happens on the way.
    """
    free = free_memory(network.device)
    if free is None or count < 2:
        return count
    each = (bytes_per_pixel(network, wanted) + _BESIDE) * height * width
    return max(1, min(count, int(_SHARE * free / each)))


def bytes_per_pixel(network: Network, wanted: list[str]) -> float:
    """What a pass keeps for its gradient, in bytes for each pixel of the picture, as counted in one at the native size."""
    kept: dict[tuple[int, int], int] = {}

    def count(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr(), tensor.untyped_storage().nbytes()] = tensor.untyped_storage().nbytes()
        return tensor

    picture = torch.full((1, network.channels, *network.size), 0.5, device=network.device, requires_grad=True)
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        seen = network.prepare(wanted)(picture)
    weights = sum(each.numel() * each.element_size() for each in network.module.parameters())
    del seen
    return max(0, sum(kept.values()) - weights) * 1.5 / (network.size[0] * network.size[1])  # half as much again for what comes and goes
