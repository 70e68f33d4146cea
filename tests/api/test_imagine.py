"""Pictures from noise, in Python: which come, in what order, in which batches, and the same ones again."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers.commands import Run, carrying, pixels
from tests.helpers.known import several
from tests.helpers.tiny import SIDE, Hand, wrapped

import reverie
import reverie.api.plans_from_noise as plans_from_noise
from reverie.album import read_recipe
from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.pictures import Picture, quantise
from reverie.recipe import Batch, Recipe, read
from reverie.render import fitting
from reverie.target import parse

pytestmark = pytest.mark.usefixtures("place")

TINY: dict[str, Any] = {"size": 32, "octaves": 1, "steps": 2}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Second opinions have tests of their own."""
    monkeypatch.setattr("reverie.render.second_opinions.installed", list)


@pytest.fixture
def hand() -> Network:
    return wrapped(Hand())


def recipe_of(picture: Picture) -> Recipe:
    assert picture.recipe is not None
    return picture.recipe


def batch_of(picture: Picture) -> Batch:
    batch = recipe_of(picture).batch
    assert batch is not None
    return batch


def targets(pictures: list[Picture]) -> list[str]:
    return [str(recipe_of(each).target) for each in pictures]


def same(first: Picture, second: Picture) -> bool:
    return np.array_equal(quantise(first.pixels), quantise(second.pixels))


def assert_again(picture: Picture, **given: Any) -> None:
    """`redo` of its file gives the same file, byte for byte."""
    first = picture.save("first.png", force=True)
    again = reverie.redo(first, **given)
    assert again.notes[0].endswith("the same bytes")
    assert again.save("again.png", force=True).read_bytes() == first.read_bytes()


# ── what comes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_label_is_a_picture_and_several_are_a_list_in_the_order_asked() -> None:
    one = reverie.imagine("goldfish", **TINY)
    assert isinstance(one, Picture) and one.size == (32, 32) and recipe_of(one).command == "imagine" and recipe_of(one).batch is None
    labels: list[str | int] = ["goldfish", "banana", 1]
    three = reverie.imagine(labels, **{**TINY, "steps": 1})
    assert targets(three) == ["class:goldfish", "class:banana", "class:goldfish"]  # 1 is the goldfish again
    assert targets(reverie.imagine(["banana", "goldfish"], **{**TINY, "steps": 1})) == ["class:banana", "class:goldfish"]
    assert isinstance(reverie.imagine(["banana"], **{**TINY, "steps": 1}), list)


@pytest.mark.parametrize("label", [954, "954", "class:954", "class:banana", "  Banana ", "BANANA"])
def test_a_class_by_any_of_its_names_is_the_same_picture(label: str | int, lite0: Network) -> None:
    first, second = (reverie.imagine(each, network=lite0, **TINY) for each in ("banana", label))
    assert same(first, second) and recipe_of(first) == recipe_of(second)


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        ("crane", r"several classes; say which: crane bird \(134\), construction crane \(517\)"), ("bananna", "did you mean 'banana'"),
        (1000, "no class 1000; the network has 1000 classes"), (-1, "no class -1"), ("class:", "no label"), ("", "no label ''"),
        ([], "nothing to make a picture of"), (None, "nothing to make a picture of"), (["banana", "nobody at all"], "'nobody at all'"),
        (["nobody at all", "banana", "bananna"], r"no label 'nobody at all'; no label 'bananna'; .*did you mean 'banana'"),
    ],
)  # fmt: skip
def test_a_label_that_means_nothing_or_too_much(label: Any, fault: str, lite0: Network) -> None:
    with pytest.raises(UsageError, match=fault):
        reverie.imagine(label, network=lite0, **TINY)


def test_a_word_for_several_classes_is_any_of_them_and_the_recipe_has_their_numbers(lite0: Network) -> None:
    picture, fish = reverie.imagine(["cats", "goldfish"], network=lite0, **TINY)
    assert targets([picture, fish]) == ["class:cats=281..285", "class:goldfish"]
    assert any(each.startswith("cats is any of 5 classes: tabby (281)") for each in picture.notes)
    assert not any("any of" in each for each in fish.notes)
    assert_again(picture, network=lite0)
    same_word = reverie.imagine("class:cats=281..285", network=lite0, **TINY)
    assert same(same_word, reverie.imagine("cats", network=lite0, **TINY))
    assert not same(same_word, reverie.imagine("class:cats=283", network=lite0, **TINY))
    dreamt = reverie.dream("noise:pink", "class:cat - 0.5*class:dog", network=lite0, size=32, octaves=1, steps=1)
    assert targets([dreamt]) == ["class:cat=281..285 - 0.5*class:dog=151..268"]
    row = reverie.imagine(between=("cat", "dog"), count=3, network=lite0, **TINY)
    assert targets(row)[1] == "0.5*class:cat=281..285 + 0.5*class:dog=151..268"


