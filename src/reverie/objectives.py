"""How a target is judged on activations. Never sees a network: it is handed tensors, and told the number of a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from reverie.target import CLASSES, Target, Term


def excite(target: Target, class_index: Callable[[str], int]) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """A score for the activations of a batch: the weighted sum over the target's terms of

    - a layer: the mean square of its activations (Mordvintsev et al. 2015);
    - a channel: its mean over all places (Olah et al. 2017);
    - a neuron: its activation;
    - a class: its logit (Simonyan et al. 2014).

    Args:
        target: what to excite.
        class_index: the number of a class from its label.

    Returns:
        a function from activations by layer, each (N, C, …), to scores (N,).
    """
    classes = {term.label: class_index(term.label) for term in target.terms if term.label is not None}

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        parts = [term.weight * _excitement(term, activations, classes) for term in target.terms]
        return torch.stack(parts).sum(0)  # (N,)

    return score


def _excitement(term: Term, activations: Mapping[str, Tensor], classes: Mapping[str, int]) -> Tensor:
    if term.label is not None:
        return activations[CLASSES][:, classes[term.label]]
    seen = activations[term.layer]  # (N, C, H, W)
    if term.channel is None:
        return seen.square().flatten(1).mean(1)
    if term.at is None:
        return seen[:, term.channel].flatten(1).mean(1)
    return seen[:, term.channel, term.at[0], term.at[1]]
