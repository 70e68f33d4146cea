"""Passes that are watched from end to end: one at the native size, one twice as wide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reverie.networks.inspection.attention import Attention
from reverie.networks.inspection.failures import CannotTake, run
from reverie.networks.inspection.hooks import first_tensor
from reverie.networks.inspection.receptive_fields import Field, FieldTracer


class Call(NamedTuple):
    """One call of a module, and what one value of its output sees."""

    name: str
    module: nn.Module
    source: Tensor | None
    output: Tensor
    field: Field | None


@dataclass
class NativePass:
    """What a pass at the native size showed.

    Attributes:
        calls: in the order in which they end.
        heads: by module and call, how many its attention has.
        output: what the network gave.
        readers: by the id of an output, how many operators read it.
        graded: it asks for gradients in its own forward.
    """

    calls: list[Call] = field(default_factory=list)
    heads: dict[tuple[str, int], int] = field(default_factory=dict)
    output: Any = None
    readers: dict[int, int] = field(default_factory=dict)
    graded: bool = False


@dataclass
class WidePass:
    """The shapes that each module gave for a picture twice as wide, call by call; and what came out, if the pass came to its end."""

    shapes: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    output: Any = None
    ended: bool = False

    def shape(self, name: str, call: int) -> tuple[int, ...] | None:
        """Of a call, counted from 0; None where there was none."""
        found = self.shapes.get(name, [])
        return found[call] if call < len(found) else None

    def free(self, calls: Sequence[Call]) -> frozenset[str]:
        """Modules that gave as many outputs as at the native size, and where that was one row for the picture, one row again.

        Places that were moved into the batch, as by `x.reshape(-1, 16 * 7 * 7)`, are rows of one picture that look like several.
        """
        counts, apart = Counter(call.name for call in calls), set[str]()
        numbers = Counter[str]()
        for call in calls:
            shape = self.shape(call.name, numbers[call.name])
            numbers[call.name] += 1
            if call.output.shape[:1] == (1,) and shape is not None and shape[:1] != (1,):
                apart.add(call.name)
        return frozenset(name for name, count in counts.items() if len(self.shapes.get(name, ())) >= count and name not in apart)


def native_pass(module: nn.Module, picture: Tensor) -> NativePass:
    """One pass of a picture (1, C, H, W), every module and operator watched; with gradients only where there is none without.

    Raises:
        CannotTake: the network cannot take a picture of this size.
    """
    try:
        return _native_pass(module, picture, graded=False)
    except CannotTake:
        try:
            return _native_pass(module, picture, graded=True)
        except CannotTake:
            pass
        raise


def _native_pass(module: nn.Module, picture: Tensor, *, graded: bool) -> NativePass:
    picture = picture.detach().requires_grad_(graded)
    with torch.set_grad_enabled(graded), FieldTracer(picture) as tracer, ExitStack() as stack:
        recorder = _Recorder(tracer)
        recorder.hook(module, stack)
        seen = recorder.seen
        seen.graded = graded
        seen.output = run(module, picture, graded=graded)
        seen.readers = {id(call.output): tracer.readers.get(call.output, 0) for call in seen.calls}
    return seen


class _Recorder:
    """Writes down what is called, and whose attention is worked out."""

    def __init__(self, tracer: FieldTracer) -> None:
        self.seen = NativePass()
        self._tracer = tracer
        self._running: list[tuple[str, nn.Module]] = []  # the innermost last
        self._begun: Counter[str] = Counter()

    def hook(self, module: nn.Module, stack: ExitStack) -> None:
        """Listen to every part until the stack is closed."""
        for name, part in module.named_modules():
            if name:
                stack.callback(part.register_forward_pre_hook(partial(self._enter, name)).remove)
                stack.callback(part.register_forward_hook(partial(self._leave, name)).remove)
        stack.enter_context(Attention(lambda: bool(self._running), self._attended))

    def _enter(self, name: str, part: nn.Module, _inputs: Any) -> None:
        self._running.append((name, part))
        self._begun[name] += 1

    def _leave(self, name: str, part: nn.Module, inputs: Any, output: Any) -> None:
        self._running.pop()
        tensor = first_tensor(output)
        if tensor is not None:
            self.seen.calls.append(Call(name, part, first_tensor(inputs), tensor, self._tracer.field(tensor)))

    def _attended(self, weights: Tensor) -> None:
        if not self._running or weights.shape[0] != 1:
            return
        name, part = self._running[-1]
        if next(part.children(), None) is None and len(self._running) > 1 and isinstance(part, (nn.Softmax, nn.Dropout)):
            name, part = self._running[-2]
        self.seen.heads.setdefault((name, self._begun[name] - 1), weights.shape[1])


def wide_pass(module: nn.Module, picture: Tensor, *, graded: bool = False) -> WidePass:
    """A pass of a picture (1, C, H, W) put beside itself."""
    seen = WidePass()

    def note(name: str, _part: nn.Module, _inputs: Any, output: Any) -> None:
        tensor = first_tensor(output)
        seen.shapes.setdefault(name, []).append(() if tensor is None else tuple(tensor.shape))

    with torch.no_grad(), ExitStack() as stack:
        for name, part in module.named_modules():
            if name:
                stack.callback(part.register_forward_hook(partial(note, name)).remove)
        with suppress(CannotTake):
            seen.output = run(module, torch.cat([picture, picture], 3), graded=graded)  # of (1, C, H, 2W)
            seen.ended = True
    return seen
