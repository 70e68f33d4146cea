"""From watched passes to an anatomy: layers, and which convolution feeds which normalisation and activation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reverie.errors import UsageError
from reverie.networks.inspection.anatomy import ACTIVATIONS, CONVOLUTIONS, NORMS, Anatomy, Chain, Layer
from reverie.networks.inspection.causes import remedy
from reverie.networks.inspection.chance import Drawn, drawing_alike
from reverie.networks.inspection.failures import CannotTake
from reverie.networks.inspection.habits import habits_of
from reverie.networks.inspection.layer_names import ATTENTION
from reverie.networks.inspection.layouts import Layout, layout_of
from reverie.networks.inspection.native_sides import has_one_row, remedy_of, sides
from reverie.networks.inspection.outputs import named
from reverie.networks.inspection.readings import Reading, reading_of
from reverie.networks.inspection.receptive_fields import Field
from reverie.networks.inspection.watched_passes import Call, NativePass, WidePass, native_pass, wide_pass
from reverie.target import CLASSES


class _Output(NamedTuple):
    """What one call gave. `names`: the module's, and `name#0`, `name#1` … of one called several times; the last is this call's alone.

    `reach` is None where a value can depend on all of the picture, or that is not known.
    """

    call: Call
    names: tuple[str, ...]
    layout: Layout | None
    shape: tuple[int, ...]
    stride: int
    reach: int | None
    heads: int | None


def examine(module: nn.Module, picture: Tensor, levels: Mapping[str, str], scores: str | None = None, labels: int = 0) -> Anatomy:
    """Watch one pass, and what of it goes otherwise for other pictures: one twice as wide, two together, in another order of memory.

    Args:
        module: a copy of the network, in evaluation mode; the order of its weights in memory is changed.
        picture: (1, C, H, W), at the native size, as the network takes it.
        levels: plain-language levels by layer name.
        scores: the name of the output that is the class scores, if it has one.
        labels: how many classes have a name.

    Raises:
        CannotTake: it cannot take a picture of this size; with what to do about it.
    """
    with drawing_alike(module) as drawn:
        return _examined(module, picture, levels, (scores, labels), drawn)


def _examined(module: nn.Module, picture: Tensor, levels: Mapping[str, str], said: tuple[str | None, int], drawn: Drawn) -> Anatomy:
    altered = {name for name, part in module.named_modules() if _is_altered(part)}
    try:
        native = native_pass(module, picture)
    except CannotTake as error:
        raise error.mended(remedy(module, picture, error)) from error
    wide = wide_pass(module, picture, graded=native.graded)
    outputs = _outputs(native, wide, (picture.shape[2], picture.shape[3]))
    anatomy = Anatomy(norms=sum(isinstance(part, NORMS) for part in module.modules()))
    anatomy.calls = Counter(call.name for call in native.calls)
    anatomy.habits = habits_of(module, picture, native.output, _if_rows(wide, native), graded=native.graded, drawn=drawn)
    for each in outputs:
        _note(anatomy, each)
    anatomy.layers = [layer for each in outputs for layer in _layers(each, levels)]
    anatomy.hands_on = _handed_on(native.calls)
    anatomy.chains = _chains([call for call in native.calls if call.name not in altered], anatomy.calls, native.readers)
    _find_scores(anatomy, native, module, picture, said)
    anatomy.free = wide.free(native.calls) | ({CLASSES} if anatomy.habits.free else set())
    anatomy.free -= _behind_tokens(native.calls, anatomy.layouts)
    anatomy.nans = _nans(native, anatomy.reading)
    anatomy.habits = replace(anatomy.habits, pair=None)
    return anatomy


def _find_scores(anatomy: Anatomy, native: NativePass, module: nn.Module, picture: Tensor, said: tuple[str | None, int]) -> None:
    """Which output is the class scores, or why that is not clear; what is `said` of it: its name, and of how many classes."""
    anatomy.outputs = len(named(native.output))
    try:
        anatomy.reading = reading_of(module, picture, native.output, anatomy.habits.pair, *said)
    except UsageError as error:
        anatomy.unclear = error
        if not has_one_row(native.output):
            fault = f"{type(module).__name__} makes several rows of one picture of {picture.shape[3]}×{picture.shape[2]}"
            anatomy.unclear = CannotTake(fault, remedy_of(sides(module, picture)) or "say its native size")


def _if_rows(wide: WidePass, native: NativePass) -> Any:
    """What came out of the wide pass, if it gave as many rows of as many numbers as the native one; else None."""
    there, here = named(wide.output), named(native.output)
    same = wide.ended and list(there) == list(here) and all(there[name].shape[:2] == here[name].shape[:2] for name in here)
    return wide.output if same else None


def _nans(native: NativePass, reading: Reading | None) -> tuple[str, ...]:
    """What gives NaN, in the order in which it comes: most often nothing, and then the outputs alone are looked at."""
    outputs = named(native.output)
    broken = {name for name, each in outputs.items() if _has_nan(each)}
    if outputs and not broken:
        return ()
    parts = dict.fromkeys(call.name for call in native.calls if _has_nan(call.output))
    return (*parts, *([CLASSES] if reading is not None and reading.name in broken else []))


def _has_nan(tensor: Tensor) -> bool:
    return (tensor.is_floating_point() or tensor.is_complex()) and bool(tensor.isnan().any())


def _outputs(native: NativePass, wide: WidePass, size: tuple[int, int]) -> list[_Output]:
    """Each call with what follows from its shape at both sizes of picture; `size` is the native (height, width)."""
    counts, before = Counter(call.name for call in native.calls), Counter[str]()
    convolved = [call.output.shape for call in native.calls if isinstance(call.module, CONVOLUTIONS) and call.output.dim() == 4]
    grids = {(shape[2], shape[3]) for shape in convolved}
    found = []
    for call in native.calls:
        number = before[call.name]
        before[call.name] += 1
        names = (call.name, f"{call.name}#{number}") if counts[call.name] > 1 else (call.name,)
        layout = layout_of(tuple(call.output.shape), grids, size, wide.shape(call.name, number))
        shape = tuple(call.output.shape if layout is None else layout.to_maps(call.output).shape)
        stride = _stride(call.field, layout, size)
        found.append(_Output(call, names, layout, shape, stride, _reach(call.field), native.heads.get((call.name, number))))
    return found


def _note(anatomy: Anatomy, output: _Output) -> None:
    """Write down by its names what is known of a call; of a module called several times the last one's facts stand."""
    for name in output.names:
        anatomy.shapes[name] = output.shape
        if output.layout is not None:
            anatomy.layouts[name] = output.layout
        if output.heads is not None:
            anatomy.heads[name] = output.heads
        if output.call.field is not None:
            anatomy.strides[name] = output.stride
        if output.reach is not None:
            anatomy.reaches[name] = output.reach


