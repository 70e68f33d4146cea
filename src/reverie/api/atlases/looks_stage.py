"""The stage in which the pictures that were made are looked at: the way they take, what they are like, and in another network's eyes."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reverie.api.atlases.examples_stage import data_key, embedding_layer
from reverie.api.atlases.eyes_stage import Eyes, eyes_of, same_eyes
from reverie.api.atlases.planning import AtlasPlan, LayerPart
from reverie.api.atlases.stages import Stage
from reverie.atlases.store import HIDDEN, AtlasStore
from reverie.atlases.verdicts.paths import PathScore, path, standardised
from reverie.atlases.verdicts.routes import Left, Place, joined, left_by, random_places, route
from reverie.errors import ReverieError, UsageError
from reverie.insight.request import blocks
from reverie.pictures import as_tensor, in_channels, resize
from reverie.pictures.torch_modes import ordinary_modes
from reverie.target import CLASSES
from reverie.work import Result, Task
from reverie.work.any_order import Part

NAME = "looks"
_OTHERS, _PLACES = 32, 4  # photographs with which a unit's are compared, and places in each
_TOGETHER = 16  # units, or classes, of a task: photographs that others are compared with are looked at once for all of them
_TOP = 5  # labels of a class picture
_VERSION = 1
_KINDS = ("", "-negative", *(f"-facet-{number}" for number in range(1, 33)))


class Late(Mapping[str, Any]):
    """What is to be made, with files that are read when it travels or is made, and not while others wait: all at once might be gigabytes.

    Args:
        what: of a task. files: by channel or class, and by kind, what is read as base64 into `pictures`.
    """

    def __init__(self, what: Mapping[str, Any], files: Mapping[str, Mapping[str, Path]]) -> None:
        self._what, self._files = {**what, "pictures": None}, files

    def __getitem__(self, name: str) -> Any:
        if name != "pictures":
            return self._what[name]
        return {
            whose: {kind: base64.b64encode(place.read_bytes()).decode() for kind, place in kinds.items() if place.is_file()}
            for whose, kinds in self._files.items()
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._what)

    def __len__(self) -> int:
        return len(self._what)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def look_key(plan: AtlasPlan, made: str, eyes: Eyes | None) -> str:
    """A hash of all that a look at a picture follows from.

    Args:
        made: the key of the picture.
    """
    data = None if plan.data is None else data_key(plan, plan.data)
    return sha256(json.dumps([made, data, None if eyes is None else eyes.key, embedding_layer(plan), _VERSION]).encode()).hexdigest()


def look_of(store: AtlasStore, name: str) -> dict[str, NDArray[Any]] | None:
    """What was seen of a unit's pictures or a class picture.

    Args:
        name: of the unit of work: `LAYER:CHANNEL` or `class INDEX`.

    Returns:
        `embedding` (D,) of the first picture; `kinds` (k,), `""`, `-negative`, `-facet-1` …; `eyes` (k, E), what another network sees in
        each; of a class picture `labels` and `likely` (5,). None where there is none.
    """
    for place in store.files_of("look", name):
        with np.load(io.BytesIO((store.folder / place).read_bytes()), allow_pickle=False) as found:
            return dict(found)
    return None


def made_of(plan: AtlasPlan, store: AtlasStore, layer: LayerPart) -> list[tuple[int, str]]:
    """The units of a layer whose pictures are there, and the keys of these."""
    found = []
    for channel in layer.channels:
        key = plan.key(layer.name, channel)
        if store.is_finished("unit", f"{layer.name}:{channel}", key) and (store.facts("unit", f"{layer.name}:{channel}") or {}).get(
            "alive"
        ):
            found.append((channel, key))
    return found


def _tasks(plan: AtlasPlan, store: AtlasStore) -> Sequence[Task]:
    eyes, found = eyes_of(plan), []
    for layer in plan.layers:
        keys = {channel: look_key(plan, key, eyes) for channel, key in made_of(plan, store, layer)}
        missing = [each for each in keys if _is_missing(plan, store, f"{layer.name}:{each}", keys[each], plan.key(layer.name, each))]
        for first in range(0, len(missing), _TOGETHER):
            some = missing[first : first + _TOGETHER]
            what = {
                "stage": NAME, "eyes": None if eyes is None else eyes.key, "layer": layer.name, "stem": layer.stem,
                "names": [f"{layer.name}:{each}" for each in some], "whose": [str(each) for each in some],
                "keys": [keys[each] for each in some], "made": [plan.key(layer.name, each) for each in some],
                **_photographs(plan, store, layer, some),
            }  # fmt: skip
            files = {
                str(each): {kind: store.folder / layer.stem / f"{each}{kind}.webp" for kind in _KINDS[: 2 + plan.facets]} for each in some
            }
            found.append(Task(f"{layer.name}:{some[0]}–{some[-1]}", Late(what, files), float(len(some))))
    return [*found, *_of_classes(plan, store, eyes)]


def _is_missing(plan: AtlasPlan, store: AtlasStore, name: str, key: str, made: str) -> bool:
    """Without a data set what was found with one stays, while the picture does."""
    if plan.data is None and (facts := store.facts("look", name)) is not None and facts["made"] == made:
        return False
    return not store.is_finished("look", name, key)


def _photographs(plan: AtlasPlan, store: AtlasStore, layer: LayerPart, channels: Sequence[int]) -> dict[str, Any]:
    """Of a data set the photographs that excite units, and where; and others."""
    data = plan.data
    if data is None:
        return {"tops": {}, "others": [], "field": 1.0}
    tops, (height, width) = {}, (layer.layer.height, layer.layer.width)
    for channel in channels:
        examples = (store.facts("examples", f"{layer.name}:{channel}") or {}).get("top", [])
        tops[str(channel)] = [
            [each["picture"], str(data.place(each["picture"])), (each["row"] + 0.5) / height, (each["column"] + 0.5) / width]
            for each in examples
        ]
    others = [[number, str(data.place(number))] for number in sorted(data.sample(_OTHERS))]
    return {"tops": tops, "others": others, "field": (store.facts("field", layer.name) or {"side": 1.0})["side"]}


def _of_classes(plan: AtlasPlan, store: AtlasStore, eyes: Eyes | None) -> list[Task]:
    found, missing = [], []
    for index in plan.classes:
        made, facts = plan.class_key(index), store.facts("class", str(index)) or {}
        if facts.get("alive") and store.is_finished("class", str(index), made):
            key = look_key(plan, made, eyes)
            if _is_missing(plan, store, f"class {index}", key, made):
                missing.append((index, key, made))
    for first in range(0, len(missing), _TOGETHER):
        some = missing[first : first + _TOGETHER]
        what = {
            "stage": NAME, "eyes": None if eyes is None else eyes.key, "layer": None, "stem": "classes",
            "names": [f"class {index}" for index, _, _ in some], "whose": [str(index) for index, _, _ in some],
            "keys": [key for _, key, _ in some], "made": [made for _, _, made in some],
        }  # fmt: skip
        files = {str(index): {"": store.folder / "classes" / f"{index}.webp"} for index, _, _ in some}
        found.append(Task(f"classes {some[0][0]}–{some[-1][0]}", Late(what, files), float(len(some))))
    return found


def _make(plan: AtlasPlan, what: Mapping[str, Any], part: Part) -> Result | None:
    """`NUMBER.npz` of each unit or class, and `paths.json`: by number the way its picture takes."""
    eyes, given = same_eyes(plan, what["eyes"]), what["pictures"]
    pictures = {
        whose: {kind: as_tensor(base64.b64decode(each), plan.network.channels) for kind, each in kinds.items()}
        for whose, kinds in given.items()
    }
    files = {}
    for number, whose in enumerate(what["whose"], 1):
        kinds = pictures[whose]
        arrays = _seen(plan, kinds[""], what["layer"] is None)
        arrays["kinds"] = np.asarray(list(kinds))
        arrays["eyes"] = np.empty((len(kinds), 0), np.float16) if eyes is None else eyes.see(list(kinds.values()))
        out = io.BytesIO()
        np.savez(out, **arrays)
        files[f"{whose}.npz"] = out.getvalue()
        if part(0.5 * number / len(what["whose"]), "looking at what was made"):
            return None
    paths: dict[str, Any] | None = {}
    if what["layer"] is not None:
        paths = _paths(plan, what, {whose: kinds[""] for whose, kinds in pictures.items()}, part)
    return None if paths is None else {**files, "paths.json": json.dumps(paths).encode()}


def _seen(plan: AtlasPlan, picture: torch.Tensor, labels: bool) -> dict[str, Any]:
    """The embedding of a picture, as those of the data set are, and its likeliest classes."""
    net, layer = plan.network, embedding_layer(plan)
    ready = net.prepare([layer, CLASSES] if labels else [layer])
    pixels = resize(in_channels(picture, net.channels), *net.size)[None].to(net.device)
    with ordinary_modes(), torch.no_grad():
        seen = ready(pixels)
    found: dict[str, Any] = {"embedding": seen[layer].flatten(2).mean(2)[0].float().cpu().numpy().astype(np.float16)}
    if labels and net.anatomy.reading is not None:
        best = net.anatomy.reading.probabilities(seen[CLASSES][0]).topk(min(_TOP, seen[CLASSES].shape[1]))
        found |= {"labels": best.indices.cpu().numpy().astype(np.int32), "likely": best.values.float().cpu().numpy()}
    return found


def _paths(plan: AtlasPlan, what: Mapping[str, Any], made: Mapping[str, torch.Tensor], part: Part) -> dict[str, Any] | None:
    """By unit the way its picture takes, as `[score, layers, why]`; None where it was stopped."""
    if not what["others"]:
        return {whose: [None, [], "no data set was given"] for whose in made}
    way = route(plan.network, below(plan, what["layer"]), what["field"])
    files = dict(what["others"])
    asked: dict[int, list[tuple[str | None, Place]]] = {each: [(None, place) for place in random_places(each, _PLACES)] for each in files}
    for whose in made:
        for number, path_, row, column in what["tops"][whose]:
            files[number] = path_
            asked.setdefault(number, []).append((whose, (row, column)))
    near: dict[str, list[Left]] = {whose: [] for whose in made}
    far: dict[int, Left] = {}
    for done, (number, places) in enumerate(sorted(asked.items()), 1):  # each photograph once, whoever asks for it
        if (pixels := _read(plan, files[number])) is not None:
            left = left_by(way, pixels, [place for _, place in places])
            for row, (whose_, _) in enumerate(places):
                if whose_ is not None:
                    near[whose_].append({name: each[row : row + 1] for name, each in left.items()})
            others = [row for row, (whose_, _) in enumerate(places) if whose_ is None]
            if others:
                far[number] = {name: each[others] for name, each in left.items()}
        if part(0.5 + 0.5 * done / len(asked), "ways of photographs"):
            return None
    found: dict[str, Any] = {}
    for whose, picture in made.items():
        shown = {number for number, *_ in what["tops"][whose]}
        apart = [each for number, each in far.items() if number not in shown]
        mine = left_by(way, in_channels(picture, plan.network.channels), channel=int(whose))
        score = _compared(mine, joined(near[whose]), joined(apart))
        found[whose] = [score.score, [list(each) for each in score.layers], score.why]
    return found


def _compared(mine: Left, near: Left, far: Left) -> PathScore:
    if not near or not far:
        return PathScore(None, (), "too few photographs to compare with")
    own, close, usual = ({name: standardised(each[name], far[name]) for name in mine} for each in (mine, near, far))
    return path({name: each[0] for name, each in own.items()}, close, usual)


def below(plan: AtlasPlan, layer: str) -> list[str]:
    """The blocks up to a layer, and itself."""
    order = [each.name for each in plan.network.layers]
    try:
        known = [each.name for each in blocks(plan.network)]
    except UsageError:
        known = []
    last = order.index(layer)
    return [*(name for name in known if order.index(name) < last and not layer.startswith(f"{name}.")), layer]


def _read(plan: AtlasPlan, place: str) -> torch.Tensor | None:
    """(C, H, W) at the native size; None of what cannot be read any more."""
    try:
        pixels = in_channels(as_tensor(Path(place), plan.network.channels), plan.network.channels)
    except ReverieError:
        return None
    return resize(pixels, *plan.network.size)


def _done(plan: AtlasPlan, store: AtlasStore, task: Task, result: Result) -> None:
    paths, what = json.loads(result["paths.json"]), task.what
    for name, whose, key, made in zip(what["names"], what["whose"], what["keys"], what["made"], strict=True):
        files = {f"{HIDDEN}/looks/{what['stem']}/{whose}.npz": result[f"{whose}.npz"]}
        store.put("look", name, key, {"made": made, "path": paths.get(whose)}, files)


LOOKS = Stage(NAME, _tasks, _make, _done)
