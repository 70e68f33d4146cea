"""The stage in which activation atlases are made: a layer's answers laid out, each cell drawn, all of it one picture."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from PIL import Image

from reverie.api.atlases.examples_stage import SAMPLE, SPOTS, answers_of, pictures_of, show_pictures
from reverie.api.atlases.planning import AtlasPlan, LayerPart
from reverie.api.atlases.stages import Stage
from reverie.api.plans_from_noise import plan_feature
from reverie.atlases import mapping
from reverie.atlases.examples.summary import Summary
from reverie.atlases.store import HIDDEN, AtlasStore
from reverie.errors import UsageError
from reverie.installing import install_extra
from reverie.pictures import MadePicture
from reverie.pictures.loading import evenly
from reverie.render import Plan
from reverie.work import Result, Task
from reverie.work.any_order import Part

NAME = "maps"
TOGETHER = 8  # cells that are made together
_FORMAT = 1
_MOST_LAYERS = 6  # of a network without levels
_TILE, _LARGEST_TILE, _STRIDES = 64, 96, 6  # pixels of a cell: at least, at most, and places a side
_OCTAVES, _STEPS = 2, 24  # a cell is small, and there are hundreds
_FILLED, _LAID_OUT = 0.8, 20.0  # of the square; seconds
_QUALITY = 82


def mapped_layers(plan: AtlasPlan) -> list[LayerPart]:
    """Those of which a map is made: the ones that levels stand for, of a network without levels some, evenly taken."""
    if not plan.maps or plan.data is None or not mapping.can_lay_out():
        return []
    placed = [each for each in plan.layers if each.layer.height * each.layer.width > 1 and each.layer.kind != "attention"]
    return [each for each in placed if each.layer.level is not None] if plan.network.levels else evenly(placed, _MOST_LAYERS)


def plan_cells(plan: AtlasPlan, layer: str, directions: np.ndarray[Any, Any]) -> list[Plan]:
    """The plans of pictures that lie along directions in a layer, (n, C); all begin with the same noise."""
    kept = {name: value for name, value in plan.choices.items() if name in ("seed", "device", "precision", "threads")}
    steps = min(int(plan.choices.get("steps", _STEPS)), _STEPS)
    side = tile_of(plan, layer)
    some = np.ones(directions.shape[1], np.float32)  # each has its own below
    made = plan_feature(
        [layer] * len(directions), network=plan.network, direction=some, size=(side, side), octaves=_OCTAVES, steps=steps, batch=TOGETHER,
        keep=False, **kept,
    )  # fmt: skip
    found, rows = [], torch.from_numpy(directions)
    for each in made[: -(-len(directions) // len(made[0].wanted))]:  # of the first seed
        found.append(replace(each, direction=rows[: len(each.wanted)]))
        rows = rows[len(each.wanted) :]
    return found


def tile_of(plan: AtlasPlan, layer: str) -> int:
    """Pixels a side of a cell: some places of the layer."""
    stride = plan.network.stride(layer)
    return max(_TILE, min(_LARGEST_TILE, _STRIDES * stride), 2 * stride)


@dataclass(frozen=True)
class _Map:
    """What of a layer is laid out: its answers, where these lie in the plane, (m, 2), cells, and what each is drawn from, (n, C)."""

    part: LayerPart
    key: str
    answers: Summary
    plane: np.ndarray[Any, Any]

    @property
    def cells(self) -> list[mapping.Cell]:
        return mapping.cells_of(self.plane, self.side)

    @property
    def side(self) -> int:
        return mapping.side_of(len(self.plane))

    def name(self, first: int) -> str:
        return f"{self.part.name}/{first:06d}"

    @property
    def folder(self) -> str:
        """Where its cells are until they are put together, below that of the atlas."""
        return f"{HIDDEN}/cells/{self.part.stem}-{self.key[:12]}"


def _key(plan: AtlasPlan, part: LayerPart, answers: Summary) -> str:
    """Of all that a map follows from, but for the version of what lays out, and the company that cells are made in."""
    recipe = plan_cells(plan, part.name, np.ones((1, answers.channels), np.float32))[0].recipe
    content = sha256(answers.spots.tobytes() + answers.spots_at.tobytes()).hexdigest()
    return sha256(json.dumps([part.name, content, recipe.alone().text(), _FORMAT]).encode()).hexdigest()


def _missing(plan: AtlasPlan, store: AtlasStore) -> list[_Map]:
    """The maps that are to be made, laid out; of those that are not it is kept why."""
    found = []
    for part in mapped_layers(plan):
        answers = answers_of(store, part.stem)
        if answers is None:
            continue
        try:
            key = _key(plan, part, answers)
        except UsageError as error:  # no gradient comes from it, say
            _keep_why(store, part.name, plan.network.sha256, error.fault)
            continue
        if len(answers.spots) < mapping.FEWEST:
            few = f"{len(answers.spots)} places of pictures are too few: a map takes {mapping.FEWEST}"
            _keep_why(store, part.name, key, few)
        elif not answers.spots.astype(np.float32).std(0).any():
            _keep_why(store, part.name, key, "it answers to all places of all pictures alike")
        elif not store.is_finished("map", part.name, key):
            found.append(_Map(part, key, answers, _laid_out(plan, store, part, answers, key)))
    return found


def _keep_why(store: AtlasStore, layer: str, key: str, why: str) -> None:
    """Why there is no map of a layer; one of another data set goes."""
    store.put("no_map", layer, key, {"why": why})
    store.forget("map", [name for name, _ in store.all("map") if name != layer])


def _laid_out(plan: AtlasPlan, store: AtlasStore, part: LayerPart, answers: Summary, key: str) -> np.ndarray[Any, Any]:
    """(m, 2) in 0..1; once it is there it stays, since elsewhere it would come out otherwise."""
    path = f"{HIDDEN}/layouts/{part.stem}.npy"
    if not store.is_finished("layout", part.name, key):
        out = io.BytesIO()
        np.save(out, mapping.laid_out(answers.spots.astype(np.float32), _seed(plan)))
        store.put("layout", part.name, key, {"versions": mapping.versions(), "seed": _seed(plan)}, {path: out.getvalue()})
    found: np.ndarray[Any, Any] = np.load(io.BytesIO((store.folder / path).read_bytes()), allow_pickle=False)
    return found


def _seed(plan: AtlasPlan) -> int:
    seed = plan.choices.get("seed", 0)
    return seed if isinstance(seed, int) else 0


def _tasks(plan: AtlasPlan, store: AtlasStore) -> Sequence[Task]:
    found = []
    for each in _missing(plan, store):
        vectors = mapping.directions(each.answers.spots.astype(np.float32), each.cells)
        for first in range(0, len(vectors), TOGETHER):
            rows = vectors[first : first + TOGETHER]
            if not store.is_finished("cells", each.name(first), each.key):
                what = {
                    "stage": NAME, "layer": each.part.name, "folder": each.folder, "first": first, "name": each.name(first),
                    "key": each.key, "directions": [[float(f"{value:.6g}") for value in row] for row in rows],
                }  # fmt: skip
                found.append(Task(f"map of {each.part.name}, cells {first}–{first + len(rows) - 1}", what, float(len(rows))))
    return found


def make_cells(plan: AtlasPlan, what: Mapping[str, Any], part: Part) -> Result | None:
    """The pictures of some cells, which are made together: `NUMBER.png`, counted from 0, but none of what never had a gradient."""
    plans = plan_cells(plan, what["layer"], np.asarray(what["directions"], np.float32))
    made: list[MadePicture] = []
    for each in plans:
        share, behind = len(each.wanted) / len(what["directions"]), len(made) / len(what["directions"])
        made += each.make_all(lambda now, share=share, behind=behind: part(behind + share * now.done, what["layer"]))  # type: ignore[misc]
        if any(one.recipe.stopped is not None for one in made):
            return None
    return {f"{number}.png": one.encode(".png", with_recipe=False) for number, one in enumerate(made) if one.alive}


def _done(plan: AtlasPlan, store: AtlasStore, task: Task, result: Result) -> None:
    what = task.what
    files = {f"{what['folder']}/{what['first'] + int(name.partition('.')[0]):06d}.png": each for name, each in result.items()}
    store.put("cells", what["name"], what["key"], {}, files)


def _after(plan: AtlasPlan, store: AtlasStore) -> None:
    """The cells of each map put together, and what is told of them."""
    missing, seen = _missing(plan, store), pictures_of(store)
    labels = {} if seen is None else dict(zip(seen["numbers"].tolist(), seen["labels"][:, 0].tolist(), strict=True))
    for each in missing:
        tile, side = tile_of(plan, each.part.name), each.side
        sprite, cells = Image.new("RGBA", (side * tile, side * tile)), []
        for number, cell in enumerate(each.cells):
            place = store.folder / each.folder / f"{number:06d}.png"
            if place.is_file():
                with Image.open(place) as picture:
                    sprite.paste(picture.convert("RGB"), (cell.column * tile, cell.row * tile))
                cells.append(mapping.told(cell, each.answers.spots_at, labels))
        laid = store.facts("layout", each.part.name)
        assert laid is not None
        facts = {
            "columns": side, "rows": side, "cells": cells, "tile": tile, "method": "umap", "versions": laid["versions"],
            "seed": laid["seed"],
        }  # fmt: skip
        show_pictures(plan, store, sorted({number for cell in cells for number in cell["pictures"]}))
        out = io.BytesIO()
        sprite.save(out, "WEBP", quality=_QUALITY, method=4)
        files = {f"maps/{each.part.stem}.webp": out.getvalue(), f"maps/{each.part.stem}.json": _layout(each, facts)}
        store.put("map", each.part.name, each.key, facts, files)
        store.forget("no_map", [name for name, _ in store.all("no_map") if name != each.part.name])
    store.forget("cells", ())


def _layout(made: _Map, facts: Mapping[str, Any]) -> bytes:
    """The file of a layout: what is told of the map; and of each place x and y in 0..1, from the left and the top, and where it is."""
    answers, width = made.answers, made.part.layer.width
    points = [
        [round(float(x), 4), round(float(y), 4), int(picture), *divmod(int(place), width)]
        for (x, y), picture, place in zip(made.plane, answers.spots_at, answers.spots_place, strict=True)
    ]
    columns = ["x", "y", "picture", "row", "column"]
    return json.dumps({"layer": made.part.name, **facts, "points": {"columns": columns, "rows": points}}, ensure_ascii=False).encode()


def note_on_maps(plan: AtlasPlan) -> str:
    """What keeps maps from being made, with the remedy; empty where nothing does, or none are wanted."""
    if not plan.maps or plan.data is None or mapping.can_lay_out():
        return ""
    return f"no maps of layers: what lays them out is not installed: {install_extra('atlas')}"


def seconds_of_maps(plan: AtlasPlan) -> float:
    """About how long maps take here, by a small part of what each layer's cells take."""
    seconds = 0.0
    for each in mapped_layers(plan):
        assert plan.data is not None
        places = min(SPOTS, min(len(plan.data), SAMPLE) * each.layer.height * each.layer.width)
        drawn = np.random.default_rng(0).standard_normal((TOGETHER, each.layer.channels)).astype(np.float32)
        found = plan_cells(plan, each.name, drawn)[0].estimate().seconds / TOGETHER
        seconds += _LAID_OUT + found * _FILLED * mapping.side_of(places) ** 2
    return seconds


MAPS = Stage(NAME, _tasks, make_cells, _done, _after)
