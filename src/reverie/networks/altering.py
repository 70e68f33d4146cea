"""The class scores of pictures while what one layer gives is changed on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from reverie.errors import UsageError
from reverie.networks.inspection.failures import run
from reverie.networks.inspection.layer_names import LayerName
from reverie.networks.prepared.prepared import Prepared

Change = Callable[[Tensor, Tensor | None], Tensor]
"""What a layer gave, (N, C, H, W), and what it had been given, where that has the same shape, → what takes its place, (M, C, H, W)."""
Rest = Callable[[Tensor], Tensor]
"""What a layer gives, (N, C, H, W) → class scores (N, K)."""
_SAME = 0.02  # of the largest score; a network that mixes the pictures of a batch is far off, bfloat16 is not


class Altered:
    """The class scores while one layer is changed, everything before it as the pictures have it.

    M is N; or of one picture any number: what goes round the layer is broadcast, so that the network runs once as far as the layer and
    M times from there. Of a module called several times in a pass the named call is changed alone.

    Args:
        ready: made ready to give the layer and CLASSES. name: of the layer.
    """

    def __init__(self, ready: Prepared, name: str) -> None:
        self.ready = ready
        self.name = name
        asked = LayerName.parse(name, ready.anatomy.calls)
        self.of = asked.part
        self.part = ready.module.get_submodule(asked.module)
        self.call = ready.anatomy.calls.get(asked.module, 1) - 1 if asked.call is None else asked.call

    def scores(self, x: Tensor, change: Change) -> Tensor:
        """(M, K).

        Args:
            x: (N, C, H, W), as the network takes it: see `Prepared.as_taken`.

        Raises:
            UsageError: the layer gives several tensors, or the network cannot go on with what takes their place.
        """
        calls, count = 0, len(x)
        given: Tensor | None = None

        def enter(_module: nn.Module, inputs: Any) -> None:
            nonlocal given
            given = inputs[0].clone() if inputs and isinstance(inputs[0], Tensor) else None  # the layer may work in place

        def put(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            nonlocal calls, count
            calls += 1
            if calls != self.call + 1:
                return None
            several = type(output) in (tuple, list) and isinstance(output[0], Tensor)  # what attention gives, and its weights
            first = output[0] if several else output
            if not isinstance(first, Tensor):
                raise UsageError(f"layer '{self.name}' gives more than one tensor", "name a layer in it")
            before = None if given is None or given.shape != first.shape else self._maps(given, x)
            maps = change(self._maps(first, x), before)
            count = len(maps)
            layout = self.ready.anatomy.layout(self.name)
            put_in = maps if layout is None else layout.from_maps(maps, first, self.of)
            put_in = put_in.to(first.dtype, copy=True)  # a copy: the next layer may work in place
            return type(output)((put_in, *output[1:])) if several else put_in

        with self.ready.running():
            handles = [self.part.register_forward_pre_hook(enter), self.part.register_forward_hook(put)]
            try:
                output = run(self.ready.module, x, graded=self.ready.anatomy.habits.graded)
                return self.ready.scores(output, count).float()  # (M, K)
            finally:
                for each in handles:
                    each.remove()

    def _maps(self, given: Tensor, x: Tensor) -> Tensor:
        layout = self.ready.anatomy.layout(self.name)
        if layout is None:
            return given
        scale = (x.shape[2] / self.ready.size[0], x.shape[3] / self.ready.size[1])
        return layout.to_maps(given, self.of, scale)


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
