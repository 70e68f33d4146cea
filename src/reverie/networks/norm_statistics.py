"""What a network's channels give for photographs: as its batch norms remember it of the training, or as pictures of the user's show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from reverie.networks.channel_statistics import measure
from reverie.networks.inspection.anatomy import Anatomy
from reverie.networks.inspection.layer_names import LayerName
from reverie.networks.inspection.wrappers import real_names
from reverie.networks.prepared.prepared import Prepared
from reverie.target import CLASSES

_LEAST = 1e-8  # largest spread in a layer that still tells something
_FURTHEST = 1e-6  # of the means: a spread that is less is lost in them
_EPS = 1e-5  # of a norm that does not say it, as PyTorch's


class Remembering(Protocol):
    """What of a network is looked at."""

    module: nn.Module
    device: torch.device

    @property
    def anatomy(self) -> Anatomy: ...
    def prepare(self, wanted: Iterable[str]) -> Prepared: ...


Statistics = Mapping[str, tuple[Tensor, Tensor]]
"""By a layer to be looked at, mean (C,) and standard deviation (C,) of what it gave for the pictures of the training."""


def remembered(network: Remembering, wanted: Iterable[str]) -> Statistics:
    """Of the norms that run before the last of these layers (or CLASSES) is there; empty where none remembers anything.

    The deepest quarter is left out: there channels stand for things, of which a single picture shows few, and one that is drawn to
    the mean over all pictures holds a bit of everything.

    A norm is looked at behind itself, where it is folded into the convolution before: mean and spread are then its own shift and scale.
    One that has an activation inside is looked at before itself. A norm that runs several times in a pass, or not over places, is left
    out, and so is one that has seen no picture yet, or none that differ.
    """
    anatomy, names = network.anatomy, real_names(network.module)
    before = {chain.norm: chain.conv for chain in anatomy.chains if chain.norm is not None}
    found: dict[str, tuple[Tensor, Tensor]] = {}
    for name in _up_to(anatomy, wanted):
        norm: Any = network.module.get_submodule(names[name]) if name in names else None
        mean, variance = getattr(norm, "running_mean", None), getattr(norm, "running_var", None)
        if not (isinstance(mean, Tensor) and isinstance(variance, Tensor)):
            continue
        shape = anatomy.shapes[name]
        if anatomy.calls.get(name) != 1 or len(shape) != 4 or shape[1] != len(mean) or shape[2] * shape[3] == 1 or _is_new(mean, variance):
            continue
        if all(isinstance(part, nn.Identity) for part in norm.children()):
            found[name] = _behind(norm, mean, variance)
        elif name in before:
            found[before[name]] = mean, variance.sqrt()
    own = {name: (_own(mean).to(network.device), _own(spread).to(network.device)) for name, (mean, spread) in found.items()}
    return _shallow(own)


def measured(network: Remembering, wanted: Iterable[str], pictures: Iterable[Tensor]) -> Statistics:
    """The same of these pictures, (C, H, W) each at the native size: of all layers with places up to the last of those that are wanted."""
    placed = {layer.name for layer in network.anatomy.layers if layer.height > 1 and network.anatomy.calls.get(layer.name) == 1}
    names = [name for name in _up_to(network.anatomy, wanted) if name in placed]
    return _shallow(dict(measure(network.prepare(names), pictures, "").layers)) if names else {}


def _shallow(found: dict[str, tuple[Tensor, Tensor]]) -> Statistics:
    """Those of layers that tell something, without the deepest quarter."""
    telling = [name for name, (mean, spread) in found.items() if float(spread.max()) > max(_LEAST, _FURTHEST * float(mean.abs().max()))]
    return {name: found[name] for name in telling[: -(-len(telling) * 3 // 4)]}


def _is_new(mean: Tensor, variance: Tensor) -> bool:
    """Whether it has not seen a picture yet: as every norm begins."""
    return bool((mean == 0).all() and (variance == 1).all())


def _up_to(anatomy: Anatomy, wanted: Iterable[str]) -> list[str]:
    """All modules that end no later than the last of these, in the order in which they end."""
    order, asked = list(anatomy.shapes), list(wanted)
    if CLASSES in asked:
        return order
    bare = [LayerName.parse(name, anatomy.calls).module for name in asked]
    return order[: 1 + max(order.index(name) for name in bare)]


def _behind(norm: Any, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    scale, shift = (getattr(norm, name, None) for name in ("weight", "bias"))
    spread = (variance / (variance + getattr(norm, "eps", _EPS))).sqrt()  # (C,), 1 but for channels that hardly change
    return torch.zeros_like(mean) if shift is None else shift, spread if scale is None else spread * scale.abs()


def _own(values: Tensor) -> Tensor:
    return values.detach().float().clone()
