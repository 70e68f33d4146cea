"""Passes that go straight through what a network checkpoints, to compute it anew for the gradient.

PyTorch's older, reentrant kind runs it without a graph, and gives its gradient to `backward` alone: no layer inside could be looked at
with a gradient. The values are the same.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch.utils.checkpoint

_OWN = torch.utils.checkpoint.CheckpointFunction
_lock = threading.Lock()
_here = threading.local()  # .depth: how many passes of ours this thread is inside
_open = 0


class _Straight:
    """In the place of PyTorch's function: in threads that are inside a pass of ours it calls what is checkpointed, in others as PyTorch."""

    @staticmethod
    def apply(function: Any, preserve: Any, *args: Any) -> Any:
        return function(*args) if getattr(_here, "depth", 0) else _OWN.apply(function, preserve, *args)  # type: ignore[no-untyped-call]


@contextmanager
def straight_through_checkpoints() -> Iterator[None]:
    """Inside, nothing is checkpointed in the reentrant way in this thread."""
    _count(1)
    _here.depth = getattr(_here, "depth", 0) + 1
    try:
        yield
    finally:
        _here.depth -= 1
        _count(-1)


def _count(more: int) -> None:
    global _open
    with _lock:
        _open += more
        torch.utils.checkpoint.CheckpointFunction = _Straight if _open else _OWN  # type: ignore[assignment,misc]
