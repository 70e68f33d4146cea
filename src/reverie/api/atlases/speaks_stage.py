"""The stages in which units are held and layers passed by: what each unit speaks for, and how much each layer changes the labels."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.api.atlases.examples_stage import answers_of, data_key
from reverie.api.atlases.planning import AtlasPlan
from reverie.api.atlases.stages import Stage
from reverie.atlases.examples.summary import NONE, Summary
from reverie.atlases.store import HIDDEN, AtlasStore
from reverie.atlases.verdicts.voices import PICTURES, Voices, effect, voices
from reverie.work import Result, Task
from reverie.work.any_order import Part

SPEAKS_NAME, EFFECT_NAME = "speaks", "effect"
_TOGETHER = 64  # units of a task
_CLASSES = 5  # of a unit, at either end
_UNITS = 12  # of a class, at either end
_PICTURES = 64  # by which a layer is judged
_VERSION = 1


def _key(plan: AtlasPlan) -> str:
    assert plan.data is not None
    return sha256(json.dumps([data_key(plan, plan.data), PICTURES, _VERSION]).encode()).hexdigest()


def _means(summary: Summary) -> NDArray[np.float32]:
    """(C,): of the sample, over places and pictures."""
    found: NDArray[np.float32] = summary.rows_mean.astype(np.float32).mean(0)
    return found


def _tasks(plan: AtlasPlan, store: AtlasStore) -> Sequence[Task]:
    data = plan.data
    if data is None or not plan.network.anatomy.classes:
        return []
    found, key = [], _key(plan)
    for layer in plan.layers:
        missing = [each for each in layer.channels if not store.is_finished("speaks", f"{layer.name}:{each}", key)]
        summary = answers_of(store, layer.stem) if missing else None
        if summary is None or not len(summary.rows_mean):
            continue
        means = _means(summary)
        for first in range(0, len(missing), _TOGETHER):
            some = missing[first : first + _TOGETHER]
            shown: dict[int, list[int]] = {}
            for channel in some:
                for number in summary.top_at[channel, :PICTURES].tolist():
                    if number != NONE:
                        shown.setdefault(number, []).append(channel)
            name = sha256(json.dumps([key, layer.name, some]).encode()).hexdigest()[:16]
            what = {
                "stage": SPEAKS_NAME, "layer": layer.name, "key": key, "name": name,
                "means": [[each, float(means[each])] for each in some],
                "shown": [[str(data.place(number)), channels] for number, channels in sorted(shown.items())],
            }  # fmt: skip
            found.append(Task(f"{layer.name}:{some[0]}–{some[-1]}", what, float(len(some))))
    return found


def _make(plan: AtlasPlan, what: Mapping[str, Any], part: Part) -> Result | None:
    shown = [(Path(place), channels) for place, channels in what["shown"]]
    found = voices(plan.network, what["layer"], dict(what["means"]), shown, lambda share: part(share, what["layer"]))
    if found is None:
        return None
    out = io.BytesIO()
    np.savez(out, channels=found.channels, changes=found.changes.astype(np.float16), pictures=found.pictures)
    return {"voices.npz": out.getvalue()}


def _read(content: bytes) -> Voices:
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        return Voices(found["channels"], found["changes"].astype(np.float32), found["pictures"])


def _done(plan: AtlasPlan, store: AtlasStore, task: Task, result: Result) -> None:
    layer, key, content = task.what["layer"], task.what["key"], result["voices.npz"]
    found = _read(content)
    store.put("voices", task.what["name"], key, {"layer": layer}, {f"{HIDDEN}/voices/{task.what['name']}.npz": content})
    for row, channel in enumerate(found.channels.tolist()):
        above, below = found.strongest(row, _CLASSES)
        facts = {"for": _listed(above), "against": _listed(below), "pictures": int(found.pictures[row])}
        store.put("speaks", f"{layer}:{channel}", key, facts)


def _listed(found: Sequence[tuple[int, float]]) -> list[list[float]]:
    return [[index, round(change, 3)] for index, change in found if round(change, 3)]


def _after(plan: AtlasPlan, store: AtlasStore) -> None:
    """Of each class the units that speak for it most and against it most, of all that were ever held on this data set."""
    if plan.data is None or not plan.classes:
        return
    key = _key(plan)
    current = {name: facts["layer"] for name, facts in store.all("voices") if store.is_finished("voices", name, key)}
    store.forget("voices", current)
    mine = sha256(json.dumps([key, sorted(current)]).encode()).hexdigest()
    missing = [each for each in plan.classes if not store.is_finished("class_units", str(each), mine)]
    if not missing or not current:
        return
    ends: dict[int, list[tuple[float, str, int]]] = {each: [] for each in missing}
    for name, layer in current.items():
        (path,) = store.files_of("voices", name)
        found = _read((store.folder / path).read_bytes())
        for index in missing:
            column = found.changes[:, index]
            whole = ends[index] + [
                (float(change), layer, int(each)) for each, change in zip(found.channels, column, strict=True) if change == change
            ]
            whole.sort(key=lambda each: (-each[0], each[1], each[2]))
            ends[index] = whole if len(whole) <= 2 * _UNITS else whole[:_UNITS] + whole[-_UNITS:]
    for index, each in ends.items():
        facts = {
            "for": [[layer, unit, round(change, 3)] for change, layer, unit in each[:_UNITS] if round(change, 3) > 0],
            "against": [[layer, unit, round(change, 3)] for change, layer, unit in each[::-1][:_UNITS] if round(change, 3) < 0],
        }
        store.put("class_units", str(index), mine, facts)


SPEAKS = Stage(SPEAKS_NAME, _tasks, _make, _done, _after)


def _effect_tasks(plan: AtlasPlan, store: AtlasStore) -> Sequence[Task]:
    data = plan.data
    if data is None or not plan.network.anatomy.classes:
        return []
    found, key = [], _key(plan)
    places = [str(data.place(number)) for number in sorted(data.sample(_PICTURES))]
    for layer in plan.layers:
        summary = None if store.is_finished("effect", layer.name, key) else answers_of(store, layer.stem)
        if summary is not None and len(summary.rows_mean):
            what = {"stage": EFFECT_NAME, "layer": layer.name, "key": key, "means": _means(summary).tolist(), "places": places}
            found.append(Task(layer.name, what))
    return found


def _make_effect(plan: AtlasPlan, what: Mapping[str, Any], part: Part) -> Result | None:
    shown = [Path(each) for each in what["places"]]
    found = effect(plan.network, what["layer"], what["means"], shown, lambda share: part(share, f"without {what['layer']}"))
    return None if found is None else {"effect.json": json.dumps(asdict(found)).encode()}


def _effect_done(plan: AtlasPlan, store: AtlasStore, task: Task, result: Result) -> None:
    store.put("effect", task.what["layer"], task.what["key"], json.loads(result["effect.json"]))


EFFECT = Stage(EFFECT_NAME, _effect_tasks, _make_effect, _effect_done)
