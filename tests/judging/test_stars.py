"""Stars beside scores: rank correlations with their intervals, and a ranking fitted to them that is named as such."""

from __future__ import annotations

import random

import numpy as np
import pytest

from reverie.judging.scores.stars import RIDGE, correlated, fitted


def test_a_rank_correlation_is_spearman_s_with_shared_ranks() -> None:
    scores, stars = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 100.0], [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    found = correlated("a", scores, stars)
    ranks = [1.5, 1.5, 3.5, 3.5, 5.5, 5.5, 7.5, 7.5, 9.5, 9.5]
    assert found.rank is not None and found.low is not None and found.high is not None
    assert found.rank == pytest.approx(float(np.corrcoef(range(10), ranks)[0, 1]))
    assert -1 < found.low < found.rank < found.high < 1
    assert correlated("a", scores, [-each for each in stars]).rank == pytest.approx(-found.rank)
    assert correlated("a", [float(np.exp(each)) for each in scores], stars).rank == pytest.approx(found.rank)


def test_too_few_and_ones_all_alike_are_told_as_such() -> None:
    assert correlated("a", range(9), range(9)).words == "too few to tell: 10 are the least"
    assert correlated("a", range(10), range(10)).rank == pytest.approx(1)
    assert correlated("a", [3.0] * 12, range(12)).words == correlated("a", range(12), [3] * 12).words == "all alike"


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    drawing, hits = np.random.default_rng(0), 0
    for _ in range(300):  # of a true rank correlation of 0
        found = correlated("a", drawing.normal(size=25).tolist(), drawing.normal(size=25).tolist())
        assert found.low is not None and found.high is not None
        hits += found.low <= 0 <= found.high
    assert 0.91 <= hits / 300 <= 0.985


def pictures(count: int, seed: int = 0) -> list[dict[str, float]]:
    drawing = random.Random(seed)
    return [{"liked": drawing.gauss(0, 3), "other": drawing.gauss(5, 1)} for _ in range(count)]


def test_what_is_liked_is_found_and_reached_on_pictures_it_was_not_fitted_to() -> None:
    some = pictures(60)
    stars = {at: min(5, max(1, round(3 + each["liked"] / 2))) for at, each in enumerate(some[:40])}
    found = fitted(some, stars)
    assert found is not None and found.stars == 40 and set(found.expected) == set(range(60))
    assert found.weights["liked"] > 5 * abs(found.weights["other"])
    assert found.reached.rank is not None and found.reached.rank > 0.9 and found.reached.pictures == 40
    unseen = np.corrcoef([found.expected[at] for at in range(40, 60)], [some[at]["liked"] for at in range(40, 60)])[0, 1]
    assert unseen > 0.95


def test_where_nothing_is_liked_nothing_is_reached() -> None:
    drawing, reached = random.Random(3), []
    for seed in range(12):
        found = fitted(pictures(40, seed), {at: drawing.randint(1, 5) for at in range(40)})
        assert found is not None and found.reached.rank is not None
        reached.append(found.reached.rank)
    assert sum(reached) / 12 < 0.1


def test_each_picture_is_left_out_in_its_turn_exactly() -> None:
    some = pictures(24, 5)
    stars = {at: 1 + at % 5 for at in range(24)}
    found = fitted(some, stars)
    values = np.array([[each["liked"], each["other"]] for each in some])
    values = (values - values.mean(0)) / values.std(0)
    left_out = []
    for at in range(24):
        rows = [row for row in range(24) if row != at]
        own = np.hstack([np.ones((23, 1)), values[rows]])
        weights = np.linalg.solve(own.T @ own + np.diag([0, RIDGE, RIDGE]), own.T @ np.array([stars[row] for row in rows]))
        left_out.append(float(np.array([1, *values[at]]) @ weights))
    assert found is not None and found.reached.rank == pytest.approx(correlated("", left_out, list(stars.values())).rank)


def test_nothing_is_fitted_to_fewer_than_twenty_or_to_stars_all_alike() -> None:
    some = pictures(30)
    assert fitted(some, {at: 1 + at % 3 for at in range(19)}) is None
    assert fitted(some, {at: 1 + at % 3 for at in range(20)}) is not None
    assert fitted(some, dict.fromkeys(range(25), 4)) is None
    assert fitted([{} for _ in range(30)], {at: 1 + at % 3 for at in range(25)}) is None
    assert fitted([{"a": 1.0} for _ in range(30)], {at: 1 + at % 3 for at in range(25)}) is None


def test_a_score_that_is_missing_is_as_usual_and_one_that_few_have_takes_no_part() -> None:
    some = pictures(40)
    stars = {at: min(5, max(1, round(3 + each["liked"] / 2))) for at, each in enumerate(some)}
    for at, each in enumerate(some):
        if at % 3:
            each["rare"] = 1.0 * at
        if at < 10:
            del each["other"]
        if at == 39:
            each.clear()
    found = fitted(some, stars)
    assert found is not None and set(found.weights) == {"liked", "other", "rare"} and 39 not in found.expected and found.stars == 39
    for at, each in enumerate(some):
        if at % 5:
            each.pop("rare", None)
    again = fitted(some, stars)
    assert again is not None and set(again.weights) == {"liked", "other"}
