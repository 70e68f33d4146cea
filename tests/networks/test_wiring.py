"""What feeds what through the weights, on networks whose weights can be multiplied by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.tiny import Flow, picture, settled, wrapped
from torch import Tensor, nn

from reverie.networks import Network
from reverie.networks.wiring import Wires, wires


def block(act: nn.Module | None = None) -> Network:
    """conv → norm → ReLU6 → each channel by itself, at half the size → 1×1, and what goes round the last; weights are drawn."""
    print("seed 3")
    torch.manual_seed(3)
    parts = {
        "stem": nn.Conv2d(3, 4, 3, padding=1), "expand": nn.Conv2d(4, 6, 3, padding=1, bias=False), "norm": nn.BatchNorm2d(6),
        "act": act or nn.ReLU6(), "each": nn.Conv2d(6, 6, 3, padding=1, groups=6), "project": nn.Conv2d(6, 4, 1), "last": nn.Identity(),
    }  # fmt: skip
    way = lambda m, x: m.last(m.project(m.each(m.act(m.norm(m.expand(y := m.stem(x)))))) + y).mean((2, 3))  # noqa: E731
    return wrapped(settled(Flow(way, **parts)), size=16)


def product(net: Network) -> Tensor:
    """(4, 4): the same by hand, kernels summed up over their places."""
    m: Any = net.module
    folded = m.expand.weight.sum((2, 3)) * (m.norm.weight / (m.norm.running_var + m.norm.eps).sqrt())[:, None]  # (6, 4)
    found: Tensor = (m.project.weight[:, :, 0, 0] * m.each.weight.sum((1, 2, 3))) @ folded + torch.eye(4)
    return found.detach()


def found(net: Network, below: str = "stem", above: str = "last", seed: int = 1) -> Wires:
    made = wires(net.prepare([below, above]), below, above, picture(seed=seed)[0])
    assert made is not None
    return made


def test_it_is_the_product_of_the_weights_signs_kept() -> None:
    net = block()
    assert torch.allclose(found(net).total, product(net), rtol=1e-4, atol=1e-5)
    assert (product(net) < 0).any() and (product(net) > 0).any()


def test_it_does_not_depend_on_the_picture() -> None:
    net = block()
    assert torch.allclose(found(net, seed=1).total, found(net, seed=2).total, atol=1e-5)


def test_activations_between_are_counted() -> None:
    assert found(block()).activations == 1
    assert found(block(), "stem", "project").activations == 1
    assert found(block(), "each", "project").activations == 0


def test_parts_that_cancel_count_by_their_size() -> None:
    class Edge(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.grey, self.edge = nn.Conv2d(3, 1, 1), nn.Conv2d(1, 1, 3, padding=1, bias=False)
            with torch.no_grad():
                self.edge.weight.copy_(torch.tensor([[[[0.0, 0, 0], [-3, 0, 3], [0, 4, -4]]]]))

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.edge(self.grey(x)).mean((2, 3))
            return scores

    made = found(wrapped(Edge().eval()), "grey", "edge")
    assert made.total.item() == pytest.approx(0, abs=1e-6)
    assert made.size.item() == pytest.approx(50**0.5, rel=1e-5)
    # 0.5 × √50 / 2: spreads of 0.5 and 2
    assert made.strengths(torch.tensor([0.5]), torch.tensor([2.0])).item() == pytest.approx(50**0.5 / 4, rel=1e-5)


def test_nothing_leads_to_another_branch() -> None:
    net = wrapped(Flow(lambda m, x: m.one(x).mean((2, 3)) + m.other(x).mean((2, 3)), one=nn.Conv2d(3, 2, 1), other=nn.Conv2d(3, 2, 1)))
    made = found(net, "one", "other")
    assert made.size.eq(0).all() and made.activations == 0


WAYS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu, "relu in place": lambda y: F.relu(y * 1, True), "relu6": F.relu6, "hardtanh": lambda y: F.hardtanh(y, 0.0, 0.1),
    "silu": F.silu, "gelu": F.gelu, "hardswish": F.hardswish, "leaky": F.leaky_relu, "elu": F.elu, "clamp": lambda y: y.clamp(0.0, 0.1),
    "clamp_": lambda y: (y * 1).clamp_(0.0, 0.1), "torch.relu": torch.relu, "tanh": torch.tanh, "softplus": F.softplus,
    "by name": lambda y: F.relu(input=y), "nn.Mish": nn.Mish(), "nn.ReLU in place": lambda y: nn.ReLU(inplace=True)(y * 1),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_gradients_go_straight_through_whatever_is_called(way: str) -> None:
    net = wrapped(Flow(lambda m, x: m.last(WAYS[way](m.first(x))).mean((2, 3)), first=nn.Conv2d(3, 2, 1), last=nn.Conv2d(2, 3, 1)).eval())
    made = found(net, "first", "last")
    weight: Tensor = net.module.last.weight[:, :, 0, 0].detach()  # type: ignore[union-attr, index]
    assert torch.allclose(made.total, weight, atol=1e-6)
    assert made.activations == 1


def test_a_gate_is_a_constant() -> None:
    """Squeeze and excite: the gate of each channel is as it is on the picture, and weighs what goes through."""
    net = wrapped(Flow(lambda m, x: m.last((y := m.first(x)) * torch.sigmoid(m.gate(y.mean((2, 3), keepdim=True)))).mean((2, 3)),
                       first=nn.Conv2d(3, 2, 1), gate=nn.Conv2d(2, 2, 1), last=nn.Conv2d(2, 3, 1)).eval())  # fmt: skip
    x = picture()
    m: Any = net.module
    with torch.no_grad():
        gate = torch.sigmoid(m.gate(m.first(x).mean((2, 3), keepdim=True)))[0, :, 0, 0]  # (2,)
        wanted = m.last.weight[:, :, 0, 0] * gate
    assert torch.allclose(found(net, "first", "last").total, wanted, atol=1e-6)


def test_what_a_pass_gives_is_as_it_was_and_nothing_stays_behind() -> None:
    net = block()
    ready, x = net.prepare(["stem", "last"]), picture()
    before = ready(x)["last"]
    assert torch.allclose(ready.straight(x)["last"], before, atol=1e-5)
    found(net)
    assert torch.equal(ready(x)["last"], before)


def test_it_can_be_stopped() -> None:
    net = block()
    assert wires(net.prepare(["stem", "last"]), "stem", "last", picture()[0], lambda share: True) is None


@pytest.mark.parametrize("fused", [True, False])
def test_what_attention_weighs_places_by_is_a_constant(fused: bool) -> None:
    """Its weights sum to 1, so that what leads through it is what leads to its values."""

    def way(m: Any, x: Tensor) -> Tensor:
        y = m.first(x)
        query, key, value = (part(y).flatten(2).transpose(1, 2) for part in (m.query, m.key, m.value))  # (N, T, 2)
        by_hand: Tensor = (query @ key.transpose(1, 2)).softmax(2) @ value
        mixed = F.scaled_dot_product_attention(query, key, value) if fused else by_hand
        scores: Tensor = m.last(mixed.transpose(1, 2).reshape(y.shape)).mean((2, 3))
        return scores

    print("seed 6")
    torch.manual_seed(6)
    sizes = {"first": (3, 2), "query": (2, 2), "key": (2, 2), "value": (2, 2), "last": (2, 3)}
    net = wrapped(Flow(way, **{name: nn.Conv2d(*each, 1) for name, each in sizes.items()}).eval())
    m: Any = net.module
    wanted = (m.last.weight[:, :, 0, 0] @ m.value.weight[:, :, 0, 0]).detach()
    assert torch.allclose(found(net, "first", "last").total, wanted, atol=1e-5)


def test_a_network_that_counts_its_pictures_where_it_begins_is_wired_all_the_same() -> None:
    def way(m: Any, x: Tensor) -> Tensor:
        scores: Tensor = m.last(F.relu(m.first(x)).reshape(len(x), 2, *x.shape[2:])).mean((2, 3))
        return scores

    net = wrapped(Flow(way, first=nn.Conv2d(3, 2, 1), last=nn.Conv2d(2, 3, 1)).eval())
    weight: Tensor = net.module.last.weight[:, :, 0, 0].detach()  # type: ignore[union-attr, index]
    assert torch.allclose(found(net, "first", "last").total, weight, atol=1e-6)
