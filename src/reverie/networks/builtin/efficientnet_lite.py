"""EfficientNet-Lite 0 to 4 (Tan & Le 2019; the Lite variants by Renjie Liu, 2020): no squeeze-and-excitation, ReLU6, fixed stem and head.

Modules bear the names that timm gives them, so that `blocks.4.1` means the same everywhere. Padding is TensorFlow's SAME:
it depends on the size of the input, and puts the odd pixel right and below.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn


class Stage(NamedTuple):
    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


STAGES = (  # EfficientNet-B0's, before scaling
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, so that `size` gives ceil(size / stride) outputs."""
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """A convolution with SAME padding, worked out at each call."""

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        weight, padding = self.arranged(x)
        return F.conv2d(x, weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def arranged(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """The weight and the even padding that give SAME padding on this input."""
        top, bottom = same_padding(x.shape[-2], self.kernel_size[0], self.stride[0])
        left, right = same_padding(x.shape[-1], self.kernel_size[1], self.stride[1])
        weight = self.weight
        if bottom > top or right > left:  # zeros before the kernel do what uneven padding would, and spare a copy of the picture
            weight = F.pad(weight, (right - left, 0, bottom - top, 0))
        return weight, (bottom, right)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class SeparableBlock(nn.Module):
    """Depthwise convolution, then a projection: the first block, which has nothing to expand."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = SameConv2d(inputs, inputs, kernel, stride, groups=inputs, bias=False)
        self.bn1 = _norm(inputs)
        self.act1 = nn.ReLU6()
        self.conv_pw = SameConv2d(inputs, outputs, 1, bias=False)
        self.bn2 = _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.conv_dw(x)))
        return self.bn2(self.conv_pw(x))  # type: ignore[no-any-return]


class InvertedResidual(nn.Module):
    """Expand, depthwise convolution, project; with a short cut where the shapes allow it (Sandler et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        middle = inputs * expand
        self.shortcut = stride == 1 and inputs == outputs
        self.conv_pw = SameConv2d(inputs, middle, 1, bias=False)
        self.bn1 = _norm(middle)
        self.act1 = nn.ReLU6()
        self.conv_dw = SameConv2d(middle, middle, kernel, stride, groups=middle, bias=False)
        self.bn2 = _norm(middle)
        self.act2 = nn.ReLU6()
        self.conv_pwl = SameConv2d(middle, outputs, 1, bias=False)
        self.bn3 = _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = self.act1(self.bn1(self.conv_pw(x)))
        y = self.act2(self.bn2(self.conv_dw(y)))
        y = self.bn3(self.conv_pwl(y))
        return y + x if self.shortcut else y  # type: ignore[no-any-return]


class EfficientNetLite(nn.Module):
    """(N, 3, H, W), normalised → (N, classes) logits.

    Args:
        width: multiplier of the channels of every stage but stem and head.
        depth: multiplier of the repeats of every stage but the first and the last.
        classes: number of class scores.
    """

    def __init__(self, width: float = 1.0, depth: float = 1.0, classes: int = 1000) -> None:
        super().__init__()
        self.conv_stem = SameConv2d(3, 32, 3, 2, bias=False)
        self.bn1 = _norm(32)
        self.act1 = nn.ReLU6()
        inputs, stages = 32, []
        for number, stage in enumerate(STAGES):
            outputs = _round_channels(stage.channels * width)
            repeats = stage.repeats if number in (0, len(STAGES) - 1) else math.ceil(stage.repeats * depth)
            blocks: list[nn.Module] = []
            for repeat in range(repeats):
                stride = stage.stride if repeat == 0 else 1
                if stage.expand == 1:
                    blocks.append(SeparableBlock(inputs, outputs, stage.kernel, stride))
                else:
                    blocks.append(InvertedResidual(inputs, outputs, stage.kernel, stride, stage.expand))
                inputs = outputs
            stages.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = SameConv2d(inputs, 1280, 1, bias=False)
        self.bn2 = _norm(1280)
        self.act2 = nn.ReLU6()
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(1280, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.conv_stem(x)))  # (N, 32, H/2, W/2)
        x = self.blocks(x)  # (N, 320, H/32, W/32)
        x = self.act2(self.bn2(self.conv_head(x)))  # (N, 1280, H/32, W/32)
        return self.classifier(self.global_pool(x).flatten(1))  # type: ignore[no-any-return]


def _round_channels(channels: float, divisor: int = 8) -> int:
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded
