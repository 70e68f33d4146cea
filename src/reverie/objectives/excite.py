"""Excite: the weighted sum of a target's terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from reverie.target import CLASSES, Target, Term

Judge = Callable[[Mapping[str, Tensor]], Tensor]  # activations of a batch by layer, each (N, C, …) → scores (N,)


def excite(targets: Sequence[Target], class_indices: Callable[[str], Sequence[int]]) -> Judge:
    """A score for the activations of a batch, each picture by its own target: the weighted sum over the terms of

    - a layer: the mean square of its activations (Mordvintsev et al. 2015);
    - a channel: its mean over all places (Olah et al. 2017);
    - a neuron: its activation;
    - a class: its logit (Simonyan et al. 2014);
    - any of several classes: the logarithm of the sum of the exponentials of their logits, which is led by the class that is ahead.

    Args:
        targets: what to excite, one for each picture of the batch.
        class_indices: the numbers of the classes that a label means.
    """
    classes = {term.label: class_indices(term.label) for target in targets for term in target.terms if term.label is not None}

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([_sum(target, number, activations, classes) for number, target in enumerate(targets)])  # (N,)

    return score


def _sum(target: Target, number: int, activations: Mapping[str, Tensor], classes: Mapping[str, Sequence[int]]) -> Tensor:
    parts = [term.weight * _excitement(term, number, activations, classes) for term in target.terms]
    return torch.stack(parts).sum()


def _excitement(term: Term, number: int, activations: Mapping[str, Tensor], classes: Mapping[str, Sequence[int]]) -> Tensor:
    if term.label is not None:
        logits, meant = activations[CLASSES][number], classes[term.label]  # (K,)
        return logits[meant[0]] if len(meant) == 1 else logits[list(meant)].logsumexp(0)
    seen = activations[term.layer][number]  # (C, …)
    if term.channel is None:
        return seen.square().mean()
    seen = seen[term.channel]  # (H, W)
    if term.at is None:
        return seen.mean()
    return seen[seen.shape[0] // 2, seen.shape[1] // 2] if term.at == "centre" else seen[term.at]
