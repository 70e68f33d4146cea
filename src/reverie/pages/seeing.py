"""What every layer made of one picture → the page that shows it: one file of HTML."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reverie.errors import printable
from reverie.pages import shots
from reverie.pages.shots import Shot
from reverie.pages.views import Counted, Noticed, Rung, Sight

LIMIT = 10_000_000  # bytes of a page
QUALITIES = (86, 70, 45)  # of the pictures: the first that keeps the page below the limit
LARGE, REBUILT, ENHANCED, FEATURE = 1280, 640, 640, 200  # longest sides in pixels
SHOWN = 4  # channels of a layer
CELLS = 48  # on the longer side of a grid that the script reads
WEAKEST_TOP = 4.0  # spreads: a channel that hardly stood out is not painted as if it did
UNUSUAL = 2.0  # spreads above usual, from which on a place counts as unusual
SLIGHT = 0.05  # of a layer's strongest place: what is weaker spoke neither for nor against
GAP = "\u00a0"

LIKENESS = (
    (0.9, "Very like the photograph"),
    (0.7, "Much like the photograph"),
    (0.4, "Somewhat like the photograph"),
    (-1.0, "Hardly like the photograph"),
)


@dataclass(frozen=True)
class ShownChannel:
    channel: int
    score: str
    top: str
    heat: str
    feature: Shot | None


@dataclass(frozen=True)
class ShownCount:
    overlay: str
    total: str
    sides: tuple[tuple[str, str, tuple[tuple[int, str, float], ...]], ...]  # css name, label, (channel, score, share of the strongest)


@dataclass(frozen=True)
class ShownRung:
    number: int
    rung: Rung
    field: str
    box: tuple[float, float, float, float]  # x, y, width, height on the seen picture: what the value in the middle sees
    cell: tuple[float, float, float, float]  # and the step from one place to the next
    rebuilt: Shot | None
    enhanced: Shot | None
    likeness: str
    figures: str
    noticed: tuple[ShownChannel, ...]
    counted: ShownCount | None

    @property
    def parts(self) -> bool:
        return bool(self.rebuilt or self.enhanced or self.noticed or self.counted)


def see_page(sight: Sight) -> str:
    """The page of what a network saw, whole in itself and below 10 MB: pictures are coded more coarsely where they must be."""
    page = ""
    for quality in QUALITIES:
        page = _page(sight, quality)
        if len(page.encode()) < LIMIT:
            break
    return page


def _page(sight: Sight, quality: int) -> str:
    env = Environment(
        loader=PackageLoader("reverie.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    env.filters.update(percent=percent, plain=printable)
    height, width = sight.seen
    rungs = [_shown(number, each, sight, quality) for number, each in enumerate(sight.rungs, 1)]
    return env.get_template("see.html.jinja").render(
        sight=sight,
        name=printable(sight.name),
        seen=(width, height),
        large=shots.photo(sight.picture, LARGE, quality),
        small=shots.photo(sight.picture, max(height, width), min(95, quality + 6)),
        quiet=shots.quiet(sight.picture, max(height, width), quality),
        labels=[(label, probability, f"{100 * min(max(probability, 0.0), 1.0):.2f}") for label, probability in sight.labels],
        rungs=rungs,
        has={part: any(getattr(each, part) for each in rungs) for part in ("rebuilt", "noticed", "enhanced", "counted")},
        opinions=any(each.opinions for each in sight.rungs),
        unusual=f"{UNUSUAL:g}",
        levels=any(each.level for each in sight.rungs),
        colours={"for": _css(shots.FOR), "against": _css(shots.AGAINST), "faint": _css(shots.FAINT), "bright": _css(shots.BRIGHT)},
        data=Markup(_data(sight)),
        style=Markup(_text(env, "see.css")),
        script=Markup(_text(env, "see.js")),
    )


def percent(probability: float) -> str:
    """A probability 0..1 in words: `71 %`."""
    share = 100 * probability
    if 0 < share < 0.1:
        return f"under 0.1{GAP}%"
    if 99.5 <= share < 100:
        return f"over 99{GAP}%"
    return (f"{share:.1f}" if share < 1 and share > 0 else f"{share:.0f}") + f"{GAP}%"


def spreads(score: float) -> str:
    """`4.2 spreads above usual`."""
    size = f"{abs(score):.1f}"
    if size == "0.0":
        return "as usual"
    return f"{size} spread{'' if size == '1.0' else 's'} {'above' if score > 0 else 'below'} usual"


def signed(number: float) -> str:
    """`+0.42`, with a true minus sign."""
    return f"{number:+.2f}".replace("-", "−")


def _shown(number: int, rung: Rung, sight: Sight, quality: int) -> ShownRung:
    height, width = sight.seen
    box, cell = _boxes(rung, height, width)
    similarity = rung.similarity if rung.similarity is not None and math.isfinite(rung.similarity) else None
    error = rung.relative_error if rung.relative_error is not None and math.isfinite(rung.relative_error) else None
    figures = [] if similarity is None else [f"similarity {similarity:.2f}".replace("-", "−")]
    figures += [] if error is None else [f"relative error {error:.2f}" if error >= 0.005 or error == 0 else "relative error under 0.01"]
    return ShownRung(
        number=number,
        rung=rung,
        field=_field(rung, height, width),
        box=box,
        cell=cell,
        rebuilt=None if rung.rebuilt is None else shots.photo(rung.rebuilt, REBUILT, quality),
        enhanced=None if rung.enhanced is None else shots.photo(rung.enhanced, ENHANCED, quality),
        likeness="" if similarity is None else next((word for least, word in LIKENESS if similarity >= least), LIKENESS[-1][1]),
        figures=", ".join(figures),
        noticed=tuple(_channel(each, quality) for each in rung.noticed[:SHOWN]),
        counted=None if rung.counted is None else _count(rung.counted, sight),
    )


def _boxes(rung: Rung, height: int, width: int) -> tuple[tuple[float, float, float, float], tuple[float, float, float, float]]:
    """What the value nearest to the middle sees, and its cell, on the seen picture; the field is cut off at the edges."""
    cell_h, cell_w = height / max(1, rung.height), width / max(1, rung.width)
    left, top = (rung.width // 2) * cell_w, (rung.height // 2) * cell_h
    field = rung.receptive_field
    if field is None:
        return (0, 0, width, height), (left, top, cell_w, cell_h)
    x, y = left + cell_w / 2, top + cell_h / 2
    x0, x1 = max(0.0, x - field / 2), min(float(width), x + field / 2)
    y0, y1 = max(0.0, y - field / 2), min(float(height), y + field / 2)
    return (round(x0, 2), round(y0, 2), round(x1 - x0, 2), round(y1 - y0, 2)), (left, top, cell_w, cell_h)


def _field(rung: Rung, height: int, width: int) -> str:
    field = rung.receptive_field
    if field is None:
        return "Each value sees all of the picture."
    if field >= 2 * max(height, width):
        return f"Each value can see {field} × {field} pixels: all of the picture, wherever it stands."
    if field >= max(height, width):
        return f"Each value can see {field} × {field} pixels, from the middle all of the picture."
    return f"Each value sees {field} × {field} pixels: the box on the picture."


def _channel(noticed: Noticed, quality: int) -> ShownChannel:
    peak = float(noticed.heat.max()) if noticed.heat.numel() else 0.0
    peak = peak if math.isfinite(peak) else 0.0
    return ShownChannel(
        channel=noticed.channel,
        score=spreads(noticed.score),
        top=spreads(peak),
        heat=shots.heat(noticed.heat, max(WEAKEST_TOP, peak)),
        feature=None if noticed.feature is None else shots.photo(noticed.feature, FEATURE, quality),
    )


def _count(counted: Counted, sight: Sight) -> ShownCount:
    most = max((abs(score) for _, score in counted.channels_for + counted.channels_against), default=0.0) or 1.0
    sides = []
    for css, label, channels in (("for", sight.why, counted.channels_for), ("against", sight.against, counted.channels_against)):
        if channels:
            rows = tuple((channel, signed(score), round(100 * abs(score) / most, 1)) for channel, score in channels)
            sides.append((css, label or ("the label" if css == "for" else "other labels"), rows))
    return ShownCount(shots.counted(counted.places), signed(counted.total), tuple(sides))


def _data(sight: Sight) -> str:
    """What the script reads, as JSON that no markup can end."""
    layers = [_layer(each) for each in sight.rungs]
    data = {"seen": sight.seen, "why": sight.why, "against": sight.against, "unusual": UNUSUAL, "slight": SLIGHT, "layers": layers}
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _layer(rung: Rung) -> dict[str, Any]:
    heats = []
    for each in rung.noticed[:SHOWN]:
        grid = shots.coarse(each.heat.detach().float().cpu(), CELLS).nan_to_num()
        top = max(float(grid.max()), 1e-6)
        heats.append(
            {"channel": each.channel, "top": round(top, 3), "grid": [*grid.shape], "cells": shots.packed(grid / top * 255, 0, 255)}
        )
    counted = None
    if rung.counted is not None:
        grid = shots.coarse(rung.counted.places.detach().float().cpu(), CELLS, adding=True).nan_to_num()
        top = max(float(grid.abs().max()), 1e-12)
        counted = {"grid": [*grid.shape], "cells": shots.packed(grid / top * 127, -127, 127)}
    return {
        "name": rung.name, "level": rung.level, "grid": [rung.height, rung.width], "field": rung.receptive_field,
        "heats": heats, "counted": counted,
    }  # fmt: skip


def _text(env: Environment, name: str) -> str:
    assert env.loader is not None
    return env.loader.get_source(env, name)[0]


def _css(colour: shots.RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
