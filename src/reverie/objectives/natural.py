"""How far a picture is from those that a network was trained on, by what its norms remember of them (DeepInversion: Yin et al. 2020)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

_COMPANY = 16  # unseen usual pictures among which each stands: then one that lacks something is no worse than one that has it twice
_LEAST = 1e-2  # share of the largest spread in a layer: channels that change less say nothing
_FLAT = 1e-3  # least size of a score that a distance is weighed against


def distance(activations: Mapping[str, Tensor], usual: Mapping[str, tuple[Tensor, Tensor]], still: Tensor | None = None) -> Tensor:
    """How far the pictures of a batch are, all together, so that each of them may have its own.

    The mean over layers and channels of the square of the divergence of Kullback & Leibler (1951) between normal distributions: of a
    channel in these pictures and sixteen usual ones for each of them, and in usual ones alone, in units of what a channel of twice the
    usual power has. It is 0 for channels of the usual mean and variance. Photographs differ much among themselves, and the square leaves
    a picture as free: what differs as they do costs next to nothing, what no photograph has costs all. A sum of divergences, or of
    squares of differences (Yin et al.), draws every channel to its mean instead, and the picture holds a bit of everything.

    The fewer pictures, the less deep layers count, whose channels stand for things: to the power of one over their number.

    Args:
        activations: (N, C, H, W), by layer.
        usual: mean and standard deviation (C,), by layer, from the first to the deepest.
        still: (N,), pictures that count, but have no gradient.

    Returns:
        (N,), at least 0: the same for all of them.
    """
    share, found = 1 / (1 + _COMPANY), []
    for number, (name, (mean, spread)) in enumerate(usual.items()):
        counts = spread > _LEAST * spread.max()  # (C,)
        moments = _moments(activations[name])  # (N, C) each
        if still is not None:
            moments = tuple(torch.where(still[:, None], each.detach(), each) for each in moments)  # type: ignore[assignment]
        here, square = (each.mean(0, keepdim=True).expand_as(each) for each in moments)  # (N, C) each
        off = share * (here - mean)[:, counts] / spread[counts]  # (N, c), in usual spreads
        power = share * ((square - 2 * here * mean + mean.square())[:, counts] / spread[counts].square() - 1)  # (N, c), about the mean
        variance = power - off.square()  # (N, c), less 1
        divergence = (power - torch.log1p(variance)) / _unit(share)  # (N, c)
        found.append(divergence.square().mean(1) * (1 - number / len(usual)) ** (1 / len(here)))
    return torch.stack(found).mean(0)


def _unit(share: float) -> float:
    """The divergence of a channel of the usual mean and twice the usual variance."""
    return share - math.log1p(share)


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
