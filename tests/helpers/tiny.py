"""Tiny networks: one whose weights are set by hand, so that its answers can be worked out by hand, and odd ones of every kind.

And what the tests of networks ask of them: a picture to look at, an activation and its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import torch.nn.functional as F
from tests.helpers.known import there
from torch import Tensor, nn

from reverie.networks import Network, Preprocessing, wrap_module

SIDE = 16
Made = TypeVar("Made", bound=nn.Module)


class Hand(nn.Module):
    """light and warmth of each place → normalised → cut at 0 → edges to the right and light → their means → three classes.

    `light`: channel 0 is R+G+B, channel 1 is R-B. `norm` halves: (x - (1, 0)) / 2. `edge`: channel 0 is right minus left of light,
    channel 1 is warmth. Classes: edges, warmth, minus warmth.
    """

    def __init__(self) -> None:
        super().__init__()
        self.light = nn.Conv2d(3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(2, eps=0.0)

        self.act = nn.ReLU()
        self.edge = nn.Conv2d(2, 2, 3, padding=1, bias=False)
        self.head = nn.Linear(2, 3)
        with torch.no_grad():
            self.light.weight.copy_(torch.tensor([[1.0, 1, 1], [1, 0, -1]]).view(2, 3, 1, 1))
            there(self.norm.running_mean).copy_(torch.tensor([1.0, 0.0]))
            there(self.norm.running_var).fill_(4.0)
            self.edge.weight.zero_()
            self.edge.weight[0, 0, 1, :] = torch.tensor([-1.0, 0, 1])
            self.edge.weight[1, 1, 1, 1] = 1
            self.head.weight.copy_(torch.tensor([[1.0, 0], [0, 1], [0, -1]]))
            self.head.bias.copy_(torch.tensor([0.0, 0.5, 0.0]))
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        y = self.edge(self.act(self.norm(self.light(x))))
        scores: Tensor = self.head(y.mean((2, 3)))
        return scores


def wrapped(module: nn.Module, size: int | tuple[int, int] = SIDE, channels: int = 3, name: str | None = None, **choices: Any) -> Network:
    """A network that takes pictures as they are: mean 0, deviation 1."""
    return wrap_module(module, Preprocessing.of([0.0] * channels, [1.0] * channels, size=size, **choices), name)


def settled(module: Made, seed: int = 0) -> Made:
    """With norms that have learnt something, in evaluation mode."""
    print(f"seed {seed}")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, (nn.modules.batchnorm._BatchNorm)):
                for tensor, low, high in (
                    (part.running_mean, -1, 1),
                    (part.running_var, 0.5, 2),
                    (part.weight, 0.5, 2),
                    (part.bias, -1, 1),
                ):
                    if tensor is not None:
                        tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    return module.eval()


def close(got: Tensor, wanted: Tensor, tolerance: float = 1e-4) -> bool:
    return got.shape == wanted.shape and bool((got - wanted).abs().max() <= tolerance * wanted.abs().max().clamp_min(1e-6))


def picture(height: int = SIDE, width: int = SIDE, channels: int = 3, seed: int = 1) -> Tensor:
    print(f"seed {seed}")
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed))


def pull(activation: Tensor, x: Tensor) -> Tensor:
    """The gradient of a fixed random weighting of an activation with respect to the picture."""
    weights = torch.randn(activation.shape, generator=torch.Generator().manual_seed(2))
    return torch.autograd.grad((activation * weights).sum(), x)[0]


def prepared(network: Network, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_(True)
    seen = network.prepare([name])(x)
    assert list(seen) == [name]
    return seen[name].detach(), pull(seen[name], x)


def looked_into(network: Network) -> list[str]:
    names = dict(network.module.named_modules())
    return [name for name in network.anatomy.shapes if "#" not in name and name in names and "parametriz" not in name]


class Flow(nn.Module):
    """Parts by name, and a function that says how a picture goes through them."""

    def __init__(self, way: Callable[[Any, Tensor], Any], **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.way = way

    def forward(self, x: Tensor) -> Any:
        return self.way(self, x)

    if TYPE_CHECKING:  # a part is of any kind, as is what lies in it

        def __getattr__(self, name: str) -> Any: ...


class Shifted(nn.BatchNorm2d):
    """A norm that does more than its class says."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 1


