"""A pass with redirected ReLUs, for dead starts: same activations, but the gradient finds its way into dead and saturated units.

The rule is that of Lucid (Olah et al. 2017, "Feature Visualization"; `redirected_relu_grad`), turned round, as we maximise: where nothing
of a picture's gradient gets through a ReLU, what would bring a unit back gets through — up from below the range, down from above it.
Where anything gets through by itself, the gradient is the usual one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


def redirected_relu(x: Tensor, low: float = 0.0, high: float = math.inf) -> Tensor:
    """`x` cut to low..high, of any shape, the first dimension counting pictures; its gradient is redirected."""
    return _Redirected.apply(x, low, high)  # type: ignore[no-any-return,no-untyped-call]


class RedirectedRelus(TorchFunctionMode):
    """While open in this thread, every ReLU, ReLU6 and hardtanh is redirected, however it is called; modules call the functions."""

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        known = _LIMITS.get(func)
        if known is not None:
            x, low, high, inplace = known(*args, **(kwargs or {}))
            if x.requires_grad:
                cut = redirected_relu(x, low, high)
                return x.copy_(cut) if inplace else cut
        return func(*args, **(kwargs or {}))


class _Redirected(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        # where, not what: x itself may be overwritten later
        ctx.save_for_backward(x <= low, None if math.isinf(high) else x >= high)
        return torch.relu(x) if (low, high) == (0.0, math.inf) else F.hardtanh(x, low, high)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        below, above = ctx.saved_tensors
        usual = gradient.masked_fill(below, 0)
        redirected = gradient.masked_fill(below & (gradient < 0), 0)
        if above is not None:
            usual = usual.masked_fill(above, 0)
            redirected = redirected.masked_fill(above & (gradient > 0), 0)
        through = usual != 0
        if through.dim() > 1:
            through = through.flatten(1).any(1).view(-1, *[1] * (through.dim() - 1))  # (N, 1, …)
        return torch.where(through, usual, redirected), None, None


_Cut = tuple[Tensor, float, float, bool]


def _relu(input: Tensor, inplace: bool = False) -> _Cut:
    return input, 0.0, math.inf, inplace


def _relu_(input: Tensor) -> _Cut:
    return input, 0.0, math.inf, True


def _relu6(input: Tensor, inplace: bool = False) -> _Cut:
    return input, 0.0, 6.0, inplace


def _hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> _Cut:
    return input, min_val, max_val, inplace


def _hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> _Cut:
    return input, min_val, max_val, True


# function → reads its arguments as the function itself would
_LIMITS: dict[Any, Callable[..., _Cut]] = {
    F.relu: _relu,
    torch.relu: _relu,
    Tensor.relu: _relu,
    torch.relu_: _relu_,
    Tensor.relu_: _relu_,
    F.relu6: _relu6,
    F.hardtanh: _hardtanh,
    F.hardtanh_: _hardtanh_,
}
