"""Small networks as people train them, each trained here within seconds: on digits, drawn shapes, and pieces of photographs.

The digits are scikit-learn's (Alpaydin & Kaynak 1998); the shapes are drawn by our own code; the photographs are scikit-image's and
scikit-learn's. Each has its own pictures, normalisation and kind of layers, none has seen ImageNet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import reverie
from reverie.networks import Network


@dataclass(frozen=True)
class Own:
    """A network somebody trained.

    Attributes:
        network: wrapped, with what its training knew. layer: one in its middle.
        train: pictures (N, C, H, W) in 0..1. classes: how many. accuracy: on a fifth of the pictures, held back.
    """

    network: Network
    layer: str
    train: Tensor
    classes: int
    accuracy: float


class Convolutions(nn.Module):
    """Stages of one convolution and a pooling, then the mean over places or every place by itself."""

    def __init__(
        self, channels: int, widths: Sequence[int], side: int, act: Callable[[], nn.Module], norm: bool = False, flat: bool = False,
        classes: int = 10,
    ) -> None:  # fmt: skip
        super().__init__()
        stages: list[nn.Module] = []
        for before, after in zip((channels, *widths), widths, strict=False):
            stages += [nn.Sequential(
                nn.Conv2d(before, after, 3, padding=1, bias=not norm), *([nn.BatchNorm2d(after)] if norm else []), act(), nn.MaxPool2d(2)
            )]  # fmt: skip
        self.stages = nn.Sequential(*stages)
        left = side >> len(widths)
        self.pool: nn.Module = nn.Flatten() if flat else nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(widths[-1] * (left * left if flat else 1), classes)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.pool(self.stages(x)))
        return scores


class Residual(nn.Module):
    """Two convolutions beside a way around them."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm_one, self.norm_two = nn.BatchNorm2d(after), nn.BatchNorm2d(after)
        plain = before == after and stride == 1
        self.around = nn.Identity() if plain else nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        inside = self.norm_two(self.two(self.act(self.norm_one(self.one(x)))))
        summed: Tensor = self.act(inside + self.around(x))
        return summed


class Residuals(nn.Module):
    """A convolution of a stride and three blocks, of these widths and strides, then the mean over places."""

    def __init__(self, channels: int = 3, widths: Sequence[int] = (16, 24, 32, 48), strides: Sequence[int] = (2, 2, 2, 2)) -> None:
        super().__init__()
        first = nn.Conv2d(channels, widths[0], 3, strides[0], 1, bias=False)
        self.stem = nn.Sequential(first, nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True))
        self.blocks = nn.Sequential(*(Residual(*each) for each in zip(widths, widths[1:], strides[1:], strict=False)))
        self.head = nn.Linear(widths[-1], 10)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.blocks(self.stem(x)).mean((2, 3)))
        return scores


