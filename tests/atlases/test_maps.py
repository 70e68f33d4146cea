"""The stage of maps, from a data set to one picture of cells and a layout, on a network that can be worked out by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.helpers.tiny import Hand, wrapped

from reverie.api.atlases.examples_stage import EXAMPLES
from reverie.api.atlases.maps_stage import MAPS, make_cells, mapped_layers, note_on_maps, seconds_of_maps
from reverie.api.atlases.planning import AtlasPlan, plan_atlas
from reverie.api.atlases.stages import Stage
from reverie.atlases import mapping
from reverie.atlases.store import AtlasStore
from reverie.work import Task


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    print("seed 5")
    drawing = np.random.default_rng(5)
    for number in range(4):
        Image.fromarray(drawing.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def plainly_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first two channels as x and y: umap has a test of its own."""
    monkeypatch.setattr(mapping, "laid_out", lambda values, seed: mapping.in_square(values[:, :2].astype(np.float64)))
    monkeypatch.setattr(mapping, "can_lay_out", lambda: True)


def plan_of(photos: Path | None, **choices: Any) -> AtlasPlan:
    return plan_atlas(wrapped(Hand()), **{"layers": ["edge"], "classes": "none", "dataset": photos, "steps": 2, **choices})


def made(stage: Stage, plan: AtlasPlan, store: AtlasStore, tasks: Sequence[Task] | None = None) -> None:
    for task in stage.tasks(plan, store) if tasks is None else tasks:
        result = stage.make(plan, json.loads(json.dumps(task.what)), lambda share, words: False)  # as it would travel
        assert result is not None
        stage.done(plan, store, task, result)


def test_a_map_is_one_picture_with_what_is_in_its_cells_and_a_layout(photos: Path, tmp_path: Path) -> None:
    plan = plan_of(photos)
    with AtlasStore(tmp_path / "atlas") as store:
        made(EXAMPLES, plan, store)
        EXAMPLES.after(plan, store)
        tasks = MAPS.tasks(plan, store)
        made(MAPS, plan, store, tasks[:1])
        assert [each.name for each in MAPS.tasks(plan, store)] == [each.name for each in tasks[1:]]  # what is there is not made again
        made(MAPS, plan, store)
        MAPS.after(plan, store)
        assert not MAPS.tasks(plan, store)
        found = store.facts("map", "edge")
        assert found is not None
        assert found["columns"] == found["rows"] == 6 and found["tile"] == 64  # 4 × 64 places, 8 in a cell
        assert sum(each["count"] for each in found["cells"]) <= 256
        assert all(each["count"] >= 3 and 1 <= len(each["pictures"]) <= 3 for each in found["cells"])
        assert all((store.folder / f"examples/{plan.data.pictures[number].sha256[:16]}.webp").is_file()  # type: ignore[union-attr]
                   for each in found["cells"] for number in each["pictures"])  # fmt: skip
        with Image.open(io.BytesIO((store.folder / "maps/edge.webp").read_bytes())) as sprite:
            assert sprite.size == (384, 384)
            opacity = np.asarray(sprite.convert("RGBA"))[32::64, 32::64, 3]  # (6, 6), in the middle of each cell
        filled = {(each["row"], each["column"]) for each in found["cells"]}
        assert {(int(row), int(column)) for row, column in np.argwhere(opacity == 255)} == filled
        assert set(np.unique(opacity).tolist()) <= {0, 255}
        layout = json.loads((store.folder / "maps/edge.json").read_text())
        assert layout["cells"] == found["cells"] and len(layout["points"]["rows"]) == 256
        assert layout["points"]["columns"] == ["x", "y", "picture", "row", "column"]
        assert all(0 <= x <= 1 and 0 <= y <= 1 and 0 <= row < 16 and 0 <= column < 16 for x, y, _, row, column in layout["points"]["rows"])
        assert not [*store.all("cells")] and not [*(store.folder / ".atlas" / "cells").rglob("*.png")]


def test_the_picture_of_a_cell_is_drawn_along_its_own_direction(photos: Path) -> None:
    """`edge` has in channel 1 how warm it is: along it the picture gets redder, against it bluer."""
    plan = plan_of(photos, steps=8)
    result = make_cells(plan, {"layer": "edge", "directions": [[0.0, 1.0], [0.0, -1.0]]}, lambda share, words: False)
    assert result is not None
    warm, cold = (np.asarray(Image.open(io.BytesIO(result[f"{each}.png"])), np.float64) for each in (0, 1))
    assert (warm[..., 0] - warm[..., 2]).mean() > (cold[..., 0] - cold[..., 2]).mean() + 5


def test_cells_are_stopped_between_steps(photos: Path) -> None:
    assert make_cells(plan_of(photos), {"layer": "edge", "directions": [[0.0, 1.0]]}, lambda share, words: True) is None


def test_few_places_make_no_map_and_it_is_kept_why(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    Image.new("RGB", (16, 16), (90, 20, 200)).save(tmp_path / "one" / "a.png")
    plan = plan_of(tmp_path / "one")
    with AtlasStore(tmp_path / "atlas") as store:
        made(EXAMPLES, plan, store)
        EXAMPLES.after(plan, store)
        assert not MAPS.tasks(plan, store)
        MAPS.after(plan, store)
        assert store.facts("map", "edge") is None
        assert store.facts("no_map", "edge") == {"why": "64 places of pictures are too few: a map takes 100"}


def test_maps_can_be_left_out_and_want_a_data_set_and_a_package(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [each.name for each in mapped_layers(plan_of(photos))] == ["edge"] and note_on_maps(plan_of(photos)) == ""
    assert mapped_layers(plan_of(photos, maps=False)) == [] and mapped_layers(plan_of(None)) == []
    monkeypatch.setattr(mapping, "can_lay_out", lambda: False)
    assert mapped_layers(plan_of(photos)) == []
    assert "umap-learn" in note_on_maps(plan_of(photos))
    assert note_on_maps(plan_of(None)) == note_on_maps(plan_of(photos, maps=False)) == ""


def test_what_maps_take_is_estimated(photos: Path) -> None:
    assert seconds_of_maps(plan_of(photos)) > 20 and seconds_of_maps(plan_of(photos, maps=False)) == 0
