"""How often a film flashes, counted as WCAG 2.3.1 has it, so that people who are sensitive to light are told before it plays."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np

Frame = np.ndarray[Any, np.dtype[np.uint8]]  # (H, W, 3)
Numbers = np.ndarray[Any, np.dtype[np.float32]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

SAFE = 3  # flashes within a second, above which people can be harmed
_CELLS = 24  # a side of the grid on which light is followed
_LOOKED_AT = 240  # pixels a side that are enough for it
_STEP, _DARK = 0.10, 0.80  # a change of relative luminance that counts, and the darker of its ends at the most
_RED_STEP, _SATURATED = 20 / 320, 0.80  # the same of saturated red: (R - G - B) x 320 by 20, where R is so much of all
_SHARE = 0.25  # of a field of 10 degrees that must change at once
_FIELD = 3  # so many of these fields lie side by side on a screen
_TOGETHER = 0.1  # seconds within which changes are at once
_LINEAR = np.where(np.arange(256) / 255 <= 0.04045, np.arange(256) / 255 / 12.92, ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)


def flashes(frames: Iterable[Frame], times: Iterable[float]) -> int:
    """The most flashes that any second of a film holds: pairs of opposing changes, of light or of saturated red, over a large enough area.

    The film is taken to fill the screen, which is the worst case; what is no larger than a quarter of a ninth of it does not count.
    Method: W3C, Web Content Accessibility Guidelines 2.2, success criterion 2.3.1 and its definition of general and red flash thresholds.

    Args:
        frames: each (H, W, 3) uint8 sRGB, in order. times: when each is shown, in seconds, each later than the one before.

    Returns:
        Flashes within one second, 0 or more; above `SAFE` they are too many.
    """
    counters: tuple[_Counter, _Counter] | None = None
    most = 0
    for frame, time in zip(frames, times, strict=False):
        light, red = _seen(frame)
        if counters is None:
            counters = _Counter(light, _STEP, _DARK), _Counter(red, _RED_STEP, np.inf)
            continue
        most = max(most, counters[0].take(light, time), counters[1].take(red, time))
    return most


def _seen(frame: Frame) -> tuple[Numbers, Numbers]:
    """Relative luminance 0..1 and saturated red 0..1, each on a grid."""
    apart = max(1, -(-max(frame.shape[:2]) // _LOOKED_AT))
    linear = _LINEAR[frame[::apart, ::apart]]  # (h, w, 3)
    rows, columns = (np.linspace(0, side, min(_CELLS, side), endpoint=False).astype(int) for side in linear.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(linear, rows, 0), columns, 1)
    counts = np.outer(np.diff([*rows, linear.shape[0]]), np.diff([*columns, linear.shape[1]]))
    cells = sums / counts[..., None]  # (rows, columns, 3)
    light = cells @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    red = (cells[..., 0] - cells[..., 1] - cells[..., 2]).clip(0)
    return light, np.where(cells[..., 0] >= _SATURATED * cells.sum(-1), red, 0).astype(np.float32)


class _Counter:
    """Follows a value in each cell, and counts flashes in each field.

    Args:
        first: its values on the grid. step: a change that counts. dark: of the lower end of a change, at the most.
    """

    def __init__(self, first: Numbers, step: float, dark: float) -> None:
        self._step, self._dark = step, dark
        self._low, self._high = first.copy(), first.copy()  # since the last change that counted
        self._way = np.zeros(first.shape, np.int8)  # of it: 1 brighter, -1 darker
        self._since = np.full(first.shape, -np.inf)
        self._field = tuple(max(1, side // _FIELD) for side in first.shape)
        self._last: np.ndarray[Any, np.dtype[np.int8]] = np.zeros(
            [side - part + 1 for side, part in zip(first.shape, self._field, strict=True)], np.int8
        )
        self._recent: deque[tuple[float, Mask]] = deque()
        self._count = np.zeros(self._last.shape, np.int32)

    def take(self, values: Numbers, time: float) -> int:
        """The next frame; the most flashes of the second that ends with it."""
        np.minimum(self._low, values, out=self._low)
        np.maximum(self._high, values, out=self._high)
        up = (self._way <= 0) & (values - self._low >= self._step) & (self._low < self._dark)
        down = (self._way >= 0) & (self._high - values >= self._step) & (values < self._dark) & ~up
        for changed, way in ((up, 1), (down, -1)):
            self._way[changed] = way
            self._since[changed] = time
            self._low[changed] = self._high[changed] = values[changed]
        now = self._since >= time - _TOGETHER
        for way in (1, -1):
            turned = self._large(now & (self._way == way)) & (self._last != way)
            if turned.any():
                self._last[turned] = way
                self._recent.append((time, turned))
                self._count += turned
        while self._recent and self._recent[0][0] <= time - 1 + 1e-9:
            self._count -= self._recent.popleft()[1]
        return int(self._count.max()) // 2

    def _large(self, cells: Mask) -> Mask:
        """In which fields enough of them are."""
        sums = np.pad(cells.astype(np.int32).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        high, wide = self._field
        inside = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
        return np.asarray(inside >= max(1, _SHARE * high * wide))
