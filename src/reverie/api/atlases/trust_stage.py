"""The stages that need nothing more looked at: the trust mark of units, what is nearest, examples of classes, and the audit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.api.atlases.examples_stage import answers_of, data_key, pictures_of, show_pictures
from reverie.api.atlases.eyes_stage import Eyes, eyes_of, pictures_key, seen_pictures, sides
from reverie.api.atlases.looks_stage import look_key, look_of, made_of
from reverie.api.atlases.planning import AtlasPlan
from reverie.api.atlases.stages import Stage
from reverie.atlases.store import AtlasStore
from reverie.atlases.verdicts.audit import AuditLayer, audited
from reverie.atlases.verdicts.choices import ChoiceScore, choice
from reverie.atlases.verdicts.nearest import nearest
from reverie.atlases.verdicts.paths import PathScore, standardised
from reverie.atlases.verdicts.trust import Trust

_TOGETHER = 256  # pictures whose nearest are looked for together
_EXAMPLES = 9  # of a class
_VERSION = 1


def _trust(plan: AtlasPlan, store: AtlasStore) -> None:
    eyes = eyes_of(plan)
    seen: tuple[dict[int, int], NDArray[np.float32]] | None = None
    for layer in plan.layers:
        keys = {channel: _hash("trust", look_key(plan, made, eyes)) for channel, made in made_of(plan, store, layer)}
        missing = [each for each in keys if not _stays(plan, store, "trust", f"{layer.name}:{each}", keys[each])]
        if missing and seen is None:
            seen = _usual_eyes(plan, store, eyes)
        pairs = {} if plan.data is None or not missing else sides(plan, store, layer.stem, missing)
        for channel in missing:
            name = f"{layer.name}:{channel}"
            score, layers, why = (store.facts("look", name) or {}).get("path") or [None, [], "its picture was not looked at"]
            way = PathScore(score, tuple((each, value) for each, value in layers), why)
            assert seen is not None
            mark = Trust(way, _choice(plan, store, name, eyes, pairs.get(channel), *seen))
            store.put("trust", name, keys[channel], mark.as_data())


def _usual_eyes(plan: AtlasPlan, store: AtlasStore, eyes: Eyes | None) -> tuple[dict[int, int], NDArray[np.float32]]:
    """The rows of pictures by their numbers, and what another network saw of them (n, E)."""
    if plan.data is None or eyes is None:
        return {}, np.empty((0, 0), np.float32)
    numbers, rows = seen_pictures(store, pictures_key(plan, eyes))
    return {int(number): row for row, number in enumerate(numbers)}, rows.astype(np.float32)


def _choice(
    plan: AtlasPlan, store: AtlasStore, name: str, eyes: Eyes | None, pair: tuple[list[int], list[int]] | None, row_of: Mapping[int, int],
    rows: NDArray[np.float32],
) -> ChoiceScore:  # fmt: skip
    if eyes is None:
        return ChoiceScore(None, 0, "", "no other network is installed that can look at its pictures")
    who = eyes.network.name
    if pair is None:
        return ChoiceScore(None, 0, who, "no data set was given")
    found = look_of(store, name)
    kinds = [] if found is None else found["kinds"].tolist()
    if found is None or "-negative" not in kinds:
        return ChoiceScore(None, 0, who, "there is no picture of what excites it least")
    strong, weak = ([row_of[each] for each in side if each in row_of] for side in pair)
    mine = standardised(found["eyes"], rows) if len(rows) else found["eyes"]
    yes, no = (standardised(rows[side], rows) if side else rows[:0] for side in (strong, weak))
    return choice(mine[kinds.index("")], mine[kinds.index("-negative")], yes, no, who)


TRUST = Stage("trust", after=_trust)


def _nearest(plan: AtlasPlan, store: AtlasStore) -> None:
    """Of each picture that was made those of the data set that are nearest; of each class its examples, and the labels of its picture."""
    data, eyes = plan.data, eyes_of(plan)
    pictures = pictures_of(store)
    if data is None or pictures is None or not len(pictures.get("numbers", ())):
        _class_labels(plan, store, None, "")
        return
    key = data_key(plan, data)
    names = [(f"{layer.name}:{channel}", made) for layer in plan.layers for channel, made in made_of(plan, store, layer)]
    names += [(name, facts["made"]) for index in plan.classes if (facts := store.facts("look", name := f"class {index}")) is not None]
    keys = {name: _hash("nearest", look_key(plan, made, eyes)) for name, made in names}
    missing = [name for name in keys if not store.is_finished("nearest", name, keys[name])]
    for first in range(0, len(missing), _TOGETHER):
        some = {name: found["embedding"] for name in missing[first : first + _TOGETHER] if (found := look_of(store, name)) is not None}
        if some:
            near = nearest(np.stack(list(some.values())).astype(np.float32), pictures["embedding"], pictures["numbers"])
            for name, each in zip(some, near, strict=True):
                show_pictures(plan, store, [number for number, _ in each])
                store.put("nearest", name, keys[name], {"pictures": [list(one) for one in each]})
    _class_labels(plan, store, pictures, key)


def _class_labels(plan: AtlasPlan, store: AtlasStore, pictures: Mapping[str, NDArray[Any]] | None, key: str) -> None:
    for index in plan.classes:
        name = f"class {index}"
        made = (store.facts("look", name) or {}).get("made", "")
        mine = _hash("class", key, made, str(index))
        if _stays(plan, store, "class_examples", str(index), mine):
            continue
        shown: list[tuple[int, float]] = []
        if pictures is not None:
            rows, places = np.nonzero(pictures["labels"] == index)
            likely = pictures["likely"][rows, places]
            order = np.lexsort((pictures["numbers"][rows], -likely))[:_EXAMPLES]
            shown = [(int(pictures["numbers"][rows[each]]), round(float(likely[each]), 4)) for each in order]
            show_pictures(plan, store, [number for number, _ in shown])
        found = look_of(store, name)
        along = (
            []
            if found is None
            else [[int(label), round(float(share), 4)] for label, share in zip(found["labels"], found["likely"], strict=True)]
        )
        store.put("class_examples", str(index), mine, {"pictures": [list(each) for each in shown], "along": along})


NEAREST = Stage("nearest", after=_nearest)


def _audit(plan: AtlasPlan, store: AtlasStore) -> None:
    """Of all layers and units that the atlas has, those of earlier commands too."""
    layers = (store.facts("about", "network") or {"layers": []})["layers"]
    key = _hash(
        "audit", *(f"{each['name']} {each['units']}" for each in layers), *(store.state(kind) for kind in ("unit", "look", "answers"))
    )
    if not store.is_finished("audit", "all", key):
        found = audited([_of_layer(store, each["name"], each["stem"], each["units"]) for each in layers])
        store.put("audit", "all", key, found.as_data(), {"audit.csv": found.csv().encode()})


def _of_layer(store: AtlasStore, name: str, stem: str, units: Sequence[int]) -> AuditLayer:
    made = {each: facts for each in units if (facts := store.facts("unit", f"{name}:{each}")) is not None}
    looks = {each: found for each in made if (found := look_of(store, f"{name}:{each}")) is not None}
    pictures = {each: found["embedding"].astype(np.float32) for each, found in looks.items()}
    facets = {}
    for each, found in looks.items():
        rows = found["eyes"].astype(np.float32)
        mine = [row for kind, row in zip(found["kinds"].tolist(), rows, strict=True) if kind.startswith("-facet")]
        if rows.shape[1] and len(mine) > 1:
            facets[each] = (rows[0], np.stack(mine))
    silent = [each for each, facts in made.items() if not facts["alive"]]
    return AuditLayer(name, units, answers_of(store, stem), silent, pictures, facets)


AUDIT = Stage("audit", after=_audit)


def _stays(plan: AtlasPlan, store: AtlasStore, kind: str, name: str, key: str) -> bool:
    """Whether a unit of work is finished; without a data set what was found with one stays."""
    return store.is_finished(kind, name, key) or (
        plan.data is None and store.facts("data", "set") is not None and store.facts(kind, name) is not None
    )


def _hash(*parts: str) -> str:
    return sha256(json.dumps([*parts, _VERSION]).encode()).hexdigest()
