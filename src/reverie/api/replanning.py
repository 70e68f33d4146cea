"""From a recipe that a file carries back to a plan: its networks by hash, its inputs by content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from reverie import files
from reverie import pictures as _pictures
from reverie.album import read_recipe
from reverie.api.moving import check_installed
from reverie.api.opening import load, named, networks_from, open_up
from reverie.api.start_guide_mask import direction_from, mask_from
from reverie.api.usual_pictures import statistics_from
from reverie.api.where_to_dream import part_of, sober_part
from reverie.errors import InputError, UsageError, choice
from reverie.files.films.reading import READABLE_FILMS, survey
from reverie.files.limits import at_most_pixels, most_pixels
from reverie.motion.film_plan import FilmPlan
from reverie.motion.journey_frames import check as check_journey
from reverie.motion.journey_plan import JourneyPlan
from reverie.motion.plan import MovingPlan
from reverie.networks import Network, installed
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.prepared.device import available, choose, kept, word
from reverie.networks.read_once import reading_once
from reverie.networks.sources.source import source
from reverie.pictures import Picture, resize
from reverie.recipe import OWN, SCHEMA, Machine, Machinery, NetworkUsed, NoiseInput, Recipe, UsedFile
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
from reverie.render.class_words import renamed_in
from reverie.store import Kept, expanded, files_in, sha256_of
from reverie.target import CLASSES, Target

Given = Network | Sequence[Network] | None
_READABLE = frozenset({*files.READABLE, *READABLE_FILMS, ".npy", ".safetensors"})
_EDITED = "it may have been edited"


@dataclass(frozen=True)
class Carried:
    """A recipe and the file that carries it.

    Attributes:
        place: the file. recipe: in it.
        start: where its inputs may be, or None.
        given: networks by the hash of their weights that the recipe has, or by their own.
    """

    place: Path
    recipe: Recipe
    start: Path | None
    given: dict[str, Network]

    @property
    def name(self) -> str:
        return self.place.name or "the picture"

    def precision(self, device: str | None) -> str:
        """Of its networks, for making it again on a device: None for the fastest there is."""
        return kept(self.recipe.machine.precision, choose(device))

    def networks(self, device: str | None = None, precision: str | None = None) -> tuple[Network, ...]:
        """Those given, by hash; else built-in ones, and ones of a zoo that are here already.

        A recipe is a stranger's: it makes nothing be downloaded, and no code of anybody's be imported.

        Args:
            device: None for the recipe's, if it is here; of those given it stays as it is.
            precision: None for the recipe's, if there are kernels for it; of those given it stays as it is.

        Raises:
            UsageError: one that is given is open on another device, or in another precision, than is asked for.
            InputError: one is neither, or has other weights, normalisation or channels than the recipe says.
        """
        if not self.given and device is None and self.recipe.machine.device in available():
            device = self.recipe.machine.device
        ours = precision or (word(next(iter(self.given.values())).dtype) if self.given else self.precision(device))
        opened = [self.given.get(used.sha256) or self._opened(used) for used in self.recipe.networks]
        nets = networks_from([each if each in self.given.values() else each.to(device, ours) for each in opened], device, precision)
        for net, used in zip(nets, self.recipe.networks, strict=True):
            self._check(net, used)
        if nets[0].channels != self.recipe.channels:
            fault = f"the recipe in '{self.name}' has {self.recipe.channels} channels, and its network {nets[0].channels}"
            raise InputError(fault, _EDITED)
        return nets

    def check_hashes(self) -> None:
        """Raise InputError where a network of the recipe is neither given nor built in, or has other weights."""
        for used in self.recipe.networks:
            if used.sha256 in self.given:
                continue
            known = used.name in CATALOGUE or _is_of_zoo(used.name)
            if not known and not self.given:
                fault = f"'{self.name}' was made with a network of somebody's own, '{used.name}' (sha256 {used.sha256})"
                raise InputError(fault, f"name it: {choice('network', 'FILE')} {choice('definition', 'package.module:function')}")
            built_in = CATALOGUE.get(used.name)
            if len(self.given) >= len(self.recipe.networks) or not known or (built_in and used.sha256 != built_in.sha256):
                raise self._other_weights(used)

    def find(self, used: UsedFile) -> Path:
        """The file with the content of an input: at `start` if that is given, else in the cache, else beside the picture.

        A file at `start` that is another of the inputs is no mistake: they are looked for by the same choice.
        """
        start = self.start
        if start is not None:
            if not start.exists():
                raise InputError(f"'{start}' does not exist", "check the name and the folder")
            found = _among(files_in(start, _READABLE) if start.is_dir() else [start], used.sha256)
            if found is not None:
                return found
            others = [each for each in self.recipe.inputs if not isinstance(each, NoiseInput) and each is not used]
            if used.role in ("start", "film") and not any(_among([start], each.sha256) for each in others):
                raise InputError(f"'{start}' is not the {used.role} of '{self.name}'", f"its sha256 should be {used.sha256}")
        found = Kept().find(used.sha256) or (_among(files_in(self.place.parent, _READABLE), used.sha256) if self.place.name else None)
        if found is None:
            fault = f"the {used.role} of '{self.name}' is not to be found (sha256 {used.sha256})"
            raise InputError(fault, f"say where it is: {choice('start', 'PATH')}")
        return found

    def role(self, role: str) -> Path | None:
        """The file of the input with this role, if the recipe has one."""
        used = self.recipe.input(role)
        return None if used is None or isinstance(used, NoiseInput) else self.find(used)

    def _check(self, net: Network, used: NetworkUsed) -> None:
        """Raise InputError where a network is not the one that a recipe means."""
        if not net.has_weights(used.sha256):
            raise self._other_weights(used)
        if used.mean and (used.mean, used.std, used.size) != (net.mean, net.std, net.size):
            mean, std = (",".join(f"{each:g}" for each in numbers) for numbers in (used.mean, used.std))
            native = "x".join(str(side) for side in reversed(used.size))
            flags = " ".join(choice(*each) for each in (("mean", mean), ("std", std), ("range", "0,1"), ("native", native)))
            raise InputError(f"'{self.name}' was made with '{used.name}' taking pictures in another way", f"open it with {flags}")

    def _opened(self, used: NetworkUsed) -> Network:
        """A built-in one, or one of a zoo."""
        if used.name in CATALOGUE:
            return load(used.name, device="cpu")
        try:
            return open_up(used.name, offline=True).network
        except InputError as error:
            fault = f"'{self.name}' was made with '{used.name}', which is not here"
            raise InputError(fault, f"name it, and it is downloaded: {choice('network', used.name)}") from error
        except UsageError as error:
            raise InputError(f"'{self.name}' was made with '{used.name}': {error.fault}", error.remedy) from error

    def _other_weights(self, used: NetworkUsed) -> InputError:
        remedy = "give that network" + (", or make the same by this one: reverie.again(picture, network=…)" if self.given else "")
        return InputError(f"'{self.name}' was made with other weights of '{used.name}' (sha256 {used.sha256})", remedy)


def carried_by(picture: str | Path, start: str | Path | None = None, network: Given = None) -> Carried:
    """The recipe in a file. InputError where it carries none, or one that cannot be used."""
    place = expanded(picture)
    recipe = read_recipe(place)
    given = {hash_in(recipe, each): each for each in named(network) if isinstance(each, Network)}
    return Carried(place, recipe, None if start is None else expanded(start), given)


def hash_in(recipe: Recipe, network: Network) -> str:
    """The hash by which a recipe knows a network; its own where it knows it by none."""
    return next((used.sha256 for used in recipe.networks if network.has_weights(used.sha256)), network.sha256)


@reading_once()
def plan_redo(carried: Carried, machinery: Machinery | None = None) -> Plan | MovingPlan:
    """All of `redo` but the making.

    Raises:
        InputError: a recipe that does not fit its networks, or inputs that are not to be found.
        UsageError: a start for what noise alone went into.
    """
    machinery, old = machinery or Machinery(), carried.recipe
    if old.objective == OWN:
        fault = f"'{carried.name}' was made with an objective of somebody's own, which a recipe cannot hold"
        raise InputError(fault, "reverie.again(picture, objective=…)")
    if carried.start is not None and not carried.start.is_dir() and old.from_noise_alone:
        raise UsageError(f"{choice('start')} for '{carried.name}', which began with noise", "reverie.again(picture, start=…)")
    carried.check_hashes()
    check_size(old.height, old.width, carried.name, largest=machinery.max_pixels if old.tiles else LARGEST)
    nets = carried.networks(machinery.device, machinery.precision)
    here = machine(nets[0], machinery.threads or old.machine.threads)
    plan = _picture if old.journey is None and old.film is None else _journey if old.film is None else _film
    with at_most_pixels(machinery.max_pixels):
        try:
            return plan(carried, nets, here)
        except UsageError as error:
            raise InputError(f"the recipe in '{carried.name}' cannot be followed: {error.fault}", error.remedy) from error


def _picture(carried: Carried, nets: Sequence[Network], here: Machine) -> Plan:
    old = carried.recipe
    if old.batch and (old.command == "dream" or not isinstance(old.input("start"), NoiseInput)):
        raise InputError(f"the recipe in '{carried.name}' has a batch of pictures that begin with a picture", _EDITED)
    start, guide, mask, direction, usual = (_start(carried), *map(carried.role, ("guide", "mask", "direction", "usual")))
    vector = None if direction is None else direction_from(direction)[1]
    used = []
    for net, before in zip(nets, old.networks, strict=True):
        targets = [before.target] if before.target else list(old.batch.targets) if old.batch else [old.target]
        _check(net, targets, old, vector)
        if old.tiles and (why := whole_only(net, targets[0], old.objective, old.transforms, old.penalties)):
            raise UsageError(f"it is in tiles, but {why}", _EDITED)
        used.append(network_used(net, list(targets[0].layers()) or [CLASSES], before.target))
    recipe = _renewed(old, here).model_copy(update={"networks": tuple(used), "opinions": ()})
    part = part_of(old.where, start, nets, here.threads)
    sober = sober_part(old.finish.sober, start, nets, here.threads, old.learnt)
    notes = (compared(old, here), *part.notes, *sober.notes, *_unheard(old))
    plan = Plan(recipe, tuple(nets), start, (old.batch.index if old.batch else 0,), notes=notes)
    return replace(
        plan,
        direction=vector,
        usual={} if usual is None else statistics_from(usual, nets[0]),
        guide=None if guide is None else _pictures.load(guide, old.channels).pixels,
        mask=sober.within(part.mask if mask is None else mask_from(_pictures.load(mask), (old.height, old.width))),
        sober=sober.parts,
    )


def _journey(carried: Carried, nets: Sequence[Network], here: Machine) -> JourneyPlan:
    old = carried.recipe
    assert old.journey is not None
    start = carried.role("start")
    first = drawn(old, "") if start is None else _pictures.load(start, old.channels)
    pixels = first.pixels if start is None else resize(first.pixels, old.height, old.width)
    notes = (*check_journey(old.journey), *_pictures.notes_on(first, "the start"))
    if max((each.network for each in old.journey.ring), default=0) >= len(nets):
        raise UsageError("a stop of its ring has no network", _EDITED)
    stops = [(nets[each.network], each.target) for each in old.journey.ring]
    for net, target in stops or [(net, used.target or old.target) for net, used in zip(nets, old.networks, strict=True)]:
        _check(net, [target], old)
        notes += renamed_in([target], net)
    return JourneyPlan(_renewed(old, here), tuple(nets), pixels, notes=(compared(old, here), *notes))


def _film(carried: Carried, nets: Sequence[Network], here: Machine) -> FilmPlan:
    check_installed()
    old, place = carried.recipe, carried.role("film")
    assert place is not None
    found = survey(place)
    for net, used in zip(nets, old.networks, strict=True):
        _check(net, [used.target or old.target], old)
    notes = (compared(old, here), *renamed_in([old.target], nets[0]), *found.notes)
    return FilmPlan(_renewed(old, here), tuple(nets), place, found, most_pixels(), notes=notes)


def _check(net: Network, targets: Sequence[Target], old: Recipe, direction: Tensor | None = None) -> None:
    for target in dict.fromkeys(targets):
        check(target, net)
        check_reach(target, net, old.height, old.width)
        check_objective(old.objective, target, net, direction)


def _start(carried: Carried) -> Picture:
    recipe, place = carried.recipe, carried.role("start")
    if place is None:
        return drawn(recipe, purposes(recipe)[recipe.batch.index if recipe.batch else 0] if recipe.command != "dream" else "")
    picture = _pictures.load(place, recipe.channels)
    height, width = picture.size
    if max(1, round(height * recipe.width / width)) != recipe.height:
        raise InputError(f"the recipe in '{carried.name}' and its start differ in shape", "the recipe may have been edited")
    return _pictures.to_width(replace(picture, notes=_pictures.notes_on(picture, "the start")), recipe.width)


def _renewed(old: Recipe, here: Machine) -> Recipe:
    return old.model_copy(update={"schema_version": SCHEMA, "machine": here})


def compared(old: Recipe, here: Machine) -> str:
    """What is to be expected of what is made again here."""
    before = old.machine
    note = f"made with {_where(before)}, "
    if old.schema_version < SCHEMA:
        return note + "by a Reverie that computed in another order: the same to the eye"
    if here != before:
        return note + f"here it is {_where(here)}: the same to the eye"
    if here.device == "cpu":
        return note + "as here: if this is that machine, the same bytes"
    return note + "as here: the same to the eye"  # a GPU adds up in no fixed order


def _unheard(old: Recipe) -> tuple[str, ...]:
    """A note on second opinions that cannot be had here."""
    missing = [each.network for each in old.opinions if each.network not in installed()]
    return (f"not installed here: {', '.join(missing)}; what they said of it is left out of the new recipe",) if missing else ()


def _is_of_zoo(name: str) -> bool:
    with suppress(UsageError):
        return source(name).is_zoo
    return False


def _among(places: Iterable[Path], digest: str) -> Path | None:
    """The file with this content."""
    for each in places:
        with suppress(OSError):  # one that may not be read is none of those we look for
            if sha256_of(each) == digest:
                return each
    return None


def _where(made_on: Machine) -> str:
    threads = f"{made_on.threads} thread" + ("s" if made_on.threads > 1 else "")
    return f"{threads} on {made_on.device}, {made_on.precision}, torch {made_on.torch}, reverie {made_on.reverie}"
