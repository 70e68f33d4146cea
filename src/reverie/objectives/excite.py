"""Excite: the weighted sum of a target's terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from reverie.target import CLASSES, Target, Term

Judge = Callable[[Mapping[str, Tensor]], Tensor]  # activations of a batch by layer, each (N, C, …) → scores (N,)


def logit(scores: Tensor, index: int) -> Tensor:
    """(K,) class scores → that of one class (Simonyan et al. 2014)."""
    return scores[index]


def log_odds(scores: Tensor, index: int) -> Tensor:
    """(K,) class scores → the logarithm of a class's probability against that of all others together; it never levels off.

    A logit alone grows also with what makes other classes grow more.
    """
    return scores[index] - torch.cat([scores[:index], scores[index + 1 :]]).logsumexp(0) if len(scores) > 1 else scores[index]


def excite(targets: Sequence[Target], class_index: Callable[[str], int], of_class: Callable[[Tensor, int], Tensor] = logit) -> Judge:
    """A score for the activations of a batch, each picture by its own target: the weighted sum over the terms of

    - a layer: the mean square of its activations (Mordvintsev et al. 2015);
    - a channel: its mean over all places (Olah et al. 2017);
    - a neuron: its activation;
    - a class: its logit, or what `of_class` makes of it.

    Args:
        targets: what to excite, one for each picture of the batch.
        class_index: the number of a class from its label.
        of_class: from all class scores (K,) and a class's number to a score.
    """
    classes = {term.label: class_index(term.label) for target in targets for term in target.terms if term.label is not None}

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([_sum(target, number, activations, classes, of_class) for number, target in enumerate(targets)])  # (N,)

    return score


def _sum(
    target: Target, number: int, activations: Mapping[str, Tensor], classes: Mapping[str, int], of_class: Callable[[Tensor, int], Tensor]
) -> Tensor:
    parts = [
        term.weight * (
            _excitement(term, activations[term.layer][number]) if term.label is None
            else of_class(activations[CLASSES][number], classes[term.label])
        )
        for term in target.terms
    ]  # fmt: skip
    return torch.stack(parts).sum()


def _excitement(term: Term, seen: Tensor) -> Tensor:
    """Of a layer, a channel, a neuron, from the layer's activations (C, …)."""
    if term.channel is None:
        return seen.square().mean()
    seen = seen[term.channel]  # (H, W)
    if term.at is None:
        return seen.mean()
    return seen[seen.shape[0] // 2, seen.shape[1] // 2] if term.at == "centre" else seen[term.at]
