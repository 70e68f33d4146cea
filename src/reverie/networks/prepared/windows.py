"""A network of one size looks at a picture of another: through windows of its own size, side by side."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int]
Seen = dict[str, Tensor]


def through_windows(look: Callable[[Tensor], Seen], x: Tensor, size: Size) -> Seen:
    """What a network sees of pictures that are not of its size.

    The windows lie evenly from edge to edge and overlap no more than they must; a picture smaller than one is enlarged. Activations lie
    side by side as the windows do; what has no places is the mean over them. Where windows overlap, the gradient is that of one.

    Args:
        look: (N, C, h, w) → activations by name.
        x: (N, C, H, W).
        size: (h, w).
    """
    x = _large_enough(x, size)
    tops, lefts = (_starts(have, want) for have, want in zip(x.shape[2:], size, strict=True))
    if x.requires_grad and len(tops) * len(lefts) > 1:
        shares = _shares(x, tops, size[0], 2) * _shares(x, lefts, size[1], 3)  # (1, 1, H, W)
        x = _Shared.apply(x, shares)  # type: ignore[no-untyped-call]
    cut = [x[:, :, top : top + size[0], left : left + size[1]] for top in tops for left in lefts]
    seen = look(torch.stack(cut, 1).flatten(0, 1))  # of (N * windows, C, h, w)
    return {name: _side_by_side(each, len(tops), len(lefts)) for name, each in seen.items()}


class _Shared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor, shares: Tensor) -> Tensor:
        ctx.shares = shares  # type: ignore[attr-defined]
        return x.view_as(x)

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * ctx.shares, None  # type: ignore[attr-defined]


def _large_enough(x: Tensor, size: Size) -> Tensor:
    """Enlarged, its shape kept, until a window fits."""
    scale = max(want / have for have, want in zip(x.shape[2:], size, strict=True))
    if scale <= 1:
        return x
    height, width = (max(want, round(have * scale)) for have, want in zip(x.shape[2:], size, strict=True))
    return F.interpolate(x, (height, width), mode="bilinear", align_corners=False)


def _starts(have: int, want: int) -> list[int]:
    """Where windows begin along a side."""
    windows = math.ceil(have / want)
    return [round(number * (have - want) / max(1, windows - 1)) for number in range(windows)]


def _shares(x: Tensor, starts: list[int], length: int, axis: int) -> Tensor:
    """One over the number of windows that show each row (axis 2) or column (axis 3)."""
    counts = torch.zeros(x.shape[axis], device=x.device)
    for start in starts:
        counts[start : start + length] += 1
    return (1 / counts).view((1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1))


def _side_by_side(each: Tensor, rows: int, columns: int) -> Tensor:
    apart = each.reshape(-1, rows * columns, *each.shape[1:])  # (N, windows, …)
    if each.dim() != 4 or each.shape[2:] == (1, 1):
        return apart.mean(1)
    n, _, channels, height, width = apart.shape
    laid = apart.view(n, rows, columns, channels, height, width).permute(0, 3, 1, 4, 2, 5)  # (N, C, rows, h, columns, w)
    return laid.reshape(n, channels, rows * height, columns * width)
