"""How what a module gives lies over the picture: convolutions' channels first, channels last, or tokens in a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from reverie.errors import UsageError
from reverie.networks.inspection.layer_names import ATTENTION, CLASS

Size = tuple[int, int]
MOST_BEFORE = 16  # tokens in front of those of the places: one of the class, another for distillation, some registers


@dataclass(frozen=True)
class Layout:
    """How to make feature maps (N, C, H, W) of what a module gives, and the reverse.

    Attributes:
        order: `first` (N, C, H, W); `last` (N, H, W, C); `tokens` (N, T, C), row by row of the picture.
        grid: (H, W) at the network's native size.
        before: tokens in front of those of the places; the first of them is the class token.
    """

    order: Literal["first", "last", "tokens"]
    grid: Size
    before: int = 0

    def to_maps(self, given: Tensor, part: str = "", scale: tuple[float, float] = (1.0, 1.0)) -> Tensor:
        """(N, C, H, W) of what the module gave, or of a part of it.

        Args:
            given: of `class` (N, C), of `attention` (N, heads, T, T), else as `order` says.
            part: `class` is the class token, (N, C, 1, 1); `attention` is how much of it goes to each place, (N, heads, H, W):
                from the class token, or where there is none the mean over all tokens.
            scale: of the picture's sides to the native ones.
        """
        if part == CLASS:
            return given[:, :, None, None]  # (N, C, 1, 1)
        if part == ATTENTION:
            towards = given[:, :, 0] if self.before else given.mean(2)  # (N, heads, T)
            return self._on_grid(towards[:, :, self.before :], scale)
        if self.order == "last":
            return given.permute(0, 3, 1, 2)
        if self.order == "tokens":
            return self._on_grid(given[:, self.before :].transpose(1, 2), scale)
        return given

    def from_maps(self, maps: Tensor, given: Tensor, part: str = "") -> Tensor:
        """What the module would have given, had `maps` (N, C, H, W) been what it made of `given`."""
        if part == CLASS:
            return torch.cat([maps[:, None, :, 0, 0], given[:, 1:].expand(len(maps), -1, -1)], 1)  # (N, T, C)
        if self.order == "last":
            return maps.permute(0, 2, 3, 1)
        if self.order == "tokens":
            places = maps.flatten(2).transpose(1, 2)  # (N, H * W, C)
            return torch.cat([given[:, : self.before].expand(len(maps), -1, -1), places], 1)  # (N, T, C)
        return maps

    def _on_grid(self, row: Tensor, scale: tuple[float, float]) -> Tensor:
        """(N, C, H * W) → (N, C, H, W)."""
        height, width = (max(1, round(side * times)) for side, times in zip(self.grid, scale, strict=True))
        if height * width != row.shape[2]:
            raise UsageError(
                f"{row.shape[2]} tokens are no grid of {height}×{width}", "give the picture the network's native size, or a multiple of it"
            )
        return row.reshape(*row.shape[:2], height, width)


def layout_of(shape: tuple[int, ...], grids: set[Size], picture: Size, wide: tuple[int, ...] | None) -> Layout | None:
    """The layout of an output of one picture, or None where it has no places.

    Args:
        shape: of the output at the native size.
        grids: (H, W) of what convolutions gave in the same pass.
        picture: (H, W), the native size.
        wide: its shape for a picture of the same height and another width, where there was such a pass.
    """
    if not shape or shape[0] != 1:
        return None
    if len(shape) == 4:
        moved = [axis for axis in (1, 2, 3) if wide is not None and len(wide) == 4 and wide[axis] != shape[axis]]
        last = moved == [2] if len(moved) == 1 else _fits(shape[1:3], grids) and not _fits(shape[2:], grids)
        return Layout("last", (shape[1], shape[2])) if last else Layout("first", (shape[2], shape[3]))
    if len(shape) == 3 and (wide is None or len(wide) != 3 or wide[1] != shape[1]):
        patches = {(picture[0] // side, picture[1] // side) for side in range(2, 65) if not (picture[0] % side or picture[1] % side)}
        for found in (grids, patches):  # patches may be cut out by other means than a convolution
            fitting = [(shape[1] - height * width, (height, width)) for height, width in found if height * width > 1]
            fitting = [each for each in fitting if 0 <= each[0] <= MOST_BEFORE]
            if fitting:
                before, grid = min(fitting)
                return Layout("tokens", grid, before)
    return None


def _fits(sides: tuple[int, ...], grids: set[Size]) -> bool:
    """Whether these can be the sides of a grid: one that a convolution gave, or the half of one, again and again."""
    height, width = sides
    for rows, columns in grids:
        while rows >= height and columns >= width:
            if (rows, columns) == (height, width):
                return True
            if rows <= 1 and columns <= 1:
                break
            rows, columns = -(-rows // 2), -(-columns // 2)
    return False
