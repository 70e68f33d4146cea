"""Networks: what is known of them, their weights, and how they are prepared, watched and asked."""

from __future__ import annotations

import torch
from torch import nn

from reverie.errors import UsageError
from reverie.networks.attribution import Attribution
from reverie.networks.builtin import catalogue, labels, weights
from reverie.networks.builtin.efficientnet_lite import EfficientNetLite
from reverie.networks.inspection.anatomy import Layer
from reverie.networks.network import Label, Network
from reverie.networks.prepared.prepared import Prepared
from reverie.networks.preprocessing import Preprocessing
from reverie.networks.sources.source import LONGEST
from reverie.recipe import DEFAULT_NETWORK

__all__ = ["Attribution", "Label", "Layer", "Network", "Prepared", "Preprocessing", "installed", "open_network", "wrap_module"]


def installed() -> list[str]:
    """Names of the built-in networks whose weights are here."""
    return [name for name, facts in catalogue.CATALOGUE.items() if weights.find(facts) is not None]


def open_network(name: str = DEFAULT_NETWORK) -> Network:
    """A built-in network with its trained weights, on the CPU.

    Raises:
        UsageError: no such network. MissingExtra: its weights are not installed. UnsafeError: they are not what they should be.
    """
    facts = catalogue.facts(name)
    module = EfficientNetLite(facts.width, facts.depth).eval().requires_grad_(False)
    weights.load(facts, module)
    preprocessing = Preprocessing(facts.mean, facts.std, size=(facts.size, facts.size), labels=labels.imagenet())
    levels: dict[str, str] = {level: layer for level, layer in facts.levels.items()}
    return Network(module, preprocessing, name=facts.name, levels=levels, sha256=facts.sha256)


def wrap_module(module: nn.Module, preprocessing: Preprocessing, name: str | None = None) -> Network:
    """Any module as a network, on the CPU; its weights are read at each call, and it is left as it was.

    Raises:
        UsageError: it is no module, cannot be looked into, or its name is empty or too long for a recipe.
    """
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
    return Network(module, preprocessing, name=name or type(module).__name__)
