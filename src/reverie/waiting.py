"""How threads wait for each other: said to the runtime of OpenMP in the environment, before torch is loaded."""

from __future__ import annotations

import os
from contextvars import ContextVar

# threads that spin while they wait are slow beside other work, those that sleep at once are slow alone: GNU's spin for some microseconds
WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "3000"}
_by_us: ContextVar[bool] = ContextVar("_by_us", default=False)


def give_way() -> None:
    """Have threads give their core away when they wait, unless somebody has said how they shall."""
    if WAITING.keys().isdisjoint(os.environ):
        os.environ |= WAITING
        _by_us.set(True)


def gives_way_here_alone() -> bool:
    """Whether `give_way` has said so for this process, and nobody for others."""
    return _by_us.get()
