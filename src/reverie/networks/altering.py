"""The class scores of pictures while what one layer gives is changed on its way."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from reverie.errors import UsageError
from reverie.networks.inspection.failures import run
from reverie.networks.prepared.prepared import Prepared
from reverie.networks.prepared.standing_in import Change, standing_in

Rest = Callable[[Tensor], Tensor]
"""What a layer gives, (N, C, H, W) → class scores (N, K)."""
_SAME = 0.02  # of the largest score; a network that mixes the pictures of a batch is far off, bfloat16 is not


def altered_scores(ready: Prepared, name: str, x: Tensor, given: Tensor | Change) -> Tensor:
    """(M, K): the class scores while a layer is changed, everything before it as the pictures have it.

    M is N; or of one picture any number: what goes round the layer is broadcast, so that the network runs once as far as the layer and
    M times from there.

    Args:
        ready: made ready to give the layer and CLASSES. name: of the layer.
        x: (N, C, H, W), as the network takes it, see `Prepared.as_taken`; for a function of what is there at the native size.
        given: (M, C, H, W), what takes its place, or such a function.

    Raises:
        UsageError: the layer gives several tensors, or the network cannot go on with what takes their place.
    """
    count = 0

    def counted(maps: Tensor, before: Tensor | None) -> Tensor:
        nonlocal count
        assert not isinstance(given, Tensor)
        found = given(maps, before)
        count = len(found)
        return found

    with ready.running(), standing_in(ready, name, given if isinstance(given, Tensor) else counted):
        output = run(ready.module, x, graded=ready.anatomy.habits.graded)
        return ready.scores(output, len(given) if isinstance(given, Tensor) else count).float()  # (M, K)


def takes_several(rest: Rest, pair: Tensor, wanted: Tensor) -> bool:
    """Whether several can take the place of one picture's activations, and do not mix.

    Args:
        pair: (2, C, H, W), what the layer might give. wanted: (K,), the scores of the second by itself.
    """
    try:
        with torch.no_grad():
            found = rest(pair)  # (2, K)
    except UsageError:  # it counts its pictures where it begins, say
        return False
    return found.shape == (2, len(wanted)) and bool((found[1] - wanted).abs().max() <= _SAME * wanted.abs().max())
