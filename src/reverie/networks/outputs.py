"""What a network gives at its end: one tensor, a tuple or a dictionary of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from reverie.errors import UsageError


def class_scores(output: Any, name: str | None = None) -> Tensor:
    """The class scores (N, K) in an output: the entry `name`, else `logits`, else `out`, else the only (N, K) tensor.

    Raises:
        UsageError: there is none, or more than one to choose from.
    """
    if isinstance(output, Tensor):
        return output
    for key in (name, "logits", "out") if name is None else (name,):
        found = output.get(key) if isinstance(output, Mapping) else getattr(output, key, None) if key else None
        if isinstance(found, Tensor):
            return found
    flat_ones = [each for each in _tensors(output) if each.dim() == 2]
    if name is None and len(flat_ones) == 1:
        return flat_ones[0]
    raise UsageError("it is not clear which output of this network is the class scores", "say which: wrap(…, scores=NAME)")


def flat(output: Any) -> Tensor:
    """All tensors of an output, end to end, as float32."""
    return torch.cat([each.float().flatten() for each in _tensors(output)])


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        for each in output.values():
            yield from _tensors(each)
    elif isinstance(output, (tuple, list)):
        for each in output:
            yield from _tensors(each)
