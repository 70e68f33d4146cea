"""How far a picture is from those that a network was trained on, by what its norms remember of them (DeepInversion: Yin et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

_LEAST = 1e-2  # share of the largest spread in a layer: channels that change less say nothing
_EMPTY = 1e-4  # of a usual variance: less counts as this
_FLAT = 1e-3  # least size of a score that a distance is weighed against


def distance(activations: Mapping[str, Tensor], usual: Mapping[str, tuple[Tensor, Tensor]], still: Tensor | None = None) -> Tensor:
    """How far the pictures of a batch are, all together, so that each of them may have its own.

    The mean over layers of the divergence of Kullback & Leibler (1951) between normal distributions: of each channel here, and as usual.
    It is 0 for channels of the usual mean and variance. A single photograph has 0.2 to 0.4 over all norms of lite0, as it never shows
    all that a network knows; pictures of nothing but texture have 0.7 to 0.9. A sum of squares (Yin et al.) is led by deep channels that
    are silent in most single pictures; here a channel that varies less than usual costs little, one that varies more is expensive.

    Args:
        activations: (N, C, H, W), by layer.
        usual: mean and standard deviation (C,), by layer.
        still: (N,), pictures that count, but have no gradient.

    Returns:
        (N,), at least 0: the same for all of them.
    """
    found = []
    for name, (mean, spread) in usual.items():
        counts = spread > _LEAST * spread.max()  # (C,)
        moments = _moments(activations[name])  # (N, C) each
        if still is not None:
            moments = tuple(torch.where(still[:, None], each.detach(), each) for each in moments)  # type: ignore[assignment]
        here, square = (each.mean(0, keepdim=True).expand_as(each) for each in moments)  # (N, C) each
        variance = (square - here.square())[:, counts] / spread[counts].square()  # (N, c), in usual ones
        off = (here - mean)[:, counts] / spread[counts]  # (N, c), in usual spreads
        found.append((off.square() + variance - 1 - variance.clamp_min(_EMPTY).log()).mean(1) / 2)
    return torch.stack(found).mean(0)


def beside(score: Tensor, away: Tensor, weight: float) -> Tensor:
    """The score as it is, with the gradient of log |score| − weight × log distance: so that a weight means the same for every target.

    A picture whose score is exactly 0, as of a dead unit, has the gradient of the score alone.

    Args:
        score, away: (N,), a score and a distance of at least 0.
    """
    now, far = score.detach(), away.detach().clamp_min(torch.finfo(away.dtype).tiny)
    pull = score / now.abs().clamp_min(_FLAT) - weight * torch.where(now == 0, torch.zeros_like(away), away / far)  # (N,)
    return now + (pull - pull.detach())


def _moments(seen: Tensor) -> tuple[Tensor, Tensor]:
    """(N, C, H, W) → mean and mean square of each channel, (N, C) each."""
    found: tuple[Tensor, Tensor] = _Moments.apply(seen)  # type: ignore[no-untyped-call]
    return found


class _Moments(torch.autograd.Function):
    # autograd by itself keeps and reads copies of all that is squared

    @staticmethod
    def forward(ctx: Any, seen: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(seen)
        places = seen.flatten(2).transpose(1, 2)  # (N, H * W, C), a view where channels are last in memory
        return places.mean(1), torch.linalg.vector_norm(places, dim=1).square() / places.shape[1]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, of_mean: Tensor, of_square: Tensor) -> Tensor:
        (seen,) = ctx.saved_tensors
        count = seen.shape[2] * seen.shape[3]
        return torch.addcmul((of_mean / count)[..., None, None], seen, (2 * of_square / count)[..., None, None])
