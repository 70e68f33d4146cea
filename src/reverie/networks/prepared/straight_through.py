"""A pass whose gradient is that of the weights alone: what feeds what, whatever the picture (Voss et al. 2021, "Visualizing Weights").

Each ReLU and its like hands gradients on as they come; each gate, and what attention weighs places by, counts as a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


class StraightThrough(TorchFunctionMode):
    """While open in this thread, gradients go straight through activation functions and not through gates; modules call the functions.

    What a pass gives is as it was. The gradient of convolutions, sums, means, norms and linear layers is their own, and so is that of
    `nn.MultiheadAttention`, which calls none of these functions where a mode could hear it.
    """

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        given = dict(kwargs or {})
        if func in _CONSTANT:
            return func(*args, **given).detach()
        if func is F.scaled_dot_product_attention and len(args) >= 2:
            return func(args[0].detach(), args[1].detach(), *args[2:], **given)
        if func in _STRAIGHT:
            x, *rest = args or (given.pop("input"),)
            if x.requires_grad:
                values = x.detach().clone()
                made = func(values, *rest, **given)
                through: Tensor = _Straight.apply(x, made)  # type: ignore[no-untyped-call]
                return x.copy_(through) if made.data_ptr() == values.data_ptr() else through  # the first: it works in place
            return func(x, *rest, **given)
        return func(*args, **given)


class _Straight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, made: Tensor) -> Tensor:
        return made.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return gradients[0], None


_STRAIGHT: frozenset[Any] = frozenset(
    {
        F.relu, F.relu6, F.hardtanh, F.leaky_relu, F.elu, F.selu, F.celu, F.rrelu, F.prelu, F.threshold, F.silu, F.gelu, F.mish,
        F.hardswish, F.softplus, F.tanh, F.hardtanh_, F.leaky_relu_, F.elu_, F.selu_, F.celu_, F.rrelu_, torch.threshold_,
        torch.relu, torch.relu_, torch.prelu, torch.tanh, torch.tanh_, torch.clamp, torch.clamp_, torch.clip, torch.clip_, torch.clamp_min,
        torch.clamp_min_, torch.clamp_max, torch.clamp_max_,
        Tensor.relu, Tensor.relu_, Tensor.tanh, Tensor.tanh_, Tensor.clamp, Tensor.clamp_, Tensor.clip, Tensor.clip_, Tensor.clamp_min,
        Tensor.clamp_min_, Tensor.clamp_max, Tensor.clamp_max_,
    }
)  # fmt: skip
_CONSTANT: frozenset[Any] = frozenset(
    {torch.sigmoid, Tensor.sigmoid, F.sigmoid, F.hardsigmoid, torch.softmax, Tensor.softmax, F.softmax}
)  # fmt: skip


def activations_between(given: Tensor, source: Tensor) -> int:
    """How many activation functions gradients went straight through, from `given`, which was computed in such a pass, to `source`."""
    leads: dict[Any, bool] = {}

    def reaches(node: Any) -> bool:
        due = [node]
        while due:
            here = due[-1]
            following = [each for each, _ in here.next_functions if each is not None]
            fresh = [each for each in following if each not in leads]
            if fresh:
                due += fresh
                continue
            leads[here] = getattr(here, "variable", None) is source or any(leads[each] for each in following)
            due.pop()
        return leads[node]

    if given.grad_fn is not None:
        reaches(given.grad_fn)
    return sum(found and node.name() == "_StraightBackward" for node, found in leads.items())
