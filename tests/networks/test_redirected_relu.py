"""A soft pass: the same activations, and a gradient where dead and saturated units give none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.tiny import ODD, Flow, close, looked_into, picture, pull, settled, wrapped
from torch import Tensor, nn

from reverie.errors import UsageError
from reverie.networks import Network
from reverie.networks.prepared.convolution import Convolution
from reverie.networks.prepared.prepared import Prepared
from reverie.networks.prepared.redirected_relu import RedirectedRelus, redirected_relu
from reverie.target import CLASSES


def conv(bias: float, weight: float = 1.0, inputs: int = 3, outputs: int = 2) -> nn.Conv2d:
    """Every weight the same: what it gives is the sum of what it sees, times `weight`, plus `bias`."""
    made = nn.Conv2d(inputs, outputs, 1)
    with torch.no_grad():
        made.weight.fill_(weight)
        assert made.bias is not None
        made.bias.fill_(bias)
    return made


def network(first: nn.Module, act: nn.Module | None = None, way: Callable[[Any, Tensor], Any] | None = None) -> Network:
    """`first`, a ReLU of some kind, and a head that gives its mean."""
    act = act or nn.ReLU()
    return wrapped(Flow(way or (lambda m, x: m.head(m.act(m.first(x))).mean((2, 3))), first=first, act=act, head=conv(0, 0.5, 2)).eval())


def slope(look: Callable[[Tensor], dict[str, Tensor]], x: Tensor, name: str, sign: float = 1.0) -> Tensor:
    x = x.clone().requires_grad_(True)
    return torch.autograd.grad(sign * look(x)[name].sum(), x)[0]


def fused(ready: Prepared) -> list[Convolution]:
    return [part for part in ready.module.modules() if isinstance(part, Convolution)]


# every way to call a ReLU, on what `m.first` gave; in place, what is returned is not used
WAYS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "F.relu": lambda m, y: F.relu(y),
    "F.relu in place": lambda m, y: (F.relu(y, inplace=True), y)[1],
    "F.relu_": lambda m, y: (F.relu_(y), y)[1],
    "F.relu6": lambda m, y: F.relu6(y),
    "F.relu6 in place": lambda m, y: (F.relu6(y, True), y)[1],
    "F.hardtanh": lambda m, y: F.hardtanh(y, 0.0, 6.0),
    "F.hardtanh of its own range": lambda m, y: F.hardtanh(y),
    "F.hardtanh_": lambda m, y: (F.hardtanh_(y, max_val=6.0, min_val=0.0), y)[1],
    "F.hardtanh_ of its own range": lambda m, y: (F.hardtanh_(y), y)[1],
    "torch.relu": lambda m, y: torch.relu(input=y),
    "torch.relu_": lambda m, y: (torch.relu_(y), y)[1],
    "Tensor.relu": lambda m, y: y.relu(),
    "Tensor.relu_": lambda m, y: (y.relu_(), y)[1],
    "a part in place": lambda m, y: torch.cat([y[:, :1].relu_(), y[:, 1:]], 1),
    "nn.ReLU6 in place": lambda m, y: (nn.ReLU6(inplace=True)(y), y)[1],
    "nn.Hardtanh": lambda m, y: nn.Hardtanh(0.0, 2.0)(y),
    "what it got changes afterwards": lambda m, y: [F.relu(y), y.add_(1)][0],
    "nn.ReLU": lambda m, y: m.act(y + 0),  # not fused: its convolution's result is not what it gets
}


@pytest.mark.parametrize("way", WAYS)
def test_a_dead_unit_gets_a_gradient_however_its_relu_is_called(way: str) -> None:
    ready = network(conv(-10.0), way=lambda m, x: m.head(WAYS[way](m, m.first(x))).mean((2, 3))).prepare(["head"])
    assert fused(ready) == []
    x = picture()
    hard, soft = slope(ready, x, "head"), slope(ready.redirected, x, "head")
    if way != "a part in place":  # whose other half is alive
        assert hard.eq(0).all()
    assert (soft > hard).all()
    x.requires_grad_(True)
    assert torch.equal(ready.redirected(x)["head"], ready(x)["head"])
    assert torch.equal(slope(ready, x.detach(), "head"), hard)  # nothing stays behind


@pytest.mark.parametrize("way", WAYS)
def test_a_live_unit_has_its_usual_gradient_however_its_relu_is_called(way: str) -> None:
    first = conv(-0.4, 0.07) if "own range" in way else conv(0.1, 0.25)  # in the linear range
    ready = network(first, way=lambda m, x: m.head(WAYS[way](m, m.first(x))).mean((2, 3))).prepare(["head"])
    x = picture().mul(0.9)
    assert slope(ready, x, "head").gt(0).all()
    assert torch.equal(slope(ready.redirected, x, "head"), slope(ready, x, "head"))
    x.requires_grad_(True)
    assert torch.equal(ready.redirected(x)["head"], ready(x)["head"])


def test_a_few_soft_steps_bring_a_dead_unit_to_life() -> None:
    ready = network(conv(-2.0)).prepare(["head"])
    assert len(fused(ready)) == 1
    x = torch.full((1, 3, 8, 8), 0.2)
    assert ready(x)["head"].eq(0).all()
    assert slope(ready, x, "head").eq(0).all()
    for _ in range(8):
        gradient = slope(ready.redirected, x, "head")
        x = (x + 0.1 * gradient / gradient.abs().mean()).clamp(0, 1)
    assert ready(x)["head"].gt(0).all()
    assert slope(ready, x, "head").gt(0).all()


@pytest.mark.parametrize("act", [nn.ReLU6, lambda: nn.ReLU6(inplace=True), lambda: nn.Hardtanh(0.0, 6.0)])
def test_a_saturated_unit_comes_down_where_its_weight_is_negative(act: Callable[[], nn.Module]) -> None:
    ready = network(conv(5.5), act()).prepare(["head"])
    x = torch.full((1, 3, 8, 8), 0.5)
    assert slope(ready, x, "head", -1.0).eq(0).all()
    for _ in range(8):
        gradient = slope(ready.redirected, x, "head", -1.0)
        x = (x + 0.1 * gradient / gradient.abs().mean()).clamp(0, 1)
    assert ready(x)["head"].lt(6).all()
    assert slope(ready, x, "head", -1.0).lt(0).all()


def test_nothing_pushes_further_out_of_the_range() -> None:
    dead, saturated = network(conv(-10.0), nn.ReLU6()).prepare(["head"]), network(conv(10.0), nn.ReLU6()).prepare(["head"])
    x = picture()
    assert slope(dead.redirected, x, "head", -1.0).eq(0).all()
    assert slope(saturated.redirected, x, "head").eq(0).all()
    assert slope(saturated.redirected, x, "head", -1.0).lt(0).all()


def test_each_picture_of_a_batch_is_redirected_by_itself_and_only_where_nothing_gets_through() -> None:
    x = torch.tensor([[-1.0, 2.0, 7.0], [-1.0, 0.0, 7.0], [-3.0, 6.0, 9.0]], requires_grad=True)
    value = redirected_relu(x, 0.0, 6.0)
    assert value.tolist() == [[0, 2, 6], [0, 0, 6], [0, 6, 6]]
    (gradient,) = torch.autograd.grad(value, x, torch.tensor([[1.0, 1, -1], [1, 1, 1], [-1, -2, -3]]))
    assert gradient.tolist() == [[0, 1, 0], [1, 1, 0], [0, -2, -3]]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4, 5, 6)])
def test_a_soft_relu_takes_any_shape(shape: tuple[int, ...]) -> None:
    x = torch.full(shape, -1.0, requires_grad=True)
    torch.autograd.backward(redirected_relu(x).sum())
    assert x.grad is not None
    assert x.grad.eq(1).all()
    x = torch.full(shape, 1.0, requires_grad=True)
    torch.autograd.backward((-redirected_relu(x)).sum())
    assert x.grad is not None
    assert x.grad.eq(-1).all()


@pytest.mark.parametrize("kind", ODD)
def test_odd_networks_give_the_same_redirected(kind: str) -> None:
    torch.manual_seed(3)
    net = wrapped(settled(ODD[kind][0]()))
    for name in looked_into(net):
        ready = net.prepare([name])
        x = picture().requires_grad_(True)
        value = ready(x)[name]
        usual = pull(value, x)
        soft = ready.redirected(x)[name]
        assert close(soft, value, 1e-6), name
        assert torch.isfinite(pull(soft, x)).all(), name
        assert torch.equal(pull(ready(x)[name], x), usual), name


def test_what_carries_no_gradient_is_left_alone() -> None:
    sparse = torch.eye(3).sub(0.5).to_sparse()  # which a redirected ReLU could not take
    with RedirectedRelus():
        assert torch.equal(torch.relu(sparse).to_dense(), torch.eye(3) / 2)


def test_other_activations_are_left_alone() -> None:
    ready = network(nn.Sequential(conv(-10.0), nn.SiLU()), nn.GELU()).prepare(["head"])
    x = picture()
    assert torch.equal(slope(ready.redirected, x, "head"), slope(ready, x, "head"))


class Fails(nn.Module):
    """Gives what it gets, until it is told to fail."""

    failing = False

    def forward(self, x: Tensor) -> Tensor:
        if Fails.failing:
            raise ValueError("failing")
        return x


@pytest.mark.parametrize("how", ["to the end", "stopped early", "an error"])
def test_nothing_of_a_redirected_pass_stays_behind(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = wrapped(Flow(lambda m, x: m.rest(F.relu(m.fails(m.first(x)))).mean((2, 3)), first=nn.Sequential(conv(-9.0), nn.ReLU()),
                       fails=Fails(), rest=conv(0, inputs=2)))  # fmt: skip
    ready = net.prepare({"to the end": [CLASSES], "stopped early": ["fails"], "an error": ["rest"]}[how])
    x = picture().requires_grad_(True)
    before = ready(x)[ready.wanted[0]]
    monkeypatch.setattr(Fails, "failing", how == "an error")
    with suppress(UsageError):
        ready.redirected(x)
        assert how != "an error"
    monkeypatch.setattr(Fails, "failing", False)
    assert [part.apart for part in fused(ready)] == [False]
    assert torch.equal(ready(x)[ready.wanted[0]], before)
    assert torch.autograd.grad(ready(x)[ready.wanted[0]].sum(), x)[0].eq(0).all()
    dead = torch.full((2,), -1.0, requires_grad=True)
    assert torch.autograd.grad(F.relu(dead).sum(), dead)[0].eq(0).all()


@pytest.mark.parametrize("name", ["blocks.1.0", "blocks.4.1", "blocks.5.2.bn2.act", CLASSES])
def test_the_default_network_gives_the_same_softly(lite0: Network, name: str) -> None:
    name = name if name == CLASSES or name in dict(lite0.module.named_modules()) else "blocks.5.2"
    ready = lite0.prepare([name])
    x = picture(96, 80).requires_grad_(True)
    value = ready(x)[name]
    usual = pull(value, x)
    soft = ready.redirected(x)[name]
    assert close(soft, value, 1e-5)
    assert torch.isfinite(pull(soft, x)).all()
    again = ready(x)[name]
    assert torch.equal(again, value)
    assert torch.equal(pull(again, x), usual)
