"""A layer that gives what it is told to give, while the network runs behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from reverie.errors import UsageError
from reverie.networks.inspection.layer_names import LayerName
from reverie.networks.prepared.prepared import Prepared

Change = Callable[[Tensor, Tensor | None], Tensor]
"""What a layer gave, (N, C, H, W), and what it had been given, where that has the same shape, → what takes its place, (M, C, H, W)."""


@contextmanager
def standing_in(ready: Prepared, name: str, given: Tensor | Change) -> Iterator[None]:
    """Inside, the next pass has `given` in the place of what a layer gives; what goes round the layer is as the picture has it.

    Args:
        name: of a layer that it was made ready to give; of a module called several times in a pass also `name#0`, `name#1` …
        given: (N, C, H, W), or a function of what is there. Of one picture that goes in N can take the place of one, where the network
            lets them.

    Raises:
        UsageError, in the pass: the layer gives more than one tensor.
    """
    asked = LayerName.parse(name, ready.anatomy.calls)
    wanted = ready.anatomy.calls.get(asked.module, 1) if asked.call is None else asked.call + 1
    part, layout = ready.module.get_submodule(asked.module), ready.anatomy.layout(name)
    calls = 0
    before: Tensor | None = None

    def enter(_module: nn.Module, inputs: Any) -> None:
        nonlocal before
        before = inputs[0].clone() if inputs and isinstance(inputs[0], Tensor) else None  # the layer may work in place

    def put(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != wanted:
            return None
        several = type(output) in (tuple, list) and isinstance(output[0], Tensor)  # what attention gives, and its weights
        first = output[0] if several else output
        if not isinstance(first, Tensor):
            raise UsageError(f"layer '{name}' gives more than one tensor", "name a layer in it")
        if isinstance(given, Tensor):
            maps = given
        else:
            around = None if before is None or before.shape != first.shape else _maps(before)
            maps = given(_maps(first), around)
        put_in = maps if layout is None else layout.from_maps(maps, first, asked.part)
        put_in = put_in.to(first.dtype, copy=True)  # a copy: the next layer may work in place
        return type(output)((put_in, *output[1:])) if several else put_in

    def _maps(values: Tensor) -> Tensor:
        return values if layout is None else layout.to_maps(values, asked.part)

    handles = [part.register_forward_hook(put)]
    if not isinstance(given, Tensor):
        handles.append(part.register_forward_pre_hook(enter))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
