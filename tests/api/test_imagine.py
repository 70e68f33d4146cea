"""Classes dreamt from noise, in Python: which picture comes for which label, and what cannot be asked for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.helpers.imagined import TINY, assert_again, same, targets
from tests.helpers.known import recipe_of
from tests.helpers.tiny import SIDE, Hand, wrapped

import reverie
from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.pictures import Picture

pytestmark = pytest.mark.usefixtures("place", "alone")


def test_one_label_is_a_picture_and_several_are_a_list_in_the_order_asked() -> None:
    one = reverie.imagine("goldfish", company=1, **TINY)
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


def test_a_network_without_labels_goes_by_number() -> None:
    hand = wrapped(Hand())
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

    plain: dict[str, Any] = {"rotate": 0.0, "scale": 1.0, "fade": 1.0, "noise": 0.0, "jitter": 0, "natural": 0.0}
    start, end = (reverie.imagine("banana", network=lite0, size=64, octaves=1, steps=steps, **plain) for steps in (1, 16))
    assert probability(start) < 0.01 and probability(end) > 0.9  # after 8 steps it may be 0 or 1, as the last bits fall


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
