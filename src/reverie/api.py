"""The public functions. The commands and the studio call these, and add nothing to what they do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any, cast, get_args

import torch
from torch import nn

from reverie import __version__, files
from reverie import pictures as _pictures
from reverie import recipe as _recipe
from reverie.album import read_recipe
from reverie.errors import InputError, UsageError, unknown
from reverie.networks import Network, open_network, wrap_module
from reverie.networks.catalogue import CATALOGUE
from reverie.networks.device import available
from reverie.pictures import Picture
from reverie.recipe import DEFAULT_NETWORK, Ascent, FileInput, Finish, Machine, NetworkUsed, Noise, NoiseInput, Recipe, choose
from reverie.render import Plan, Watcher, check, check_reach, check_size, noise_start
from reverie.store import Kept, expanded, files_in, sha256_of
from reverie.target import CLASSES, brief, parse

Start = str | Path | Picture | Any
NOISE_SIZE = (512, 512)


def load(name: str = DEFAULT_NETWORK, *, device: str | None = None) -> Network:
    """A built-in network with its trained weights.

    Args:
        name: one of those that `reverie networks` lists.
        device: `cpu`, `cuda` or `mps`; without it the fastest there is.

    Raises:
        UsageError: no such network or device. MissingExtra: its weights are not installed. UnsafeError: their hash is wrong.
    """
    return open_network(name, device)


def wrap(
    module: nn.Module,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    range: tuple[float, float] = (0.0, 1.0),
    size: int | tuple[int, int] = 224,
    labels: Sequence[str] = (),
    scores: str | None = None,
    name: str | None = None,
    device: str | None = None,
) -> Network:
    """Any `nn.Module` that takes pictures (N, C, H, W), made ready for looking into.

    It is left as it was, and its weights are read at each call.

    Args:
        module: the network; its mode, gradients and hooks are not touched.
        mean, std: of each channel, as its training normalised pictures, in the units of `range`.
        range: what black and white are before normalisation: (0, 1), (0, 255), (-1, 1).
        size: native side, or (height, width), of a picture.
        labels: names of its classes, in order.
        scores: which entry of a dictionary it gives is the class scores, where that is not clear.
        name: for recipes and messages; without it the name of its class.
        device: where its prepared copy runs.

    Raises:
        UsageError: `mean` and `std` of different lengths, or a deviation that is not above 0.
    """
    if name is not None and not 0 < len(name) <= 200:
        raise UsageError(f"a network's name of {len(name)} characters", "give it one of 1 to 200")
    return wrap_module(module, mean, std, range, size, labels, scores, name, device)


def dream(
    start: Start,
    target: str | None = None,
    *,
    network: Network | str | None = None,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Any,
) -> Picture:
    """Enhance in a picture what a layer, a unit or any target detects in it (Mordvintsev, Olah & Tyka 2015).

    Args:
        start: a path, a PIL image, a tensor (3, H, W) in 0..1, or `noise:white`, `noise:grey`, `noise:pink`.
        target: what to climb, e.g. `blocks.4.1`, `blocks.4.1:12 - 0.5*blocks.2.0:3`, `class:banana`.
        network: an open network, or the name of a built-in one.
        progress: is shown every step; a true answer stops, and the picture is marked as partial.
        making: keep so many pictures from along the way.
        **choices: `level`, `preset`, `width`, `size`, `seed`, `device`, `threads`, `keep`, `max_pixels` of `plan`, and every field of
            the recipe's `Ascent` and `Finish`: `octaves`, `octave_scale`, `steps`, `strength`, `jitter`, `smoothing`, `vivid`, `tone`,
            `mix`, `keep_colour`, `deep`.

    Raises:
        UsageError: an unknown name or a value out of bounds. InputError: a start that cannot be used. UnsafeError: one that is refused.
    """
    return plan(start, target, network=network, **choices).make(progress, making)


def plan(
    start: Start,
    target: str | None = None,
    *,
    level: str | None = None,
    preset: str | None = None,
    network: Network | str | None = None,
    width: int | None = None,
    size: int | tuple[int, int] | None = None,
    seed: int = 0,
    device: str | None = None,
    threads: int | None = None,
    keep: bool = True,
    max_pixels: int = _recipe.MAX_PIXELS,
    **choices: Any,
) -> Plan:
    """All of `dream` but the dreaming: what is wrong comes to light here, before any time is spent, and the recipe is known.

    Args:
        level: a plain-language level in the place of a target.
        preset: named choices; what is given beside it goes before it.
        width: bring the start to this width, its shape kept.
        size: side, or (height, width), of a start made from noise.
        keep: keep the start in the cache by its hash, so that `redo` finds it.
    """
    if preset is None and target is None and level is None:
        preset = _recipe.DEFAULT_PRESET
    named = _recipe.preset(preset) if preset is not None else None
    if target is not None and level is not None:
        raise UsageError("both a target and a level", "a level stands for a target: give one of them")
    if level is not None and level not in _recipe.LEVELS:
        raise unknown("level", level, _recipe.LEVELS, "the levels are " + ", ".join(_recipe.LEVELS))
    terms = parse(target) if target is not None else None
    known = set(Ascent.model_fields) | set(Finish.model_fields)
    for name in choices:
        if name not in known:
            raise unknown("choice", name, known)
    given = {name: value for name, value in choices.items() if value is not None}
    merged = {**(named.choices if named else {}), **given}
    ascent = choose(Ascent, **{name: value for name, value in merged.items() if name in Ascent.model_fields})
    finish = choose(Finish, **{name: value for name, value in merged.items() if name in Finish.model_fields})
    seed = _whole("--seed", seed, 0, _recipe.MOST_SEED)
    max_pixels = _whole("--max-pixels", max_pixels, 1)
    if threads is not None:
        threads = _whole("--threads", threads, 1, _recipe.MOST_THREADS)
    picture, used = _start(start, width, size, seed, max_pixels)
    net = _network(network, device)
    if net.channels != 3:
        raise UsageError(f"{net.name} takes pictures of {net.channels} channels", "a dream needs a network of colour pictures, of three")
    terms = terms or parse(net.level(level or (named.level if named else "")))
    check(terms, net)
    height, wide = picture.size
    check_reach(terms, net, height, wide)
    recipe = Recipe(
        networks=(network_used(net, list(terms.layers()) or [CLASSES]),),
        inputs=(used,),
        target=str(terms),
        ascent=ascent,
        finish=finish,
        width=wide,
        height=height,
        seed=seed,
        machine=machine(net, threads),
    )
    return Plan(recipe, net, picture, keep)


def redo(
    picture: str | Path,
    *,
    start: str | Path | None = None,
    network: Network | None = None,
    device: str | None = None,
    threads: int | None = None,
    progress: Watcher | None = None,
    max_pixels: int = _recipe.MAX_PIXELS,
) -> Picture:
    """Make a picture again from the recipe it carries.

    Its start is looked for by hash: in the cache, then beside the picture, then at `start`. On the same machine, device and thread
    count the same bytes come; elsewhere the same picture to the eye, and `Picture.notes` says which.

    Args:
        picture: a file with a recipe.
        start: the start picture, or a folder it is in, if it is neither in the cache nor beside the picture.
        network: one's own network, if it was made with one; it is checked by the hash of its weights.
        device, threads: other than those of the recipe.

    Raises:
        InputError: no recipe, a recipe that cannot be used, a start that cannot be found, or another network.
    """
    return plan_again(picture, start=start, network=network, device=device, threads=threads, max_pixels=max_pixels).make(progress)


def plan_again(
    picture: str | Path,
    *,
    start: str | Path | None = None,
    network: Network | None = None,
    device: str | None = None,
    threads: int | None = None,
    max_pixels: int = _recipe.MAX_PIXELS,
) -> Plan:
    """All of `redo` but the dreaming."""
    place = expanded(picture)
    max_pixels = _whole("--max-pixels", max_pixels, 1)
    if threads is not None:
        threads = _whole("--threads", threads, 1, _recipe.MOST_THREADS)
    old = read_recipe(place)
    used = old.networks[0]
    if network is None and used.name not in CATALOGUE:
        fault = f"'{place.name}' was made with a network of somebody's own, '{used.name}' (sha256 {used.sha256})"
        raise InputError(fault, "redo it in Python: reverie.redo(picture, network=reverie.wrap(…))")
    if used.sha256 != (CATALOGUE[used.name].sha256 if network is None else network.sha256):
        raise InputError(f"'{place.name}' was made with other weights of '{used.name}' (sha256 {used.sha256})", "give that network")
    found = _input(old, place, None if start is None else expanded(start), max_pixels)
    if network is None and device is None and old.machine.device in available():
        device = old.machine.device
    net = _network(network or used.name, device)
    here = machine(net, threads or old.machine.threads)
    same = here == old.machine
    note = f"made with {_where(old.machine)}, "
    if not same:
        note += f"here it is {_where(here)}: the same to the eye"
    elif here.device == "cpu":
        note += "as here: if this is that machine, the same bytes"
    else:  # a GPU adds up in no fixed order
        note += "as here: the same to the eye"
    try:
        check(parse(old.target), net)
        check_reach(parse(old.target), net, *found.size)
    except UsageError as error:
        raise InputError(f"the recipe in '{place.name}' does not fit its network: {error.fault}", error.remedy) from error
    names = list(parse(old.target).layers()) or [CLASSES]
    recipe = old.model_copy(update={"machine": here, "networks": (network_used(net, names),)})
    return Plan(recipe, net, replace(found, notes=(note,)))


def network_used(network: Network, layers: Sequence[str]) -> NetworkUsed:
    prepared = network.prepare(layers)
    return NetworkUsed(name=network.name, sha256=network.sha256, folded=prepared.folded, unfolded=prepared.unfolded)


def machine(network: Network, threads: int | None) -> Machine:
    return Machine(
        reverie=__version__,
        torch=torch.__version__,
        device=cast(Any, network.device.type),
        threads=threads or torch.get_num_threads(),
        precision="bfloat16" if network.dtype == torch.bfloat16 else "float32",
    )


def _network(network: Network | str | None, device: str | None) -> Network:
    if isinstance(network, Network):
        if device not in (None, "auto", network.device.type):
            raise UsageError(f"device '{device}', but the network is open on {network.device.type}", "load it with that device")
        return network
    return load(network or DEFAULT_NETWORK, device=device)


def _start(start: Start, width: int | None, size: Any, seed: int, max_pixels: int) -> tuple[Picture, FileInput | NoiseInput]:
    if width is not None:
        width = _whole("--width", width, 1)
    if isinstance(start, str) and start.startswith("noise:"):
        kind = start.removeprefix("noise:")
        kinds = get_args(Noise)
        if kind not in kinds:
            raise unknown("noise", kind, kinds, "there is noise:" + ", noise:".join(kinds))
        if size is not None and width is not None:
            raise UsageError("both a size and a width", "noise is made at the size it shall have: give --size alone")
        height, wide = _sides(size) if size is not None else (width, width) if width else NOISE_SIZE
        check_size(height, wide, start, "--size")
        return noise_start(cast(Noise, kind), height, wide, seed), NoiseInput(noise=cast(Noise, kind))
    if size is not None:
        raise UsageError("a size for a start that is a picture", "--size is for noise; a picture is brought to another size by --width")
    picture = _pictures.load(start, max_pixels) if isinstance(start, (str, Path)) else _pictures.as_picture(start)
    if picture.pixels.shape[0] != 3:
        raise UsageError(f"a picture of {picture.pixels.shape[0]} channels", "a start has three")
    if not picture.content:
        content = picture.encode(".png")
        picture = replace(_pictures.load_bytes(content, "the picture"), dpi=picture.dpi)
    name = str(start) if isinstance(start, (str, Path)) else "the picture"
    height, wide = picture.size
    check_size(*((max(1, round(height * width / wide)), width) if width else (height, wide)), name)
    return _pictures.to_width(picture, width), FileInput(sha256=picture.sha256, width=wide, height=height)


def _sides(size: int | tuple[int, int]) -> tuple[int, int]:
    height, width = size if isinstance(size, tuple) and len(size) == 2 else (size, size)
    return _whole("--size", height, 1), _whole("--size", width, 1)


def _whole(flag: str, value: Any, least: int, most: int | None = None) -> int:
    whole = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else least - 1
    if whole < least or (most is not None and whole > most):
        raise UsageError(f"{flag} {brief(str(value))}", f"it is a whole number from {least} " + ("on" if most is None else f"to {most}"))
    return whole


def _input(recipe: Recipe, place: Path, start: Path | None, max_pixels: int) -> Picture:
    used = recipe.inputs[0]
    check_size(recipe.height, recipe.width, place.name)
    if isinstance(used, NoiseInput):
        return noise_start(used.noise, recipe.height, recipe.width, recipe.seed)
    if start is not None:
        if not start.exists():
            raise InputError(f"'{start}' does not exist", "check the name and the folder")
        found = _among(files_in(start, files.READABLE) if start.is_dir() else [start], used.sha256)
        if found is None:
            raise InputError(f"'{start}' is not the start of '{place.name}'", f"its sha256 should be {used.sha256}")
    else:
        found = Kept().find(used.sha256) or _among(files_in(place.parent, files.READABLE), used.sha256)
        if found is None:
            raise InputError(f"the start of '{place.name}' is not to be found (sha256 {used.sha256})", "say where it is with --start PATH")
    picture = _pictures.load(found, max_pixels)
    height, width = picture.size
    if max(1, round(height * recipe.width / width)) != recipe.height:
        raise InputError(f"the recipe in '{place.name}' and its start differ in shape", "the recipe may have been edited")
    return _pictures.to_width(picture, recipe.width)


def _among(places: Iterable[Path], digest: str) -> Path | None:
    """The file with this content."""
    for each in places:
        with suppress(OSError):  # one that may not be read is none of those we look for
            if sha256_of(each) == digest:
                return each
    return None


def _where(machine: Machine) -> str:
    threads = f"{machine.threads} thread" + ("s" if machine.threads > 1 else "")
    return f"{threads} on {machine.device}, {machine.precision}, torch {machine.torch}, reverie {machine.reverie}"
