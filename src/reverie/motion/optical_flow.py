"""How a film moves from one frame to the next, how far that can be trusted, and where the scene cuts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

Frame = np.ndarray[Any, np.dtype[np.uint8]]  # (H, W, 3)
Numbers = np.ndarray[Any, np.dtype[np.float32]]

MOST = 640  # pixels of the longer side at which motion is looked for; more takes long, and finds little more
LEAST = 16  # pixels a side, below which there is no flow to be found
_FINE, _COARSE = (0, 5, 16, 5), (1, 4, 12, 5)  # finest scale, patch stride, descents and refinements of the two flows
_GAP = (0.5, 1.5)  # pixels by which going there and back may miss: all, and nothing, of the trust is left
_GROWING = 0.05  # of the length of the way, by which it may miss besides
_CHANGED = (10.0, 30.0)  # grey levels of 255 by which what was carried may differ from what is there
_CUT = 0.6  # share of the frame that cannot be trusted, from which on it is another scene


@dataclass(frozen=True)
class Carried:
    """From one frame to the next.

    Attributes:
        flow: (H, W, 2), in pixels: what is at (x, y) of the new frame was at (x + flow[y, x, 0], y + flow[y, x, 1]) of the last.
        trust: (H, W) in 0..1, soft: 0 where nothing of the last frame belongs here.
        cut: a new scene begins.
    """

    flow: Numbers
    trust: Numbers
    cut: bool


@contextmanager
def flow_threads(count: int) -> Iterator[None]:
    """OpenCV's threads inside, and as many as before outside."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(count)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def carried(new: Frame, last: Frame) -> Carried:
    """How to carry what belongs to the last frame over to the new one, both (H, W, 3).

    The flow is that of dense inverse search (Kroeger et al. 2016). It is trusted where the flow back comes home (forward-backward check),
    where it does not come from outside, and where what it brings looks like what is there.
    """
    import cv2

    height, width = new.shape[:2]
    share = max(MOST / max(height, width), LEAST / min(height, width))
    if share < 1:
        small = round(width * share), round(height * share)
        way = carried(*(np.asarray(cv2.resize(each, small, interpolation=cv2.INTER_AREA), np.uint8) for each in (new, last)))
        flow, trust = (np.asarray(cv2.resize(each, (width, height)), np.float32) for each in (way.flow, way.trust))
        return Carried(flow * np.array([width / small[0], height / small[1]], np.float32), trust, way.cut)
    if min(height, width) < LEAST:
        return Carried(np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.float32), True)
    greys = [np.asarray(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY)) for each in (new, last)]  # (H, W)
    flow, onward = _flow(greys[0], greys[1], *_FINE), _flow(greys[1], greys[0], *_COARSE)
    x, y = _places(flow)
    there = cv2.remap(onward, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # (H, W, 2)
    gap = np.hypot(*np.moveaxis(flow + there, 2, 0)) - _GROWING * np.hypot(*np.moveaxis(flow, 2, 0))  # (H, W)
    outside = np.maximum.reduce([-x, -y, x - (width - 1), y - (height - 1)])
    brought = cv2.remap(last, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    change = cv2.blur(np.abs(brought.astype(np.float32) - new).mean(2), (3, 3))
    trust = _falling(gap, *_GAP) * _falling(outside, 0.0, 1.0) * _falling(change, *_CHANGED)
    cut = bool(1 - trust.mean() > _CUT)
    soft = cv2.GaussianBlur(cv2.erode(trust, np.ones((3, 3))), (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    return Carried(flow, np.asarray(soft, np.float32), cut)


def warped(values: Numbers, flow: Numbers) -> Numbers:
    """Values of the last frame, (H, W, C), where they are in the new one; what comes from outside is the border's."""
    import cv2

    x, y = _places(flow)
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _flow(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any], finest: int, stride: int, descents: int, refinements: int) -> Numbers:
    import cv2

    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    search.setFinestScale(finest)
    search.setPatchSize(8)
    search.setPatchStride(stride)
    search.setGradientDescentIterations(descents)
    search.setVariationalRefinementIterations(refinements)
    return np.asarray(search.calc(one, other, np.zeros((*one.shape, 2), np.float32)), np.float32)  # (H, W, 2)


def _places(flow: Numbers) -> tuple[Numbers, Numbers]:
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    return x + flow[..., 0], y + flow[..., 1]


def _falling(values: Numbers, low: float, high: float) -> Numbers:
    """1 up to `low`, 0 from `high` on, smooth between."""
    part = np.clip((high - values) / (high - low), 0, 1)
    return np.asarray(part * part * (3 - 2 * part), np.float32)
