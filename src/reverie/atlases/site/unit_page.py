"""What is told on the page of a unit: real pictures first, then what was drawn of it, and who it goes with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reverie.atlases.site.known import Known, KnownLayer, Values
from reverie.atlases.site.words import LEVELS, box, figure, histogram, share, where
from reverie.errors import printable

Facts = Mapping[str, Any]


def unit_values(known: Known, layer: KnownLayer, channel: int, facts: Mapping[str, Facts | None]) -> Values:
    """What the template of a unit is handed.

    Args:
        facts: by kind what the store knows of it: `unit`, `examples`, `trust`, `speaks`, `nearest`, `wiring`; None where it knows nothing.
    """
    at = layer.page_at[channel]
    found = facts["examples"]
    return {
        "title": f"{printable(layer.name)}:{channel}", "nav": known.nav(), "layer": layer.as_data(), "channel": channel,
        "network": printable(known.about["name"]), "place": at + 1,
        "looks": looks(known, layer), "level": LEVELS.get(layer.level or "", ""),
        "before": known.unit_link(layer.name, layer.pages[at - 1]) if at else None,
        "after": known.unit_link(layer.name, layer.pages[at + 1]) if at + 1 < len(layer.pages) else None,
        "has_data": known.data is not None,
        "examples": None if found is None else examples(known, layer, found),
        "drawn": drawn(layer, channel, facts["unit"]),
        "trust": trust_values(facts["trust"]),
        "together": [] if found is None else [[known.unit_link(layer.name, other), figure(how)] for other, how in found["together"]],
        "wiring": wired(known, facts["wiring"]),
        "speaks": spoken_for(known, facts["speaks"]),
        "nearest": nearest(known, facts["nearest"]),
    }  # fmt: skip


def looks(known: Known, layer: KnownLayer) -> str:
    """How much of a picture a unit of a layer looks at, in words."""
    height, width = known.about["size"]
    side = max(height, width)
    if layer.field is not None:
        return f"looks at {share(layer.field)} of the picture's width"
    if layer.receptive_field is not None:
        return f"can look at {share(min(1.0, layer.receptive_field / side))} of the picture's width"
    return "looks at a part of the picture"


def examples(known: Known, layer: KnownLayer, found: Facts) -> Values:
    """The pictures of the data set that excite it most, least, and between."""

    def shots(name: str) -> list[Values]:
        return [shot(known, layer, each) for each in found[name]]

    return {
        "top": shots("top"), "low": shots("low"), "between": shots("between"), "dead": found["dead"],
        "whole": layer.field is None or layer.field >= 0.95, "histogram": histogram(found["bars"], found["mean"]),
    }  # fmt: skip


def shot(known: Known, layer: KnownLayer, example: Facts) -> Values:
    place = (example["row"], example["column"], layer.height, layer.width)
    return {
        **known.shot(example["picture"]), "answer": figure(example["answer"]), "box": box(*place, layer.field), "where": where(*place),
    }  # fmt: skip


def drawn(layer: KnownLayer, channel: int, found: Facts | None) -> Values:
    """Its feature picture and those beside it; `state` says why there is none: `waiting`, or `dead` of what never fired."""
    if found is None or not found["alive"]:
        return {"state": "waiting" if found is None else "dead", "picture": None, "negative": None, "facets": [], "notes": []}
    negative = layer.picture(channel, "-negative") if found["negative_score"] is not None else None
    return {
        "state": "", "picture": layer.picture(channel), "negative": negative,
        "facets": [layer.picture(channel, f"-facet-{number}") for number in range(1, found["facets"] + 1)],
        "notes": [printable(each) for each in found["notes"]],
    }  # fmt: skip


def trust_values(found: Facts | None) -> Values | None:
    """Both numbers of the trust mark, each with what it means or why there is none."""
    if found is None:
        return None
    rows = []
    for name in ("path", "choice"):
        each = found[name]
        rows.append({"name": name, "score": each["score"], "why": printable(each.get("why") or ""), "trials": each.get("trials"),
                     "network": printable(each.get("network") or ""),
                     "layers": [[printable(layer), score] for layer, score in each.get("layers", ())]})  # fmt: skip
    return {"rows": rows, "misleads": bool(found["misleads"]), "words": printable(found["words"])}


def wired(known: Known, found: Facts | None) -> Values | None:
    """What feeds it and what it feeds, strongest first."""
    if found is None:
        return None
    why = found.get("why") or {}
    sides: Values = {"why": {name: printable(why.get(name) or "") for name in ("from", "to")}}
    for name in ("from", "to"):
        side = found.get(name)
        sides[name] = None if side is None else {
            "layer": printable(side["layer"]), "share": side.get("share"),
            "href": known.layers[side["layer"]].href if side["layer"] in known.layers else None,
            "units": signed_units(known, [(side["layer"], channel, weight) for channel, weight in side["units"]]),
        }  # fmt: skip
    return sides


def signed_units(known: Known, rows: Sequence[tuple[str, int, float]]) -> list[Values]:
    """Units with a number whose sign counts."""
    return [{**known.unit_link(layer, channel), "plus": value >= 0, "value": figure(abs(value))} for layer, channel, value in rows]


def spoken_for(known: Known, found: Facts | None) -> Values | None:
    """The classes it speaks for and against, each with its part of the largest."""
    if found is None:
        return None
    most = max((abs(value) for name in ("for", "against") for _, value in found[name]), default=0.0) or 1.0
    sides = {
        name: [
            {**known.class_link(index), "value": figure(abs(value)), "part": round(abs(value) / most, 3)} for index, value in found[name]
        ]
        for name in ("for", "against")
    }
    return {**sides, "pictures": found["pictures"]} if sides["for"] or sides["against"] else None


def nearest(known: Known, found: Facts | None) -> list[Values]:
    """The pictures of the data set that are most like what was drawn."""
    return [] if found is None else [{**known.shot(number), "alike": figure(cosine)} for number, cosine in found["pictures"]]
