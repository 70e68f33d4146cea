"""The targets of a ring, each of one of its networks."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from reverie.api.opening import Networks, networks_from
from reverie.errors import UsageError, choice, unknown
from reverie.networks import Network
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.sources.source import ZOOS, is_same
from reverie.recipe import DEFAULT_NETWORK, Stop
from reverie.render.class_words import with_numbers
from reverie.target import CLASSES, Target, brief, parse

_PART = re.compile(r"/(class|attention)(?=$|[:@\s])")  # blocks.7/class is a layer, efficientnet-lite1/blocks.3.1 one of a network


class Ring(NamedTuple):
    networks: tuple[Network, ...]
    stops: tuple[Stop, ...]

    def layers(self, network: int) -> list[str]:
        """What the stops of one of its networks need, counted from 0."""
        return list(dict.fromkeys(name for each in self.stops if each.network == network for name in each.target.layers())) or [CLASSES]


def ring_of(ring: Sequence[str | Target], network: Networks, device: str | None, precision: str | None = None) -> Ring:
    """The networks that a ring names or is given, open, and its stops.

    Args:
        ring: targets or levels, each with `NETWORK/` before it where it is not of the first network.

    Raises:
        UsageError: fewer than two, a network that is not known, or no target.
    """
    if isinstance(ring, str) or len(ring) < 2:
        raise UsageError("a ring of fewer than two targets", f"name two or more: parts objects {choice('ring')}")
    given: list[Network | str | None] = list(network) if isinstance(network, (list, tuple)) else [network]  # type: ignore[list-item]
    own = {each.name if isinstance(each, Network) else each for each in given if each is not None}
    parts = [("", each) if isinstance(each, Target) else _split(str(each), own) for each in ring]
    missing = [name for name in dict.fromkeys(name for name, _ in parts if name) if not any(is_same(each, name) for each in own)]
    all_named = all(name for name, _ in parts) and given == [None]
    asked = [*(() if all_named else given), *missing]
    names = [each.name if isinstance(each, Network) else each or DEFAULT_NETWORK for each in asked]
    networks = networks_from(asked, device, precision)
    stops = []
    for name, text in parts:
        at = 0 if not name else next(place for place, each in enumerate(names) if is_same(each, name))
        target = parse(text, networks[at].names)
        if isinstance(text, str) and not name and "/" in text:
            _check_no_network(text, target, networks[at], own)
        stops.append(Stop(target=with_numbers(target, networks[at]), network=at))
    return Ring(networks, tuple(stops))


def _split(text: str, own: Collection[str]) -> tuple[str, str]:
    """The name of a network, which may be empty, and a target of it; what looks like no network is a part of the target."""
    ends = [found.start() for found in (_PART.search(text), re.search('"', text)) if found]
    for slash in reversed([each.start() for each in re.finditer("/", text[: min(ends, default=len(text))])]):
        name = text[:slash]
        if name in CATALOGUE or name.startswith(tuple(f"{each}:" for each in ZOOS)) or any(is_same(each, name) for each in own):
            return name, text[slash + 1 :]
    return "", text


def _check_no_network(text: str, target: Target, network: Network, own: Collection[str]) -> None:
    """Raise UsageError where what stands before a slash is neither of a layer's name nor a network."""
    try:
        for name in target.layers():
            network.layer_name(name)
    except UsageError:
        raise unknown("network", brief(text.rpartition("/")[0], 60), [*CATALOGUE, *own], "`reverie networks` lists them") from None
