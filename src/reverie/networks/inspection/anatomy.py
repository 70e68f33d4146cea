"""What a network is made of, learnt by watching one pass: its layers, and which convolution feeds which normalisation and activation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reverie.errors import UsageError, first_line
from reverie.networks.inspection.attention import Attention
from reverie.networks.inspection.hooks import first_tensor
from reverie.networks.inspection.layer_names import ATTENTION
from reverie.networks.inspection.layouts import Form, form_of
from reverie.networks.inspection.outputs import class_scores
from reverie.networks.inspection.receptive_fields import Field, FieldTracer
from reverie.target import CLASSES

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
ACTIVATIONS = (nn.ReLU, nn.ReLU6)
_CANNOT = (RuntimeError, ValueError, AssertionError, IndexError)  # what networks raise at pictures they cannot take


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
    `forms`: of those outputs that lie over the picture. `heads`: how many each module's attention has. `free`: what can be looked at on
    pictures of any size, by bare name; CLASSES is in it where the class scores can. `single`: one picture at a time, no batch.
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
    forms: dict[str, Form] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)
    free: frozenset[str] = frozenset()
    single: bool = False


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
    calls, seen, output, readers = _pass(module, picture)
    wide, ended = _wide_pass(module, picture)
    anatomy = Anatomy(norms=sum(isinstance(part, NORMS) for part in module.modules()))
    with suppress(UsageError):
        anatomy.classes = class_scores(output, scores).shape[1]
    anatomy.calls = Counter(call.name for call in calls)
    anatomy.free = _free(calls, wide) | ({CLASSES} if ended else set())
    anatomy.single = not _takes_two(module, picture)
    size = (picture.shape[2], picture.shape[3])
    convolved = [call.output.shape for call in calls if isinstance(call.module, CONVOLUTIONS) and call.output.dim() == 4]
    grids = {(shape[2], shape[3]) for shape in convolved}
    given: dict[int, str] = {}  # which part that may be folded gave a tensor
    again: Counter[str] = Counter()
    for call in calls:
        numbered = f"{call.name}#{again[call.name]}"
        after = wide.get(call.name, ())[again[call.name] :][:1]
        again[call.name] += 1
        names = (call.name, numbered) if anatomy.calls[call.name] > 1 else (call.name,)
        form = form_of(tuple(call.output.shape), grids, size, after[0] if after else None)
        shape = tuple(call.output.shape if form is None else form.folded(call.output).shape)
        heads = seen.get((call.name, again[call.name] - 1))
        for name in names:
            anatomy.shapes[name] = shape
            if form is not None:
                anatomy.forms[name] = form
            if heads is not None:
                anatomy.heads[name] = heads
            if call.field is not None:
                anatomy.strides[name] = _stride(call.field, form, size)
                if not math.isinf(max(call.field.size)):
                    anatomy.reaches[name] = math.ceil(max(call.field.size))
        if id(call.output) in given:
            anatomy.hands_on[call.name] = given[id(call.output)]
        elif isinstance(call.module, (*CONVOLUTIONS, *NORMS, *ACTIVATIONS)):
            given[id(call.output)] = call.name
        if form is not None and heads is not None and form.layout == "tokens":
            anatomy.layers.append(Layer(f"{names[-1]}/{ATTENTION}", "attention", heads, *form.grid, _stride(None, form, size), None))
        if form is not None and (_is_listed(call.module) or call.name in levels):
            stride, reach = _stride(call.field, form, size), anatomy.reaches.get(names[-1])
            anatomy.layers.append(Layer(names[-1], _kind(call.module), shape[1], shape[2], shape[3], stride, reach, levels.get(call.name)))
    anatomy.chains = _chains([call for call in calls if call.name not in altered], anatomy.calls, readers)
    tokens = next((place for place, call in enumerate(calls) if (form := anatomy.forms.get(call.name)) and form.layout == "tokens"), None)
    if tokens is not None:  # they know their places on a picture of one size
        anatomy.free -= {CLASSES, *(call.name for call in calls[tokens:])}
    return anatomy


_Seen = dict[tuple[str, int], int]  # module and call → heads of its attention


def _pass(module: nn.Module, picture: Tensor) -> tuple[list[_Call], _Seen, Any, dict[int, int]]:
    """One pass at the native size: what was called, whose attention was seen, what came out, and how often each output was read."""
    calls: list[_Call] = []
    seen: _Seen = {}
    running: list[tuple[str, nn.Module]] = []
    begun: Counter[str] = Counter()

    def attended(weights: Tensor) -> None:
        if not running or weights.shape[0] != 1:
            return
        name, part = running[-1]
        if next(part.children(), None) is None and len(running) > 1 and isinstance(part, (nn.Softmax, nn.Dropout)):
            name, part = running[-2]
        seen.setdefault((name, begun[name] - 1), weights.shape[1])

    def entered(name: str) -> Any:
        def enter(part: nn.Module, _inputs: tuple[Any, ...]) -> None:
            running.append((name, part))
            begun[name] += 1

        return enter

    with torch.no_grad(), FieldTracer(picture) as tracer, ExitStack() as stack:
        for name, part in module.named_modules():
            if name:
                stack.callback(part.register_forward_pre_hook(entered(name)).remove)
                stack.callback(part.register_forward_hook(_recorder(name, calls, tracer, running)).remove)
        stack.enter_context(Attention(lambda: bool(running), attended))
        try:
            output = module(picture)
        except torch.OutOfMemoryError:
            raise
        except _CANNOT as error:
            size = "×".join(str(side) for side in picture.shape[2:])
            raise UsageError(
                f"{type(module).__name__} cannot take a picture of {size}: {first_line(error)}", "say its native size: size=…"
            ) from error
        return calls, seen, output, {id(call.output): tracer.readers.get(call.output, 0) for call in calls}


def _wide_pass(module: nn.Module, picture: Tensor) -> tuple[dict[str, list[tuple[int, ...]]], bool]:
    """A pass of a picture twice as wide: the shapes that each module gave, call by call, and whether it came to its end."""
    shapes: dict[str, list[tuple[int, ...]]] = {}

    def noting(name: str) -> Any:
        def note(_module: nn.Module, _inputs: tuple[Any, ...], output: Any) -> None:
            tensor = first_tensor(output)
            shapes.setdefault(name, []).append(() if tensor is None else tuple(tensor.shape))

        return note

    with torch.no_grad(), ExitStack() as stack:
        for name, part in module.named_modules():
            if name:
                stack.callback(part.register_forward_hook(noting(name)).remove)
        try:
            module(torch.cat([picture, picture], 3))
        except torch.OutOfMemoryError:
            raise
        except _CANNOT:
            return shapes, False
    return shapes, True


def _takes_two(module: nn.Module, picture: Tensor) -> bool:
    """Whether it takes two pictures together; only traced and exported programs are asked, others do."""
    if not any(isinstance(part, torch.fx.GraphModule) or type(part).__name__ == "InterpreterModule" for part in module.modules()):
        return True
    try:
        with torch.no_grad():
            module(torch.cat([picture, picture]))
    except torch.OutOfMemoryError:
        raise
    except _CANNOT:
        return False
    return True


def _free(calls: Sequence[_Call], wide: Mapping[str, Sequence[tuple[int, ...]]]) -> frozenset[str]:
    """Modules that gave for a picture twice as wide as many outputs as before."""
    counts = Counter(call.name for call in calls)
    return frozenset(name for name, count in counts.items() if len(wide.get(name, ())) >= count)


def _recorder(name: str, calls: list[_Call], tracer: FieldTracer, running: list[tuple[str, nn.Module]]) -> Any:
    def record(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        running.pop()
        tensor = first_tensor(output)
        if tensor is not None:
            calls.append(_Call(name, module, first_tensor(inputs), tensor, tracer.field(tensor)))

    return record


def _is_altered(part: nn.Module) -> bool:
    """Whether it may do more than its class says (a hook, as old weight norm has), or cannot take a norm in."""
    hooked = part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or part._backward_pre_hooks
    return bool(hooked) or (isinstance(part, nn.ConvTranspose2d) and part.groups > 1)


def _is_listed(module: nn.Module) -> bool:
    return isinstance(module, CONVOLUTIONS) or next(module.children(), None) is not None or _convolves(module)


def _convolves(module: nn.Module) -> bool:
    """Whether it is a convolution of an exported program."""
    graph = getattr(module, "graph", None)
    return isinstance(graph, torch.fx.Graph) and any("conv" in str(node.target) for node in graph.nodes)


def _kind(module: nn.Module) -> str:
    if isinstance(module, CONVOLUTIONS):
        return "depthwise" if 1 < module.groups == module.in_channels else "convolution"
    if isinstance(module, ACTIVATIONS):
        return "activation"
    if next(module.children(), None) is None:
        return "convolution"
    return "stage" if any(_is_stage(part) for part in module.modules()) else "block"


def _is_stage(module: nn.Module) -> bool:
    """Whether it is a row of blocks, more or less: more than a third of its parts hold two or more convolutions or linear maps."""
    if not isinstance(module, (nn.Sequential, nn.ModuleList, nn.ModuleDict)):
        return False
    weighty = [part for part in module.children() if next(part.parameters(), None) is not None]
    blocks = [part for part in weighty if sum(isinstance(each, (*CONVOLUTIONS, nn.Linear)) for each in part.modules()) > 1]
    return 3 * len(blocks) > len(weighty)


def _stride(field: Field | None, form: Form | None, size: tuple[int, int]) -> int:
    """Followed through the operators; of tokens and channels that come last, which are reshaped freely, by how many places there are."""
    if form is not None and form.layout != "first":
        return max(1, round(size[0] / form.grid[0]))
    return max(1, round(max(field.stride))) if field is not None else 1


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
        inside = [each for each in calls if norm and each.name.startswith(f"{norm.name}.") and isinstance(each.module, ACTIVATIONS)]
        act = inside[0] if inside else follower(norm or call, ACTIVATIONS)
        if norm or act:
            onward = act is not None and id(act.output) in convolved and readers.get(id(act.output)) == 1
            chains.append(Chain(call.name, norm.name if norm else None, act.name if act else None, onward))
    return chains
