"""Whether there is a way for a gradient back through a network: not that it is other than zero, as that of a dead unit is."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from reverie.errors import UsageError
from reverie.networks.inspection.failures import CannotTake, taking_a_picture
from reverie.networks.prepared.prepared import Prepared
from reverie.target import CLASSES

BROKEN = "no_grad, detach or quantised weights on the way"


def without_gradient(ready: Prepared, pictures: Tensor) -> dict[str, str]:
    """For each layer that a network gives why no gradient comes from it to pictures (N, C, H, W) in 0..1; empty where one does."""
    with torch.inference_mode(False), torch.enable_grad():
        pictures = pictures.clone().requires_grad_(True)
        try:
            with taking_a_picture():
                seen = ready(pictures)
        except CannotTake as error:  # as where it makes numpy arrays on the way
            return dict.fromkeys(ready.wanted, str(error))
        return {name: broken(each, pictures) for name, each in seen.items()}


def refused(name: str, why: str, last: str | None) -> UsageError:
    """What is told of a layer from which no gradient comes to the picture; `last` is the last one from which one does."""
    what = "the class scores" if name == CLASSES else f"'{name}'"
    remedy = f"the last layer with one is '{last}'" if last else "no layer has one: take that out of its forward, for this at least"
    return UsageError(f"no gradient comes from {what} to the picture: {why}", remedy)


def broken(given: Tensor, source: Tensor) -> str:
    """Why no gradient comes from `given` to `source`, which takes one and which it was computed from; empty where one does, be it zero."""
    if not given.requires_grad:
        return BROKEN
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a kernel has no gradient, which is what we are after
        try:
            with taking_a_picture():
                (gradient,) = torch.autograd.grad(given.sum(), source, retain_graph=True, allow_unused=True)
        except CannotTake as error:
            return str(error)
    if gradient is None or not (gradient.any() or _leads(given, source)):
        return BROKEN
    return ""


def _leads(given: Tensor, source: Tensor) -> bool:
    """Whether the graph leads from one to the other by operators that have a gradient; through others PyTorch may give zeros."""
    met, due = set(), [given.grad_fn]
    while due:
        node = due.pop()
        if node is None or node in met or "NotImplemented" in node.name():
            continue
        met.add(node)
        if getattr(node, "variable", None) is source:
            return True
        due += [each for each, _ in node.next_functions]
    return False
