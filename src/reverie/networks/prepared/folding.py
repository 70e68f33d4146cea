"""Normalisations folded into convolutions, and ReLUs fused with them, wherever a network's outputs stay the same.

Folding: Jacob et al. 2018, section 3.2.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from reverie.networks.inspection.anatomy import Anatomy, Chain
from reverie.networks.inspection.failures import CannotTake, run
from reverie.networks.inspection.habits import Habits
from reverie.networks.inspection.layer_names import LayerName
from reverie.networks.inspection.outputs import flat
from reverie.networks.prepared.convolution import Convolution
from reverie.networks.prepared.frozen_copy import frozen_copy
from reverie.networks.prepared.short_pass import the_same_each_time

TOLERANCE = 1e-4  # of the largest output


@dataclass(frozen=True)
class Folded:
    """A frozen copy of a module, and how many of its normalisations went into convolutions."""

    module: nn.Module
    folded: int
    unfolded: int
    lock: threading.RLock = field(default_factory=threading.RLock)


def fold(module: nn.Module, anatomy: Anatomy, picture: Tensor, wanted: Iterable[str] = ()) -> Folded:
    """A frozen copy with normalisations folded and ReLUs fused, wherever its outputs stay the same.

    Args:
        module: any network; it is left as it is.
        anatomy: what `examine` found in it.
        picture: (1, C, H, W), as the network takes it; the outputs on it are compared.
        wanted: layers to be looked at; what they give is never folded away or overwritten.
    """
    kept = {LayerName.parse(name, anatomy.calls).module for name in wanted}
    chains = [_foldable(chain, kept) for chain in anatomy.chains]
    plain = frozen_copy(module)
    habits = anatomy.habits
    with torch.no_grad():
        expected = _given(plain, picture, habits)
        chains = chains if expected.numel() else []  # nothing to see by that they are right
        candidate = _tried(module, chains, picture, expected, habits)
        if candidate is None:
            chains = [each for each in chains if _tried(module, [each], picture, expected, habits) is not None]
            candidate = _tried(module, chains, picture, expected, habits)
            if candidate is None:
                candidate, chains = plain, []
    folded = sum(chain.norm is not None for chain in chains)
    return Folded(candidate, folded, anatomy.norms - folded)


def _tried(module: nn.Module, chains: Sequence[Chain], picture: Tensor, expected: Tensor, habits: Habits) -> nn.Module | None:
    """A copy with these chains folded, or None where it gives something else or does not run."""
    candidate = _apply(frozen_copy(module), chains, habits.plain)
    try:
        output = _given(candidate, picture, habits)
    except CannotTake:  # it reads an attribute of a part that is gone, say
        return None
    return candidate if output.shape == expected.shape and _matches(output, expected) else None


def _given(module: nn.Module, picture: Tensor, habits: Habits) -> Tensor:
    """All that it gives, end to end; where chance has a part in it always by the same numbers."""
    with the_same_each_time(module, picture):
        return flat(run(module, picture, graded=habits.graded))


def _matches(output: Tensor, expected: Tensor) -> bool:
    return not expected.numel() or bool(((output - expected).abs().max() <= TOLERANCE * expected.abs().max().clamp_min(1e-12)).item())


def _foldable(chain: Chain, kept: set[str]) -> Chain:
    """The part of a chain that can be folded without touching what somebody wants to see; a convolution by itself gives what it gave."""
    if chain.conv in kept:
        return Chain(chain.conv)
    if chain.norm is not None and any(name == chain.norm or name.startswith(f"{chain.norm}.") for name in kept):
        return Chain(chain.conv, chain.norm)
    return replace(chain, onward=chain.onward and chain.act not in kept)


def _apply(module: nn.Module, chains: Sequence[Chain], plain: bool) -> nn.Module:
    for chain in chains:
        conv, ceiling = module.get_submodule(chain.conv), None
        if chain.norm is not None:
            _fold_norm(conv, module.get_submodule(chain.norm))
            module.set_submodule(chain.norm, _without_norm(module.get_submodule(chain.norm)))
        if chain.act is not None:
            ceiling = 6.0 if isinstance(module.get_submodule(chain.act), nn.ReLU6) else float("inf")
            module.set_submodule(chain.act, nn.Identity())
        module.set_submodule(chain.conv, Convolution(conv, ceiling, chain.onward, plain))
    return module


def _without_norm(norm: nn.Module) -> nn.Module:
    """What is left of a norm that was folded: nothing, or what it does behind it, as timm's norms with an activation inside."""
    parts = dict(norm.named_children())
    return nn.Sequential(OrderedDict(parts)) if parts else nn.Identity()


def _fold_norm(conv: Any, norm: Any) -> None:
    weight, bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias, isinstance(conv, nn.ConvTranspose2d)
    )
    conv.weight, conv.bias = nn.Parameter(weight, requires_grad=False), nn.Parameter(bias, requires_grad=False)


def never_folded(anatomy: Anatomy, names: Iterable[str]) -> frozenset[str]:
    """The parts that would be folded, and must not be where these layers are looked at."""
    foldable = {each for chain in anatomy.chains for each in (chain.conv, chain.norm, chain.act)}
    foldable |= {name for name in anatomy.shapes if name.rpartition(".")[0] in foldable}  # what stands inside a norm
    bare = [LayerName.parse(name, anatomy.calls).module for name in names]
    return frozenset(anatomy.hands_on.get(name, name) for name in bare) & foldable
