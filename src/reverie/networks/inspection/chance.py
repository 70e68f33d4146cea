"""Chance inside a network, such as dropout that is always on or noise that is added: its numbers follow from a seed, nobody else's do.

Inside a pass the generators it draws from continue a sequence of ours; afterwards they are as they were. What draws from nothing
that can be set, such as the operating system, stays chance.
"""

from __future__ import annotations

import hashlib
import pickle
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

Result = TypeVar("Result")
_here = threading.local()  # .chance: the sequence that passes of this thread continue


class Generator(NamedTuple):
    """Something that random numbers are drawn from: what it is at is read by `read`, put back by `put`, and begun anew by `seed`."""

    name: str
    read: Callable[[], Any]
    put: Callable[[Any], object]
    seed: Callable[[int], object]


def generators(module: nn.Module, where: torch.device) -> tuple[Generator, ...]:
    """All that a pass of a module on a device may draw from: those that everybody shares, and those that its parts hold."""
    found = [
        _of_torch("torch", torch.default_generator),
        Generator("random", random.getstate, random.setstate, random.seed),
        Generator("numpy", np.random.get_state, np.random.set_state, lambda seed: np.random.seed(seed % 2**32)),
    ]
    if where.type == "cuda":
        place = torch.cuda.current_device() if where.index is None else where.index
        found.append(_of_torch(f"cuda {place}", torch.cuda.default_generators[place]))
    elif where.type == "mps":
        found.append(Generator("mps", torch.mps.get_rng_state, torch.mps.set_rng_state, torch.mps.manual_seed))
    held = {id(each): each for part in module.modules() for each in vars(part).values() if isinstance(each, _HELD)}
    return (*found, *(_held(f"held {number}", each) for number, each in enumerate(held.values())))


class Chance:
    """A sequence of random numbers, which passes continue one after the other.

    Args:
        seed: what it follows from.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._states: dict[str, Any] = {}

    def within(self, function: Callable[..., Result]) -> Callable[..., Result]:
        """The function, whose passes continue this sequence."""

        def inside(*args: Any, **kwargs: Any) -> Result:
            before = getattr(_here, "chance", None)
            _here.chance = self
            try:
                return function(*args, **kwargs)
            finally:
                _here.chance = before

        return inside

    @contextmanager
    def drawing(self, sources: Sequence[Generator]) -> Iterator[None]:
        """Inside, what is drawn from these generators continues this sequence; afterwards they are as they were."""
        before = [each.read() for each in sources]
        try:
            for each in sources:
                if each.name in self._states:
                    each.put(self._states[each.name])
                else:
                    each.seed(seed_for(self._seed, each.name))
            yield
        finally:
            for each, state in zip(sources, before, strict=True):
                self._states[each.name] = each.read()
                each.put(state)


def drawing(sources: Sequence[Generator]) -> AbstractContextManager[None]:
    """Inside, a pass continues the sequence that this thread is in; where it is in none, it draws as any other pass does."""
    chance: Chance | None = getattr(_here, "chance", None)
    return (chance or Chance()).drawing(sources) if sources else nullcontext()


def undisturbed() -> AbstractContextManager[None]:
    """Inside, random numbers may be drawn, as weights that are loaded later are; outside, the generators that all share are as before."""
    return Chance().drawing(generators(nn.Identity(), torch.device("cpu")))


class Drawn:
    """Whether passes of a module drew random numbers."""

    def __init__(self) -> None:
        self.any = False


@contextmanager
def drawing_alike(module: nn.Module) -> Iterator[Drawn]:
    """Inside, each pass of a module on the CPU draws the same numbers; afterwards all generators are as they were."""
    sources = generators(module, torch.device("cpu"))
    before, told = [each.read() for each in sources], Drawn()
    begun: list[bytes] = []

    def look() -> None:
        told.any |= bool(begun) and begun != [_written(each.read()) for each in sources]

    def begin(_module: nn.Module, _inputs: Any) -> None:
        look()
        for each in sources:
            each.seed(seed_for(0, each.name))
        begun[:] = [_written(each.read()) for each in sources]

    handle = module.register_forward_pre_hook(begin)
    try:
        yield told
        look()
    finally:
        handle.remove()
        for each, state in zip(sources, before, strict=True):
            each.put(state)


def seed_for(seed: int, purpose: str) -> int:
    """A seed of its own, of 63 bits, for each seed and purpose."""
    return int.from_bytes(hashlib.sha256(f"{seed}\n{purpose}".encode()).digest()[:8], "big") >> 1


def _written(state: Any) -> bytes:
    return pickle.dumps(state.numpy() if isinstance(state, Tensor) else state)


_HELD = (torch.Generator, random.Random, np.random.Generator, np.random.RandomState)


def _held(name: str, each: Any) -> Generator:
    """One that a part of a network holds for itself."""
    if isinstance(each, torch.Generator):
        return _of_torch(name, each)
    if isinstance(each, random.Random):
        return Generator(name, each.getstate, each.setstate, each.seed)
    if isinstance(each, np.random.RandomState):
        return Generator(name, each.get_state, each.set_state, lambda seed: each.seed(seed % 2**32))
    bits = each.bit_generator

    def put(state: Any) -> None:
        bits.state = state

    return Generator(name, lambda: bits.state, put, lambda seed: put(type(bits)(seed).state))


def _of_torch(name: str, each: torch.Generator) -> Generator:
    return Generator(name, each.get_state, each.set_state, each.manual_seed)
