"""What a network gives at its end, scores, probabilities or one number for two classes: its labels have the probabilities it means."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.helpers.tiny import SIDE, Flow, close, picture, settled
from torch import Tensor, nn

import reverie
from reverie.errors import UsageError
from reverie.target import CLASSES


def ending(end: Callable[[Tensor], Any], classes: int = 3) -> nn.Module:
    torch.manual_seed(0)
    parts = {"conv": nn.Conv2d(3, 4, 3), "head": nn.Linear(4, classes)}
    return settled(Flow(lambda m, x: end(9 * m.head(m.conv(x).relu().mean((2, 3)))), **parts))


def opened(module: nn.Module, **choices: Any) -> reverie.Network:
    return reverie.wrap(module, mean=[0.0] * 3, std=[1.0] * 3, size=SIDE, device="cpu", **choices)


ENDS: dict[str, Callable[[Tensor], Tensor]] = {
    "scores": lambda s: s,
    "softmax": lambda s: s.softmax(1),
    "log_softmax": lambda s: s.log_softmax(1),
    "a module": nn.Softmax(1),
    "half and back": lambda s: s.softmax(1).to(torch.float64).float(),
}


@pytest.mark.parametrize("end", ENDS)
def test_labels_have_the_probabilities_that_a_network_gives(end: str) -> None:
    network, plain, x = opened(ending(ENDS[end])), ending(lambda s: s), picture()
    scores = plain(x).detach()
    wanted = scores[0].softmax(0)
    for label in network.recognise(x[0]):
        assert label.probability == pytest.approx(float(wanted[label.index]), rel=1e-4)
    for found in (network(x), network.prepare([CLASSES])(x)[CLASSES]):
        assert close(found.softmax(1), scores.softmax(1))
        assert close(found[:, 1] - found[:, 0], scores[:, 1] - scores[:, 0])


@pytest.mark.parametrize("end", ["softmax", "a module", "log_softmax"])
def test_a_class_is_climbed_by_its_odds_however_it_is_given(end: str) -> None:
    ours, plain = (
        reverie.imagine(1, network=opened(ending(ENDS[each])), size=SIDE, steps=4, octaves=1, device="cpu") for each in (end, "scores")
    )
    assert ours.score == pytest.approx(plain.score, rel=1e-3) and close(ours.pixels, plain.pixels)


def test_chances_of_each_by_itself_are_as_they_are_given() -> None:
    network, x = opened(ending(torch.sigmoid)), picture()
    wanted = network.module(x)[0]
    assert sum(each.probability for each in network.recognise(x[0])) == pytest.approx(float(wanted.sum()), rel=1e-4)
    assert network(x)[0].tolist() == pytest.approx(wanted.logit().tolist(), rel=1e-3)


def test_scores_that_lie_between_0_and_1_by_chance_are_scores() -> None:
    network, x = opened(ending(lambda s: 0.5 + 0.01 * s)), picture()
    assert close(network(x), network.module(x)) and network.anatomy.reading is not None and network.anatomy.reading.gives == "scores"


@pytest.mark.parametrize("end", [lambda s: s, torch.sigmoid, lambda s: s.sigmoid().squeeze(1), lambda s: s[:, 0]])
def test_one_number_is_for_the_second_of_two_classes_that_have_names(end: Callable[[Tensor], Tensor]) -> None:
    network, x = opened(ending(end, 1), labels=["cat", "dog"]), picture()
    odds = float(ending(lambda s: s, 1)(x)[0, 0])
    said = {each.label: each.probability for each in network.recognise(x[0])}
    assert said == pytest.approx({"dog": 1 / (1 + math.exp(-odds)), "cat": 1 / (1 + math.exp(odds))}, rel=1e-4)
    assert network.anatomy.classes == 2 and network.class_index("dog") == 1
    with pytest.raises(UsageError, match="no classes to tell apart; give the names of two classes as labels"):
        opened(ending(end, 1)).recognise(x[0])


def test_of_two_heads_the_one_with_as_many_classes_as_labels_is_taken() -> None:
    def two(scores: Tensor) -> tuple[Tensor, Tensor]:
        return scores, scores[:, :2]

    for labels in (["a", "b"], ["a", "b", "c"]):
        network = opened(ending(two), labels=labels)
        assert network.anatomy.classes == len(labels) and len(network.recognise(picture()[0])) == len(labels)
    with pytest.warns(UserWarning, match="scores=NAME says which"):
        opened(ending(two))
    with pytest.warns(UserWarning, match="not clear"):
        alike = opened(ending(lambda s: {"a": s, "b": s + 1, "c": s[:, :2]}), labels=["a", "b", "c"])
    with pytest.raises(UsageError, match=r"say which: scores='a' \(3 classes\) or scores='b' \(3 classes\)"):
        alike.recognise(picture()[0])
