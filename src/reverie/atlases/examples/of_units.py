"""What of the answers of a layer is told of each unit: examples at both ends and between, how they are spread, who fires with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.atlases.examples.summary import NONE, Summary, edges

SHOWN, LEAST, BETWEEN = 9, 4, 9  # examples that are shown of the largest answers, of the smallest, and between
HELD_OUT = 24  # of the largest answers that are not shown: for tests
TOGETHER = 6  # units that fire with one
_BARS = 40  # of a histogram
_SIXTEEN = 16  # pictures of a sample below which nothing is said of who fires with whom


@dataclass(frozen=True)
class Example:
    """A picture that a unit answered to: its number in the data set, the answer, and the place (row, column) of it on the layer's map."""

    picture: int
    answer: float
    row: int
    column: int


@dataclass(frozen=True)
class UnitExamples:
    """Of one unit.

    Attributes:
        top, low: the largest answers, falling, and the smallest, rising. between: spread evenly over its range, rising.
        held_out: those after the top, which are shown nowhere: tests use them.
        mean, spread: of all answers. dead: none was above 0, and all are alike.
        bars: of a histogram: where each begins and ends, and how many answers are in it.
        together: other units of the layer that fire with it: number and correlation over the sample.
    """

    top: tuple[Example, ...]
    low: tuple[Example, ...]
    between: tuple[Example, ...]
    held_out: tuple[Example, ...]
    mean: float
    spread: float
    dead: bool
    bars: tuple[tuple[float, float, int], ...]
    together: tuple[tuple[int, float], ...] = ()

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def unit_examples(summary: Summary, channel: int, width: int, correlation: NDArray[np.float32] | None = None) -> UnitExamples:
    """What is told of a unit.

    Args:
        summary: of its layer. width: columns of the layer's map.
        correlation: (C, C), see `correlations`.
    """

    def examples(name: str, first: int, count: int) -> tuple[Example, ...]:
        values, at, place = (getattr(summary, each)[channel][first : first + count] for each in (name, f"{name}_at", f"{name}_place"))
        return tuple(
            Example(int(number), round(float(value), 4), *divmod(int(where), width))
            for value, number, where in zip(values, at, place, strict=True)
            if number != NONE
        )

    top = examples("top", 0, SHOWN)
    mean = float(summary.total[channel] / summary.count)
    spread = float(np.sqrt(max(0.0, summary.squares[channel] / summary.count - mean**2)))
    low = tuple(each for each in examples("low", 0, LEAST) if each.picture not in {one.picture for one in top})
    bars = _bars(summary.bins[channel], float(summary.low[channel, 0]), float(summary.top[channel, 0]))
    return UnitExamples(
        top, low, _between(summary, channel, width), examples("top", SHOWN, HELD_OUT), round(mean, 4), round(spread, 4),
        bool(dead_units(summary)[channel]), bars, _together(correlation, channel),
    )  # fmt: skip


def dead_units(summary: Summary) -> NDArray[np.bool_]:
    """(C,): units that no picture excites: none of their answers was above 0, and all are alike."""
    mean = summary.total / summary.count
    spread = np.sqrt(np.maximum(0.0, summary.squares / summary.count - mean**2))
    found: NDArray[np.bool_] = (summary.top[:, 0] <= 0) & (spread < 1e-6 * np.maximum(1.0, np.abs(mean)))
    return found


def correlations(summary: Summary) -> NDArray[np.float32] | None:
    """(C, C): how the largest answers of units go together over the pictures of the sample, −1..1; None of fewer than 16 pictures."""
    rows = summary.rows_max.astype(np.float32)  # (n, C)
    if len(rows) < _SIXTEEN:
        return None
    rows -= rows.mean(0)
    rows /= np.maximum(np.linalg.norm(rows, axis=0), 1e-6)
    found: NDArray[np.float32] = rows.T @ rows
    return found


def _between(summary: Summary, channel: int, width: int) -> tuple[Example, ...]:
    """One picture of each of some bins that lie evenly over what the answers are, not over how many there are."""
    filled = np.flatnonzero(summary.bins[channel])
    if len(filled) == 0:
        return ()
    ends = edges()
    centres = (ends[filled] + ends[filled + 1]) / 2
    wanted = np.linspace(centres[0], centres[-1], BETWEEN)
    chosen = list(dict.fromkeys(int(filled[np.abs(centres - each).argmin()]) for each in wanted))
    known = _answers(summary, channel)
    found = []
    for each in chosen:
        number = int(summary.shown_at[channel, each])
        answer = known.get(number, float((ends[each] + ends[each + 1]) / 2))  # of a large data set to an eighth
        found.append(Example(number, round(answer, 4), *divmod(int(summary.shown_place[channel, each]), width)))
    return tuple(sorted(found, key=lambda each: each.answer))


def _answers(summary: Summary, channel: int) -> dict[int, float]:
    """What pictures answered, of those of which it is kept: both ends, and the sample."""
    ends = [(getattr(summary, f"{name}_at")[channel], getattr(summary, name)[channel]) for name in ("top", "low")]
    pairs = [(summary.rows_at, summary.rows_max[:, channel].astype(np.float32)), *ends]
    return {int(number): float(value) for at, values in pairs for number, value in zip(at, values, strict=True) if number != NONE}


def _bars(bins: NDArray[np.int32], low: float, high: float) -> tuple[tuple[float, float, int], ...]:
    """A histogram of even bars from the smallest answer to the largest; what a bin holds is spread evenly over it."""
    filled = np.flatnonzero(bins)
    if len(filled) == 0:
        return ()
    ends = edges()
    lines = np.linspace(low, high, _BARS + 1)
    places = np.clip(ends[filled[0] : filled[-1] + 2], low, high)
    below = np.interp(lines, places, np.concatenate([[0], np.cumsum(bins[filled[0] : filled[-1] + 1])]))
    counts = np.diff(np.round(below)).astype(int)
    return tuple((round(float(a), 4), round(float(b), 4), int(n)) for a, b, n in zip(lines[:-1], lines[1:], counts, strict=True))


def _together(correlation: NDArray[np.float32] | None, channel: int) -> tuple[tuple[int, float], ...]:
    if correlation is None:
        return ()
    row = correlation[channel].copy()
    row[channel] = -2
    best = np.argsort(-row, kind="stable")[:TOGETHER]
    return tuple((int(each), round(float(row[each]), 3)) for each in best if row[each] > 0)
