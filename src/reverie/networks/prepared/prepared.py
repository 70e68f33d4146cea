"""A network made ready for looking into: a frozen copy, folded, laid out for speed, stopped after the last layer wanted.

The original is never touched. Folding: Jacob et al. 2018, section 3.2.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from reverie.networks.inspection.anatomy import Anatomy, Chain
from reverie.networks.inspection.hooks import Seen, run_until
from reverie.networks.inspection.layer_names import spot
from reverie.networks.inspection.layouts import Form
from reverie.networks.inspection.outputs import class_scores, flat
from reverie.networks.prepared.frozen_copy import twin
from reverie.networks.prepared.fused import ConvRelu
from reverie.networks.prepared.normalise import normalise
from reverie.networks.prepared.redirected_relu import SoftRelus
from reverie.networks.prepared.windows import through_windows
from reverie.target import CLASSES

TOLERANCE = 1e-4  # of the largest output


@dataclass(frozen=True)
class Prepared:
    """Call it with pictures (N, C, H, W) in 0..1 to get the activations of `wanted`, by name; gradients flow to the pictures.

    What lies over the picture comes as (N, C, H, W), see `forms`. Of a picture whose size the network cannot take, see `windows`.
    """

    module: nn.Module
    scale: Tensor  # (1, C, 1, 1)
    shift: Tensor  # (1, C, 1, 1)
    wanted: tuple[str, ...]
    anatomy: Anatomy
    size: tuple[int, int]  # the native one
    folded: int
    unfolded: int
    dtype: torch.dtype
    scores: str | None
    lock: threading.RLock  # one pass at a time: hooks are put on a module that all who look at it share

    def __call__(self, pictures: Tensor) -> Seen:
        return self._look(pictures, nullcontext())

    def softly(self, pictures: Tensor) -> Seen:
        """The same activations, for a start at which all units of a target are dead or saturated and its gradient is zero.

        Where nothing would get through a ReLU, the gradient gets through that brings units back to life, see `soft_relu`.
        Other activations are as they were, and a score that is itself flat there, as a square is at zero, stays so.
        """
        return self._look(pictures, _soft(self.module))

    def _look(self, pictures: Tensor, how: AbstractContextManager[None]) -> Seen:
        x = normalise(pictures, self.scale, self.shift)  # (N, C, H, W)
        with self.lock, how:
            free = all(spot(name).module in self.anatomy.free for name in self.wanted)
            seen = self._pass(x) if free or x.shape[2:] == self.size else through_windows(self._pass, x, self.size)
        return {name: each.float() for name, each in seen.items()}

    def _pass(self, x: Tensor) -> Seen:
        """(N, C, H, W), as the network takes it, to activations that lie over it."""
        if self.anatomy.single and len(x) > 1:
            apart = [self._pass(each[None]) for each in x]
            return {name: torch.cat([each[name] for each in apart]) for name in self.wanted}
        x = x.to(self.dtype)
        if x.is_cpu or x.is_cuda:
            x = x.contiguous(memory_format=torch.channels_last)
        names = [name for name in self.wanted if name != CLASSES]
        given, output = run_until(self.module, x, names, self.anatomy.calls, to_the_end=CLASSES in self.wanted)
        scale = (x.shape[2] / self.size[0], x.shape[3] / self.size[1])
        seen = {}
        for name, each in given.items():
            form = self.form(name)
            seen[name] = each if form is None else form.folded(each, spot(name).part, scale)
        if CLASSES in self.wanted:
            seen[CLASSES] = class_scores(output, self.scores)
        return seen

    def form(self, name: str) -> Form | None:
        """How what a layer gives lies over the picture."""
        return self.anatomy.forms.get(spot(name).whole) or self.anatomy.forms.get(spot(name).module)


@contextmanager
def _soft(module: nn.Module) -> Iterator[None]:
    """While open, all ReLUs of the module are soft: our fused ones by their flag, others through the functions they call."""
    fused = [part for part in module.modules() if isinstance(part, ConvRelu)]
    try:
        for part in fused:
            part.soft = True
        with SoftRelus():
            yield
    finally:
        for part in fused:
            part.soft = False


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
    kept = {spot(name).module for name in wanted}
    chains = [spared for chain in anatomy.chains if (spared := _spare(chain, kept)) is not None]
    plain = twin(module)
    with torch.no_grad():
        expected = flat(plain(picture))
        chains = chains if expected.numel() else []  # nothing to see by that they are right
        candidate = _tried(module, chains, picture, expected)
        if candidate is None:
            chains = [each for each in chains if _tried(module, [each], picture, expected) is not None]
            candidate = _tried(module, chains, picture, expected)
            if candidate is None:
                candidate, chains = plain, []
    folded = sum(chain.norm is not None for chain in chains)
    return Folded(candidate, folded, anatomy.norms - folded)


def _tried(module: nn.Module, chains: Sequence[Chain], picture: Tensor, expected: Tensor) -> nn.Module | None:
    """A copy with these chains folded, or None where it gives something else or does not run."""
    candidate = _apply(twin(module), chains)
    try:
        output = flat(candidate(picture))
    except torch.OutOfMemoryError:
        raise
    except (AttributeError, TypeError, RuntimeError):  # it reads an attribute of a part that is gone, say
        return None
    return candidate if output.shape == expected.shape and matches(output, expected) else None


def matches(output: Tensor, expected: Tensor) -> bool:
    return not expected.numel() or bool(((output - expected).abs().max() <= TOLERANCE * expected.abs().max().clamp_min(1e-12)).item())


def _spare(chain: Chain, kept: set[str]) -> Chain | None:
    """The part of a chain that can be folded without touching what somebody wants to see."""
    if chain.conv in kept:
        return None
    if chain.norm is not None and any(name == chain.norm or name.startswith(f"{chain.norm}.") for name in kept):
        return Chain(chain.conv, chain.norm)
    return replace(chain, onward=chain.onward and chain.act not in kept)


def _apply(module: nn.Module, chains: Sequence[Chain]) -> nn.Module:
    for chain in chains:
        if chain.norm is not None:
            _fold_norm(module.get_submodule(chain.conv), module.get_submodule(chain.norm))
            module.set_submodule(chain.norm, _without_norm(module.get_submodule(chain.norm)))
        if chain.act is not None:
            ceiling = 6.0 if isinstance(module.get_submodule(chain.act), nn.ReLU6) else float("inf")
            module.set_submodule(chain.conv, ConvRelu(module.get_submodule(chain.conv), ceiling, chain.onward))
            module.set_submodule(chain.act, nn.Identity())
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
