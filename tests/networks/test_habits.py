"""How a network has to be handed pictures: in which order of memory, together or one by one; and what "it fits" means."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.tiny import SIDE, Flow, close, picture, settled, wrapped
from torch import Tensor, nn

import reverie
from reverie.networks import Network
from reverie.target import CLASSES

FEATURES = 4 * (SIDE // 2) ** 2


def flowing(way: Any) -> Flow:
    """conv, norm, relu and pooling to (N, 4, 8, 8), then a way of one's own to three scores."""
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2))
    return settled(Flow(way, body=body, wide=nn.Linear(FEATURES, 3), head=nn.Linear(4, 3)))


def view(m: Any, x: Tensor) -> Tensor:
    x = m.body(x)
    return m.wide(x.view(x.size(0), -1))  # type: ignore[no-any-return]


def view_of_several(m: Any, x: Tensor) -> Tensor:
    """Fails in the other order of memory at two pictures, and not at one."""
    y = m.body(x)
    return m.head(y.mean((2, 3))) + (y.view(len(y), -1).mean(1, keepdim=True) if len(y) > 1 else y.mean())  # type: ignore[no-any-return]


def view_of_one(m: Any, x: Tensor) -> Tensor:
    y = m.body(x)
    return m.head(y.mean((2, 3))) + (y.mean((1, 2, 3))[:, None] if len(y) > 1 else y.view(1, -1).mean())  # type: ignore[no-any-return]


def strided(m: Any, x: Tensor) -> Tensor:
    """Runs in both orders of memory, and gives other outputs."""
    return m.wide(m.body(x).as_strided((len(x), FEATURES), (FEATURES, 1)))  # type: ignore[no-any-return]


def reshaped(m: Any, x: Tensor) -> Tensor:
    return m.wide(m.body(x).reshape(-1, FEATURES))  # type: ignore[no-any-return]


def pooled(m: Any, x: Tensor) -> Tensor:
    return m.head(m.body(x).mean((2, 3)))  # type: ignore[no-any-return]


def longer(m: Any, x: Tensor) -> Tensor:
    """More numbers, the larger the picture."""
    return m.body(x).mean(1).flatten(1)  # type: ignore[no-any-return]


def mixing(m: Any, x: Tensor) -> Tensor:
    """Every picture is seen beside the mean of all."""
    y = m.body(x).mean((2, 3))
    return m.head(y - y.mean(0))  # type: ignore[no-any-return]


def one_by_one(m: Any, x: Tensor) -> Tensor:
    assert len(x) == 1, "one picture, please"
    return pooled(m, x)


def by_chance(m: Any, x: Tensor) -> Tensor:
    return m.head(F.dropout(m.body(x), 0.5).mean((2, 3)))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("way", "plain", "alone", "mixes"),
    [
        (view, True, False, False),
        (view_of_several, True, False, False),
        (view_of_one, True, False, False),
        (strided, True, False, False),
        (reshaped, False, False, False),
        (pooled, False, False, False),
        (by_chance, False, False, False),
        (mixing, False, True, True),
        (one_by_one, False, True, False),
    ],
)
def test_what_a_network_gives_decides_how_it_is_handed_pictures(way: Any, plain: bool, alone: bool, mixes: bool) -> None:
    module = flowing(way)
    network = wrapped(module)
    habits = network.anatomy.habits
    assert (habits.plain, habits.alone, habits.mixes) == (plain, alone, mixes)
    x = torch.cat([picture(), picture(seed=2)])
    together = network.prepare([CLASSES, "body"])(x)
    if way is not by_chance:
        assert close(together[CLASSES], torch.cat([module(each[None]) for each in x]))
    assert close(together["body"], module.body(x)) and together["body"].is_contiguous() == plain


