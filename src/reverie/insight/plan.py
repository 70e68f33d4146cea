"""A look about to be taken: what is wrong comes to light here, before any time is spent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import Tensor

from reverie import pictures as _pictures
from reverie.errors import InputError, MissingExtra, UsageError, choice, listing, printable
from reverie.insight.duration import seconds_for
from reverie.insight.layer_by_layer import look
from reverie.insight.report import MEAN_COLOUR, Sight
from reverie.insight.request import SeeRequest, Watcher, blocks, seen_size
from reverie.installing import install
from reverie.networks import Label, Network, attribution
from reverie.networks.channel_statistics import Usual, measure
from reverie.networks.prepared.device import word
from reverie.pictures import Picture, resize
from reverie.recipe import Finish, choose
from reverie.recipe.requests import Look
from reverie.recipe.running_requests import Machinery
from reverie.render import check_size, noise_start
from reverie.render import threads as using
from reverie.render.class_words import note_on
from reverie.render.noise import SMALLEST
from reverie.store import expanded, is_folder
from reverie.target import CLASSES, layer_names
from reverie.version import __version__

_BASELINES = {"mean": MEAN_COLOUR, "black": "an even black picture", "blurred": "a blurred copy of the picture"}  # in words
_NOISE_PICTURES = 24  # of which is measured what is usual, for want of photographs


@dataclass(frozen=True, repr=False)
class SeePlan:
    """A look about to be taken.

    Attributes:
        sight: what is known before the first layer.
        request: what shall be looked at.
        usual_of: by what one set of usual pictures is told from another.
    """

    sight: Sight
    request: SeeRequest
    usual_of: str = ""

    @property
    def network(self) -> Network:
        return self.request.network

    def layers(self, watcher: Watcher | None = None) -> Iterator[Sight]:
        """What is seen so far: before the first layer, and after each."""
        yield self.sight
        yield from look(self.sight, self.request, watcher)

    def seconds(self) -> float:
        """About how long it will take on this machine, after a second or so of trying."""
        return seconds_for(self.request)

    @property
    def asked(self) -> dict[str, Any]:
        """What was asked for, as data: where it is the same, so is what is seen."""
        request, choices = self.request, self.request.choices
        return {
            "picture": request.picture.sha256, "network": self.network.sha256, "layers": list(request.layers), "size": list(request.size),
            "why": request.why, "against": request.against, "channels": choices.channels, "steps": choices.steps,
            "baseline": _as_data(choices.baseline), "usual": self.usual_of, "seed": request.seed, "shown": list(request.shown),
            "precision": word(self.network.dtype), "reverie": __version__,
        }  # fmt: skip

    def __repr__(self) -> str:
        return f"SeePlan({self.sight!r})"


def make_plan(
    network: Network, picture: Picture, choices: Look, *, name: str = "the picture", seed: int = 0, machinery: Machinery | None = None
) -> SeePlan:
    """All of looking at a picture but the looking itself.

    Args:
        network: open.
        picture: with as many channels as the network takes.
        choices: what is looked at, and how.
        name: of the picture, a stranger's text.
        seed: of the noise from which pictures are rebuilt.
        machinery: how many threads, what is kept, how large pictures of `usual` may be.

    Raises:
        UsageError: a layer or label that is not there, or a layer that is named twice. InputError: a picture or folder that cannot be used.
        MissingExtra: a label is to be explained, and captum is not installed.
    """
    machinery = machinery or Machinery()
    shown = choose(Finish, shown=choices.shown).shown
    _check_size(picture, choices.width, name)
    with using(machinery.threads):
        named = choices.layers is not None or choices.level is not None
        layers, left_out = _climbable(_layer_names(choices, network), named, network)
        labels = tuple(network.recognise(picture)) if network.labels else ()
        explained = _explained(choices.why, network, picture, labels)
        usual, usual_of = _usual(choices.usual, layers, network)
        size = seen_size(picture, network, choices.width)
    notes = (*_pictures.notes_on(picture, "the picture"), *left_out, *explained.notes)
    if choices.width is not None and size[1] != choices.width:
        notes = (*notes, f"{network.name} takes pictures of {network.size[1]}×{network.size[0]} alone, and looked at this one so")
    sight = Sight(
        name=printable(name), picture=picture, seen=size, network=network.name, labels=labels, why=_label(network, explained.why),
        against=_label(network, explained.against), usual=usual.name, expected=len(layers), notes=notes, shown=shown,
        baseline=_BASELINES.get(str(choices.baseline), "the picture that was given to compare with"),
    )  # fmt: skip
    choices = choices.model_copy(update={"baseline": attribution.baseline_of(choices.baseline, network.channels)})
    request = SeeRequest(
        network, picture, layers, size, usual, explained.why, explained.against, choices, seed, machinery, shown
    )  # fmt: skip
    return SeePlan(sight, request, usual_of)


def _bytes(pixels: Tensor) -> bytes:
    return pixels.detach().cpu().contiguous().numpy().tobytes()


def _as_data(baseline: Any) -> str:
    """A baseline by name, or by the hash of its values (C, H, W)."""
    return baseline if isinstance(baseline, str) else sha256(_bytes(baseline)).hexdigest()


def noise_usual(network: Network, layers: Sequence[str]) -> Usual:
    """What is usual where no photographs are at hand: pink noise, which is as strong at every scale as they are."""
    pictures = [noise_start("pink", *network.size, number, "usual", channels=network.channels).pixels for number in range(_NOISE_PICTURES)]
    return measure(network.prepare(layers), pictures, f"{_NOISE_PICTURES} pictures of pink noise, for want of photographs")


def _check_size(picture: Picture, width: int | None, name: str) -> None:
    """Raise InputError for a picture too small, or too large at this width; without one it is looked at at about the network's own size."""
    height, wide = picture.size
    if width is not None:
        check_size(max(1, round(height * width / wide)), width, name)
    elif min(height, wide) < SMALLEST:
        check_size(height, wide, name)


