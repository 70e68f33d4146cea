"""How many pictures fit into memory together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from reverie.errors import OutputError, choice
from reverie.networks import Network
from reverie.networks.prepared.device import free_memory

_SHARE = 0.8  # of the free memory that may be planned with
WASTE = 2.1  # times what is kept: what comes and goes, and what lies idle between while freed memory is held, as measured
_LEAST = 1.6  # the same at the least, as measured: what asks for more than is free even so does not fit
_BESIDE = 40 * 4  # bytes a pixel, of three channels, for the picture, its spectrum, its gradient and their copies


def fitting(count: int, looked_at: Mapping[Network, tuple[Iterable[str], Iterable[str]]], height: int, width: int) -> int:
    """The largest number of pictures, up to `count`, that fit into memory together; at least 1.

    It is known before the ascent begins: a batch is part of the recipe, and must not depend on what happens on the way.

    Args:
        looked_at: of each network, all of which look in one pass, the layers, as `bytes_per_pixel` takes them.

    Raises:
        OutputError: not even one fits into the memory of this machine, where the system would end the program without a word.
    """
    network, pixels = next(iter(looked_at)), height * width
    kept = sum(bytes_per_pixel(each, *layers) for each, layers in looked_at.items())
    beside, free = _BESIDE * max(3, network.channels) / 3, free_memory(network.device)
    if network.device.type == "cpu" and (_LEAST * kept + beside) * pixels > free:
        side = int((_SHARE * free / (WASTE * kept + beside)) ** 0.5) // 16 * 16
        needed = (WASTE * kept + beside) * pixels
        fault = f"a picture of {width}×{height} needs {needed / 1e9:.0f} GB of memory, and {free / 1e9:.1f} are free"
        raise OutputError(fault, f"make it smaller: {choice('size', side)} fits" if side else "make it where more memory is free")
    return max(1, min(count, int(_SHARE * free / ((WASTE * kept + beside) * pixels))))


def bytes_per_pixel(network: Network, wanted: Iterable[str], usual: Iterable[str] = ()) -> float:
    """What a pass keeps for its gradient, in bytes for each pixel of the picture, as counted in one at the native size.

    Args:
        wanted: layers that are looked at.
        usual: those that are compared with usual pictures. What they give is kept too, and their gradients are there all at once, since
            the distance is one of all of them.
    """
    usual = list(usual)
    prepared = network.prepare(dict.fromkeys([*wanted, *usual]))
    own = {each.untyped_storage().data_ptr() for each in prepared.module.parameters()}
    kept: dict[int, int] = {}  # bytes of each block of memory, by its address

    def count(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor.detach()  # its memory is kept, so that no other comes to lie there; the tensor itself would keep its graph, for ever

    picture = torch.full((1, network.channels, *network.size), 0.5, device=network.device, requires_grad=True)
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        seen = prepared(picture)
    for name in usual:
        count(seen[name])
    gradients = sum(seen[name].nbytes for name in usual)
    return (sum(kept.values()) + gradients) / (network.size[0] * network.size[1])