def _layers(output: _Output, levels: Mapping[str, str]) -> Iterator[Layer]:
    """The layers that are listed for a call: where its attention goes, and what it gives."""
    call, layout, name = output.call, output.layout, output.names[-1]
    if layout is None:
        return
    if output.heads is not None and layout.order == "tokens":
        yield Layer(f"{name}/{ATTENTION}", "attention", output.heads, *layout.grid, output.stride, None)
    if _is_listed(call.module) or call.name in levels:
        channels, height, width = output.shape[1:]
        yield Layer(name, _kind(call.module), channels, height, width, output.stride, output.reach, levels.get(call.name))


def _handed_on(calls: Sequence[Call]) -> dict[str, str]:
    """Modules that give the very tensor that a part gave them which may be folded, with that part."""
    givers: dict[int, str] = {}
    found: dict[str, str] = {}
    for call in calls:
        if id(call.output) in givers:
            found[call.name] = givers[id(call.output)]
        elif isinstance(call.module, (*CONVOLUTIONS, *NORMS, *ACTIVATIONS)):
            givers[id(call.output)] = call.name
    return found


def _behind_tokens(calls: Sequence[Call], layouts: Mapping[str, Layout]) -> set[str]:
    """What comes from the first tokens on, the class scores too: tokens know their places on a picture of one size."""
    for place, call in enumerate(calls):
        layout = layouts.get(call.name)
        if layout is not None and layout.order == "tokens":
            return {CLASSES, *(each.name for each in calls[place:])}
    return set()


def _stride(field: Field | None, layout: Layout | None, size: tuple[int, int]) -> int:
    """Followed through the operators; of tokens and channels that come last, which are reshaped freely, by how many places there are."""
    if layout is not None and layout.order != "first":
        return max(1, round(size[0] / layout.grid[0]))
    return max(1, round(max(field.stride))) if field is not None else 1


def _reach(field: Field | None) -> int | None:
    return None if field is None or math.isinf(max(field.size)) else math.ceil(max(field.size))


# ── kinds of parts ───────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── chains ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _chains(calls: list[Call], counts: Mapping[str, int], readers: Mapping[int, int]) -> list[Chain]:
    """Pair modules by the very tensor that one gave and the next took, where nothing else read it."""
    reading = {id(call.source): call for call in calls if call.source is not None and isinstance(call.module, (*NORMS, *ACTIVATIONS))}

    def follower(call: Call, kinds: tuple[type[nn.Module], ...]) -> Call | None:
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