def test_any_cat_becomes_a_cat(lite0: Network) -> None:
    def cats(picture: Picture) -> float:
        with torch.no_grad():
            return float(lite0(picture.pixels[None]).softmax(1)[0, 281:286].sum())

    assert cats(reverie.imagine("cat", network=lite0, size=64, octaves=1, steps=24)) > 0.3


def test_a_network_without_labels_goes_by_number(hand: Network) -> None:
    picture = reverie.imagine(1, network=hand, octaves=1, steps=3)
    assert picture.size == (SIDE, SIDE) and str(recipe_of(picture).target) == "class:1"
    warmth = (picture.pixels[0] - picture.pixels[2]).mean()
    less = reverie.imagine("class:2", network=hand, octaves=1, steps=3).pixels
    assert warmth > (less[0] - less[2]).mean() + 0.05  # class 1 is warmth, class 2 the contrary
    with pytest.raises(UsageError, match="has no labels, so 'banana' means nothing to it; give the class by number"):
        reverie.imagine("banana", network=hand)
    with pytest.raises(UsageError, match="no class 3; the network has 3 classes, numbered from 0"):
        reverie.imagine(3, network=hand)
    assert_again(picture, network=hand)


def test_a_label_on_several_networks(opened: Any) -> None:
    both = [opened("efficientnet-lite0"), opened("efficientnet-lite1")]
    picture = reverie.imagine("banana", network=both, **TINY)
    assert [each.name for each in recipe_of(picture).networks] == [each.name for each in both]
    assert not same(picture, reverie.imagine("banana", network=both[0], **TINY))
    assert_again(picture, network=both)
    with pytest.raises(UsageError, match="the same network twice"):
        reverie.imagine("banana", network=[both[0], both[0]], **TINY)


def test_the_class_asked_for_becomes_more_probable(lite0: Network) -> None:
    def probability(picture: Picture) -> float:
        with torch.no_grad():
            return float(lite0(picture.pixels[None]).softmax(1)[0, 954])

    plain: dict[str, Any] = {"rotate": 0.0, "scale": 1.0, "fade": 1.0, "noise": 0.0, "jitter": 0}
    start, end = (reverie.imagine("banana", network=lite0, size=64, octaves=1, steps=steps, **plain) for steps in (1, 16))
    assert probability(start) < 0.01 and probability(end) > 0.9  # after 8 steps it may be 0 or 1, as the last bits fall


# ── batches ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_five_labels_in_batches_of_three_are_three_and_two() -> None:
    pictures = reverie.imagine(["banana", "goldfish", "tiger", "lighthouse", "daisy"], batch=3, **{**TINY, "steps": 1})
    assert [len(batch_of(each).targets) for each in pictures] == [3, 3, 3, 2, 2]
    assert [batch_of(each).index for each in pictures] == [0, 1, 2, 0, 1]
    for each in pictures:
        batch = batch_of(each)
        assert batch.kind == "each" and batch.targets[batch.index] == recipe_of(each).target
    assert_again(pictures[1])
    assert_again(pictures[4])


def test_a_picture_alone_and_in_a_batch_begin_with_the_same_noise() -> None:
    (plan,), (together,) = (plans_from_noise.plan_feature(each, **TINY) for each in ("blocks.2.0:1", ["blocks.1.0:0", "blocks.2.0:1"]))
    assert torch.equal(plan._starts()[0], together._starts()[1])
    assert not torch.equal(*together._starts())


@pytest.mark.parametrize("batch", [0, -1, 257, 1.5, True, "8"])
def test_a_batch_that_is_no_number(batch: Any) -> None:
    with pytest.raises(UsageError, match=r"batch=.*; it should be (at least 1|at most 256|a whole number)"):
        reverie.imagine("banana", batch=batch)


def test_what_does_not_fit_into_memory_is_made_in_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    real = fitting
    monkeypatch.setattr(plans_from_noise, "fitting", lambda *_: 2)
    pictures = several(reverie.feature("blocks.2.0:0-2", **TINY))
    assert [each.notes[0] for each in pictures] == ["3 pictures together do not fit into memory: made 2 at a time"] * 3
    assert batch_of(pictures[1]).targets == (parse("blocks.2.0:0"), parse("blocks.2.0:1")) and recipe_of(pictures[2]).batch is None
    ways: list[dict[str, Any]] = [{"diverse": 3}, {"between": ("blocks.2.0:0", "blocks.2.0:1"), "count": 3}]
    for choices in ways:
        with pytest.raises(UsageError, match="3 pictures of 32×32 that depend on each other; 2 fit into memory"):
            target: Any = None if "between" in choices else "blocks.2.0:0"
            reverie.feature(target, **choices, **TINY)
    monkeypatch.setattr(plans_from_noise, "fitting", real)
    assert_again(pictures[1])  # as it was made, whatever fits now


