"""What the tests of the pages show: layers whose every part is known by heart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from reverie.pages import Counted, Noticed, Opinion, Rung, Sight


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def rung(number: int, size: int = 48) -> Rung:
    """A layer with all its parts; its pictures differ from those of every other."""
    stride = min(32, 2 ** (1 + number // 3))
    height, width = 64 // stride, 96 // stride
    heat = torch.zeros(height, width)
    heat[0, 0] = 5.0  # top left, and nowhere else
    places = torch.zeros(height, width)
    places[0, 0], places[-1, -1] = 2.5, -1.0
    return Rung(
        name=f"blocks.{number}",
        level="edges" if number == 2 else None, kind="block", channels=16, height=height, width=width, stride=stride,
        receptive_field=None if number > 9 else 5 + 10 * number, rebuilt=noise(3, size, size * 3 // 2, seed=number), relative_error=0.03,
        similarity=0.94, opinions=(Opinion("judge-one", "Egyptian cat", 0.71, True), Opinion("judge-two", "tabby", 0.40, False)),
        noticed=tuple(Noticed(channel, 4.2, heat, noise(3, 24, 24, seed=100 * number + channel)) for channel in (7, 9)),
        enhanced=noise(3, size, size * 3 // 2, seed=1000 + number),
        counted=Counted(places, ((3, 1.2),), ((4, -0.7),), 1.5),
    )  # fmt: skip


def sight(count: int = 4, **changes: Any) -> Sight:
    made = Sight(
        name="chelsea.png", picture=noise(3, 80, 120), seen=(64, 96), network="efficientnet-lite0",
        labels=(("Egyptian cat", 0.77), ("tabby", 0.0004)), why="Egyptian cat", against="tabby", usual="24 photographs of things",
        notes=("A note.",), rungs=tuple(rung(number) for number in range(1, count + 1)), expected=count, made="Reverie 0.1.0",
    )  # fmt: skip
    return replace(made, **changes)


def bare(one: Rung) -> Rung:
    return replace(one, rebuilt=None, relative_error=None, similarity=None, opinions=(), noticed=(), enhanced=None, counted=None)
