"""A layer that gives what it is told to give, while the network runs behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from reverie.errors import UsageError
from reverie.networks.inspection.layer_names import LayerName
from reverie.networks.prepared.prepared import Prepared


@contextmanager
def standing_in(ready: Prepared, name: str, given: Tensor) -> Iterator[None]:
    """Inside, the next pass has `given` in the place of what a layer gives; what goes round the layer is as the picture has it.

    Args:
        name: of a layer that it was made ready to give; of a module called several times in a pass also `name#0`, `name#1` …
        given: (N, C, H, W). Of one picture that goes in N can take the place of one, where the network lets them.

    Raises:
        UsageError, in the pass: the layer gives more than one tensor.
    """
    asked = LayerName.parse(name, ready.anatomy.calls)
    wanted = ready.anatomy.calls.get(asked.module, 1) if asked.call is None else asked.call + 1
    calls = 0

    def put(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != wanted:
            return None
        several = type(output) in (tuple, list) and isinstance(output[0], Tensor)  # what attention gives, and its weights
        first = output[0] if several else output
        if not isinstance(first, Tensor):
            raise UsageError(f"layer '{name}' gives more than one tensor", "name a layer in it")
        layout = ready.anatomy.layout(name)
        put_in = given if layout is None else layout.from_maps(given, first, asked.part)
        put_in = put_in.to(first.dtype, copy=True)  # a copy: the next layer may work in place
        return type(output)((put_in, *output[1:])) if several else put_in

    handle = ready.module.get_submodule(asked.module).register_forward_hook(put)
    try:
        yield
    finally:
        handle.remove()
