"""From recipe to picture: the only room that puts canvas, network, objective and ascent together."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from reverie.ascent import Progress, Score, Size, added, climb, kept_memory, octave_sizes
from reverie.canvas import keep_colour
from reverie.errors import InputError, OutputError, UsageError
from reverie.networks import Network
from reverie.objectives import excite
from reverie.pictures import Picture, noise, quantise, resize
from reverie.recipe import LONGEST_SIDE, MOST_THREADS, Noise, Recipe, Stopped
from reverie.store import Kept
from reverie.target import CLASSES, Target, Term, brief, parse

SMALLEST = 16  # pixels a side of a start
MOST_FRAMES = 100  # pictures from along the way
LARGEST = 24_000_000  # pixels of a picture dreamt in memory

Watcher = Callable[[Progress], object]  # sees every step; a true answer stops


@dataclass(frozen=True)
class Plan:
    """A picture about to be made: its recipe, its network, open, and its start at the size of the result.

    With `keep` the file of the start is kept in the cache by its hash, once the making begins.
    """

    recipe: Recipe
    network: Network
    start: Picture
    keep: bool = False

    def make(self, watcher: Watcher | None = None, making: int = 0) -> Picture:
        """Make it.

        Args:
            watcher: is shown every step; if it answers with something true, the picture is finished as it is, marked as partial.
            making: so many pictures from along the way are kept in `Picture.making`.
        """
        if not 0 <= making <= MOST_FRAMES:
            raise UsageError(f"--making {making}", f"it is a number from 0 to {MOST_FRAMES}")
        began = time.monotonic()
        recipe = self.recipe
        kept = self._kept()
        with threads(recipe.machine.threads), kept_memory():
            score, smallest = scorer(parse(recipe.target), self.network)
            start = self.start.pixels[None].to(self.network.device)  # (1, 3, H, W)
            sizes = takeable(score, start, octave_sizes(*self.start.size, recipe.ascent, smallest))
            skipped = recipe.ascent.octaves - len(sizes)
            last: Progress | None = None
            alive = False
            frames: list[Tensor] = []
            for last in climb(start, score, recipe.ascent, sizes, [generator(recipe.seed, recipe.target)]):
                made = (last.octave - 1 + last.step / last.steps) / last.octaves  # share of the steps, whatever their size
                while len(frames) < making - 1 and made >= (len(frames) + 1) / making:
                    frames.append(self._finished(self._whole(last, start)))
                if not torch.isfinite(last.score).all():
                    raise UsageError(f"the score of '{brief(recipe.target)}' is no finite number", "give its terms smaller weights")
                alive = alive or bool(last.alive.any())
                here = Stopped(octave=last.octave, step=last.step)
                if recipe.stopped == here:
                    break
                if watcher is not None and watcher(last) and last.done < 1:
                    recipe = recipe.model_copy(update={"stopped": here})
                    break
            if last is None:
                raise AssertionError("an ascent has at least one step")
            pixels = self._finished(self._whole(last, start))
        were = "is too small for this target and was" if skipped == 1 else "are too small for this target and were"
        notes: tuple[str, ...] = (f"{skipped} of {recipe.ascent.octaves} octaves {were} skipped",) if skipped else ()
        if not alive:
            notes += (f"nothing in this picture moves '{recipe.target}': its gradient is zero, and the result is the start",)
        return replace(
            self.start,
            pixels=pixels,
            recipe=recipe,
            content=b"",
            sha256="",
            notes=(*self.start.notes, *notes, *kept),
            score=float(last.score[0]),
            seconds=time.monotonic() - began,
            making=(*frames, pixels) if making else (),
        )

    def _kept(self) -> tuple[str, ...]:
        """Keep the start; a note where that fails, which is no reason not to dream."""
        try:
            if self.keep and self.start.content:
                Kept().put(self.start.content)
        except OutputError as error:
            return (f"the start is not kept for `redo`, which will need --start: {error.fault}",)
        return ()

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


def takeable(score: Score, start: Tensor, sizes: list[Size]) -> list[Size]:
    """The sizes from the smallest that the network can take.

    Raises:
        UsageError: it cannot even take the largest.
    """
    for number, size in enumerate(sizes):
        try:
            with torch.no_grad():
                score(resize(start, *size))
            return sizes[number:]
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            if "allocate memory" in str(error):
                raise
            fault = str(error).splitlines()[0][:120]
    raise UsageError(
        f"the network cannot take a picture of {sizes[-1].width}×{sizes[-1].height}: {fault}", "give another --width or --size"
    )


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

    return score, max(2 * coarsest, *(reach(term, network) for term in target.terms))


def reach(term: Term, network: Network) -> int:
    """The least side of a picture on which the layer has the place that a term names; 1 where it names none."""
    if term.at is None:
        return 1
    rows, columns = network.layer(term.layer)[2:]
    stride = network.stride(term.layer)
    return max(
        1,
        network.size[0] + (term.at[0] + 1 - rows) * stride,
        network.size[1] + (term.at[1] + 1 - columns) * stride,
    )


def check_reach(target: Target, network: Network, height: int, width: int) -> None:
    """Raise UsageError for a neuron that a layer does not have on a picture of this size."""
    for term in target.terms:
        if reach(term, network) > min(height, width):
            raise UsageError(
                f"no place {term.unit().partition('@')[2]} in '{term.layer}' on a picture of {width}×{height}",
                f"a picture of {reach(term, network)} pixels a side has it, with --width or --size",
            )


def check(target: Target, network: Network) -> None:
    """Raise UsageError for whatever of a target the network does not have."""
    for term in target.terms:
        if term.label is not None:
            network.class_index(term.label)
            continue
        shape = network.layer(term.layer)
        if term.channel is not None and (len(shape) < 2 or term.channel >= shape[1]):
            has = f"it has {shape[1]}, numbered from 0" if len(shape) > 1 else "it has none"
            raise UsageError(f"no channel {term.channel} in '{term.layer}'", has)
        if term.at is not None and (len(shape) != 4 or term.at[0] >= shape[2] or term.at[1] >= shape[3]):
            has = f"at the native size it has {shape[2]} rows and {shape[3]} columns" if len(shape) == 4 else "it has no places"
            raise UsageError(f"no place {term.at[0]},{term.at[1]} in '{term.layer}'", has)


def check_size(height: int, width: int, name: str, flag: str = "--width") -> None:
    """Raise InputError for a picture too small or too large to dream on; `flag` is what makes it larger or smaller."""
    if min(height, width) < SMALLEST:
        raise InputError(f"'{name}' is {width}×{height} pixels", f"the least is {SMALLEST} a side; {flag} makes it larger")
    if height * width > LARGEST or max(height, width) > LONGEST_SIDE:
        most = int(min((LARGEST * width / height) ** 0.5, LONGEST_SIDE, LONGEST_SIDE * width / height))
        remedy = f"give {flag} {most} or less" if min(most, most * height // width) >= SMALLEST else "cut it into shorter pieces"
        raise InputError(f"'{name}' would be dreamt at {width}×{height} pixels, more than fit in memory", remedy)


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
    if count is not None and not 1 <= count <= MOST_THREADS:
        raise UsageError(f"--threads {count}", f"it is a number from 1 to {MOST_THREADS}")
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
