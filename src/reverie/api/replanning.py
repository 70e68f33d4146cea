"""Pictures made again from the recipe they carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from reverie import files
from reverie import pictures as _pictures
from reverie.album import read_recipe
from reverie.api.inputs import direction_from, mask_from
from reverie.api.opening import all_opened, open_up, opened
from reverie.api.validation import threaded, whole
from reverie.errors import InputError, UsageError
from reverie.files.films.reading import READABLE_FILMS
from reverie.networks import Network, installed
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.prepared.device import available
from reverie.networks.sources.source import source
from reverie.pictures import Picture
from reverie.recipe import MAX_PIXELS, OWN, FileInput, Machine, NetworkUsed, NoiseInput, Recipe, VectorInput
from reverie.render import (
    LARGEST,
    Plan,
    check,
    check_objective,
    check_reach,
    check_size,
    drawn,
    machine,
    network_used,
    purposes,
    whole_only,
)
from reverie.store import Kept, expanded, files_in, sha256_of
from reverie.target import CLASSES, parse

_READABLE = frozenset({*files.READABLE, *READABLE_FILMS, ".npy"})


def plan_again(
    picture: str | Path,
    *,
    start: str | Path | None = None,
    network: Network | Sequence[Network] | None = None,
    device: str | None = None,
    threads: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Plan:
    """All of `redo` of a picture but the dreaming."""
    place = expanded(picture)
    max_pixels = whole("--max-pixels", max_pixels, 1)
    threads = threaded(threads)
    old = read_recipe(place)
    if old.journey is not None or old.film is not None:
        raise UsageError(f"'{place.name}' is a {old.command}, no picture", "plan_journey_again and plan_film_again are for these")
    if old.objective == OWN:
        fault = f"'{place.name}' was made with an objective of somebody's own, which a recipe cannot hold"
        raise InputError(fault, "reverie.again(picture, objective=…)")
    given = [network] if isinstance(network, Network) else list(network or ())
    if old.batch and (old.command == "dream" or not isinstance(old.input("start"), NoiseInput)):
        raise InputError(f"the recipe in '{place.name}' has a batch of pictures that begin with a picture", "it may have been edited")
    check_hashes(old, given, place)
    check_size(old.height, old.width, place.name, largest=max_pixels if old.tiles else LARGEST)
    nets = networks_of(old, given, device, place)
    found = _start(old, place, None if start is None else expanded(start), max_pixels)
    beside = _beside(old, place, None if start is None else expanded(start), max_pixels)
    here = machine(nets[0], threads or old.machine.threads)
    try:
        used = []
        for net, before in zip(nets, old.networks, strict=True):
            texts = [before.target] if before.target else list(old.batch.targets) if old.batch else [old.target]
            for target in dict.fromkeys(parse(each) for each in texts):
                check(target, net)
                check_reach(target, net, old.height, old.width)
                check_objective(old.objective, target, net, beside.get("direction"))
            first = parse(texts[0])
            if old.tiles and (why := whole_only(net, first, old.objective, old.transforms, old.penalties)):
                raise UsageError(f"it is in tiles, but {why}", "it may have been edited")
            used.append(network_used(net, list(first.layers()) or [CLASSES], before.target))
    except UsageError as error:
        raise InputError(f"the recipe in '{place.name}' does not fit its network: {error.fault}", error.remedy) from error
    recipe = old.model_copy(update={"machine": here, "networks": tuple(used), "opinions": ()})
    wanted = (old.batch.index if old.batch else 0,)
    return Plan(recipe, nets, found, wanted, notes=(compared(old.machine, here), *_unheard(old)), **beside)


def compared(before: Machine, here: Machine) -> str:
    """What is to be expected of what is made again here."""
    note = f"made with {_where(before)}, "
    if here != before:
        return note + f"here it is {_where(here)}: the same to the eye"
    if here.device == "cpu":
        return note + "as here: if this is that machine, the same bytes"
    return note + "as here: the same to the eye"  # a GPU adds up in no fixed order


def _unheard(old: Recipe) -> tuple[str, ...]:
    """A note on second opinions that cannot be had here."""
    missing = [each.network for each in old.opinions if each.network not in installed()]
    return (f"not installed here: {', '.join(missing)}; what they said of it is left out of the new recipe",) if missing else ()


def check_hashes(old: Recipe, given: Sequence[Network], place: Path) -> None:
    """Raise InputError where a network of the recipe is neither given nor built in, or has other weights."""
    own = {each.sha256 for each in given}
    for used in old.networks:
        if used.sha256 in own:
            continue
        known = used.name in CATALOGUE or _is_of_zoo(used.name)
        if not known and not given:
            fault = f"'{place.name}' was made with a network of somebody's own, '{used.name}' (sha256 {used.sha256})"
            raise InputError(fault, "name it: --network FILE --definition package.module:function; or in Python reverie.redo(…, network=…)")
        if len(given) >= len(old.networks) or not known or (used.name in CATALOGUE and used.sha256 != CATALOGUE[used.name].sha256):
            raise _other_weights(used, place)


def networks_of(old: Recipe, given: Sequence[Network], device: str | None, place: Path) -> tuple[Network, ...]:
    """The networks of a recipe: those given, by the hash of their weights; else built-in ones, and ones of a zoo that are here already.

    A recipe is a stranger's: it makes nothing be downloaded, and no code of anybody's be imported.

    Args:
        device: None for the recipe's, if it is here; of those given it stays as it is.

    Raises:
        InputError: one is neither, or has other weights or channels than the recipe says.
    """
    if not given and device is None and old.machine.device in available():
        device = old.machine.device
    by_hash = {each.sha256: each for each in given}
    found: list[Network] = []
    for used in old.networks:
        net = by_hash.get(used.sha256) or (opened(used.name, device) if used.name in CATALOGUE else _from_zoo(used, device, place))
        if net.sha256 != used.sha256:
            raise _other_weights(used, place)
        if used.mean and (used.mean, used.std, used.size) != (net.mean, net.std, net.size):
            raise _other_face(used, place)
        found.append(net)
    nets = all_opened(found, device)
    check_channels(old, nets, place)
    return nets


def _from_zoo(used: NetworkUsed, device: str | None, place: Path) -> Network:
    try:
        return open_up(used.name, offline=True, device=device).network
    except InputError as error:
        fault = f"'{place.name}' was made with '{used.name}', which is not here"
        raise InputError(fault, f"name it, and it is downloaded: --network {used.name}") from error
    except UsageError as error:
        raise InputError(f"'{place.name}' was made with '{used.name}': {error.fault}", error.remedy) from error


def _is_of_zoo(name: str) -> bool:
    with suppress(UsageError):
        return source(name).is_zoo
    return False


def _other_weights(used: NetworkUsed, place: Path) -> InputError:
    return InputError(f"'{place.name}' was made with other weights of '{used.name}' (sha256 {used.sha256})", "give that network")


def _other_face(used: NetworkUsed, place: Path) -> InputError:
    mean, std = (",".join(f"{each:g}" for each in given) for given in (used.mean, used.std))
    native = "x".join(str(side) for side in reversed(used.size))
    fault = f"'{place.name}' was made with '{used.name}' taking pictures in another way"
    return InputError(fault, f"open it with --mean {mean} --std {std} --range 0,1 --native {native}")


def check_channels(old: Recipe, networks: Sequence[Network], place: Path) -> None:
    """Raise InputError where a recipe's pictures have another number of channels than its networks take."""
    if networks[0].channels != old.channels:
        fault = f"the recipe in '{place.name}' has {old.channels} channels, and its network {networks[0].channels}"
        raise InputError(fault, "it may have been edited")


