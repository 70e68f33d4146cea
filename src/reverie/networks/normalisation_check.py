"""Whether what reaches a network can be what it was trained on: a check that warns, and never guesses.

Typical pictures (pink noise with the mean and spread of photographs) are normalised and led to the first batch norm, which knows what came
there in training: by how many of its deviations the values are off, and how their spread compares with its own, as medians of its channels.
Measured on lite0 and lite2, with four photographs and with noise. With the right normalisation: off by 0.8, spread 0.8 ×. With that of
another network (ImageNet's, none, -1..1 for 0..1): 0.4–2.7 and 0.4–1.9 ×. Fed 0..255 where 0..1 is meant: 112–960 and 97–480 ×. With mean
and deviation of 0..255 where 0..1 is meant: 0.5 and 0.04–0.05 ×. The limits lie between: this finds a wrong range, not a slightly wrong
mean.

Without such a norm, or before it has learnt anything, the values alone are judged, and widely: what Caffe took had a spread of 58, and
some networks take 0..1 as it is, a spread of 0.23 around 0.47.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from reverie.networks.inspection.anatomy import CONVOLUTIONS, NORMS
from reverie.networks.inspection.wrappers import unwrapped
from reverie.networks.network import Network
from reverie.networks.prepared.short_pass import Enough, short_pass
from reverie.pictures.spectral_noise import MEAN, SPREAD, noise

OFF = 8.0  # deviations
NARROW, WIDE = 0.09, 11.0  # spread of what comes, in that of what came in training
LEAST, MOST, ASIDE = 0.02, 100.0, 10.0  # spread of the values alone; their mean, in spreads
PICTURES = 4
DEEPEST = 3  # convolutions before the norm: further on, noise is no photograph any more


def doubts(network: Network) -> str:
    """One line on why the normalisation cannot be right; empty where nothing speaks against it.

    The module is run as far as its first norm, and left as it was.
    """
    mean, spread = _values(network)
    found = _at_first_norm(network)
    if found is not None:
        off, wide = found
        if off > OFF or wide > WIDE:
            return _doubt(network, mean, spread, f"its first norm gets values {max(off, wide):.0f} times as far out as in training")
        if wide < NARROW:
            return _doubt(network, mean, spread, f"its first norm gets values with {wide:.2g} of the spread of those in training")
        return ""
    if not LEAST <= spread <= MOST:
        return _doubt(network, mean, spread, "networks are trained on a spread near 1")
    if abs(mean) > ASIDE * spread:
        return _doubt(network, mean, spread, "networks are trained on values around 0")
    return ""


def _doubt(network: Network, mean: float, spread: float, why: str) -> str:
    return (
        f"the normalisation of {network.name} looks wrong: a typical picture reaches it with mean {mean:.2g} and spread {spread:.2g},"
        f" and {why}; check mean, std and range"
    )


def _values(network: Network) -> tuple[float, float]:
    """Mean and spread of a typical picture when it is normalised, of the channel that is furthest from 0 and 1."""
    scale, shift = network.normalise.scale.flatten(), network.normalise.shift.flatten()  # (C,)
    means, spreads = shift + MEAN * scale, SPREAD * scale.abs()  # (C,)
    worst = int((spreads.log().abs() + (means.abs() / spreads).log1p()).argmax())
    return float(means[worst]), float(spreads[worst])


def _at_first_norm(network: Network) -> tuple[float, float] | None:
    """How far what comes to the first batch norm is off, and how widely it is spread, both in its own deviations; None without one."""
    came: list[tuple[nn.Module, Tensor]] = []
    before = 0

    def count(_part: nn.Module, _inputs: tuple[object, ...]) -> None:
        nonlocal before
        before += 1
        if before > DEEPEST:
            raise Enough

    def stop(part: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        came.append((part, inputs[0].detach().float()))
        raise Enough

    module = unwrapped(network.module)  # of a compiled one the original: compiling takes a minute
    if any(nn.parameter.is_lazy(each) for each in module.parameters()):  # its first pass would change it
        return None
    if not any(isinstance(part, NORMS) for part in module.modules()):
        return None
    watched = [part for part in module.modules() if isinstance(part, (*NORMS, *CONVOLUTIONS, nn.Linear))]
    short_pass(module, _typical(network), {part: stop if isinstance(part, NORMS) else count for part in watched})
    if not came or before > DEEPEST or not _has_learnt(came[0][0]):
        return None
    norm: Any = came[0][0]
    rows = came[0][1].transpose(0, 1).flatten(1)  # (C, N·H·W)
    mean = norm.running_mean.float()[:, None]  # (C, 1)
    deviation = (norm.running_var.float() + norm.eps).sqrt()[:, None]  # (C, 1)
    off = ((rows - mean) / deviation).square().mean(1).sqrt()  # (C,)
    return float(off.median()), float((rows.std(1) / deviation[:, 0]).median())


def _has_learnt(norm: nn.Module) -> bool:
    mean, var = getattr(norm, "running_mean", None), getattr(norm, "running_var", None)
    if not isinstance(mean, Tensor) or not isinstance(var, Tensor):
        return False
    return not (bool((mean == 0).all()) and bool((var == 1).all()))


def _typical(network: Network) -> Tensor:
    """Pink noise at the native size, normalised, as the module takes it: (N, C, H, W)."""
    generator = torch.Generator().manual_seed(0)
    drawn = [noise("pink", *network.size, generator, network.channels) for _ in range(PICTURES)]
    first = next(network.module.parameters(), None)
    x = network.normalise(torch.stack(drawn))  # (N, C, H, W)
    return x if first is None else x.to(first.device, first.dtype if first.is_floating_point() else None)
