"""A person's stars beside the scores: how far they rank pictures alike, and a ranking fitted to the stars. Knows no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.judging.scores.table import ENOUGH

LEAST = 10  # pictures with stars and a score, from which on a correlation says something
RIDGE = 10.0  # the penalty: as if ten more pictures had said that no score matters
_PART = 0.5  # of the pictures with stars, that must have a score for it to take part

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Correlation:
    """How far stars and a score rank pictures alike.

    Attributes:
        name: of the score. pictures: how many have both.
        rank: Spearman's correlation, -1 to 1; None where there are too few, or all are alike in one of the two.
        low, high: of its 95 % interval; None as `rank`.
    """

    name: str
    pictures: int
    rank: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def words(self) -> str:
        """`0.42 (0.11 to 0.65)`, or why there is none."""
        if self.rank is None or self.low is None or self.high is None:
            return f"too few to tell: {LEAST} are the least" if self.pictures < LEAST else "all alike"
        return f"{self.rank:.2f} ({self.low:.2f} to {self.high:.2f})".replace("-", "−")


@dataclass(frozen=True)
class Fitted:
    """A ranking fitted to stars.

    Attributes:
        stars: how many pictures with stars it was fitted to.
        expected: by the number of a picture that has a score the stars that it is expected to get.
        reached: how far it ranks pictures as their stars do that it was not fitted to, each left out in its turn.
        weights: by score, what one standard deviation more of it adds, in stars.
    """

    stars: int
    expected: Mapping[int, float]
    reached: Correlation
    weights: Mapping[str, float]


def correlated(name: str, scores: Sequence[float], stars: Sequence[float]) -> Correlation:
    """Spearman's rank correlation (1904); what is alike shares the mean of its ranks.

    The interval is Fisher's, with the standard error of Bonett & Wright 2000, sqrt((1 + r²/2) / (n - 3)).
    """
    count = len(scores)
    one, other = (_ranks(np.asarray(each, dtype=np.float64)) for each in (scores, stars))
    if count < LEAST or np.ptp(one) == 0 or np.ptp(other) == 0:
        return Correlation(name, count)
    rank = float(np.clip(np.corrcoef(one, other)[0, 1], -1, 1))
    wide = 1.959964 * math.sqrt((1 + rank**2 / 2) / (count - 3))
    middle = math.atanh(min(max(rank, -0.999999), 0.999999))
    return Correlation(name, count, rank, math.tanh(middle - wide), math.tanh(middle + wide))


def fitted(pictures: Sequence[Mapping[str, float]], stars: Mapping[int, int]) -> Fitted | None:
    """A ridge regression (Hoerl & Kennard 1970) of stars on scores; None of fewer than 20 pictures with stars, or of stars all alike.

    Scores are in standard deviations over all pictures, and one that is missing is their mean; the penalty is 10. Only scores take part
    that half of the pictures with stars have.

    Args:
        pictures: the scores of each. stars: by the number of a picture, of those that have scores.
    """
    stars = {at: count for at, count in stars.items() if pictures[at]}
    if len(stars) < ENOUGH or len(set(stars.values())) < 2:
        return None
    names = [name for name in _names(pictures) if sum(name in pictures[at] for at in stars) >= _PART * len(stars)]
    values = np.array([[each.get(name, math.nan) for name in names] for each in pictures], dtype=np.float64).reshape(len(pictures), -1)
    spread = np.nanstd(values, axis=0)
    told = [place for place in range(len(names)) if spread[place] > 1e-9]
    names, values = [names[place] for place in told], values[:, told]
    if not names:
        return None
    values = np.nan_to_num((values - np.nanmean(values, axis=0)) / spread[told])  # (P, S)
    rows = list(stars)
    wanted = np.array([stars[at] for at in rows], dtype=np.float64)
    middle, weights, left_out = _ridge(values[rows], wanted)
    expected = {at: middle + float(values[at] @ weights) for at, each in enumerate(pictures) if each}
    reached = correlated("pictures it was not fitted to", left_out.tolist(), wanted.tolist())
    return Fitted(len(rows), expected, reached, dict(zip(names, weights.tolist(), strict=True)))


def _ridge(values: Floats, wanted: Floats) -> tuple[float, Floats, Floats]:
    """The constant, the weights (S,), and what is expected of each row by a fit to all others (N,), without making that fit."""
    count = len(values)
    own = np.hstack([np.ones((count, 1)), values])  # (N, 1 + S)
    penalty = np.diag([0.0, *[RIDGE] * values.shape[1]])
    solved = np.linalg.solve(own.T @ own + penalty, own.T)  # (1 + S, N)
    found = solved @ wanted
    lever = np.einsum("ns,sn->n", own, solved)
    left_out = wanted - (wanted - own @ found) / (1 - lever)
    return float(found[0]), found[1:], left_out


def _names(pictures: Sequence[Mapping[str, float]]) -> list[str]:
    return sorted({name for each in pictures for name in each})


def _ranks(values: Floats) -> Floats:
    """(N,) ranks from 1."""
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1)
    _, which = np.unique(values, return_inverse=True)
    found: Floats = np.bincount(which, ranks)[which] / np.bincount(which)[which]
    return found
