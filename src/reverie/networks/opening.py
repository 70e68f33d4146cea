"""Networks from what a user names: where they come from, and what has to be known of them before a picture can go in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

import torch
from torch import nn

from reverie.errors import InputError, OutputError, UsageError, choice
from reverie.networks.builtin import catalogue, weights
from reverie.networks.builtin import labels as label_names
from reverie.networks.builtin.efficientnet_lite import EfficientNetLite
from reverie.networks.checkpoints.loading import check, load_weights
from reverie.networks.inspection.answers import check_weights
from reverie.networks.inspection.chance import undisturbed
from reverie.networks.inspection.failures import CannotTake
from reverie.networks.inspection.native_sides import sides
from reverie.networks.inspection.wrappers import unwrapped
from reverie.networks.network import Network
from reverie.networks.normalisation_check import doubts
from reverie.networks.prepared.frozen_copy import frozen_copy
from reverie.networks.preprocessing import RANGE, SIDE, Preprocessing, listed
from reverie.networks.sources import hub_files, zoos
from reverie.networks.sources.definition import module_of
from reverie.networks.sources.download import DownloadWatcher
from reverie.networks.sources.source import LONGEST, Source
from reverie.networks.sources.zoos import Found
from reverie.networks.wrapping_checks import check_channels
from reverie.pictures.torch_modes import ordinary_modes
from reverie.recipe import DEFAULT_NETWORK
from reverie.store import Shelf

Definition = str | Callable[[], nn.Module] | nn.Module


class Notes(NamedTuple):
    """What there is to say of how a network was opened.

    `remarks`: to who types commands. `warnings`: what was not said now but taken as said before, and what is doubtful.
    """

    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def open_source(
    source: Source,
    said: Preprocessing,
    *,
    definition: Definition | None = None,
    offline: bool = False,
    progress: DownloadWatcher | None = None,
) -> tuple[Network, Notes]:
    """A network of a zoo, or of a file and a definition; and what there is to say: what was taken as said before, and what is doubtful.

    What a user says of a file (or of a network of the hub whose config does not say it) is kept in the cache under the sha256 of its
    weights, so that it is asked for once; not before the network has taken a picture so.

    Raises:
        UsageError: what has to be known is not said; what cannot be said of it is. Else as `zoos.found`, `module_of` and `load_weights`.
    """
    _check_said(source, said, definition)
    with undisturbed():
        if source.kind == "file":
            found = _from_file(source, definition)
        elif definition is not None:
            found = _on_own_code(source, definition, offline, progress)
        else:
            found = zoos.found(source, offline=offline, progress=progress)
    if source.kind in ("torchvision", "timm"):
        return _network(found, found.preprocessing, source), Notes(warnings=found.notes)
    before = _remembered(found.sha256)
    own = said.over(before)
    known = own.over(found.preprocessing)
    _check_known(known, source)
    network = _network(found, known, source)
    told = find_size(network, known)
    _check_fits(network, own)
    remarks = network.written_remarks()  # what is wrong is told before it is remembered
    notes = _remember(found.sha256, own, before, known, network.size, source)
    return network, Notes(notes.remarks, (*notes.warnings, *found.notes, *filter(None, (told, *remarks, doubts(network)))))


def _network(found: Found, known: Preprocessing, source: Source) -> Network:
    return Network(found.module, known, name=found.name, levels=zoos.levels_of(source), sha256=found.sha256)


def find_size(network: Network, said: Preprocessing) -> str:
    """Where nobody said the native size, and it is not the usual one, find it by trying; a note of that, or an empty text."""
    if said.size is not None:
        return ""
    try:
        why = network.anatomy.unclear
    except CannotTake as error:
        why = error
    if not isinstance(why, CannotTake):
        return ""
    with ordinary_modes(), undisturbed():
        found = sides(frozen_copy(network.module), torch.zeros(1, network.channels, *network.size))
    if len(found) != 1:
        return ""  # told where it is looked at, with what it takes
    network.size = (found[0], found[0])
    return f"{network.name} takes no pictures of {SIDE}×{SIDE}: its native size was not said, and {found[0]}×{found[0]} is taken"


def _from_file(source: Source, definition: Definition | None) -> Found:
    place = source.place
    if not place.is_file() and not place.is_dir():
        raise InputError(f"'{source.name}' does not exist", "name a file of weights, or the folder of their shards")
    if definition is None:
        check(place, name=place.name)  # what is no file of weights, as an exported program, is refused first
        remedy = f"say whose they are: {choice('definition', 'package.module:function')}"
        raise UsageError(f"'{place.name}' holds weights, and no network", remedy)
    module = module_of(definition)
    loaded = load_weights(place, module, name=place.name, entry=source.version)
    return Found(module, type(module).__name__, loaded.sha256, Preprocessing(), loaded.notes)


def _on_own_code(source: Source, definition: Definition, offline: bool, progress: DownloadWatcher | None) -> Found:
    """Weights of the hub on code that the user has; the repository's config.json is not asked."""
    module = module_of(definition)
    fetched = hub_files.fetched(source.name, zoos.SAFE, source.version or None, offline=offline, progress=progress)
    name = f"hf:{source.name}@{fetched.commit}"
    loaded = load_weights(fetched.path, module, name=name)
    return Found(module, name, loaded.sha256, Preprocessing(), loaded.notes)


