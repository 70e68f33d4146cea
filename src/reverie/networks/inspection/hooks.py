"""Watching a network run: activations of any module, and a pass that stops once it has what it came for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

from reverie.errors import UsageError, unknown
from reverie.networks.inspection.attention import Attention
from reverie.networks.inspection.layer_names import ATTENTION, CLASS, spot

Seen = dict[str, Tensor]


class _Enough(BaseException):
    """Ends a pass early. Not an Exception, so that a network that catches those cannot hold it."""


def check_names(module: nn.Module, names: Sequence[str]) -> None:
    """Raise UsageError for a name that is no module of this network, with the nearest that is."""
    known = dict(module.named_modules())
    for name in names:
        bare = spot(name).module
        if not bare or bare not in known:
            raise unknown("layer", name, (each for each in known if each), "`reverie layers` lists them")


def first_tensor(output: Any) -> Tensor | None:
    """The tensor a module gave: itself, or the first in a tuple, list or dictionary."""
    if isinstance(output, Tensor):
        return output
    values = output.values() if isinstance(output, Mapping) else output if isinstance(output, (tuple, list)) else ()
    return next((each for each in map(first_tensor, values) if each is not None), None)


@contextmanager
def watch(module: nn.Module, *names: str) -> Iterator[Seen]:
    """While open, each pass through `module` leaves the activations of the named modules in the dictionary.

    They are clones, safe from in-place changes further on, and part of the graph where one is recorded.
    Of a module called several times in a pass, `name#0`, `name#1` … are the calls, and the bare name is the last. `name/class` is the first
    of its tokens, (N, C), and `name/attention` what its self-attention weighs them with, (N, heads, T, T).
    Afterwards no hook is left behind.

    Raises:
        UsageError: no such layer.
    """
    check_names(module, names)
    seen: Seen = {}
    with ExitStack() as stack:
        _listen(module, names, stack, lambda name, output: seen.__setitem__(name, output.clone()), seen.clear)
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
    earlier = {name: calls.get(spot(name).module, 1) - 1 if spot(name).call is None else 0 for name in names}

    def take(name: str, output: Tensor) -> None:
        if earlier[name]:  # a call before the last one, which is wanted
            earlier[name] -= 1
            return
        complete = not to_the_end and len(seen.keys() | {name}) == len(names)
        seen[name] = output if complete else output.clone()
        if complete:
            raise _Enough

    with ExitStack() as stack:
        _listen(module, names, stack, take, None)
        try:
            output = module(x)
        except _Enough:
            return seen, None
    missing = [name for name in names if name not in seen]
    if missing:
        raise UsageError(f"layer '{missing[0]}' gave nothing in this pass", "it may be used in training only")
    return seen, output


def _listen(
    module: nn.Module, names: Sequence[str], stack: ExitStack, take: Callable[[str, Tensor], None], fresh: Callable[[], None] | None
) -> None:
    begun: dict[str, int] = {}
    running: list[str] = []  # modules whose attention is wanted, the innermost last
    wanted: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        wanted.setdefault(spot(name).module, []).append(name)

    def begin(_module: nn.Module, _inputs: tuple[Any, ...]) -> None:
        begun.clear()
        running.clear()
        if fresh is not None:
            fresh()

    def tell(bare: str, attention: bool, tensor: Tensor) -> None:
        for name in wanted[bare]:
            asked = spot(name)
            if asked.call in (None, begun.get(bare, 0)) and (asked.part == ATTENTION) == attention:
                take(name, tensor[:, 0] if asked.part == CLASS else tensor)

    def attended(weights: Tensor) -> None:
        bare = running.pop()  # of several in one module, the first is its own
        tell(bare, True, weights)

    stack.callback(module.register_forward_pre_hook(begin).remove)
    for bare, asked in wanted.items():
        attends = any(spot(name).part == ATTENTION for name in asked)

        def enter(_module: nn.Module, _inputs: tuple[Any, ...], bare: str = bare) -> None:
            running.append(bare)

        def leave(_module: nn.Module, _inputs: tuple[Any, ...], output: Any, bare: str = bare) -> None:
            tensor = first_tensor(output)
            if tensor is not None:
                tell(bare, False, tensor)
            begun[bare] = begun.get(bare, 0) + 1
            if running[-1:] == [bare]:
                running.pop()

        part = module.get_submodule(bare)
        if attends:
            stack.callback(part.register_forward_pre_hook(enter).remove)
        stack.callback(part.register_forward_hook(leave).remove)
    if any(spot(name).part == ATTENTION for name in names):
        stack.enter_context(Attention(lambda: bool(running), attended))
