"""A network made ready for looking into: a frozen copy, folded, laid out for speed, stopped after the last layer wanted.

The original is never touched.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from reverie.errors import UsageError
from reverie.networks.inspection.anatomy import Anatomy
from reverie.networks.inspection.chance import Generator, drawing
from reverie.networks.inspection.checkpointing import straight_through_checkpoints
from reverie.networks.inspection.failures import CannotTake, taking_a_picture
from reverie.networks.inspection.hooks import Seen, run_until
from reverie.networks.inspection.layer_names import LayerName
from reverie.networks.prepared.convolution import Convolution
from reverie.networks.prepared.fitting import Fits, Size, cropped, padded
from reverie.networks.prepared.normalise import Normalise
from reverie.networks.prepared.redirected_relu import RedirectedRelus
from reverie.networks.prepared.straight_through import StraightThrough
from reverie.networks.prepared.windows import through_windows
from reverie.networks.tape.tapes import Tapes
from reverie.pictures.torch_modes import ordinary_modes, owned
from reverie.target import CLASSES


@dataclass(frozen=True)
class Prepared:
    """Call it with pictures (N, C, H, W) in 0..1 to get the activations of `wanted`, by name; gradients flow to the pictures.

    What lies over the picture comes as (N, C, H, W), see `Anatomy.layouts`. Of a picture whose size the network cannot take, see `fitting`
    and `windows`.
    """

    module: nn.Module
    normalise: Normalise
    layers: dict[str, str]  # by the names they were asked for by, those of modules
    anatomy: Anatomy
    size: tuple[int, int]  # the native one
    folded: int
    unfolded: int
    dtype: torch.dtype
    fits: Fits
    tapes: Tapes
    lock: threading.RLock  # one pass at a time: hooks are put on a module that all who look at it share
    generators: tuple[Generator, ...] = ()  # that a pass draws random numbers from
    on_tape: bool = False  # see `taped`

    def __call__(self, pictures: Tensor) -> Seen:
        return self._look(pictures, nullcontext())

    def taped(self) -> Prepared:
        """The same, faster from the third pass at a size on; gradients flow to the pictures alone, not from one activation to another."""
        chance = self.generators or self.anatomy.habits.draws or self.anatomy.habits.graded
        return self if chance else replace(self, on_tape=True)

    def redirected(self, pictures: Tensor) -> Seen:
        """The same activations, for a start at which all units of a target are dead or saturated and its gradient is zero.

        Where nothing would get through a ReLU, the gradient gets through that brings units back to life, see `redirected_relu`.
        Other activations are as they were, and a score that is itself flat there, as a square is at zero, stays so.
        """
        return replace(self, on_tape=False)._look(pictures, _unfused(self.module, RedirectedRelus()))

    def straight(self, pictures: Tensor) -> Seen:
        """The same activations; the gradient is that of the weights alone, as if each ReLU and its like handed on what it is given, and
        each gate and what attention weighs by were constants, see `StraightThrough`."""
        return replace(self, on_tape=False)._look(pictures, _unfused(self.module, StraightThrough()))

    def sees_whole(self, size: Size) -> bool:
        """Whether pictures of this size, (height, width), are looked at as they are, or a little larger; not through windows."""
        if size == self.size or (self.wanted, size) in self.fits.found:
            return size == self.size or self.fits.found[self.wanted, size] is not None
        with torch.no_grad():
            self(torch.full((1, self.normalise.channels, *size), 0.5, device=self.device))
        return self.sees_whole(size) if self._free else False

    @property
    def _free(self) -> bool:
        return all(self.anatomy.is_free(name) for name in self.wanted)

    def _look(self, pictures: Tensor, how: AbstractContextManager[None]) -> Seen:
        with ordinary_modes():
            x = self.normalise(owned(pictures))  # (N, C, H, W)
            with self.running(), how:
                native = x.shape[2:] == self.size
                seen = self._pass(x) if native else self._fitted(x) if self._free else through_windows(self._pass, x, self.size)
            return {name: seen[layer].float() for name, layer in self.layers.items()}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, its module runs: by nobody else, and with random numbers that follow from a seed."""
        with self.lock, straight_through_checkpoints(), drawing(self.generators):
            yield

    def _fitted(self, x: Tensor) -> Seen:
        """Of pictures of any size: as they are, continued to a size that is taken, or through windows; by what goes."""
        size, found = (x.shape[2], x.shape[3]), self.fits.found
        seen: Seen | None = None
        if (self.wanted, size) not in found:
            seen = self._attempted(x)
            found[self.wanted, size] = size if seen else self.fits.room(self.wanted, size, self.size, lambda other: self._takes(x, other))
        room = found[self.wanted, size]
        if seen is None and room is not None:
            seen = self._attempted(padded(x, room))
        if seen is None or room is None:
            found[self.wanted, size] = None
            return through_windows(self._pass, x, self.size)
        return {name: cropped(each, size, room) if self._lies_over(name) else each for name, each in seen.items()}

    def _attempted(self, x: Tensor) -> Seen | None:
        try:
            return self._pass(x)
        except CannotTake:
            return None

    def _takes(self, like: Tensor, size: Size) -> bool:
        """Whether it takes a picture of a size, of the kind of those at hand."""
        with torch.no_grad():
            return self._attempted(like.new_zeros(1, like.shape[1], *size)) is not None

    def _lies_over(self, name: str) -> bool:
        """Whether what a layer gives has a place for each place of the picture."""
        return name != CLASSES and self.anatomy.layout(name) is not None and not LayerName.parse(name, self.anatomy.calls).part

    def as_taken(self, pictures: Tensor) -> Tensor:
        """(N, C, H, W), normalised, in the precision and the order of memory that the network runs in."""
        return self._laid_out(self.normalise(pictures))

    def _laid_out(self, x: Tensor) -> Tensor:
        x = x.to(self.dtype)
        return x.contiguous(memory_format=torch.channels_last) if (x.is_cpu or x.is_cuda) and not self.anatomy.habits.plain else x

    def _pass(self, x: Tensor) -> Seen:
        """(N, C, H, W), as the network takes it, to activations that lie over it."""
        if self.anatomy.single and len(x) > 1:
            apart = [self._pass(each[None]) for each in x]
            return {name: torch.cat([each[name] for each in apart]) for name in apart[0]}
        x = self._laid_out(x)
        return self.tapes(tuple(dict.fromkeys(self.layers.values())), self._run, x) if self.on_tape else self._run(x)

    def _run(self, x: Tensor) -> Seen:
        """The same of what is laid out as the network takes it."""
        names = [layer for layer in dict.fromkeys(self.layers.values()) if layer != CLASSES]
        with taking_a_picture(self.module, x), self._gradients():
            x = x.requires_grad_(True) if self.anatomy.habits.graded and not x.requires_grad else x
            given, output = run_until(self.module, x, names, self.anatomy.calls, to_the_end=CLASSES in self.wanted)
        scale = (x.shape[2] / self.size[0], x.shape[3] / self.size[1])
        seen = {}
        for name, each in given.items():
            layout = self.anatomy.layout(name)
            seen[name] = each if layout is None else layout.to_maps(each, LayerName.parse(name, self.anatomy.calls).part, scale)
        if CLASSES in self.wanted:
            seen[CLASSES] = self._scores_of(output, x)
        return seen if torch.is_grad_enabled() else {name: each.detach() for name, each in seen.items()}

    def _gradients(self) -> AbstractContextManager[object]:
        """For a network that asks for gradients in its own forward."""
        return torch.enable_grad() if self.anatomy.habits.graded else nullcontext()

    def scores(self, output: Any, count: int) -> Tensor:
        """(N, K): the class scores in what the network gave for so many pictures; UsageError where it has not a row for each."""
        assert self.anatomy.reading is not None  # CLASSES was wanted
        return self.anatomy.reading.scores(output, count)

    def _scores_of(self, output: Any, x: Tensor) -> Tensor:
        """(N, K); places that were moved into the batch are no rows of pictures."""
        try:
            found = self.scores(output, len(x))
        except UsageError as error:
            raise CannotTake(error.fault, error.remedy) from error
        if found.shape[1] != self.anatomy.classes:
            size = f"{x.shape[3]}×{x.shape[2]}"
            raise CannotTake(f"a picture of {size} gives {found.shape[1]} class scores instead of {self.anatomy.classes}")
        return found

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names of the layers that it gives."""
        return tuple(self.layers)

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self.normalise.scale.device


@contextmanager
def _unfused(module: nn.Module, mode: TorchFunctionMode) -> Iterator[None]:
    """While open, a mode has a hand in all that the module calls, and ReLUs that are fused into convolutions run apart from them."""
    fused = [part for part in module.modules() if isinstance(part, Convolution)]
    try:
        for part in fused:
            part.apart = True
        with mode:
            yield
    finally:
        for part in fused:
            part.apart = False
