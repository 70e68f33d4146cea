"""What the tests of the page of `see` show: layers whose every part is known by heart."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from reverie.insight import Counted, Fidelity, Noticed, Opinion, Rung, Sight
from reverie.networks import Label, Layer
from reverie.pictures import Picture


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def noisy(*shape: int, seed: int = 0) -> Picture:
    return Picture(noise(*shape, seed=seed))


def rung(number: int, size: int = 48, **facts: Any) -> Rung:
    """A layer with all its parts; its pictures differ from those of every other. `facts` are of its `Layer`."""
    stride = min(32, 2 ** (1 + number // 3))
    height, width = 64 // stride, 96 // stride
    heat = torch.zeros(height, width)
    heat[0, 0] = 5.0  # top left, and nowhere else
    places = torch.zeros(height, width)
    places[0, 0], places[-1, -1] = 2.5, -1.0
    layer = Layer(
        f"blocks.{number}", "block", 16, height, width, stride, None if number > 9 else 5 + 10 * number, "edges" if number == 2 else None
    )
    return Rung(
        layer=layer._replace(**facts), activations=torch.zeros(16, height, width), rebuilt=noisy(3, size, size * 3 // 2, seed=number),
        fidelity=Fidelity(0.03, 0.94, (Opinion("judge-one", "Egyptian cat", 0.71, True), Opinion("judge-two", "tabby", 0.40, False)), 0.97),
        noticed=tuple(Noticed(channel, 4.2, heat, noisy(3, 24, 24, seed=100 * number + channel)) for channel in (7, 9)),
        enhanced=noisy(3, size, size * 3 // 2, seed=1000 + number), counted=Counted(places, ((3, 1.2),), ((4, -0.7),), 1.5),
    )  # fmt: skip


def sight(count: int = 4, **changes: Any) -> Sight:
    made = Sight(
        name="chelsea.png", picture=noisy(3, 80, 120), seen=(64, 96), network="efficientnet-lite0",
        labels=(Label(285, "Egyptian cat", 0.77), Label(281, "tabby", 0.0004)), why="Egyptian cat", against="tabby",
        usual="24 photographs of things", notes=("A note.",), layers=tuple(rung(number) for number in range(1, count + 1)), expected=count,
    )  # fmt: skip
    return replace(made, **changes)


def bare(one: Rung) -> Rung:
    """Rebuilt alone, and nothing is said of that."""
    return replace(one, fidelity=Fidelity(float("nan"), float("nan")), noticed=(), enhanced=None, counted=None)


def unpacked(uri: str) -> np.ndarray[Any, Any]:
    """(H, W, 4) of a data URI, 0..255."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGBA")).astype(int)
