"""Convolutions with frozen weights, and their gradients by what goes in, are those of PyTorch."""

from __future__ import annotations

import itertools
import random

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.tiny import close
from torch import nn

from reverie.networks.builtin.efficientnet_lite import SameConv2d
from reverie.networks.prepared.convolution import Convolution
from reverie.networks.prepared.convolution_kernels import Arrangement, Convolved, Kernel, runs_here
from reverie.networks.prepared.data_gradients import data_gradient

pytestmark = pytest.mark.skipif(not runs_here(torch.zeros(1)), reason="this build of torch has no oneDNN")

KINDS = {  # channels in, out, kernel, stride, padding, dilation, groups
    "1×1": (5, 7, (1, 1), (1, 1), (0, 0), (1, 1), 1),
    "3×3": (6, 4, (3, 3), (1, 1), (1, 1), (1, 1), 1),
    "not padded": (6, 4, (3, 5), (1, 1), (0, 0), (1, 1), 1),
    "padded by more than the kernel": (6, 4, (3, 1), (1, 1), (4, 1), (1, 1), 1),
    "dilated": (6, 4, (3, 3), (1, 1), (2, 1), (2, 3), 1),
    "depthwise": (6, 6, (5, 5), (1, 1), (2, 2), (1, 1), 6),
    "in groups": (6, 4, (3, 3), (1, 1), (1, 1), (1, 1), 2),
    "depthwise, strided": (6, 6, (3, 3), (2, 2), (1, 1), (1, 1), 6),
    "a stem": (3, 8, (3, 3), (2, 2), (1, 1), (1, 1), 1),
    "an even kernel": (3, 8, (4, 4), (2, 2), (1, 1), (1, 1), 1),
    "7×7": (3, 8, (7, 7), (2, 2), (3, 3), (1, 1), 1),
    "11×11 by 4": (3, 8, (11, 11), (4, 4), (2, 2), (1, 1), 1),
    "patches": (3, 8, (4, 4), (4, 4), (0, 0), (1, 1), 1),
    "a kernel smaller than its stride": (3, 8, (2, 1), (3, 2), (0, 0), (1, 1), 1),
    "two strides": (1, 8, (3, 5), (2, 3), (1, 0), (1, 1), 1),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(24, 31), (13, 12)])
@pytest.mark.parametrize("count", [1, 3])
def test_result_and_gradient_are_those_of_pytorch(kind: str, size: tuple[int, int], count: int) -> None:
    channels, outputs, kernel, stride, padding, dilation, groups = KINDS[kind]
    torch.manual_seed(1)
    weight, bias = torch.randn(outputs, channels // groups, *kernel), torch.randn(outputs)
    x = torch.randn(count, channels, *size).contiguous(memory_format=torch.channels_last).requires_grad_(True)
    wanted = F.conv2d(x, weight, bias, stride, padding, dilation, groups)
    pull = torch.randn_like(wanted)
    (slope,) = torch.autograd.grad(wanted, x, pull, retain_graph=True)
    given = Convolved(weight, Arrangement(stride, padding, dilation, groups), x.shape)
    assert given.result == wanted.shape
    with torch.no_grad():
        assert close(Kernel(given, bias)(x), wanted, 1e-5)
        assert close(data_gradient(given)(pull), slope, 1e-5)
        for ceiling in (0.5, float("inf")):
            assert close(Kernel(given, bias, ceiling)(x), wanted.clamp(0, ceiling), 1e-5)


def test_little_and_much_of_a_1x1_convolution_are_the_same() -> None:
    """The one is a product of matrices, the other is oneDNN's."""
    torch.manual_seed(2)
    weight, bias = torch.randn(128, 64, 1, 1), torch.randn(128)
    for side in (3, 10, 12, 40):
        x = torch.randn(2, 64, side, side).contiguous(memory_format=torch.channels_last)
        assert close(Kernel(Convolved(weight, Arrangement(), x.shape), bias, 6.0)(x), F.conv2d(x, weight, bias).clamp(0, 6), 1e-5)


def test_any_arrangement_drawn_at_random() -> None:
    seed = random.randrange(1 << 30)
    print("seed", seed)
    draw = random.Random(seed)
    torch.manual_seed(seed)
    for _ in range(60):
        groups = draw.choice([1, 1, 1, 2])
        channels, outputs = groups * draw.randint(1, 4), groups * draw.randint(1, 5)
        kernel, stride, dilation = ([draw.randint(1, most), draw.randint(1, most)] for most in (5, 4, 2))
        padding = [draw.randint(0, 3), draw.randint(0, 3)]
        size = [(side - 1) * step + draw.randint(1, 14) for side, step in zip(kernel, dilation, strict=True)]
        x = torch.randn(1, channels, *size).contiguous(memory_format=torch.channels_last).requires_grad_(True)
        weight = torch.randn(outputs, channels // groups, *kernel)
        wanted = F.conv2d(x, weight, None, stride, padding, dilation, groups)
        pull = torch.randn_like(wanted)
        (slope,) = torch.autograd.grad(wanted, x, pull)
        given = Convolved(weight, Arrangement(stride, padding, dilation, groups), x.shape)
        with torch.no_grad():
            assert close(data_gradient(given)(pull), slope, 1e-5), (given.how, x.shape, weight.shape)


@pytest.mark.skipif(not runs_here(torch.zeros(1, dtype=torch.bfloat16)), reason="oneDNN has no bfloat16 on this processor")
@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_is_float32_but_for_its_rounding(kind: str) -> None:
    channels, outputs, kernel, stride, padding, dilation, groups = KINDS[kind]
    torch.manual_seed(4)
    weight = torch.randn(outputs, channels // groups, *kernel).bfloat16()
    x = torch.randn(2, channels, 21, 24).bfloat16().contiguous(memory_format=torch.channels_last)
    given = Convolved(weight, Arrangement(stride, padding, dilation, groups), x.shape)
    exact = Convolved(weight.float(), given.how, x.shape)
    with torch.no_grad():
        pull = torch.randn(given.result).bfloat16().contiguous(memory_format=torch.channels_last)
        assert close(Kernel(given, None)(x).float(), Kernel(exact, None)(x.float()), 1e-2)
        assert close(data_gradient(given)(pull).float(), data_gradient(exact)(pull.float()), 1e-2)


@pytest.mark.parametrize("ceiling", [None, 6.0, float("inf")])
@pytest.mark.parametrize("onward", [False, True])
def test_a_convolution_with_its_relu_is_the_two_apart(ceiling: float | None, onward: bool) -> None:
    torch.manual_seed(3)
    for conv, side in itertools.product(
        (nn.Conv2d(4, 6, 3, padding=1), SameConv2d(4, 6, 4, 2), nn.Conv2d(4, 6, 3, padding="same")), (15, 16)
    ):
        conv.requires_grad_(False)
        x = (4 * torch.randn(1, 4, side, side)).contiguous(memory_format=torch.channels_last).requires_grad_(True)
        wanted = conv(x) if ceiling is None else conv(x).clamp(0, ceiling)
        made = Convolution(conv, ceiling, onward)(x)
        assert close(made, wanted, 1e-5)
        pull = torch.randn_like(wanted)
        slope, expected = (torch.autograd.grad(each, x, pull.clone())[0] for each in (made, wanted))
        assert close(slope, expected, 1e-5)
