"""The table of objectives: its rows hold together, and one put in from outside is dreamt with and cut into tiles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from tests.helpers.climbing import pictures, recipe_for
from tests.helpers.tiny import wrapped
from torch import Tensor, nn

import reverie
from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.objectives import TABLE, Entry, Judge, Material, check, entry
from reverie.pictures import Picture
from reverie.recipe import Ascent, Recipe, Tiles
from reverie.recipe.recipe import _NEEDED_BY
from reverie.render import Plan, whole_only
from reverie.target import parse

FEW = Ascent(octaves=1, steps=6, jitter=0, strength=0.02, smoothing=0, tone="free", vivid=1.0)


def brightest(given: Material) -> Judge:
    """How bright the first channel of the first layer is, at its mean place."""

    def score(seen: Mapping[str, Tensor]) -> Tensor:
        return seen[given.targets[0].terms[0].layer][:, 0].mean((1, 2))  # (N,)

    return score


def planned(net: Network, objective: str, target: str = "light", **changes: object) -> Plan:
    recipe = recipe_for([target], [net], objective, ascent=FEW).model_copy(update={"height": 24, "width": 32, **changes})
    return Plan(recipe, (net,), Picture(pictures(side=24, width=32, low=0.3, high=0.6)[0]))


def test_a_row_from_outside_is_an_objective(hand: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLE, "brightest", Entry(brightest, whole_layers=True, tiled=True))
    plan = planned(hand, "brightest")
    made = plan.make()
    assert made.pixels.mean() > plan.start.pixels.mean() + 0.05  # light is R+G+B
    assert made.recipe is not None and made.recipe.objective == "brightest"
    cut = planned(hand, "brightest", tiles=Tiles(tile=16, halo=8)).make()
    assert (cut.pixels - made.pixels).abs().max() < 1e-4
    with pytest.raises(UsageError, match=r"a brightest with the target 'light:0'; it needs layers"):
        planned(hand, "brightest", "light:0").make()


def test_a_row_without_tiles_is_not_cut(hand: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLE, "brightest", Entry(brightest))
    recipe = planned(hand, "brightest").recipe
    assert whole_only(hand, recipe.target, "brightest", recipe.transforms, recipe.penalties) == "a brightest compares the whole picture"


def test_a_row_is_handed_what_it_needs(hand: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Material] = {}

    def noting(name: str) -> Entry:
        def judge(material: Material) -> Judge:
            given[name] = material
            return brightest(material)

        needs = {"near": "guide", "far": "guide", "again": "start", "along": "direction"}
        return Entry(judge, needs=needs[name], aligned=name == "near")  # type: ignore[arg-type]

    guide, vector = pictures(side=40, seed=3)[0], torch.tensor([1.0, -1.0])
    for name in ("near", "far", "again", "along"):
        monkeypatch.setitem(TABLE, name, noting(name))
        plan = planned(hand, name)
        Plan(plan.recipe, plan.networks, plan.start, guide=guide, direction=vector).make()
    assert given["near"].seen["light"].shape == (1, 2, 24, 32)  # at the picture's size
    assert given["far"].seen["light"].shape == (1, 2, 256, 1)  # places at the native size, 16 × 16
    assert given["again"].seen["light"].shape == (1, 2, 24, 32)
    assert torch.equal(given["along"].direction, vector) and not given["along"].seen  # type: ignore[arg-type]
    for name, missing in (("near", "a guide"), ("along", "a direction")):
        with pytest.raises(UsageError, match=f"the objective '{name}' without {missing}"):
            planned(hand, name).make()


def test_an_objective_that_is_not_known_cannot_be_planned_again(tmp_path: Path, hand: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = reverie.dream(pictures(side=24)[0], "light", network=hand, octaves=1, steps=1)
    assert made.recipe is not None
    Picture(made.pixels, recipe=made.recipe.model_copy(update={"objective": "brightest"})).save("later.png")
    with pytest.raises(InputError, match="the objective 'brightest' is not known; it may be of a newer Reverie: the known ones are excite"):
        reverie.redo("later.png", network=hand)
    with pytest.raises(InputError, match="is not known"):
        entry("own")


@pytest.mark.parametrize("name", TABLE)
def test_the_rules_of_recipes_and_the_table_agree(name: str) -> None:
    needed = [role for role, objectives in _NEEDED_BY.items() if name in objectives]
    assert needed == [{"start": ""}.get(entry(name).needs, entry(name).needs)]


def test_what_is_asked_of_targets(hand: Network) -> None:
    vector = torch.ones(3)
    for name, target, fault in (
        ("guide", "class:1", "a guide with the target 'class:1'; it needs layers"),
        ("caricature", "light:1", "a caricature with the target 'light:1'; it needs layers"),
        ("rebuild", "light - edge", "give its layers weights above 0"),
        ("guide", "head", "a guide with the target 'head'; it has no places"),
        ("direction", "light", "a direction of 3 numbers; 'light' has 2 channels"),
    ):
        with pytest.raises(UsageError, match=fault):
            check(name, parse(target), hand.layer, vector)
    check("excite", parse("class:1 + light:1@2,2"), hand.layer)
    check("caricature", parse("head"), hand.layer)


def test_the_name_of_an_objective_is_a_short_word() -> None:
    for name in ("", "Guide", "a" * 42, "../x", "a b"):
        with pytest.raises(ValueError, match="objective"):
            Recipe.model_validate({**recipe_for(["light"], [wrapped(nn.Conv2d(3, 2, 1))]).model_dump(), "objective": name})