class NormAct(nn.BatchNorm2d):
    """A norm with its activation inside, as timm has them."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.drop, self.act = nn.Identity(), nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.act(self.drop(super().forward(x)))
        return y


class Standardised(nn.Conv2d):
    """A convolution whose weights are standardised at each call."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return F.conv2d(x, weight / weight.std((1, 2, 3), keepdim=True), self.bias)


class Padded(nn.Module):
    """A convolution in a wrapper, which hands on the very tensor the convolution gave."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(F.pad(x, (1, 1, 1, 1)))
        return y


class Log(list[str]):
    """A list that all copies of a network share."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Log:
        return self


class Noted(nn.Module):
    """Hands on what it gets, and writes its name down."""

    def __init__(self, log: Log, name: str) -> None:
        super().__init__()
        self.log, self.name = log, name

    def forward(self, x: Tensor) -> Tensor:
        self.log.append(self.name)
        return x


def _conv(**choices: Any) -> nn.Conv2d:
    return nn.Conv2d(3, 4, 3, **choices)


def _mean(x: Tensor) -> Tensor:
    return x.mean((2, 3))


def _hooked() -> nn.Module:
    conv = _conv()
    conv.register_forward_hook(lambda module, inputs, output: output * 2)
    return conv


def _tied() -> nn.Module:
    first, second = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)
    second.weight = first.weight
    return Flow(lambda m, x: _mean(m.norm(m.first(x)) + m.second(x)), first=first, norm=nn.BatchNorm2d(3), second=second)


def _used(module: nn.Module) -> nn.Module:
    """After a training pass, whose graph some of its tensors still hold on to."""
    module.train()(torch.rand(2, 3, SIDE, SIDE))
    return module


