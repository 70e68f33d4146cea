"""What the page shows of one layer: pictures as data URIs, boxes, and what is told in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from reverie.errors import printable
from reverie.insight.layer_report import Counted, Fidelity, Noticed, Opinion, Rung
from reverie.insight.seen_part import on_page
from reverie.networks import Layer
from reverie.pages import Shot, embedded_images, signed

REBUILT, ENHANCED, FEATURE = 640, 640, 200  # longest sides in pixels
CHANNELS = 4  # of a layer that are shown
CELLS = 48  # on the longer side of a grid that the script reads
WEAKEST_TOP = 4.0  # spreads: a channel that hardly stood out is not painted as if it did
UNUSUAL = 2.0  # spreads above usual, from which on a place counts as unusual
SLIGHT = 0.05  # of a layer's strongest place: what is weaker spoke neither for nor against

LIKENESS = (  # by the similarity at a glance: as a cat and a cup, rebuilt from all blocks of lite0, look beside their photographs
    (0.95, "Very like the original"),
    (0.7, "Much like the original"),
    (0.4, "Somewhat like the original"),
    (0.18, "Faintly like the original"),
    (-1.0, "Hardly like the original"),
)

Box = tuple[float, float, float, float]  # x, y, width, height on the seen picture
_drawn: WeakKeyDictionary[Rung, dict[Any, LayerView]] = WeakKeyDictionary()  # as long as a layer is there, and by all else


@dataclass(frozen=True)
class ChannelView:
    channel: int
    score: str
    top: str
    heat: str
    feature: Shot | None


@dataclass(frozen=True)
class CountedView:
    overlay: str
    total: str
    sides: tuple[tuple[str, str, tuple[tuple[int, str, float], ...]], ...]  # css name, label, (channel, score, share of the strongest)


@dataclass(frozen=True)
class LayerView:
    """What the template of a layer names.

    Attributes:
        number: of the layer on the page, from 1.
        height, width: of its grid on the seen picture.
        field: what one value sees, in words. box: the same of the value in the middle. cell: the step from one place to the next.
        likeness, figures: what the rebuilt picture keeps, in words and numbers; empty where these are none.
    """

    number: int
    layer: Layer
    height: int
    width: int
    field: str
    box: Box
    cell: Box
    rebuilt: Shot
    enhanced: Shot | None
    likeness: str
    figures: str
    opinions: tuple[Opinion, ...]
    noticed: tuple[ChannelView, ...]
    counted: CountedView | None


def layer_view(number: int, rung: Rung, seen: tuple[int, int], labels: tuple[str | None, str | None], quality: int) -> LayerView:
    """What the page shows of a layer; its pictures are coded once, however often the page is written as it grows.

    Args:
        number: of the layer on the page, from 1.
        seen: (height, width) at which the network looked at the picture.
        labels: the label that is explained, and the one it is held against.
        quality: of the pictures, 0..100.
    """
    views, key = _drawn.setdefault(rung, {}), (number, seen, labels, quality)
    if key not in views:
        views[key] = _layer_view(number, rung, seen, labels, quality)
    return views[key]


def _layer_view(number: int, rung: Rung, seen: tuple[int, int], labels: tuple[str | None, str | None], quality: int) -> LayerView:
    grid = rung.activations.shape[1], rung.activations.shape[2]
    box, cell = boxes(rung.layer.receptive_field, grid, seen)
    likeness, figures = _kept(rung.fidelity)
    return LayerView(
        number=number,
        layer=rung.layer._replace(name=printable(rung.name)),
        height=grid[0],
        width=grid[1],
        field=on_page(rung.layer.receptive_field, seen),
        box=box,
        cell=cell,
        rebuilt=embedded_images.photo(rung.rebuilt.colours, REBUILT, quality),
        enhanced=None if rung.enhanced is None else embedded_images.photo(rung.enhanced.colours, ENHANCED, quality),
        likeness=likeness,
        figures=figures,
        opinions=rung.fidelity.opinions,
        noticed=tuple(_channel(each, quality) for each in rung.noticed[:CHANNELS]),
        counted=None if rung.counted is None else _count(rung.counted, labels),
    )


def script_data(rung: Rung) -> dict[str, Any]:
    """What the script reads of a layer: its maps as bytes, on coarse grids."""
    heats = []
    for each in rung.noticed[:CHANNELS]:
        grid = embedded_images.coarse(each.heat.detach().float().cpu(), CELLS).nan_to_num()  # (h', w')
        top = max(float(grid.max()), 1e-6)
        cells = embedded_images.packed(grid / top * 255, 0, 255)
        heats.append({"channel": each.channel, "top": round(top, 3), "grid": [*grid.shape], "cells": cells})
    counted = None
    if rung.counted is not None:
        grid = embedded_images.coarse(rung.counted.places.detach().float().cpu(), CELLS, adding=True).nan_to_num()  # (h', w')
        top = max(float(grid.abs().max()), 1e-12)
        counted = {"grid": [*grid.shape], "cells": embedded_images.packed(grid / top * 127, -127, 127)}
    return {
        "name": printable(rung.name), "level": rung.layer.level, "grid": [*rung.activations.shape[1:]], "field": rung.layer.receptive_field,
        "heats": heats, "counted": counted,
    }  # fmt: skip


def boxes(field: int | None, grid: tuple[int, int], seen: tuple[int, int]) -> tuple[Box, Box]:
    """What the value nearest to the middle sees, and its cell, on the seen picture; the field is cut off at the edges.

    Args:
        field: side of the receptive field in pixels; None is all of the picture.
        grid, seen: (height, width) of the layer in places, of the picture in pixels.
    """
    height, width = seen
    cell_h, cell_w = height / max(1, grid[0]), width / max(1, grid[1])
    left, top = (grid[1] // 2) * cell_w, (grid[0] // 2) * cell_h
    if field is None:
        return (0, 0, width, height), (left, top, cell_w, cell_h)
    x, y = left + cell_w / 2, top + cell_h / 2
    x0, x1 = max(0.0, x - field / 2), min(float(width), x + field / 2)
    y0, y1 = max(0.0, y - field / 2), min(float(height), y + field / 2)
    return (round(x0, 2), round(y0, 2), round(x1 - x0, 2), round(y1 - y0, 2)), (left, top, cell_w, cell_h)


def _kept(fidelity: Fidelity) -> tuple[str, str]:
    """What a rebuilt picture keeps, in words and in numbers; of what is no finite number nothing is told."""
    likeness, figures = "", []
    glance, similarity, error = fidelity.at_a_glance, fidelity.similarity, fidelity.relative_error
    if math.isfinite(glance):
        likeness = next((word for least, word in LIKENESS if glance >= least), LIKENESS[-1][1])
        figures.append(f"similarity at a glance {glance:.2f}".replace("-", "−"))
    if math.isfinite(similarity):
        figures.append(f"{'in detail' if figures else 'similarity'} {similarity:.2f}".replace("-", "−"))
    if math.isfinite(error):
        figures.append(f"relative error {error:.2f}" if error >= 0.005 or error == 0 else "relative error under 0.01")
    return likeness, ", ".join(figures)


def _channel(noticed: Noticed, quality: int) -> ChannelView:
    peak = float(noticed.heat.max()) if noticed.heat.numel() else 0.0
    peak = peak if math.isfinite(peak) else 0.0
    return ChannelView(
        channel=noticed.channel,
        score=_spreads(noticed.score),
        top=_spreads(peak),
        heat=embedded_images.heat(noticed.heat, max(WEAKEST_TOP, peak)),
        feature=None if noticed.feature is None else embedded_images.photo(noticed.feature.colours, FEATURE, quality),
    )


def _spreads(score: float) -> str:
    """`4.2 spreads above usual`."""
    size = f"{abs(score):.1f}"
    if size == "0.0":
        return "as usual"
    return f"{size} spread{'' if size == '1.0' else 's'} {'above' if score > 0 else 'below'} usual"


def _count(counted: Counted, labels: tuple[str | None, str | None]) -> CountedView:
    most = max((abs(score) for _, score in counted.channels_for + counted.channels_against), default=0.0) or 1.0
    sides = []
    both = ("for", labels[0] or "the label", counted.channels_for), ("against", labels[1] or "other labels", counted.channels_against)
    for css, label, channels in both:
        if channels:
            rows = tuple((channel, signed(score), round(100 * abs(score) / most, 1)) for channel, score in channels)
            sides.append((css, label, rows))
    return CountedView(embedded_images.counted(counted.places), signed(counted.total), tuple(sides))
