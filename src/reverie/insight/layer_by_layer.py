"""The way up through the layers: at each, what is still known, what was noticed, what it would add, what counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from reverie.ascent import Progress as AscentProgress
from reverie.insight.channel_features import with_features
from reverie.insight.layer_report import Rung
from reverie.insight.measures import counted, enhancement, excited, fidelity, inversion, is_partial, judged
from reverie.insight.report import Sight
from reverie.insight.request import Progress, SeeRequest, Watcher
from reverie.networks import Layer, Network
from reverie.networks.inspection.failures import CannotTake
from reverie.pictures import MadePicture, resize
from reverie.render import Plan, threads

Part = Literal["rebuilding", "enhancing", "features", "counting"]
_SHARES: dict[Part, tuple[float, float]] = {  # of the time of a layer, about: before it, and its own
    "rebuilding": (0.0, 0.6), "enhancing": (0.6, 0.1), "features": (0.7, 0.2), "counting": (0.9, 0.1),
}  # fmt: skip


def look(sight: Sight, request: SeeRequest, watcher: Watcher | None = None) -> Iterator[Sight]:
    """Look at a picture layer by layer, lowest first.

    Args:
        sight: what is known before the first layer: the picture, its labels.
        request: what shall be looked at.
        watcher: is told how far it is; once it answers with something true, what is unfinished is left out and this ends.

    Yields:
        what is seen so far, after each layer.
    """
    began = time.monotonic()
    network = request.network
    pixels = resize(request.picture.pixels, *request.size)  # (C, H, W)
    with threads(request.machinery.threads), torch.no_grad():
        activations = network.prepare(request.layers)(pixels[None].to(network.device))  # (1, C, h, w) each
        judges = judged(pixels, network)
    layers = {each.name: each for each in network.layers}
    depths = {name: 2.0 + depth for depth, name in enumerate(layers)}  # a deeper layer takes longer
    total, before = sum(depths[name] for name in request.layers), 0.0
    for layer in (layers[name] for name in request.layers):
        reporter = _Reporter(watcher, layer.name, before / total, depths[layer.name] / total)
        before += depths[layer.name]
        with threads(request.machinery.threads):
            rung = _rung(request, layer, activations[layer.name][0].cpu(), pixels, judges, reporter)
        if rung is None:
            return
        sight = replace(sight, layers=(*sight.layers, rung), seconds=time.monotonic() - began)
        yield sight


def _rung(
    request: SeeRequest, layer: Layer, activations: Tensor, pixels: Tensor, judges: Mapping[Network, int], reporter: _Reporter
) -> Rung | None:
    """What one layer made of the picture; None where it was stopped on the way.

    Args:
        activations: (C, h, w), of the picture.
        pixels: (C, H, W), at the size at which the network looks.
        judges: networks that judge what is rebuilt, with the class that each gives the picture.
    """
    network = request.network
    rebuilt = reporter.made(inversion(request, layer), "rebuilding")
    if rebuilt is None:
        return None
    kept = fidelity(rebuilt, activations, pixels, layer, network, judges)
    enhanced = reporter.made(enhancement(request, layer), "enhancing")
    if enhanced is None:
        return None
    noticed = excited(activations, request.usual.layers[layer.name], request.choices.channels)
    featured = with_features(noticed, layer, request, reporter.watching("features"))
    if featured is None or reporter.stops("counting"):
        return None
    spoke = None
    if request.why is not None:
        baseline = request.choices.baseline
        with suppress(CannotTake):  # a network that works out gradients itself cannot be cut in two
            spoke = counted(network.attribute(request.picture.pixels, [layer.name], request.why, request.against, baseline=baseline)[0])
    return Rung(layer, activations, rebuilt, kept, tuple(featured), enhanced, spoke)


class _Reporter:
    """Tells how far one layer is, which begins at `before` and takes `share` of the whole, both 0..1."""

    def __init__(self, watcher: Watcher | None, layer: str, before: float, share: float) -> None:
        self._watcher, self._layer, self._before, self._share = watcher, layer, before, share

    def stops(self, part: Part, done: float = 0.0) -> bool:
        """Tell that this share of a part is done; whether to stop."""
        earlier, own = _SHARES[part]
        share = self._before + self._share * (earlier + own * done)
        return bool(self._watcher and self._watcher(Progress(share, f"{self._layer}: {part}")))

    def watching(self, part: Part) -> Callable[[AscentProgress], bool]:
        return lambda progress: self.stops(part, progress.done)

    def made(self, plan: Plan, part: Part) -> MadePicture | None:
        """The picture; None where it was stopped on the way."""
        picture = plan.make(self.watching(part))
        return None if is_partial(picture) else picture
