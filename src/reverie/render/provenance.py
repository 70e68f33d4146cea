"""What a recipe says of its networks and of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch

from reverie.networks import Network
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.prepared.device import word
from reverie.recipe import Machine, NetworkUsed
from reverie.target import CLASSES, Target
from reverie.version import __version__


def is_built_in(network: Network) -> bool:
    """Whether it is one of the catalogue, with its very weights."""
    return network.name in CATALOGUE and network.sha256 == CATALOGUE[network.name].sha256


def network_used(network: Network, layers: Sequence[str], target: Target | None = None) -> NetworkUsed:
    """What a recipe says of a network of which these layers (or CLASSES) are wanted; `target` where it is asked for its own."""
    prepared = network.prepare(layers)
    preprocessing: dict[str, Any] = {} if is_built_in(network) else {"mean": network.mean, "std": network.std, "size": network.size}
    return NetworkUsed(
        name=network.name, sha256=network.sha256, target=target, folded=prepared.folded, unfolded=prepared.unfolded, **preprocessing
    )


def machine(where: Network | torch.device, threads: int | None) -> Machine:
    """What a picture is made on: where a network is, or, of one made without any, on this device."""
    device, dtype = (where, torch.float32) if isinstance(where, torch.device) else (where.device, where.dtype)
    return Machine(
        reverie=__version__,
        torch=torch.__version__,
        device=cast(Any, device.type),
        threads=threads or torch.get_num_threads(),
        precision=cast(Any, word(dtype)),
    )


def used_by(network: Network, target: Target, first: Target) -> NetworkUsed:
    """What a recipe says of one of its networks."""
    names = list(target.layers()) or [CLASSES]
    return network_used(network, names, None if target == first else target)
