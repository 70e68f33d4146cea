"""Match and exaggerate: what layers see in a picture, against what they saw in another, or along a direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.objectives.excite import Judge, Places
from reverie.target import Target


def guide(target: Target, seen: Mapping[str, Tensor]) -> Judge:
    """Each place shall see more of what the most similar place of the guide sees (Mordvintsev et al. 2015, guided dreams).

    The score is the mean over places of the largest dot product with the activations of any place of the guide.

    Args:
        target: layers, with weights.
        seen: activations of the guide, by layer: (1, C, H, W).
    """
    wanted = {name: seen[name][0].flatten(1) for name in target.layers()}  # (C, P)

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        total = []
        for term in target.terms:
            here = activations[term.layer].flatten(2)  # (N, C, Q)
            alike = torch.einsum("ncq,cp->nqp", here, wanted[term.layer])  # (N, Q, P)
            total.append(term.weight * alike.amax(2).mean(1))
        return torch.stack(total).sum(0)  # (N,)

    return score


def caricature(target: Target, seen: Mapping[str, Tensor]) -> Judge:
    """More of what each place of the start already says: dot product times cosine (Olah et al., Lucid's caricatures, 2018).

    Args:
        target: layers, with weights.
        seen: activations of the start at this size, by layer: (1, C, H, W). Where the picture was moved they are compared by place
            all the same, so what belongs to a place must not be moved far.
    """
    wanted = {name: seen[name] for name in target.layers()}

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        total = []
        for term in target.terms:
            here, there = activations[term.layer].flatten(1), wanted[term.layer].flatten(1)
            dot = (here * there).mean(1)  # (N,)
            total.append(term.weight * dot * F.cosine_similarity(here, there).clamp_min(0.1))
        return torch.stack(total).sum(0)  # (N,)

    return score


def rebuild(targets: Sequence[Target], seen: Mapping[str, Tensor]) -> Judge:
    """Each place shall see just what it saw in another picture of the same size (Mahendran & Vedaldi 2015).

    The score is the relative error, negative: 0 where nothing differs.

    Args:
        targets: layers, with weights, for each picture of the batch.
        seen: activations of the picture to be rebuilt, by layer: (1, C, H, W).
    """

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        total = []
        for number, target in enumerate(targets):
            errors = [term.weight * relative_error(activations[term.layer][number], seen[term.layer][0]) for term in target.terms]
            total.append(-torch.stack(errors).sum())
        return torch.stack(total)  # (N,)

    return score


def relative_error(here: Tensor, there: Tensor) -> Tensor:
    """‖here − there‖² / ‖there‖², a number: 0 where nothing differs, 1 as far away as no activation at all. Both of the same shape."""
    return (here - there).square().sum() / there.square().sum().clamp_min(1e-12)


def direction(target: Target, vector: Tensor, places: Places = MappingProxyType({})) -> Judge:
    """Every place shall lie along a direction in the layer's channels: dot product times cosine (Carter et al. 2019).

    Args:
        target: layers of as many channels as the vector has, with weights.
        vector: (C,), of any length but 0; or (N, C), one for each picture of the batch.
        places: how much each place of a layer counts; without it all count alike.
    """
    unit, product = F.normalize(vector, dim=-1), "ncp,c->np" if vector.dim() == 1 else "ncp,nc->np"

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        total = []
        for term in target.terms:
            here = activations[term.layer].flatten(2)  # (N, C, P)
            along = torch.einsum(product, here, unit)  # (N, P)
            cosine = along / here.norm(dim=1).clamp_min(1e-12)
            if term.layer in places:
                along = along * places[term.layer].flatten(1)
            total.append(term.weight * (along * cosine.clamp_min(0.1)).mean(1))
        return torch.stack(total).sum(0)  # (N,)

    return score


def diverse(judge: Judge, layers: tuple[str, ...], weight: float = 1.0) -> Judge:
    """The same score, less for pictures of a batch that are alike: mean cosine of their Gram matrices (Olah et al. 2017).

    The pictures of a batch then depend on each other. What likeness costs is a share of the score itself, whatever its units.
    """

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        plain = judge(activations)  # (N,)
        count = len(plain)
        if count < 2:
            return plain
        likeness = torch.stack([_likeness(activations[name]) for name in layers]).mean(0)  # (N,)
        return plain - weight * plain.detach().abs().clamp_min(1e-6) * likeness

    return score


def _likeness(seen: Tensor) -> Tensor:
    """(N, C, …) → (N,): of each picture to the others, as cosine of Gram matrices of activations that were freed of their mean."""
    flat = seen.flatten(2) if seen.dim() > 2 else seen[..., None]  # (N, C, P)
    flat = flat - flat.mean(dim=(0, 2), keepdim=True)
    gram = torch.einsum("ncp,ndp->ncd", flat, flat).flatten(1)  # (N, C·C)
    gram = F.normalize(gram, dim=1)
    alike = gram @ gram.T  # (N, N)
    return (alike.sum(1) - alike.diagonal()) / (len(alike) - 1)