# ── diverse, between ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_diverse_pictures_differ_and_each_can_be_made_again() -> None:
    pictures = reverie.feature("blocks.2.1:3", diverse=3, **TINY)
    assert targets(pictures) == ["blocks.2.1:3"] * 3 and [batch_of(each).index for each in pictures] == [0, 1, 2]
    assert {batch_of(each).kind for each in pictures} == {"diverse"}
    for first, second in ((0, 1), (1, 2), (0, 2)):
        assert (pictures[first].pixels - pictures[second].pixels).abs().mean() > 0.05
    assert_again(pictures[2])
    assert len(reverie.imagine(["banana", "954"], diverse=2, **{**TINY, "steps": 1})) == 4  # one class, asked for twice


@pytest.mark.parametrize("name", ["blocks.2.1:3", "class:banana"])
def test_diverse_pictures_are_less_alike_than_a_batch_that_is_not_told_to_differ(name: str, lite0: Network) -> None:
    (plan,) = plans_from_noise.plan_feature(name, network=lite0, diverse=3, size=48, octaves=1, steps=6)
    apart = torch.stack([each.pixels for each in plan.make_all()])
    batch = plan.recipe.batch
    assert batch is not None
    purposes = [f"{name} #{number}" for number in range(3)]
    loose = plan.recipe.model_copy(update={"batch": batch.model_copy(update={"kind": "each"})})

    def alike(pictures: torch.Tensor) -> float:
        with lite0.watch("blocks.2.1") as seen, torch.no_grad():
            lite0(pictures)
        flat = seen["blocks.2.1"].flatten(2)
        flat = flat - flat.mean((0, 2), keepdim=True)
        gram = torch.nn.functional.normalize(torch.einsum("ncp,ndp->ncd", flat, flat).flatten(1), dim=1)
        return float((gram @ gram.T).sum() - 3)

    with pytest.MonkeyPatch.context() as patch:  # the same noise and views, without the wish to differ
        for module in ("reverie.render.plan", "reverie.render.noise"):
            patch.setattr(f"{module}.purposes", lambda _: purposes)
        together = torch.stack([each.pixels for each in type(plan)(loose, plan.networks, plan.start, plan.wanted).make_all()])
    assert alike(apart) < alike(together)


def test_a_row_between_two_leads_from_one_to_the_other_over_the_same_noise() -> None:
    (plan,) = plans_from_noise.plan_feature(between=("blocks.2.1:3", "blocks.2.1:9"), count=3, **TINY)
    starts = plan._starts()
    assert torch.equal(starts[0], starts[1]) and torch.equal(starts[0], starts[2])
    pictures = reverie.feature(between=("blocks.2.1:3", "blocks.2.1:9"), count=3, **TINY)
    assert targets(pictures) == ["blocks.2.1:3", "0.5*blocks.2.1:3 + 0.5*blocks.2.1:9", "blocks.2.1:9"]
    ends = (pictures[0].pixels - pictures[2].pixels).abs().mean()
    for end in (0, 2):
        assert 0 < (pictures[1].pixels - pictures[end].pixels).abs().mean() < ends
    assert_again(pictures[1])
    assert len(reverie.imagine(between=("banana", 1), **{**TINY, "steps": 1})) == plans_from_noise.BETWEEN


@pytest.mark.parametrize(
    ("choices", "fault"),
    [
        ({"diverse": 2, "between": ("banana", 1)}, "both diverse= and between="), ({"count": 3}, "count= without"),
        ({"between": ("banana", 1)}, "targets beside the two of between="), ({"diverse": 1}, "diverse=1; it should be at least 2"),
        ({"label": None, "between": ("banana", 1), "count": 1}, "count=1; it should be at least 2"),
        ({"label": None, "between": ("banana",)}, "between 1 targets"), ({"label": None, "between": ("crane", 1)}, "several classes"),
        ({"guide": "a.png"}, "guide= is no choice of `imagine`"),
        ({"stepz": 3}, "no choice 'stepz'; did you mean 'steps'"), ({"size": 8}, "least is 16"),
        ({"size": (32, 0)}, "size=.32, 0."), ({"size": 30_000}, "more than fit in memory"), ({"tone": "keep", "canvas": "maco"}, "tone="),
        ({"seed": -1}, "seed=-1"), ({"making": 101}, "making=101"), ({"direction": [1.0, 2.0]}, "direction= is no choice of `imagine`"),
    ],
)  # fmt: skip
def test_contradictory_or_impossible_choices(choices: dict[str, Any], fault: str, lite0: Network) -> None:
    with pytest.raises((UsageError, InputError), match=fault):
        reverie.imagine(**{"label": "banana", "network": lite0, "octaves": 1, "steps": 1, **choices})


