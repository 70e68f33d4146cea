"""Recipes of pictures that were made together: the same after a round trip, and strangers' are refused."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import Run, carrying
from tests.helpers.imagined import TINY
from tests.helpers.known import recipe_of

import reverie
from reverie.album import read_recipe
from reverie.pictures import Picture
from reverie.recipe import read

pytestmark = pytest.mark.usefixtures("place", "alone")


@cache
def second() -> Picture:
    """The second of two pictures that were made together."""
    made: list[Picture] = reverie.imagine(["banana", "goldfish"], **{**TINY, "steps": 1})
    return made[1]


@pytest.fixture
def member() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(recipe_of(second()).text())
    return data


def test_recipes_are_the_same_after_a_round_trip(run: Run) -> None:
    made = [
        *reverie.imagine(["banana", "goldfish"], **TINY), *reverie.feature("blocks.2.0:0", diverse=2, **TINY),
        *reverie.imagine(between=("banana", 1), count=2, **TINY), reverie.feature("blocks.2.1", direction=[1.0] * 40, **TINY),
    ]  # fmt: skip
    for each in made:
        each.save("a.png", force=True)
        (answer,) = run("recipe", "a.png", "--json").data
        assert read(json.dumps(answer["recipe"])) == recipe_of(each) == read_recipe("a.png")


@pytest.mark.parametrize(
    "change",
    [
        {"batch": {"index": 2}}, {"batch": {"index": -1}}, {"batch": {"index": 10**30}}, {"batch": {"index": 0}}, {"batch": {"index": "1"}},
        {"batch": {"targets": ["class:goldfish", "class:banana"]}}, {"batch": {"targets": []}}, {"batch": {"kind": "other"}},
        {"batch": {"targets": ["class:goldfish"] * 257}}, {"batch": {"targets": ["blocks.4.1:99999", "class:goldfish"]}},
        {"batch": {"targets": ["", "class:goldfish"]}}, {"batch": {"path": "/etc/passwd"}}, {"command": "dream"}, {"command": "train"},
        {"objective": "caricature"}, {"objective": "guide"}, {"objective": "direction"}, {"networks": []}, {"inputs": []},
        {"inputs": [{"role": "start", "sha256": "0" * 64, "width": 32, "height": 32}]}, {"target": "class:banana"},
        {"opinions": [{"network": "x", "sha256": "0" * 64, "rank": 0, "probability": 2.0, "labels": []}]},
        {"inputs": [{"role": "start", "noise": "pink"}, {"role": "mask", "sha256": "../../etc/passwd", "width": 1, "height": 1}]},
    ],
)  # fmt: skip
def test_a_strangers_recipe_that_makes_no_sense_is_refused(run: Run, member: dict[str, Any], change: dict[str, Any]) -> None:
    for field, value in change.items():
        member[field] = {**member[field], **value} if isinstance(value, dict) else value
    carrying(Path("a.png"), json.dumps(member))
    run("redo", "a.png", "-o", "b.png").fault(3)
    assert not Path("b.png").exists()


def test_a_strangers_picture_of_no_class_gets_no_opinions(run: Run, member: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverie.render.second_opinions.installed", lambda: ["efficientnet-lite1"])
    carrying(Path("a.png"), json.dumps({**member, "target": "blocks.2.0:1", "batch": None}))
    assert run("redo", "a.png", "-o", "b.png").code == 0
    assert read_recipe("b.png").opinions == ()
