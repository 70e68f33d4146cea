"""Verdicts in the store of an atlas: made once, made again where what they follow from is another, and kept without a data set."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers.tiny import Flow, wrapped
from torch import Tensor, nn

from reverie.api.atlases import eyes_stage, looks_stage, trust_stage
from reverie.api.atlases.eyes_stage import Eyes
from reverie.api.atlases.looks_stage import LOOKS, Late, look_of
from reverie.api.atlases.making import atlas, make_atlas
from reverie.api.atlases.planning import plan_atlas
from reverie.api.atlases.workshop import STAGES, OpenHere, make_task
from reverie.atlases.store import AtlasStore
from reverie.errors import InputError
from reverie.networks import Network
from reverie.work import Task, ThisProcess

CHOICES: dict[str, Any] = {"maps": False, "layers": "block", "size": (16, 16), "steps": 2, "octaves": 1, "facets": 2, "classes": [0, 2]}
KINDS = ("trust", "speaks", "effect", "nearest", "class_units", "class_examples", "audit", "look")


def _network(seed: int) -> Network:
    def way(self: Flow, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.block(self.stem(x)).mean((2, 3)))
        return found

    torch.manual_seed(seed)
    block = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())
    return wrapped(Flow(way, stem=nn.Conv2d(3, 4, 3, stride=2, padding=1), block=block, head=nn.Linear(4, 3)))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    print("seed 0")
    folder, drawn = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for number in range(30):
        colour = drawn.integers(0, 255, 3)
        Image.fromarray(np.clip(colour + drawn.normal(0, 40, (16, 16, 3)), 0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another network looks, as one of the built-in ones does at pictures of those that know its classes."""
    eyes = Eyes(_network(9), "block")
    for each in (eyes_stage, looks_stage, trust_stage):
        monkeypatch.setattr(each, "eyes_of", lambda plan: eyes)


def facts(folder: Path, kind: str) -> dict[str, dict[str, Any]]:
    with AtlasStore(folder) as store:
        return dict(store.all(kind))


def test_every_unit_and_class_is_judged_and_the_same_command_makes_nothing_again(pictures: Path, tmp_path: Path, judged: None) -> None:
    network = _network(1)
    atlas(network, folder=tmp_path / "a", dataset=pictures, **CHOICES)
    units = [f"block:{each}" for each in range(4)]
    living = [name for name, each in facts(tmp_path / "a", "unit").items() if each["alive"]]
    assert len(living) > 1
    found = facts(tmp_path / "a", "trust")
    assert sorted(found) == living
    assert all(each["choice"]["trials"] == 49 and each["choice"]["score"] is not None for each in found.values()), "(30 - 9) / 3 on a side"
    assert all([layer for layer, _ in each["path"]["layers"]] == ["block"] for each in found.values() if not each["path"]["why"])
    spoken = facts(tmp_path / "a", "speaks")
    assert sorted(spoken) == units and all(each["pictures"] == 8 for each in spoken.values())
    assert facts(tmp_path / "a", "effect")["block"]["how"] == "passed by"
    assert sorted(facts(tmp_path / "a", "nearest")) == sorted(["class 0", "class 2", *living])
    for index, each in facts(tmp_path / "a", "class_units").items():
        told = {(layer, unit): change for layer, unit, change in each["for"] + each["against"]}
        for name, mine in spoken.items():
            changes = {str(number): change for number, change in mine["for"] + mine["against"]}
            assert told.get(("block", int(name[-1])), 0.0) == pytest.approx(changes.get(index, 0.0), abs=2e-3)
    examples = facts(tmp_path / "a", "class_examples")
    assert sorted(examples) == ["0", "2"] and all(len(each["along"]) == 3 for each in examples.values())
    assert (tmp_path / "a" / "audit.csv").read_text().startswith("finding,layer")
    with AtlasStore(tmp_path / "a") as store:
        plan = plan_atlas(network, dataset=pictures, **CHOICES)
        assert [task.name for stage in STAGES for task in stage.tasks(plan, store)] == []
        before = store.manifest()
    make_atlas(plan, tmp_path / "a", OpenHere(plan), ThisProcess())
    with AtlasStore(tmp_path / "a") as store:
        assert store.manifest() == before


