"""How class scores are read from what a network gives: as they are, from probabilities, from one number for two classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reverie.networks.inspection.failures import CannotTake, run
from reverie.networks.inspection.outputs import class_scores, named, unclear, which, with_rows

_OFF = 1e-4  # of the sum of probabilities, by which rounding may miss 1
_LEAST = 1e-7  # of a chance, and what is left to 1: float32 tells no finer
# what hands numbers on as they are, by the names of its backward passes
_HANDED_ON = (
    "Squeeze",
    "Unsqueeze",
    "View",
    "UnsafeView",
    "Reshape",
    "Select",
    "Slice",
    "Alias",
    "Clone",
    "Permute",
    "Transpose",
    "ToCopy",
)


@dataclass(frozen=True)
class Reading:
    """Where the class scores are in an output, and what they are.

    Attributes:
        name: of the entry, as `outputs.named` has it.
        classes: how many.
        gives: `scores`; `probabilities` that sum to 1; `chances`, each between 0 and 1 by itself, as a sigmoid gives them.
        is_pair: its one number is for the second of two classes, against the first.
        is_map: it gives them for every place.
    """

    name: str
    classes: int
    gives: Literal["scores", "probabilities", "chances"] = "scores"
    is_pair: bool = False
    is_map: bool = False

    def scores(self, output: Any, count: int) -> Tensor:
        """(N, K) of an output for so many pictures: what can be climbed, for a probability its logarithm, for a chance that of its odds.

        Raises:
            UsageError: the output has not a row for each picture.
        """
        found = class_scores(output, self.name, count)
        if self.gives == "probabilities":
            found = found.clamp_min(torch.finfo(found.dtype).tiny).log()
        elif self.gives == "chances":
            found = found.logit(max(_LEAST, torch.finfo(found.dtype).eps / 2))
        return F.pad(found, (1, 0)) if self.is_pair else found

    def probabilities(self, scores: Tensor) -> Tensor:
        """(K,) scores → the probability of each class, 0..1."""
        return scores.sigmoid() if self.gives == "chances" and not self.is_pair else scores.softmax(0)


def reading_of(module: nn.Module, picture: Tensor, output: Any, pair: Any, name: str | None, labels: int) -> Reading:
    """Which entry of an output is the class scores, and what they are, by what pictures gave.

    Args:
        module: what gave it for the picture (1, C, H, W), as the network takes it.
        pair: what it gave for two other pictures: there the scores have two rows; None where it takes no two.
        name: of the entry, if somebody named it.
        labels: how many classes have a name.

    Raises:
        UsageError: it is not clear.
    """
    found = which(output, name, 1, labels=labels) if pair is None else which(pair, name, 2, output, labels)
    alone = class_scores(output, found, 1)  # (1, K)
    beside = None if pair is None else class_scores(pair, found, 2)  # (2, K)
    if beside is not None and beside.shape[1] != alone.shape[1]:
        raise unclear(named(output), labels)
    rows = alone if beside is None else torch.cat([alone, beside])  # (N, K)
    whole = with_rows(named(output)[found], 1)
    is_pair = alone.shape[1] == 1 and labels == 2
    return Reading(
        found, 2 if is_pair else alone.shape[1], _given(module, picture, found, rows), is_pair, whole is not None and whole.dim() > 2
    )


def _given(module: nn.Module, picture: Tensor, name: str, rows: Tensor) -> Literal["scores", "probabilities", "chances"]:
    """What the rows (N, K) of an entry are."""
    if not bool(((rows >= 0) & (rows <= 1 + _OFF)).all()):
        return "scores"
    if rows.shape[1] > 1 and bool(((rows.double().sum(1) - 1).abs() < _OFF).all()):
        return "probabilities"
    return "chances" if _ends_in_sigmoid(module, picture, name) else "scores"


def _ends_in_sigmoid(module: nn.Module, picture: Tensor, name: str) -> bool:
    """Whether it is a sigmoid that keeps an entry between 0 and 1: the numbers themselves could be there by chance."""
    try:
        with torch.enable_grad():
            output = run(module, picture.detach().requires_grad_(True), graded=True)
    except CannotTake:
        return False
    node: Any = named(output)[name].grad_fn
    while node is not None and node.name().removesuffix("0").startswith(_HANDED_ON):
        node = node.next_functions[0][0]
    return node is not None and node.name().startswith("SigmoidBackward")
