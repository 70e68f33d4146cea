"""The page of an activation atlas: a picture of cells, labels over its regions, and a list of the cells for those who do not see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from reverie.atlases.site.known import Known, KnownLayer, Values
from reverie.atlases.site.words import LEVELS
from reverie.errors import printable

_REGIONS = 40  # labels that lie over the map
_CELLS = 1200  # that are told on the page; of more the largest

Cell = Mapping[str, Any]


def map_values(known: Known, layer: KnownLayer, found: Mapping[str, Any]) -> Values:
    """What the template of a map is handed; `found` are the facts of its kind."""
    cells: Sequence[Cell] = sorted(found["cells"], key=lambda each: -each["count"])[:_CELLS]
    cells = sorted(cells, key=lambda each: (each["row"], each["column"]))
    return {
        "title": f"Map of {printable(layer.name)}", "nav": known.nav(), "network": printable(known.about["name"]),
        "layer": layer.as_data(), "level": LEVELS.get(layer.level or "", ""),
        "picture": quote(f"maps/{layer.stem}.webp"), "layout": quote(f"maps/{layer.stem}.json"),
        "columns": found["columns"], "rows": found["rows"], "tile": found["tile"], "method": printable(found["method"]),
        "versions": [[printable(name), printable(value)] for name, value in sorted(found["versions"].items())], "seed": found["seed"],
        "count": sum(each["count"] for each in found["cells"]), "all_cells": len(found["cells"]),
        "cells": [_cell(known, each) for each in cells],
        "regions": [{**each, "label": known.label(each["index"])} for each in regions(found["cells"])],
    }  # fmt: skip


def _cell(known: Known, cell: Cell) -> Values:
    label = cell["label"]
    return {
        "column": cell["column"], "row": cell["row"], "count": cell["count"], "label": None if label is None else known.label(label[0]),
        "share": None if label is None else label[1], "pictures": [known.shot(number) for number in cell["pictures"]],
    }  # fmt: skip


def regions(cells: Sequence[Cell], most: int = _REGIONS) -> list[Values]:
    """Cells side by side with one label, largest first: the label's `index`, how many `cells`, and the place of one near their middle."""
    labels = {(each["column"], each["row"]): each["label"][0] for each in cells if each["label"] is not None}
    left = dict(labels)
    found: list[Values] = []
    while left:
        start, index = left.popitem()
        mine, edge = [start], [start]
        while edge:
            column, row = edge.pop()
            for near in ((column + 1, row), (column - 1, row), (column, row + 1), (column, row - 1)):
                if left.get(near) == index:
                    del left[near]
                    mine.append(near)
                    edge.append(near)
        middle = [sum(each[axis] for each in mine) / len(mine) for axis in (0, 1)]
        column, row = min(mine, key=lambda each: ((each[0] - middle[0]) ** 2 + (each[1] - middle[1]) ** 2, each))
        found.append({"index": index, "cells": len(mine), "column": column, "row": row})
    return sorted(found, key=lambda each: (-each["cells"], each["row"], each["column"]))[:most]
