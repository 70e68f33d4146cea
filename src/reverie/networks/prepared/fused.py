"""A convolution and the ReLU behind it in one, for looking into a frozen network: less memory is read and written.

Same numbers as the two apart. The gradient is written out: it needs the weight and the result, not the input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reverie.networks.prepared.redirected_relu import redirected_relu

_FUSED = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)
_PACK = getattr(torch._C._nn, "mkldnn_reorder_conv2d_weight", None)
_ONEDNN: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


class _Arranged(NamedTuple):
    """A convolution made ready for inputs of one shape. `packed` is the weight in the order in which oneDNN reads it."""

    weight: Tensor
    packed: Tensor
    bias: Tensor | None
    stride: Sequence[int]
    padding: Sequence[int]
    dilation: Sequence[int]
    groups: int


class ConvRelu(nn.Module):
    """`conv`, then ReLU cut at `ceiling` (infinity: not cut).

    With `onward`, only another convolution reads the result; its gradient is then nobody else's, and is overwritten.
    While `redirected` is set, the two run apart and the gradient is redirected, see `redirected_relu`. With `plain` the result lies in
    memory as that of the convolution by itself.
    """

    def __init__(self, conv: nn.Module, ceiling: float, onward: bool, plain: bool = False) -> None:
        super().__init__()
        self.conv = conv
        self.ceiling = ceiling
        self.onward = onward
        self.plain = plain
        self.redirected = False
        self._shape: torch.Size | None = None
        self._ready: _Arranged | None = None  # for pictures of this shape

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        if self.redirected:
            return redirected_relu(self.conv(x), 0.0, self.ceiling)
        if not self.plain and _FUSED is not None and x.is_cpu and x.dtype == torch.float32 and _ONEDNN:
            if x.shape != self._shape:
                self._shape, self._ready = x.shape, _arranged(self.conv, x)
            if self._ready is not None:
                return _Fused.apply(x, self._ready, self.ceiling, self.onward)  # type: ignore[no-any-return,no-untyped-call]
        return _Clamp.apply(self.conv(x), self.ceiling, self.onward)  # type: ignore[no-any-return,no-untyped-call]


def _arranged(conv: Any, x: Tensor) -> _Arranged | None:
    """A convolution made ready for inputs like this; None for one that works otherwise."""
    weight, padding = conv.weight, conv.padding
    if hasattr(conv, "arranged"):  # our own SAME padding
        weight, padding = conv.arranged(x)
    elif type(conv) is not nn.Conv2d or isinstance(padding, str) or conv.padding_mode != "zeros":
        return None
    weight, packed = weight.detach(), weight.detach()
    if _PACK is not None:
        packed = _PACK(weight.to_mkldnn(), padding, conv.stride, conv.dilation, conv.groups, list(x.shape))
    return _Arranged(weight, packed, conv.bias, conv.stride, padding, conv.dilation, conv.groups)


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, conv: _Arranged, ceiling: float, onward: bool) -> Tensor:
        name, limits = ("relu", []) if math.isinf(ceiling) else ("hardtanh", [0.0, ceiling])
        y: Tensor = _FUSED(x, conv.packed, conv.bias, conv.padding, conv.stride, conv.dilation, conv.groups, name, limits, "")  # type: ignore[misc]
        ctx.save_for_backward(y)
        ctx.shape, ctx.rest = x.shape, (conv, ceiling, onward)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (y,) = ctx.saved_tensors
        conv, ceiling, onward = ctx.rest
        gradient = _through(gradients[0], y, ceiling, onward)
        x = torch.empty(ctx.shape, dtype=y.dtype, memory_format=torch.channels_last)  # never read: only its shape counts
        rest = (conv.stride, conv.padding, conv.dilation, False, [0, 0], conv.groups, [True, False, False])
        return torch.ops.aten.convolution_backward(gradient, x, conv.weight, None, *rest)[0], None, None, None


class _Clamp(torch.autograd.Function):
    # PyTorch's own in-place hardtanh keeps a copy of what it overwrites; the result is enough

    @staticmethod
    def forward(ctx: Any, x: Tensor, ceiling: float, onward: bool) -> Tensor:
        ctx.mark_dirty(x)
        x.clamp_(0, ceiling)
        ctx.save_for_backward(x)
        ctx.ceiling, ctx.onward = ceiling, onward
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (y,) = ctx.saved_tensors
        return _through(gradients[0], y, ctx.ceiling, ctx.onward), None, None


def _through(gradient: Tensor, y: Tensor, ceiling: float, onward: bool) -> Tensor:
    """The gradient where the ReLU let through, zero elsewhere."""
    into = gradient if onward else torch.empty_like(y)
    masked: Tensor = torch.ops.aten.hardtanh_backward.grad_input(gradient, y, 0.0, ceiling, grad_input=into)
    return masked
