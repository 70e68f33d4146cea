"""The stage in which the pictures of units are made, and those of classes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from reverie.api.atlases.planning import AtlasPlan
from reverie.api.atlases.stages import Stage
from reverie.api.atlases.unit_pictures import make_features
from reverie.atlases.store import AtlasStore
from reverie.networks.calibrating import label
from reverie.work import Result, Task
from reverie.work.any_order import Part

_CLASSES = 4  # that are made together, in each other's company


def _tasks(plan: AtlasPlan, store: AtlasStore) -> Sequence[Task]:
    found = []
    for layer in plan.layers:
        for chunk in layer.chunks():
            missing = [each for each in chunk if not store.is_finished("unit", f"{layer.name}:{each}", plan.key(layer.name, each))]
            if missing:  # all are made again, since their company changes their bits; those that are there stay
                what = {"stage": "features", "layer": layer.name, "stem": layer.stem, "channels": [*chunk], "missing": missing}
                found.append(Task(f"{layer.name}:{chunk[0]}–{chunk[-1]}", what, float(len(chunk))))
    return found


def _done(plan: AtlasPlan, store: AtlasStore, task: Task, result: Result) -> None:
    facts, layer, stem = json.loads(result["facts.json"]), task.what["layer"], task.what["stem"]
    for channel in task.what["missing"]:
        mine = {name: each for name, each in result.items() if name.partition(".")[0].partition("-")[0] == str(channel)}
        files = {f"{stem}/{name}": content for name, content in mine.items()}
        store.put("unit", f"{layer}:{channel}", plan.key(layer, channel), facts[str(channel)], files)


FEATURES = Stage("features", _tasks, make_features, _done)


def _class_tasks(plan: AtlasPlan, store: AtlasStore) -> Sequence[Task]:
    keys = {each: plan.class_key(each) for each in plan.classes}
    missing = [each for each in plan.classes if not store.is_finished("class", str(each), keys[each])]
    chunks = [missing[first : first + _CLASSES] for first in range(0, len(missing), _CLASSES)]
    return [
        Task(
            f"classes {chunk[0]}–{chunk[-1]}",
            {"stage": "classes", "classes": chunk, "keys": {str(each): keys[each] for each in chunk}},
            float(len(chunk)),
        )
        for chunk in chunks
    ]


def _make_classes(plan: AtlasPlan, what: Mapping[str, Any], part: Part) -> Result | None:
    """`NUMBER.webp` of each class, and `facts.json`: by number `score`, `opinions` (what other networks say) and `notes`."""
    files: dict[str, bytes] = {}
    facts: dict[int, dict[str, Any]] = {}
    plans = plan.class_pictures(what["classes"])
    indices = iter(what["classes"])
    for number, each in enumerate(plans):
        made = each.make_all(lambda now, number=number: part((number + now.done) / len(plans), "classes"))  # type: ignore[misc]
        for picture in made:
            index = next(indices)
            if picture.recipe.stopped is not None:
                return None
            opinions = [one.model_dump(mode="json") for one in picture.recipe.opinions]
            facts[index] = {
                "alive": picture.alive, "label": label(plan.network, index), "score": picture.score, "opinions": opinions,
                "notes": list(picture.notes),
            }  # fmt: skip
            if picture.alive:
                files[f"{index}.webp"] = picture.encode(".webp")
    return {**files, "facts.json": json.dumps(facts).encode()}


def _classes_done(plan: AtlasPlan, store: AtlasStore, task: Task, result: Result) -> None:
    facts = json.loads(result["facts.json"])
    for index in task.what["classes"]:
        name = f"{index}.webp"
        files = {f"classes/{name}": result[name]} if name in result else {}
        store.put("class", str(index), task.what["keys"][str(index)], facts[str(index)], files)


CLASSES = Stage("classes", _class_tasks, _make_classes, _classes_done)
