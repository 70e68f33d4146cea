"""Passes in which something is found out, and no more: their numbers are always the same, and they end where enough is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from reverie.networks.inspection.chance import Chance, generators
from reverie.networks.inspection.checkpointing import straight_through_checkpoints
from reverie.networks.inspection.failures import CannotTake, run
from reverie.networks.prepared.frozen_copy import at_rest


class Enough(BaseException):
    """Ends a pass. Not an Exception, so that a network that catches those cannot hold it."""


@contextmanager
def the_same_each_time(module: nn.Module, x: Tensor) -> Iterator[None]:
    """Inside, a pass straight through checkpoints, in which chance always has the same numbers."""
    with straight_through_checkpoints(), Chance().drawing(generators(module, x.device)):
        yield


def short_pass(module: nn.Module, x: Tensor, hooks: Mapping[nn.Module, Callable[[nn.Module, tuple[Any, ...]], None]]) -> None:
    """Run a module at rest until a hook raises `Enough`; a network that cannot take x ends it too: whoever looks into it is told why.

    Args:
        hooks: called before the parts with what they are given.
    """
    handles = [part.register_forward_pre_hook(hook) for part, hook in hooks.items()]
    try:
        with torch.no_grad(), at_rest(module), the_same_each_time(module, x):
            run(module, x)
    except (Enough, CannotTake):
        pass
    finally:
        for each in handles:
            each.remove()
