"""What is said of units, on cases worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reverie.atlases.examples.summary import summary_of
from reverie.atlases.verdicts.audit import AuditLayer, audited, disagreements
from reverie.atlases.verdicts.choices import ChoiceScore, choice, quarter
from reverie.atlases.verdicts.nearest import nearest
from reverie.atlases.verdicts.paths import PathScore, likeness, path, standardised
from reverie.atlases.verdicts.trust import Trust


def floats(values: Any) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)


EAST, NORTH, WEST = floats([1, 0]), floats([0, 1]), floats([-1, 0])


def test_a_picture_that_is_like_the_photographs_of_its_unit_goes_their_way() -> None:
    tops, others = np.stack([EAST] * 3), np.stack([NORTH] * 4)
    assert likeness(EAST, tops, others) == (1.0, 1.0, 0.0)
    found = path({"a": EAST}, {"a": tops}, {"a": others})
    assert (found.score, found.layers) == (1.0, (("a", 1.0),))
    assert path({"a": NORTH}, {"a": tops}, {"a": others}).score == 0.0
    assert path({"a": WEST}, {"a": tops}, {"a": others}).score == 0.0, "no less than nothing"
    between = floats([math.cos(math.radians(60)), math.sin(math.radians(60))])
    assert path({"a": between}, {"a": tops}, {"a": others}).score == pytest.approx(0.5, abs=1e-6)


def test_a_layer_counts_for_as_much_as_it_can_tell() -> None:
    tells = (np.stack([EAST] * 3), np.stack([NORTH] * 4))  # 1 between photographs of the unit and others
    blind = (np.stack([EAST] * 3), np.stack([EAST] * 4))  # 0
    found = path({"a": EAST, "b": NORTH}, {"a": tells[0], "b": blind[0]}, {"a": tells[1], "b": blind[1]})
    assert found.layers == (("a", 1.0), ("b", None))
    assert found.score == 0.0, "(1 - 0) + (0 - 1), of 1 + 0"
    nothing = path({"b": EAST}, {"b": blind[0]}, {"b": blind[1]})
    assert nothing.score is None and "hardly more alike" in nothing.why
    assert path({"a": EAST}, {"a": tells[0][:2]}, {"a": tells[1]}).why == "too few photographs to compare with"


def test_what_does_not_vary_tells_nothing() -> None:
    usual = floats([[1, 5], [3, 5]])
    assert standardised(floats([[4, 9]]), usual).tolist() == [[2, 0]]


def test_the_right_photograph_is_chosen_by_what_is_more_alike() -> None:
    strong, weak = np.stack([EAST] * 6), np.stack([NORTH] * 6)
    found = choice(EAST, WEST, strong, weak, "x")
    assert (found.score, found.trials, found.network) == (1.0, 36, "x")
    assert found.chance == pytest.approx(1.645 * math.sqrt(13 / 12 / 36))
    assert choice(WEST, EAST, strong, weak, "x").score == 0.0
    assert choice(EAST, WEST, strong, strong, "x").score == 0.5, "where both are alike, half is right"
    assert choice(EAST + NORTH, NORTH, strong, weak, "x").score == 1.0, "what is as like both is chosen by what it is unlike"
    mixed = np.stack([EAST] * 3 + [WEST] * 3)
    assert choice(EAST, WEST, mixed, weak, "x").score == 0.5
    assert choice(EAST, WEST, strong, weak[:5], "x").score is None
    assert (quarter(46, 9), quarter(10, 9), quarter(5, 9), quarter(9000, 9)) == (12, 0, 0, 24)


def _trust(way: float | None, chosen: float | None) -> Trust:
    return Trust(PathScore(way, (), "" if way is not None else "no data set was given"), ChoiceScore(chosen, 144, "x", "none", chance=0.2))


def test_it_is_said_where_a_picture_misleads() -> None:
    assert [_trust(*each).misleads for each in ((0.9, 0.8), (0.1, 0.6), (0.1, None), (0.1, 0.8), (0.9, 0.2), (0.9, 0.4), (None, None))] == [
        False, True, True, False, True, False, False,
    ]  # fmt: skip
    assert "of its own" in _trust(0.1, 0.8).words and "in 80 % of pairs" in _trust(0.1, 0.8).words
    assert "guessing in 30 to 70 %" in _trust(0.9, 0.6).words
    assert "no data set was given" in _trust(None, 0.8).words


def test_the_nearest_are_those_that_comparing_all_finds() -> None:
    print("seed 4")
    drawn = np.random.default_rng(4)
    rows, asked = drawn.normal(size=(9000, 5)).astype(np.float16), drawn.normal(size=(3, 5)).astype(np.float32)  # more than a block
    found = nearest(asked, rows, np.arange(9000, dtype=np.int32)[::-1].copy(), count=4)
    wide = rows.astype(np.float64)
    for row, each in zip(asked, found, strict=True):
        less, mine = wide - wide.mean(0), row - wide.mean(0)
        cosines = less @ mine / np.linalg.norm(less, axis=1) / np.linalg.norm(mine)
        best = np.argsort(-cosines)[:4]
        assert [number for number, _ in each] == (8999 - best).tolist()
        assert [cosine for _, cosine in each] == pytest.approx(cosines[best].tolist(), abs=2e-4)


def _answers(columns: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    return np.stack(columns, 1).astype(np.float32)


def test_an_audit_lists_the_dead_the_same_and_those_of_several_meanings() -> None:
    print("seed 1")
    drawn = np.random.default_rng(1)
    one, other = drawn.normal(size=40), drawn.normal(size=40)
    answers = _answers([one, other, 3 * one + 1, -one, np.zeros(40), -1 + 0.1 * other])
    means = _answers([one, other, one, one, np.zeros(40), one])  # the last goes with `other` in its largest answers alone
    nowhere = np.zeros((0, 6), np.float32)
    none = np.zeros(0, np.int32)
    summary = summary_of(answers, np.zeros((40, 6), np.int32), means, np.arange(40, dtype=np.int32), np.ones(40, bool), nowhere, none, none)
    axes = np.eye(6, dtype=np.float32)
    alike = {unit: (axes[unit], np.stack([axes[unit]] * 2)) for unit in range(4)}
    differ = {**alike, 3: (axes[3], np.stack([axes[0], axes[1]]))}
    found = audited(
        [
            AuditLayer("a", range(6), summary, silent=[2, 4], pictures={0: EAST, 2: NORTH}, facets=differ),
            AuditLayer("b", [7], None, silent=[7]),
        ]
    )
    assert [each[:2] for each in found.dead] == [("a", 2), ("a", 4), ("b", 7)]
    assert found.dead[1][2] == "no picture of the data set excites it and no picture could be made that excites it"
    assert [(*each[:4], each[5]) for each in found.duplicates] == [("a", 0, "a", 2, 0.0)]
    assert found.duplicates[0][4] > 0.999
    assert [each[:2] for each in found.several] == [("a", 3)] and found.several[0][2] == 1.0
    some = audited([AuditLayer("a", [0, 1, 5], summary)])
    assert (some.dead, some.duplicates) == ((), ()), "the others are not in the atlas"
    lines = found.csv().splitlines()
    assert len(lines) == 1 + 3 + 1 + 1 and "40 pictures" in lines[4]
    few = summary_of(
        answers[:15], np.zeros((15, 6), np.int32), means[:15], np.arange(15, dtype=np.int32), np.ones(15, bool), nowhere, none, none
    )
    assert audited([AuditLayer("a", range(6), few)]).duplicates == ()


def test_facets_disagree_as_much_as_pictures_of_different_units() -> None:
    axes = np.eye(4, dtype=np.float32)
    facets = {unit: (axes[unit], np.stack([axes[unit], axes[(unit + 1) % 4]])) for unit in range(3)}
    facets[3] = (axes[3], np.stack([axes[3]] * 2))
    assert disagreements(facets) == {0: 1.0, 1: 1.0, 2: 1.0, 3: 0.0}
    assert disagreements({unit: facets[unit] for unit in range(3)}) == {}, "three tell little of how much pictures of units differ"