class Patches(nn.Module):
    """A transformer over patches of 4 pixels (Dosovitskiy et al. 2021), as small as it goes."""

    def __init__(self, side: int = 32, width: int = 64) -> None:
        super().__init__()
        self.patch = nn.Conv2d(1, width, 4, 4)
        self.place = nn.Parameter(torch.randn(1, (side // 4) ** 2, width) * 0.02)
        self.blocks = nn.Sequential(*[
            nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True) for _ in range(3)
        ])  # fmt: skip
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patch(x).flatten(2).transpose(1, 2) + self.place  # (N, places, width)
        scores: Tensor = self.head(self.norm(self.blocks(tokens)).mean(1))
        return scores


def digits(side: int) -> tuple[Tensor, Tensor]:
    """(N, 1, side, side) in 0..1, white on black, and their classes."""
    from sklearn.datasets import load_digits

    found = load_digits()
    pictures = torch.from_numpy(found.images / 16).float()[:, None]
    return F.interpolate(pictures, (side, side), mode="bilinear", antialias=True).clamp(0, 1), torch.from_numpy(found.target).long()


def shapes(side: int, count: int, channels: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    """(N, C, side, side): one of ten shapes, of any colour, place and size, on a ground of another colour, under grain; and its class."""
    drawing = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    pictures, classes = np.empty((count, channels, side, side), np.float32), np.arange(count) % 10
    for number, kind in enumerate(classes):
        at_y, at_x, turn = *drawing.uniform(-0.15, 0.15, 2), drawing.uniform(-0.35, 0.35)
        size = drawing.uniform(0.2, 0.33)
        v = ((y - at_y) * math.cos(turn) - (x - at_x) * math.sin(turn)) / size
        u = ((y - at_y) * math.sin(turn) + (x - at_x) * math.cos(turn)) / size
        r, inside = np.hypot(u, v), np.maximum(abs(u), abs(v)) < 1
        drawn = [
            r < 1, inside, (v > -0.8) & (abs(u) < (0.8 - v) / 1.6), inside & ((abs(u) < 0.33) | (abs(v) < 0.33)), (r < 1) & (r > 0.6),
            inside & (np.sin(u * 9) > 0), inside & (np.sin(v * 9) > 0), inside & (np.sin(u * 7) * np.sin(v * 7) > 0),
            (abs(u) < 1) & (abs(v) < 0.35), abs(u) + abs(v) < 1.2 * (0.45 + 0.55 * np.cos(2 * np.arctan2(v, u)) ** 2),
        ][kind]  # fmt: skip
        ground, colour = drawing.uniform(0, 1, (2, channels))
        while abs(ground - colour).mean() < 0.35:
            ground, colour = drawing.uniform(0, 1, (2, channels))
        pictures[number] = np.where(drawn, colour[:, None, None], ground[:, None, None])
    pictures += drawing.normal(0, 0.04, pictures.shape).astype(np.float32)
    return torch.from_numpy(pictures).clamp(0, 1), torch.from_numpy(classes).long()


def pieces(side: int, count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """(N, 3, side, side): pieces of six photographs, and of which each is."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    photographs = [
        load_sample_image("china.jpg"),
        load_sample_image("flower.jpg"),
        data.astronaut(),
        data.chelsea(),
        data.coffee(),
        data.rocket(),
    ]
    drawing = np.random.default_rng(seed)
    pictures, classes = [], np.arange(count) % len(photographs)
    for kind in classes:
        whole = photographs[kind]
        cut = int(drawing.integers(96, 192))
        top, left = (int(drawing.integers(0, length - cut)) for length in whole.shape[:2])
        piece = torch.from_numpy(whole[top : top + cut, left : left + cut].copy()).permute(2, 0, 1)[None].float() / 255
        pictures.append(F.interpolate(piece, (side, side), mode="bilinear", antialias=True)[0])
    return torch.stack(pictures).clamp(0, 1), torch.from_numpy(classes).long()


def trained(
    module: Callable[[], nn.Module], pictures: tuple[Tensor, Tensor], layer: str, epochs: int, labels: Sequence[str] = (),
    said: tuple[Sequence[float], Sequence[float]] | None = None, rate: float = 3e-3,
) -> Own:  # fmt: skip
    """Train a module on four fifths of the pictures; `said` is the mean and deviation, without it those of the pictures."""
    torch.manual_seed(0)
    made, (seen, classes) = module(), pictures
    order = torch.randperm(len(seen))
    train, held = order[: len(seen) * 4 // 5], order[len(seen) * 4 // 5 :]
    mean, std = said or (seen[train].mean((0, 2, 3)).tolist(), seen[train].std((0, 2, 3)).tolist())
    normal = (seen - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)
    steps = epochs * (len(train) // 64)
    adam = torch.optim.AdamW(made.parameters(), rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, rate, total_steps=steps)
    made.train()
    for _ in range(epochs):
        for batch in train[torch.randperm(len(train))][: len(train) // 64 * 64].view(-1, 64):
            adam.zero_grad()
            torch.autograd.backward(F.cross_entropy(made(normal[batch]), classes[batch]))
            adam.step()
            schedule.step()
    made.eval()
    with torch.no_grad():
        accuracy = float((made(normal[held]).argmax(1) == classes[held]).float().mean())
    count = made.head.out_features if isinstance(made.head, nn.Linear) else 0
    network = reverie.wrap(made, mean=mean, std=std, size=seen.shape[-1], labels=labels or [str(each) for each in range(count)])
    return Own(network, layer, seen[train], count, accuracy)


PHOTOGRAPHS = ("temple", "flower", "astronaut", "cat", "coffee", "rocket")
SHAPES = ("disc", "square", "triangle", "cross", "ring", "bars", "rungs", "checker", "bar", "star")


def _convolutions(channels: int, widths: Sequence[int], side: int, act: type[nn.Module], **choices: Any) -> Callable[[], nn.Module]:
    return lambda: Convolutions(channels, widths, side, act, **choices)


_HALF, _MNIST, _IMAGENET = ((0.5,), (0.5,)), ((0.1307,), (0.3081,)), ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_SMALL, _LARGE = (16, 32, 64), (16, 32, 48, 64)
NETWORKS: dict[str, Callable[[], Own]] = {
    "digits, grey 32, ReLU": lambda: trained(
        _convolutions(1, _SMALL, 32, nn.ReLU), digits(32), "stages.1.0", 12,
    ),
    "digits, grey 28, GELU, flat": lambda: trained(
        _convolutions(1, _SMALL[:2], 28, nn.GELU, flat=True), digits(28), "stages.1.0", 10, said=_MNIST,
    ),
    "digits, grey 32, batch norm": lambda: trained(
        _convolutions(1, _SMALL, 32, nn.ReLU, norm=True), digits(32), "stages.1.0", 10, said=_HALF,
    ),
    "digits, grey 28, residual": lambda: trained(
        lambda: Residuals(1, (8, 8, 16, 24), (1, 1, 2, 2)), digits(28), "blocks.2", 10,
    ),
    "shapes, colour 48, batch norm": lambda: trained(
        _convolutions(3, _LARGE, 48, nn.ReLU, norm=True), shapes(48, 2000), "stages.2.0", 8, SHAPES,
    ),
    "shapes, colour 64, residual": lambda: trained(Residuals, shapes(64, 2000), "blocks.1.two", 10, SHAPES),
    "shapes, grey 96, SiLU": lambda: trained(
        _convolutions(1, (12, 24, 32, 48, 64), 96, nn.SiLU, norm=True), shapes(96, 1200, 1), "stages.2.0", 8, SHAPES, said=_HALF,
    ),
    "digits, grey 32, transformer": lambda: trained(Patches, digits(32), "blocks.1", 20, rate=2e-3),
    "photographs, colour 64, batch norm": lambda: trained(
        _convolutions(3, _LARGE, 64, nn.ReLU, norm=True, classes=6), pieces(64, 1200), "stages.2.0", 8, PHOTOGRAPHS, said=_IMAGENET,
    ),
}  # fmt: skip
