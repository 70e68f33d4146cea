"""What a network is made of, learnt by watching one pass: its layers, and which convolution feeds which normalisation and activation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reverie.errors import UsageError
from reverie.networks.outputs import class_scores
from reverie.networks.receptive import Field, FieldTracer
from reverie.networks.watch import first_tensor

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
ACTIVATIONS = (nn.ReLU, nn.ReLU6)


class Layer(NamedTuple):
    """A place where a network can be looked into, at its native size.

    `receptive_field` is the side, in pixels, of the square of the picture that one value can depend on; None is all of it.
    `level` is the plain-language level that stands for this layer, or None.
    """

    name: str
    kind: str
    channels: int
    height: int
    width: int
    stride: int
    receptive_field: int | None
    level: str | None = None


@dataclass(frozen=True)
class Chain:
    """A convolution whose output only `norm` reads, and a `norm` (or convolution) whose output only `act` reads; by module name.

    `onward`: only another convolution reads what `act` gives.
    """

    conv: str
    norm: str | None = None
    act: str | None = None
    onward: bool = False


@dataclass
class Anatomy:
    """What one pass showed.

    `calls`, `shapes`, `strides`, `reaches`: by module name, in the order in which they end; of a module called several times also by
    `name#0`, `name#1` … A reach is the side, in pixels, of what one value can depend on; it is missing where that is all of the picture.
    `hands_on`: modules that give the very tensor a convolution gave them, with that convolution. `classes`: None where it is not clear.
    """

    layers: list[Layer] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    norms: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    strides: dict[str, int] = field(default_factory=dict)
    reaches: dict[str, int] = field(default_factory=dict)
    hands_on: dict[str, str] = field(default_factory=dict)
    classes: int | None = None


class _Call(NamedTuple):
    name: str
    module: nn.Module
    source: Tensor | None
    output: Tensor
    field: Field | None


def examine(module: nn.Module, picture: Tensor, levels: Mapping[str, str], scores: str | None = None) -> Anatomy:
    """Watch one pass.

    Args:
        module: the network, in evaluation mode.
        picture: (1, C, H, W), at the native size, as the network takes it.
        levels: plain-language levels by layer name.
        scores: the name of the output that is the class scores, if it has one.

    Raises:
        UsageError: it cannot take a picture of this size.
    """
    altered = {name for name, part in module.named_modules() if _is_altered(part)}
    calls: list[_Call] = []
    with torch.no_grad(), FieldTracer(picture) as tracer, ExitStack() as stack:
        for name, part in module.named_modules():
            if name:
                stack.callback(part.register_forward_hook(_recorder(name, calls, tracer)).remove)
        try:
            output = module(picture)
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, ValueError, AssertionError) as error:
            size = "×".join(str(side) for side in picture.shape[2:])
            fault = (str(error).splitlines() or [type(error).__name__])[0][:160]
            raise UsageError(f"{type(module).__name__} cannot take a picture of {size}: {fault}", "say its native size: size=…") from error
        readers = {id(call.output): tracer.readers.get(call.output, 0) for call in calls}
    anatomy = Anatomy(norms=sum(isinstance(part, NORMS) for part in module.modules()))
    with suppress(UsageError):
        anatomy.classes = class_scores(output, scores).shape[1]
    anatomy.calls = Counter(call.name for call in calls)
    given: dict[int, str] = {}  # which part that may be folded gave a tensor
    again: Counter[str] = Counter()
    for call in calls:
        numbered = f"{call.name}#{again[call.name]}"
        again[call.name] += 1
        names = (call.name, numbered) if anatomy.calls[call.name] > 1 else (call.name,)
        for name in names:
            anatomy.shapes[name] = tuple(call.output.shape)
            if call.field is not None:
                anatomy.strides[name] = max(1, round(max(call.field.stride)))
                if not math.isinf(max(call.field.size)):
                    anatomy.reaches[name] = math.ceil(max(call.field.size))
        if id(call.output) in given:
            anatomy.hands_on[call.name] = given[id(call.output)]
        elif isinstance(call.module, (*CONVOLUTIONS, *NORMS, *ACTIVATIONS)):
            given[id(call.output)] = call.name
        if call.output.dim() == 4 and _is_listed(call.module):
            anatomy.layers.append(_layer(call, names[-1], levels))
    anatomy.chains = _chains([call for call in calls if call.name not in altered], anatomy.calls, readers)
    return anatomy


def _recorder(name: str, calls: list[_Call], tracer: FieldTracer) -> Any:
    def record(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        tensor = first_tensor(output)
        if tensor is not None:
            calls.append(_Call(name, module, first_tensor(inputs), tensor, tracer.field(tensor)))

    return record


def _is_altered(part: nn.Module) -> bool:
    """Whether it may do more than its class says (a hook, as old weight norm has), or cannot take a norm in."""
    hooked = part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or part._backward_pre_hooks
    return bool(hooked) or (isinstance(part, nn.ConvTranspose2d) and part.groups > 1)


def _is_listed(module: nn.Module) -> bool:
    return isinstance(module, CONVOLUTIONS) or next(module.children(), None) is not None


def _kind(module: nn.Module) -> str:
    if isinstance(module, CONVOLUTIONS):
        return "depthwise" if 1 < module.groups == module.in_channels else "convolution"
    holds_blocks = any(next(child.children(), None) is not None for child in module.children())
    return "stage" if holds_blocks else "block"


def _layer(call: _Call, name: str, levels: Mapping[str, str]) -> Layer:
    _, channels, height, width = call.output.shape
    seen = max(call.field.size) if call.field else math.inf
    stride = max(1, round(max(call.field.stride))) if call.field else 1
    reach = None if math.isinf(seen) else math.ceil(seen)
    return Layer(name, _kind(call.module), channels, height, width, stride, reach, levels.get(call.name))


def _chains(calls: list[_Call], counts: Mapping[str, int], readers: Mapping[int, int]) -> list[Chain]:
    """Pair modules by the very tensor that one gave and the next took, where nothing else read it."""
    reading = {id(call.source): call for call in calls if call.source is not None and isinstance(call.module, (*NORMS, *ACTIVATIONS))}

    def follower(call: _Call, kinds: tuple[type[nn.Module], ...]) -> _Call | None:
        after = reading.get(id(call.output))
        if after is None or readers.get(id(call.output)) != 1 or counts[after.name] != 1 or not isinstance(after.module, kinds):
            return None
        return None if isinstance(after.module, NORMS) and after.module.running_mean is None else after

    convolved = {id(call.source) for call in calls if isinstance(call.module, CONVOLUTIONS)}
    chains = []
    for call in calls:
        if not isinstance(call.module, CONVOLUTIONS) or counts[call.name] != 1:
            continue
        norm = follower(call, NORMS)
        act = follower(norm or call, ACTIVATIONS)
        if norm or act:
            onward = act is not None and id(act.output) in convolved and readers.get(id(act.output)) == 1
            chains.append(Chain(call.name, norm.name if norm else None, act.name if act else None, onward))
    return chains
