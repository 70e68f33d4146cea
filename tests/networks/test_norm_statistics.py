"""What norms remember is what they saw in training, wherever they are looked at."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.helpers.known import there
from tests.helpers.tiny import Flow, Hand, wrapped
from torch import Tensor, nn

from reverie.networks import Network
from reverie.networks.norm_statistics import remembered
from reverie.target import CLASSES


class NormAndRelu(nn.BatchNorm2d):
    """As timm has them."""

    def __init__(self, channels: int, act: nn.Module) -> None:
        super().__init__(channels)
        self.drop, self.act = nn.Identity(), act

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.act(self.drop(super().forward(x)))
        return found


class Frozen(nn.Module):
    """As torchvision has them: no parameters, no norm of PyTorch's."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.eps = norm.eps
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, there(getattr(norm, name)).detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        b: Any = self
        mean, variance, weight, bias = (each.view(1, -1, 1, 1) for each in (b.running_mean, b.running_var, b.weight, b.bias))
        found: Tensor = (x - mean) * (variance + self.eps).rsqrt() * weight + bias
        return found


def trained(way: Any, **parts: nn.Module) -> tuple[Network, Tensor]:
    """A network whose norms remember just these pictures (N, C, H, W); spreads from tiny to large."""
    torch.manual_seed(5)
    module = Flow(way, **parts)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None  # the plain mean of what it sees
            if part.affine:
                nn.init.normal_(part.weight), nn.init.normal_(part.bias)
    pictures = torch.rand(8, 3, 16, 16)
    module.train()
    with torch.no_grad():
        module(pictures)
    return wrapped(module.eval()), pictures


def assert_remembered(network: Network, pictures: Tensor, count: int, wanted: str = CLASSES) -> None:
    found = remembered(network, [wanted])
    assert len(found) == count
    with torch.no_grad():
        seen = network.prepare([*found])(pictures)
    for name, (mean, spread) in found.items():
        values = seen[name].transpose(0, 1).flatten(1)  # (C, places)
        assert torch.allclose(values.mean(1), mean, atol=1e-4), name
        assert torch.allclose(values.std(1), spread, rtol=1e-3, atol=1e-6), name


def conv(channels: int = 3) -> nn.Conv2d:
    torch.manual_seed(channels)
    made = nn.Conv2d(channels, 4, 3)
    with torch.no_grad():
        made.weight[0] *= 0.01  # of so little variance that eps counts
    return made


def test_behind_a_norm_that_is_folded() -> None:
    network, pictures = trained(lambda m, x: m.norm(m.conv(x)).relu().mean((2, 3)), conv=conv(), norm=nn.BatchNorm2d(4))
    assert [*remembered(network, [CLASSES])] == ["norm"] and network.prepare(["norm"]).folded == 1
    assert_remembered(network, pictures, 1)


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(3, affine=False), nn.BatchNorm2d(3), nn.InstanceNorm2d(3, track_running_stats=True)])
def test_norms_before_a_convolution_and_without_scale(norm: Any) -> None:
    network, pictures = trained(lambda m, x: m.conv(m.norm(x).relu()).mean((2, 3)), conv=conv(), norm=norm)
    if isinstance(norm, nn.BatchNorm2d):
        assert_remembered(network, pictures, 1)
    else:
        assert [*remembered(network, [CLASSES])] == ["norm"]


@pytest.mark.parametrize(("act", "place"), [(nn.ReLU(), "conv"), (nn.Identity(), "norm")])
def test_a_norm_with_an_activation_inside_is_looked_at_before_it(act: nn.Module, place: str) -> None:
    network, pictures = trained(lambda m, x: m.norm(m.conv(x)).mean((2, 3)), conv=conv(), norm=NormAndRelu(4, act))
    assert [*remembered(network, [CLASSES])] == [place]
    assert_remembered(network, pictures, 1)


