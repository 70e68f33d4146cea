"""How a convolution with a frozen weight runs on a processor: by oneDNN, or where it is little, as a product of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

_CONVOLVE = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)
_PACK = getattr(torch._C._nn, "mkldnn_reorder_conv2d_weight", None)
_ONEDNN: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
_BFLOAT16 = bool(getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)())
_LITTLE = 1_000_000  # multiplications of a 1×1 convolution, below which it takes longer to begin than to run


class Arrangement(NamedTuple):
    """How the kernel of a convolution goes over what comes in: height and width each."""

    stride: Sequence[int] = (1, 1)
    padding: Sequence[int] = (0, 0)
    dilation: Sequence[int] = (1, 1)
    groups: int = 1


class Convolved(NamedTuple):
    """A convolution of inputs of one shape."""

    weight: Tensor  # (K, C / groups, h, w)
    how: Arrangement
    shape: torch.Size  # of the input, (N, C, H, W)

    @property
    def result(self) -> torch.Size:
        """The shape of what comes out, (N, K, h, w)."""
        return torch.Size([self.shape[0], len(self.weight), self.outputs(0), self.outputs(1)])

    def outputs(self, axis: int) -> int:
        """How many places there are down (0) or across (1)."""
        reach = (self.weight.shape[2 + axis] - 1) * self.how.dilation[axis] + 1
        return (self.shape[2 + axis] + 2 * self.how.padding[axis] - reach) // self.how.stride[axis] + 1


class Kernel:
    """Call it with what comes in, of its shape, to get the result: with ReLU cut at `ceiling`, if that is no None."""

    def __init__(self, given: Convolved, bias: Tensor | None = None, ceiling: float | None = None) -> None:
        self._given, self._bias, self._ceiling = given, bias, ceiling
        self._little = self._is_little()
        self._ready: Tensor | None = None  # the weight as it is read, once it has run

    def __call__(self, x: Tensor) -> Tensor:
        if self._ready is None:
            self._ready = self._given.weight.flatten(1).T.contiguous() if self._little else self._packed()
        if self._little:
            return self._multiplied(x, self._ready)
        stride, padding, dilation, groups = self._given.how
        name, limits = ("none", []) if self._ceiling is None else ("hardtanh", [0.0, self._ceiling])
        if self._ceiling == math.inf:
            name, limits = "relu", []
        y: Tensor = _CONVOLVE(x, self._ready, self._bias, padding, stride, dilation, groups, name, limits, "")  # type: ignore[misc]
        return y

    def _is_little(self) -> bool:
        weight, (stride, padding, _, groups), shape = self._given.weight, self._given.how, self._given.shape
        simple = groups == 1 and weight.shape[2:] == (1, 1) and max(stride) == 1 and max(padding) == 0
        return simple and shape[0] * shape[2] * shape[3] * weight.numel() <= _LITTLE

    def _multiplied(self, x: Tensor, weight: Tensor) -> Tensor:
        count, channels, height, width = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(-1, channels)  # (N * H * W, C), a view where channels are last in memory
        y = rows @ weight if self._bias is None else torch.addmm(self._bias, rows, weight)
        if self._ceiling is not None:
            y.clamp_(0, None if self._ceiling == math.inf else self._ceiling)
        return y.view(count, height, width, weight.shape[1]).permute(0, 3, 1, 2)  # (N, K, H, W)

    def _packed(self) -> Tensor:
        """The weight in the order in which oneDNN reads it."""
        weight, how = self._given.weight, self._given.how
        if _PACK is None:
            return weight
        packed: Tensor = _PACK(
            weight.to_mkldnn(), list(how.padding), list(how.stride), list(how.dilation), how.groups, list(self._given.shape)
        )
        return packed


def runs_here(x: Tensor) -> bool:
    """Whether such kernels run on inputs like this."""
    return _CONVOLVE is not None and _ONEDNN and x.is_cpu and (x.dtype == torch.float32 or (x.dtype == torch.bfloat16 and _BFLOAT16))