def _layer_names(choices: Look, network: Network) -> tuple[str, ...]:
    """The layers that are meant, lowest first."""
    given: str | Sequence[str] | None = choices.layers
    if choices.level is not None:
        if given is not None:
            raise UsageError("both layers and a level", f"name the level among the layers: {choice('layers', f'{choices.level},…')}")
        return (network.level(choices.level),)
    if given is None:
        return tuple(each.name for each in blocks(network))
    known = network.names
    names = [name for text in ([given] if isinstance(given, str) else given) for name in layer_names(text, known)]
    if not names:
        raise UsageError("no layers to look at", "name one, or leave it out for every block")
    order = [each.name for each in network.layers]
    for each in names:
        if names.count(each) > 1:
            raise UsageError(f"layer '{each}' stands twice among the layers", "name each of them once, itself or by its level")
        network.layer(each)
        if each not in order:
            raise UsageError(f"layer '{each}' is not one of those that can be seen", f"{listing('layers')} lists them")
    return tuple(sorted(names, key=order.index))


def _climbable(names: tuple[str, ...], named: bool, network: Network) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The layers from which a gradient comes to the picture, as rebuilding takes one; and a note on others, which must not be `named`."""
    without = network.without_gradient(names)
    if without and (named or len(without) == len(names)):
        network.check_gradient(names)
    notes = (f"no gradient comes to the picture from {', '.join(without)}, which {'are' if len(without) > 1 else 'is'} left out",)
    return tuple(each for each in names if each not in without), notes if without else ()


class _Explained(NamedTuple):
    """The class to explain, the one to hold against it, and what there is to tell of that."""

    why: int | None = None
    against: int | None = None
    notes: tuple[str, ...] = ()


def _explained(why: Any, network: Network, picture: Picture, labels: Sequence[Label]) -> _Explained:
    if why is None and not network.labels:
        note = f"{network.name} has no labels, so what needs them is left out: what it says of the picture, and what counted"
        return _Explained(notes=(note,))
    if not attribution.available():
        if why is not None:
            raise MissingExtra("what counted for a label needs captum", install("captum"))
        return _Explained(notes=(f"what counted is left out: it needs captum ({install('captum')})",))
    if network.without_gradient([CLASSES]):
        if why is not None:
            network.check_gradient([CLASSES])
        return _Explained(notes=("what counted is left out: no gradient comes from the class scores to the picture",))
    best = [each.index for each in labels[:2] or network.recognise(picture, top=2)]
    meant = (best[0],) if why is None else network.class_indices(why)
    if len(meant) == 1:
        return _Explained(meant[0], next((each for each in best if each != meant[0]), None), note_on(why, network))
    index = next(each.index for each in network.recognise(picture, top=10**6) if each.index in meant)
    note = f"{why} is any of {len(meant)} classes; explained is {_label(network, index)}, the likeliest of them here"
    return _Explained(index, next((each for each in best if each != index), None), (note,))


def _label(network: Network, index: int | None) -> str | None:
    if index is None:
        return None
    return network.labels[index][0] if index < len(network.labels) else f"class {index}"


def _usual(given: Any, layers: tuple[str, ...], network: Network) -> tuple[Usual, str]:
    """What is usual for these layers, by the user's pictures, those it was measured on before, or noise; and what tells it from others."""
    if given is not None:
        return _usual_of(given, layers, network)
    known = network.usual()
    here = {} if known is None else {name: known.layers[name] for name in layers if name in known.layers}
    missing = [name for name in layers if name not in here]
    if known is not None and not missing:
        return Usual(known.name, MappingProxyType(here)), known.name
    noise = noise_usual(network, missing)
    if not here or known is None:
        return noise, noise.name
    name = f"{known.name}; of {', '.join(missing)} {noise.name}"
    return Usual(name, MappingProxyType({**here, **noise.layers})), name


def _usual_of(given: Any, layers: tuple[str, ...], network: Network) -> tuple[Usual, str]:
    """By a folder of pictures, or by several that are at hand."""
    where = ""
    if isinstance(given, (str, Path)):
        if not is_folder(folder := expanded(given)):
            raise InputError(f"'{folder}' is no folder", f"give a folder of pictures with {choice('usual')}")
        where = f" in {printable(folder.name)}"
    found = _pictures.several(given, "usual")
    seen = sha256()

    def looked_at() -> Iterator[Tensor]:
        for each in found:
            picture = _pictures.as_picture(each, network.channels)
            seen.update(_bytes(picture.pixels))
            yield resize(_pictures.in_channels(picture.pixels, network.channels), *seen_size(picture, network))  # (C, H, W)

    usual = measure(network.prepare(layers), looked_at(), f"{len(found)} picture{'s' * (len(found) > 1)}{where}")
    return usual, f"{usual.name}, sha256 {seen.hexdigest()}"
