"""The gradient of a convolution by what goes in, as a convolution: hardly anyone else needs one by a picture, so the usual way is slow.

At stride 1 it is a convolution with the weight turned round and its sides swapped. Where the stride is larger it is one for each phase
of a pixel, whose results are interleaved; of a picture's few channels they are one convolution to as many times the channels (Shi et al.
2016). For depthwise ones in bfloat16 oneDNN has nothing but a reference that is thirty times as slow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import torch
from torch import Tensor

from reverie.networks.prepared.convolution_kernels import Arrangement, Convolved, Kernel

_FEW = 4  # channels in, at most, where phases pay: those of a picture

Gradient = Callable[[Tensor], Tensor]  # by the result (N, K, h, w) → by what went in (N, C, H, W)


def data_gradient(given: Convolved) -> Gradient:
    """The gradient by what went in, to be called with that by the result."""
    found = None
    if all(each == 1 for each in given.how.stride):
        found = _turned(given)
    elif all(each == 1 for each in given.how.dilation):
        if given.how.groups == 1 and given.weight.shape[1] <= _FEW:
            found = _by_phases(given)
        elif given.how.groups == len(given.weight) == given.shape[1] and given.weight.dtype == torch.bfloat16:
            found = _phase_by_phase(given)
    return found or _usual(given)


def _usual(given: Convolved) -> Gradient:
    stride, padding, dilation, groups = given.how

    def gradient(by_result: Tensor) -> Tensor:
        # never read: only its shape counts
        x = torch.empty(given.shape, dtype=by_result.dtype, memory_format=torch.channels_last)
        rest = (stride, padding, dilation, False, [0, 0], groups, [True, False, False])
        found: Tensor = torch.ops.aten.convolution_backward(by_result, x, given.weight, None, *rest)[0]
        return found

    return gradient


def _turned(given: Convolved) -> Gradient | None:
    """At stride 1: with the weight turned round; None where more was padded than the kernel reaches."""
    how, (height, width) = given.how, given.weight.shape[2:]
    reach = [(side - 1) * step for side, step in zip((height, width), how.dilation, strict=True)]
    padding = [each - padded for each, padded in zip(reach, how.padding, strict=True)]
    if min(padding) < 0:
        return None
    parts = given.weight.reshape(how.groups, -1, *given.weight.shape[1:]).transpose(1, 2)  # (groups, C / groups, K / groups, h, w)
    weight = parts.flatten(0, 1).flip(2, 3).contiguous()  # (C, K / groups, h, w)
    back = Arrangement((1, 1), padding, how.dilation, how.groups)
    return Kernel(Convolved(weight, back, given.result))


def _by_phases(given: Convolved) -> Gradient:
    """At a stride: one convolution for the pixels of every phase, rows and columns, and their results interleaved."""
    rows, columns = (_Phases(given, axis) for axis in (0, 1))
    weight = torch.cat([each.transpose(0, 1) for _, _, each in _of_phases(given.weight, rows, columns)])  # (phases * C, K, h, w)
    convolve = Kernel(Convolved(weight.contiguous(), Arrangement(padding=(rows.padding, columns.padding)), given.result))
    channels = given.shape[1]
    size = (given.shape[0], channels, rows.count, rows.stride, columns.count, columns.stride)

    def gradient(by_result: Tensor) -> Tensor:
        found = convolve(by_result)[:, :, rows.places, columns.places].permute(0, 2, 3, 1)  # (N, h, w, phases * C)
        apart = found.reshape(*found.shape[:3], rows.stride, columns.stride, channels).permute(0, 5, 1, 3, 2, 4)
        whole = torch.empty(size, dtype=found.dtype).copy_(apart).flatten(2, 3).flatten(3, 4)  # (N, C, H, W) or a little larger
        return whole[:, :, : given.shape[2], : given.shape[3]]

    return gradient


def _phase_by_phase(given: Convolved) -> Gradient:
    """At a stride, of a depthwise convolution: one for each phase."""
    rows, columns = (_Phases(given, axis) for axis in (0, 1))
    how = Arrangement(padding=(rows.padding, columns.padding), groups=given.how.groups)
    kernels = [(down, right, Kernel(Convolved(each, how, given.result))) for down, right, each in _of_phases(given.weight, rows, columns)]
    size = (given.shape[0], given.shape[1], rows.count * rows.stride, columns.count * columns.stride)

    def gradient(by_result: Tensor) -> Tensor:
        whole = torch.empty(size, dtype=by_result.dtype, memory_format=torch.channels_last)
        for down, right, kernel in kernels:
            whole[:, :, down :: rows.stride, right :: columns.stride] = kernel(by_result)[:, :, rows.places, columns.places]
        return whole[:, :, : given.shape[2], : given.shape[3]]

    return gradient


def _of_phases(weight: Tensor, rows: _Phases, columns: _Phases) -> Iterator[tuple[int, int, Tensor]]:
    """Each phase, down and right, and the part of a weight (K, C, h, w) that reaches its pixels, (K, C, h', w')."""
    for down, right in product(range(rows.stride), range(columns.stride)):
        part = weight.new_zeros(*weight.shape[:2], rows.reach, columns.reach)
        for (y, source_y), (x, source_x) in product(rows.taps(down), columns.taps(right)):
            part[:, :, y, x] = weight[:, :, source_y, source_x]
        yield down, right, part


class _Phases:
    """The pixels of one axis, phase by phase: pixel `stride * q + phase` is reached by the results `q + low` to `q + high`."""

    def __init__(self, given: Convolved, axis: int) -> None:
        self.stride = given.how.stride[axis]
        self._kernel, self._padded = given.weight.shape[2 + axis], given.how.padding[axis]
        near = [each for phase in range(self.stride) for each, _ in self._reached(phase)]
        self._low, high = min(near), max(near)
        self.reach = high - self._low + 1
        self.count = -(-given.shape[2 + axis] // self.stride)  # pixels of a phase
        results = given.outputs(axis)
        self.padding = max(-self._low, self.count - 1 + high - (results - 1), 0)
        begin = self.padding + self._low
        self.places = slice(begin, begin + self.count)

    def taps(self, phase: int) -> list[tuple[int, int]]:
        """Of a phase: where in its kernel which place of the convolution's own stands."""
        return [(offset - self._low, place) for offset, place in self._reached(phase)]

    def _reached(self, phase: int) -> list[tuple[int, int]]:
        """The results that a pixel of a phase counts in, as offsets, and at which place of the kernel."""
        places = ((offset, phase + self._padded - self.stride * offset) for offset in range(-self._kernel, self._kernel + self._padded + 1))
        return [(offset, place) for offset, place in places if 0 <= place < self._kernel]
