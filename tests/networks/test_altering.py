"""Class scores while a layer is changed: worked out by hand, for one picture and several, with nothing left behind."""

from __future__ import annotations

import pytest
import torch
from tests.helpers.tiny import Flow, Hand, picture, wrapped
from torch import Tensor, nn

from reverie.errors import UsageError
from reverie.networks import Network, Prepared
from reverie.networks.altering import altered_scores, takes_several
from reverie.target import CLASSES


def made_ready(network: Network, name: str) -> Prepared:
    return network.prepare([name, CLASSES])


def test_what_takes_a_layers_place_is_what_the_scores_come_from() -> None:
    of = made_ready(wrapped(Hand()), "edge")
    x = of.as_taken(picture())
    maps = torch.stack([torch.full((2, 16, 16), 0.0), torch.full((2, 16, 16), 2.0)])  # (2, 2, 16, 16)
    found = altered_scores(of, "edge", x, maps)  # edges, warmth + 0.5, minus warmth
    assert torch.allclose(found, torch.tensor([[0, 0.5, 0], [2, 2.5, -2]]), atol=1e-5)


def test_a_channel_held_takes_its_share_of_the_scores_away() -> None:
    network = wrapped(Hand())
    of, x = made_ready(network, "edge"), picture(seed=3)

    def without_warmth(maps: Tensor, _: Tensor | None) -> Tensor:
        held = maps.clone()
        held[:, 1] = 0
        return torch.cat([maps, held])

    as_it_is, held = altered_scores(of, "edge", of.as_taken(x), without_warmth)
    assert torch.allclose(as_it_is, network(x)[0], atol=1e-5)
    assert torch.allclose(held[1:], torch.tensor([0.5, 0.0]), atol=1e-5)
    assert torch.allclose(held[0], as_it_is[0], atol=1e-5)


def test_a_block_is_told_what_it_was_given_and_can_be_passed_by() -> None:
    def way(self: Flow, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.block(x).mean((2, 3)))
        return found

    block = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(3, 3, 1))
    network = wrapped(Flow(way, block=block, head=nn.Linear(3, 4)))
    x = picture() - 0.5
    of = made_ready(network, "block")
    passed = altered_scores(
        of, "block", of.as_taken(x), lambda _, before: before if before is not None else pytest.fail("the shapes are the same")
    )
    head = network.module.get_submodule("head")
    assert torch.allclose(passed, head(x.mean((2, 3))).detach(), atol=1e-5), "the ReLU inside works in place"
    wide = made_ready(wrapped(Hand()), "light")
    altered_scores(
        wide, "light", wide.as_taken(picture()), lambda maps, before: maps if before is None else pytest.fail("3 channels become 2")
    )


def test_nothing_is_left_behind_even_after_an_error() -> None:
    network = wrapped(Hand())
    of, x = made_ready(network, "edge"), picture()
    before = network.prepare([CLASSES])(x)[CLASSES]
    with pytest.raises(UsageError):
        altered_scores(of, "edge", of.as_taken(x), lambda maps, _: maps[:, :1])
    assert torch.equal(of(x)[CLASSES], of(x)[CLASSES])
    assert torch.allclose(network.prepare([CLASSES])(x)[CLASSES], before)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in of.module.modules())


def test_a_network_that_mixes_the_pictures_of_a_batch_takes_one_at_a_time() -> None:
    def mixing(self: Flow, x: Tensor) -> Tensor:
        y = self.layer(x)
        found: Tensor = self.head((y - y.mean(0, keepdim=True) * (len(y) > 1)).mean((2, 3)))
        return found

    def plain(self: Flow, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.layer(x).mean((2, 3)))
        return found

    for way, wanted in ((mixing, False), (plain, True)):
        of = made_ready(wrapped(Flow(way, layer=nn.Conv2d(3, 4, 1), head=nn.Linear(4, 5))), "layer")
        x = of.as_taken(picture())
        maps = torch.rand(2, 4, 16, 16, generator=torch.Generator().manual_seed(5))

        def rest(given: Tensor, of: Prepared = of, x: Tensor = x) -> Tensor:
            return altered_scores(of, "layer", x, given)

        assert takes_several(rest, maps, rest(maps[1:])[0]) is wanted
