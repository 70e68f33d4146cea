"""Second opinions: what networks that did not dream a class picture say of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers.commands import Run
from tests.helpers.imagined import TINY
from tests.helpers.known import recipe_of
from tests.helpers.tiny import Hand, wrapped
from torch import nn

import reverie
import reverie.render.second_opinions as opinions
from reverie.album import read_recipe
from reverie.networks import Network, installed
from reverie.pictures import Picture, quantise
from reverie.recipe import Opinion

pytestmark = pytest.mark.usefixtures("place")

FLAGS = ("--size", "32", "--octaves", "1", "--steps", "1")
JUDGES = ["efficientnet-lite1", "efficientnet-lite2"]

if not set(JUDGES) <= set(installed()):
    pytest.skip("the judges are not installed", allow_module_level=True)


@pytest.fixture(autouse=True)
def open_once(opened: Callable[[str], Network], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opinions, "_open", lambda name, _device: opened(name))


@cache
def picture() -> Picture:
    made: Picture = reverie.imagine("banana", **TINY)
    return made


def asked(made: Picture) -> list[str]:
    return [each.network for each in recipe_of(made).opinions]


def test_both_other_networks_are_asked_in_the_order_of_the_catalogue() -> None:
    assert asked(picture()) == JUDGES
    assert all(asked(each) == JUDGES for each in reverie.imagine(["banana", "goldfish"], **TINY))


@pytest.mark.parametrize("dreamer", JUDGES)
def test_the_dreamer_is_never_asked(opened: Callable[[str], Network], dreamer: str) -> None:
    others = [name for name in installed() if name != dreamer]
    assert asked(reverie.imagine("banana", network=opened(dreamer), **TINY)) == others
    pair = [opened("efficientnet-lite0"), opened(dreamer)]
    assert asked(reverie.imagine("banana", network=pair, **TINY)) == [name for name in JUDGES if name != dreamer]


def test_the_dreamer_is_not_opened_once_more(opened: Callable[[str], Network], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def noted(name: str, _device: str) -> Network:
        asked.append(name)
        return opened(name)

    monkeypatch.setattr(opinions, "_open", noted)
    opinions.judges(opened("efficientnet-lite0"))
    assert asked == JUDGES


def test_rank_and_probability_are_what_recognise_says_of_the_file(run: Run, opened: Callable[[str], Network]) -> None:
    file = picture().save("a.png")
    for said in read_recipe(file).opinions:
        (answer,) = run("recognise", file, "--network", said.network, "--top", "1000", "--json").data
        order = [each["index"] for each in answer["labels"]]
        found = {each["index"]: each["probability"] for each in answer["labels"]}
        assert said.rank == order.index(954) + 1 and said.probability == pytest.approx(found[954], rel=0.01, abs=2e-6)
        assert said.sha256 == opened(said.network).sha256
        assert [each.index for each in said.labels] == order[:5]
        for each, shown in zip(said.labels, answer["labels"], strict=False):
            assert each.label == shown["label"] and each.probability == pytest.approx(shown["probability"], rel=0.01, abs=2e-6)


def test_a_picture_that_is_one_comes_first(opened: Callable[[str], Network], lite0: Network) -> None:
    """Climbed on the judge itself, so that it must see what it was asked for; then shown to it as if another had dreamt it."""
    plain: dict[str, Any] = {"rotate": 0.0, "scale": 1.0, "fade": 1.0, "noise": 0.0, "jitter": 0}
    made = reverie.imagine("tiger", network=opened(JUDGES[0]), size=112, octaves=1, steps=12, **plain)
    recipe = recipe_of(made).model_copy(update={"networks": recipe_of(picture()).networks})
    (said,) = opinions.opinions([made.pixels], [recipe], lite0)
    assert said[0].network == JUDGES[0]
    (label,) = opened(JUDGES[0]).recognise(torch.from_numpy(quantise(made.pixels)).permute(2, 0, 1) / 255, top=1)
    assert (said[0].rank == 1) == (label.label == "tiger") and said[0].labels[0].label == label.label
    assert said[0].rank < 20


def test_they_change_no_pixel_and_nothing_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    with_them = reverie.imagine("banana", progress=lambda seen: steps.append(seen.step), **TINY)
    monkeypatch.setattr(opinions, "installed", lambda: ["efficientnet-lite0"])
    without = reverie.imagine("banana", **TINY)
    assert asked(without) == [] and steps == [1, 2]
    assert np.array_equal(quantise(with_them.pixels), quantise(without.pixels)) and with_them.score == without.score
    assert recipe_of(with_them).model_copy(update={"opinions": ()}) == recipe_of(without)


def test_they_are_taken_once_when_the_picture_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    real = opinions._opinion

    def noted(*given: Any) -> Opinion:
        events.append("asked")
        return real(*given)

    monkeypatch.setattr(opinions, "_opinion", noted)
    reverie.imagine(["banana", "goldfish"], progress=lambda seen: events.append("step"), **TINY)
    assert events == ["step"] * 2 + ["asked"] * 4


def test_a_network_that_knows_other_classes_is_not_judged() -> None:
    torch.manual_seed(0)
    names = [f"thing {number}" for number in range(3)]
    assert asked(reverie.imagine("thing 1", network=wrapped(Hand(), labels=names), octaves=1, steps=1)) == []
    assert asked(reverie.imagine(1, network=wrapped(Hand()), octaves=1, steps=1)) == []


def test_a_network_of_ones_own_with_the_same_classes_is_judged_by_all(lite0: Network) -> None:
    torch.manual_seed(0)
    own = wrapped(nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 1000)), size=32)
    own.labels = lite0.labels
    assert asked(reverie.imagine("banana", network=own, octaves=1, steps=1)) == ["efficientnet-lite0", *JUDGES]


def test_features_and_dreams_get_none(run: Run) -> None:
    assert asked(reverie.feature("class:banana", **TINY)) == []
    assert asked(reverie.dream("noise:pink", "class:banana", **TINY)) == []
    (made,) = run("feature", "blocks.2.0:1", *FLAGS, "--json").data
    assert "opinions" not in made and made["recipe"]["opinions"] == []


def test_of_a_row_between_two_classes_the_heavier_is_asked_for(lite0: Network) -> None:
    row = reverie.imagine(between=("banana", "goldfish"), count=4, **TINY)
    assert [opinions.wanted(recipe_of(each), lite0) for each in row] == [(954,), (954,), (1,), (1,)]


def test_the_json_and_the_lines_for_people_say_the_same(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverie.render.plan.own_views", lambda pictures, *_: [() for _ in pictures])  # it has tests of its own
    (made,) = run("imagine", "banana", *FLAGS, "--json", "-o", "a.png").data
    assert set(made) == {"path", "recipe", "seconds", "score", "notes", "opinions"}
    assert made["opinions"] == made["recipe"]["opinions"] == json.loads(read_recipe("a.png").text())["opinions"]
    for each in made["opinions"]:
        assert set(each) == {"network", "sha256", "rank", "probability", "labels"}
        assert all(set(label) == {"index", "label", "probability"} for label in each["labels"])
    answer = run("imagine", "banana", *FLAGS, "-o", "b.png")
    assert answer.out == "b.png\n"
    lines = answer.err.splitlines()
    assert len(lines) == 2
    for line, each in zip(lines, made["opinions"], strict=True):
        assert line.strip().startswith(each["network"]) and f" number {each['rank']}, " in line and each["labels"][0]["label"] in line
    assert run("imagine", "banana", *FLAGS, "-o", "c.png", "--quiet").err == ""
    assert run("imagine", "banana", *FLAGS, "-o", "d.png", "--no-recipe", "--json").data[0]["opinions"] == made["opinions"]


def test_the_same_again_over_the_same_file(run: Run) -> None:
    for _ in range(2):
        assert run("imagine", "banana", *FLAGS, "-o", "a.png", "--quiet").code == 0
    run("redo", "a.png", "-o", "a.png").fault(5, "is what goes in")
    for _ in range(2):
        assert run("imagine", "banana", *FLAGS, "--making", "2", "--quiet").code == 0


def test_redo_asks_again(run: Run) -> None:
    made = picture().save("a.png")
    forged = recipe_of(picture()).opinions[0].model_copy(update={"rank": 1, "probability": 1.0, "network": "my own judge"})
    lied = Picture(picture().pixels, recipe=recipe_of(picture()).model_copy(update={"opinions": (forged,)})).save("lied.png")
    assert run("redo", lied, "-o", "b.png").code == 0
    assert Path("b.png").read_bytes() == made.read_bytes()
