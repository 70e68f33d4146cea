"""How different pictures are from each other, by what `appearance.look` kept of each. Knows no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Look = NDArray[np.float16]  # (D,)
_AT_ONCE = 1024  # pictures whose distances to all others are in memory


def difference(one: Look, other: Look) -> float:
    """0..1 of two looks: 0 of equal ones, 1 of ones that have nothing in common, and of opposite ones too."""
    return float(_differences(one[None].astype(np.float32), other[None].astype(np.float32))[0, 0])


def nearest(looks: Sequence[Look]) -> list[float]:
    """Of each of two looks or more its difference from the one that is nearest."""
    every = np.stack(looks).astype(np.float32)  # (N, D)
    found: list[float] = []
    for first in range(0, len(every), _AT_ONCE):
        away = _differences(every[first : first + _AT_ONCE], every)
        rows = np.arange(len(away))
        away[rows, first + rows] = np.inf  # itself
        found += away.min(1).tolist()
    return found


def _differences(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, D), (M, D) → (N, M): 1 minus the part of their contrasts that two have in common."""
    both = np.square(some).sum(1)[:, None] + np.square(others).sum(1)[None]
    common = np.where(both > 1e-6, 2 * some @ others.T / np.maximum(both, 1e-6), 1.0)  # flat pictures are alike
    return np.asarray(np.clip(1 - common, 0.0, 1.0), dtype=np.float32)
