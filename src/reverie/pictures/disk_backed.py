"""Room for pictures: in memory while they are small, else in a file that is mapped into it; and work on them in bands of rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import torch
from torch import Tensor

from reverie.store import scratch

IN_MEMORY = 1 << 28  # bytes of one tensor; larger ones lie on disk, unless `in_memory` allows more
_allowed: ContextVar[int] = ContextVar("_allowed", default=0)
BAND = 1 << 22  # pixels that are worked on together


@contextmanager
def in_memory(size: int) -> Iterator[None]:
    """Inside, tensors of up to so many bytes lie in memory.

    The system writes a mapped file out while we work on it, which makes a step slower by half.
    """
    token = _allowed.set(size)
    try:
        yield
    finally:
        _allowed.reset(token)


def room(*shape: int) -> Tensor:
    """Zeros (float32) of this shape. What is too large for memory lies in a file that goes when the tensor does.

    Raises:
        OutputError: the disk has not so much room.
    """
    size = 4 * math.prod(shape)
    if size <= max(IN_MEMORY, _allowed.get()):
        return torch.zeros(shape)
    with scratch(size) as file:
        return torch.from_numpy(np.memmap(file, np.float32, "r+", shape=shape))


def bands(height: int, width: int, multiple: int = 8) -> Iterator[slice]:
    """Rows that are worked on together, from the top; but for the last a multiple of so many."""
    step = max(multiple, BAND // max(1, width) // multiple * multiple)
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


def banded(function: Callable[..., Tensor], first: Tensor, *others: Tensor, out: Tensor | None = None) -> Tensor:
    """`function(first, *others)`, which looks at each pixel by itself, in bands: no more than a band of it is in memory besides.

    Args:
        first, others: (…, H, W); all of the same height and width.
        out: where the result goes, of the shape of `first`; it may be one of the others. None for new room.
    """
    height, width = first.shape[-2:]
    if height * width <= BAND and out is None:
        return function(first, *others)
    result = room(*first.shape) if out is None else out
    for rows in bands(height, width):
        result[..., rows, :] = function(*(each[..., rows, :] for each in (first, *others)))
    return result


def averaged(measure: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """A mean over all places of (N, C, H, W), band by band: `measure` gives that of rows."""
    height, width = values.shape[2:]
    if height * width <= BAND:
        return measure(values)
    return torch.stack([measure(values[..., rows, :]) * ((rows.stop - rows.start) / height) for rows in bands(height, width)]).sum(0)


def mean_square(values: Tensor) -> Tensor:
    """(N, C, H, W) → (N, C, 1, 1), in one pass and without room for the squares; to four digits."""
    size: Tensor = torch.linalg.vector_norm(values, dim=(2, 3), keepdim=True)
    return size.square_().div_(values.shape[2] * values.shape[3])
