"""Watching a network run: activations of any module, and a pass that stops once it has what it came for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reverie.errors import UsageError, did_you_mean, listing, nearest
from reverie.networks.inspection.attention import Attention
from reverie.networks.inspection.layer_names import ATTENTION, CLASS, LayerName

Seen = dict[str, Tensor]


class _Enough(BaseException):
    """Ends a pass early. Not an Exception, so that a network that catches those cannot hold it."""


def check_names(known: Collection[str], names: Sequence[str], levels: Collection[str] = ()) -> None:
    """Raise UsageError for a name that is none of the modules known, with the nearest that is, or that stands for one."""
    for name in names:
        bare = LayerName.parse(name, known).module
        if not bare or bare not in known:
            near = nearest(bare, (each for each in (*known, *levels) if each))
            raise UsageError(f"no layer '{name}'", did_you_mean(near) if near else _see(bare))


def _see(name: str) -> str:
    """What to do about the name of a layer that there is not."""
    function = re.sub(r"[_#]?\d*$", "", name.rpartition(".")[2])
    if function and (callable(getattr(F, function, None)) or callable(getattr(torch, function, None))):
        return f"a call of the function {function} has no name: take the module before it, or make it a module, as nn.ReLU is one"
    return f"{listing('layers')} lists them"


def first_tensor(output: Any) -> Tensor | None:
    """The tensor a module gave: itself, or the first in a tuple, list or dictionary."""
    if isinstance(output, Tensor):
        return output
    values = output.values() if isinstance(output, Mapping) else output if isinstance(output, (tuple, list)) else ()
    return next((each for each in map(first_tensor, values) if each is not None), None)


@contextmanager
def watch(module: nn.Module, *names: str, layers: Mapping[str, str] | None = None) -> Iterator[Seen]:
    """While open, each pass through `module` leaves the activations of the named modules in the dictionary.

    They are clones, safe from in-place changes further on, and part of the graph where one is recorded.
    Of a module called several times in a pass, `name#0`, `name#1` … are the calls, and the bare name is the last. `name/class` is the first
    of its tokens, (N, C), and `name/attention` what its self-attention weighs them with, (N, heads, T, T).
    Afterwards no hook is left behind.

    Args:
        layers: what a name is called in the module, where that differs.

    Raises:
        UsageError: no such layer.
    """
    called = {name: (layers or {}).get(name, name) for name in names}
    known = dict(module.named_modules())
    check_names(known, tuple(called.values()))
    asked = {name: LayerName.parse(layer, known) for name, layer in called.items()}
    seen: Seen = {}

    with ExitStack() as stack:
        _Listener(asked, lambda name, output: seen.__setitem__(name, output.clone()), seen.clear).hook(module, stack)
        yield seen


def run_until(
    module: nn.Module, x: Tensor, names: Sequence[str], calls: Mapping[str, int], *, to_the_end: bool = False
) -> tuple[Seen, Any]:
    """One pass that stops as soon as the named activations are there.

    Args:
        module: the network.
        x: (N, C, H, W), as the network takes it.
        names: modules whose activations are wanted, known to exist.
        calls: how often each module is called in a pass; 1 where it is not listed.
        to_the_end: do not stop early.

    Returns:
        activations by name, all but the one that ended the pass clones; and what the network gave, if it came to its end.
    """
    seen: Seen = {}
    output: Any = None
    asked = {name: LayerName.parse(name, calls) for name in names}
    earlier = {name: calls.get(each.module, 1) - 1 if each.call is None else 0 for name, each in asked.items()}

    def take(name: str, output: Tensor) -> None:
        if earlier[name]:  # a call before the last one, which is wanted
            earlier[name] -= 1
            return
        complete = not to_the_end and len(seen.keys() | {name}) == len(names)
        seen[name] = output if complete else output.clone()
        if complete:
            raise _Enough

    with ExitStack() as stack:
        _Listener(asked, take).hook(module, stack)
        try:
            output = module(x)
        except _Enough:
            return seen, None
    missing = [name for name in names if name not in seen]
    if missing:
        raise UsageError(f"layer '{missing[0]}' gave nothing in this pass", "it may be used in training only")
    return seen, output


class _Listener:
    """Hands on what the named modules give, pass after pass.

    Args:
        asked: layers by the names they go by; those of one module are heard together.
        take: is given a layer's name and its activations.
        fresh: is called when a pass begins.
    """

    def __init__(
        self, asked: Mapping[str, LayerName], take: Callable[[str, Tensor], None], fresh: Callable[[], None] | None = None
    ) -> None:
        self._take = take
        self._fresh = fresh
        self._wanted: dict[str, list[tuple[str, LayerName]]] = {}
        for name, each in asked.items():
            self._wanted.setdefault(each.module, []).append((name, each))
        self._ended: Counter[str] = Counter()  # calls of each module
        self._running: list[str] = []  # modules whose attention is wanted, the innermost last

    def hook(self, module: nn.Module, stack: ExitStack) -> None:
        """Listen until the stack is closed."""
        stack.callback(module.register_forward_pre_hook(self._begin).remove)
        attending = {bare for bare, asked in self._wanted.items() if any(each.part == ATTENTION for _, each in asked)}
        for bare in self._wanted:
            part = module.get_submodule(bare)
            if bare in attending:
                stack.callback(part.register_forward_pre_hook(partial(self._enter, bare)).remove)
            stack.callback(part.register_forward_hook(partial(self._leave, bare)).remove)
        if attending:
            stack.enter_context(Attention(lambda: bool(self._running), self._attended))

    def _begin(self, _module: nn.Module, _inputs: Any) -> None:
        self._ended.clear()
        self._running.clear()
        if self._fresh is not None:
            self._fresh()

    def _enter(self, bare: str, _module: nn.Module, _inputs: Any) -> None:
        self._running.append(bare)

    def _leave(self, bare: str, _module: nn.Module, _inputs: Any, output: Any) -> None:
        tensor = first_tensor(output)
        if tensor is not None:
            self._give(bare, tensor, of_attention=False)
        self._ended[bare] += 1
        if self._running[-1:] == [bare]:
            self._running.pop()

    def _attended(self, weights: Tensor) -> None:
        self._give(self._running.pop(), weights, of_attention=True)  # of several in one module, the first is its own

    def _give(self, bare: str, tensor: Tensor, of_attention: bool) -> None:
        for name, asked in self._wanted[bare]:
            if asked.call in (None, self._ended[bare]) and (asked.part == ATTENTION) == of_attention:
                self._take(name, tensor[:, 0] if asked.part == CLASS else tensor)
