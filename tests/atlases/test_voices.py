"""What units speak for and layers change, on a network whose weights are set by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.helpers.tiny import Flow, Hand, wrapped
from torch import Tensor, nn

from reverie.atlases.verdicts.routes import left_by, random_places, route
from reverie.atlases.verdicts.voices import effect, strongest, voices


def floats(values: Any) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)


def flat(red: float, blue: float) -> Tensor:
    """(3, 16, 16) of one colour."""
    return torch.tensor([red, 0.5, blue]).view(3, 1, 1).expand(3, 16, 16)


def test_a_unit_speaks_for_the_classes_whose_scores_fall_without_it() -> None:
    network = wrapped(Hand())
    shown = [(flat(1.0, 0.0), [1]), (flat(0.8, 0.0), [1, 0])]  # warmth (R - B) / 2: 0.5 and 0.4
    found = voices(network, "edge", {0: 0.0, 1: 0.05}, shown)
    assert found is not None and found.channels.tolist() == [0, 1] and found.pictures.tolist() == [1, 2]
    assert found.changes[1] == pytest.approx([0.0, 0.4, -0.4], abs=1e-5), "the mean of 0.45 and 0.35: held at 0.05"
    above, below = found.strongest(1, 1)
    assert [each[0] for each in above] == [1] and [each[0] for each in below] == [2]
    assert voices(network, "edge", {0: 0.0}, [("no/such/file.png", [0]), (shown[1][0], [0])]).pictures.tolist() == [1]  # type: ignore[union-attr]
    assert np.isnan(voices(network, "edge", {0: 0.0}, [("no/such/file.png", [0])]).changes).all()  # type: ignore[union-attr]
    assert voices(network, "edge", {0: 0.0, 1: 0.0}, shown, lambda _: True) is None


def test_what_all_scores_share_is_taken_off() -> None:
    def way(self: Flow, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.layer(x).mean((2, 3)))
        return found

    module = Flow(way, layer=nn.Conv2d(3, 2, 1, bias=False), head=nn.Linear(2, 3, bias=False))
    with torch.no_grad():
        module.layer.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 0, 1.0]]).view(2, 3, 1, 1))
        module.head.weight.copy_(torch.tensor([[5.0, 0], [5.0, 0], [6.5, 0]]))
    found = voices(wrapped(module), "layer", {0: 0.0, 1: 0.0}, [(flat(1.0, 1.0), [0, 1])])
    assert found is not None
    assert found.changes[0] == pytest.approx([-0.5, -0.5, 1.0], abs=1e-4)
    assert found.changes[1] == pytest.approx([0, 0, 0], abs=1e-5)


def test_the_strongest_are_told_from_both_ends() -> None:
    assert strongest(floats([0.5, -2, 0, 3]), 2) == ([(3, 3.0), (0, 0.5)], [(1, -2.0)])


class Branch(nn.Module):
    """A block that adds what turns the first class into the second."""

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            self.conv.weight.copy_((strength * torch.tensor([[0.0, 0, 0], [1.0, 0, 0], [0, 0, 0]])).view(3, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = x + self.conv(x)
        return found


@pytest.mark.parametrize(("strength", "wanted"), [(2.0, 0.5), (0.1, 0.0)])
def test_a_layer_changes_as_many_labels_as_are_others_without_it(strength: float, wanted: float) -> None:
    def way(self: Flow, x: Tensor) -> Tensor:
        found: Tensor = self.block(x).mean((2, 3))
        return found

    network = wrapped(Flow(way, block=Branch(strength)))
    found = effect(network, "block", [0.0, 0, 0], [flat(1.0, 0.0), flat(0.0, 0.9)])  # red: class 0 by itself, 1 with the block; blue: 2
    assert found is not None and (found.changed, found.pictures, found.how) == (wanted, 2, "passed by")


def test_nothing_is_said_of_a_layer_that_everything_goes_through() -> None:
    found = effect(wrapped(Hand()), "light", [0.1, 0.2], [flat(1.0, 0.0), flat(0.0, 1.0)])
    assert found is not None and found.changed is None and found.why == "all that the network sees goes through it"
    assert effect(wrapped(Hand()), "light", [0.1, 0.2], ["no/such/file.png"]).changed is None  # type: ignore[union-attr]


def test_what_is_left_on_the_way_is_taken_where_the_unit_looks() -> None:
    network = wrapped(Hand())
    picture = torch.zeros(3, 16, 16)
    picture[:, 4, 12] = 1.0  # light 3 there, 0 elsewhere: edge 0 is largest to the left of it
    way = route(network, ["light", "edge"], 0.25)
    assert way.cells == {"light": 4.0, "edge": 1.0}
    found = left_by(way, picture, channel=0)
    assert found["edge"][0, 0] == pytest.approx(1.0), "(3 - 1) / 2, cut at 0"
    assert found["light"][0] == pytest.approx([3 / 16, 0.0]), "one of the 4 × 4 places around"
    elsewhere = left_by(way, picture, [(0.9, 0.1), (4.5 / 16, 12.5 / 16)])
    assert elsewhere["light"][:, 0] == pytest.approx([0.0, 3 / 16])
    assert random_places(3, 2) == random_places(3, 2) != random_places(4, 2)