# name → (how it is made, norms that go into convolutions, norms that must not)
ODD: dict[str, tuple[Callable[[], nn.Module], int, int]] = {
    "plain": (lambda: nn.Sequential(_conv(bias=False), nn.BatchNorm2d(4), nn.ReLU()), 1, 0),
    "bias": (lambda: nn.Sequential(_conv(), nn.BatchNorm2d(4), nn.ReLU6()), 1, 0),
    "no affine": (lambda: nn.Sequential(_conv(), nn.BatchNorm2d(4, affine=False)), 1, 0),
    "grouped": (lambda: nn.Sequential(nn.Conv2d(3, 6, 3, groups=3), nn.BatchNorm2d(6)), 1, 0),
    "reflecting": (lambda: nn.Sequential(_conv(padding=1, padding_mode="reflect"), nn.BatchNorm2d(4)), 1, 0),
    "transposed": (lambda: nn.Sequential(nn.ConvTranspose2d(3, 5, 3, stride=2), nn.BatchNorm2d(5), nn.ReLU()), 1, 0),
    "transposed grouped": (lambda: nn.Sequential(nn.ConvTranspose2d(3, 6, 3, groups=3), nn.BatchNorm2d(6)), 0, 1),
    "one dimension": (
        lambda: Flow(lambda m, x: m.norm(m.conv(x.flatten(2))).mean(2), conv=nn.Conv1d(3, 4, 5), norm=nn.BatchNorm1d(4)),
        1,
        0,
    ),
    "read twice": (lambda: Flow(lambda m, x: (lambda y: m.norm(y) + y)(m.conv(x)), conv=_conv(), norm=nn.BatchNorm2d(4)), 0, 1),
    "norm used twice": (
        lambda: Flow(lambda m, x: m.norm(m.first(x)) + m.norm(m.second(x)), first=_conv(), second=_conv(), norm=nn.BatchNorm2d(4)),
        0,
        1,
    ),
    "convolution used twice": (
        lambda: Flow(lambda m, x: m.norm(m.conv(m.conv(x))), conv=nn.Conv2d(3, 3, 3), norm=nn.BatchNorm2d(3)),
        0,
        1,
    ),
    "in place": (lambda: nn.Sequential(_conv(), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 2, 3)), 1, 0),
    "in place before the norm": (lambda: nn.Sequential(_conv(), nn.ReLU(inplace=True), nn.BatchNorm2d(4)), 0, 1),
    "functional in place before the norm": (
        lambda: Flow(lambda m, x: m.norm(F.relu_(m.conv(x))), conv=_conv(), norm=nn.BatchNorm2d(4)),
        0,
        1,
    ),
    "convolution and ReLU": (lambda: nn.Sequential(_conv(), nn.ReLU(inplace=True)), 0, 0),
    "functional ReLU": (lambda: Flow(lambda m, x: F.relu(m.norm(m.conv(x))), conv=_conv(), norm=nn.BatchNorm2d(4)), 1, 0),
    "activation used twice": (
        lambda: Flow(
            lambda m, x: m.act(m.late(m.act(m.norm(m.conv(x))))),
            conv=_conv(),
            norm=nn.BatchNorm2d(4),
            act=nn.ReLU(),
            late=nn.Conv2d(4, 2, 1),
        ),
        1,
        0,
    ),
    "no running statistics": (lambda: nn.Sequential(_conv(), nn.BatchNorm2d(4, track_running_stats=False), nn.ReLU()), 0, 1),
    "no norm": (lambda: nn.Sequential(_conv(), nn.Tanh()), 0, 0),
    "no parameters": (lambda: nn.Sequential(nn.AvgPool2d(2), nn.Flatten()), 0, 0),
    "dictionary": (
        lambda: Flow(lambda m, x: {"aux": x, "logits": _mean(m.norm(m.conv(x)))}, conv=_conv(), norm=nn.BatchNorm2d(4)),
        1,
        0,
    ),
    "tuple": (lambda: Flow(lambda m, x: (m.norm(m.conv(x)), _mean(x)), conv=_conv(), norm=nn.BatchNorm2d(4)), 1, 0),
    "weight norm": (lambda: _used(nn.Sequential(nn.utils.parametrizations.weight_norm(_conv()), nn.BatchNorm2d(4))), 1, 0),
    "orthogonal": (lambda: _used(nn.Sequential(nn.utils.parametrizations.orthogonal(_conv()), nn.BatchNorm2d(4))), 1, 0),
    "old spectral norm": (lambda: _used(nn.Sequential(nn.utils.spectral_norm(_conv()), nn.BatchNorm2d(4))), 0, 1),
    "tied weights": (_tied, 1, 0),
    "own hook": (lambda: nn.Sequential(_hooked(), nn.BatchNorm2d(4)), 0, 1),
    "overridden norm": (lambda: nn.Sequential(_conv(), Shifted(4)), 0, 1),
    "overridden convolution": (lambda: nn.Sequential(Standardised(3, 4, 3), nn.BatchNorm2d(4)), 0, 1),
    "one of two overridden": (lambda: nn.Sequential(_conv(), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), Shifted(4), nn.ReLU()), 1, 1),
    "activation inside the norm": (lambda: nn.Sequential(_conv(bias=False), NormAct(4), nn.Conv2d(4, 2, 3), NormAct(2)), 2, 0),
    "in a wrapper": (lambda: nn.Sequential(Padded(), nn.BatchNorm2d(4), nn.ReLU()), 1, 0),
}


def of_channels(channels: int) -> Network:
    """A network of untrained weights that takes pictures of so many channels: layers `0` and `2`, three classes."""
    torch.manual_seed(channels)
    convolutions = nn.Conv2d(channels, 6, 3, padding=1), nn.Conv2d(6, 4, 3, stride=2, padding=1)
    module = nn.Sequential(convolutions[0], nn.ReLU(), convolutions[1], nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    return wrapped(module, channels=channels, labels=["first", "second", "third"])
