"""The stage in which the data set is looked at: parts of it by all layers that lack answers, then what is told of each unit."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reverie.api.atlases.planning import AtlasPlan
from reverie.api.atlases.stages import Stage
from reverie.atlases.examples.dataset import DataSet, shards
from reverie.atlases.examples.fields import effective_fields
from reverie.atlases.examples.of_units import UnitExamples, correlations, unit_examples
from reverie.atlases.examples.passing import Shown, layer_groups, look_at
from reverie.atlases.examples.summary import Summary, merged
from reverie.atlases.store import HIDDEN, AtlasStore
from reverie.errors import InputError, choice
from reverie.pictures import Picture, as_picture, in_channels, resize
from reverie.render import noise_start
from reverie.work import Result, Task
from reverie.work.any_order import Part

NAME = "examples"
SHARD, SAMPLE, SPOTS = 256, 1024, 4096  # pictures of a task; of the sample; places that are drawn of all of its pictures
THUMB = 240  # pixels of the longer side of an example
_TOLD = 2  # another number where other things are told of the same answers
_FIELD_OF = 4  # pictures by which it is measured how much a unit looks at


def thumb_path(digest: str) -> str:
    """Where an example is, below the folder of the atlas."""
    return f"examples/{digest[:16]}.webp"


def answers_path(stem: str) -> str:
    """Where the answers of a layer are."""
    return f"{HIDDEN}/answers/{stem}.npz"


def answers_of(store: AtlasStore, stem: str) -> Summary | None:
    """What a layer answered to the data set; None where it was not looked at."""
    place = store.folder / answers_path(stem)
    return Summary.from_bytes(place.read_bytes()) if place.is_file() else None


def pictures_of(store: AtlasStore) -> dict[str, np.ndarray[Any, Any]] | None:
    """Of every picture that could be read its number, labels, their probabilities and embedding, see `passing.Looked`."""
    place = store.folder / HIDDEN / "pictures.npz"
    if not place.is_file():
        return None
    with np.load(io.BytesIO(place.read_bytes()), allow_pickle=False) as found:
        return dict(found) if "numbers" in found else None


def embedding_layer(plan: AtlasPlan) -> str:
    """The last layer that has places: it tells pictures apart by what they show."""
    with_places = [each.name for each in plan.network.layers if each.kind in ("convolution", "block", "stage", "depthwise")]
    return (with_places or [each.name for each in plan.network.layers])[-1]


def data_key(plan: AtlasPlan, data: DataSet) -> str:
    """A hash of all that the answers of a layer to the data set follow from."""
    net = plan.network
    return sha256(json.dumps([net.sha256, net.mean, net.std, list(net.size), data.key, 1]).encode()).hexdigest()


def _tasks(plan: AtlasPlan, store: AtlasStore) -> Sequence[Task]:
    data = plan.data
    if data is None:
        return []
    key = data_key(plan, data)
    missing = [each.name for each in plan.layers if not store.is_finished("answers", each.name, key)]
    sample = data.sample(SAMPLE)
    spots = max(1, min(64, -(-SPOTS // max(1, len(sample)))))
    found = []
    for group in layer_groups(plan.network, missing):
        for numbers in shards(len(data), SHARD):
            name = _shard(key, group, numbers)
            if not store.is_finished("shard", name, key):
                what = {
                    "stage": NAME, "shard": name, "key": key, "layers": group, "embedding": embedding_layer(plan), "numbers": [*numbers],
                    "places": [str(data.place(each)) for each in numbers], "spots": [spots if each in sample else 0 for each in numbers],
                }  # fmt: skip
                found.append(Task(f"pictures {numbers.start}–{numbers.stop - 1} of {len(data)}", what, float(len(numbers))))
    return found


def _shard(key: str, group: Sequence[str], numbers: range) -> str:
    return f"{sha256((key + ' '.join(group)).encode()).hexdigest()[:16]}/{numbers.start:09d}"


def _make(plan: AtlasPlan, what: Mapping[str, Any], part: Part) -> Result | None:
    shown = Shown(what["numbers"], [Path(each) for each in what["places"]], what["spots"])
    looked = look_at(plan.network, what["layers"], what["embedding"], shown, lambda share: part(share, "looking at pictures"))
    return None if looked is None else looked.files()


def _done(plan: AtlasPlan, store: AtlasStore, task: Task, result: Result) -> None:
    name, faults = task.what["shard"], json.loads(result["faults.json"])
    files = {f"{HIDDEN}/shards/{name}/{each}": content for each, content in result.items() if each != "faults.json"}
    store.put("shard", name, task.what["key"], {"layers": task.what["layers"], "faults": faults}, files)


def _after(plan: AtlasPlan, store: AtlasStore) -> None:
    """Shards merged by layer; of each unit its examples told, and the pictures of these written."""
    data = plan.data
    if data is None:
        return
    key = data_key(plan, data)
    missing = [each for each in plan.layers if not store.is_finished("answers", each.name, key)]
    if missing:
        for group in layer_groups(plan.network, [each.name for each in missing]):
            _merge(plan, store, data, group, key)
        _measure_fields(plan, store, data, [each.name for each in missing])
        store.forget("shard", ())
    for layer in plan.layers:
        _tell(plan, store, data, layer.name, key)


def _merge(plan: AtlasPlan, store: AtlasStore, data: DataSet, group: Sequence[str], key: str) -> None:
    stems = {each.name: each.stem for each in plan.layers}
    names = [_shard(key, group, numbers) for numbers in shards(len(data), SHARD)]
    folders = [store.folder / HIDDEN / "shards" / name for name in names]
    faults: dict[str, str] = {}
    for name in names:
        faults |= (store.facts("shard", name) or {}).get("faults", {})
    for layer in group:
        parts = [Summary.from_bytes(place.read_bytes()) for each in folders if (place := each / f"{layer}.layer.npz").is_file()]
        if parts:
            content = merged(parts).to_bytes()
            store.put("answers", layer, key, {"count": sum(each.count for each in parts)}, {answers_path(stems[layer]): content})
    if len(faults) == len(data):
        fault = f"no picture in the data set can be read, first: {next(iter(faults.values()))}"
        raise InputError(fault, f"give a folder of pictures with {choice('dataset')}")
    columns: dict[str, list[Any]] = {}
    for each in folders:
        with np.load(io.BytesIO((each / "pictures.npz").read_bytes()), allow_pickle=False) as found:
            for name in found.files if len(found["numbers"]) else ():
                columns.setdefault(name, []).append(found[name])
    out = io.BytesIO()
    arrays: dict[str, Any] = {name: np.concatenate(each) for name, each in columns.items()}
    np.savez(out, **arrays)
    unreadable = [[data.pictures[int(number)].path, why] for number, why in faults.items()]
    facts = {
        "folder": data.folder.name, "count": len(data) - len(unreadable), "duplicates": [list(each) for each in data.duplicates],
        "faults": [*unreadable, *(list(each) for each in data.faults)], "pictures": [[each.sha256, each.path] for each in data.pictures],
    }  # fmt: skip
    store.put("data", "set", key, facts, {f"{HIDDEN}/pictures.npz": out.getvalue()})


def _measure_fields(plan: AtlasPlan, store: AtlasStore, data: DataSet, layers: Sequence[str]) -> None:
    """How much of a picture a unit of each layer looks at, by pink noise, which is at hand wherever the work goes on."""
    net = plan.network
    noise = torch.stack([noise_start("pink", *net.size, number, "field", channels=net.channels).pixels for number in range(_FIELD_OF)])
    for name, side in effective_fields(net, layers, noise).items():
        store.put("field", name, net.sha256, {"side": round(side, 4)})


def show_pictures(plan: AtlasPlan, store: AtlasStore, numbers: Sequence[int]) -> None:
    """Write small pictures of these of the data set where they are not there yet; pages share them, and no unit of work owns one."""
    assert plan.data is not None
    for number in numbers:
        path = thumb_path(plan.data.pictures[number].sha256)
        if not (store.folder / path).is_file():
            store.write(path, _thumb(plan, plan.data.place(number)))


def _tell(plan: AtlasPlan, store: AtlasStore, data: DataSet, layer: str, key: str) -> None:
    """The examples of each unit of a layer, and the pictures of those that are shown."""
    part = next(each for each in plan.layers if each.name == layer)
    told = f"{key} {_TOLD}"
    missing = [each for each in part.channels if not store.is_finished("examples", f"{layer}:{each}", told)]
    summary = answers_of(store, part.stem) if missing else None
    if summary is None:
        return
    together = correlations(summary)
    for channel in missing:
        found = unit_examples(summary, channel, part.layer.width, together)
        show_pictures(plan, store, _shown(found))
        store.put("examples", f"{layer}:{channel}", told, found.as_data())


def _shown(found: UnitExamples) -> list[int]:
    return sorted({each.picture for part in (found.top, found.low, found.between) for each in part})


def _thumb(plan: AtlasPlan, place: Path) -> bytes:
    """A small picture as the network sees it, its shape kept."""
    given = as_picture(place, plan.network.channels)
    pixels = in_channels(given.pixels, plan.network.channels)
    scale = min(1.0, THUMB / max(pixels.shape[1:]))
    small = resize(pixels, max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[2] * scale)))
    return Picture(small).encode(".webp", with_recipe=False)


EXAMPLES = Stage(NAME, _tasks, _make, _done, _after)
