"""Strides and theoretical receptive fields, followed through the operators of a pass while it runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from reverie.networks.inspection.layouts import MOST_BEFORE

aten = torch.ops.aten
Pair = tuple[int, int]


@dataclass(frozen=True)
class Axis:
    """One direction of a field.

    What one value sees is `base` pixels and, where values have been put between those of a coarser `grid`, as many of its
    steps as a `run` of pixels may touch.
    """

    base: float = 1.0
    stride: float = 1.0
    run: float = 0.0
    grid: float = 0.0

    @property
    def size(self) -> float:
        return self.base + (math.ceil(self.run / self.grid - 1e-6) * self.grid if self.grid else self.run)

    def join(self, other: Axis) -> Axis:
        return replace(self if self.size >= other.size else other, stride=max(self.stride, other.stride))

    def window(self, kernel: int, stride: int, dilation: int) -> Axis:
        return replace(self, run=self.run + (kernel - 1) * dilation * self.stride, stride=self.stride * stride)

    def grown(self, factor: float, reach: int) -> Axis:
        return Axis(self.size + (reach - 1) * self.stride, self.stride / factor, grid=self.stride)

    def whole(self) -> Axis:
        return replace(self, base=math.inf)


@dataclass(frozen=True)
class Field:
    """What one value of a tensor sees of the picture, in pixels. A size of `math.inf` is all of it.

    `places`: how many the last grid had that it comes from; 0 of none.
    """

    vertical: Axis = Axis()
    horizontal: Axis = Axis()
    places: int = 0

    @property
    def size(self) -> tuple[float, float]:
        return self.vertical.size, self.horizontal.size

    @property
    def stride(self) -> tuple[float, float]:
        return self.vertical.stride, self.horizontal.stride

    def join(self, other: Field) -> Field:
        """Of a value made from both."""
        return Field(self.vertical.join(other.vertical), self.horizontal.join(other.horizontal), max(self.places, other.places))

    def window(self, kernel: Pair, stride: Pair, dilation: Pair) -> Field:
        """After a sliding window."""
        vertical = self.vertical.window(kernel[0], stride[0], dilation[0])
        return Field(vertical, self.horizontal.window(kernel[1], stride[1], dilation[1]), self.places)

    def grown(self, factor: tuple[float, float], reach: Pair) -> Field:
        """After making it larger by `factor`, each value mixed from `reach` old ones a side."""
        return Field(self.vertical.grown(factor[0], reach[0]), self.horizontal.grown(factor[1], reach[1]), self.places)

    def whole(self) -> Field:
        """After mixing all places."""
        return Field(self.vertical.whole(), self.horizontal.whole(), self.places)


_WINDOWS = {
    aten.max_pool2d_with_indices.default,
    aten.max_pool2d.default,
    aten.avg_pool2d.default,
    aten.mkldnn_max_pool2d.default,
    aten.quantized_max_pool2d.default,
}
_GRIDS = {aten.convolution.default, aten.avg_pool2d.default, aten.max_pool2d.default, aten._adaptive_avg_pool2d.default}
_MIXERS = {aten.mm.default, aten.bmm.default, aten.addmm.default, aten.baddbmm.default}
_ROAMERS = ("flip", "roll", "cumsum", "cumprod", "index")
_REDUCERS = ("mean", "sum", "amax", "amin", "max", "min", "var", "std", "native_layer_norm", "native_group_norm", "_softmax")


class FieldTracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While active, knows for each tensor that came from the picture its `Field`, and how many operators read it."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.fields: Any = WeakIdKeyDictionary()
        self.readers: Any = WeakIdKeyDictionary()
        self.kernels: Any = WeakIdKeyDictionary()  # shapes of kernels before zeros were put around them: those see nothing
        self.fields[picture] = Field()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else PyTorch imports its compiler at the first operator, which takes two seconds

    def _is_by_place(self, func: Any, args: Any, field: Field) -> bool:
        """Whether a product takes every place by itself: as many rows as there are places and tokens before them, times a weight."""
        rows, weight = args[-2:] if func in (aten.mm.default, aten.bmm.default) else args[1:3]
        count = rows.numel() // max(1, rows.shape[-1])
        return 0 < field.places <= count <= field.places + MOST_BEFORE and weight not in self.fields

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
        elif func in _MIXERS and self._is_by_place(func, args, joined):
            result = joined
        else:
            result = _after(func, args, sources[0], joined)
        if func in _GRIDS and output.dim() == 4:
            result = replace(result, places=output.shape[2] * output.shape[3])
        for each in _tensors(output):
            self.fields[each] = result
        return output


def _convolved(args: Any, shape: tuple[int, ...], field: Field) -> Field:
    stride, dilation, transposed = args[3], args[5], args[6]
    if len(shape) != 4:
        return field.whole()
    kernel = (shape[2], shape[3])
    if transposed:
        steps, holes = _pair(stride), _pair(dilation)
        return field.grown(steps, (_reach(kernel[0], steps[0], holes[0]), _reach(kernel[1], steps[1], holes[1])))
    return field.window(kernel, _pair(stride), _pair(dilation))


def _reach(kernel: int, stride: int, dilation: int) -> int:
    """How many neighbouring inputs, from first to last, one output of a transposed convolution is made of at most."""
    spans = []
    for place in range(stride):
        read = [(place - tap * dilation) // stride for tap in range(kernel) if (place - tap * dilation) % stride == 0]
        spans.append(max(read) - min(read) + 1 if read else 1)
    return max(spans)


def _after(func: Any, args: Any, source: Tensor, field: Field) -> Field:
    if func in _WINDOWS:
        stride = args[2] if len(args) > 2 and args[2] else args[1]
        dilation = args[4] if func is not aten.avg_pool2d.default and len(args) > 4 else 1
        return field.window(_pair(args[1]), _pair(stride), _pair(dilation))
    name = func.overloadpacket.__name__
    if "upsample" in name:
        scale = _growth(args, source)
        reach = 1 if "nearest" in name else 4 if "bicubic" in name else 2
        return field.grown(scale, (reach, reach))
    if name in ("pixel_unshuffle", "pixel_shuffle"):
        factor = _pair(args[1])
        return field.grown(factor, (1, 1)) if name == "pixel_shuffle" else field.window(factor, factor, (1, 1))
    if func is aten.slice.Tensor and source.dim() == 4 and len(args) > 4 and args[1] % 4 in (2, 3):
        step = (args[4], 1) if args[1] % 4 == 2 else (1, args[4])
        return field.window((1, 1), step, (1, 1))
    if func is aten.im2col.default:
        return field.window(_pair(args[1]), _pair(args[4]), _pair(args[2]))
    if name.startswith(("_fft", "grid_sampler")) or (name in _ROAMERS and _roams(name, args, source)):
        return field.whole()
    if "batch_norm" in name:
        return field.whole() if _measures(name, args) else field
    if "adaptive" in name:
        side = args[1]
        shape = source.shape[-2:]
        cells = _pair(side)
        if all(have % want == 0 for have, want in zip(shape, cells, strict=True)):
            kernel = (shape[0] // cells[0], shape[1] // cells[1])
            return field.window(kernel, kernel, (1, 1)) if cells != (1, 1) else field.whole()
        return field.whole()
    if func in _MIXERS or "attention" in name:
        return field.whole()
    if name in _REDUCERS and _over_places(name, args, source):
        return field.whole()
    return field


def _roams(name: str, args: Any, source: Tensor) -> bool:
    """Whether an operator carries values from place to place, not only from channel to channel."""
    if source.dim() != 4:
        return True
    if name == "index":
        return any(each is not None for each in args[1][2:])
    axes = args[2] if name == "roll" and len(args) > 2 else args[1]
    axes = axes if isinstance(axes, (list, tuple)) else [axes]
    return not axes or any(axis % 4 in (2, 3) for axis in axes)


def _measures(name: str, args: Any) -> bool:
    """Whether a normalisation takes its mean from the picture, not from what it learnt."""
    if name.endswith("no_training"):
        return False
    return bool(args[3] if isinstance(args[3], bool) else args[5])


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
