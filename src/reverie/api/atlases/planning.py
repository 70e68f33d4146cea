"""The plan of an atlas: which layers, units and classes, of which pictures, on which data; nothing is made yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from reverie.api.opening import Networks
from reverie.api.planning import Planning
from reverie.api.plans_from_noise import plan_feature, plan_imagine
from reverie.atlases.examples.dataset import DataSet, data_set
from reverie.atlases.store import OWN_FOLDERS
from reverie.errors import UsageError, choice, listing
from reverie.insight.request import blocks
from reverie.networks import Layer, Network
from reverie.networks.read_once import reading_once
from reverie.pictures.loading import evenly
from reverie.recipe import Charted, Machine, Size
from reverie.render import Plan, machine
from reverie.store import expanded, file_stems
from reverie.target import Target, Term, expand, layer_names

TOGETHER = 8  # units that are made together
_SIDE = 128  # pixels of a picture where nothing is said: of a larger one a page shows no more
_SHORTER = ("octaves", "steps")  # choices that are others here than for `feature`
_OWN = frozenset({"layers", "units", "sample", "classes", "dataset", "facets", "maps"})


@dataclass(frozen=True)
class LayerPart:
    """What of a layer is shown.

    Attributes:
        layer: of the network. stem: what its files and folder are called. channels: numbers of the units, rising.
    """

    layer: Layer
    stem: str
    channels: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.layer.name

    def chunks(self, most: int = TOGETHER) -> list[tuple[int, ...]]:
        """The units in parts that are made together."""
        return [self.channels[first : first + most] for first in range(0, len(self.channels), most)]


@dataclass(frozen=True)
class AtlasPlan:
    """An atlas about to be made.

    Attributes:
        network: open.
        layers: lowest first. classes: numbers, rising. data: None where there are no real pictures.
        facets: how many pictures of each unit differ from one another.
        choices: of the pictures, as `feature` takes them.
        maps: whether maps of layers are wanted.
    """

    network: Network
    layers: tuple[LayerPart, ...]
    classes: tuple[int, ...]
    data: DataSet | None
    facets: int
    choices: Mapping[str, Any] = field(default_factory=dict)
    maps: bool = True

    @property
    def units(self) -> int:
        return sum(len(each.channels) for each in self.layers)

    @property
    def machine(self) -> Machine:
        """Where it is made, with how many threads."""
        return machine(self.network, self.choices.get("threads"))

    def features(self, layer: str, channels: Sequence[int], sign: int = 1) -> list[Plan]:
        """The plans of what excites units most, or with −1 least."""
        return plan_feature([_unit(layer, each, sign) for each in channels], network=self.network, **self.choices)

    def facets_of(self, layer: str, channel: int) -> list[Plan]:
        """The plan of pictures of a unit that differ from one another."""
        return plan_feature([_unit(layer, channel)], network=self.network, diverse=self.facets, **self.choices)

    def class_pictures(self, classes: Sequence[int]) -> list[Plan]:
        """The plans of what classes look like."""
        kept = {name: value for name, value in self.choices.items() if name in ("seed", "size", "device", "precision", "threads", "keep")}
        return plan_imagine(list(classes), network=self.network, **kept)

    def key(self, layer: str, channel: int) -> str:
        """A hash of all that the pictures of a unit follow from, but for the company they are made in."""
        return sha256(f"{layer}:{channel} {self._common[layer]}".encode()).hexdigest()

    def class_key(self, index: int) -> str:
        """The same of a class picture."""
        return sha256(f"{index} {self._common_of_classes}".encode()).hexdigest()

    @cached_property
    def _common(self) -> dict[str, str]:
        """What all units of a layer share, by its first one: the same, whichever are shown."""
        return {part.name: f"{self.features(part.name, [0])[0].recipe.alone().text()} {self.facets}" for part in self.layers}

    @cached_property
    def _common_of_classes(self) -> str:
        return self.class_pictures([0])[0].recipe.alone().text()


def _unit(layer: str, channel: int, sign: int = 1) -> Target:
    return Target((Term(layer=layer, channel=channel, weight=float(sign)),))


@reading_once()
def plan_atlas(network: Networks = None, **choices: Any) -> AtlasPlan:
    """All of `atlas` but the making; what is wrong comes to light here.

    Raises:
        UsageError: a layer, unit or class that is not there, or a value out of bounds. InputError: a data set that cannot be used.
    """
    given = {name: value for name, value in choices.items() if value is not None}
    wish = Planning("atlas", network, given)
    if len(wish.networks) > 1:
        raise UsageError("several networks", "an atlas is of one: make one for each")
    asked = wish.request[Charted]
    layers = _layers(wish.network, asked)
    classes = _classes(wish.network, asked)
    data = None if asked.dataset is None else data_set(expanded(Path(asked.dataset)))
    side = min(_SIDE, *wish.network.size)
    size = wish.request[Size].size or (side, side)
    own = {name: wish.request.command.default(name) for name in _SHORTER}
    kept = {name: value for name, value in {**own, **given}.items() if name not in _OWN}
    return AtlasPlan(wish.network, layers, classes, data, asked.facets, {**kept, "size": size}, asked.maps)


def _layers(network: Network, asked: Charted) -> tuple[LayerPart, ...]:
    """The layers that are shown, each with its units."""
    known = {each.name: each for each in network.layers}
    units = _units(network, asked.units)
    if asked.layers is not None:
        given = [asked.layers] if isinstance(asked.layers, str) else list(asked.layers)
        names = [network.layer_name(name) for text in given for name in layer_names(text, network.names)]
    else:
        names = list(units) if units else [each.name for each in blocks(network)]
    for name in (*names, *units):
        if name not in known:
            raise UsageError(f"layer '{name}' is not one of those that can be shown", f"{listing('layers')} lists them")
        if known[name].height * known[name].width == 0:
            raise UsageError(f"layer '{name}' has no places at {network.size[1]}×{network.size[0]}", "leave it out")
    for name in units:
        if name not in names:
            raise UsageError(f"units of '{name}', which is not among the layers", f"name it with {choice('layers')} too")
    order = list(known)
    names = sorted(dict.fromkeys(names), key=order.index)
    stems = file_stems([*OWN_FOLDERS, *order])  # a layer may be called as one of the atlas's own folders
    found = []
    for name in names:
        channels = units.get(name, list(range(known[name].channels))) if not units or name in units else []
        if asked.sample is not None:
            channels = evenly(channels, asked.sample)
        if channels:
            found.append(LayerPart(known[name], stems[name], tuple(channels)))
    if not found:
        raise UsageError("no unit to show", "name some, or leave the choice out for all")
    return tuple(found)


def _units(network: Network, given: Any) -> dict[str, list[int]]:
    """The channels of each layer that are named."""
    found: dict[str, set[int]] = {}
    for text in [] if given is None else [given] if isinstance(given, (str, Target)) else list(given):
        parts = text.split(",") if isinstance(text, str) else [text]
        for part in parts:
            for target in expand(part, network.names):
                (term, *others) = target.terms
                if others or not term.layer or term.channel is None or term.at is not None:
                    raise UsageError(f"'{target}' is no unit", "name a layer and a channel, or several: blocks.4.1:12, blocks.4.1:0-15")
                shape = network.layer(term.layer)
                if term.channel >= shape[1]:
                    raise UsageError(f"no unit '{target}'", f"the layer has {shape[1]}, numbered from 0")
                found.setdefault(network.layer_name(term.layer), set()).add(term.channel)
    return {name: sorted(channels) for name, channels in found.items()}


def _classes(network: Network, asked: Charted) -> tuple[int, ...]:
    """The numbers of the classes that are shown; none of a network without clear scores."""
    if asked.classes is not None:
        given = [asked.classes] if isinstance(asked.classes, str) else list(asked.classes)
        words = [word for each in given for word in ([part.strip() for part in each.split(",")] if isinstance(each, str) else [each])]
        if words == ["none"]:
            return ()
        return tuple(sorted({index for word in words for index in network.class_indices(word)}))
    count = network.anatomy.classes
    if count is None or asked.units is not None:
        return ()
    every = list(range(count))
    return tuple(every if asked.sample is None else evenly(every, asked.sample))
