"""The rejector: whether what a network sees in a picture is probably there, by how sure it is and by how usual the picture is to it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor

from reverie.errors import InputError
from reverie.networks.builtin.class_lookup import Label
from reverie.networks.builtin.measured import rejector_of
from reverie.networks.norm_statistics import Statistics

PASSING = 0.95  # of known pictures: those below are nothing that is known
SURE = 0.8  # of known pictures: among those below pictures of other things are as frequent, so the words say perhaps
LEAST, ENOUGH = 5, 19  # pictures to learn from at all, and for 95 % of new ones to pass
METHODS = ("GEN", "GEN + norms")
_GAMMA, _LARGEST = 0.1, 100  # of GEN: the power, and how many probabilities count
_FAINT = 1e-3  # of the largest spread in a layer: what varies less tells nothing
_DRAWS = 2000  # of the bootstrap

Raw = tuple[float, ...]  # of a picture: how sure the network is, and, where norms remember, how usual the picture is to it


@dataclass(frozen=True)
class Known:
    """Whether what a network sees in a picture is probably there.

    Attributes:
        is_known: the score reaches the threshold, as 95 % of known photographs do.
        score: higher for what is known, in standard deviations of known photographs; without bounds, 0 is usual.
        threshold: of the score.
        method: by which it is measured, `GEN + norms` or `GEN`.
        is_sure: above where known and unknown photographs lie alike, or below where known ones lie; else it is only perhaps so.
    """

    is_known: bool
    score: float
    threshold: float
    method: str
    is_sure: bool

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in ("is_known", "score", "threshold", "method")}


class Recognised(list[Label]):
    """The most probable classes of a picture, the first the likeliest.

    Attributes:
        known: whether the first is probably there; None of a network that is not calibrated.
    """

    def __init__(self, labels: Iterable[Label], known: Known | None = None) -> None:
        super().__init__(labels)
        self.known = known

    @property
    def remark(self) -> str:
        """What there is to say where it is not sure that anything known is there: `nothing I know: it is most like pelican (31 %)`."""
        if self.known is None or not self or (self.known.is_known and self.known.is_sure):
            return ""
        perhaps = "perhaps " if self.known.is_known else ""
        return f"{perhaps}nothing I know: it is most like {self[0].label} ({100 * self[0].probability:.0f} %)"


@dataclass(frozen=True)
class Calibration:
    """What the scores of known pictures are.

    Attributes:
        method: `GEN + norms` where norms remember the training, else `GEN`.
        means, spreads: over the known pictures, of how sure the network is, and of how usual they are to it.
        threshold: that 95 % of known pictures reach; of n pictures, n of n + 1 where that is less. threshold_interval: in which it lies for
            95 % of draws of the pictures with replacement.
        sure: the score that 80 % of them reach.
        pictures: how many there were.
    """

    method: Literal["GEN", "GEN + norms"]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    threshold: float
    threshold_interval: tuple[float, float]
    sure: float
    pictures: int

    def known(self, raw: Raw) -> Known:
        """Of one picture."""
        found = _score(raw, self.means, self.spreads)
        return Known(
            found >= self.threshold, round(found, 4), round(self.threshold, 4), self.method, found >= self.sure or found < self.threshold
        )

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def calibration_from(data: Mapping[str, Any]) -> Calibration | None:
    """From what `as_data` gave; None where it is not of that form, as from another version."""
    try:
        numbers = {name: tuple(float(each) for each in data[name]) for name in ("means", "spreads", "threshold_interval")}
        method, count = METHODS.index(data["method"]), int(data["pictures"])
        found = Calibration(
            METHODS[method], numbers["means"], numbers["spreads"], float(data["threshold"]), numbers["threshold_interval"][:2],  # type: ignore
            float(data["sure"]), count,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        return None
    every = (*found.means, *found.spreads, found.threshold, found.sure)
    fits = len(found.means) == len(found.spreads) == method + 1 and len(found.threshold_interval) == 2
    return found if fits and all(math.isfinite(each) for each in every) and min(found.spreads) > 0 else None


@cache
def measured(name: str, sha256: str) -> Calibration | None:
    """That of a built-in network with these very weights; None of any other. `python -m bench.reject --write` measured it."""
    data = rejector_of(name, sha256)
    return None if data is None else calibration_from(data)


def raw_of(seen: Mapping[str, Tensor], usual: Statistics, probabilities: Tensor) -> Raw:
    """Of one picture, from the probabilities (K,) and activations (1, C, H, W) of the layers that `usual` has."""
    sure = float(generalised_entropy(probabilities.double()[None]))
    return (sure, -float(unusual(seen, usual))) if usual else (sure,)


def generalised_entropy(probabilities: Tensor) -> Tensor:
    """(N, K) → (N,): GEN, minus the sum of (p (1 - p))^0.1 over the 100 greatest; at most 0. Liu, Lochman & Zach, CVPR 2023."""
    found = probabilities.topk(min(_LARGEST, probabilities.shape[1])).values  # (N, 100)
    return -(found * (1 - found)).clamp_min(0).pow(_GAMMA).sum(1)


def unusual(seen: Mapping[str, Tensor], usual: Statistics) -> Tensor:
    """(N,): how far the means of a picture's channels are from what the norms remember of the training.

    The square of the distance in spreads, over the channels of a layer; the logarithm of one more than that, over the layers. 0 is usual.
    """
    layers = []
    for name, (mean, spread) in usual.items():
        away = (seen[name].mean((2, 3)) - mean) / spread.clamp_min(_FAINT * float(spread.max()))  # (N, C)
        layers.append(away.square().mean(1).log1p())
    return torch.stack(layers).mean(0)


def threshold_of(scores: Sequence[float], passing: float = PASSING) -> float:
    """The score that a new known picture reaches with at least this chance, whatever their distribution is: the k-th lowest of n.

    k is the whole part of (1 - passing) (n + 1): split conformal prediction, Vovk et al. 2005. Where that is 0 it is the lowest, which n of
    n + 1 reach.
    """
    return sorted(scores)[max(1, int((1 - passing) * (len(scores) + 1) + 1e-9)) - 1]


def calibrated(raws: Sequence[Raw]) -> Calibration:
    """From known pictures, each a thing of its own. Each is judged by mean and spread of the others, as a new one will be.

    Raises:
        InputError: there are fewer than 5.
    """
    if len(raws) < LEAST:
        count = f"{len(raws)} picture{'s' * (len(raws) != 1)}"
        raise InputError(
            f"{count} to calibrate with, which is too few", f"give {LEAST} at least, each another; from {ENOUGH} on 95 % of new ones pass"
        )
    values = torch.tensor(raws, dtype=torch.float64)  # (N, parts)
    means, spreads = _moments(values)
    scores = apart(values)
    generator = torch.Generator().manual_seed(0)
    draws = [
        threshold_of([scores[each] for each in torch.randint(len(scores), (len(scores),), generator=generator)]) for _ in range(_DRAWS)
    ]
    low, high = torch.tensor(draws).quantile(torch.tensor([0.025, 0.975])).tolist()
    return Calibration(
        METHODS[values.shape[1] - 1],  # type: ignore[arg-type]
        means, spreads, threshold_of(scores), (low, high), threshold_of(scores, SURE), len(raws),
    )  # fmt: skip


def apart(values: Tensor) -> list[float]:
    """The score of each of the known pictures (N, parts), by mean and spread of all the others."""
    rows = [(row.tolist(), _moments(torch.cat([values[:place], values[place + 1 :]]))) for place, row in enumerate(values)]
    return [_score(row, means, spreads) for row, (means, spreads) in rows]


def scores(values: Tensor, calibration: Calibration) -> list[float]:
    """Of other pictures (N, parts)."""
    return [_score(row, calibration.means, calibration.spreads) for row in values.tolist()]


def _moments(values: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(N, parts) → mean and spread of each part; a spread that is none is as small as it can be told."""
    mean, spread = values.mean(0), values.std(0)
    least = (1e-6 * mean.abs()).clamp_min(1e-9)
    return tuple(mean.tolist()), tuple(spread.maximum(least).tolist())


def _score(raw: Sequence[float], means: Sequence[float], spreads: Sequence[float]) -> float:
    return sum((value - mean) / spread for value, mean, spread in zip(raw, means, spreads, strict=True))
