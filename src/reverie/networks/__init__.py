"""Networks: what is known of them, their weights, and how they are prepared, watched and asked."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from reverie.errors import UsageError
from reverie.networks.attribution import Attribution
from reverie.networks.builtin import catalogue, labels, weights
from reverie.networks.builtin.efficientnet_lite import EfficientNetLite
from reverie.networks.inspection.anatomy import Layer
from reverie.networks.network import Label, Network
from reverie.networks.opening import face, network_of
from reverie.networks.prepared.device import choose
from reverie.networks.prepared.prepared import Prepared
from reverie.networks.sources.source import LONGEST
from reverie.recipe import DEFAULT_NETWORK

__all__ = ["Attribution", "Label", "Layer", "Network", "Prepared", "installed", "open_network", "wrap_module"]


def installed() -> list[str]:
    """Names of the built-in networks whose weights are here."""
    return [name for name, facts in catalogue.CATALOGUE.items() if weights.find(facts) is not None]


def open_network(name: str = DEFAULT_NETWORK, device: str | None = None) -> Network:
    """A built-in network with its trained weights.

    Raises:
        UsageError: no such network. MissingExtra: its weights are not installed. UnsafeError: they are not what they should be.
    """
    facts = catalogue.facts(name)
    module = EfficientNetLite(facts.width, facts.depth).eval().requires_grad_(False)
    weights.load(facts, module)
    module.to(choose(device))
    return Network(
        module,
        name=facts.name,
        mean=facts.mean,
        std=facts.std,
        size=facts.size,
        labels=labels.imagenet(),
        levels={level: layer for level, layer in facts.levels.items()},
        sha256=facts.sha256,
        device=device,
    )


def wrap_module(
    module: nn.Module,
    mean: Sequence[float],
    std: Sequence[float],
    range: tuple[float, float] = (0.0, 1.0),
    size: int | tuple[int, int] = 224,
    labels: Sequence[str] = (),
    scores: str | None = None,
    name: str | None = None,
    device: str | None = None,
) -> Network:
    """See `reverie.wrap`."""
    if not isinstance(module, nn.Module):
        raise UsageError(f"a {type(module).__name__} is no network", "give an nn.Module")
    if isinstance(module, torch.jit.ScriptModule):
        raise UsageError("a TorchScript module cannot be taken apart", "wrap the module that it was made from")
    if any(nn.parameter.is_lazy(each) or each.is_meta for each in (*module.parameters(), *module.buffers())):
        raise UsageError(
            f"{type(module).__name__} has weights without values", "run it once on a picture, and load its weights, before it is wrapped"
        )
    if name is not None and not 0 < len(name) <= LONGEST:
        raise UsageError(f"a network's name of {len(name)} characters", f"give it one of 1 to {LONGEST}")
    said = face(mean, std, range, size, labels, scores)
    return network_of(module, said, name=name or type(module).__name__, device=device)
