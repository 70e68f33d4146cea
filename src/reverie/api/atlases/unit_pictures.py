"""The pictures of units: what excites each most, what least, and several that differ from one another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from reverie.api.atlases.planning import AtlasPlan
from reverie.pictures import MadePicture
from reverie.render import Plan
from reverie.work import Result
from reverie.work.any_order import Part


def make_features(plan: AtlasPlan, what: Mapping[str, Any], part: Part) -> Result | None:
    """The pictures of some units of a layer, which are made together.

    Args:
        what: `layer`, and `channels`, a list of numbers.

    Returns:
        `NUMBER.webp`, `NUMBER-negative.webp` and `NUMBER-facet-1.webp` … of each unit, with their recipes inside, but none of what never
        fired; and `facts.json`: by number `alive`, `score`, `negative_score`, `facets` (how many there are) and `notes`. None where it was
        stopped.
    """
    layer, channels = what["layer"], [*what["channels"]]
    wanted: list[tuple[str, Sequence[int], list[Plan]]] = [
        ("", channels, plan.features(layer, channels)),
        ("-negative", channels, plan.features(layer, channels, -1)),
    ]
    if plan.facets > 1:
        wanted += [("-facet", [each] * plan.facets, plan.facets_of(layer, each)) for each in channels]
    whole = sum(len(each.wanted) for _, _, plans in wanted for each in plans)
    files: dict[str, bytes] = {}
    facts: dict[int, dict[str, Any]] = {
        each: {"alive": True, "score": None, "negative_score": None, "facets": 0, "notes": []} for each in channels
    }
    behind = 0
    for kind, whose, plans in wanted:
        pictures: list[MadePicture] = []
        for each in plans:
            share = len(each.wanted) / whole
            made = each.make_all(lambda now, behind=behind, share=share: part(behind / whole + share * now.done, layer))  # type: ignore[misc]
            if any(one.recipe.stopped is not None for one in made):
                return None
            pictures += made
            behind += len(made)
        for number, (channel, picture) in enumerate(zip(whose, pictures, strict=True), 1):
            _keep(files, facts[channel], channel, kind, number, picture)
    files["facts.json"] = json.dumps(facts).encode()
    return files


def _keep(files: dict[str, bytes], facts: dict[str, Any], channel: int, kind: str, number: int, picture: MadePicture) -> None:
    """A picture among the files, and what is known of it among the facts."""
    if kind == "":
        facts.update(alive=picture.alive, score=picture.score, notes=list(picture.notes))
    if not picture.alive:
        return
    if kind == "-negative":
        facts["negative_score"] = picture.score
    if kind == "-facet":
        facts["facets"] += 1
        kind = f"-facet-{facts['facets']}"
    files[f"{channel}{kind}.webp"] = picture.encode(".webp")
