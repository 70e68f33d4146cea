"""What the tests of an atlas's site share: a store with made-up facts and tiny pictures, without a network."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from reverie.atlases.store import AtlasStore
from reverie.store import file_stems

KEY = "made up"
LABELS = ("tench", "goldfish", "great white shark", "tiger shark", "hammerhead", "electric ray", "stingray", "cock", "hen", "model 990")
HOSTILE = "<b>\"&'{{ 7*7 }}</b><script>alert(1)</script>"


def tiny(number: int, width: int = 16, height: int = 16) -> bytes:
    """A picture of one colour with a darker half, WebP."""
    red, green, blue = (round(255 * each) for each in colorsys.hsv_to_rgb(number * 0.381 % 1, 0.5, 0.8))
    image = Image.new("RGB", (width, height), (red, green, blue))
    image.paste((red // 2, green // 2, blue // 2), (0, 0, width // 2, height))
    out = BytesIO()
    image.save(out, "WEBP", quality=60, method=0)
    return out.getvalue()


def about(
    layers: dict[str, int], units: int | None = None, classes: Sequence[int] = (), labels: Sequence[str] = LABELS, name: str = "made-up"
) -> dict[str, Any]:
    """Of a network with these layers, lowest first, by their channels; so many units of each are shown, evenly taken."""
    stems = file_stems(layers)
    told = []
    for at, (layer, channels) in enumerate(layers.items()):
        shown = channels if units is None else min(units, channels)
        told.append({
            "name": layer, "stem": stems[layer], "kind": "block", "channels": channels, "height": 14, "width": 14, "stride": 16,
            "receptive_field": 40 * (at + 1), "level": ("edges", "parts", None)[at % 3],
            "units": [each * channels // shown for each in range(shown)],
        })  # fmt: skip
    return {
        "name": name, "sha256": "5" * 64, "size": [224, 224], "channels": 3, "all_classes": len(labels), "layers": told, "facets": 2,
        "reverie": "0.1.0", "classes": [{"index": each, "label": labels[each]} for each in classes], "labels": list(labels),
    }  # fmt: skip


def put_about(store: AtlasStore, facts: dict[str, Any]) -> None:
    store.put("about", "network", KEY, facts)


def put_data(store: AtlasStore, names: Sequence[str]) -> None:
    """A data set of pictures with these names, each with a thumbnail: wide, upright and square ones."""
    pictures = [[sha256(name.encode()).hexdigest(), name] for name in names]
    for number, (digest, _) in enumerate(pictures):
        store.write(f"examples/{digest[:16]}.webp", tiny(number, *((24, 16), (16, 24), (16, 16))[number % 3]))
    facts: dict[str, Any] = {
        "folder": "photos",
        "count": len(names),
        "duplicates": [["b.jpg", "a.jpg"]],
        "faults": [["broken.jpg", "no picture"]],
    }
    store.put("data", "set", KEY, {**facts, "pictures": pictures})


def put_unit(store: AtlasStore, layer: dict[str, Any], channel: int, alive: bool = True) -> None:
    stem = layer["stem"]
    kinds = ("", "-negative", "-facet-1", "-facet-2") if alive else ()
    facts: dict[str, Any] = {
        "alive": alive,
        "score": 3.0 + channel,
        "negative_score": -1.0 if alive else None,
        "facets": 2 * alive,
        "notes": [],
    }
    files = {f"{stem}/{channel}{kind}.webp": tiny(channel) for kind in kinds}
    store.put("unit", f"{layer['name']}:{channel}", KEY, facts, files)


def examples(pictures: int, channel: int = 0, dead: bool = False) -> dict[str, Any]:
    """What a unit answered, largest first."""

    def shot(number: int) -> dict[str, Any]:
        return {"picture": number % pictures, "answer": round(9.5 - 0.4 * number, 4), "row": number % 14, "column": (3 * number) % 14}

    bars = [[each / 4, (each + 1) / 4, round(60 * math.exp(-(((each - 12) / 8) ** 2)))] for each in range(40)]
    return {
        "top": [shot(channel + each) for each in range(9)], "low": [shot(20 + each) for each in range(4)],
        "between": [shot(22 - 2 * each) for each in range(9)], "held_out": [], "mean": 3.1, "spread": 2.0, "dead": dead, "bars": bars,
        "together": [[channel, 0.812]],
    }  # fmt: skip


def put_judged(store: AtlasStore, facts: dict[str, Any], at: int, channel: int, pictures: int) -> None:
    """All that is said of a unit beside its pictures and examples: of the layer at this place."""
    layers = facts["layers"]
    layer, name = layers[at], f"{layers[at]['name']}:{channel}"
    misleads = channel % 5 == 3
    store.put("trust", name, KEY, {
        "path": {"score": 0.31 if misleads else 0.84, "layers": [[layer["name"], 0.5]], "why": ""},
        "choice": {"score": 0.55, "trials": 24, "network": "judge", "why": ""} if channel % 2 else
        {"score": None, "trials": 0, "network": "", "why": "fewer than 16 photographs are left for it"},
        "misleads": misleads, "words": "It takes another path than photographs." if misleads else "It can be trusted.",
    })  # fmt: skip
    count = len(facts["labels"])
    around = [[(channel + each) % count, round(0.9 - 0.2 * each, 3)] for each in range(min(4, count))]
    store.put("speaks", name, KEY, {"for": around, "against": [[index, -value] for index, value in around[:2]], "pictures": pictures})
    store.put("nearest", name, KEY, {"pictures": [[each % pictures, round(0.9 - each / 20, 3)] for each in range(6)]})

    def wired(other: int) -> dict[str, Any] | None:
        if not 0 <= other < len(layers):
            return None
        signed = [[unit, round((-1) ** each * (0.9 - each / 10), 3)] for each, unit in enumerate(layers[other]["units"][:8])]
        return {"layer": layers[other]["name"], "units": [*signed, [layers[other]["channels"] + 5, 0.01]], "share": 0.6, "activations": 1}

    store.put("wiring", name, KEY, {"from": wired(at - 1), "to": wired(at + 1), "why": {"from": "", "to": ""}, "by": "pictures"})


def put_class(store: AtlasStore, facts: dict[str, Any], index: int, pictures: int, alive: bool = True) -> None:
    labels = facts["labels"]
    named = [{"index": index, "label": labels[index], "probability": 0.7}]
    said = {"network": "judge", "sha256": "6" * 64, "rank": 1, "probability": 0.7, "labels": named}
    told = {"alive": alive, "label": labels[index], "score": 9.0, "opinions": [said], "notes": ["a note"]}
    store.put("class", str(index), KEY, told, {f"classes/{index}.webp": tiny(index)} if alive else {})
    if not pictures:
        return
    layer = facts["layers"][-1]
    ranked = [[layer["name"], unit, 1.0 - each / 10] for each, unit in enumerate(layer["units"][:6])]
    store.put("class_units", str(index), KEY, {"for": ranked, "against": [[name, unit, -value] for name, unit, value in ranked[:2]]})
    along = [[each, 0.5 / (each + 1)] for each in range(min(5, len(labels)))]
    store.put("class_examples", str(index), KEY, {"pictures": [[each % pictures, 0.8] for each in range(9)], "along": along})
    store.put("nearest", f"class {index}", KEY, {"pictures": [[each % pictures, 0.5] for each in range(6)]})


def put_map(store: AtlasStore, layer: dict[str, Any], side: int = 8, pictures: int = 12) -> None:
    """A map of which a corner is empty, with two labels."""
    sprite = Image.new("RGBA", (16 * side, 16 * side))
    cells = []
    for row in range(side):
        for column in range(side):
            if row + column > 2:
                with Image.open(BytesIO(tiny(row * side + column))) as tile:
                    sprite.paste(tile.convert("RGB"), (16 * column, 16 * row))
                label = None if row == column else [int(column > side // 2), 0.6]
                shown = [(row + each) % pictures for each in range(3)]
                cells.append({"column": column, "row": row, "count": 3 + row, "label": label, "pictures": shown})
    out = BytesIO()
    sprite.save(out, "WEBP", quality=60)
    facts: dict[str, Any] = {"columns": side, "rows": side, "cells": cells, "tile": 16, "method": "umap", "seed": 0}
    facts["versions"] = {"umap-learn": "0.5.12"}
    files = {f"maps/{layer['stem']}.webp": out.getvalue(), f"maps/{layer['stem']}.json": b"{}"}
    store.put("map", layer["name"], KEY, facts, files)


def put_audit(store: AtlasStore, facts: dict[str, Any]) -> None:
    layer = facts["layers"][0]
    first, second = layer["name"], facts["layers"][-1]["name"]
    found = {
        "dead": [[first, layer["units"][-1]]],
        "duplicates": [[first, layer["units"][0], second, facts["layers"][-1]["units"][1], 0.991]],
        "several": [[second, facts["layers"][-1]["units"][0], 0.83]],
    }
    store.put("audit", "all", KEY, found, {"audit.csv": b"kind,layer,unit\n"})


def whole(place: Path, facts: dict[str, Any] | None = None, names: Sequence[str] | None = None) -> AtlasStore:
    """An atlas in which nothing is missing but what is wrong with some: the last unit of the first layer is dead."""
    facts = facts or about({"stem": 16, "blocks.2.1": 24, "blocks#4": 40}, 12, classes=(0, 1, 7))
    names = names or [f"picture {number}.jpg" for number in range(30)]
    store = AtlasStore(place)
    put_about(store, facts)
    put_data(store, names)
    for at, layer in enumerate(facts["layers"]):
        store.put("field", layer["name"], KEY, {"side": 0.3 * (at + 1)})
        store.put("effect", layer["name"], KEY, {"changed": 0.2 * (at + 1), "pictures": len(names), "how": "passed by"})
        for channel in layer["units"]:
            dead = at == 0 and channel == layer["units"][-1]
            put_unit(store, layer, channel, not dead)
            store.put("examples", f"{layer['name']}:{channel}", KEY, examples(len(names), channel, dead))
            put_judged(store, facts, at, channel, len(names))
        put_map(store, layer, pictures=len(names))
    for each in facts["classes"]:
        put_class(store, facts, each["index"], len(names), alive=each["index"] != 7)
    put_audit(store, facts)
    return store
