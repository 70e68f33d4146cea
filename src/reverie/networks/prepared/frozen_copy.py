"""A copy of a network to take apart, and a way to run the network itself that leaves no trace."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from reverie.errors import ReverieError, UsageError, first_line
from reverie.networks.inspection.failures import is_out_of_memory
from reverie.networks.inspection.outputs import tensors
from reverie.networks.inspection.wrappers import unwrap

_OF_MODULES = frozenset(vars(nn.Module()))  # what every module has: parts, weights, hooks


def frozen_copy(module: nn.Module) -> nn.Module:
    """A frozen copy in evaluation mode, in float32 on the CPU, out of all wrappers, parametrised weights (as weight norm) worked out once.

    Raises:
        UsageError: the module holds something that cannot be copied.
    """
    with torch.inference_mode(False), torch.no_grad():  # what is made in inference mode could carry no gradient later
        memo: dict[int, Any] = {id(each): each for each in _traced(module)}
        for part in module.modules():
            for each in tensors(vars(part)):
                if each.grad_fn is not None:  # left over from a pass: PyTorch refuses to copy it
                    memo[id(each)] = each.detach().clone()
        try:
            made = _copied(module, memo)
        except ReverieError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise UsageError(f"{type(module).__name__} cannot be copied: {first_line(error)}", "give it a __deepcopy__") from error
        made = unwrap(made).eval().requires_grad_(False).cpu().float()
        for part in list(made.modules()):
            if parametrize.is_parametrized(part):
                _settle(part)
        for each in made.parameters():
            each.grad = None
    return made


def _copied(module: nn.Module, memo: dict[int, Any]) -> nn.Module:
    """A copy that shares with the module what cannot be copied and is no part of it: a lock, a queue, a log that is written."""
    try:
        return copy.deepcopy(module, dict(memo))
    except Exception as error:
        if is_out_of_memory(error):
            raise
    for part in module.modules():
        for name, each in vars(part).items():
            if name not in _OF_MODULES and id(each) not in memo and not _can_be_copied(each, memo):
                memo[id(each)] = each
    return copy.deepcopy(module, memo)


def _can_be_copied(each: object, memo: dict[int, Any]) -> bool:
    try:
        copy.deepcopy(each, dict(memo))
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return False
    return True


def _traced(module: nn.Module) -> Iterator[object]:
    """The graphs of an exported program: read when it runs, and full of tensors without values, which cannot be copied."""
    for part in module.modules():
        graph = getattr(part, "graph", None)
        if isinstance(graph, torch.fx.Graph) and not isinstance(part, torch.fx.GraphModule):
            yield graph
            yield from graph.nodes
            yield getattr(part, "input_placeholders", None)


def _settle(part: Any) -> None:
    """Put plain weights in the place of parametrised ones. (PyTorch's own way edits the class, which the original shares.)"""
    values: dict[str, Tensor] = {name: getattr(part, name).detach().clone() for name in part.parametrizations}
    part.__class__ = parametrize.type_before_parametrizations(part)
    del part.parametrizations
    for name, value in values.items():
        part.register_parameter(name, nn.Parameter(value, requires_grad=False))


@contextmanager
def at_rest(module: nn.Module) -> Iterator[None]:
    """Inside, the module is in evaluation mode and frozen; afterwards every part of it is as it was."""
    modes = [(part, part.training) for part in module.modules()]
    asking = [each for each in module.parameters() if each.requires_grad and not each.is_inference()]  # of which no graph comes
    try:
        for part, _ in modes:
            part.training = False
        for each in asking:
            each.requires_grad_(False)
        yield
    finally:
        for part, training in modes:
            part.training = training
        for each in asking:
            each.requires_grad_(True)
