"""Whether a picture that was made takes the path through a network that photographs take.

After Geirhos et al. 2024, "Don't trust your eyes: on the (un)reliability of feature visualizations": layer by layer, what the picture
leaves there is compared with what photographs leave that excite the same unit; 1 is how alike these are among themselves, 0 how alike they
are to other photographs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LEAST = 0.02  # of a cosine, between photographs of the unit and others: below it a layer tells them apart by nothing
FEWEST = 3  # photographs of a unit, and others

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class PathScore:
    """How much a picture goes the way of photographs.

    Attributes:
        score: 0..1 of all layers; None where it cannot be said, and then `why`. layers: lowest first, each 0..1 or None.
    """

    score: float | None
    layers: tuple[tuple[str, float | None], ...]
    why: str = ""


def path(mine: Mapping[str, Floats], tops: Mapping[str, Floats], others: Mapping[str, Floats]) -> PathScore:
    """Compare, layer by layer.

    The score of all layers is of the sums, not a mean of scores: so a layer at which photographs of the unit are hardly more alike than
    any counts as little as it can tell.

    Args:
        mine: by layer, lowest first, (C,): what the picture leaves there, less what is usual, in units of how much that varies.
        tops: (t, C) alike, of photographs that excite the unit. others: (n, C), of other photographs.
    """
    came, could = [], []
    layers: list[tuple[str, float | None]] = []
    if min((min(len(tops[name]), len(others[name])) for name in mine), default=0) < FEWEST:
        return PathScore(None, (), "too few photographs to compare with")
    for name, vector in mine.items():
        own, among, apart = likeness(vector, tops[name], others[name])
        gap = among - apart
        layers.append((name, None if gap < _LEAST else _share(own - apart, gap)))
        came.append(own - apart)
        could.append(gap)
    whole = float(np.sum(could))
    if whole < _LEAST * len(layers):
        return PathScore(None, tuple(layers), "photographs that excite it are hardly more alike than any")
    return PathScore(_share(float(np.sum(came)), whole), tuple(layers))


def likeness(mine: Floats, tops: Floats, others: Floats) -> tuple[float, float, float]:
    """Mean cosines of (t, C) `tops`: with `mine` (C,), with each other, and with `others` (n, C)."""
    own, top, other = unit_length(mine[None])[0], unit_length(tops), unit_length(others)
    count = len(top)
    among = top @ top.T
    return float((top @ own).mean()), float((among.sum() - np.trace(among)) / (count * (count - 1))), float((top @ other.T).mean())


def unit_length(rows: Floats) -> Floats:
    """(n, D), each row of length 1, or 0 where it is 0."""
    wide = rows.astype(np.float32)
    found: Floats = wide / np.maximum(np.linalg.norm(wide, axis=-1, keepdims=True), 1e-12)
    return found


def standardised(rows: Sequence[Floats] | Floats, usual: Floats) -> Floats:
    """(n, D) less the mean of `usual` (m, D), in units of its spread; 0 where that does not vary."""
    wide = usual.astype(np.float32)
    mean, spread = wide.mean(0), wide.std(0)
    found: Floats = np.where(spread > 1e-6, (np.asarray(rows, np.float32) - mean) / np.maximum(spread, 1e-6), 0).astype(np.float32)
    return found


def _share(part: float, whole: float) -> float:
    return min(1.0, max(0.0, part / whole))
