"""How a picture too large for one pass is cut, and what making it will take."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm

import torch

from reverie.ascent import Tiling, octave_sizes
from reverie.errors import InputError, UsageError, choice
from reverie.networks import Network
from reverie.networks.prepared.device import free_memory
from reverie.objectives import entry
from reverie.pictures.disk_backed import IN_MEMORY
from reverie.recipe import OWN, Penalties, Recipe, Tiles, Transforms
from reverie.render.batch_memory import WASTE, bytes_per_pixel
from reverie.render.noise import LARGEST
from reverie.target import CLASSES, Target

ONE_PASS = 8_000_000  # pixels up to which a picture is dreamt in one pass, where there is memory
_SHARE = 0.6  # of the free memory that a window may take
_SIDES = (256, 2816)  # of tiles, where nobody says
_ROOMY = 2560  # side of tiles from which on there is memory to spare: see `roomy`
_COMING = 1.2  # times what a window keeps: what comes and goes beside it
_HALO = 4096  # pixels that a recipe's halo may have
_SMALL = 2_000_000  # pixels that fit in any memory
_ITSELF = 400_000_000  # bytes of the program with PyTorch and a network
_COPIES = 5  # of the picture, in its work: the start, the dream, its gradient, the change, and one to spare
_PICTURES = 0.25  # of the free memory that they may take, where there is memory to spare
_PACKED = 6  # bytes a pixel of the file that is read, and of that which is written
_BESIDE = 120  # bytes a pixel, of three channels, for the picture, its gradient and their copies, of a dream in one pass


def whole_only(network: Network, target: Target, objective: str, transforms: Transforms, penalties: Penalties, networks: int = 1) -> str:
    """Why such a dream cannot be made in tiles; empty where it can."""
    if networks > 1:
        return "several networks weigh their gradients over the whole picture"
    if objective == OWN:
        return "an objective of one's own is asked of the whole picture"
    if not entry(objective).tiled:
        return f"a {objective} compares the whole picture"
    for term in target.terms:
        if term.label is not None:
            return f"'{term.unit()}' is a class, which is judged on the whole picture"
        if term.at is not None:
            return f"'{term.unit()}' is one neuron, in one place"
        if network.reach(term.layer) is None or len(network.layer(term.layer)) != 4:
            return f"each value of '{term.layer}' depends on the whole picture"
        if not network.is_free(term.layer):
            return f"'{term.layer}' sees pictures of one size alone"
    if transforms != Transforms():
        return "transforms other than jitter move the picture as a whole"
    if penalties != Penalties():
        return "penalties are taken of the whole picture"
    return ""


def tiles_for(
    network: Network, target: Target, height: int, width: int, tile: int | None, halo: int | None, why_not: str
) -> tuple[Tiles | None, tuple[str, ...]]:
    """How to cut a picture, or None where it is dreamt in one pass; and what the user should know of it.

    Args:
        tile, halo: as they were asked for; None for what follows from the memory at hand, and from the layers.
        why_not: what `whole_only` says.

    Raises:
        UsageError: tiles for what cannot be cut. InputError: a picture too large for one pass that cannot be cut.
    """
    weight = max(3, network.channels) / 3  # of a pixel
    heavy = weight * height * width
    if tile is None and halo is None and heavy <= _SMALL:
        return None, ()
    if why_not:
        if tile is not None or halo is not None:
            raise UsageError(
                f"{choice('tile', tile) if tile is not None else choice('halo', halo)}: {why_not}",
                "leave it out, and make the picture smaller if it must be",
            )
        if heavy <= LARGEST:
            return None, ()
        raise InputError(
            f"a picture of {width}×{height} pixels is too large for one pass, and cannot be dreamt in tiles: {why_not}",
            f"give {choice('width', int((LARGEST * width / height / weight) ** 0.5))} or less, or another target",
        )
    free = free_memory(network.device)
    layers = list(target.layers())
    each = bytes_per_pixel(network, layers or [CLASSES])
    fits = (WASTE * each + _BESIDE * weight) * height * width <= _SHARE * free
    if tile is None and halo is None and heavy <= ONE_PASS and fits:
        return None, ()
    reach = max(network.reach(name) or 1 for name in layers)
    phase = lcm(*(network.phase(name) for name in layers))
    needed = -(-(reach // 2) // phase) * phase
    halo = min(needed, _HALO) if halo is None else -(-halo // phase) * phase
    if tile is None:
        most = [(_SHARE * free / (times * max(each, 1.0))) ** 0.5 - 2 * halo for times in (WASTE, _COMING)]
        tile = int(min(most[0], _SIDES[1]) if most[0] >= _ROOMY else max(_SIDES[0], min(most[1], _ROOMY - 1)))
    tile = max(phase, tile // phase * phase)
    notes = () if halo >= needed else (f"the halo of {halo} pixels is less than the {needed} that '{target}' depends on: tiles may show",)
    return Tiles(tile=tile, halo=halo), notes


def roomy(recipe: Recipe) -> bool:
    """Whether memory that one step frees may be held for the next: twice the memory, and a quarter less time on large windows."""
    return recipe.tiles is None or recipe.tiles.tile >= _ROOMY


def largest_in_memory(recipe: Recipe) -> int:
    """Bytes of the largest tensor of a picture's size that is not put on disk."""
    return max(IN_MEMORY, int(_PICTURES * free_memory(torch.device("cpu")) / _COPIES)) if roomy(recipe) else IN_MEMORY


def tiling_of(recipe: Recipe, network: Network) -> Tiling | None:
    """As the ascent takes it."""
    if recipe.tiles is None:
        return None
    return Tiling(recipe.tiles.tile, recipe.tiles.halo, lcm(*(network.phase(name) for name in recipe.target.layers())))


@dataclass(frozen=True)
class Estimate:
    """What a picture will take: bytes of memory and of disk for the work, seconds, and how many tiles it is cut into at the last octave."""

    memory: int
    disk: int
    seconds: float
    tiles: int


def estimated(recipe: Recipe, tiling: Tiling | None, bytes_each: float, seconds_per_pixel: float) -> Estimate:
    """Of a picture, or of all those that are made together with it.

    Args:
        bytes_each: what a pass keeps for each pixel of one of them, as `bytes_per_pixel` counts it.
        seconds_per_pixel: of one step of all of them in one pass, as measured.
    """
    sizes = octave_sizes(recipe.height, recipe.width, recipe.ascent)
    windows = [[] if tiling is None else list(tiling.windows(*size)) for size in sizes]
    seen = [sum(each.pixels for each in cut) or size.height * size.width for cut, size in zip(windows, sizes, strict=True)]
    pixels = recipe.height * recipe.width * recipe.together
    largest = max((each.pixels for each in windows[-1]), default=pixels)
    picture = 4 * recipe.channels * pixels
    on_disk = picture > largest_in_memory(recipe)
    window = (WASTE if roomy(recipe) else _COMING) * bytes_each * largest
    return Estimate(
        memory=int(_ITSELF + window + (0 if on_disk else _COPIES * picture) + _PACKED * pixels),
        disk=_COPIES * picture if on_disk else 0,
        seconds=seconds_per_pixel * recipe.ascent.steps * sum(seen),
        tiles=len(windows[-1]),
    )
