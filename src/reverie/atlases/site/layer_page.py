"""The pages of a layer: all of its units as small pictures, and the data by which they are sorted and searched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from reverie.atlases.site.known import Known, KnownLayer, Values
from reverie.atlases.site.tiles import tile
from reverie.atlases.site.unit_page import looks
from reverie.atlases.site.words import LEVELS
from reverie.errors import printable

PER_PAGE = 512  # units on a page
SHARD = 4000  # units whose data are in one file
_SPOKEN = 3  # classes of a unit that it is found by
DEAD, MISLEADS, HAS_PICTURE = 1, 2, 4  # marks of a unit

Row = list[Any]
"""Of a unit, as scripts read it: its channel, its place among those that were asked for, both numbers of its trust in hundredths (−1 where
there is none), its strongest answer (null where it is not known), its marks, and classes it speaks for."""


def layer_files(layer: KnownLayer) -> list[str]:
    """Paths of all pages and data of a layer, those of its units with them."""
    count = len(layer.pages)
    data = [f"units-{number}.js" for number in range(-(-count // SHARD))]
    lists = [page_name(number) for number in range(max(1, -(-count // PER_PAGE)))]
    return [f"{layer.stem}/{each}" for each in (*(f"{channel}.html" for channel in layer.pages), *data, *lists)]


def unit_row(layer: KnownLayer, channel: int, facts: Mapping[str, Mapping[str, Any] | None]) -> Row:
    """What is sorted and searched by; see `unit_values` for the facts."""
    unit, seen, trust, speaks = (facts[each] for each in ("unit", "examples", "trust", "speaks"))
    scores = [None if trust is None else trust[name]["score"] for name in ("path", "choice")]
    strongest = seen["top"][0]["answer"] if seen and seen["top"] else unit["score"] if unit else None
    dead = bool(seen and seen["dead"]) or bool(unit and not unit["alive"])
    marks = DEAD * dead + MISLEADS * bool(trust and trust["misleads"]) + HAS_PICTURE * (channel in layer.pictures)
    spoken = [] if speaks is None else [index for index, _ in speaks["for"][:_SPOKEN]]
    numbers = [-1 if score is None else round(100 * score) for score in scores]
    return [channel, layer.place_of[channel], *numbers, None if strongest is None else float(f"{strongest:.4g}"), marks, spoken]


def shards(stem: str, rows: Sequence[Row]) -> list[str]:
    """Scripts that hand over the rows of a layer."""
    return [
        f"atlas.units({json.dumps(stem)}, {first}, {json.dumps(rows[first : first + SHARD], separators=(',', ':'))});\n"
        for first in range(0, len(rows), SHARD)
    ]


def layer_pages(known: Known, layer: KnownLayer, rows: Sequence[Row]) -> list[tuple[str, Values]]:
    """The name of each page of a layer, and what its template is handed; most layers have one."""
    count = max(1, -(-len(rows) // PER_PAGE))
    names = [page_name(number) for number in range(count)]
    order = list(known.layers)
    at = order.index(layer.name)
    common = {
        "title": printable(layer.name), "nav": known.nav(), "network": printable(known.about["name"]), "layer": layer.as_data(),
        "stem": layer.stem, "level": LEVELS.get(layer.level or "", ""), "looks": looks(known, layer), "names": names,
        "shards": -(-len(rows) // SHARD), "per_page": PER_PAGE, "has_trust": any(max(row[2], row[3]) >= 0 for row in rows),
        "dead": sum(1 for row in rows if row[5] & DEAD), "misleads": sum(1 for row in rows if row[5] & MISLEADS),
        "has_data": known.data is not None, "asked": len(layer.units), "waiting": len(layer.units) - len(layer.made),
        "size": list(known.about["size"]),
        "before": known.layers[order[at - 1]].as_data() if at else None,
        "after": known.layers[order[at + 1]].as_data() if at + 1 < len(order) else None,
    }  # fmt: skip
    return [
        (name, {**common, "page": number, "tiles": tiles(layer, rows[number * PER_PAGE : (number + 1) * PER_PAGE])})
        for number, name in enumerate(names)
    ]


def page_name(number: int) -> str:
    return "index.html" if number == 0 else f"index-{number + 1}.html"


def tiles(layer: KnownLayer, rows: Sequence[Row]) -> list[Values]:
    """Small pictures of units, as templates show them."""
    return [
        {"channel": row[0], **tile(row[1], len(layer.units), bool(row[5] & HAS_PICTURE)), "dead": bool(row[5] & DEAD),
         "misleads": bool(row[5] & MISLEADS)}
        for row in rows
    ]  # fmt: skip
