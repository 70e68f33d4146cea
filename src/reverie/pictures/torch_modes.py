"""Torch as it is by itself, whatever whoever calls has switched on: inference mode, autocast, another type or device of new tensors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor

_KINDS = ("cpu", "cuda", "mps")


@contextmanager
def ordinary_modes() -> Iterator[None]:
    """Inside, tensors can be part of a graph, are float32 on the CPU where nothing else is said, and nothing is cast on its own.

    Whether gradients are recorded stays as it is. Not across a `yield` of a generator: modes belong to the thread.
    """
    before = torch.get_default_dtype()
    with ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.no_grad())  # which leaving it has turned on
        for kind in _KINDS:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        if before != torch.float32:
            stack.callback(torch.set_default_dtype, before)
            torch.set_default_dtype(torch.float32)
        yield


def owned(tensor: Tensor) -> Tensor:
    """The same, or of one that was made in inference mode a copy that can be part of a graph."""
    return tensor.clone() if tensor.is_inference() else tensor
