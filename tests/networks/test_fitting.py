"""Sizes that a network takes are found by trying; any other is continued to one, or seen through windows, and none ends in an error."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.tiny import Flow, close, picture, pull, wrapped
from torch import Tensor, nn

import reverie
from reverie.networks import Network
from reverie.networks.prepared.fitting import Fits, cropped, padded
from reverie.target import CLASSES


class Unet(nn.Module):
    """Down `depth` times and up again: sides have to be multiples of 2 ** depth."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.depth = depth
        self.down = nn.ModuleList([nn.Conv2d(4 if number else 3, 4, 3, padding=1) for number in range(depth + 1)])
        self.up = nn.ModuleList([nn.Conv2d(8, 4, 3, padding=1) for _ in range(depth)])

    def forward(self, x: Tensor) -> Tensor:
        beside: list[Tensor] = []
        for conv in self.down[:-1]:
            beside.append(F.relu(conv(x)))
            x = F.max_pool2d(beside[-1], 2)
        x = F.relu(self.down[-1](x))
        for conv, left in zip(self.up, reversed(beside), strict=True):
            x = F.relu(conv(torch.cat([F.interpolate(x, scale_factor=2), left], 1)))
        return x


def of_multiples(m: Any, x: Tensor) -> Tensor:
    height, width = x.shape[2:]
    assert not (height % 6 or width % 6), f"{height}×{width} are no multiples of 6"
    return m.conv(x).mean((2, 3))  # type: ignore[no-any-return]


def of_odd_sides(m: Any, x: Tensor) -> Tensor:
    if x.shape[2] % 2 == 0 or x.shape[3] % 2 == 0:
        raise KeyError("sides are odd")
    return m.conv(x).mean((2, 3))  # type: ignore[no-any-return]


def flowing(way: Any, size: int) -> Network:
    torch.manual_seed(0)
    return wrapped(Flow(way, conv=nn.Conv2d(3, 3, 3, padding=1)), size=size)


@pytest.mark.parametrize(("depth", "native"), [(2, 16), (3, 48), (4, 32)])
@pytest.mark.parametrize("size", [(45, 61), (33, 20), (17, 17), (50, 35)])
def test_every_octave_of_a_network_that_goes_down_and_up(depth: int, native: int, size: tuple[int, int]) -> None:
    network = wrapped(Unet(depth), size=native)
    for target in ("class:1", f"up.{depth - 1}", "down.1"):
        made = reverie.dream(picture(*size)[0], target, network=network, octaves=3, octave_scale=1.3, steps=1)
        assert made.size == size
    assert reverie.imagine(1, network=network, size=size, steps=1).size == size


def test_what_lies_over_the_edge_is_left_out_and_what_is_inside_is_as_it_is() -> None:
    module = Unet(2).eval()
    ready = wrapped(module, size=32).prepare(["up.1", "down.2"])
    x = picture(45, 61).requires_grad_(True)
    seen = ready(x)
    assert seen["up.1"].shape == (1, 4, 45, 61) and seen["down.2"].shape == (1, 4, 12, 16)  # ceil(45 / 4), ceil(61 / 4)
    whole = F.pad(x, (0, 3, 0, 3), mode="reflect")  # 48 × 64
    assert close(F.relu(seen["up.1"]), module(whole)[:, :, :45, :61])
    assert close(pull(F.relu(seen["up.1"]), x), pull(module(whole)[:, :, :45, :61], x))


def test_the_smallest_multiple_is_found_once_for_all_sizes() -> None:
    network = flowing(of_multiples, 24)
    ready = network.prepare(["conv", CLASSES])
    for size in ((45, 61), (25, 31), (24, 24), (30, 36)):
        assert ready(picture(*size))["conv"].shape == (1, 3, *size) and ready.sees_whole(size)
    assert list(ready.fits.multiples.values()) == [6]
    assert ready.fits.found[ready.wanted, (45, 61)] == (48, 66)


def test_what_fits_in_no_way_is_seen_through_windows() -> None:
    network = flowing(of_odd_sides, 15)
    ready = network.prepare([CLASSES])
    assert ready(picture(33, 44))[CLASSES].shape == (1, 3) and not ready.sees_whole((33, 44))
    assert ready.sees_whole((15, 15))
    assert reverie.dream(picture(33, 44)[0], "class:2", network=network, octaves=2, steps=1).size == (33, 44)


def test_a_size_does_not_depend_on_those_before_it() -> None:
    first, second = (flowing(of_multiples, 24).prepare([CLASSES]) for _ in range(2))
    sizes = [(45, 61), (31, 31), (48, 50), (100, 25)]
    for ready, order in ((first, sizes), (second, sizes[::-1])):
        for size in order:
            ready(picture(*size))
    assert first.fits == second.fits


def test_tiles_of_a_network_that_goes_down_and_up_add_up_to_one_pass() -> None:
    network = wrapped(Unet(3), size=48)
    start = picture(75, 93)[0]
    for target in ("up.0", "up.2"):
        whole, tiled = (reverie.dream(start, target, network=network, octaves=1, steps=1, tile=tile) for tile in (None, 32))
        assert tiled.recipe is not None and tiled.recipe.tiles is not None and float((whole.pixels - tiled.pixels).abs().max()) < 1e-5


def test_fits() -> None:
    assert Fits().room(("a",), (45, 61), (56, 56), lambda size: all(side % 14 == 0 for side in size)) == (56, 70)
    assert Fits().room(("a",), (45, 61), (56, 56), lambda size: False) is None
    assert (
        Fits().room(("a",), (20, 200), (96, 96), lambda size: all(side % 48 == 0 for side in size)) is None
    )  # more than half as much again
    by_chance = Fits()  # 6 and 12 fit a size or two, and no other
    assert by_chance.room(("a",), (50, 50), (96, 96), lambda size: size[0] % 16 == 0 or size[0] in (102, 108)) == (64, 64)
    assert by_chance.multiples == {("a",): 16}
    x = picture(4, 5)
    assert torch.equal(padded(x, (6, 6))[0, 0, 4:, 0], x[0, 0, [2, 1], 0]) and padded(x, (4, 5)) is x
    assert cropped(torch.zeros(1, 2, 12, 16), (45, 61), (48, 64)).shape == (1, 2, 12, 16)
    assert cropped(torch.zeros(1, 2, 48, 64), (45, 61), (48, 64)).shape == (1, 2, 45, 61)