@pytest.mark.parametrize("way", [view, strided, view_of_several, view_of_one, reshaped], ids=lambda each: each.__name__)
def test_every_door_takes_a_network_that_views_its_tensors(way: Any) -> None:
    pytest.importorskip("captum")
    module = flowing(way)
    net = reverie.wrap(module, mean=[0.0] * 3, std=[1.0] * 3, size=SIDE, labels=["a", "b", "c"], device="cpu")
    start = picture(21, 37)[0]
    with torch.no_grad():
        (expected,) = module(F.interpolate(start[None], (SIDE, SIDE), mode="bilinear", antialias=True)).softmax(1)
    assert abs(net.recognise(start, 1)[0].probability - float(expected.max())) < 0.05
    assert reverie.dream(start, "class:b", network=net, octaves=2, steps=1).size == (21, 37)
    assert reverie.dream(start, "body", network=net, octaves=1, steps=1, tile=16).alive
    assert [each.size for each in reverie.imagine(["a", "c"], network=net, size=20, steps=1)] == [(20, 20)] * 2
    assert all(each.alive for each in reverie.feature(["body:0-2"], network=net, size=20, steps=1))
    rung = reverie.see(start, network=net, layers=["body"], channels=1, steps=1)["body"]
    assert rung.counted is not None and rung.enhanced is not None


def test_folded_convolutions_keep_the_plain_order() -> None:
    """The faster kernel of a convolution with its ReLU gives channels last, whatever it is given."""
    module = flowing(view)
    ready = wrapped(module).prepare([CLASSES])
    assert ready.folded == 1 and close(ready(picture())[CLASSES], module(picture()))


def net_of(way: Any) -> Network:
    return wrapped(flowing(way))


@pytest.mark.parametrize(("way", "free"), [(reshaped, False), (strided, False), (longer, False), (pooled, True), (mixing, True)])
def test_a_network_is_free_of_size_only_if_one_picture_gives_one_row(way: Any, free: bool) -> None:
    network = net_of(way)
    assert network.is_free(CLASSES) == free and network.is_free("body")
    assert not (way is reshaped and network.is_free("wide"))
    seen = network.prepare([CLASSES])(torch.rand(2, 3, 2 * SIDE, 2 * SIDE))[CLASSES]
    assert seen.shape == (2, 64 if way is longer else 3)


def test_the_second_class_of_a_batch_is_judged_by_its_own_picture() -> None:
    """`reshape(-1, …)` makes four rows of a picture twice as large, and the second of them is a piece of the first picture."""
    network = net_of(reshaped)
    x = torch.rand(2, 3, 2 * SIDE, 2 * SIDE).requires_grad_(True)
    scores = network.prepare([CLASSES])(x)[CLASSES]
    (pull,) = torch.autograd.grad(scores[1, 0], x)
    assert pull[0].abs().max() == 0 and pull[1].abs().max() > 0


def test_a_norm_that_measures_its_batch_is_told() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.warns(UserWarning, match=r"depends on those beside it \(norm '1' measures the batch\): each is looked at by itself"):
        net = reverie.wrap(module, mean=[0.0] * 3, std=[1.0] * 3, size=SIDE, device="cpu")
    x = torch.cat([picture(), 0.1 * picture(seed=2)])
    assert close(net.prepare(["1"])(x)["1"], torch.cat([module[:2](each[None]) for each in x]))


def test_wrapping_takes_few_passes() -> None:
    """A large network on a CPU is not kept waiting: one picture as far as the first convolution, one, one twice as wide, one in the faster
    order, two twice as wide."""
    sizes: list[int] = []
    module = flowing(pooled)
    module.body.register_forward_pre_hook(lambda _part, inputs: sizes.append(len(inputs[0]) * inputs[0].shape[3] // SIDE))
    net = reverie.wrap(module, mean=[0.0] * 3, std=[1.0] * 3, size=SIDE, device="cpu")
    assert sum(sizes) <= 1 + 1 + 2 + 1 + 4 + 4, sizes  # four go as far as the first norm, to see whether the normalisation can be right
    sizes.clear()
    assert len(net.layers) == 2 and net.is_free("body") and sizes == []  # nothing is run again


def test_examining_leaves_random_numbers_alone() -> None:
    network = net_of(by_chance)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    assert network.anatomy.classes == 3
    assert torch.equal(torch.rand(3), expected)
