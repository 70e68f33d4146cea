"""The canvases' common face, and the plainest of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from reverie.pictures import resize


class Canvas(Protocol):
    """What is optimised, and how it becomes a picture."""

    @property
    def parameters(self) -> Tensor:
        """The numbers that are optimised, (N, …)."""
        ...

    def pictures(self, parameters: Tensor) -> Tensor:
        """What they show: (N, C, H, W) in 0..1. Gradients flow back."""
        ...

    def moved(self, parameters: Tensor) -> Canvas:
        """The same canvas with other numbers."""
        ...

    def resized(self, height: int, width: int, generators: Sequence[torch.Generator]) -> Canvas:
        """The same picture at another size; detail that it has not yet is drawn from the generators, where a canvas needs any."""
        ...


@dataclass(frozen=True, repr=False)
class Pixels:
    """Every pixel by itself."""

    parameters: Tensor  # (N, C, H, W)

    def __repr__(self) -> str:
        return f"Pixels{tuple(self.parameters.shape)}"

    def pictures(self, parameters: Tensor) -> Tensor:
        return parameters

    def moved(self, parameters: Tensor) -> Pixels:
        return Pixels(parameters)

    def resized(self, height: int, width: int, generators: Sequence[torch.Generator] = ()) -> Pixels:
        return Pixels(resize(self.parameters, height, width))
