"""A copy of a network to take apart, and a way to run the network itself that leaves no trace."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from reverie.errors import UsageError, first_line
from reverie.networks.inspection.outputs import tensors


def twin(module: nn.Module) -> nn.Module:
    """A frozen copy in evaluation mode, in float32 on the CPU, with parametrised weights (weight norm and the like) worked out once.

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
            made = copy.deepcopy(module, memo)
        except (TypeError, RuntimeError, NotImplementedError) as error:
            raise UsageError(f"{type(module).__name__} cannot be copied: {first_line(error)}", "give it a __deepcopy__") from error
        made = made.eval().requires_grad_(False).cpu().float()
        for part in list(made.modules()):
            if parametrize.is_parametrized(part):
                _settle(part)
        for each in made.parameters():
            each.grad = None
    return made


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
    asking = [each for each in module.parameters() if each.requires_grad]
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


_WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def signature(module: nn.Module, *, values: bool = False) -> tuple[Any, ...]:
    """What differs once a part or a tensor of the module was replaced or changed in place; with `values` also if through `.data`."""
    parts = tuple((name, type(part), id(part)) for name, part in module.named_modules())
    own = [*module.parameters(), *module.buffers()]
    if values:
        plain = (each.detach().cpu().contiguous() for each in own if each.element_size() in _WORDS)
        return tuple(zlib.crc32(each.view(_WORDS[each.element_size()]).numpy().data) for each in plain)  # a sum misses what changes places
    return (*parts, *((each.data_ptr(), -1 if each.is_inference() else each._version) for each in own))
