"""Networks from what a user names: where they come from, and what has to be known of them before a picture can go in."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from reverie.errors import InputError, OutputError, UsageError
from reverie.networks.builtin import labels as label_names
from reverie.networks.checkpoints.loading import check, load_weights
from reverie.networks.network import Network
from reverie.networks.normalisation_check import doubts
from reverie.networks.prepared.device import choose
from reverie.networks.sources import hub, zoos
from reverie.networks.sources.definition import module_of
from reverie.networks.sources.download import Progress
from reverie.networks.sources.hub_config import LONGEST_SIDE
from reverie.networks.sources.source import Source
from reverie.networks.sources.zoos import Found
from reverie.store import Shelf

Definition = str | Callable[[], nn.Module] | nn.Module
SIDE = 224  # the native side where nothing says one


class Notes(NamedTuple):
    """What there is to tell of how a network was opened.

    `told`: to who types commands. `warned`: what was not said now but taken as said before, and what is doubtful.
    """

    told: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()


@dataclass(frozen=True)
class Face:
    """How a network takes pictures and what it says of them; None is: not said.

    `mean` and `std` are in the units of `range`, `size` is (height, width), `labels` in order, `scores` the entry of its output.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    range: tuple[float, float] | None = None
    size: tuple[int, int] | None = None
    labels: tuple[str, ...] | None = None
    scores: str | None = None

    def over(self, other: Face) -> Face:
        """This, with what it does not say from `other`. A mean and its deviation and range belong together."""
        said = {name: each for name, each in vars(self).items() if each is not None}
        if {"mean", "std"} <= said.keys():
            other = replace(other, range=None)
        return replace(other, **said)


def face(
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    range: Sequence[float] | None = None,
    size: int | tuple[int, int] | None = None,
    labels: Sequence[str] | str | Path | None = None,
    scores: str | None = None,
) -> Face:
    """What a user said of a network, checked as far as it can be without the network.

    Raises:
        UsageError: not as many means as deviations, a number that cannot be one. InputError: a file of labels that cannot be read.
    """
    numbers = {"mean": mean, "std": std, "range": range}
    given = {name: None if each is None else _numbers(name, each) for name, each in numbers.items()}
    means, deviations, ends = given["mean"], given["std"], given["range"]
    if means is not None and deviations is not None and len(means) != len(deviations):
        raise UsageError(f"mean has {len(means)} channels and std {len(deviations)}", "give one of each for every channel")
    if deviations is not None and not all(each > 0 for each in deviations):
        raise UsageError(f"std {_list(deviations)}", "each must be above 0")
    if ends is not None and (len(ends) != 2 or ends[0] >= ends[1]):
        raise UsageError(f"range {_list(ends)}", "two numbers: what black is before normalisation, and white, e.g. 0,255")
    sides = size if size is None or isinstance(size, (tuple, list)) else (size, size)
    if sides is not None and (len(sides) != 2 or not all(isinstance(each, Integral) and 0 < each <= LONGEST_SIDE for each in sides)):
        raise UsageError(f"a native size of {size}", "give the native side in pixels, or (height, width)")
    names = label_names.read(labels) if isinstance(labels, (str, Path)) else labels
    return Face(
        mean=means,
        std=deviations,
        range=None if ends is None else (ends[0], ends[1]),
        size=None if sides is None else (int(sides[0]), int(sides[1])),
        labels=None if names is None else tuple(str(each) for each in names),
        scores=scores,
    )


def opened(
    source: Source,
    said: Face,
    *,
    definition: Definition | None = None,
    offline: bool = False,
    progress: Progress | None = None,
    device: str | None = None,
) -> tuple[Network, Notes]:
    """A network of a zoo, or of a file and a definition; and what there is to tell: what was taken as said before, and what is doubtful.

    What a user says of a file (or of a network of the hub whose config does not say it) is kept in the cache under the sha256 of its
    weights, so that it is asked for once; not before the network has taken a picture so.

    Raises:
        UsageError: what has to be known is not said; what cannot be said of it is. Else as `zoos.found`, `module_of` and `load_weights`.
    """
    choose(device)  # a wrong one is told of before anything is fetched
    if definition is not None and source.kind not in ("file", "hf"):
        raise UsageError(f"'{source.text}' comes with its own code", "--definition is for weights in a file or on the hub")
    if source.kind in ("torchvision", "timm") and said != Face():
        raise UsageError(
            f"'{source.text}' knows its own normalisation, size and labels", "leave them out; they are for networks of your own"
        )
    if source.kind == "file":
        found = _from_file(source, definition)
    elif definition is not None:
        found = _on_own_code(source, definition, offline, progress)
    else:
        found = zoos.found(source, offline=offline, progress=progress)
    if source.kind in ("torchvision", "timm"):
        return _network(found, _known_of(found), source, device), Notes()
    before = _remembered(found.sha256)
    known = said.over(before).over(_known_of(found))
    _check_known(known, source)
    network = _network(found, known, source, device)
    _check_fits(network, known)
    notes = _kept(found, known, before, said, source)
    doubt = doubts(network)
    return network, Notes(notes.told, (*notes.warned, *([doubt] if doubt else [])))


def network_of(
    module: nn.Module,
    known: Face,
    *,
    name: str,
    labels: Sequence[Sequence[str]] = (),
    levels: dict[str, str] | None = None,
    sha256: str | None = None,
    device: str | None = None,
) -> Network:
    """A module with all that is known of it; `labels` are taken where the face has none."""
    assert known.mean is not None and known.std is not None
    return Network(
        module,
        name=name,
        mean=known.mean,
        std=known.std,
        range=known.range or (0.0, 1.0),
        size=known.size or (SIDE, SIDE),
        labels=[(each,) for each in known.labels] if known.labels else labels,
        levels=levels,
        scores=known.scores,
        sha256=sha256,
        device=device,
    )