def _check_said(source: Source, said: Preprocessing, definition: Definition | None) -> None:
    """Raise UsageError for what cannot be said of a network that comes from there."""
    if definition is not None and source.kind not in ("file", "hf"):
        raise UsageError(f"'{source.text}' comes with its own code", f"{choice('definition')} is for weights in a file or on the hub")
    if source.kind in ("torchvision", "timm") and said != Preprocessing():
        raise UsageError(
            f"'{source.text}' knows its own normalisation, size and labels", "leave them out; they are for networks of your own"
        )


def _check_known(known: Preprocessing, source: Source) -> None:
    """Raise UsageError where the normalisation is not known."""
    missing = [name for name in ("mean", "std") if getattr(known, name) is None]
    if missing:
        examples = {"mean": "0.485,0.456,0.406", "std": "0.229,0.224,0.225", "range": "0,1"}
        what = "normalisation" if len(missing) == 2 else missing[0]
        remedy = "say it once, it is remembered: " + " ".join(choice(name, value) for name, value in examples.items())
        raise UsageError(f"the {what} that '{source.called}' was trained with is not known", remedy)
    known.check_channels()


def _check_fits(network: Network, said: Preprocessing) -> None:
    """Raise UsageError where it cannot take such a picture, or has another number of classes than labels were said."""
    check_channels(network)
    if said.labels:
        network.check_labels()


# ── what was said before ─────────────────────────────────────────────────────────────────────────────────────────────────


def _shelf() -> Shelf:
    return Shelf("normalisations")


def _remembered(sha256: str) -> Preprocessing:
    """What was said of these weights before; a file in the cache that says nonsense is none."""
    content = _shelf().get(sha256)
    try:
        read: Any = json.loads(content) if content is not None else {}
        size = read.get("size")
        size = size if isinstance(size, list) and len(size) == 2 else None
        return Preprocessing.of(**{name: read.get(name) for name in ("mean", "std", "range", "labels", "scores")}, size=size)
    except (ValueError, TypeError, AttributeError, RecursionError, UsageError, InputError):
        return Preprocessing()