# ── features ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ranges_and_several_targets_are_expanded_in_order() -> None:
    pictures = reverie.feature(["blocks.2.0:1@centre", "blocks.4.1:0-2", "blocks.4.1:1"], **{**TINY, "steps": 1})
    assert targets(pictures) == ["blocks.2.0:1@centre", "blocks.4.1:0", "blocks.4.1:1", "blocks.4.1:2", "blocks.4.1:1"]
    assert isinstance(reverie.feature("blocks.2.0:3-3", **{**TINY, "steps": 1}), list)
    assert isinstance(reverie.feature("blocks.2.0:3", **{**TINY, "steps": 1}), Picture)
    assert recipe_of(reverie.feature("class:banana", **{**TINY, "steps": 1})).opinions == ()


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("conv_stem:30-40", "no channel 32 in 'conv_stem'; it has 32"), ("blocks.4.1:5-2", "the range '5-2'"), ("", "an empty target"),
        ("blocks.4.1:0-3 - blocks.4.0:0-3", "several ranges"), ("block4.1", "no layer 'block4.1'"), ("blocks.4.1:1@99,0", "no place 99,0"),
        ("blocks.4.1:1@13,13", "no place 13,13 in 'blocks.4.1' on a picture of 32×32"), (["blocks.4.1", "class:crane"], "several classes"),
    ],
)  # fmt: skip
def test_targets_that_are_not_there(target: Any, fault: str, lite0: Network) -> None:
    with pytest.raises(UsageError, match=fault):
        reverie.feature(target, network=lite0, **TINY)


def test_a_unit_that_never_fires_says_so(hand: Network) -> None:
    with torch.no_grad():
        edge: Any = hand.module.get_submodule("edge")
        edge.weight[0] = 0
    dead, alive = several(reverie.feature("edge:0-1", network=hand, octaves=1, steps=2))
    assert alive.alive and not dead.alive
    assert dead.notes[-1] == "'edge:0' never fired, whatever was shown to it"
    assert not any("never fired" in note for note in alive.notes)


def test_opacity_is_written_as_alpha() -> None:
    made = reverie.feature("blocks.2.1:3@centre", opacity=True, size=64, octaves=1, steps=2)
    alpha = pixels(made.save("a.png"))[..., 3]
    assert alpha.shape == (64, 64) and alpha.min() < 30 and alpha.max() > 220
    assert alpha[24:40, 24:40].mean() > alpha[:8].mean() + 50  # where the neuron looks
    assert_again(made)
    assert reverie.feature("blocks.2.1:3@centre", **TINY).alpha is None


# ── stopped, round trips, strangers ──────────────────────────────────────────────────────────────────────────────────────


def test_a_watcher_that_stops_gets_what_there_is_and_no_more_batches() -> None:
    few: dict[str, Any] = {"batch": 2, "size": 32, "octaves": 1, "steps": 5}
    pictures = several(reverie.feature("blocks.2.0:0-4", progress=lambda seen: seen.step == 2, **few))
    assert targets(pictures) == ["blocks.2.0:0", "blocks.2.0:1"]
    for each in pictures:
        stopped = recipe_of(each).stopped
        assert stopped is not None and (stopped.octave, stopped.step) == (1, 2)
    assert_again(pictures[1])


def test_pictures_from_along_the_way_belong_to_their_own() -> None:
    first, second = several(reverie.feature("blocks.2.0:0-1", size=32, octaves=2, octave_scale=1.4, steps=2, making=3))
    for each in (first, second):
        assert len(each.making) == 3 and {frame.shape for frame in each.making} == {(3, 32, 32)}
        assert torch.equal(each.making[-1], each.pixels)
    assert not torch.equal(first.making[0], second.making[0])


def test_recipes_are_the_same_after_a_round_trip(run: Run) -> None:
    made = [
        *reverie.imagine(["banana", "goldfish"], **TINY), *reverie.feature("blocks.2.0:0", diverse=2, **TINY),
        *reverie.imagine(between=("banana", 1), count=2, **TINY), reverie.feature("blocks.2.1", direction=[1.0] * 40, **TINY),
    ]  # fmt: skip
    for each in made:
        each.save("a.png", force=True)
        (answer,) = run("recipe", "a.png", "--json").data
        assert read(json.dumps(answer["recipe"])) == recipe_of(each) == read_recipe("a.png")


@cache
def second() -> Picture:
    """The second of two pictures that were made together."""
    made: list[Picture] = reverie.imagine(["banana", "goldfish"], **{**TINY, "steps": 1})
    return made[1]


@pytest.fixture
def member() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(recipe_of(second()).text())
    return data


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