def _network(found: Found, known: Face, source: Source, device: str | None) -> Network:
    module = found.module.to(choose(device))
    levels = zoos.levels_of(source)
    return network_of(module, known, name=found.name, labels=found.labels, levels=levels, sha256=found.sha256, device=device)


def _from_file(source: Source, definition: Definition | None) -> Found:
    place = source.place
    if not place.is_file():
        what = "is a folder" if place.is_dir() else "does not exist"
        raise InputError(f"'{source.name}' {what}", "name a file of weights")
    if definition is None:
        check(place, name=place.name)  # what is no file of weights, as an exported program, is refused first
        raise UsageError(f"'{place.name}' holds weights, and no network", "say whose they are: --definition package.module:function")
    module = module_of(definition)
    sha256 = load_weights(place, module, name=place.name)
    return Found(module, type(module).__name__, sha256, range=None)


def _on_own_code(source: Source, definition: Definition, offline: bool, progress: Progress | None) -> Found:
    """Weights of the hub on code that the user has; the repository's config.json is not asked."""
    module = module_of(definition)
    fetched = hub.fetched(source.name, zoos.SAFE, source.version or None, offline=offline, progress=progress)
    name = f"hf:{source.name}@{fetched.commit}"
    return Found(module, name, load_weights(fetched.path, module, name=name), range=None)


def _known_of(found: Found) -> Face:
    both = found.mean is not None and found.std is not None
    return Face(
        mean=tuple(found.mean) if both and found.mean is not None else None,
        std=tuple(found.std) if both and found.std is not None else None,
        range=found.range,
        size=found.size,
    )


def _check_known(known: Face, source: Source) -> None:
    """Raise UsageError where the normalisation is not known."""
    missing = [name for name in ("mean", "std") if getattr(known, name) is None]
    name = source.place.name if source.kind == "file" else source.text
    if missing:
        example = "--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --range 0,1"
        what = "normalisation" if len(missing) == 2 else missing[0]
        raise UsageError(f"the {what} that '{name}' was trained with is not known", f"say it once, it is remembered: {example}")
    assert known.mean is not None and known.std is not None
    if len(known.mean) != len(known.std):
        raise UsageError(f"mean has {len(known.mean)} channels and std {len(known.std)}", "give one of each for every channel")


def _check_fits(network: Network, known: Face) -> None:
    """Raise UsageError where it cannot take such a picture, or has another number of classes than labels."""
    try:
        classes = network.anatomy.classes
    except UsageError as error:
        raise UsageError(error.fault, "say the size of its pictures (--native), and a mean and std for each of its channels") from error
    if known.labels and classes not in (None, len(known.labels)):
        raise UsageError(f"{len(known.labels)} labels for a network of {classes} classes", "give one for each, in order")


# ── what was said before ─────────────────────────────────────────────────────────────────────────────────────────────────


def _shelf() -> Shelf:
    return Shelf("normalisations")


def _remembered(sha256: str) -> Face:
    """What was said of these weights before; a file in the cache that says nonsense is none."""
    content = _shelf().get(sha256)
    try:
        read: Any = json.loads(content) if content is not None else {}
        return face(**{name: read.get(name) for name in ("mean", "std", "range", "labels", "scores")}, size=_pair(read.get("size")))
    except (ValueError, TypeError, AttributeError, RecursionError, UsageError, InputError):
        return Face()


def _pair(size: Any) -> tuple[int, int] | None:
    return (size[0], size[1]) if isinstance(size, list) and len(size) == 2 else None


def _kept(found: Found, known: Face, before: Face, said: Face, source: Source) -> Notes:
    """Remember what was said now; tell what is taken, and warn of what was said before."""
    keep = said.over(before)
    name = source.place.name if source.kind == "file" else source.text
    assert known.mean is not None and known.std is not None
    height, width = known.size or (SIDE, SIDE)
    taken = f"mean {_list(known.mean)}, std {_list(known.std)}, range {_list(known.range or (0.0, 1.0))}, {width}×{height} pixels"
    told = (f"sha256 of '{name}': {found.sha256}",) if source.kind == "file" else ()
    if keep != before:
        try:
            _shelf().put(found.sha256, json.dumps(asdict(keep)).encode())
        except OutputError as error:  # no reason not to open it
            return Notes(told, (f"what was said of '{name}' is not remembered: {error.fault}",))
    if before != Face() and keep == before:
        return Notes(told, (f"'{name}' takes pictures as you said before: {taken}",))
    unsaid = (("range 0,1", known.range), (f"native size {width}×{height}", known.size))
    guessed = " and ".join(what for what, each in unsaid if each is None)
    note = f"'{name}' takes pictures like this, which is now remembered: {taken}" + (
        f" ({guessed} not said, so assumed)" if guessed else ""
    )
    return Notes((*told, note)) if keep != Face() else Notes(told)


def _numbers(name: str, given: Any) -> tuple[float, ...]:
    try:
        found = tuple(float(each) for each in given)
    except (TypeError, ValueError):
        found = ()
    if not 0 < len(found) <= 4096 or not all(math.isfinite(each) for each in found):
        raise UsageError(f"{name} {str(given)[:80]}", "give finite numbers, one for each channel, e.g. 0.485,0.456,0.406")
    return found


def _list(numbers: Sequence[float]) -> str:
    return ",".join(f"{each:g}" for each in numbers)
