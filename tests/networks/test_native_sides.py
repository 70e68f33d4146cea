"""The native size of a network that nobody said, found by trying; one picture has to give one row."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from tests.helpers.tiny import Flow, picture
from torch import Tensor, nn

import reverie
from reverie.errors import UsageError
from reverie.networks.inspection.native_sides import has_one_row


def flat(rows: Any, width: int = 4 * 7 * 7, pools: int = 2) -> nn.Module:
    """A convolution, halvings, and a linear map of what `rows` makes a row of: 196 numbers of a picture of 28 to 31 pixels."""
    torch.manual_seed(0)
    halved = nn.Sequential(*[nn.MaxPool2d(2) for _ in range(pools)])
    return Flow(lambda m, x: m.head(rows(m.halved(m.conv(x)))), conv=nn.Conv2d(1, 4, 3, padding=1), halved=halved, head=nn.Linear(width, 3))


def wrap(module: nn.Module, **choices: Any) -> reverie.Network:
    return reverie.wrap(module, mean=[0.5], std=[0.25], device="cpu", **choices)


@pytest.mark.parametrize("rows", [lambda x: x.view(x.size(0), -1), lambda x: x.reshape(-1, 4 * 7 * 7), lambda x: x.flatten(1)])
def test_the_one_size_that_is_taken_is_found_and_told(rows: Any) -> None:
    with pytest.warns(UserWarning, match="takes no pictures of 224×224: its native size was not said, and 28×28 is taken"):
        network = wrap(flat(rows), labels=["a", "b", "c"])
    assert network.size == (28, 28) and network.anatomy.classes == 3
    assert len(network.recognise(picture(40, 50, channels=1)[0])) == 3
    assert network.layers[0][3:5] == (28, 28)


def test_of_several_sizes_none_is_taken_and_all_are_told() -> None:
    with pytest.raises(UsageError, match=r"it takes pictures of 64×64 or 96×96: say its native size, size=64"):
        wrap(flat(lambda x: x.flatten(1), 4, pools=6))  # of 64 to 127 pixels
    with pytest.raises(UsageError, match=r"cannot take a picture of 224×224.*native size"):
        wrap(flat(lambda x: x.flatten(1), 11))  # of no size


def test_a_size_that_is_said_or_taken_is_left() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert wrap(flat(lambda x: x.flatten(1)), size=30).size == (30, 30)


def test_a_size_that_was_not_said_is_told_where_others_are_taken_too() -> None:
    with pytest.warns(UserWarning, match="native size of Flow was not said, and 224×224 is assumed"):
        assert wrap(flat(lambda x: x.mean((2, 3)), 4)).size == (224, 224)


def test_several_rows_of_one_picture_are_told_with_the_size_that_gives_one() -> None:
    said = r"makes several rows of one picture of 56×56; it takes pictures of 28×28: say its native size, size=28"
    with pytest.warns(UserWarning, match=said):
        network = wrap(flat(lambda x: x.reshape(-1, 4 * 7 * 7)), size=56)
    with pytest.raises(UsageError, match=said):
        network.recognise(picture(channels=1)[0])
    assert network.layers


@pytest.mark.parametrize(("output", "one"), [
    (torch.zeros(1, 5), True), (torch.zeros(5), True), (torch.zeros(4, 5), False), ((torch.zeros(4, 5), torch.zeros(4, 2)), False),
    ({"a": torch.zeros(4, 5), "b": torch.zeros(1, 2)}, True), (torch.zeros(5, 7, 7), True), (torch.zeros(2, 5, 7, 7), False), (None, True),
])  # fmt: skip
def test_rows_of_an_output(output: Tensor | tuple[Tensor, ...] | dict[str, Tensor] | None, one: bool) -> None:
    assert has_one_row(output) == one
