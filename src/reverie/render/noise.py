"""What an ascent begins with: noise, random numbers, so many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from reverie.errors import InputError, UsageError, choice
from reverie.networks.inspection.chance import seed_for
from reverie.pictures import MEAN, Picture, noise, rounded
from reverie.recipe import LONGEST_SIDE, MOST_THREADS, Noise, NoiseInput, Recipe

SMALLEST = 16  # pixels a side of a start
PHOTOGRAPHS = (0.485, 0.456, 0.406)  # mean colour of ImageNet's photographs, as torchvision and others give it
LARGEST = 24_000_000  # pixels of a picture dreamt in one pass


def check_size(height: int, width: int, name: str, by: str = "width", largest: int = LARGEST) -> None:
    """Raise InputError for a picture too small or too large to dream on; `by` is the choice that makes it larger or smaller."""
    if min(height, width) < SMALLEST:
        raise InputError(f"'{name}' is {width}×{height} pixels", f"the least is {SMALLEST} a side; {choice(by)} makes it larger")
    if height * width > largest or max(height, width) > LONGEST_SIDE:
        most = int(min((largest * width / height) ** 0.5, LONGEST_SIDE, LONGEST_SIDE * width / height))
        remedy = f"give {choice(by, most)} or less" if min(most, most * height // width) >= SMALLEST else "cut it into shorter pieces"
        why = "more than fit in memory" if largest == LARGEST else f"more than the {largest:,} that {choice('max_pixels')} allows"
        raise InputError(f"'{name}' would be dreamt at {width}×{height} pixels, {why}", remedy)


def drawn(recipe: Recipe, purpose: str) -> Picture:
    """The noise that a recipe begins with."""
    used = recipe.input("start")
    assert isinstance(used, NoiseInput)
    around = PHOTOGRAPHS if recipe.command == "see" and recipe.channels == 3 else recipe.canvas.light
    return noise_start(used.noise, recipe.height, recipe.width, recipe.seed, purpose, recipe.canvas.spread, around, recipe.channels)


def noise_start(
    kind: Noise, height: int, width: int, seed: int, purpose: str = "", spread: float = 0.0, around: tuple[float, ...] = (),
    channels: int = 3,
) -> Picture:  # fmt: skip
    """A picture of noise, which follows from its kind, the seed and the purpose alone. Rounded to 8 bits, as a file of it would be.

    With `spread` it has that contrast. It lies around a value in 0..1, or one of each channel; without one around the light of photographs.

    Raises:
        UsageError: `around` has neither one value nor one of each channel.
    """
    if len(around) not in (0, 1, channels):
        raise UsageError(choice("light", ",".join(f"{each:g}" for each in around)), f"give one number, or {channels}, one of each channel")
    drawing = generator(seed, f"noise:{kind}" + (f" for {purpose}" if purpose else ""))
    pixels = noise(kind, height, width, drawing, channels)  # (C, H, W)
    if spread or around:
        centred = pixels - pixels.mean()
        wide = centred if not spread else spread * centred / centred.std().clamp_min(1e-6)
        pixels = (torch.tensor(around or (MEAN,)).view(-1, 1, 1) + wide).clamp(0, 1)
    return Picture(rounded(pixels))


def generator(seed: int, purpose: str) -> torch.Generator:
    """A random generator of its own for each seed and target."""
    return torch.Generator().manual_seed(seed_for(seed, purpose))


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """So many threads inside (None: as many as there are), as many as before outside."""
    if count is not None and not 1 <= count <= MOST_THREADS:
        raise UsageError(choice("threads", count), f"it is a number from 1 to {MOST_THREADS}")
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def purposes(recipe: Recipe) -> list[str]:
    """What the random numbers of each picture of the batch are drawn for, beside the seed: its target, and what sets it apart."""
    batch = recipe.batch
    if batch is None:
        return [str(recipe.target)]
    if batch.kind == "between":  # they differ in their target alone
        return [f"{batch.targets[0]} | {batch.targets[-1]}"] * len(batch.targets)
    if batch.kind == "diverse":
        return [f"{target} #{number}" for number, target in enumerate(batch.targets)]
    return [str(each) for each in batch.targets]