def _start(recipe: Recipe, place: Path, start: Path | None, max_pixels: int) -> Picture:
    used = recipe.input("start")
    if isinstance(used, NoiseInput):
        return drawn(recipe, purposes(recipe)[recipe.batch.index if recipe.batch else 0] if recipe.command != "dream" else "")
    assert isinstance(used, FileInput)
    others = [each for each in recipe.inputs if not isinstance(each, NoiseInput) and each is not used]
    picture = _pictures.load(find(used, place, start, others), max_pixels, recipe.channels)
    height, width = picture.size
    if max(1, round(height * recipe.width / width)) != recipe.height:
        raise InputError(f"the recipe in '{place.name}' and its start differ in shape", "the recipe may have been edited")
    return _pictures.to_width(picture, recipe.width)


def _beside(recipe: Recipe, place: Path, start: Path | None, max_pixels: int) -> dict[str, Any]:
    """What went in beside the start, by its name in a plan."""
    found: dict[str, Any] = {}
    for used in recipe.inputs:
        if isinstance(used, NoiseInput) or used.role == "start":
            continue
        file = find(used, place, start)
        if isinstance(used, VectorInput):
            found["direction"] = direction_from(file)[1]
        elif used.role == "guide":
            found["guide"] = _pictures.load(file, max_pixels, recipe.channels).pixels
        else:
            found["mask"] = mask_from(_pictures.load(file, max_pixels), (recipe.height, recipe.width))
    return found


def find(used: FileInput | VectorInput, place: Path, start: Path | None, others: Sequence[FileInput | VectorInput] = ()) -> Path:
    """The file with the content of an input: at `start` if that is given, else in the cache, else beside the picture.

    A file at `start` that is one of the others is no mistake: they are looked for by the same flag.
    """
    if start is not None:
        if not start.exists():
            raise InputError(f"'{start}' does not exist", "check the name and the folder")
        found = _among(files_in(start, _READABLE) if start.is_dir() else [start], used.sha256)
        if found is not None:
            return found
        if used.role in ("start", "film") and not any(_among([start], each.sha256) for each in others):
            raise InputError(f"'{start}' is not the {used.role} of '{place.name}'", f"its sha256 should be {used.sha256}")
    found = Kept().find(used.sha256) or _among(files_in(place.parent, _READABLE), used.sha256)
    if found is None:
        raise InputError(
            f"the {used.role} of '{place.name}' is not to be found (sha256 {used.sha256})", "say where it is with --start PATH"
        )
    return found


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
