"""What a network gives at its end: one tensor; or a tuple, a dictionary or a data class of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from reverie.errors import UsageError, choice


def class_scores(output: Any, name: str | None = None) -> Tensor:
    """The class scores (N, K) in an output: the entry `name`, else `logits`, else `out`, else the only (N, K) tensor.

    Scores for every place of a picture (N, K, H, W) are averaged over them.

    Raises:
        UsageError: there is none, or more than one to choose from.
    """
    if isinstance(output, Tensor):
        return _by_class(output)
    for key in (name, "logits", "out") if name is None else (name,):
        found = output.get(key) if isinstance(output, Mapping) else getattr(output, key, None) if key else None
        if isinstance(found, Tensor):
            return _by_class(found)
    flat_ones = [each for each in tensors(output) if each.dim() == 2]
    if name is None and len(flat_ones) == 1:
        return flat_ones[0]
    raise UsageError("it is not clear which output of this network is the class scores", f"say which: {choice('scores', 'NAME')}")


def _by_class(scores: Tensor) -> Tensor:
    """(N, K, …) → (N, K): scores given for every place are averaged; (N,) is a network of one class."""
    if scores.dim() < 1:
        raise UsageError("this network gives a single number, and no class scores", "name a layer instead of a class")
    return scores.flatten(2).mean(2) if scores.dim() > 2 else scores.view(len(scores), -1)


def flat(output: Any) -> Tensor:
    """All tensors of an output, end to end, as float32; empty where it has none."""
    return torch.cat([torch.zeros(0), *(each.float().flatten() for each in tensors(output))])


def tensors(output: Any) -> Iterator[Tensor]:
    """Every tensor of a nest of tuples, lists, dictionaries and data classes."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        for each in output.values():
            yield from tensors(each)
    elif isinstance(output, (tuple, list)):
        for each in output:
            yield from tensors(each)
    elif is_dataclass(output) and not isinstance(output, type):
        for field in fields(output):
            yield from tensors(getattr(output, field.name))
