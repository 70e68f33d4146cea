"""An atlas in a folder: made once, gone on with after a stop, added to, and never over what is somebody else's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers.tiny import Hand, wrapped
from torch import nn

import reverie
from reverie.api.atlases.making import estimate_atlas
from reverie.api.atlases.planning import plan_atlas
from reverie.atlases.store import AtlasStore
from reverie.errors import InputError, OutputError, UsageError

SMALL: dict[str, Any] = {"size": 16, "steps": 2, "octaves": 1, "facets": 0, "classes": "none", "maps": False}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    print("seed 3")
    folder, drawn = tmp_path_factory.mktemp("photographs"), np.random.default_rng(3)
    for number in range(20):
        Image.fromarray(drawn.integers(0, 255, (20, 24, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    return folder


def facts(folder: Path, kind: str) -> dict[str, dict[str, Any]]:
    with AtlasStore(folder) as store:
        return dict(store.all(kind))


def test_a_page_for_every_unit_with_the_pictures_that_excite_it(pictures: Path, tmp_path: Path) -> None:
    made = reverie.atlas(wrapped(Hand()), folder=tmp_path / "a", layers=["light", "edge"], dataset=pictures, **SMALL)
    assert [name for name, _ in made.unreadable] == ["broken.png"]
    assert made.finished and made.units == 4 and made.faults == () and made.page == tmp_path / "a" / "index.html"
    for unit in ("light/0", "light/1", "edge/0", "edge/1"):
        assert (tmp_path / "a" / f"{unit}.html").is_file() and (tmp_path / "a" / f"{unit}.webp").is_file()
    told = facts(tmp_path / "a", "data")["set"]
    assert told["count"] == 20 and [name for name, _ in told["faults"]] == ["broken.png"]
    best = facts(tmp_path / "a", "examples")["light:0"]["top"][0]
    name = told["pictures"][best["picture"]][1]
    brightest = max(pictures.glob("[0-9]*.png"), key=lambda each: _light(each))
    assert (
        name == brightest.name and f"{told['pictures'][best['picture']][0][:16]}.webp" in (tmp_path / "a" / "light" / "0.html").read_text()
    )
    assert reverie.redo(tmp_path / "a" / "light" / "0.webp", network=wrapped(Hand())).recipe is not None  # it carries its recipe


def _light(place: Path) -> float:
    """The largest sum of the three channels, as the network sees it at its own size."""
    pixels = reverie.pictures.resize(reverie.pictures.as_tensor(place), 16, 16)
    return float(pixels.sum(0).max())


def test_the_same_again_makes_nothing_and_more_makes_what_is_new(pictures: Path, tmp_path: Path) -> None:
    network, told = wrapped(Hand()), []

    def tell(stage: str, doing: Any) -> bool:
        told.append((stage, doing.units))
        return False

    first = reverie.atlas(network, folder=tmp_path / "a", units="light:0", **SMALL)
    changed = (tmp_path / "a" / "light" / "0.webp").stat().st_mtime_ns
    again = reverie.atlas(network, folder=tmp_path / "a", units="light:0", progress=tell, **SMALL)
    assert again.digest == first.digest and told == []
    (tmp_path / "a" / "light" / "0-negative.webp").unlink()
    lost = reverie.atlas(network, folder=tmp_path / "a", units="light:0", **SMALL)
    assert lost.digest == first.digest and (tmp_path / "a" / "light" / "0-negative.webp").is_file()  # what was taken away comes back
    changed = (tmp_path / "a" / "light" / "0.webp").stat().st_mtime_ns
    both = reverie.atlas(network, folder=tmp_path / "both", units=["edge:0-1"], **SMALL)
    reverie.atlas(network, folder=tmp_path / "both", units="edge:1", progress=tell, **SMALL)
    assert told == [] and both.units == 2  # what is there is known again, whichever units stand beside it
    more = reverie.atlas(network, folder=tmp_path / "a", layers="edge", progress=tell, **SMALL)
    assert more.units == 3 and ("features", 1) in told
    assert (tmp_path / "a" / "light" / "0.webp").stat().st_mtime_ns == changed
    with_pictures = reverie.atlas(network, folder=tmp_path / "a", units="light:0", dataset=pictures, **SMALL)
    assert with_pictures.units == 3 and "light:0" in facts(tmp_path / "a", "examples")
    assert (tmp_path / "a" / "light" / "0.webp").stat().st_mtime_ns == changed  # only what depends on the pictures is new
    other = tmp_path / "fewer"
    other.mkdir()
    for each in list(pictures.glob("[0-9]*.png"))[:4]:
        (other / each.name).write_bytes(each.read_bytes())
    reverie.atlas(network, folder=tmp_path / "a", units="light:0", dataset=other, **SMALL)
    assert facts(tmp_path / "a", "data")["set"]["count"] == 4


def test_one_that_is_stopped_goes_on_to_the_same(pictures: Path, tmp_path: Path) -> None:
    network = wrapped(Hand())
    whole = reverie.atlas(network, folder=tmp_path / "whole", layers=["light", "edge"], dataset=pictures, **SMALL)
    stops = 0
    for _ in range(40):
        made = reverie.atlas(
            network, folder=tmp_path / "parts", layers=["light", "edge"], dataset=pictures, progress=lambda *_: True, **SMALL
        )
        if made.finished:
            break
        stops += 1
        assert (tmp_path / "parts" / "index.html").is_file()  # the site is whole at every moment
        reverie.atlas(network, folder=tmp_path / "parts", layers=["light", "edge"], dataset=pictures, progress=_once(), **SMALL)
    assert stops and made.digest == whole.digest


def _once() -> Any:
    """Stops once the first task is finished."""
    seen = {"count": 0}

    def tell(stage: str, doing: Any) -> bool:
        seen["count"] += doing.share == 1 and not doing.part
        return seen["count"] > 0

    return tell


def test_nothing_of_anybody_elses_is_replaced(tmp_path: Path) -> None:
    network, place = wrapped(Hand()), tmp_path / "mine"
    place.mkdir()
    (place / "index.html").write_text("my own page")
    for force in (False, True):
        with pytest.raises(OutputError, match="holds something else"):
            reverie.atlas(network, folder=place, units="light:0", force=force, **SMALL)
    assert (place / "index.html").read_text() == "my own page" and len(list(place.iterdir())) == 1
    reverie.atlas(network, folder=tmp_path / "a", units="light:0", **SMALL)
    (tmp_path / "a" / "my notes.txt").write_text("kept")
    changed = Hand()
    with torch.no_grad():
        changed.light.weight.mul_(2)
    with pytest.raises(OutputError, match="another network"):
        reverie.atlas(wrapped(changed), folder=tmp_path / "a", units="light:0", **SMALL)
    made = reverie.atlas(wrapped(changed), folder=tmp_path / "a", units="light:1", force=True, **SMALL)
    assert (
        made.units == 1 and (tmp_path / "a" / "my notes.txt").read_text() == "kept" and not (tmp_path / "a" / "light" / "0.webp").exists()
    )
    assert json.loads((tmp_path / "a" / "atlas.json").read_text())["sha256"] == wrapped(changed).sha256


def test_a_unit_that_never_fires_is_listed_without_a_grey_picture(tmp_path: Path) -> None:
    module = Hand()
    with torch.no_grad():
        module.edge.weight[1] = 0
    made = reverie.atlas(wrapped(module), folder=tmp_path / "a", layers="edge", **SMALL)
    assert made.finished and not facts(tmp_path / "a", "unit")["edge:1"]["alive"]
    assert not (tmp_path / "a" / "edge" / "1.webp").exists() and (tmp_path / "a" / "edge" / "1.html").is_file()
    assert ["edge", 1] in facts(tmp_path / "a", "audit")["all"]["dead"]


@pytest.mark.parametrize(
    ("choices", "match"),
    [
        ({"layers": "lihgt"}, "did you mean"),
        ({"units": "light:7"}, "no unit"),
        ({"units": "light"}, "is no unit"),
        ({"units": "light:0 + edge:1"}, "is no unit"),
        ({"layers": "edge", "units": "light:0"}, "not among the layers"),
        ({"layers": "light", "classes": "banana"}, "banana"),
        ({"sample": 0}, "sample"),
    ],
)
def test_what_is_not_there_is_told_before_anything_is_made(choices: dict[str, Any], match: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=match):
        reverie.atlas(wrapped(Hand()), folder=tmp_path / "a", **{**SMALL, **choices})
    assert not (tmp_path / "a").exists()


def test_a_data_set_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no picture"):
        reverie.atlas(wrapped(Hand()), folder=tmp_path / "a", units="light:0", dataset=tmp_path / "empty", **SMALL)
    (tmp_path / "empty" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(InputError, match=r"no picture in the data set can be read, first: 'broken\.png'"):
        reverie.atlas(wrapped(Hand()), folder=tmp_path / "b", units="light:0", dataset=tmp_path / "empty", **SMALL)


def test_an_estimate_counts_what_is_asked_for(pictures: Path) -> None:
    plan = plan_atlas(wrapped(Hand()), layers=["light", "edge"], sample=1, dataset=pictures, **{**SMALL, "facets": 2})
    found = estimate_atlas(plan)
    assert (found.units, found.classes, found.pictures) == (2, 0, 21) and found.seconds > 0 and found.result > 0
    assert [layer.channels for layer in plan.layers] == [(0,), (0,)]


def test_own_labels_are_on_the_pages_of_classes(tmp_path: Path) -> None:
    network = wrapped(Hand(), labels=["edges <b>", "warmth", "cold"])
    assert isinstance(network.module, nn.Module)
    reverie.atlas(network, folder=tmp_path / "a", units="light:0", **{**SMALL, "classes": ["warmth", 0]})
    page = (tmp_path / "a" / "classes" / "0.html").read_text()
    assert "edges &lt;b&gt;" in page and "edges <b>" not in page
    assert facts(tmp_path / "a", "class").keys() == {"0", "1"}
