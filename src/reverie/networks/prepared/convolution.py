"""A frozen convolution and the ReLU behind it in one: less memory is read and written, and the gradient is a convolution as well.

Same numbers as the two apart, but for NaN, which oneDNN's ReLU takes away.
The gradient by what goes in needs the weight and the result, not the input.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reverie.networks.prepared.convolution_kernels import Arrangement, Convolved, Kernel, runs_here
from reverie.networks.prepared.data_gradients import Gradient, data_gradient


class Convolution(nn.Module):
    """`conv`, then ReLU cut at `ceiling` (infinity: not cut; None: no ReLU).

    With `onward`, only another convolution reads the result; its gradient is then nobody else's, and is overwritten.
    While `apart` is set, the two run apart, so that a function mode can give the ReLU another gradient. With `plain` the result lies in
    memory as that of the convolution by itself.
    """

    def __init__(self, conv: nn.Module, ceiling: float | None, onward: bool = False, plain: bool = False) -> None:
        super().__init__()
        self.conv = conv
        self.ceiling = ceiling
        self.onward = onward
        self.plain = plain
        self.apart = False
        self._kind: tuple[torch.Size, torch.dtype] | None = None
        self._ready: _Ready | None = None  # for pictures of this kind

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        if self.apart and self.ceiling is not None:
            y = self.conv(x)
            return F.relu(y) if math.isinf(self.ceiling) else F.hardtanh(y, 0.0, self.ceiling)
        if not self.plain and runs_here(x):
            if (x.shape, x.dtype) != self._kind:
                self._kind, self._ready = (x.shape, x.dtype), _ready(self.conv, x, self.ceiling)
            if self._ready is not None:
                return _Convolved.apply(x, self._ready, self.ceiling, self.onward)  # type: ignore[no-any-return,no-untyped-call]
        y = self.conv(x)
        return y if self.ceiling is None else _Clamp.apply(y, self.ceiling, self.onward)  # type: ignore[no-any-return,no-untyped-call]


class _Ready:
    """A convolution made ready for inputs of one shape; its gradient when that is first asked for."""

    def __init__(self, given: Convolved, bias: Tensor | None, ceiling: float | None) -> None:
        self._given = given
        self.there = Kernel(given, bias, ceiling)

    @cached_property
    def back(self) -> Gradient:
        return data_gradient(self._given)


def _ready(conv: Any, x: Tensor, ceiling: float | None) -> _Ready | None:
    """A convolution made ready for inputs like this; None for one that works otherwise."""
    weight, padding = conv.weight, conv.padding
    if hasattr(conv, "arranged"):  # our own SAME padding
        weight, padding = conv.arranged(x)
    elif type(conv) is not nn.Conv2d or isinstance(padding, str) or conv.padding_mode != "zeros":
        return None
    given = Convolved(weight.detach(), Arrangement(conv.stride, padding, conv.dilation, conv.groups), x.shape)
    return _Ready(given, conv.bias, ceiling)


class _Convolved(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, ready: _Ready, ceiling: float | None, onward: bool) -> Tensor:
        y = ready.there(x)
        if ceiling is not None:
            ctx.save_for_backward(y)
        ctx.rest = (ready, ceiling, onward)
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        ready, ceiling, onward = ctx.rest
        gradient = gradients[0] if ceiling is None else _through(gradients[0], ctx.saved_tensors[0], ceiling, onward)
        return ready.back(gradient), None, None, None


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
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (y,) = ctx.saved_tensors
        return _through(gradients[0], y, ctx.ceiling, ctx.onward), None, None


def _through(gradient: Tensor, y: Tensor, ceiling: float, onward: bool) -> Tensor:
    """The gradient where the ReLU let through, zero elsewhere."""
    into = gradient if onward else torch.empty_like(y)
    masked: Tensor = torch.ops.aten.hardtanh_backward.grad_input(gradient, y, 0.0, ceiling, grad_input=into)
    return masked