def test_a_later_command_adds_to_the_audit_and_to_the_units_of_classes(pictures: Path, tmp_path: Path, judged: None) -> None:
    network = _network(1)
    atlas(network, folder=tmp_path / "a", dataset=pictures, **CHOICES)
    before = facts(tmp_path / "a", "audit")["all"], (tmp_path / "a" / "audit.csv").read_text()
    atlas(network, folder=tmp_path / "a", dataset=pictures, **{**CHOICES, "layers": "stem"})
    found = facts(tmp_path / "a", "audit")["all"]
    assert all(each in found[kind] for kind in before[0] for each in before[0][kind])
    assert set(before[1].splitlines()) <= set((tmp_path / "a" / "audit.csv").read_text().splitlines())
    told = facts(tmp_path / "a", "class_units")["0"]
    assert {layer for layer, *_ in told["for"] + told["against"]} == {"block", "stem"}
    shown = {
        number for kind in ("nearest", "class_examples") for each in facts(tmp_path / "a", kind).values() for number, _ in each["pictures"]
    }
    names = facts(tmp_path / "a", "data")["set"]["pictures"]
    assert shown and all((tmp_path / "a" / "examples" / f"{names[number][0][:16]}.webp").is_file() for number in shown)


def test_without_a_data_set_verdicts_stay_and_with_another_they_are_made_anew(pictures: Path, tmp_path: Path, judged: None) -> None:
    network = _network(1)
    atlas(network, folder=tmp_path / "a", dataset=pictures, **CHOICES)
    before = {kind: facts(tmp_path / "a", kind) for kind in KINDS}
    atlas(network, folder=tmp_path / "a", **CHOICES)
    assert {kind: facts(tmp_path / "a", kind) for kind in KINDS} == before
    other = tmp_path / "other"
    other.mkdir()
    for each in list(pictures.iterdir())[:20]:
        (other / each.name).write_bytes(each.read_bytes())
    atlas(network, folder=tmp_path / "a", dataset=other, **CHOICES)
    trust = facts(tmp_path / "a", "trust")
    assert all(each["choice"]["score"] is None and "too few" in each["choice"]["why"] for each in trust.values())
    with AtlasStore(tmp_path / "a") as store:
        assert len(list(store.all("voices"))) == 1, "what was held on the other data set is gone"


def test_without_a_data_set_and_another_network_it_is_said_what_is_missing(tmp_path: Path) -> None:
    network = _network(1)
    atlas(network, folder=tmp_path / "a", **CHOICES)
    trust = facts(tmp_path / "a", "trust")
    assert trust and all(
        each["path"]["score"] is None and each["choice"]["score"] is None and not each["misleads"] for each in trust.values()
    )
    words = next(iter(trust.values()))["words"]
    assert "no data set was given" in words and "no other network" in words
    assert not facts(tmp_path / "a", "speaks") and not facts(tmp_path / "a", "nearest")
    assert all(not each["pictures"] and len(each["along"]) == 3 for each in facts(tmp_path / "a", "class_examples").values())
    assert facts(tmp_path / "a", "audit")["all"]["duplicates"] == []


def test_a_look_can_travel_and_reads_no_picture_until_it_does(tmp_path: Path) -> None:
    network = _network(1)
    made = atlas(network, folder=tmp_path / "a", **CHOICES)
    plan = plan_atlas(network, **CHOICES)
    with AtlasStore(made.folder) as store:
        store.forget("look", ())
        tasks = LOOKS.tasks(plan, store)
        assert all(isinstance(task.what, Late) for task in tasks)
        travelled = pickle.loads(pickle.dumps(tasks[0]))
        assert type(travelled.what) is dict and travelled.what["pictures"]
        here, there = make_task(plan, tasks[0], lambda *_: False), make_task(plan, travelled, lambda *_: False)
        assert here == there and here is not None
        LOOKS.done(plan, store, tasks[0], here)
        found = look_of(store, tasks[0].what["names"][0])
        assert found is not None and found["kinds"].tolist() == ["", "-negative", "-facet-1", "-facet-2"]
        assert make_task(plan, tasks[0], lambda *_: True) is None, "it was stopped"
        with pytest.raises(InputError, match="another where the work is done"):
            make_task(plan, Task("", {**tasks[0].what, "eyes": "another"}), lambda *_: False)
