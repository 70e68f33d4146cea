"""What a network raises at a picture that it cannot take says what it is; that no memory is left never does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.helpers.tiny import SIDE, Flow, picture, settled, wrapped
from torch import Tensor, nn

from reverie.ascent import IDENTITY, Size, Transform
from reverie.errors import UsageError
from reverie.insight.request import is_seen_whole
from reverie.networks.inspection.failures import CannotTake, is_out_of_memory, taking_a_picture
from reverie.networks.normalisation_check import doubts
from reverie.render.scores import takeable
from reverie.target import CLASSES

NO_MEMORY = (
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    RuntimeError("std::bad_alloc"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB"),
    MemoryError(),
)
OTHER = ValueError("no such picture")
Raise = Callable[[Tensor], None]


def where(condition: Callable[[Any, Tensor], bool], error: Exception, module: nn.Module | None = None) -> Flow:
    """A network that raises it where a condition on itself and its picture holds; conv, norm, act, then class scores."""

    def flow(parts: Any, x: Tensor) -> Tensor:
        if condition(parts, x):
            raise error
        scores: Tensor = parts.head(parts.act(parts.norm(parts.conv(x))).mean((2, 3)))
        return scores

    parts = {"conv": nn.Conv2d(3, 4, 3), "norm": nn.BatchNorm2d(4), "act": nn.ReLU(), "head": nn.Linear(4, 2)}
    return settled(Flow(flow, **parts))


def native(error: Exception) -> object:
    try:
        return wrapped(where(lambda _, x: True, error)).layers
    except UsageError as fault:
        return str(fault).startswith("Flow cannot take a picture of 16×16: no such picture")


def wide(error: Exception) -> object:
    return not wrapped(where(lambda _, x: x.shape[3] == 2 * SIDE, error)).is_free(CLASSES)


def together(error: Exception) -> object:
    program = torch.fx.symbolic_trace(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()))
    network = wrapped(Flow(lambda m, x: m.program(x) if len(x) == 1 else _raise(error), program=program))
    return network.anatomy.single


def folding(error: Exception) -> object:
    ready = wrapped(where(lambda m, x: isinstance(m.norm, nn.Identity), error)).prepare(["head"])
    return (ready.folded, ready.unfolded) == (0, 1)


def copying(error: Exception) -> object:
    class Uncopied(nn.Conv2d):
        def __deepcopy__(self, memo: object) -> object:
            raise error

    try:
        return wrapped(nn.Sequential(Uncopied(3, 4, 3))).layers
    except UsageError as fault:
        return "cannot be copied" in str(fault)


def normalisation(error: Exception) -> object:
    return doubts(wrapped(where(lambda _, x: True, error))) == ""


def attributing(error: Exception) -> object:
    pytest.importorskip("captum")
    module = where(lambda _, x: False, error)
    module.head.register_forward_pre_hook(lambda _part, inputs: _raise(error) if len(inputs[0]) > 1 else None)
    return wrapped(module).attribute(picture()[0], ["conv"], 0)[0].values.shape == (4, SIDE - 2, SIDE - 2)


def seeing(error: Exception) -> object:
    network = wrapped(where(lambda _, x: x.shape[2] == 2 * SIDE, error))
    return is_seen_whole(network, (SIDE, SIDE), "act") and not is_seen_whole(network, (2 * SIDE, SIDE), "act")


def climbing(error: Exception) -> object:
    def score(pictures: Tensor, view: Transform = IDENTITY) -> Tensor:
        return _raise(error) if pictures.shape[2] == 8 else pictures.mean((1, 2, 3))

    sizes = [Size(8, 8), Size(16, 16)]
    return takeable(score, picture(), sizes) == sizes[1:]


def _raise(error: Exception) -> Any:
    raise error


PLACES = (native, wide, together, folding, copying, normalisation, attributing, seeing, climbing)


@pytest.mark.parametrize("place", PLACES)
def test_a_picture_that_cannot_be_taken_says_something_of_the_network(place: Callable[[Exception], object]) -> None:
    assert place(RuntimeError("no such picture") if place is copying else OTHER)


@pytest.mark.parametrize("error", NO_MEMORY, ids=lambda each: f"{type(each).__name__} {str(each)[:16]}")
@pytest.mark.parametrize("place", PLACES)
def test_no_memory_comes_through(place: Callable[[Exception], object], error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        place(error)
    assert raised.value is error


def test_what_is_no_failure_of_a_network_comes_through() -> None:
    for error in (KeyboardInterrupt(), UsageError("no layer")):
        with pytest.raises(type(error)) as raised, taking_a_picture():
            raise error
        assert raised.value is error
    for other, said in (
        (KeyError("x"), "KeyError: 'x'"),
        (StopIteration(), "StopIteration"),
        (Exception("two\nlines of it"), "Exception: two"),
    ):
        with pytest.raises(CannotTake, match=f"^the network cannot take a picture: {said}") as taken, taking_a_picture():
            raise other
        assert taken.value.said == said
    assert is_out_of_memory(MemoryError()) and not is_out_of_memory(ValueError("cannot allocate memory"))
