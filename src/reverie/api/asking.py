"""What several networks see in a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, overload

from reverie import album
from reverie.api.choices import Device, PictureLike, Precision
from reverie.api.opening import Networks, networks_from
from reverie.api.replanning import carried_by
from reverie.api.start_guide_mask import noise_of
from reverie.errors import InputError, UsageError
from reverie.files.limits import at_most_pixels
from reverie.judging.answers import Asked
from reverie.judging.observers import asked
from reverie.networks import Network, installed
from reverie.networks.read_once import reading_once
from reverie.pictures import Picture, as_picture, in_channels, load
from reverie.pictures.torch_modes import ordinary_modes
from reverie.recipe import Machinery, NoiseInput, NoiseSeed, Recipe, Top, is_noise, resolve
from reverie.render import threads as so_many_threads
from reverie.store import expanded

Given = TypeVar("Given", bound=PictureLike)


@overload
def ask(
    picture: PictureLike, *, network: Networks = None, top: int = 3, device: Device | None = None, precision: Precision | None = None,
    threads: int | None = None, max_pixels: int | None = None, seed: int = 0,
) -> Asked: ...  # fmt: skip
@overload
def ask(
    picture: list[Given] | tuple[Given, ...], *, network: Networks = None, top: int = 3, device: Device | None = None,
    precision: Precision | None = None, threads: int | None = None, max_pixels: int | None = None, seed: int = 0,
) -> list[Asked]: ...  # fmt: skip
@ordinary_modes()
@reading_once()
def ask(
    picture: PictureLike | list[Given] | tuple[Given, ...], *, network: Networks = None, top: int = 3, device: Device | None = None,
    precision: Precision | None = None, threads: int | None = None, max_pixels: int | None = None, seed: int = 0,
) -> Asked | list[Asked]:  # fmt: skip
    """What several networks each see in a picture, where they agree and where not, and averaged.

    For a dream, a picture with a recipe, also what was in the start before: that is looked for by its hash, in the cache and beside the
    picture. A network that made the picture is asked too, and does not count in the average.

    Args:
        picture: a path, a PIL image, an array, a tensor (C, H, W) in 0..1, or `noise:pink`; a list of them gives a list.
        network: open, or their names; one to eight, whose classes are the same where they are called the same. Without it the built-in
            ones that are installed.
        top: how many classes are told.
        device, precision: as in `load`, for those that are opened. threads: of the processor. max_pixels: a picture may claim.
        seed: of noise.

    Raises:
        UsageError: no pictures, networks without classes of the same name, or that take other channels. InputError: a picture that
            cannot be used.
    """
    said = {"top": top, "device": device, "precision": precision, "threads": threads, "max_pixels": max_pixels, "seed": seed}
    request = resolve("ask", said)
    machinery, count = request[Machinery], request[Top].top
    given: list[Any] = list(picture) if isinstance(picture, (list, tuple)) else [picture]
    if not given:
        raise UsageError("no pictures to ask about", "give one at least")
    networks = networks_from(list(installed()) if network is None else network, machinery.device, machinery.precision)
    with so_many_threads(machinery.threads), at_most_pixels(machinery.max_pixels):
        found = [_one(each, networks, count, request[NoiseSeed].seed) for each in given]
    return found if isinstance(picture, (list, tuple)) else found[0]


def _one(given: Any, networks: tuple[Network, ...], top: int, seed: int) -> Asked:
    if is_noise(given):
        return asked(given, noise_of(given, seed, networks[0].channels), networks, top)
    name = Path(given).name if isinstance(given, (str, Path)) else "the picture"
    picture = _looked_at(given, networks[0].channels)
    recipe = album.recipe_at(expanded(given)) if isinstance(given, (str, Path)) else picture.recipe
    if recipe is None:
        return asked(name, picture, networks, top)
    before, notes = _start(given, recipe, networks[0].channels)
    answer = asked(name, picture, networks, top, [each.sha256 for each in recipe.networks], before)
    return answer.noted(notes)


def _looked_at(given: Any, channels: int) -> Picture:
    """As it is, and not as a file of it would be: what `recognise` looks at."""
    if isinstance(given, (str, Path)):
        return load(given, channels)
    found = as_picture(given, channels)
    return replace(found, pixels=in_channels(found.pixels, channels))


def _start(given: Any, recipe: Recipe, channels: int) -> tuple[Picture | None, tuple[str, ...]]:
    """What a picture was made from; or why there is nothing to be shown of it."""
    used = recipe.input("start")
    if used is None:
        return None, ()
    if isinstance(used, NoiseInput):
        return None, (f"it began with {used.noise} noise, in which there was nothing before: there is no column for it",)
    try:
        found = carried_by(given).find(used) if isinstance(given, (str, Path)) else album.kept_inputs(recipe)["start"]
        if found is None:
            return None, ("what it was made from is not in the cache",)
        return _looked_at(found, channels), ()
    except InputError as error:
        return None, (f"what was in it before is not known: {error.fault}",)
