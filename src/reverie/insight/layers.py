"""The way up through the layers: at each, what is still known, what was noticed, what it would add, what counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from reverie.ascent import Progress
from reverie.insight.measures import counted, enhancing, excited, fidelity, judged, rebuilding, with_features
from reverie.insight.report import Noticed, Rung, Sight
from reverie.insight.request import Halt, Wish
from reverie.networks import Layer, Network
from reverie.pictures import Picture, resize
from reverie.render import Plan, threads

_SHARES = {"rebuilding": 0.6, "enhancing": 0.1, "features": 0.2, "counting": 0.1}  # of the time of a rung, about


def look(sight: Sight, network: Network, wish: Wish, halt: Halt | None = None) -> Iterator[Sight]:
    """Look at a picture layer by layer, lowest first.

    Args:
        sight: what is known before the first layer: the picture, its labels.
        network: open.
        wish: what shall be looked at.
        halt: is told how far it is; once it answers with something true, what is unfinished is left out and this ends.

    Yields:
        what is seen so far, after each layer.
    """
    began = time.monotonic()
    picture = sight.picture
    layers = {each.name: each for each in network.layers}
    found = [layers[name] for name in wish.layers]
    pixels = resize(picture.pixels, *wish.size)  # (C, H, W)
    with threads(wish.threads), torch.no_grad():
        everything = network.prepare(wish.layers)(pixels[None].to(network.device))
        asked = judged(pixels, network)
    order = [each.name for each in network.layers]
    costs = [2.0 + order.index(each.name) for each in found]  # a deeper layer takes longer
    for number, layer in enumerate(found):
        before, cost = sum(costs[:number]) / sum(costs), costs[number] / sum(costs)
        said = _Said(halt, before, cost, layer)
        with threads(wish.threads):
            seen = everything[layer.name][0].cpu()  # (C, h, w)
            rebuilt = said.made(rebuilding(layer, picture, network, wish), "rebuilding")
            if rebuilt is None:
                return
            kept = fidelity(rebuilt, seen, pixels, layer, network, asked)
            plan = enhancing(layer, picture, network, wish)
            enhanced = None if plan is None else said.made(plan, "enhancing")
            if plan is not None and enhanced is None:
                return
            noticed: list[Noticed] = excited(seen, wish.usual.layers[layer.name], wish.channels)
            noticed, stopped = with_features(noticed, layer, network, wish, said.watching("features"))
            if stopped or said.told("counting"):
                return
            spoke = None if wish.why is None else network.attribute(picture.pixels, [layer.name], wish.why, wish.against)[0]
        rung = Rung(layer, seen, rebuilt, kept, tuple(noticed), enhanced, None if spoke is None else counted(spoke))
        sight = replace(sight, layers=(*sight.layers, rung), seconds=time.monotonic() - began)
        yield sight


class _Said:
    """Tells how far one layer is."""

    def __init__(self, halt: Halt | None, before: float, cost: float, layer: Layer) -> None:
        self._halt, self._before, self._cost, self._layer = halt, before, cost, layer

    def told(self, part: str, done: float = 0.0) -> bool:
        """Whether to stop."""
        earlier = sum(share for name, share in _SHARES.items() if list(_SHARES).index(name) < list(_SHARES).index(part))
        share = self._before + self._cost * (earlier + _SHARES[part] * done)
        return bool(self._halt and self._halt(share, f"{self._layer.name}: {part}"))

    def watching(self, part: str) -> Callable[[Progress], bool]:
        return lambda progress: self.told(part, progress.done)

    def made(self, plan: Plan, part: str) -> Picture | None:
        """The picture; None where it was stopped on the way."""
        picture = plan.make(self.watching(part))
        return None if picture.recipe is not None and picture.recipe.stopped is not None else picture
