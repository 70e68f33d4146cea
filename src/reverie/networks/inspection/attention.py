"""Where attention goes: the weights that PyTorch's attention works out and does not give away."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_SOFTMAX = (torch.softmax, Tensor.softmax, F.softmax)


class Attention(TorchFunctionMode):
    """While open in this thread, `take` is given the weights (N, heads, T, T) of each self-attention, in the order of a pass.

    `here` says whether anybody wants them now. Attention that weighs windows of a picture apart (N is then no longer the number of
    pictures) is handed on as it is.
    """

    def __init__(self, here: Callable[[], bool], take: Callable[[Tensor], None]) -> None:
        super().__init__()
        self.here = here
        self.take = take

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        if not self.here():
            return func(*args, **kwargs)
        if func is F.multi_head_attention_forward:
            output, weights = func(*args, **{**kwargs, "need_weights": True, "average_attn_weights": False})
            self._give(weights)
            return output, None
        if func is F.scaled_dot_product_attention:
            self._give(_weights(*args, **kwargs))
            return func(*args, **kwargs)
        output = func(*args, **kwargs)
        if func in _SOFTMAX:
            self._give(output)
        return output

    def _give(self, weights: Any) -> None:
        if isinstance(weights, Tensor) and weights.dim() == 4 and weights.shape[2] == weights.shape[3] > 1:
            self.take(weights)


def _weights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor | None:
    """What `scaled_dot_product_attention` multiplies the values with: (N, heads, T, S); None of shapes that are not of that kind."""
    if query.dim() != 4 or key.dim() != 4:
        return None
    if enable_gqa and key.shape[1] != query.shape[1]:
        key = key.repeat_interleave(query.shape[1] // key.shape[1], 1)
    logits = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)  # (N, heads, T, S)
    if is_causal:
        logits = logits.masked_fill(torch.ones_like(logits, dtype=torch.bool).triu(1), -math.inf)
    if attn_mask is not None:
        logits = logits.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else logits + attn_mask
    return logits.softmax(-1)
