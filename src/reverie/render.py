"""From recipe to picture: the only room that puts canvas, network, objective and ascent together."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from reverie.ascent import Progress, Score, added, climb, octave_sizes
from reverie.canvas import keep_colour
from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.objectives import excite
from reverie.pictures import Picture, noise, quantise, resize
from reverie.recipe import Noise, Recipe, Stopped
from reverie.target import CLASSES, Target, parse

SMALLEST = 16  # pixels a side of a start
LARGEST = 24_000_000  # pixels of a picture dreamt in memory

Watcher = Callable[[Progress], object]  # sees every step; a true answer stops


@dataclass(frozen=True)
class Plan:
    """A picture about to be made: its recipe, its network, open, and its start at the size of the result."""

    recipe: Recipe
    network: Network
    start: Picture

    def make(self, watcher: Watcher | None = None, making: int = 0) -> Picture:
        """Make it.

        Args:
            watcher: is shown every step; if it answers with something true, the picture is finished as it is, marked as partial.
            making: so many pictures from along the way are kept in `Picture.making`.
        """
        began = time.monotonic()
        recipe = self.recipe
        with threads(recipe.machine.threads):
            score, smallest = scorer(parse(recipe.target), self.network)
            start = self.start.pixels[None].to(self.network.device)  # (1, 3, H, W)
            sizes = octave_sizes(*self.start.size, recipe.ascent, smallest)
            skipped = recipe.ascent.octaves - len(sizes)
            last: Progress | None = None
            frames: list[Tensor] = []
            for last in climb(start, score, recipe.ascent, sizes, [generator(recipe.seed, recipe.target)]):
                if len(frames) < making - 1 and last.done >= (len(frames) + 1) / making:
                    frames.append(self._whole(last, start))
                here = Stopped(octave=last.octave, step=last.step)
                if recipe.stopped == here:
                    break
                if watcher is not None and watcher(last) and last.done < 1:
                    recipe = recipe.model_copy(update={"stopped": here})
                    break
            if last is None:
                raise AssertionError("an ascent has at least one step")
            pixels = self._finished(self._whole(last, start))
        notes = (f"{skipped} of {recipe.ascent.octaves} octaves are too small for this target and were skipped",) if skipped else ()
        return replace(
            self.start,
            pixels=pixels,
            recipe=recipe,
            content=b"",
            sha256="",
            notes=(*self.start.notes, *notes),
            score=float(last.score[0]),
            seconds=time.monotonic() - began,
            making=(*frames, pixels) if making else (),
        )

    def _whole(self, state: Progress, start: Tensor) -> Tensor:
        """The state of an ascent at the size of the result: (3, H, W), on the CPU."""
        pictures = state.pictures
        if pictures.shape != start.shape:
            small = resize(start, *pictures.shape[2:])
            pictures = start + added(pictures, small, *start.shape[2:])
        return pictures[0].clamp(0, 1).cpu()

    def _finished(self, pixels: Tensor) -> Tensor:
        finish, start = self.recipe.finish, self.start.pixels
        if finish.keep_colour:
            pixels = keep_colour(pixels, start)
        return torch.lerp(pixels, start, finish.mix) if finish.mix else pixels


def scorer(target: Target, network: Network) -> tuple[Score, int]:
    """The function of pictures to climb, and the least side of a picture it can be climbed on.

    Raises:
        UsageError: the network has no such layer, channel, place or class.
    """
    check(target, network)
    names = list(target.layers())
    if any(term.label is not None for term in target.terms):
        names.append(CLASSES)
    prepared = network.prepare(names)
    judge = excite(target, network.class_index)
    coarsest = max((network.stride(name) for name in target.layers()), default=max(network.anatomy.strides.values(), default=1))

    def score(pictures: Tensor) -> Tensor:
        return judge(prepared(pictures))

    return score, 2 * coarsest


def check(target: Target, network: Network) -> None:
    """Raise UsageError for whatever of a target the network does not have."""
    for term in target.terms:
        if term.label is not None:
            network.class_index(term.label)
            continue
        shape = network.layer(term.layer)
        if term.channel is not None and (len(shape) < 2 or term.channel >= shape[1]):
            raise UsageError(f"no channel {term.channel} in '{term.layer}'", f"it has {shape[1]}, numbered from 0")
        if term.at is not None and (len(shape) != 4 or term.at[0] >= shape[2] or term.at[1] >= shape[3]):
            raise UsageError(
                f"no place {term.at[0]},{term.at[1]} in '{term.layer}'", f"at the native size it has {shape[2]} rows and {shape[3]} columns"
            )


def check_size(height: int, width: int, name: str) -> None:
    """Raise InputError for a picture too small or too large to dream on."""
    if min(height, width) < SMALLEST:
        raise InputError(f"'{name}' is {width}×{height} pixels", f"the least is {SMALLEST} a side; --width makes it larger")
    if height * width > LARGEST:
        most = int((LARGEST * width / height) ** 0.5)
        raise InputError(f"'{name}' would be dreamt at {width}×{height} pixels, more than fit in memory", f"give --width {most} or less")


def noise_start(kind: Noise, height: int, width: int, seed: int) -> Picture:
    """A picture of noise, which follows from its kind and the seed alone. Rounded to 8 bits, as a file of it would be."""
    pixels = noise(kind, height, width, generator(seed, f"noise:{kind}"))  # (3, H, W)
    return Picture(torch.from_numpy(quantise(pixels)).permute(2, 0, 1).float() / 255)


def generator(seed: int, purpose: str) -> torch.Generator:
    """A random generator of its own for each seed and target."""
    digest = hashlib.sha256(f"{seed}\n{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """So many threads inside (None: as many as there are), as many as before outside."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
