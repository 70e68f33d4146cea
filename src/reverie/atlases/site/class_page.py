"""The pages of classes: the picture of each, what others say of it, which real pictures and units go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reverie.atlases.site.known import Known, Values
from reverie.atlases.site.layer_page import PER_PAGE, page_name
from reverie.atlases.site.tiles import tile
from reverie.atlases.site.unit_page import nearest, signed_units
from reverie.errors import printable

_LABELS = 5  # of each second opinion


def class_values(known: Known, index: int, facts: Mapping[str, Mapping[str, Any] | None]) -> Values:
    """What the template of a class is handed.

    Args:
        facts: by kind what the store knows of it: `class`, `class_units`, `class_examples`, `nearest`; None where it knows nothing.
    """
    found = facts["class"] or {"alive": False, "notes": (), "opinions": ()}
    order = list(known.classes)
    at = order.index(index)
    units, seen = facts["class_units"], facts["class_examples"]
    return {
        "title": known.label(index), "nav": known.nav(), "network": printable(known.about["name"]), "index": index,
        "before": known.class_link(order[at - 1]) if at else None,
        "after": known.class_link(order[at + 1]) if at + 1 < len(order) else None,
        "waiting": facts["class"] is None,
        "picture": f"classes/{index}.webp" if found["alive"] else None, "notes": [printable(each) for each in found["notes"]],
        "opinions": [_opinion(each) for each in found["opinions"]],
        "units": None if units is None else {name: signed_units(known, units[name]) for name in ("for", "against")},
        "has_data": known.data is not None,
        "examples": [] if seen is None else [{**known.shot(number), "probability": likely} for number, likely in seen["pictures"]],
        "along": [] if seen is None else [[known.class_link(other), likely] for other, likely in seen["along"]],
        "nearest": nearest(known, facts["nearest"]),
    }  # fmt: skip


def _opinion(given: Mapping[str, Any]) -> Values:
    labels = [[printable(each["label"]), each["probability"]] for each in given["labels"][:_LABELS]]
    return {"network": printable(given["network"]), "rank": given["rank"], "probability": given["probability"], "labels": labels}


def class_list(known: Known) -> list[tuple[str, Values]]:
    """The name of each page that lists classes, and what its template is handed."""
    order = list(known.classes)
    names = [page_name(number) for number in range(max(1, -(-len(order) // PER_PAGE)))]
    found = []
    for number, name in enumerate(names):
        shown: Sequence[int] = order[number * PER_PAGE : (number + 1) * PER_PAGE]
        tiles = [
            {"index": index, "label": known.classes[index], **tile(number * PER_PAGE + at, len(order), index in known.class_pictures)}
            for at, index in enumerate(shown)
        ]
        found.append((name, {
            "title": "Classes", "nav": known.nav(), "network": printable(known.about["name"]), "names": names, "page": number,
            "tiles": tiles, "count": len(order), "every": known.about["all_classes"],
        }))  # fmt: skip
    return found
