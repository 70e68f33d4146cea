"""Pictures from arrays and tensors that are at hand: which end of the shape the channels are at, and what black and white are."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from reverie.errors import UsageError
from reverie.pictures.picture import Picture
from reverie.pictures.torch_modes import owned

_PLAIN = (1, 3)  # channels: grey, colours
_WITH_ALPHA = (2, 4)
_SLACK = 1e-4  # beyond 0..1, as resizing leaves it
_SHAPES = "a picture is (H, W, C), (C, H, W) or (H, W)"
_KINDS = "give floats in 0..1, uint8, uint16 or bool"


def from_array(given: Tensor | np.ndarray[Any, Any], channels: int | None = None) -> Picture:
    """The picture in a tensor, which is (C, H, W) unless its shape says otherwise, or an array, which is (H, W, C) or (C, H, W).

    Both may be (H, W), or one picture in a batch of its own. Floats are in 0..1; whole numbers without a sign go from 0 to the greatest
    that their type holds; of truth values true is white. Of four channels, or two that come last, where not as many
    are looked for, the last is alpha.

    Args:
        channels: that are looked for at both ends of the shape, first at the usual one.

    Raises:
        UsageError: another shape or kind of numbers, a shape that can be read in two ways, values outside 0..1.
    """
    name = "tensor" if isinstance(given, Tensor) else "array"
    is_last = False
    if isinstance(given, Tensor) and (given.layout != torch.strided or given.is_nested or given.is_quantized or given.is_meta):
        kind = "nested" if given.is_nested else "quantised" if given.is_quantized else "meta" if given.is_meta else "sparse"
        raise UsageError(f"a {kind} tensor where a picture belongs", "give a dense one of floats in 0..1, that has values")
    values = owned(given.detach().cpu()) if isinstance(given, Tensor) else _as_tensor(given)
    if values.dim() == 4 and len(values) == 1:
        values = values[0]
    if values.dim() == 4:
        raise UsageError(f"a batch of {len(values)} pictures where one belongs", "give them one by one")
    if values.dim() not in (2, 3) or not values.numel():
        raise UsageError(f"the shape {tuple(given.shape)} of a picture's {name}", _SHAPES)
    if values.dim() == 2:
        values = values[None]  # (1, H, W)
    elif is_last := not _is_first(tuple(values.shape), channels, name):
        values = values.permute(2, 0, 1)  # (C, H, W)
    if channels == 1 and len(values) not in (1, 3, *_WITH_ALPHA):
        rows, columns, last = given.shape[-3:]
        several = (last, 1, rows, columns) if rows == columns != last else (rows, 1, columns, last)
        raise UsageError(f"the shape {tuple(given.shape)} of a picture of one channel's {name}", f"one is (H, W), several are {several}")
    pixels = in_range(values, name).contiguous()
    has_alpha = len(pixels) == 4 or (len(pixels) == 2 and is_last)
    if has_alpha and len(pixels) != channels and channels in (None, *_PLAIN):
        return Picture(pixels[:-1].contiguous(), pixels[-1].contiguous())
    return Picture(pixels)


def _as_tensor(given: np.ndarray[Any, Any]) -> Tensor:
    if given.dtype.kind not in "fub" or given.dtype.itemsize > 8:
        raise UsageError(f"{given.dtype} in a picture's array, which does not say what white is", _KINDS)
    return torch.from_numpy(np.array(given, given.dtype.newbyteorder("="), order="C"))


def _is_first(shape: tuple[int, ...], channels: int | None, name: str) -> bool:
    """Whether the channels stand before rows and columns."""
    for counts in ((channels,) if channels else (), _PLAIN, _WITH_ALPHA):
        first, last = shape[0] in counts, shape[2] in counts
        if first and last and name == "array":
            raise UsageError(f"the shape {shape} of a picture's array, whose channels may stand at either end", "give a tensor (C, H, W)")
        if first or last:
            return first
    return name == "tensor" or shape[0] <= shape[2]


def in_range(values: Tensor, name: str, *, strict: bool = True) -> Tensor:
    """The same shape, float32 in 0..1; UsageError for what is not. What rounding left beyond stays there where that is not `strict`."""
    kind = str(values.dtype).removeprefix("torch.")
    if values.dtype == torch.bool:
        return values.float()
    if values.dtype in (torch.uint8, torch.uint16):
        white = torch.iinfo(values.dtype).max
        if int(values.to(torch.int32).max()) == 1:
            raise UsageError(f"{kind} up to 1 in a picture's {name}, where {white} is white", _KINDS)
        return values.float() / white
    if not values.is_floating_point():
        raise UsageError(f"{kind} in a picture's {name}, which does not say what white is", _KINDS)
    plain = values.float()
    low, high = (float(each) for each in plain.detach().aminmax())
    if not np.isfinite(low + high):
        raise UsageError(f"values that are no finite numbers in a float {name}", "a picture is in 0..1")
    if low < -_SLACK:
        raise UsageError(f"values from {low:.3g} to {high:.3g} in a float {name}", "a picture is in 0..1: give it before it is normalised")
    if high > 1 + _SLACK:
        remedy = "divide by 255" if 128 < high <= 256 else "bring it to 0..1 yourself: divide by what is white in it"
        raise UsageError(f"values up to {high:.5g} in a float {name}", remedy)
    return plain.clamp(0, 1) if strict and (low < 0 or high > 1) else plain
