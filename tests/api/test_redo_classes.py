"""A picture of a class of one's own network is of that class again, whatever its classes are called by then."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.helpers.tiny import wrapped
from torch import nn

import reverie
from reverie.networks import Network
from reverie.target import as_said

pytestmark = pytest.mark.usefixtures("place")
NAMES = ["zero", "one", "two", "three"]
FEW: dict[str, Any] = {"octaves": 1, "steps": 2, "size": 32}


def own(labels: list[str], seed: int = 0) -> Network:
    torch.manual_seed(seed)
    body = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1)
    return wrapped(nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4)), size=32, labels=labels)


def made(command: str, network: Any) -> Any:
    if command == "imagine":
        return reverie.imagine("three", network=network, **FEW)
    if command == "feature":
        return reverie.feature("class:three", network=network, **FEW)
    return reverie.dream("noise:pink", "class:three", network=network, **FEW)


@pytest.mark.parametrize("command", ["imagine", "feature", "dream"])
def test_a_class_keeps_its_number_and_its_name(command: str) -> None:
    first = made(command, own(NAMES))
    assert first.recipe is not None and str(first.recipe.target) == "class:three=3" and as_said(first.recipe.target) == "three"
    path = first.save("a.png")
    same = reverie.redo(path, network=own(NAMES))
    assert torch.equal(same.pixels, first.pixels) and not any("calls" in note for note in same.notes)
    other = reverie.redo(path, network=own(NAMES[::-1]))
    assert torch.equal(other.pixels, first.pixels)
    assert "three was class 3, which Sequential calls zero" in other.notes
    assert torch.equal(reverie.redo(path, network=own([])).pixels, first.pixels)


def test_a_journey_tells_of_other_names_too() -> None:
    moving: dict[str, Any] = {"frames": 2, "rounds": 1, **FEW}
    reverie.journey("noise:pink", "a", "class:three", network=own(NAMES), **moving)
    made = reverie.redo("a/000000.png", "b", network=own(NAMES[::-1]))
    assert "three was class 3, which Sequential calls zero" in made.notes


def test_what_has_other_numbers_in_two_networks_is_meant_by_its_name() -> None:
    both = [own(NAMES), own(NAMES[::-1], seed=1)]
    first = made("imagine", both)
    assert first.recipe is not None and str(first.recipe.target) == "class:three"


def test_odd_names_can_be_read_again() -> None:
    names = ["a=2", "b|2", "c=2", '"quoted"']
    net = own(names)
    for index, name in enumerate(names):
        first = reverie.imagine(name, network=net, **FEW)
        path = first.save(f"{index}.png")
        again = reverie.redo(path, network=own(names))
        assert torch.equal(again.pixels, first.pixels) and not any("calls" in note for note in again.notes)
        assert first.recipe is not None and net.class_indices(first.recipe.target.terms[0].label or "") == (index,)