def test_frozen_norms_count_too() -> None:
    network, pictures = trained(lambda m, x: m.norm(m.conv(x)).mean((2, 3)), conv=conv(), norm=nn.BatchNorm2d(4))
    module: Any = network.module
    frozen = wrapped(Flow(lambda m, x: m.norm(m.conv(x)).mean((2, 3)), conv=module.conv, norm=Frozen(module.norm)))
    assert_remembered(frozen, pictures, 1)


def test_only_what_comes_before_the_end_of_what_is_wanted() -> None:
    def way(m: Any, x: Tensor) -> Any:
        return m.third(m.last(m.second(m.other(m.first(m.conv(x)).relu())))).mean((2, 3))

    parts = {"first": nn.BatchNorm2d(4), "second": nn.BatchNorm2d(4), "third": nn.BatchNorm2d(4)}
    network, pictures = trained(way, conv=conv(), other=conv(4), last=conv(4), **parts)
    assert [*remembered(network, ["conv"])] == []
    assert [*remembered(network, ["first"])] == ["first"]
    assert [*remembered(network, ["last", "conv"])] == ["first", "second"]
    assert_remembered(network, pictures, 3)


def test_what_runs_twice_has_no_places_or_no_memory_is_left_out() -> None:
    def way(m: Any, x: Tensor) -> Any:
        y = m.twice(m.other(m.twice(m.conv(x)).relu()))
        return m.flat(m.group(m.forgetful(y)).mean((2, 3), keepdim=True)).flatten(1)

    parts = {"twice": nn.BatchNorm2d(4), "forgetful": nn.BatchNorm2d(4, track_running_stats=False), "flat": nn.BatchNorm2d(4)}
    network, _ = trained(way, conv=conv(), other=conv(4), group=nn.GroupNorm(2, 4), **parts)
    assert remembered(network, [CLASSES]) == {}


def broken(name: str, value: float) -> Network:
    network, _ = trained(lambda m, x: m.norm(m.conv(x)).relu().mean((2, 3)), conv=conv(), norm=nn.BatchNorm2d(4))
    module: Any = network.module
    with torch.no_grad():
        getattr(module.norm, name).fill_(value)
    return network


@pytest.mark.parametrize(("name", "value"), [("weight", 0.0), ("running_var", 0.0), ("running_var", 1e-38), ("bias", 1e20)])
def test_norms_without_a_spread_that_tells_anything_are_left_out(name: str, value: float) -> None:
    assert remembered(broken(name, value), [CLASSES]) == {}


def test_norms_that_have_seen_nothing_are_left_out_and_the_deepest_quarter() -> None:
    fresh = wrapped(Flow(lambda m, x: m.norm(m.conv(x)).relu().mean((2, 3)), conv=conv(), norm=nn.BatchNorm2d(4)))
    assert remembered(fresh, [CLASSES]) == {}

    def way(m: Any, x: Tensor) -> Any:
        for number in range(8):
            x = getattr(m, f"norm{number}")(x)
        return m.conv(x).mean((2, 3))

    network, _ = trained(way, conv=conv(), **{f"norm{number}": nn.BatchNorm2d(3) for number in range(8)})
    assert [*remembered(network, [CLASSES])] == [f"norm{number}" for number in range(6)]


def test_a_frozen_norm_that_does_not_say_its_eps() -> None:
    frozen = Frozen(nn.BatchNorm2d(4))
    del frozen.eps
    frozen.running_mean = torch.ones(4)

    def forward(x: Tensor) -> Tensor:
        return x * 2

    frozen.forward = forward  # type: ignore[method-assign]
    network = wrapped(Flow(lambda m, x: m.norm(m.conv(x)).mean((2, 3)), conv=conv(), norm=frozen))
    assert [*remembered(network, [CLASSES])] == ["norm"]


def test_its_own_is_not_touched() -> None:
    module = Hand()
    found = remembered(wrapped(module), [CLASSES])
    found["norm"][0].add_(1)
    found["norm"][1].zero_()
    assert there(module.norm.bias).tolist() == [0, 0] and module.norm.weight.tolist() == [1, 1]
