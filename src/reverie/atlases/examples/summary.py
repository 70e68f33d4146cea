"""What a layer answered to a data set, channel by channel, of a size that does not grow with it; parts of it are merged in any order."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEPT = 64  # pictures at either end of a channel's answers: some are shown, others are held out for tests
BINS = 256  # of answers, by the sign, the exponent and two more bits of their float16: within an eighth of their size
NONE = -1  # a picture that is not there
_MIXED = 2654435761  # Knuth's multiplicative hash: which picture stands for a bin follows from its number alone

Floats = NDArray[np.float32]
Halves = NDArray[np.float16]
Numbers = NDArray[np.int32]


@dataclass
class Summary:
    """Of one layer. A picture's answer is the largest value of a channel over its places; where that was is told as row × width + column.

    Attributes:
        count: of pictures.
        top, top_at, top_place: (C, K): the largest answers, falling, with the numbers of their pictures and places; `NONE` where fewer.
        low, low_at, low_place: (C, K): the smallest, rising.
        bins: (C, 256): how many answers fell into each bin, rising.
        shown_at, shown_place: (C, 256): one picture of each bin, which of them does not depend on the order; `NONE` where there is none.
        total, squares: (C,): sums of the answers, and of their squares.
        rows_at: (n,): numbers of the pictures of the sample, rising. rows_max, rows_mean: (n, C): their largest and mean values.
        spots_at, spots_place: (m,): of places of these, drawn at random. spots: (m, C): the values there.
    """

    count: int
    top: Floats
    top_at: Numbers
    top_place: Numbers
    low: Floats
    low_at: Numbers
    low_place: Numbers
    bins: Numbers
    shown_at: Numbers
    shown_place: Numbers
    total: NDArray[np.float64]
    squares: NDArray[np.float64]
    rows_at: Numbers
    rows_max: Halves
    rows_mean: Halves
    spots_at: Numbers
    spots_place: Numbers
    spots: Halves

    @property
    def channels(self) -> int:
        return len(self.bins)

    def to_bytes(self) -> bytes:
        """As a file of arrays."""
        out = io.BytesIO()
        arrays: dict[str, Any] = {each.name: np.asarray(getattr(self, each.name)) for each in fields(self)}
        np.savez(out, **arrays)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Summary:
        """Raises ValueError, OSError or KeyError where it is damaged."""
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            arrays: dict[str, Any] = {each.name: found[each.name] for each in fields(cls)}
        arrays["count"] = int(arrays["count"])
        return cls(**arrays)


def summary_of(
    answers: Floats, places: Numbers, means: Floats, numbers: Numbers, in_sample: NDArray[np.bool_], spots: Floats, spots_at: Numbers,
    spots_place: Numbers,
) -> Summary:  # fmt: skip
    """Of some pictures.

    Args:
        answers, places, means: (N, C) each: the largest value, where it is, and the mean over places.
        numbers: (N,): of the pictures in the data set. in_sample: (N,): which are in its sample.
        spots: (M, C): values at places of pictures of the sample. spots_at, spots_place: (M,).
    """
    answers = np.nan_to_num(answers, posinf=65504.0, neginf=-65504.0).astype(np.float32)
    bin_of = bins_of(answers)  # (N, C)
    count, channels = answers.shape
    bins = np.zeros((channels, BINS), np.int32)
    np.add.at(bins, (np.broadcast_to(np.arange(channels), (count, channels)), bin_of), 1)
    shown_at, shown_place = np.full((channels, BINS), NONE, np.int32), np.full((channels, BINS), NONE, np.int32)
    for row in np.argsort(-_mixed(numbers).astype(np.int64), kind="stable"):  # the last that is written is the least: it stays
        shown_at[np.arange(channels), bin_of[row]] = numbers[row]
        shown_place[np.arange(channels), bin_of[row]] = places[row]
    top, low = _ranked(answers, numbers, places, -1), _ranked(answers, numbers, places, 1)
    order = np.argsort(numbers[in_sample], kind="stable")
    wide = answers.astype(np.float64)
    return Summary(
        count, *top, *low, bins, shown_at, shown_place, wide.sum(0), (wide**2).sum(0), numbers[in_sample][order],
        _halves(answers[in_sample][order]), _halves(means[in_sample][order]), spots_at, spots_place, _halves(spots),
    )  # fmt: skip


def merged(parts: Sequence[Summary]) -> Summary:
    """Of all pictures of several parts, which have none in common."""
    first, *others = parts
    for other in others:
        first = _two(first, other)
    return first


def bins_of(answers: Floats) -> NDArray[np.int64]:
    """The bin of each answer, 0..255, rising with it."""
    bits = (np.clip(answers, -65504, 65504).astype(np.float16).view(np.uint16) >> 8).astype(np.int64)
    return np.where(bits >= 128, 255 - bits, bits + 128)


def edges() -> Floats:
    """(257,): where bins end: bin b holds what is between edges[b] and edges[b + 1]."""
    magnitudes = (np.arange(124, dtype=np.uint16) << 8).view(np.float16).astype(np.float32)  # up to the largest number
    positive = np.concatenate([magnitudes, np.full(5, 65504, np.float32)])  # (129,)
    return np.concatenate([-positive[:0:-1], positive]).astype(np.float32)


def _two(one: Summary, other: Summary) -> Summary:
    top = _merged_rank(one, other, "top", -1)
    low = _merged_rank(one, other, "low", 1)
    takes_other = (other.shown_at != NONE) & ((one.shown_at == NONE) | (_mixed(other.shown_at) < _mixed(one.shown_at)))
    rows = np.argsort(np.concatenate([one.rows_at, other.rows_at]), kind="stable")
    spots = np.lexsort((np.concatenate([one.spots_place, other.spots_place]), np.concatenate([one.spots_at, other.spots_at])))
    return Summary(
        one.count + other.count, *top, *low, one.bins + other.bins, np.where(takes_other, other.shown_at, one.shown_at),
        np.where(takes_other, other.shown_place, one.shown_place), one.total + other.total, one.squares + other.squares,
        np.concatenate([one.rows_at, other.rows_at])[rows], np.concatenate([one.rows_max, other.rows_max])[rows],
        np.concatenate([one.rows_mean, other.rows_mean])[rows], np.concatenate([one.spots_at, other.spots_at])[spots],
        np.concatenate([one.spots_place, other.spots_place])[spots], np.concatenate([one.spots, other.spots])[spots],
    )  # fmt: skip


def _merged_rank(one: Summary, other: Summary, name: str, sign: int) -> tuple[Floats, Numbers, Numbers]:
    values, at, place = (
        np.concatenate([getattr(one, field), getattr(other, field)], axis=1) for field in (name, f"{name}_at", f"{name}_place")
    )
    return _first(values, at, place, sign)


def _ranked(answers: Floats, numbers: Numbers, places: Numbers, sign: int) -> tuple[Floats, Numbers, Numbers]:
    """(C, K) each: the largest (sign -1) or smallest (1) answers, their pictures and places."""
    at = np.broadcast_to(numbers[:, None], answers.shape)
    return _first(np.ascontiguousarray(answers.T), np.ascontiguousarray(at.T), np.ascontiguousarray(places.T), sign)


def _first(values: Floats, at: Numbers, place: Numbers, sign: int) -> tuple[Floats, Numbers, Numbers]:
    """The first K of (C, N) by value, then by number; what is not there goes last."""
    keyed = np.where(at == NONE, np.inf, sign * values.astype(np.float64))
    order = np.lexsort((at, keyed), axis=1)[:, :KEPT]  # (C, ≤K)
    found = [np.take_along_axis(each, order, 1) for each in (values, at, place)]
    short = KEPT - order.shape[1]
    if short > 0:
        found = [np.pad(each, ((0, 0), (0, short)), constant_values=NONE) for each in found]
    return found[0].astype(np.float32), found[1].astype(np.int32), found[2].astype(np.int32)


def _mixed(numbers: NDArray[Any]) -> NDArray[np.uint32]:
    return ((numbers.astype(np.uint64) * _MIXED) & 0xFFFFFFFF).astype(np.uint32)


def _halves(values: Floats) -> Halves:
    return np.clip(np.nan_to_num(values), -65504, 65504).astype(np.float16)
