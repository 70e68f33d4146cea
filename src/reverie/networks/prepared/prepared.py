"""A network made ready for looking into: a frozen copy, folded, laid out for speed, stopped after the last layer wanted.

The original is never touched.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from reverie.networks.inspection.anatomy import Anatomy
from reverie.networks.inspection.chance import Generator, drawing
from reverie.networks.inspection.checkpointing import straight_through_checkpoints
from reverie.networks.inspection.hooks import Seen, run_until
from reverie.networks.inspection.layer_names import LayerName
from reverie.networks.inspection.outputs import class_scores
from reverie.networks.prepared.fused import ConvRelu
from reverie.networks.prepared.normalise import Normalise
from reverie.networks.prepared.redirected_relu import RedirectedRelus
from reverie.networks.prepared.windows import through_windows
from reverie.target import CLASSES


@dataclass(frozen=True)
class Prepared:
    """Call it with pictures (N, C, H, W) in 0..1 to get the activations of `wanted`, by name; gradients flow to the pictures.

    What lies over the picture comes as (N, C, H, W), see `Anatomy.layouts`. Of a picture whose size the network cannot take, see `windows`.
    """

    module: nn.Module
    normalise: Normalise
    layers: dict[str, str]  # by the names they were asked for by, those of modules
    anatomy: Anatomy
    size: tuple[int, int]  # the native one
    folded: int
    unfolded: int
    dtype: torch.dtype
    scores: str | None
    lock: threading.RLock  # one pass at a time: hooks are put on a module that all who look at it share
    generators: tuple[Generator, ...] = ()  # that a pass draws random numbers from

    def __call__(self, pictures: Tensor) -> Seen:
        return self._look(pictures, nullcontext())

    def redirected(self, pictures: Tensor) -> Seen:
        """The same activations, for a start at which all units of a target are dead or saturated and its gradient is zero.

        Where nothing would get through a ReLU, the gradient gets through that brings units back to life, see `redirected_relu`.
        Other activations are as they were, and a score that is itself flat there, as a square is at zero, stays so.
        """
        return self._look(pictures, _redirected(self.module))

    def _look(self, pictures: Tensor, how: AbstractContextManager[None]) -> Seen:
        x = self.normalise(pictures)  # (N, C, H, W)
        with self.running(), how:
            free = all(self.anatomy.is_free(layer) for layer in self.layers.values())
            seen = self._pass(x) if free or x.shape[2:] == self.size else through_windows(self._pass, x, self.size)
        return {name: seen[layer].float() for name, layer in self.layers.items()}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, its module runs: by nobody else, and with random numbers that follow from a seed."""
        with self.lock, straight_through_checkpoints(), drawing(self.generators):
            yield

    def as_taken(self, pictures: Tensor) -> Tensor:
        """(N, C, H, W), normalised, in the precision and the order of memory that the network runs in."""
        return self._laid_out(self.normalise(pictures))

    def _laid_out(self, x: Tensor) -> Tensor:
        x = x.to(self.dtype)
        return x.contiguous(memory_format=torch.channels_last) if x.is_cpu or x.is_cuda else x

    def _pass(self, x: Tensor) -> Seen:
        """(N, C, H, W), as the network takes it, to activations that lie over it."""
        if self.anatomy.single and len(x) > 1:
            apart = [self._pass(each[None]) for each in x]
            return {name: torch.cat([each[name] for each in apart]) for name in apart[0]}
        x = self._laid_out(x)
        names = [layer for layer in dict.fromkeys(self.layers.values()) if layer != CLASSES]
        given, output = run_until(self.module, x, names, self.anatomy.calls, to_the_end=CLASSES in self.wanted)
        scale = (x.shape[2] / self.size[0], x.shape[3] / self.size[1])
        seen = {}
        for name, each in given.items():
            layout = self.anatomy.layout(name)
            seen[name] = each if layout is None else layout.to_maps(each, LayerName.parse(name, self.anatomy.calls).part, scale)
        if CLASSES in self.wanted:
            seen[CLASSES] = class_scores(output, self.scores)
        return seen

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names of the layers that it gives."""
        return tuple(self.layers)

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self.normalise.scale.device


@contextmanager
def _redirected(module: nn.Module) -> Iterator[None]:
    """While open, all ReLUs of the module are redirected: our fused ones by their flag, others through the functions they call."""
    fused = [part for part in module.modules() if isinstance(part, ConvRelu)]
    try:
        for part in fused:
            part.redirected = True
        with RedirectedRelus():
            yield
    finally:
        for part in fused:
            part.redirected = False
