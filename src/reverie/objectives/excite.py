"""Excite: the weighted sum of a target's terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor

from reverie.target import CLASSES, Target, Term

Judge = Callable[[Mapping[str, Tensor]], Tensor]  # activations of a batch by layer, each (N, C, …) → scores (N,)
Places = Mapping[str, Tensor]  # by layer (N, 1, H, W): how much each place counts, 1 on the whole


def excite(targets: Sequence[Target], class_index: Callable[[str], int], places: Places = MappingProxyType({})) -> Judge:
    """A score for the activations of a batch, each picture by its own target: the weighted sum over the terms of

    - a layer: the mean square of its activations (Mordvintsev et al. 2015);
    - a channel: its mean over all places (Olah et al. 2017);
    - a neuron: its activation;
    - a class: its logit (Simonyan et al. 2014).

    Args:
        targets: what to excite, one for each picture of the batch.
        class_index: the number of a class from its label.
        places: how much each place of a layer or channel counts; without it all count alike.
    """
    classes = {term.label: class_index(term.label) for target in targets for term in target.terms if term.label is not None}

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([_sum(target, number, activations, classes, places) for number, target in enumerate(targets)])  # (N,)

    return score


def _sum(target: Target, number: int, activations: Mapping[str, Tensor], classes: Mapping[str, int], places: Places) -> Tensor:
    parts = [term.weight * _excitement(term, number, activations, classes, places) for term in target.terms]
    return torch.stack(parts).sum()


def _excitement(term: Term, number: int, activations: Mapping[str, Tensor], classes: Mapping[str, int], places: Places) -> Tensor:
    if term.label is not None:
        return activations[CLASSES][number, classes[term.label]]
    seen = activations[term.layer][number]  # (C, …)
    weights = places[term.layer][number] if term.layer in places else None  # (1, H, W)
    if term.channel is None:
        return (seen.square() if weights is None else seen.square() * weights).mean()
    seen = seen[term.channel]  # (H, W)
    if term.at is None:
        return (seen if weights is None else seen * weights[0]).mean()
    return seen[seen.shape[0] // 2, seen.shape[1] // 2] if term.at == "centre" else seen[term.at]
