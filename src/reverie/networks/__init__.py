"""Networks: what is known of them, their weights, and how they are prepared, watched and asked."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import nn

from reverie.errors import UsageError
from reverie.networks import catalogue, labels, weights
from reverie.networks.anatomy import Layer
from reverie.networks.attribution import Attribution
from reverie.networks.device import choose
from reverie.networks.lite import EfficientNetLite
from reverie.networks.network import Label, Network
from reverie.networks.prepare import Prepared
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
    if len(mean) != len(std) or not mean:
        raise UsageError(f"mean has {len(mean)} channels and std {len(std)}", "give one of each for every channel")
    if not isinstance(module, nn.Module):
        raise UsageError(f"a {type(module).__name__} is no network", "give an nn.Module")
    if not all(0 < each < math.inf for each in std):
        raise UsageError(f"std {list(std)}", "each must be above 0")
    if not all(math.isfinite(each) for each in (*mean, *range)) or range[0] >= range[1]:
        raise UsageError(f"mean {list(mean)} and range {range}", "give finite numbers, and black below white")
    if any(side < 1 for side in ((size,) if isinstance(size, int) else size)):
        raise UsageError(f"size {size}", "give the native side in pixels, or (height, width)")
    return Network(
        module,
        name=name or type(module).__name__,
        mean=mean,
        std=std,
        range=range,
        size=size,
        labels=[(each,) for each in labels],
        scores=scores,
        device=device,
    )
