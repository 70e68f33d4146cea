"""What `layers` says a value sees of the picture, against what its gradient touches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.tiny import Flow, wrapped
from torch import Tensor, nn

from reverie.networks import Network
from reverie.networks.builtin.efficientnet_lite import EfficientNetLite
from reverie.networks.inspection.hooks import run_until, watch

SIDE = 64


def positive(module: nn.Module) -> nn.Module:
    """Every weight above 0, no norm or activation in the way: nothing cancels, so a gradient is above 0 wherever there is a path."""
    for name, part in list(module.named_modules()):
        if isinstance(part, (nn.BatchNorm2d, nn.ReLU6, nn.ReLU)):
            module.set_submodule(name, nn.Identity())
        elif isinstance(part, (nn.Conv2d, nn.ConvTranspose2d)):
            with torch.no_grad():
                part.weight.uniform_(0.5, 1.5).div_(part.weight[0].numel())
    return module.eval().requires_grad_(False)


def reached(activation: Tensor, x: Tensor, axis: int) -> int:
    """How far along one axis of the picture the value in the middle of an activation sees."""
    (slope,) = torch.autograd.grad(activation[0, :, activation.shape[2] // 2, activation.shape[3] // 2].sum(), x, retain_graph=True)
    touched = (slope[0].abs().amax((0, 2 - axis)) > 0).nonzero().flatten()
    assert touched[0] > 0 and touched[-1] < x.shape[2 + axis] - 1, "the picture is too small for the probe"
    return int(touched[-1] - touched[0]) + 1


def probe(activation: Tensor, x: Tensor, places: int = 1) -> tuple[int, int]:
    """The largest extent (vertical, horizontal) of the picture that one value near the centre depends on."""
    largest = (0, 0)
    for place in range(places):
        y, z = ((side - places) // 2 + place for side in activation.shape[2:])
        (slope,) = torch.autograd.grad(activation[0, :, y, z].sum(), x, retain_graph=True)
        touched = slope[0].abs().amax(0) > 0
        rows, columns = touched.any(1).nonzero().flatten(), touched.any(0).nonzero().flatten()
        assert rows[0] > 0 and rows[-1] < x.shape[2] - 1, "the picture is too small for the probe"
        extent = (int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1)
        largest = (max(largest[0], extent[0]), max(largest[1], extent[1]))
    return largest


@pytest.mark.parametrize("axis", [0, 1])
def test_receptive_fields_of_lite0_are_what_the_gradient_touches(lite0: Network, axis: int) -> None:
    torch.manual_seed(4)
    said = {layer.name: layer.receptive_field for layer in lite0.layers}
    names = [name for name in said if name.count(".") >= 2 and name < "blocks.4.3"]
    assert "blocks.4.2" in names and said["blocks.4.2"] == 339 and len(names) > 40
    thin = positive(EfficientNetLite(0.1))  # fewer channels, the same paths
    sides = [32, 32]
    sides[axis] = 384  # long in one direction alone
    x = torch.rand(1, 3, *sides, requires_grad=True)
    seen, _ = run_until(thin, x, ["conv_stem", *names], {})
    for name in seen:
        assert reached(seen[name], x, axis) == said[name], name


def test_strides_of_lite0(lite0: Network) -> None:
    for layer in lite0.layers:
        assert layer.stride == lite0.stride(layer.name) == 224 // layer.height == 224 // layer.width, layer.name


def _conv(**choices: Any) -> nn.Conv2d:
    return nn.Conv2d(3, 3, 3, **choices)


def _up(factor: int, mode: str) -> nn.Module:
    return nn.Upsample(scale_factor=factor, mode=mode)


TINY: dict[str, tuple[Callable[[], nn.Module], int, int]] = {  # name → (network, receptive field, stride) of its last layer
    "one": (lambda: nn.Sequential(_conv()), 3, 1),
    "two": (lambda: nn.Sequential(_conv(), _conv()), 5, 1),
    "stride": (lambda: nn.Sequential(_conv(stride=2), _conv(stride=2), _conv()), 15, 4),
    "dilation": (lambda: nn.Sequential(_conv(dilation=3), _conv(dilation=2, stride=2), _conv()), 15, 2),
    "pooling": (lambda: nn.Sequential(_conv(), nn.AvgPool2d(2), _conv(), nn.AvgPool2d(3, 2), _conv()), 20, 4),
    "transposed": (lambda: nn.Sequential(nn.ConvTranspose2d(3, 3, 3), _conv()), 5, 1),
    "transposed, by its stride": (lambda: nn.Sequential(_conv(stride=2), nn.ConvTranspose2d(3, 3, 2, 2), _conv()), 5, 1),
    "transposed, overlapping": (lambda: nn.Sequential(_conv(stride=2), nn.ConvTranspose2d(3, 3, 4, 2, 1), _conv()), 7, 1),
    "transposed, with holes": (lambda: nn.Sequential(_conv(stride=4), nn.ConvTranspose2d(3, 3, 3, 2, dilation=2), _conv()), 15, 2),
    "residual": (lambda: Flow(lambda m, x: m.last(m.a(m.b(x)) + x), a=_conv(padding=1), b=_conv(padding=1), last=_conv()), 7, 1),
    "branches": (
        lambda: Flow(
            lambda m, x: m.last(torch.cat([m.a(x), m.b(x)], 1)), a=_conv(padding=2, dilation=2), b=_conv(padding=1), last=nn.Conv2d(6, 3, 1)
        ),
        5,
        1,
    ),
    "nearest": (lambda: nn.Sequential(_conv(stride=4, padding=1), _up(4, "nearest"), _conv()), 7, 1),
    "nearest, even kernel": (lambda: nn.Sequential(_conv(stride=2, padding=1), _up(2, "nearest"), nn.Conv2d(3, 3, 4)), 7, 1),
    "bilinear": (lambda: nn.Sequential(_conv(stride=2, padding=1), _up(2, "bilinear"), nn.Conv2d(3, 3, 1)), 5, 1),
    "space to depth": (lambda: nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 3, 3)), 6, 2),
    "depth to space": (lambda: nn.Sequential(nn.Conv2d(3, 12, 2, 2), nn.PixelShuffle(2), _conv()), 4, 1),
    "every other": (lambda: Flow(lambda m, x: m.conv(x[:, :, ::2, ::2]), conv=_conv()), 5, 2),
    "padded before": (lambda: nn.Sequential(nn.ReflectionPad2d(1), _conv(), nn.ZeroPad2d(2), _conv()), 5, 1),
    "colours turned round": (lambda: Flow(lambda m, x: m.conv(x.flip(1)[:, [0, 2, 1]]), conv=_conv()), 3, 1),
}


@pytest.mark.parametrize("kind", TINY)
def test_receptive_fields_of_tiny_networks(kind: str) -> None:
    make, reach, stride = TINY[kind]
    torch.manual_seed(5)
    module = positive(make())
    network = wrapped(module, SIDE)
    last = network.layers[-1]
    assert (last.receptive_field, last.stride) == (reach, stride)
    x = torch.rand(1, 3, SIDE, SIDE, requires_grad=True)
    with watch(module, last.name) as seen:
        module(x)
    assert probe(seen[last.name], x, places=4) == (reach, reach)


def test_pooling_the_largest_sees_what_pooling_the_mean_sees() -> None:
    fields = [
        [(layer.receptive_field, layer.stride) for layer in wrapped(nn.Sequential(_conv(), pool, _conv())).layers]
        for pool in (nn.MaxPool2d(3, 2), nn.AvgPool2d(3, 2))
    ]
    assert fields[0] == fields[1] == [(3, 1), (9, 2)]


def test_a_kernel_that_is_not_square_counts_by_its_longer_side() -> None:
    assert wrapped(nn.Sequential(nn.Conv2d(3, 3, (1, 7)))).layers[0].receptive_field == 7


@pytest.mark.parametrize(
    "mixer",
    [
        lambda x: x * x.mean((2, 3), keepdim=True),
        lambda x: x + F.adaptive_avg_pool2d(x, 1),
        lambda x: x * x.amax((2, 3), keepdim=True),
        lambda x: F.instance_norm(x),
        lambda x: F.group_norm(x, 1),
        lambda x: F.batch_norm(x, None, None, training=True),
        lambda x: F.layer_norm(x, x.shape[1:]),
        lambda x: torch.fft.rfft2(x).abs() + x[..., : x.shape[-1] // 2 + 1],
        lambda x: x.roll(3, 2),
        lambda x: x.flip(3),
        lambda x: x.cumsum(2),
        lambda x: F.scaled_dot_product_attention(*[x.flatten(2).mT] * 3).mT.view_as(x),
        lambda x: torch.einsum("ncp,ncq->npq", x.flatten(2), x.flatten(2)).mean(1).view(1, 1, *x.shape[2:]) + x,
    ],
)
def test_after_all_places_are_mixed_the_whole_picture_is_seen(mixer: Callable[[Tensor], Tensor]) -> None:
    module = Flow(lambda m, x: m.after(mixer(m.before(x))), before=_conv(), after=_conv())
    layers = wrapped(module).layers
    assert [layer.receptive_field for layer in layers] == [3, None]


@pytest.mark.parametrize(
    "mixer", [lambda x: x.mean(1, keepdim=True).expand_as(x), lambda x: x.softmax(1), lambda x: x.cumsum(1), torch.tanh]
)
def test_mixing_channels_alone_sees_no_more(mixer: Callable[[Tensor], Tensor]) -> None:
    module = Flow(lambda m, x: m.after(mixer(m.before(x))), before=_conv(), after=_conv())
    assert [layer.receptive_field for layer in wrapped(module).layers] == [3, 5]


def test_after_global_pooling_the_whole_picture_is_seen() -> None:
    module = nn.Sequential(_conv(), nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, 4, 1))
    assert [layer.receptive_field for layer in wrapped(module).layers] == [3, None]
