"""Strides and theoretical receptive fields, followed through the operators of a pass while it runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

aten = torch.ops.aten


@dataclass(frozen=True)
class Field:
    """What one value of a tensor sees of the picture, in pixels: (vertical, horizontal). `math.inf` is all of it."""

    size: tuple[float, float] = (1.0, 1.0)
    stride: tuple[float, float] = (1.0, 1.0)

    def join(self, other: Field) -> Field:
        """Of a value made from both."""
        return Field(_both(max, self.size, other.size), _both(max, self.stride, other.stride))

    def window(self, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]) -> Field:
        """After a sliding window."""
        size = tuple(s + (k - 1) * d * j for s, k, d, j in zip(self.size, kernel, dilation, self.stride, strict=True))
        return Field((size[0], size[1]), _both(lambda j, s: j * s, self.stride, stride))

    def grown(self, factor: tuple[float, float], reach: int) -> Field:
        """After making it larger by `factor`, each value mixed from `reach` old ones."""
        size = _both(lambda s, j: s + (reach - 1) * j, self.size, self.stride)
        return Field(size, _both(lambda j, f: j / f, self.stride, factor))


WHOLE = (math.inf, math.inf)

_WINDOWS = {
    aten.max_pool2d_with_indices.default,
    aten.max_pool2d.default,
    aten.avg_pool2d.default,
    aten.mkldnn_max_pool2d.default,
    aten.quantized_max_pool2d.default,
}
_MIXERS = {aten.mm.default, aten.bmm.default, aten.addmm.default, aten.baddbmm.default}
_REDUCERS = ("mean", "sum", "amax", "amin", "max", "min", "var", "std", "native_layer_norm", "native_group_norm", "_softmax")


class FieldTracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While active, knows for each tensor that came from the picture its `Field`, and how many operators read it."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.fields: Any = WeakIdKeyDictionary()
        self.readers: Any = WeakIdKeyDictionary()
        self.kernels: Any = WeakIdKeyDictionary()  # shapes of kernels before zeros were put around them: those see nothing
        self.fields[picture] = Field()

    def field(self, tensor: Tensor) -> Field | None:
        found: Field | None = self.fields.get(tensor)
        return found

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        sources = [each for each in _tensors((args, kwargs or {})) if each in self.fields]
        output = func(*args, **(kwargs or {}))
        if not sources:
            if func is aten.constant_pad_nd.default:
                self.kernels[output] = args[0].shape
            return output
        joined: Field = self.fields[sources[0]]
        for each in sources:
            self.readers[each] = self.readers.get(each, 0) + 1
            joined = joined.join(self.fields[each])
        if func is aten.convolution.default:
            result = _convolved(args, self.kernels.get(args[1], args[1].shape), joined)
        else:
            result = _after(func, args, sources[0], joined)
        for each in _tensors(output):
            self.fields[each] = result
        return output


def _convolved(args: Any, shape: tuple[int, ...], field: Field) -> Field:
    stride, dilation, transposed = args[3], args[5], args[6]
    if len(shape) != 4:
        return Field(WHOLE, field.stride)
    kernel = (shape[2], shape[3])
    if transposed:
        return field.grown(_pair(stride), max(math.ceil(k / s) for k, s in zip(kernel, _pair(stride), strict=True)))
    return field.window(kernel, _pair(stride), _pair(dilation))


def _after(func: Any, args: Any, source: Tensor, field: Field) -> Field:
    if func in _WINDOWS:
        stride = args[2] if len(args) > 2 and args[2] else args[1]
        dilation = args[4] if func is not aten.avg_pool2d.default and len(args) > 4 else 1
        return field.window(_pair(args[1]), _pair(stride), _pair(dilation))
    name = func.overloadpacket.__name__
    if "upsample" in name:
        scale = _growth(args, source)
        return field.grown(scale, 1 if "nearest" in name else 4 if "bicubic" in name else 2)
    if "adaptive" in name:
        side = args[1]
        shape = source.shape[-2:]
        cells = _pair(side)
        if all(have % want == 0 for have, want in zip(shape, cells, strict=True)):
            kernel = (shape[0] // cells[0], shape[1] // cells[1])
            return field.window(kernel, kernel, (1, 1)) if cells != (1, 1) else Field(WHOLE, field.stride)
        return Field(WHOLE, field.stride)
    if func in _MIXERS or "attention" in name:
        return Field(WHOLE, field.stride)
    if name in _REDUCERS and _over_places(name, args, source):
        return Field(WHOLE, field.stride)
    return field


def _over_places(name: str, args: Any, source: Tensor) -> bool:
    """Whether a reduction mixes places of a picture, not only its channels."""
    if name == "native_group_norm":
        return True
    if source.dim() != 4 or name == "native_layer_norm":
        return name != "native_layer_norm" or len(args[1]) > 1
    axes = args[1] if len(args) > 1 else None
    if axes is None or isinstance(axes, bool):
        return True
    axes = axes if isinstance(axes, (list, tuple)) else [axes]
    return not axes or any(axis % 4 in (2, 3) for axis in axes)


def _growth(args: Any, source: Tensor) -> tuple[float, float]:
    wanted = args[1]
    if wanted:
        return wanted[0] / source.shape[-2], wanted[1] / source.shape[-1]
    scales = next((each for each in reversed(args) if isinstance(each, (list, tuple)) and each), (1.0, 1.0))
    return float(scales[0]), float(scales[-1])


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[-1])


def _both(combine: Any, left: tuple[float, float], right: tuple[float, float]) -> tuple[float, float]:
    return combine(left[0], right[0]), combine(left[1], right[1])


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _each(value.values())
    elif isinstance(value, (list, tuple)):
        yield from _each(value)


def _each(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        yield from _tensors(value)
