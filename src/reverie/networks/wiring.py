"""What feeds what: by how much each channel of one layer raises each channel of a later one, through the weights between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from reverie.errors import UsageError
from reverie.networks.prepared.prepared import Prepared
from reverie.networks.prepared.standing_in import standing_in
from reverie.networks.prepared.straight_through import activations_between
from reverie.pictures.torch_modes import ordinary_modes

_AT_ONCE, _VALUES = 32, 2_000_000  # channels of the later layer in a pass, at most; values of the earlier one, all of these together
_SAME = 1e-3  # of the largest value


@dataclass(frozen=True)
class Wires:
    """What leads from one layer, of C channels, to another, of K, all that lies between taken as linear (Voss et al. 2021).

    One channel feeds another through a kernel: how much each place of the one raises the middle place of the other. For a network of
    convolutions it does not depend on the picture.

    Attributes:
        total: (K, C), the sums of the kernels: the products of the weights along all ways, added up.
        size: (K, C), their root of the sum of squares, which is not 0 where parts cancel, as those of an edge.
        activations: how many ReLUs and the like lie between, which were taken as linear.
    """

    total: Tensor
    size: Tensor
    activations: int

    def strengths(self, below: Tensor, above: Tensor) -> Tensor:
        """(K, C): by how many of its own spreads a channel of the later layer moves when one of the earlier moves by its spread, where
        that is all noise; with the sign of the total.

        Args:
            below, above: (C,), (K,): the spread of each channel's values, in the layer's units.
        """
        return torch.where(self.total < 0, -1.0, 1.0) * self.size * below / above.clamp_min(1e-6)[:, None]


def wires(ready: Prepared, below: str, above: str, picture: Tensor, tell: Callable[[float], object] = lambda _: False) -> Wires | None:
    """What leads from layer `below` to layer `above`.

    Args:
        ready: a network made ready to give both.
        picture: (C, H, W) in 0..1, at the native size: gates, attention and layer norms are as they are on it.
        tell: is told the share that is done; a true answer stops.

    Returns:
        all 0 where nothing leads from one to the other; None where it was stopped.
    """
    totals, sizes, between = [], [], 0
    with ready.lock, ordinary_modes(), torch.enable_grad():
        with torch.no_grad():
            before = ready(picture[None])  # (1, C, h, w) each
        channels, at_once = before[above].shape[1], max(1, min(_AT_ONCE, _VALUES // max(1, before[below].numel())))
        at_once = 1 if ready.anatomy.single else at_once
        shown = 1 if at_once > 1 and _many_take_the_place_of_one(ready, below, above, before, picture) else at_once
        for first in range(0, channels, at_once):
            rows = torch.arange(first, min(first + at_once, channels))
            given = before[below].detach().repeat(len(rows), 1, 1, 1).requires_grad_(True)  # (n, C, h, w)
            with standing_in(ready, below, given):
                seen = ready.straight(picture.expand(min(shown, len(rows)), -1, -1, -1))[above]  # (n, K, h', w')
            middle = seen[torch.arange(len(rows)), rows, seen.shape[2] // 2, seen.shape[3] // 2].sum()
            kernels = torch.autograd.grad(middle, given, allow_unused=True, retain_graph=True)[0] if middle.requires_grad else None
            if kernels is None:  # it lies on another branch
                kernels = torch.zeros_like(given)
            between = between or activations_between(middle, given)
            totals.append(kernels.sum((2, 3)).cpu())
            sizes.append(kernels.flatten(2).norm(dim=2).cpu())
            if tell((first + len(rows)) / channels):
                return None
    return Wires(torch.cat(totals), torch.cat(sizes), between)


def _many_take_the_place_of_one(ready: Prepared, below: str, above: str, before: Mapping[str, Tensor], picture: Tensor) -> bool:
    """Whether a layer can give several answers to one picture, so that what lies before it runs once."""
    given, wanted = before[below].repeat(2, 1, 1, 1), before[above]
    try:
        with torch.no_grad(), standing_in(ready, below, given):
            found = ready(picture[None])[above]
    except UsageError:  # it counts its pictures where it begins, say
        return False
    return found.shape[0] == 2 and bool((found - wanted).abs().max() <= _SAME * wanted.abs().max())