def _remember(
    sha256: str, said: Preprocessing, before: Preprocessing, known: Preprocessing, size: tuple[int, int], source: Source
) -> Notes:
    """Keep what was said now and before; say what is taken, and warn of what was said before."""
    name = source.called
    remarks = (f"sha256 of '{name}': {sha256}",) if source.kind == "file" else ()
    if said != before:
        labels = None if said.labels is None else [names[0] for names in said.labels]
        try:
            _shelf().put(sha256, json.dumps({**asdict(said), "labels": labels}).encode())
        except OutputError as error:  # no reason not to open it
            return Notes(remarks, (f"what was said of '{name}' is not remembered: {error.fault}",))
    if said == Preprocessing():
        return Notes(remarks)
    if said == before:
        return Notes(remarks, (f"'{name}' takes pictures as you said before: {_described(known, size)}",))
    return Notes(
        (*remarks, f"'{name}' takes pictures like this, which is now remembered: {_described(known, size)}{_assumed(known, size)}")
    )


def _described(known: Preprocessing, size: tuple[int, int]) -> str:
    assert known.mean is not None and known.std is not None
    height, width = size
    return f"mean {listed(known.mean)}, std {listed(known.std)}, range {listed(known.range or RANGE)}, {width}×{height} pixels"


def _assumed(known: Preprocessing, size: tuple[int, int]) -> str:
    """What nobody said, in brackets; empty where all was said."""
    height, width = size
    unsaid = (("range 0,1", known.range), (f"native size {width}×{height}", known.size))
    assumed = " and ".join(what for what, each in unsaid if each is None)
    return f" ({assumed} not said, so assumed)" if assumed else ""


# ── built in, or a module at hand ────────────────────────────────────────────────────────────────────────────────────────


def installed() -> list[str]:
    """Names of the built-in networks whose weights are here."""
    return [name for name, facts in catalogue.CATALOGUE.items() if weights.find(facts) is not None]


def open_network(name: str = DEFAULT_NETWORK) -> Network:
    """A built-in network with its trained weights, on the CPU.

    Raises:
        UsageError: no such network. MissingExtra: its weights are not installed. UnsafeError: they are not what they should be.
    """
    facts = catalogue.facts(name)
    with undisturbed():
        module = EfficientNetLite(facts.width, facts.depth).eval().requires_grad_(False)
    weights.load(facts, module)
    preprocessing = Preprocessing(facts.mean, facts.std, size=(facts.size, facts.size), labels=label_names.imagenet())
    levels: dict[str, str] = {level: layer for level, layer in facts.levels.items()}
    return Network(module, preprocessing, name=facts.name, levels=levels, sha256=facts.sha256)


def wrap_module(module: nn.Module, preprocessing: Preprocessing, name: str | None = None) -> Network:
    """Any module as a network, on the CPU; its weights are read at each call, and it is left as it was.

    Raises:
        UsageError: it is no module, cannot be looked into, or its name is empty or too long for a recipe.
    """
    if isinstance(module, Network):
        raise UsageError("a network that is wrapped already", "give it as it is, or wrap its module")
    if not isinstance(module, nn.Module):
        raise UsageError(f"a {type(module).__name__} is no network", "give an nn.Module")
    if isinstance(module, torch.jit.ScriptModule):
        raise UsageError("a TorchScript module cannot be taken apart", "wrap the module that it was made from")
    if any(nn.parameter.is_lazy(each) or each.is_meta for each in (*module.parameters(), *module.buffers())):
        raise UsageError(
            f"{type(module).__name__} has weights without values", "run it once on a picture, and load its weights, before it is wrapped"
        )
    if preprocessing.mean is None or preprocessing.std is None:
        raise UsageError(
            "a network without its mean or std", "give one of each for every channel; 0 and 1 where pictures go in as they are"
        )
    if name is not None and not isinstance(name, str):
        raise UsageError(f"a network's name that is a {type(name).__name__}", "give a text")
    if name is not None and not 0 < len(name) <= LONGEST:
        raise UsageError(f"a network's name of {len(name)} characters", f"give it one of 1 to {LONGEST}")
    check_weights(module, type(module).__name__)
    network = Network(module, preprocessing, name=name or type(unwrapped(module)).__name__)
    check_channels(network)
    return network
