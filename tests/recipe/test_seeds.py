"""Several seeds in one text or list, and variants as data."""

from __future__ import annotations

import numpy as np
import pytest

from reverie.errors import UsageError
from reverie.recipe import Ascent, Layers, each_of, seeds, variation
from reverie.target import parse


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("1-10", list(range(1, 11))),
        ("1,4,7", [1, 4, 7]),
        ("1-3, 2, 9", [1, 2, 3, 9]),
        ("5", [5]),
        (5, [5]),
        (None, [None]),
        (range(1, 4), [1, 2, 3]),
        ([3, 1, 3], [3, 1]),
        (np.arange(2), [0, 1]),
        (np.int64(7), [np.int64(7)]),
    ],
)
def test_each_that_is_meant_once_and_in_order(given: object, meant: list[object]) -> None:
    assert seeds(given) == meant


@pytest.mark.parametrize("given", ["", "a", "1-", "-1", "3-1", "1-5000", "1;2", "1.5", [], range(10**9), "9" * 30])
def test_what_names_none_is_refused(given: object) -> None:
    with pytest.raises(UsageError):
        seeds(given)


def test_each_seed_has_its_variants() -> None:
    assert each_of({"steps": 3}) == [{"steps": 3, "seed": None}]
    assert each_of({"seed": [4, 6], "variants": 2}) == [
        {"variant": 1, "seed": 4}, {"variant": 2, "seed": 4}, {"variant": 1, "seed": 6}, {"variant": 2, "seed": 6},
    ]  # fmt: skip
    with pytest.raises(UsageError, match="variants=1"):
        each_of({"variants": 1})


def varied(number: int, target: str, seed: int = 0, **given: object) -> tuple[str, dict[str, object]]:
    found = variation(number, seed, parse(target), Layers({"a": 112, "b": 2}.__getitem__, "a"), Ascent(), given)
    return str(found.target), found.ascent


def test_a_layer_becomes_a_few_of_its_units_before_the_others() -> None:
    texts = {varied(number, "a")[0] for number in range(2, 12)}
    assert len(texts) == 10
    for text in texts:
        first, *units = parse(text).terms
        assert (first.weight, first.channel) == (0.25, None) and len({each.channel for each in units}) == 6
        assert all(each.layer == "a" and 0.5 <= each.weight <= 1.5 and each.channel in range(112) for each in units)
    assert varied(3, "a") == varied(3, "a") != varied(3, "a", seed=1)
    assert len(parse(varied(2, "b")[0]).terms) == 3  # a layer of two channels


def test_units_and_classes_get_company_and_what_is_taken_away_stays() -> None:
    first, *company = parse(varied(2, "a:7")[0]).terms
    assert (first.weight, first.channel) == (1, 7) and len(company) == 3
    assert all(each.weight <= 0.6 and each.channel != 7 for each in company)
    banana, *company = parse(varied(2, "class:banana")[0]).terms
    assert (banana.weight, banana.label) == (1, "banana") and len(company) == 3
    assert all(each.layer == "a" and 1.5 <= each.weight <= 3 for each in company)
    assert str(variation(2, 0, parse("class:banana"), Layers(len), Ascent(), {}).target) == "class:banana"
    assert "- 0.5*b:1" in varied(2, "a - 0.5*b:1")[0]


def test_the_octaves_lie_otherwise_unless_it_was_said_how() -> None:
    scales = [varied(number, "a")[1].get("octave_scale") for number in (2, 3, 4)]
    assert scales == [1.4, round(1.4**1.25, 3), round(1.4**0.75, 3)]
    assert varied(3, "a", octave_scale=1.4)[1] == {}


def test_where_units_cannot_be_mixed_all_differ_by_octaves_and_smoothing() -> None:
    found = [variation(number, 0, parse("a"), None, Ascent(), {}) for number in range(2, 30)]
    assert all(str(each.target) == "a" for each in found)
    pairs = {(each.ascent["octave_scale"], each.ascent["smoothing"]) for each in found}
    assert len(pairs) == len(found) and (1.4, 1.0) not in pairs
