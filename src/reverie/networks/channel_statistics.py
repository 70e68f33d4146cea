"""What is usual: how strongly each channel of a layer answers to photographs, so that one can tell what is unusual in a picture."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

import torch
from torch import Tensor

from reverie.errors import UsageError, listing
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.prepared.prepared import Prepared

BATCH = 8  # pictures of one size in a pass


@dataclass(frozen=True)
class Usual:
    """The usual activations of a network's layers.

    Attributes:
        name: of the set of pictures, in words.
        layers: by layer, mean (C,) and spread (C,) of its activations over all places of all pictures, float32, in the layer's own
            units. The spread is the standard deviation; 0 of a channel that never changes, so who divides by it guards that.
    """

    name: str
    layers: Mapping[str, tuple[Tensor, Tensor]]


@cache
def known(name: str, sha256: str) -> Usual | None:
    """What is usual for a built-in network with these very weights; None for any other.

    `python -m bench.usual` measured it, on the photographs that `Usual.name` says.
    """
    if name not in CATALOGUE:
        return None
    place = resources.files("reverie.networks") / "measured" / f"{name}.json"
    if not place.is_file():
        return None
    data = json.loads(place.read_text("utf-8"))
    if data["sha256"] != sha256:
        return None
    layers = {layer: (torch.tensor(each["mean"]), torch.tensor(each["spread"])) for layer, each in data["layers"].items()}  # (C,) each
    return Usual(data["set"], MappingProxyType(layers))


def measure(ready: Prepared, pictures: Iterable[Tensor], name: str) -> Usual:
    """Mean and spread of each channel over all places of all pictures; every place counts the same, so a large picture counts for more.

    Args:
        ready: a network, made ready to give layers whose activations are (N, C, H, W).
        pictures: (C, H, W) each, in 0..1, of any sizes; looked at as large as they are, those of one size in a row together.
        name: of the set of pictures, in words.

    Raises:
        UsageError: no pictures, or a layer that has no places.
    """
    kept: dict[str, _Moments] = {layer: _Moments() for layer in ready.wanted}
    for batch in _batches(pictures):
        with torch.no_grad():
            seen = ready(batch.to(ready.device))
        for layer, moments in kept.items():
            if seen[layer].dim() != 4:
                shape = tuple(seen[layer].shape)
                raise UsageError(f"layer '{layer}' gives {shape}, which has no places", f"{listing('layers')} lists those that do")
            moments.add(seen[layer])
    if any(not moments.count for moments in kept.values()):
        raise UsageError("no pictures to learn from what is usual", "give at least one")
    return Usual(name, MappingProxyType({layer: moments.found() for layer, moments in kept.items()}))


class _Moments:
    """Mean and squared deviations of channels, gathered batch after batch in float64: Chan, Golub & LeVeque 1979."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.squares = torch.zeros((), dtype=torch.float64)

    def add(self, activations: Tensor) -> None:
        """(N, C, H, W)."""
        values = activations.cpu().double().transpose(0, 1).flatten(1)  # (C, places)
        fresh, mean = values.shape[1], values.mean(1)
        away = mean - self.mean  # (C,)
        total = self.count + fresh
        self.squares = self.squares + (values - mean[:, None]).square().sum(1) + away.square() * (self.count * fresh / total)  # (C,)
        self.mean = self.mean + away * (fresh / total)  # (C,)
        self.count = total

    def found(self) -> tuple[Tensor, Tensor]:
        return self.mean.float(), (self.squares / self.count).sqrt().float()


def _batches(pictures: Iterable[Tensor]) -> Iterator[Tensor]:
    """(C, H, W) each → (N, C, H, W), those of one size that follow each other together."""
    held: list[Tensor] = []
    for each in pictures:
        if held and (len(held) == BATCH or each.shape != held[0].shape):
            yield torch.stack(held)
            held = []
        held.append(each)
    if held:
        yield torch.stack(held)
