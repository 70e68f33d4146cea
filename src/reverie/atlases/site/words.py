"""Figures of an atlas in words and simple drawings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

Bars = Sequence[Sequence[float]]
"""Of a histogram: where each bar begins and ends, and how many answers it holds."""

WIDTH, HEIGHT = 400, 100  # of a histogram's drawing
LEVELS = {
    "edges": "lines and borders", "textures": "surfaces: grain, fur, weave", "patterns": "things that repeat: tiles, beads, arches",
    "parts": "parts of things: eyes, wheels, leaves", "objects": "whole things", "scenes": "places, and what fills a picture",
}  # fmt: skip


def figure(number: float) -> str:
    """Three digits that count, with a true minus sign: `0.0123`, `4.56`, `1,230`."""
    if not math.isfinite(number):
        return "–"
    if number == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(number))))
    return f"{round(number, digits):,.{min(digits, 6)}f}".replace("-", "−")


def share(part: float) -> str:
    """A share 0..1 of a side in words: `about a quarter`."""
    if part >= 0.95:
        return "the whole"
    names = ((3 / 4, "three quarters"), (2 / 3, "two thirds"), (1 / 2, "half"), (1 / 3, "a third"), (1 / 4, "a quarter"),
             (1 / 5, "a fifth"), (1 / 6, "a sixth"), (1 / 8, "an eighth"), (1 / 10, "a tenth"), (1 / 15, "a fifteenth"),
             (1 / 20, "a twentieth"), (1 / 30, "a thirtieth"))  # fmt: skip
    nearest = min(names, key=lambda each: abs(math.log(each[0] / max(part, 1e-6))))
    return f"about {nearest[1]}" if part > 0.03 else "less than a thirtieth"


def quantile(bars: Bars, wanted: float) -> float:
    """Where this share of the answers lies below, as told by a histogram."""
    counts = [each[2] for each in bars]
    goal = wanted * sum(counts)
    for (low, high, count), behind in zip(bars, accumulate(counts), strict=True):
        if behind >= goal and count:
            return float(low + (high - low) * (goal - (behind - count)) / count)
    return float(bars[-1][1])


def histogram(bars: Bars, mean: float) -> dict[str, Any] | None:
    """Its drawing as the path of an SVG, and its words. Heights are the square roots of the counts."""
    total = int(sum(each[2] for each in bars))
    if total == 0:
        return None
    low, high = bars[0][0], bars[-1][1]
    top = math.sqrt(max(each[2] for each in bars))
    scale = WIDTH / max(high - low, 1e-12)
    parts = [
        f"M{(begin - low) * scale:.1f} {HEIGHT}v-{HEIGHT * math.sqrt(count) / top:.1f}h{max((end - begin) * scale - 1, 1):.1f}V{HEIGHT}z"
        for begin, end, count in bars
        if count
    ]
    half, tenth = quantile(bars, 0.5), quantile(bars, 0.9)
    words = f"Of {total:,} pictures half answer below {figure(half)}, and one in ten above {figure(tenth)}; the mean is {figure(mean)}."
    return {
        "path": "".join(parts), "mean": round((mean - low) * scale, 1), "words": words, "low": figure(low), "high": figure(high),
    }  # fmt: skip


def box(row: int, column: int, height: int, width: int, side: float | None) -> list[float] | None:
    """What a unit looked at of a picture, in hundredths of its sides: left, top, width, height; None where that is nearly all."""
    if side is None or side >= 0.95:
        return None
    down, across = (row + 0.5) / height, (column + 0.5) / width
    left, right = max(0.0, across - side / 2), min(1.0, across + side / 2)
    top, bottom = max(0.0, down - side / 2), min(1.0, down + side / 2)
    return [round(100 * each, 2) for each in (left, top, right - left, bottom - top)]


def where(row: int, column: int, height: int, width: int) -> str:
    """A place in words: `at the top left`."""
    down = ("at the top", "", "at the bottom")[min(2, int(3 * (row + 0.5) / height))]
    across = ("left", "", "right")[min(2, int(3 * (column + 0.5) / width))]
    if not down:
        return f"at the {across}" if across else "in the middle"
    return f"{down} {across}".strip()
