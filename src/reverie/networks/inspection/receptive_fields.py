"""Strides and theoretical receptive fields, followed through the operators of a pass while it runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

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

    def everywhere(self) -> Axis:
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

    def everywhere(self) -> Field:
        """After mixing all places."""
        return Field(self.vertical.everywhere(), self.horizontal.everywhere(), self.places)


_GRIDS = {aten.convolution.default, aten.avg_pool2d.default, aten.max_pool2d.default, aten._adaptive_avg_pool2d.default}
_PRODUCTS = {aten.mm.default, aten.bmm.default, aten.addmm.default, aten.baddbmm.default}


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

    def field(self, tensor: Tensor) -> Field | None:
        """What one value of a tensor sees; None of one that does not come from the picture."""
        found: Field | None = self.fields.get(tensor)
        return found

    def _is_by_place(self, func: Any, args: Any, field: Field) -> bool:
        """Whether a product takes every place by itself: as many rows as there are places and tokens before them, times a weight."""
        rows, weight = args[-2:] if func in (aten.mm.default, aten.bmm.default) else args[1:3]
        count = rows.numel() // max(1, rows.shape[-1])
        return 0 < field.places <= count <= field.places + MOST_BEFORE and weight not in self.fields

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
        elif func in _PRODUCTS and self._is_by_place(func, args, joined):
            result = joined
        else:
            result = _after(_Operator(func.overloadpacket.__name__, args, sources[0], joined))
        if func in _GRIDS and output.dim() == 4:
            result = replace(result, places=output.shape[2] * output.shape[3])
        for each in _tensors(output):
            self.fields[each] = result
        return output


def _convolved(args: Any, shape: tuple[int, ...], field: Field) -> Field:
    stride, dilation, transposed = args[3], args[5], args[6]
    if len(shape) != 4:
        return field.everywhere()
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


class _Operator(NamedTuple):
    """An operator that read what comes from the picture.

    `source` is the first such tensor among its arguments; `field` is what one value of all of them together sees.
    """

    name: str
    args: Any
    source: Tensor
    field: Field


def _after(done: _Operator) -> Field:
    """What one value of the output sees, by the first rule that knows the operator; without one each place is taken by itself."""
    rule = _BY_NAME.get(done.name) or next((rule for part, rule in _BY_PART if part in done.name), None)
    return done.field if rule is None else rule(done)


def _everywhere(done: _Operator) -> Field:
    return done.field.everywhere()


def _pooled(done: _Operator) -> Field:
    args = done.args
    stride = args[2] if len(args) > 2 and args[2] else args[1]
    dilation = args[4] if done.name != "avg_pool2d" and len(args) > 4 else 1
    return done.field.window(_pair(args[1]), _pair(stride), _pair(dilation))


def _pooled_adaptively(done: _Operator) -> Field:
    sides, cells = done.source.shape[-2:], _pair(done.args[1])
    if cells == (1, 1) or any(have % want for have, want in zip(sides, cells, strict=True)):
        return done.field.everywhere()
    kernel = (sides[0] // cells[0], sides[1] // cells[1])
    return done.field.window(kernel, kernel, (1, 1))


def _upsampled(done: _Operator) -> Field:
    reach = 1 if "nearest" in done.name else 4 if "bicubic" in done.name else 2
    return done.field.grown(_growth(done.args, done.source), (reach, reach))


def _growth(args: Any, source: Tensor) -> tuple[float, float]:
    wanted = args[1]
    if wanted:
        return wanted[0] / source.shape[-2], wanted[1] / source.shape[-1]
    scales = next((each for each in reversed(args) if isinstance(each, (list, tuple)) and each), (1.0, 1.0))
    return float(scales[0]), float(scales[-1])


def _shuffled(done: _Operator) -> Field:
    return done.field.grown(_pair(done.args[1]), (1, 1))


def _unshuffled(done: _Operator) -> Field:
    factor = _pair(done.args[1])
    return done.field.window(factor, factor, (1, 1))


def _unfolded(done: _Operator) -> Field:
    _, kernel, dilation, _, stride = done.args[:5]
    return done.field.window(_pair(kernel), _pair(stride), _pair(dilation))


def _sliced(done: _Operator) -> Field:
    """Every so many rows or columns may be left out."""
    args = done.args
    if done.source.dim() != 4 or len(args) <= 4 or args[1] % 4 not in (2, 3):
        return done.field
    return done.field.window((1, 1), (args[4], 1) if args[1] % 4 == 2 else (1, args[4]), (1, 1))


def _carried(done: _Operator) -> Field:
    """Values may be carried from place to place, or only from channel to channel."""
    if done.source.dim() != 4:
        return done.field.everywhere()
    if done.name == "index":
        over = any(each is not None for each in done.args[1][2:])
    else:
        over = _are_places(done.args[2] if done.name == "roll" and len(done.args) > 2 else done.args[1])
    return done.field.everywhere() if over else done.field


def _batch_normalised(done: _Operator) -> Field:
    """Mean and spread may be those of the picture, or what was learnt."""
    args = done.args
    measured = not done.name.endswith("no_training") and bool(args[3] if isinstance(args[3], bool) else args[5])
    return done.field.everywhere() if measured else done.field


def _layer_normalised(done: _Operator) -> Field:
    return done.field.everywhere() if len(done.args[1]) > 1 else done.field


def _reduced(done: _Operator) -> Field:
    """Places may be mixed, or only channels."""
    axes = done.args[1] if len(done.args) > 1 else None
    over = done.source.dim() != 4 or axes is None or isinstance(axes, bool) or _are_places(axes)
    return done.field.everywhere() if over else done.field


def _are_places(axes: Any) -> bool:
    """Whether height or width is among the dimensions that an operator takes together; none given are all."""
    axes = axes if isinstance(axes, (list, tuple)) else [axes]
    return not axes or any(axis % 4 in (2, 3) for axis in axes)


_Rule = Callable[[_Operator], Field]
_BY_NAME: dict[str, _Rule] = {
    **dict.fromkeys(("max_pool2d_with_indices", "max_pool2d", "avg_pool2d", "mkldnn_max_pool2d", "quantized_max_pool2d"), _pooled),
    **dict.fromkeys(("mm", "bmm", "addmm", "baddbmm", "native_group_norm"), _everywhere),
    **dict.fromkeys(("flip", "roll", "cumsum", "cumprod", "index"), _carried),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "max", "min", "var", "std", "_softmax"), _reduced),
    "native_layer_norm": _layer_normalised,
    "pixel_shuffle": _shuffled,
    "pixel_unshuffle": _unshuffled,
    "im2col": _unfolded,
    "slice": _sliced,
}
_BY_PART: tuple[tuple[str, _Rule], ...] = (
    ("backward", _everywhere),
    ("upsample", _upsampled),
    ("_fft", _everywhere),
    ("grid_sampler", _everywhere),
    ("batch_norm", _batch_normalised),
    ("adaptive", _pooled_adaptively),
    ("attention", _everywhere),
)


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
