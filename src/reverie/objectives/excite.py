"""Excite: the weighted sum of a target's terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import torch
from torch import Tensor

from reverie.target import CLASSES, Target, Term

Judge = Callable[[Mapping[str, Tensor]], Tensor]  # activations of a batch by layer, each (N, C, …) → scores (N,)
Places = Mapping[str, Tensor]  # by layer (N, 1, H, W): how much each place counts, 1 on the whole


def logit(scores: Tensor, indices: Sequence[int]) -> Tensor:
    """(K,) class scores → that of one class (Simonyan et al. 2014).

    Of any of several the logarithm of the sum of the exponentials of theirs, which is led by the class that is ahead.
    """
    return scores[indices[0]] if len(indices) == 1 else torch.stack([scores[index] for index in indices]).logsumexp(0)


def log_odds(scores: Tensor, indices: Sequence[int]) -> Tensor:
    """(K,) class scores → the logarithm of the odds of a class, or of any of several, against all others; it never levels off.

    A logit alone grows also with what makes other classes grow more.
    """
    ends = [-1, *sorted(set(indices)), len(scores)]
    others = [scores[before + 1 : after] for before, after in pairwise(ends) if after > before + 1]  # slices: no device is waited for
    return logit(scores, indices) - torch.cat(others).logsumexp(0) if others else logit(scores, indices)


OfClass = Callable[[Tensor, Sequence[int]], Tensor]  # from all class scores (K,) and the numbers that a label means to a score


def excite(
    targets: Sequence[Target],
    class_indices: Callable[[str], Sequence[int]],
    places: Places = MappingProxyType({}),
    of_class: OfClass = logit,
) -> Judge:
    """A score for the activations of a batch, each picture by its own target: the weighted sum over the terms of

    - a layer: the mean square of its activations (Mordvintsev et al. 2015);
    - a channel: its mean over all places (Olah et al. 2017);
    - a neuron: its activation;
    - a class, or any of several: its logit, or what `of_class` makes of it.

    Args:
        targets: what to excite, one for each picture of the batch.
        class_indices: the numbers of the classes that a label means.
        places: how much each place of a layer or channel counts; without it all count alike.
        of_class: how classes are judged.
    """
    classes = {term.label: class_indices(term.label) for target in targets for term in target.terms if term.label is not None}

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([_sum(target, number, activations) for number, target in enumerate(targets)])  # (N,)

    def _sum(target: Target, number: int, activations: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([term.weight * _judged(term, number, activations) for term in target.terms]).sum()

    def _judged(term: Term, number: int, activations: Mapping[str, Tensor]) -> Tensor:
        if term.label is not None:
            return of_class(activations[CLASSES][number], classes[term.label])
        return _excitement(term, activations[term.layer][number], places[term.layer][number] if term.layer in places else None)

    return score


def _excitement(term: Term, seen: Tensor, weights: Tensor | None) -> Tensor:
    """Of a layer, a channel, a neuron, from the layer's activations (C, …), and how much each place counts (1, H, W)."""
    if term.channel is None:
        return (seen.square() if weights is None else seen.square() * weights).mean()
    seen = seen[term.channel]  # (H, W)
    if term.at is None:
        return (seen if weights is None else seen * weights[0]).mean()
    return seen[seen.shape[0] // 2, seen.shape[1] // 2] if term.at == "centre" else seen[term.at]
